// Ties. Of several pending interrupts of the same priority, a GIC may present any (IHI 0069, "Interrupt prioritization"). The
// model presents the lowest INTID; here is what it would present if another were chosen. Changes state only in `prefer`.
import { GICR, isPrivate, LPI_CONFIG, LPI_FIRST, mask, SPURIOUS } from '../spec/index.ts';
import {
  canPreempt,
  chooseOneOfN,
  GROUP1NS,
  groupOf,
  isFiq,
  isForwarded,
  isNmi,
  isOneOfN,
  lookUpConfig,
  lpiPriority,
  nmiPriority,
  routedPe,
} from './arbitration.ts';
import { hasInterrupt, privateIndex, privateIntid, sharedIndex, sharedIntid } from './intid.ts';
import type { Machine } from './machine.ts';
import { CONFIG_UNKNOWN, IDLE } from './state.ts';

const ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');

/** What a PE is signalled: the fields of `hppi`, in their order. */
export type Signalled = readonly [intid: number, group: number, priority: number, fiq: number, irq: number];

/** What a PE is signalled now. */
export function signalledTo({ state }: Machine, pe: number): Signalled {
  return [
    state.hppiIntid[pe]!,
    state.hppiGroup[pe]!,
    state.hppiPriority[pe]!,
    state.fiq[pe]!,
    state.irq[pe]!,
  ];
}

/**
 * What a PE would be signalled if a GIC had chosen this interrupt among those that are as good; undefined if the interrupt
 * is not pending for the PE, or has another priority than the one that the model has chosen.
 */
export function tieOf(m: Machine, pe: number, intid: number): Signalled | undefined {
  const { state } = m;
  const chosen = state.hppiIntid[pe]!;
  if (chosen === SPURIOUS) return undefined;
  if (intid === chosen) return signalledTo(m, pe);
  const nmi = isNmi(state, pe, intid);
  if (priorityIfPending(m, pe, intid) !== state.hppiPriority[pe] || nmi !== isNmi(state, pe, chosen))
    return undefined;
  const group = intid >= LPI_FIRST ? GROUP1NS : groupOf(state, pe, intid);
  const priority = state.hppiPriority[pe]!;
  const signalled = canPreempt(m, pe, group, priority, nmi);
  const asFiq = isFiq(state, pe, group);
  const irq = signalled && !asFiq && !(nmi && m.profile.nmiIsNoIrq);
  return [intid, group, priority, signalled && asFiq ? 1 : 0, irq ? 1 : 0];
}

/** Makes the model choose an interrupt that is as good as the one that it has chosen. Returns whether it is. */
export function prefer(m: Machine, pe: number, intid: number): boolean {
  const signalled = tieOf(m, pe, intid);
  if (signalled === undefined) return false;
  if (intid !== m.state.hppiIntid[pe]) m.emitHppi(pe, ...signalled);
  return true;
}

/** The INTIDs that a PE could be signalled in place of the one that the model has chosen, with their groups. */
export function* tiesOf(m: Machine, pe: number): Generator<readonly [intid: number, group: number]> {
  const { state } = m;
  const given = function* (): Generator<number> {
    for (let index = 0; index < 32 * state.ppiWords; index++) yield privateIntid(index);
    for (let index = 32; index < state.espiBase + state.espiCount; index++) yield sharedIntid(state, index);
    yield* [...state.lpiPending[pe]!].sort((a, b) => a - b);
  };
  for (const intid of given()) {
    const tie = intid === state.hppiIntid[pe] ? undefined : tieOf(m, pe, intid);
    if (tie !== undefined) yield [intid, tie[1]];
  }
}

/** The priority of an interrupt that is pending, enabled and forwarded for a PE; IDLE if it is not. */
function priorityIfPending(m: Machine, pe: number, intid: number): number {
  const { state } = m;
  if (intid >= LPI_FIRST) {
    if ((state.gicrCtlr[pe]! & ENABLE_LPIS) === 0 || !state.lpiPending[pe]!.has(intid)) return IDLE;
    const config =
      m.profile.lpiConfig === 'live' ? lookUpConfig(m, pe, intid) : state.lpiConfig[pe]!.get(intid);
    if (config === undefined || config >= CONFIG_UNKNOWN || (config & LPI_ENABLE) === 0) return IDLE;
    return isForwarded(state, pe, intid) ? lpiPriority(state, config) : IDLE;
  }
  if (!hasInterrupt(state, intid)) return IDLE;
  const own = isPrivate(intid);
  const bits = own ? state.ppi : state.spi;
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  const word = index >> 5;
  const pending =
    (bits.pending[word]! | (~bits.edge[word]! & bits.level[word]!)) &
    bits.enable[word]! &
    ~bits.active[word]! &
    ~bits.overlooked[word]!;
  if (((pending >>> (index & 31)) & 1) === 0 || !isForwarded(state, pe, intid)) return IDLE;
  const group = groupOf(state, pe, intid);
  const nmi = isNmi(state, pe, intid);
  const given = own ? state.ppiPriority[index]! : state.spiPriority[index]!;
  const priority = nmi ? nmiPriority(state, group) : given;
  if (own) return priority;
  const to = isOneOfN(state, index) ? chooseOneOfN(m, group, priority, nmi) : routedPe(state, index);
  return to === pe ? priority : IDLE;
}
