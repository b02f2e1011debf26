// Explains why a PE was signalled, or not signalled, what a source says. Changes unknown state step by step until the
// model signals the same, guided by the masking reasons that also explain why an interrupt is not signalled. If several
// reasons are possible, the likeliest is taken; the state it rests on stays unknown, so that the source may reveal
// another reason later.
import {
  type GicState,
  groupOf,
  hasInterrupt,
  heldBy,
  IDLE,
  type Machine,
  privateIndex,
  routedPe,
  runningPriority,
  sharedIndex,
} from '@gictrace/core/model';
import { GICD, GICR, isPrivate, LPI_FIRST, SPURIOUS, SYSREGS } from '@gictrace/core/spec';
import { ActivePriorities } from './active-priorities.ts';
import type { Knowing } from './knowing.ts';
import { LpiConfiguration } from './lpi-configuration.ts';
import { placeTables } from './placed-tables.ts';
import type { Attribute, Unknowns } from './unknowns.ts';

const GROUP_1S = 1;
const GROUP_1NS = 2;
const STEPS_MAX = 64;
/** The priority assumed for an acknowledged interrupt whose priority is unknown. Most operating systems use it. */
const PRIORITY_LIKELY = 0xa0;
const NOWHERE = 0xff_ffff;
const ENABLE_LPIS = 1;
/** The enable bit in GICD_CTLR, by group. */
export const FORWARD = [1, 4, 2] as readonly number[];

/** What a PE was signalled. */
export interface Signalled {
  readonly intid: number;
  /** -1 if unknown. */
  readonly group: number;
  readonly priority: number;
  /** Whether an interrupt line is asserted: 1 or 0; -1 if unknown. */
  readonly line: number;
}

/** The evidence for it, which decides the rule names. */
export type Evidence = 'hppi' | 'acknowledge';
const RULES_BY = {
  hppi: { state: 'state-from-hppi', config: 'lpi-config-from-hppi', lpi: 'lpi-pending-from-hppi' },
  acknowledge: {
    state: 'state-from-acknowledge',
    config: 'lpi-config-from-acknowledge',
    lpi: 'lpi-pending-from-hppi',
  },
} as const;

type Step = 'stepped' | 'failed' | 'done';

export class Explainer {
  private readonly m: Machine;
  private readonly state: GicState;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private rules: (typeof RULES_BY)[Evidence] = RULES_BY.hppi;
  readonly lpiConfiguration: LpiConfiguration;
  readonly activePriorities: ActivePriorities;

  constructor(m: Machine, unknowns: Unknowns, knowing: Knowing) {
    this.m = m;
    this.state = m.state;
    this.unknowns = unknowns;
    this.knowing = knowing;
    this.lpiConfiguration = new LpiConfiguration(m.state, unknowns, knowing);
    this.activePriorities = new ActivePriorities(m.state, knowing);
  }

  /** Changes unknown state until a PE is signalled `target`. Returns false if known state contradicts it. */
  explain(pe: number, target: Signalled, evidence: Evidence): boolean {
    this.rules = RULES_BY[evidence];
    for (let n = 0; n < STEPS_MAX && !this.knowing.full; n++) {
      const one = this.toward(pe, target);
      if (one !== 'stepped') return one === 'done';
    }
    return false;
  }

  /** Changes unknown state until the PE's best interrupt is not signalled, or is another one. */
  silence(pe: number, evidence: Evidence): boolean {
    this.rules = RULES_BY[evidence];
    const intid = this.state.hppiIntid[pe]!;
    return this.withdraw(pe, intid) || this.lower(pe, intid);
  }

  /**
   * Whether an interrupt cannot be signalled like this, whatever the unknown state is: by its group, its priority or
   * its enable, or because it is not pending.
   */
  isImpossible(pe: number, { intid, group, priority }: Signalled): boolean {
    const { state, unknowns } = this;
    if (intid >= LPI_FIRST) return !state.lpiPending[pe]!.has(intid) && !unknowns.isLpiUnknown(pe, intid);
    if (intid >= 1020 || !hasInterrupt(state, intid)) return false;
    const known = (...attributes: readonly Attribute[]) =>
      attributes.every((attribute) => !unknowns.isUnknown(attribute, pe, intid));
    const own = isPrivate(intid);
    const bits = own ? state.ppi : state.spi;
    const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
    const isEnabled = ((bits.enable[index >> 5]! >>> (index & 31)) & 1) === 1;
    return (
      (group >= 0 && known('group', 'grpmod') && groupOf(state, pe, intid) !== group) ||
      (priority >= 0 &&
        known('priority') &&
        (own ? state.ppiPriority : state.spiPriority)[index] !== priority) ||
      (known('enable') && !isEnabled) ||
      (known('pending', 'level', 'edge') && !this.isPending(pe, intid))
    );
  }

