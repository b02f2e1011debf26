// Standard output, by which every verb prints. It may be a terminal, with a pager before it; a pipe that closes early
// (`gictrace diff A B | head`); or a file on a full disk. A closed pipe is not a failure and does not change the verdict;
// output that is lost for another reason is a failure.
import { GicTraceError } from '@gictrace/core';
import type { Pager } from './terminal/pager.ts';
import { asciiOf, NO_SCREEN, type Screen } from './terminal/screen.ts';

let closed = false;
let fault: NodeJS.ErrnoException | undefined;
let isWatched = false;
let screen = NO_SCREEN;
let makePager: (() => Pager) | undefined;
let pager: Pager | undefined;

/** Watches standard output from now on, for a screen, and forgets errors of an earlier command. */
export function watchOutput(on: Screen): void {
  closed = false;
  fault = undefined;
  screen = on;
  makePager = undefined;
  pager = undefined;
  if (isWatched) return;
  isWatched = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') closed = true;
    else fault ??= error;
  });
}

/** Has what is printed go through a pager, which is made when something is. */
export function pageOutput(make: () => Pager): void {
  makePager = make;
}

/** Writes text to standard output, as the terminal can show it. */
export function writeOut(text: string): void {
  pager ??= makePager?.();
  (pager ?? process.stdout).write(shownText(text));
}

/** Writes text for people to standard error: through the pager, where both would be on one screen. */
export function writeErr(text: string): void {
  if (pager !== undefined && process.stderr.isTTY) pager.write(shownText(text));
  else process.stderr.write(process.stderr.isTTY ? shownText(text) : text);
}

/** Whether what is printed has colours. */
export function hasColour(): boolean {
  return screen.hasColour;
}

/** Text as the terminal of this process can show it. */
export function shownText(text: string): string {
  return screen.isAscii ? asciiOf(text) : text;
}

/** Whether nobody reads standard output any more, so that a command that only prints can stop. */
export function isOutputClosed(): boolean {
  return closed || pager?.isClosed === true;
}

/** Waits until what reads standard output has room for more. A pipe and a terminal make the write itself wait. */
export async function outputRoom(): Promise<void> {
  await pager?.room();
}

/** Waits until the reader has left the pager, if there is one. Nothing is paged any more. */
export async function pagerLeft(): Promise<void> {
  const one = pager;
  makePager = undefined;
  pager = undefined;
  await one?.end();
}

/**
 * Waits until everything that was printed has been written.
 * @throws GicTraceError `backend` if it could not be written for another reason than a closed pipe.
 */
export async function outputTaken(): Promise<void> {
  await pagerLeft();
  if (!closed && fault === undefined && process.stdout.writableLength > 0)
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  // Node reports an error only after the write to which it belongs.
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (fault === undefined) return;
  const why = fault.code === 'ENOSPC' ? 'no space is left on the device' : (fault.code ?? fault.message);
  throw new GicTraceError('backend', `standard output cannot be written: ${why}`);
}
