// Verbatim replay on the simulator: gives the recorded stimuli, in order, to the model and compares every recorded
// response and observable with what the model does. Streams: batches in, a verdict out.
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

  /** Whether the replay was asked to stop and has found a divergence. */
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

  /** Compares the state before record `record` with the digest of it that the trace stores. */
  compareState(digest: string, record: number): void {
    this.comparator.compareState(this.machine.state.digest(), digest, record);
  }

  /** The trace stores a state that cannot be compared with this model's. */
  skipState(): void {
    this.comparator.counts.skip('state-of-another-layout');
  }

  /** No more records follow. Returns the verdict. */
  finish(): Verdict {
    return this.comparator.finish();
  }
}

/** Passes what the simulator does, and what was recorded, to the comparator. */
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
