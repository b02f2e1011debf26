// Minimizes a trace of a GICv5: the same reduction, with the model of GICv5 as the reference.
import { GicTraceError, type Gicv5Config } from '@gictrace/core';
import type { Gicv5Machine } from '@gictrace/core/gicv5';
import { type Divergence, isEvent, RECORD_FLAGS, RecordBatch } from '@gictrace/core/record';
import { type Gicv5TraceHeader, isGicv5, TraceReader } from '@gictrace/recorder';
import { Gicv5Replay } from '../verbatim/gicv5.ts';
import { sourceOptions } from '../verbatim/re-recorded-trace.ts';
import {
  doesNotDiverge,
  doesNotShow,
  type Minimization,
  type MinimizeOptions,
  type Property,
  TestCount,
  wholeOf,
} from './minimization.ts';
import { reduce } from './reduce.ts';
import { minimizeToScenario } from './scenario.ts';
import { signatureOf } from './signature.ts';
import { type Stimuli, TraceStimuli } from './stimuli.ts';
import type { Test } from './test.ts';
import { simplify } from './values.ts';

/** Tests that a minimization makes at most. */
const TESTS_MAX = 5000;
const CHUNK = 4096;
/** What a stimulus keeps of its flags: that the source does not contain everything about it. */
const KEPT_FLAGS = RECORD_FLAGS.peUndecided | RECORD_FLAGS.undecided;

/** What must be kept: a property of what the simulator does, or a divergence of another simulator. */
export type Gicv5Keep =
  | Property
  | {
      readonly what: 'divergence';
      readonly profile: string;
      /** Plants a fault into the other simulator. */
      readonly machine?: (machine: Gicv5Machine) => void;
    };

export type Gicv5Minimized = Minimization<Gicv5Config, Gicv5TraceHeader>;

/**
 * Minimizes a trace file of a GICv5.
 * @throws GicTraceError `trace` if it cannot be read, `usage` if it does not show what is to be kept.
 */
export async function minimizeGicv5Trace(
  path: string,
  keep: Gicv5Keep,
  options: MinimizeOptions = {},
): Promise<Gicv5Minimized> {
  const reader = TraceReader.openAny(path);
  try {
    if (!isGicv5(reader)) throw new GicTraceError('usage', 'is no trace of a GICv5', { path });
    const { header } = reader;
    const { config } = header;
    const original = keep.what === 'divergence' ? firstDivergence(reader, keep) : null;
    if (keep.what === 'divergence' && original === null) throw doesNotDiverge(path);
    const stimuli = TraceStimuli.read(reader, original?.record);
    const test = new Gicv5Test(config, keep);
    if (!(await test.begins(wholeOf(stimuli), original))) throw doesNotShow(path, original);
    const count = new TestCount(stimuli, options, test.isSlow, TESTS_MAX);
    const reduced = await reduce(stimuli, test, count.max, count.tested);
    const rest = options.isVerbatim ? 0 : count.rest;
    const small = await simplify(reduced.selection, test, rest, count.tested);
    const { tests } = count;
    return {
      ...{ config, header, stimuli: small, recording: recorded(config, small), of: stimuli.length, tests },
      ...{ isMinimal: reduced.isMinimal, divergence: test.divergenceOf(small), original },
      scenario: () => minimizeToScenario(path, keep, original, options),
    };
  } finally {
    reader.close();
  }
}

/** What the simulator does with stimuli, as a recording of QEMU has it. */
function recorded(config: Gicv5Config, stimuli: Stimuli): readonly RecordBatch[] {
  const batches: RecordBatch[] = [new RecordBatch(CHUNK)];
  const replay = new Gicv5Replay(config, {
    // Nothing is compared: the stimuli have no lines of what they cause.
    sourceShows: [],
    output: {
      record(batch, i) {
        if (isEvent(batch.kind[i]!)) return;
        if (batches.at(-1)!.full) batches.push(new RecordBatch(CHUNK));
        batches.at(-1)!.copy(batch, i);
      },
    },
  });
  const one = new RecordBatch(1);
  for (let n = 0; n < stimuli.length; n++) {
    one.clear();
    stimuli.copyTo(one, n);
    one.flags[0]! &= KEPT_FLAGS;
    one.rule[0] = 0;
    one.cause[0] = 0;
    replay.take(one);
  }
  replay.finish();
  return batches;
}

class Gicv5Test implements Test {
  readonly isResumable = false;
  readonly isSlow: boolean;
  private readonly config: Gicv5Config;
  private readonly kept: Gicv5Keep;
  private wanted: Divergence | undefined;

  constructor(config: Gicv5Config, kept: Gicv5Keep) {
    this.config = config;
    this.kept = kept;
    this.isSlow = kept.what === 'property' && kept.isSlow;
  }

  /** Whether the whole list shows what is to be kept: for a divergence, `original`. */
  async begins(stimuli: Stimuli, original: Divergence | null): Promise<boolean> {
    if (original === null) return this.holds(stimuli, 0, true);
    const divergence = this.divergenceOf(stimuli);
    if (divergence === null || signatureOf(divergence, false) !== signatureOf(original, false)) return false;
    this.wanted = divergence;
    return true;
  }

  prepare(): void {}

  async holds(stimuli: Stimuli, _unchanged: number, isExact: boolean): Promise<boolean> {
    const { kept, config } = this;
    if (kept.what === 'property') return kept.holds(recorded(config, stimuli), config, isExact);
    const divergence = this.divergenceOf(stimuli);
    return divergence !== null && signatureOf(divergence, isExact) === signatureOf(this.wanted!, isExact);
  }

  /** The first divergence of some stimuli; null if there is none, or a property is kept. */
  divergenceOf(stimuli: Stimuli): Divergence | null {
    const { kept, config } = this;
    if (kept.what === 'property') return null;
    const replay = new Gicv5Replay(
      { ...config, profile: kept.profile },
      kept.machine === undefined ? {} : { machine: kept.machine },
    );
    for (const batch of recorded(config, stimuli)) replay.take(batch);
    return replay.finish().first;
  }

  on(): Test {
    return this;
  }
}

/** The first divergence of the recording on another simulator. */
function firstDivergence(
  reader: TraceReader<Gicv5TraceHeader>,
  { profile, machine }: Extract<Gicv5Keep, { what: 'divergence' }>,
): Divergence | null {
  const replay = new Gicv5Replay(
    { ...reader.header.config, profile },
    { ...sourceOptions(reader.header), ...(machine === undefined ? {} : { machine }) },
  );
  for (const { batch } of reader.batches()) replay.take(batch);
  return replay.finish().first;
}
