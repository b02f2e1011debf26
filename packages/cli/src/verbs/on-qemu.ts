// `--on qemu` and `--on qemu:COMMAND`: a real QEMU, started for the occasion.
import { GicTraceError } from '@gictrace/core';
import {
  foreseeTrace,
  QEMU,
  QemuBackend,
  type QemuOptions,
  qemuVersion,
  type ReplayOnOptions,
  replayTraceOn,
  type Verdict,
} from '@gictrace/replayer';

const PREFIX = 'qemu:';

/** Whether a backend is a real QEMU. */
export function isQemu(on: string): boolean {
  return on === 'qemu' || on.startsWith(PREFIX);
}

/** Which command runs QEMU, and how long it may keep silent. @throws GicTraceError `usage` for `qemu:` and nothing more. */
export function qemuOptions(on: string, timeoutSeconds: number | undefined): QemuOptions {
  const command = on === 'qemu' ? QEMU : on.slice(PREFIX.length);
  if (command === '')
    throw new GicTraceError('usage', 'qemu: without a command', {}, 'give qemu, or qemu:COMMAND');
  return { command, ...(timeoutSeconds === undefined ? {} : { timeoutMs: 1000 * timeoutSeconds }) };
}

/** Replays a trace on QEMU; `identification` gets the identification registers that differ. */
export async function replayOnQemu(
  path: string,
  on: string,
  timeoutSeconds: number | undefined,
  options: ReplayOnOptions,
  identification: string[],
): Promise<Verdict> {
  const own = qemuOptions(on, timeoutSeconds);
  // Before the trace is looked through: without QEMU there is nothing to look for.
  qemuVersion(own.command);
  const foresight = foreseeTrace(path);
  // A trace that is recorded anew has what QEMU shows.
  const unwatched = foresight.unwatched === true && options.output === undefined;
  const backend = new QemuBackend({ ...own, foresight: { ...foresight, unwatched } });
  try {
    const verdict = await replayTraceOn(path, backend, options);
    identification.push(...backend.differences);
    return verdict;
  } finally {
    await backend.close();
  }
}
