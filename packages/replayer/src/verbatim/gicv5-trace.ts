// Verbatim replay of a GICv5 trace file on the simulator.
import { GicTraceError } from '@gictrace/core';
import { gicv5ProfileNamed } from '@gictrace/core/gicv5';
import type { Verdict } from '@gictrace/core/record';
import {
  type Gicv5TraceHeader,
  missingStimuli,
  sourceShows,
  startsInMidLife,
  type TraceReader,
} from '@gictrace/recorder';
import { Gicv5Replay } from './gicv5.ts';
import type { ReplayTraceOptions } from './replay-trace.ts';

/**
 * Replays an open trace and closes it.
 * @throws GicTraceError `usage` for what is not for GICv5, `trace` for a profile that GICv5 does not have.
 */
export function replayGicv5Trace(
  reader: TraceReader<Gicv5TraceHeader>,
  { profile, output, allow, progress }: ReplayTraceOptions,
): Verdict {
  try {
    if (output !== undefined || (allow ?? []).length > 0)
      throw new GicTraceError(
        'usage',
        'a trace of a GICv5 is replayed without --output and --allow',
        { path: reader.path },
        'leave them out',
      );
    const { header } = reader;
    const config = { ...header.config, profile: gicv5ProfileNamed(profile ?? header.config.profile).name };
    const shown = sourceShows(header);
    const replay = new Gicv5Replay(config, {
      ...(shown === undefined ? {} : { sourceShows: shown }),
      startsInMidLife: startsInMidLife(header),
      missing: missingStimuli(header),
    });
    for (const { batch, first } of reader.batches()) {
      replay.take(batch);
      progress?.(first + batch.count);
    }
    return replay.finish();
  } finally {
    reader.close();
  }
}
