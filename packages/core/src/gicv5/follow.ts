// Follows a trace of a GICv5 with the simulator beside it: the loop of model/follow.
import { FollowLoop } from '../model/follow.ts';
import type { RecordBatch } from '../record/index.ts';
import type { Gicv5Machine } from './machine.ts';
import { gicv5Step } from './step.ts';

export class Gicv5Follow extends FollowLoop<Gicv5Machine> {
  protected override run(batch: RecordBatch, i: number): void {
    gicv5Step(this.machine, batch, i);
  }
}
