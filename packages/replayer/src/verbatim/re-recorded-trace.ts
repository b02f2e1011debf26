// The trace that a replay writes: its header, and its records, renumbered. And what the header of the replayed trace says to the
// comparison. It knows no model.
import { type GicConfig, type Gicv5Config, VERSION } from '@gictrace/core';
import type { Capabilities } from '@gictrace/core/backend';
import { operationAt } from '@gictrace/core/irqchip';
import { isObservable, KIND, RecordBatch } from '@gictrace/core/record';
import {
  type AnyTraceHeader,
  type AnyTraceReader,
  MISSING,
  missingStimuli,
  SHOWS,
  START,
  sourceShows,
  sourceTellsReserved,
  startsInMidLife,
  TELLS_RESERVED,
  TraceWriter,
} from '@gictrace/recorder';
import type { ReplayOptions, ReplayOutput } from './options.ts';

/** Prefix of the source name of a re-recorded trace. A replay of a replay gets it only once. */
const REPLAY_OF = 'replay of ';

/** Records are renumbered, and so is the operation that each belongs to. */
export function renumbered(writer: TraceWriter): ReplayOutput {
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

/** What the source of a trace does not contain at all. */
export function sourceOptions(
  header: AnyTraceHeader,
): Pick<ReplayOptions, 'sourceShows' | 'sourceTellsReserved' | 'startsInMidLife' | 'missing'> {
  const kinds = sourceShows(header);
  return {
    ...(kinds === undefined ? {} : { sourceShows: kinds }),
    sourceTellsReserved: sourceTellsReserved(header),
    startsInMidLife: startsInMidLife(header),
    missing: missingStimuli(header),
  };
}

/** The header options that say what the backend of a re-recording does not report. */
function shownBy({ observables, reserved }: Capabilities): AnyTraceHeader['options'] {
  const all = Object.values(KIND).filter((kind) => isObservable(kind) && kind !== KIND['source.conflict']);
  return {
    ...(observables.length < all.length ? { [SHOWS]: [...observables] } : {}),
    ...(reserved ? {} : { [TELLS_RESERVED]: false }),
  };
}

/** Begins the trace of a replay under `config`, at `output`. `capabilities`: those of the backend, if it is not the simulator. */
export function reRecorded(
  reader: AnyTraceReader,
  config: GicConfig | Gicv5Config,
  output: string,
  { version = VERSION, force = false }: { readonly version?: string | undefined; readonly force?: boolean },
  capabilities?: Capabilities,
): TraceWriter {
  const { source, clock, losses, seed } = reader.header;
  const { blocks } = reader.header.options;
  const header = {
    writer: { name: 'gictrace', version },
    config,
    clock,
    source: {
      kind: source.kind.startsWith(REPLAY_OF) ? source.kind : `${REPLAY_OF}${source.kind}`,
      name: source.name,
      provenance: source.provenance,
    },
    losses: [...losses, ...(reader.footer?.losses ?? [])],
    seed,
    options: {
      ...(capabilities === undefined ? {} : shownBy(capabilities)),
      ...(blocks === undefined ? {} : { blocks }),
      ...(startsInMidLife(reader.header) ? { [START]: 'mid-life' } : {}),
      ...(missingStimuli(reader.header).length === 0 ? {} : { [MISSING]: missingStimuli(reader.header) }),
    },
  } as AnyTraceHeader;
  return new TraceWriter(output, header, { inputs: [reader.path], force });
}
