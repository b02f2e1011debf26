// Differential fuzzing: runs stimuli from a seed on the simulator and on another implementation, and shrinks the first
// difference to a few stimuli.
import { type GicConfig, GicTraceError, VERSION } from '@gictrace/core';
import type { Capabilities } from '@gictrace/core/backend';
import { type Divergence, RECORDS, RecordBatch, type Verdict } from '@gictrace/core/record';
import { FRAMES, GICD } from '@gictrace/core/spec';
import { StimulusGenerator } from '@gictrace/core/testing';
import { type TraceHeader, TraceWriter } from '@gictrace/recorder';
import { shrink } from '../minimize/shrink.ts';
import { Recording, replayed, stimuliUpTo } from './differ.ts';
import { type FuzzTarget, type QemuTargetOptions, qemuTarget } from './targets.ts';

const SHRINK_TESTS = 400;

export interface FuzzOptions {
  /** 0 to 4,294,967,295. */
  readonly seed: number;
  /** Stimuli, at least 1. */
  readonly steps: number;
  /** Whether stimuli of two Security states are made. */
  readonly twoStates?: boolean;
  /** One stimulus in this many is arbitrary; 6 if absent; 0 for none. */
  readonly wild?: number;
  /** The name of a fault to plant into the simulator (`MUTATIONS`); none if absent. */
  readonly plant?: string;
  /** Whether the difference is left as it was found, without shrinking it. */
  readonly whole?: boolean;
  readonly progress?: (tests: number) => void;
}

export interface FuzzResult {
  readonly seed: number;
  readonly steps: number;
  readonly config: GicConfig;
  /** Comparisons made, by kind, up to the first difference. */
  readonly compared: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  /** Stimuli of the seed that the target is not given, by reason; they are not among the steps. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Differences that the architecture leaves to the implementation. */
  readonly implementationChoices: Readonly<Record<string, number>>;
  /** The difference, or what makes the target end, in as few stimuli as were found; null if there is none. */
  readonly difference: Difference | null;
}

export interface Difference {
  /** The number of stimuli of the seed up to the first difference, and the number left after shrinking. */
  readonly after: number;
  readonly stimuli: number;
  /** The number of runs that shrinking took. */
  readonly tests: number;
  /** The verdict; null if the target ended. */
  readonly verdict: Verdict | null;
  /** How the target ended; null if it did not. */
  readonly crash: GicTraceError | null;
  /** The simulator's recording of the stimuli that are left. */
  readonly recording: Recording;
}

/**
 * Fuzzes an implementation with one seed.
 * @throws GicTraceError `backend` if it is not there or fails.
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzResult> {
  const { seed } = options;
  const { config } = target;
  const { stimuli, leftOut } = generate(target, options);
  const signature = ({ verdict, crash }: Outcome): string | undefined =>
    crash !== null ? 'crash' : verdict?.first ? shape(verdict.first) : undefined;
  const run = (part: readonly RecordBatch[]) => compare(target, part, options.plant);
  const whole = await run(stimuli);
  const found = {
    ...{ seed, steps: whole.ran, config },
    compared: whole.verdict?.compared ?? {},
    skipped: whole.verdict?.skipped ?? {},
    leftOut,
    implementationChoices: whole.verdict?.implementationChoices ?? {},
  };
  const wanted = signature(whole);
  if (wanted === undefined) return { ...found, difference: null };

  const first = whole.verdict?.first ?? null;
  const after =
    first === null
      ? whole.ran
      : Math.min(whole.ran, whole.recording.given(stimuliUpTo(whole.recording, first.record)));
  let tests = 0;
  const same = async (part: readonly RecordBatch[]) => {
    const outcome = await run(part);
    tests++;
    options.progress?.(tests);
    return outcome.ran === part.length && signature(outcome) === wanted;
  };
  let cut = stimuli.slice(0, after);
  // The effect of a stimulus may become visible only with the next one.
  if (!(await same(cut))) cut = stimuli.slice(0, whole.ran);
  const small = options.whole ? { list: cut } : await shrink(cut, same, { testsMax: SHRINK_TESTS });
  const { verdict, crash, recording } = await run(small.list);
  return { ...found, difference: { after, stimuli: small.list.length, tests, verdict, crash, recording } };
}

/** Fuzzes a real QEMU with one seed. @throws GicTraceError `backend` if QEMU is not there or fails. */
export function fuzzQemu(options: Omit<FuzzOptions, 'twoStates'> & QemuTargetOptions): Promise<FuzzResult> {
  return fuzz(qemuTarget(options), { ...options, twoStates: options.security === 2 });
}

