// Watches standard output, which may be a pipe that closes early (`gictrace diff A B | head`) or a file on a full disk. A
// closed pipe is not a failure and does not change the verdict; output that is lost for another reason is a failure.
import { GicTraceError } from '@gictrace/core';

let closed = false;
let fault: NodeJS.ErrnoException | undefined;
let isWatched = false;

/** Watches standard output from now on, and forgets errors of an earlier command. */
export function watchOutput(): void {
  closed = false;
  fault = undefined;
  if (isWatched) return;
  isWatched = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') closed = true;
    else fault ??= error;
  });
}

/** Whether nobody reads standard output any more, so that a command that only prints can stop. */
export function isOutputClosed(): boolean {
  return closed;
}

/**
 * Waits until everything that was printed has been written.
 * @throws GicTraceError `backend` if it could not be written for another reason than a closed pipe.
 */
export async function outputTaken(): Promise<void> {
  if (!closed && fault === undefined && process.stdout.writableLength > 0)
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  // Node reports an error only after the write to which it belongs.
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (fault === undefined) return;
  const why = fault.code === 'ENOSPC' ? 'no space is left on the device' : (fault.code ?? fault.message);
  throw new GicTraceError('backend', `standard output cannot be written: ${why}`);
}
