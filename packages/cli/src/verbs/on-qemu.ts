// `--on qemu` and `--on qemu:COMMAND`: replays on a real QEMU, which is started for the replay.
import { GicTraceError } from '@gictrace/core';
import { isGicv5, TraceReader } from '@gictrace/recorder';
import {
  foreseeTrace,
  QEMU,
  QemuBackend,
  type QemuOptions,
  qemuVersion,
  type ReplayOnOptions,
  replayGicv5OnQemu,
  replayTraceOn,
  type Verdict,
} from '@gictrace/replayer';

const PREFIX = 'qemu:';

/** Whether a backend is a real QEMU. */
export function isQemu(on: string): boolean {
  return on === 'qemu' || on.startsWith(PREFIX);
}

/** The command that runs QEMU, and how long it may send nothing. @throws GicTraceError `usage` for `qemu:` alone. */
export function qemuOptions(on: string, timeoutSeconds: number | undefined): QemuOptions {
  const command = on === 'qemu' ? QEMU : on.slice(PREFIX.length);
  if (command === '')
    throw new GicTraceError('usage', 'qemu: without a command', {}, 'give qemu, or qemu:COMMAND');
  return { command, ...(timeoutSeconds === undefined ? {} : { timeoutMs: 1000 * timeoutSeconds }) };
}

function isGicv5Trace(path: string): boolean {
  const reader = TraceReader.openAny(path);
  reader.close();
  return isGicv5(reader);
}

/** Replays a trace on QEMU. `identification` lists the identification registers that differ. */
export async function replayOnQemu(
  path: string,
  on: string,
  timeoutSeconds: number | undefined,
  options: ReplayOnOptions,
  identification: string[],
): Promise<Verdict> {
  const own = qemuOptions(on, timeoutSeconds);
  // This comes before the trace is read, because without QEMU there is nothing to do.
  qemuVersion(own.command);
  if (isGicv5Trace(path)) return replayGicv5OnQemu(path, own, options);
  const foresight = foreseeTrace(path);
  // A re-recorded trace (-o) contains what QEMU shows, so its log is needed.
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
