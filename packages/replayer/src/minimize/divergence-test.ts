// Keeps a divergence: what two implementations do with the same stimuli differs as it did. The reference is the simulator;
// the other one is a simulator, too (another profile, or with a fault), or any backend.
import type { GicConfig } from '@gictrace/core';
import type { Backend } from '@gictrace/core/backend';
import { type Checkpoint, checkpointOf, type Machine, returnTo } from '@gictrace/core/model';
import { type Divergence, isStimulus, RecordBatch } from '@gictrace/core/record';
import { type Foresight, foresee } from '../backends/qemu/foresight.ts';
import { replayed } from '../fuzz/differ.ts';
import { VerbatimReplay } from '../verbatim/on-simulator.ts';
import type { ReplayOptions } from '../verbatim/options.ts';
import { signatureOf } from './signature.ts';
import type { Stimuli } from './stimuli.ts';
import { type Mark, Reference, recordAll, type Setting, type Test } from './test.ts';

/** A simulator that is compared with the reference. */
export interface OtherSimulator {
  readonly profile: string;
  /** Plants a fault into it. */
  readonly machine?: (machine: Machine) => void;
}

export type Shown = Pick<ReplayOptions, 'sourceShows' | 'sourceTellsReserved'>;
interface TwoMarks extends Mark {
  readonly other: Checkpoint;
}

/** A test that knows the divergence which it keeps. */
export interface DivergenceTest extends Test {
  /** The first divergence of some stimuli; null if there is none. */
  divergenceOf(stimuli: Stimuli): Promise<Divergence | null>;
  /** Keeps this divergence from here on. */
  keep(divergence: Divergence): void;
  on(setting: Setting): DivergenceTest;
}

abstract class Keeping {
  private readonly wanted: (string | undefined)[] = [];
  protected wantedDivergence: Divergence | undefined;

  keep(divergence: Divergence): void {
    this.wantedDivergence = divergence;
    this.wanted[0] = signatureOf(divergence, false);
    this.wanted[1] = signatureOf(divergence, true);
  }

  protected isSame(divergence: Divergence | null, isExact: boolean): boolean {
    return divergence !== null && signatureOf(divergence, isExact) === this.wanted[isExact ? 1 : 0];
  }
}

/** Two simulators, which run side by side and can go on from any point of the stimuli. */
export class SimulatorTest extends Keeping implements DivergenceTest {
  readonly isResumable = true;
  readonly isSlow = false;
  private readonly setting: Setting;
  private readonly other: OtherSimulator;
  private readonly shown: Shown;
  private marks: TwoMarks[] = [];

  /** `shown`: what of the recording can be compared at all. */
  constructor(setting: Setting, other: OtherSimulator, shown: Shown) {
    super();
    this.setting = setting;
    this.other = other;
    this.shown = shown;
  }

  on(setting: Setting): SimulatorTest {
    const test = new SimulatorTest(setting, this.other, this.shown);
    if (this.wantedDivergence !== undefined) test.keep(this.wantedDivergence);
    return test;
  }

  async divergenceOf(stimuli: Stimuli): Promise<Divergence | null> {
    return this.run(stimuli);
  }

  prepare(stimuli: Stimuli, at: readonly number[]): void {
    this.marks = [];
    if (at.length > 0) this.run(stimuli, undefined, at);
  }

  async holds(stimuli: Stimuli, unchanged: number, isExact: boolean): Promise<boolean> {
    // From the end, because what is left out comes ever earlier.
    while (this.marks.length > 0 && this.marks.at(-1)!.at > unchanged) this.marks.pop();
    return this.isSame(this.run(stimuli, this.marks.at(-1)), isExact);
  }

