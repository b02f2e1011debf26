// Verbatim replay of a GICv5 trace file on the simulator.
import { gicv5ProfileNamed } from '@gictrace/core/gicv5';
import type { Verdict } from '@gictrace/core/record';
import type { Gicv5TraceHeader, TraceReader, TraceWriter } from '@gictrace/recorder';
import { Gicv5Replay } from './gicv5.ts';
import { renumbered, reRecorded, sourceOptions } from './re-recorded-trace.ts';
import type { ReplayTraceOptions } from './replay-trace.ts';

/**
 * Replays an open trace and closes it.
 * @throws GicTraceError `trace` for a profile that GICv5 does not have.
 */
export function replayGicv5Trace(
  reader: TraceReader<Gicv5TraceHeader>,
  options: ReplayTraceOptions,
): Verdict {
  let writer: TraceWriter | undefined;
  try {
    const { header } = reader;
    const profile = gicv5ProfileNamed(options.profile ?? header.config.profile).name;
    const config = { ...header.config, profile };
    if (options.output !== undefined) writer = reRecorded(reader, config, options.output, options);
    const replay = new Gicv5Replay(config, {
      ...sourceOptions(header),
      allow: options.allow ?? [],
      ...(writer === undefined ? {} : { output: renumbered(writer) }),
    });
    for (const { batch, first } of reader.batches()) {
      replay.take(batch);
      options.progress?.(first + batch.count);
    }
    const verdict = replay.finish();
    writer?.close({ meta: { diverged: verdict.diverged } });
    writer = undefined;
    return verdict;
  } finally {
    writer?.abort();
    reader.close();
  }
}
