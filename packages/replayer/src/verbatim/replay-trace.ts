// Verbatim replay of a trace file: streams its chunks through the simulator or another backend, compares the states
// that it stores with the simulator's, and writes the re-recorded trace on request.

import { GicTraceError } from '@gictrace/core';
import type { Backend } from '@gictrace/core/backend';
import { Machine, STATE_VERSION, step } from '@gictrace/core/model';
import { PROFILES } from '@gictrace/core/profile';
import { KIND, RECORD_WORDS, RecordBatch, type Verdict } from '@gictrace/core/record';
import { FRAMES, ITS_OUTCOMES } from '@gictrace/core/spec';
import {
  hasKnownState,
  isGicv5,
  sourceShows,
  startsInMidLife,
  TraceReader,
  type TraceWriter,
} from '@gictrace/recorder';
import { replayGicv5Trace } from './gicv5-trace.ts';
import { BackendReplay, type BackendReplayOptions } from './on-backend.ts';
import { VerbatimReplay } from './on-simulator.ts';
import type { Tolerance } from './options.ts';
import { renumbered, reRecorded, sourceOptions } from './re-recorded-trace.ts';

const FRAME_GITS = FRAMES.indexOf('GITS');
/** Stimuli, other than writes to an ITS, that decide what its queue holds. */
const OF_QUEUES: ReadonlySet<number> = new Set([
  KIND['mem.write'],
  KIND['mem.known'],
  KIND['mem.unknown'],
  KIND['queue.write'],
  KIND['gic.reset'],
]);

export interface ReplayTraceOptions {
  /** Version of gictrace for the header of the output; this package's own if absent. */
  readonly version?: string | undefined;
  /** Profile to replay under; the trace's own if absent. */
  readonly profile?: string;
  /** Where to write the re-recorded trace; never the trace that is replayed. */
  readonly output?: string;
  /** Whether a file at `output` that gictrace did not write may be replaced. */
  readonly force?: boolean;
  /** Differences to tolerate. */
  readonly allow?: readonly Tolerance[];
  readonly progress?: (records: number) => void;
  /** Called with the simulator's machine before the replay, to plant a fault. */
  readonly machine?: (machine: Machine) => void;
}

export interface ReplayOnOptions
  extends Omit<ReplayTraceOptions, 'profile' | 'machine'>,
    Pick<BackendReplayOptions, 'batchRecords' | 'window' | 'fills' | 'collections' | 'follows'> {
  /** Whether the backend ignores an ITS command that is all zero; it then gets one for each that the source does not show. */
  readonly ignoresZeroCommands?: boolean;
}