  private toward(pe: number, target: Signalled): Step {
    const { state } = this;
    const best = state.hppiPriority[pe] === IDLE ? SPURIOUS : state.hppiIntid[pe]!;
    if (target.intid === SPURIOUS) {
      if (best === SPURIOUS) return 'done';
      return this.withdraw(pe, best) ? 'stepped' : 'failed';
    }
    if (target.intid >= 1020 && target.intid < LPI_FIRST) return 'failed';
    if (target.intid < LPI_FIRST && !hasInterrupt(state, target.intid)) return 'failed';
    const own = this.compete(pe, target);
    if (own !== 'done') return own;
    if (best !== target.intid) return this.overtake(pe, best, target) ? 'stepped' : 'failed';
    const line = state.fiq[pe]! | state.irq[pe]!;
    if (target.line < 0 || target.line === line) return 'done';
    return (target.line === 1 ? this.raise(pe, target) : this.lower(pe, target.intid)) ? 'stepped' : 'failed';
  }

  // ---- the interrupt in the source --------------------------------------------------------------------------

  /** A step towards the interrupt competing with this group and priority, as far as they are known. */
  private compete(pe: number, target: Signalled): Step {
    return target.intid >= LPI_FIRST ? this.competeLpi(pe, target) : this.competeIrq(pe, target);
  }

  private competeIrq(pe: number, { intid, group, priority }: Signalled): Step {
    const { state, unknowns } = this;
    if (group >= 0 && groupOf(state, pe, intid) !== group) return this.regroup(pe, intid, group);
    const own = isPrivate(intid);
    const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
    const stored = (own ? state.ppiPriority : state.spiPriority)[index]!;
    if (priority >= 0 && stored !== priority) return this.set('priority', pe, intid, priority);
    if (priority < 0 && stored === 0 && unknowns.isUnknown('priority', pe, intid))
      return this.set('priority', pe, intid, PRIORITY_LIKELY);
    if (!own && routedPe(state, index) !== pe) {
      const affinity = state.config.pes[pe]!.affinity;
      return this.set('route', pe, intid, affinity & 0xff_ffff, affinity >>> 24);
    }
    switch (heldBy(this.m, pe, intid).gate) {
      case 'unknown':
        // The interrupt is not pending, or competes already.
        return this.isPending(pe, intid) ? 'done' : this.pend(pe, intid);
      case 'active':
        return this.set('active', pe, intid, 0);
      case 'disabled':
        return this.set('enable', pe, intid, 1);
      case 'group disabled in GICD_CTLR':
        return this.forward(groupOf(state, pe, intid));
      case 'no PE':
        return 'failed';
      default:
        return 'done';
    }
  }

  private isPending(pe: number, intid: number): boolean {
    const own = isPrivate(intid);
    const bits = own ? this.state.ppi : this.state.spi;
    const index = own ? privateIndex(this.state, pe, intid) : sharedIndex(this.state, intid);
    const word = index >> 5;
    const pending = bits.pending[word]! | (~bits.edge[word]! & bits.level[word]!);
    return ((pending >>> (index & 31)) & 1) === 1;
  }

  /**
   * Makes the interrupt pending: by its level if it may be level-sensitive. Fails if it was not competing earlier and
   * nothing has happened to it since.
   */
  private pend(pe: number, intid: number): Step {
    if (this.unknowns.isQuiet(pe, intid)) return 'failed';
    const own = isPrivate(intid);
    const index = own ? privateIndex(this.state, pe, intid) : sharedIndex(this.state, intid);
    const edge = ((own ? this.state.ppi : this.state.spi).edge[index >> 5]! >>> (index & 31)) & 1;
    if (intid >= 16 && edge === 0 && this.set('level', pe, intid, 1) === 'stepped') return 'stepped';
    return this.set('pending', pe, intid, 1);
  }

  private regroup(pe: number, intid: number, group: number): Step {
    if (this.state.singleSecurity && group === GROUP_1S) return 'failed';
    const now = groupOf(this.state, pe, intid);
    if (group === GROUP_1NS) return this.set('group', pe, intid, 1);
    if (now === GROUP_1NS) return this.set('group', pe, intid, 0);
    return this.set('grpmod', pe, intid, group === GROUP_1S ? 1 : 0);
  }