/** The text of a divergence without numbers, by which the same divergence with fewer stimuli is recognised. */
function shape({ kind, recorded, replayed, stimulus }: Divergence): string {
  return [kind, recorded, replayed, stimulus?.text ?? '']
    .map((text) => text.replace(/0x[0-9a-f]+|\d+/g, '#').split('{')[0])
    .join('|');
}

interface Outcome {
  readonly recording: Recording;
  readonly verdict: Verdict | null;
  readonly crash: GicTraceError | null;
  /** The number of stimuli that ran, up to the first that concerns memory that the machine does not have. */
  readonly ran: number;
}

/** Runs stimuli on the simulator and replays that on the target. Returns the difference, or how the target ended. */
async function compare(
  target: FuzzTarget,
  stimuli: readonly RecordBatch[],
  plant: string | undefined,
): Promise<Outcome> {
  const { config } = target;
  // The simulator runs first, to find out how many of the stimuli can run.
  const trial = new Recording(config, target, plant);
  trial.powerOn();
  const leftOut = target.leftOut?.();
  let ran = 0;
  for (; ran < stimuli.length; ran++) {
    if (leftOut?.before(trial.machine, stimuli[ran]!) !== undefined) break;
    trial.take(stimuli[ran]!, 0);
    leftOut?.after(trial.machine, stimuli[ran]!);
    if (trial.outside) break;
  }
  const recording = new Recording(config, target, plant);
  recording.powerOn();
  for (const stimulus of stimuli.slice(0, ran)) recording.take(stimulus, 0);
  // A change that only the target shows is found at the next stimulus.
  recording.take(lastRead(), 0);
  let capabilities: Capabilities | undefined;
  const backend = await target.start();
  try {
    capabilities = await backend.reset(config);
    return { recording, verdict: await replayed(config, recording, backend, capabilities), crash: null, ran };
  } catch (error) {
    if (capabilities === undefined || !(error instanceof GicTraceError) || !target.hasEnded(backend))
      throw error;
    return { recording, verdict: null, crash: error, ran };
  } finally {
    await target.finish(backend);
  }
}

function lastRead(): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(RECORDS['mmio.read'].id, 0, Number.NaN);
  batch.words.set([FRAMES.indexOf('GICD'), 0, GICD.GICD_IIDR.offset, 4]);
  return batch;
}

interface Generated {
  readonly stimuli: RecordBatch[];
  readonly leftOut: Readonly<Record<string, number>>;
}

function generate(target: FuzzTarget, options: FuzzOptions): Generated {
  const { config, deviceIds, takenIntids } = target;
  const { seed, steps, wild, twoStates = false, plant } = options;
  const generator = new StimulusGenerator(config, seed, {
    deviceIds,
    takenIntids,
    twoStates,
    contained: true,
    reconfigures: true,
    ...(wild === undefined ? {} : { wild }),
  });
  const next = () => {
    const batch = new RecordBatch(1);
    generator.next(batch);
    return batch;
  };
  const limits = target.leftOut?.();
  if (limits === undefined) return { stimuli: Array.from({ length: steps }, next), leftOut: {} };
  // What is left out depends on what has run.
  const trial = new Recording(config, target, plant);
  trial.powerOn();
  const stimuli: RecordBatch[] = [];
  const leftOut: Record<string, number> = {};
  while (stimuli.length < steps) {
    const batch = next();
    limits.adapt(trial.machine, batch);
    const reason = limits.before(trial.machine, batch);
    if (reason !== undefined) {
      leftOut[reason] = (leftOut[reason] ?? 0) + 1;
      continue;
    }
    trial.take(batch, 0);
    limits.after(trial.machine, batch);
    stimuli.push(batch);
  }
  return { stimuli, leftOut };
}

/** Writes the simulator's recording of the difference. */
export function saveRecording(result: FuzzResult, path: string, version = VERSION, force = false): void {
  const { difference, config, seed } = result;
  if (difference === null) return;
  const header: TraceHeader = {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: 'fuzz', name: `seed ${seed}`, provenance: {} },
    losses: [],
    seed: `${seed}`,
    options: { difference: difference.verdict?.first ?? difference.crash?.message ?? null },
  };
  const writer = new TraceWriter(path, header, { force });
  for (const batch of difference.recording.batches)
    for (let i = 0; i < batch.count; i++) writer.record(batch, i);
  writer.close({ meta: {} });
}
