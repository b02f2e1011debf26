// The active priorities of a PE where they are unknown.
import type { GicState } from '@gictrace/core/model';
import type { RuleName } from '@gictrace/core/record';
import { AP0R, AP1R } from '../cpu-registers.ts';
import type { Knowing } from './knowing.ts';

const GROUP_1S = 1;

export class ActivePriorities {
  private readonly state: GicState;
  private readonly knowing: Knowing;

  constructor(state: GicState, knowing: Knowing) {
    this.state = state;
    this.knowing = knowing;
  }

  /** Makes a priority active at a PE. */
  activate(pe: number, group: number, priority: number, rule: RuleName): void {
    const { state } = this;
    const bit = priority >> state.preemptionShift;
    const n = bit >> 5;
    const values = group === 0 ? state.ap0r : group === GROUP_1S ? state.ap1rS : state.ap1r;
    this.knowing.register(
      group === GROUP_1S ? 'ICC_S' : 'ICC',
      pe,
      (group === 0 ? AP0R : AP1R)[n]!,
      (values[4 * pe + n]! | (1 << (bit & 31))) >>> 0,
      rule,
    );
  }

  /** Clears the highest active priority, if it is not known to be active. */
  drop(pe: number, rule: RuleName): void {
    const { state } = this;
    for (let n = 0; n < 4; n++)
      for (const [registers, values] of [
        [AP0R, state.ap0r],
        [AP1R, state.ap1r],
      ] as const) {
        const active = values[4 * pe + n]!;
        if (active === 0) continue;
        this.knowing.register('ICC', pe, registers[n]!, active & (active - 1), rule);
        return;
      }
  }
}
