// What a reduction must keep: the interface to all such tests, and the run of some stimuli on the reference simulator that
// most of them begin with.
import type { GicConfig } from '@gictrace/core';
import { type Checkpoint, checkpointOf, returnTo } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICD } from '@gictrace/core/spec';
import { Recording } from '../fuzz/differ.ts';
import type { Tolerance } from '../verbatim/options.ts';
import { Queues } from './queues.ts';
import type { Stimuli } from './stimuli.ts';

/** The machine on which stimuli are run again. */
export interface Setting {
  readonly config: GicConfig;
  /** The PPI that the machine connects to each PE's maintenance interrupt, if it does so by itself. */
  readonly maintenanceIntid?: number;
  /** Whether RAM is zero at first, as in a machine that has just been started; otherwise it is unknown. */
  readonly isRamZero: boolean;
  /** Whether stimuli by which the GIC accesses anything but RAM are refused, since a real machine could not do that. */
  readonly isInRam: boolean;
  /** What the guest may do wrong; nothing if absent. */
  readonly allow?: readonly Tolerance[];
  /** ITSs whose commands are not moved up when others are left out. */
  readonly irregularQueues: ReadonlySet<number>;
}

/** Says whether some stimuli still show what is to be kept. */
export interface Test {
  /** Whether tests after `prepare` need not run what is unchanged, so that many are possible on a long list. */
  readonly isResumable: boolean;
  /** How many tests a second it makes of a few stimuli: below 20 for one that starts a program each time. */
  readonly isSlow: boolean;
  /** Prepares for stimuli whose first `at[k]` are these. */
  prepare(stimuli: Stimuli, at: readonly number[]): void;
  /**
   * Whether it is kept. The first `unchanged` stimuli are those of the last `prepare`. `isExact`: what it is about (its
   * interrupt, its PE, its register) must be the same, too.
   */
  holds(stimuli: Stimuli, unchanged: number, isExact: boolean): Promise<boolean>;
  /** The same test on another machine. */
  on(setting: Setting): Test;
}

/** A point from which the stimuli behind it can be run. */
export interface Mark {
  readonly at: number;
  readonly machine: Checkpoint;
  readonly queues: Queues;
}

/** Runs stimuli on the simulator, and hands on what it does as a recording. */
export class Reference {
  readonly recording: Recording;
  private queues: Queues;
  private readonly setting: Setting;
  private readonly one = new RecordBatch(1);

  constructor(setting: Setting, deliver?: (batch: RecordBatch) => void) {
    this.setting = setting;
    this.queues = new Queues(setting.irregularQueues);
    this.recording = new Recording(
      setting.config,
      setting.maintenanceIntid === undefined ? {} : { maintenanceIntid: setting.maintenanceIntid },
      undefined,
      deliver,
    );
  }

  /** Begins at a mark, or as after power-on. */
  begin(mark?: Mark): void {
    if (mark === undefined) {
      if (this.setting.isRamZero) this.recording.powerOn();
      return;
    }
    returnTo(this.recording.machine, mark.machine);
    this.queues = mark.queues.clone();
  }

  /** The point before stimulus `at`. */
  mark(at: number): Mark {
    return { at, machine: checkpointOf(this.recording.machine), queues: this.queues.clone() };
  }

  take(stimuli: Stimuli, n: number): void {
    const { one } = this;
    one.clear();
    stimuli.copyTo(one, n);
    one.flags[0]! &= RECORD_FLAGS.secure | RECORD_FLAGS.el3;
    one.rule[0] = 0;
    one.cause[0] = 0;
    this.queues.pack(one, 0);
    this.recording.take(one, 0);
  }

  /** Ends with a read that has no effect: what only the other implementation shows is found at the next stimulus. */
  end(): void {
    this.recording.take(LAST_READ, 0);
    this.recording.end();
  }

  /** Whether a real machine could not do what was done. */
  get isImpossible(): boolean {
    return this.setting.isInRam && this.recording.outsideRam;
  }
}

const LAST_READ = new RecordBatch(1);
LAST_READ.push(RECORDS['mmio.read'].id, 0, Number.NaN);
LAST_READ.words.set([FRAMES.indexOf('GICD'), 0, GICD.GICD_IIDR.offset, 4]);

/** Runs all stimuli on the simulator. */
export function recordAll(setting: Setting, stimuli: Stimuli): Reference {
  const reference = new Reference(setting);
  reference.begin();
  for (let n = 0; n < stimuli.length; n++) reference.take(stimuli, n);
  return reference;
}