  private run(stimuli: Stimuli, from?: TwoMarks, marksAt: readonly number[] = []): Divergence | null {
    const { setting, other, shown } = this;
    const config: GicConfig = { ...setting.config, profile: other.profile };
    const replay = new VerbatimReplay(config, {
      ...shown,
      ...(other.machine === undefined ? {} : { machine: other.machine }),
      stopAtFirst: true,
      allow: setting.allow ?? [],
    });
    const isReads = shown.sourceShows?.length === 0;
    const reference = new Reference(setting, (batch) => {
      if (!replay.stopped) replay.take(isReads ? stimuliIn(batch) : batch);
    });
    reference.begin(from);
    if (from !== undefined) returnTo(replay.machine, from.other);
    let next = marksAt.findIndex((at) => at >= (from?.at ?? 0));
    for (let n = from?.at ?? 0; n < stimuli.length && !replay.stopped; n++) {
      if (next >= 0 && marksAt[next] === n) {
        reference.recording.end();
        next = next + 1 < marksAt.length ? next + 1 : -1;
        if (replay.stopped) break;
        this.marks.push({ ...reference.mark(n), other: checkpointOf(replay.machine) });
      }
      reference.take(stimuli, n);
    }
    reference.end();
    const { first } = replay.finish();
    return reference.isImpossible ? null : first;
  }
}

/** The simulator and a backend, which is started for each test. */
export class BackendTest extends Keeping implements DivergenceTest {
  readonly isResumable = false;
  readonly isSlow = true;
  private readonly setting: Setting;
  private readonly open: (foresight: Foresight) => Backend;

  private readonly shown: Shown;

  constructor(setting: Setting, open: (foresight: Foresight) => Backend, shown: Shown = {}) {
    super();
    this.setting = setting;
    this.open = open;
    this.shown = shown;
  }

  on(setting: Setting): BackendTest {
    const test = new BackendTest(setting, this.open, this.shown);
    if (this.wantedDivergence !== undefined) test.keep(this.wantedDivergence);
    return test;
  }

  prepare(): void {}

  async holds(stimuli: Stimuli, _unchanged: number, isExact: boolean): Promise<boolean> {
    return this.isSame(await this.divergenceOf(stimuli), isExact);
  }

  async divergenceOf(stimuli: Stimuli): Promise<Divergence | null> {
    const { config } = this.setting;
    const reference = recordAll(this.setting, stimuli);
    reference.end();
    if (reference.isImpossible) return null;
    const isReads = this.shown.sourceShows?.length === 0;
    const batches = isReads ? reference.recording.batches.map(stimuliIn) : reference.recording.batches;
    const backend = this.open(foresee(config, reference.recording.batches));
    try {
      const capabilities = await backend.reset(config);
      return (await replayed(config, { batches }, backend, capabilities, this.shown)).first;
    } finally {
      await backend.close();
    }
  }
}

/** A property of a recording: the stimuli are run on the simulator, and a predicate looks at what came of it. */
export class PropertyTest implements Test {
  readonly isResumable = false;
  readonly isSlow: boolean;
  private readonly setting: Setting;
  private readonly predicate: (reference: Reference, isExact: boolean) => Promise<boolean>;

  constructor(
    setting: Setting,
    predicate: (reference: Reference, isExact: boolean) => Promise<boolean>,
    isSlow: boolean,
  ) {
    this.setting = setting;
    this.predicate = predicate;
    this.isSlow = isSlow;
  }

  on(setting: Setting): PropertyTest {
    return new PropertyTest(setting, this.predicate, this.isSlow);
  }

  prepare(): void {}

  async holds(stimuli: Stimuli, _unchanged: number, isExact: boolean): Promise<boolean> {
    const reference = recordAll(this.setting, stimuli);
    return !reference.isImpossible && this.predicate(reference, isExact);
  }
}

/** The stimuli of a batch, if nothing else of it can be compared. */
function stimuliIn(batch: RecordBatch): RecordBatch {
  const stimuli = new RecordBatch(batch.count);
  for (let i = 0; i < batch.count; i++) if (isStimulus(batch.kind[i]!)) stimuli.copy(batch, i);
  return stimuli;
}
