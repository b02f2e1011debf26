// The two machines of a learner: `ahead` tries things out; `behind` has taken what has been handed on, as a replay will.
// Hands records on.
import type { GicConfig } from '@gictrace/core';
import { Machine, step } from '@gictrace/core/model';
import { RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import type { Inference } from '../infer/inference.ts';
import type { Knowing } from './knowing.ts';

export class Machines {
  readonly ahead: Machine;
  readonly inference: Inference;
  /** What the model ahead did in its current stimulus. */
  readonly shown = new RecordBatch(8192);
  private taken: Machine | undefined;
  private readonly config: GicConfig;
  private readonly knowing: Knowing;
  private readonly out: (batch: RecordBatch, i: number) => void;

  constructor(
    config: GicConfig,
    inference: Inference,
    knowing: Knowing,
    out: (batch: RecordBatch, i: number) => void,
  ) {
    this.config = config;
    this.inference = inference;
    this.ahead = inference.machine;
    this.knowing = knowing;
    this.out = out;
  }

  /** Whether there are two machines. As long as nothing is unknown, one is enough. */
  get isActive(): boolean {
    return this.taken !== undefined;
  }

  /** The machine that has taken what has been handed on. */
  get behind(): Machine {
    return this.taken!;
  }

  /** From here on something is unknown, and there are two machines. */
  activate(): void {
    const behind = new Machine(this.config);
    behind.state.restore(this.ahead.state.save());
    behind.invalidate();
    this.taken = behind;
    this.ahead.sink = { batch: this.shown, events: true, full: () => this.shown.clear() };
  }

  /** Hands on a record that the model ahead has taken, and gives it to the machine behind. */
  commit(batch: RecordBatch, i: number): void {
    if (batch.kind[i]! < STIMULI_BELOW) step(this.behind, batch, i);
    this.out(batch, i);
  }

  /** Hands on what has been learnt, with the time and the line of record `i` of a group. */
  commitLearnt(batch: RecordBatch, group: RecordBatch, i: number): void {
    for (let k = 0; k < batch.count; k++) {
      batch.timeNs[k] = group.timeNs[i]!;
      batch.line[k] = group.line[i]!;
      this.commit(batch, k);
    }
    batch.clear();
  }

  /** Returns the model ahead to the state that has been handed on. */
  goBack(): void {
    this.ahead.state.restore(this.behind.state.save());
    this.ahead.invalidate();
    this.inference.knowledge.clear();
    this.shown.clear();
  }

  /** Hands on what the explanation made known. The model ahead, which has gone back, takes it, too. */
  keep(group: RecordBatch, i: number): void {
    const { batch } = this.knowing;
    for (let k = 0; k < batch.count; k++) step(this.ahead, batch, k);
    this.commitLearnt(batch, group, i);
    this.shown.clear();
  }

  /** Nothing explains the difference. The model ahead takes the stimulus as before, and that result stays. */
  runAgain(group: RecordBatch, from: number): false {
    this.knowing.clear();
    this.inference.run(group, from);
    return false;
  }
}