  private competeLpi(pe: number, { intid, group, priority }: Signalled): Step {
    const { state, unknowns, knowing, rules } = this;
    if (group >= 0 && group !== GROUP_1NS) return 'failed';
    if ((state.gicrCtlr[pe]! & ENABLE_LPIS) === 0) {
      if (!unknowns.isPartUnknown('gicrCtlr', pe)) return 'failed';
      placeTables(state, unknowns, knowing, pe);
      knowing.register('GICR', pe, GICR.GICR_CTLR.offset, state.gicrCtlr[pe]! | ENABLE_LPIS, rules.state);
      return 'stepped';
    }
    if (!state.lpiPending[pe]!.has(intid)) {
      if (!unknowns.isLpiUnknown(pe, intid) || unknowns.areLpisQuiet(pe)) return 'failed';
      // A command that is not in the source may have moved it here.
      for (let other = 0; unknowns.isDoubtful && other < state.peCount; other++)
        if (state.lpiPending[other]!.has(intid) && unknowns.isLpiUnknown(other, intid))
          knowing.interrupt('LPI pending', other, intid, 0, rules.lpi);
      knowing.interrupt('LPI pending', pe, intid, 1, rules.lpi);
      return 'stepped';
    }
    const byte = state.lpiConfig[pe]!.get(intid) ?? 0;
    const enabled = byte < 256 && (byte & 1) === 1;
    const stored = state.singleSecurity ? byte & 0xfc : ((byte & 0xfc) >> 1) | 0x80;
    if (!enabled || (priority >= 0 && stored !== priority)) {
      if (!this.lpiConfiguration.isUnknown(pe, intid)) return 'failed';
      this.lpiConfiguration.configure(
        pe,
        intid,
        priority >= 0 ? priority : PRIORITY_LIKELY,
        this.rules.config,
      );
      if (priority < 0) unknowns.ordered.add(intid);
      else unknowns.ordered.delete(intid);
      return 'stepped';
    }
    return state.gicdCtlr[0]! & FORWARD[GROUP_1NS]! ? 'done' : this.forward(GROUP_1NS);
  }

  // ---- the other interrupts ---------------------------------------------------------------------------------

  /** Makes the best interrupt of a PE rank below the one in the source, or not compete. */
  private overtake(pe: number, best: number, target: Signalled): boolean {
    const { priority, intid } = target;
    const least = 1 << (8 - this.state.config.priorityBits);
    // Only the order is known: the interrupt that was acknowledged ranks first.
    if (priority < 0) {
      const ahead = this.state.hppiPriority[pe]! - least;
      if (ahead >= 0 && this.reprioritise(pe, intid, ahead)) return true;
      const own = this.priorityOf(pe, intid);
      if (own + least < IDLE && this.reprioritise(pe, best, own + least)) return true;
    } else if (this.withdraw(pe, best)) return true;
    else return priority + least < IDLE && this.reprioritise(pe, best, priority + least);
    return this.withdraw(pe, best);
  }

  /** Priority of an interrupt on a PE in the model; -1 if it is unknown. */
  priorityOf(pe: number, intid: number): number {
    return heldBy(this.m, pe, intid).priority;
  }

  private reprioritise(pe: number, intid: number, priority: number): boolean {
    if (intid < LPI_FIRST) return this.set('priority', pe, intid, priority) === 'stepped';
    if (!this.unknowns.ordered.has(intid)) return false;
    this.lpiConfiguration.configure(pe, intid, priority, this.rules.config);
    return true;
  }

  /** Stops an interrupt from competing at a PE: it is not pending, not enabled, active, or routed to another PE. */
  private withdraw(pe: number, intid: number): boolean {
    const { state, unknowns, knowing, rules } = this;
    if (intid >= LPI_FIRST) {
      if (unknowns.isLpiUnknown(pe, intid)) {
        knowing.interrupt('LPI pending', pe, intid, 0, rules.lpi);
        // It was not pending where the stimulus has moved it from, either.
        for (const moved of unknowns.moves)
          if (moved.intid === intid && moved.to === pe)
            knowing.interrupt('LPI pending', moved.from, intid, 0, rules.lpi);
        return true;
      }
      if (!this.lpiConfiguration.isUnknown(pe, intid)) return false;
      this.lpiConfiguration.know(pe, intid, 0, 'lpi-disabled-from-silence');
      return true;
    }
    const own = isPrivate(intid);
    const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
    const bits = own ? state.ppi : state.spi;
    const has = (name: 'pending' | 'level') => ((bits[name][index >> 5]! >>> (index & 31)) & 1) === 1;
    const latched = has('pending');
    const byLevel = has('level') && ((bits.edge[index >> 5]! >>> (index & 31)) & 1) === 0;
    const can = (attribute: Attribute) => unknowns.isUnknown(attribute, pe, intid);
    if ((!latched || can('pending')) && (!byLevel || can('level'))) {
      if (latched) this.set('pending', pe, intid, 0);
      if (byLevel) this.set('level', pe, intid, 0);
      return true;
    }
    if (this.set('enable', pe, intid, 0) === 'stepped') return true;
    if (!latched && intid >= 16 && this.set('edge', pe, intid, 1) === 'stepped') return true;
    if (this.set('active', pe, intid, 1) === 'stepped') return true;
    return !own && this.set('route', pe, intid, NOWHERE, 0xff) === 'stepped';
  }