/** Replays a trace on the simulator, that of a GICv5 on the model of GICv5. Throws a GicTraceError (`trace`) if it cannot be read. */
export function replayTrace(path: string, options: ReplayTraceOptions = {}): Verdict {
  const any = TraceReader.openAny(path);
  if (isGicv5(any)) return replayGicv5Trace(any, options);
  const reader = any as TraceReader;
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
    if (options.output !== undefined) writer = reRecorded(reader, config, options.output, options);
    const replay = new VerbatimReplay(config, {
      allow: options.allow ?? [],
      ...(options.machine === undefined ? {} : { machine: options.machine }),
      ...sourceOptions(reader.header),
      ...(writer === undefined ? {} : { output: renumbered(writer) }),
    });
    // A stored state is that of the recording's own model, so only the same profile has to reach it.
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

/**
 * Replays a trace on a backend, which it resets first and does not close. If the backend fails, what was re-recorded
 * until then is kept, unfinished, under the output's name with `.partial` appended.
 * @throws GicTraceError `trace` if the trace cannot be read, `backend` if the backend fails.
 */
export async function replayTraceOn(
  path: string,
  backend: Backend,
  options: ReplayOnOptions,
): Promise<Verdict> {
  const reader = TraceReader.open(path);
  let writer: TraceWriter | undefined;
  try {
    const { config } = reader.header;
    refuseLearnt(path, reader);
    const unknown = refuseUnknown(path, reader, options.ignoresZeroCommands === true);
    // Checked before the backend starts to work, so that an output that cannot be written is reported at once.
    if (options.output !== undefined) reRecorded(reader, config, options.output, options).abort();
    // A re-recorded trace contains everything that the backend shows.
    const compared = options.output === undefined ? sourceShows(reader.header) : undefined;
    const capabilities = await backend.reset(config, compared);
    if (options.output !== undefined)
      writer = reRecorded(reader, config, options.output, options, capabilities);
    const { output: _path, force: _force, ignoresZeroCommands: _zero, ...rest } = options;
    const replay = new BackendReplay(config, backend, capabilities, {
      ...rest,
      ...sourceOptions(reader.header),
      unknownCommands: unknown,
      ...(writer === undefined ? {} : { output: renumbered(writer) }),
    });
    for (const _state of reader.states()) replay.skipState();
    for (const { batch, first } of reader.batches()) {
      await replay.take(batch);
      options.progress?.(first + batch.count);
    }
    const verdict = await replay.finish();
    writer?.close({
      meta: { diverged: verdict.diverged, backend: `${capabilities.name} ${capabilities.version}` },
    });
    writer = undefined;
    return verdict;
  } catch (error) {
    if (writer === undefined || !(error instanceof GicTraceError) || error.code !== 'backend') throw error;
    const partial = writer.leave();
    writer = undefined;
    throw new GicTraceError(
      error.code,
      error.message,
      error.place,
      [error.hint, partial && `recover what was recorded with gictrace recover ${partial} -o TRACE`]
        .filter(Boolean)
        .join('; ') || undefined,
    );
  } finally {
    writer?.abort();
    reader.close();
  }
}

/** A backend begins with a reset. It cannot be given state that only a later part of the source reveals. */
function refuseLearnt(path: string, reader: TraceReader): void {
  if (!hasKnownState(reader) && !startsInMidLife(reader.header)) return;
  throw new GicTraceError(
    'backend',
    'has state that its source shows only by what came of it, which cannot be given to this backend',
    { path },
    'replay it on the simulator',
  );
}

/**
 * A backend cannot be given an unknown command: zero bytes in its queue would be a different one. If it ignores such a
 * command, what the ITS maps is unknown, so no MSI can be compared; without MSIs, everything else can. Returns the number
 * of unknown commands.
 */
function refuseUnknown(path: string, reader: TraceReader, ignoresZero: boolean): number {
  const { count, first } = unknownCommands(reader);
  if (
    count === 0 ||
    (ignoresZero && reader.footer !== undefined && (reader.footer.kinds['msi.write'] ?? 0) === 0)
  )
    return count;
  throw new GicTraceError(
    'backend',
    `has ITS commands that its source does not show (${count}, the first executed by record ${first}), which cannot be given to this backend`,
    { path },
    'replay it on the simulator',
  );
}

/** Commands that an ITS executes and that are not in the trace. Replays only what affects the queues. */
function unknownCommands(reader: TraceReader): { readonly count: number; readonly first: number } {
  const { config } = reader.header;
  let count = 0;
  let first = -1;
  if (config.its.length === 0) return { count, first };
  const machine = new Machine(config);
  const shown = new RecordBatch(1024);
  const take = (record: number) => {
    for (let k = 0; k < shown.count; k++) {
      if (shown.kind[k] !== KIND['its.command']) continue;
      if (shown.words[k * RECORD_WORDS + 2] !== ITS_OUTCOMES.NOT_SHOWN) continue;
      if (count++ === 0) first = record;
    }
    shown.clear();
  };
  let now = 0;
  machine.sink = { batch: shown, events: true, full: () => take(now) };
  for (const { batch, first: from } of reader.batches())
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      const isOfIts = kind === KIND['mmio.write'] && batch.words[i * RECORD_WORDS] === FRAME_GITS;
      if (!isOfIts && !OF_QUEUES.has(kind)) continue;
      now = from + i;
      step(machine, batch, i);
      take(now);
    }
  return { count, first };
}
