// Verbatim replay on the simulator: the recorded stimuli, in order, to the model, which is stepped directly; every
// recorded response and observable held against what it shows. Streams: batches in, a verdict out.
import {
  type EventSink,
  type GicConfig,
  Machine,
  NOT_A_REGISTER,
  RecordBatch,
  STIMULI_BELOW,
  step,
} from '@gictrace/core';
import type { Verdict } from '../verdict.ts';
import { Comparator } from './comparator.ts';
import { FIRST_EVENT } from './observed.ts';
import type { ReplayOptions } from './options.ts';

export class VerbatimReplay {
  readonly machine: Machine;
  private readonly comparator: Comparator;
  private readonly shown = new RecordBatch(4096);

  constructor(config: GicConfig, options: ReplayOptions = {}) {
    this.machine = new Machine(config);
    options.machine?.(this.machine);
    this.comparator = new Comparator(config, options);
    const sink: EventSink = { batch: this.shown, events: true, full: () => this.collect() };
    this.machine.sink = sink;
  }

  /** Whether the replay has been told to stop and has met a divergence. */
  get stopped(): boolean {
    return this.comparator.stopped;
  }

  /** Takes the records of a batch. */
  take(batch: RecordBatch): void {
    const { comparator } = this;
    const { kind } = batch;
    const { context } = comparator;
    for (let i = 0; i < batch.count && !comparator.stopped; i++) {
      const k = kind[i]!;
      context.reach(batch, i);
      if (k < STIMULI_BELOW) this.stimulate(batch, i, k);
      else if (k < FIRST_EVENT) comparator.observe(batch, i, k);
      comparator.records++;
    }
    context.leave(batch);
  }

  private stimulate(batch: RecordBatch, i: number, kind: number): void {
    const { machine: m, comparator } = this;
    comparator.begin(batch, i, kind);
    step(m, batch, i);
    if (m.unsupported) comparator.unsupported(batch, i, kind, NOT_A_REGISTER);
    else comparator.answered(batch, i, kind, m);
    if (this.shown.count > 0) this.collect();
  }

  /** Hands on what the model emitted. */
  private collect(): void {
    this.comparator.shown(this.shown, 0, this.shown.count);
    this.shown.clear();
  }

  /** Holds the state before record `record` against the digest that the trace stores of it. */
  compareState(digest: string, record: number): void {
    this.comparator.compareState(this.machine.state.digest(), digest, record);
  }

  /** The trace stores a state that this model cannot be held against. */
  skipState(): void {
    this.comparator.tally.skip('state-of-another-layout');
  }

  /** No more records: the verdict. */
  finish(): Verdict {
    return this.comparator.finish();
  }
}
