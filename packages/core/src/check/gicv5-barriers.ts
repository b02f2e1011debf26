// Checks of barriers of a GICv5: what a PE has to complete by GSB SYS or GSB ACK before it uses the GIC otherwise. The work for a
// record does not grow with what awaits a barrier: each of that is looked at when it comes and when it is over.
import type { Gicv5Machine } from '../gicv5/index.ts';
import { GICV5_SYSREGS, gicv5SysregName } from '../spec/index.ts';
import type { CheckContext } from './context.ts';
import type { Moment } from './finding.ts';

const GSB_SYS = GICV5_SYSREGS.GSB_SYS.encoding;
const GSB_ACK = GICV5_SYSREGS.GSB_ACK.encoding;
/** Instructions that configure an SPI or LPI. */
export const CONFIGURING: ReadonlySet<number> = new Set(
  (['GIC_CDEN', 'GIC_CDDIS', 'GIC_CDPRI', 'GIC_CDAFF', 'GIC_CDPEND', 'GIC_CDHM'] as const).map(
    (name) => GICV5_SYSREGS[name].encoding,
  ),
);
/** How many findings from before the first barrier are kept. */
const UNBARRED_MAX = 10_000;

type Rule = 'disable-not-completed' | 'acknowledge-not-completed';
/** Something that awaits a barrier. */
interface Awaited {
  readonly at: Moment;
  readonly text: string;
}
interface Missed extends Awaited {
  readonly rule: Rule;
  readonly pe: number;
  readonly until: string;
  readonly by: Moment;
}

export class Gicv5BarrierChecks {
  private readonly c: CheckContext<Gicv5Machine>;
  /** By rule and PE: what awaits a barrier, the oldest first. */
  private readonly awaited = {
    'disable-not-completed': new Map<number, Awaited[]>(),
    'acknowledge-not-completed': new Map<number, Awaited[]>(),
  } satisfies Record<Rule, unknown>;
  /** Findings from before the first barrier. They count if there is one, which says that the source has barriers. */
  private unbarred: Missed[] = [];
  private hasBarriers = false;

  constructor(context: CheckContext<Gicv5Machine>) {
    this.c = context;
  }

  /** This PE has to complete by a barrier what it has just done. */
  await(rule: Rule, pe: number, text: string): void {
    const list = this.awaited[rule].get(pe);
    const one = { at: this.c.now(), text };
    if (list === undefined) this.awaited[rule].set(pe, [one]);
    else list.push(one);
  }

  /** A PE, or every PE, is reset: nothing of it awaits a barrier. */
  reset(pe?: number): void {
    for (const lists of Object.values(this.awaited))
      if (pe === undefined) lists.clear();
      else lists.delete(pe);
  }

  /**
   * A PE uses the GIC: either it completes what awaits a barrier, or it has not. One GSB SYS completes all that was configured before
   * it, so that what configures more comes in time. GSB ACK completes acknowledges alone.
   */
  used(pe: number, register: number): void {
    if (register === GSB_SYS || register === GSB_ACK) this.showsBarriers();
    const isInTime = register === GSB_ACK || CONFIGURING.has(register);
    if (!isInTime) this.over('disable-not-completed', pe, register, register === GSB_SYS);
    this.over('acknowledge-not-completed', pe, register, register === GSB_SYS || register === GSB_ACK);
  }

  private over(rule: Rule, pe: number, register: number, isCompleted: boolean): void {
    const list = this.awaited[rule].get(pe);
    if (list === undefined) return;
    this.awaited[rule].delete(pe);
    if (isCompleted) return;
    const { c } = this;
    const until = gicv5SysregName(register) ?? c.stimulusText();
    for (const one of list) {
      const missed = { ...one, rule, pe, until, by: c.now() };
      if (this.hasBarriers) this.report(missed);
      else if (this.unbarred.length < UNBARRED_MAX) this.unbarred.push(missed);
    }
  }

  private showsBarriers(): void {
    if (this.hasBarriers) return;
    this.hasBarriers = true;
    for (const one of this.unbarred) this.report(one);
    this.unbarred = [];
  }

  private report({ rule, at, pe, text, until, by }: Missed): void {
    this.c.tell(rule, by, pe, `${until}; no barrier came since ${text}`, [{ ...at, text }]);
  }
}