  // ---- the interrupt lines ----------------------------------------------------------------------------------

  /** A step towards the PE's best interrupt being signalled. */
  private raise(pe: number, target: Signalled): boolean {
    const { unknowns, knowing, rules, state } = this;
    const { intid } = target;
    switch (heldBy(this.m, pe, intid).gate) {
      case 'group disabled at the PE':
        return this.enableGroup(pe, state.hppiGroup[pe]!, 1);
      case 'PE asleep':
        if (!unknowns.isPartUnknown('waker', pe)) return false;
        knowing.register('GICR', pe, GICR.GICR_WAKER.offset, 0, rules.state);
        return true;
      case 'priority mask':
        if (unknowns.isPartUnknown('pmr', pe)) {
          const all = (0xff << (8 - state.config.priorityBits)) & 0xff;
          knowing.register('ICC', pe, SYSREGS.ICC_PMR_EL1.encoding, all, rules.state);
          return true;
        }
        return target.priority < 0 && this.reprioritise(pe, intid, Math.max(0, state.pmr[pe]! - 8));
      case 'running priority': {
        if (unknowns.isPartUnknown('active', pe)) {
          this.activePriorities.drop(pe, rules.state);
          return true;
        }
        const ahead = runningPriority(state, pe) - (1 << (8 - Math.min(state.config.priorityBits, 7)));
        return target.priority < 0 && ahead >= 0 && this.reprioritise(pe, intid, ahead);
      }
      default:
        return false;
    }
  }

  /** A step towards the PE's best interrupt not being signalled: something as urgent is active, or it is masked. */
  private lower(pe: number, intid: number): boolean {
    const { state, unknowns, knowing, rules } = this;
    if ((state.fiq[pe]! | state.irq[pe]!) === 0) return false;
    const priority = state.hppiPriority[pe]!;
    const group = state.hppiGroup[pe]!;
    if (unknowns.isPartUnknown('active', pe) && priority >= unknowns.activeFrom[pe]!) {
      this.activePriorities.activate(pe, group, priority, rules.state);
      return true;
    }
    if (unknowns.isPartUnknown('pmr', pe) && priority > unknowns.passes[pe]!) {
      knowing.register('ICC', pe, SYSREGS.ICC_PMR_EL1.encoding, priority, rules.state);
      return true;
    }
    if (this.enableGroup(pe, group, 0)) return true;
    return intid >= LPI_FIRST ? false : this.set('active', pe, intid, 1) === 'stepped';
  }

  private enableGroup(pe: number, group: number, value: number): boolean {
    if (!this.unknowns.isPartUnknown(group === 0 ? 'igrpen0' : 'igrpen1', pe)) return false;
    this.knowing.register(
      group === GROUP_1S ? 'ICC_S' : 'ICC',
      pe,
      (group === 0 ? SYSREGS.ICC_IGRPEN0_EL1 : SYSREGS.ICC_IGRPEN1_EL1).encoding,
      value,
      this.rules.state,
    );
    return true;
  }

  // ---- steps -------------------------------------------------------------------------------------------------

  private forward(group: number): Step {
    if ((this.unknowns.unknownForwarding & FORWARD[group]!) === 0) return 'failed';
    const ctlr = this.state.gicdCtlr[0]! | FORWARD[group]!;
    this.knowing.register('GICD', 0, GICD.GICD_CTLR.offset, ctlr, this.rules.state);
    return 'stepped';
  }

  private set(attribute: Attribute, pe: number, intid: number, low: number, high = 0): Step {
    if (!this.unknowns.isUnknown(attribute, pe, intid)) return 'failed';
    this.knowing.interrupt(attribute, pe, intid, low, this.rules.state, high);
    return 'stepped';
  }
}
