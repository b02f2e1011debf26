// Verbatim replay of a trace file: streams its chunks through the simulator, holds the states that it stores
// against the simulator's, and writes the re-recorded trace if asked to.
import { GicTraceError, operationAt, PROFILES, RecordBatch, STATE_VERSION } from '@gictrace/core';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { type ReplayOutput, type Tolerance, VerbatimReplay } from './verbatim.ts';
import type { Verdict } from './verdict.ts';

/** How the source of a re-recorded trace begins; a replay of a replay is no more than that. */
const REPLAY_OF = 'replay of ';

export interface ReplayTraceOptions {
  /** Version of the tool, for the header of what it writes. */
  readonly version: string;
  /** Profile to replay under; the trace's own when absent. */
  readonly profile?: string;
  /** Where to write the re-recorded trace. */
  readonly output?: string;
  /** Differences to let pass. */
  readonly allow?: readonly Tolerance[];
  readonly progress?: (records: number) => void;
}

/** Records are numbered anew, and so is the operation that each is due to. */
function renumbered(writer: TraceWriter): ReplayOutput {
  const own = new RecordBatch(1);
  let cause = 0;
  return {
    record(batch, i) {
      own.clear();
      own.copy(batch, i);
      own.cause[0] = 0;
      const isOperation = operationAt(own, 0) !== undefined;
      if (!isOperation) own.cause[0] = cause;
      writer.record(own, 0);
      if (isOperation) cause = writer.records;
    },
  };
}

/** Replays a trace. Throws a GicTraceError (`trace`) if it cannot be read. */
export function replayTrace(path: string, options: ReplayTraceOptions): Verdict {
  const reader = TraceReader.open(path);
  let writer: TraceWriter | undefined;
  try {
    const own = reader.header.config.profile;
    const config = { ...reader.header.config, profile: options.profile ?? own };
    if (PROFILES[config.profile] === undefined)
      throw new GicTraceError(
        'trace',
        `asks for the profile '${config.profile}', which this gictrace does not have`,
        { path },
        'give --on simulator@PROFILE',
      );
    if (options.output !== undefined) {
      const { source, clock } = reader.header;
      writer = new TraceWriter(options.output, {
        writer: { name: 'gictrace', version: options.version },
        config,
        clock,
        source: {
          kind: source.kind.startsWith(REPLAY_OF) ? source.kind : `${REPLAY_OF}${source.kind}`,
          name: source.name,
          provenance: source.provenance,
        },
        losses: [...reader.header.losses, ...(reader.footer?.losses ?? [])],
        seed: reader.header.seed,
        options: reader.header.options,
      });
    }
    const replay = new VerbatimReplay(config, {
      allow: options.allow ?? [],
      ...(writer === undefined ? {} : { output: renumbered(writer) }),
    });
    // A stored state is what the recording's own model had: only the same profile must have it too.
    const states = config.profile === own ? [...reader.states()] : [];
    const comparable = (reader.header.stateVersion ?? 1) === STATE_VERSION;
    for (const { batch, first } of reader.batches()) {
      while (states.length > 0 && states[0]!.record <= first) {
        const state = states.shift()!;
        if (comparable) replay.compareState(state.digest, state.record);
        else replay.skipState();
      }
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
