// Verbatim replay on the simulator: the recorded stimuli, in order, to the model, and every recorded response and
// observable held against what it does. Streams: batches in, a verdict out.
import type { GicConfig } from '@gictrace/core';
import { NOT_A_REGISTER } from '@gictrace/core/backend';
import { Follow, FollowObserver, Machine } from '@gictrace/core/model';
import type { RecordBatch, Verdict } from '@gictrace/core/record';
import { Comparator } from './comparator.ts';
import type { ReplayOptions } from './options.ts';

export class VerbatimReplay {
  readonly machine: Machine;
  private readonly comparator: Comparator;
  private readonly follow: Follow;
  private readonly stopAtFirst: boolean;

  constructor(config: GicConfig, options: ReplayOptions = {}) {
    this.machine = new Machine(config);
    options.machine?.(this.machine);
    this.comparator = new Comparator(config, options);
    this.stopAtFirst = options.stopAtFirst ?? false;
    this.follow = new Follow(this.machine, new Comparing(this.machine, this.comparator));
  }

  /** Whether the replay has been told to stop and has met a divergence. */
  get stopped(): boolean {
    return this.comparator.stopped;
  }

  /** Takes the records of a batch. */
  take(batch: RecordBatch): void {
    const { comparator, follow } = this;
    const first = comparator.records;
    comparator.explainer.enter(batch, first);
    if (!this.stopAtFirst) {
      follow.take(batch, first);
      comparator.records += batch.count;
    } else
      for (let i = 0; i < batch.count && !comparator.stopped; i++, comparator.records++)
        follow.take(batch, first, i, i + 1);
    comparator.explainer.leave(batch);
  }

  /** Holds the state before record `record` against the digest that the trace stores of it. */
  compareState(digest: string, record: number): void {
    this.comparator.compareState(this.machine.state.digest(), digest, record);
  }

  /** The trace stores a state that this model cannot be held against. */
  skipState(): void {
    this.comparator.counts.skip('state-of-another-layout');
  }

  /** No more records: the verdict. */
  finish(): Verdict {
    return this.comparator.finish();
  }
}

/** Hands the comparator what the simulator does, and what was recorded. */
class Comparing extends FollowObserver {
  private readonly machine: Machine;
  private readonly comparator: Comparator;

  constructor(machine: Machine, comparator: Comparator) {
    super();
    this.machine = machine;
    this.comparator = comparator;
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    this.comparator.begin(batch, i, record);
  }

  override answered(batch: RecordBatch, i: number): void {
    const { comparator, machine } = this;
    if (machine.unsupported) comparator.unsupported(NOT_A_REGISTER);
    else comparator.answered(batch, i, machine);
  }

  override emitted(records: RecordBatch): void {
    this.comparator.did(records, 0, records.count);
  }

  override operation(batch: RecordBatch, i: number): void {
    this.comparator.operation(batch, i);
  }

  override observable(batch: RecordBatch, i: number, record: number): void {
    this.comparator.observe(batch, i, record);
  }
}
