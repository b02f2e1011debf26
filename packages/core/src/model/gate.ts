// The masking reason of a pending interrupt: what keeps it from being signalled, in the order in which the architecture
// checks it (IHI 0069, "Interrupt prioritization"). This file only reads state; arbitration uses the same functions. Code
// and SQL call a masking reason a gate.
import { GICR, isPrivate, LPI_CONFIG, LPI_FIRST, mask } from '../spec/index.ts';
import {
  canPreempt,
  chooseOneOfN,
  GROUP1NS,
  groupOf,
  groupPriorityMask,
  isForwarded,
  isGroupEnabled,
  isNmi,
  isOneOfN,
  lookUpConfig,
  lpiPriority,
  routedPe,
  runningPriority,
  sleeps,
} from './arbitration.ts';
import { hasInterrupt, privateIndex, sharedIndex } from './intid.ts';
import type { Machine } from './machine.ts';
import { isOverlooked, keptConfig } from './overlooked.ts';
import { CONFIG_UNKNOWN, IDLE } from './state.ts';

const GICR_CTLR_ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');

/** The masking reasons, beginning with those nearest to the interrupt. */
export const GATES = {
  'LPIs disabled': 'GICR_CTLR.EnableLPIs of the PE is 0',
  'configuration unknown': 'the source does not contain the configuration byte of the LPI',
  active: 'it is already active, and must be deactivated before it can be signalled again',
  disabled: 'its own enable bit is 0',
  'group disabled in GICD_CTLR': 'the Distributor does not forward its group',
  overlooked:
    'it was pending before the Distributor was enabled or before it had a PE, and this implementation signals it only once it is made pending or enabled again',
  'no PE': 'GICD_IROUTER names no existing PE, or no PE participates in 1 of N',
  'group disabled at the PE': "ICC_IGRPEN of its group is 0 at the PE's CPU interface",
  'PE asleep': 'GICR_WAKER.ProcessorSleep of the PE is 1',
  'priority mask': 'ICC_PMR of the PE is not above its priority',
  'running priority': 'the PE runs at its priority or a higher one',
  behind: 'another interrupt is the highest-priority pending interrupt of the PE',
  signalled:
    'nothing blocks it: an interrupt line of the PE is asserted for it, and the PE has not acknowledged it yet',
  unknown: 'it is not pending on the simulator: source and simulator disagree',
} as const;
export type Gate = keyof typeof GATES;

/** The masking reason of a pending interrupt. */
export interface Held {
  readonly gate: Gate;
  /** The PE for which it is pending; -1 if there is none, or if it cannot be determined. */
  readonly pe: number;
  /** 0 (highest) to 255; -1 if it is unknown. */
  readonly priority: number;
  /** Whether the PE's running priority has the same group priority, within which nothing preempts. */
  readonly isGroupRunning: boolean;
}

/** The current priority of an interrupt on a PE, 0 (highest) to 255; -1 if its configuration is unknown. */
export function priorityOf(m: Machine, pe: number, intid: number): number {
  const { state } = m;
  if (intid >= LPI_FIRST) {
    if (pe < 0 || pe >= state.peCount) return -1;
    const config = configOf(m, pe, intid);
    return config === undefined || config >= CONFIG_UNKNOWN ? -1 : lpiPriority(state, config);
  }
  if (!hasInterrupt(state, intid) || (isPrivate(intid) && (pe < 0 || pe >= state.peCount))) return -1;
  return isPrivate(intid)
    ? state.ppiPriority[privateIndex(state, pe, intid)]!
    : state.spiPriority[sharedIndex(state, intid)]!;
}

function configOf(m: Machine, pe: number, intid: number): number | undefined {
  return m.profile.lpiConfig === 'live' ? lookUpConfig(m, pe, intid) : keptConfig(m.state, pe, intid);
}

/** The masking reason of `intid`, which is assumed to be pending on PE `at` (any PE or -1 for an SPI). */
export function heldBy(m: Machine, at: number, intid: number): Held {
  const { state } = m;
  const isLpi = intid >= LPI_FIRST;
  const priority = priorityOf(m, at, intid);
  const is = (gate: Gate, pe = at): Held => ({ gate, pe, priority, isGroupRunning: false });
  if (isLpi) {
    if (at < 0) return is('unknown');
    if (!(state.gicrCtlr[at]! & GICR_CTLR_ENABLE_LPIS)) return is('LPIs disabled');
    if (!state.lpiPending[at]!.has(intid)) return is('unknown');
    if (priority < 0) return is('configuration unknown');
    if (!(configOf(m, at, intid)! & LPI_ENABLE)) return is('disabled');
    if (!isForwarded(state, at, intid)) return is('group disabled in GICD_CTLR');
    if (isOverlooked(state, at, intid)) return is('overlooked');
    return atInterface(m, at, intid, GROUP1NS, priority);
  }
  const own = isPrivate(intid);
  if (!hasInterrupt(state, intid) || (own && at < 0)) return is('unknown');
  const bits = own ? state.ppi : state.spi;
  const index = own ? privateIndex(state, at, intid) : sharedIndex(state, intid);
  const has = (bitmap: Uint32Array) => ((bitmap[index >> 5]! >>> (index & 31)) & 1) === 1;
  if (!has(bits.pending) && !(has(bits.level) && !has(bits.edge))) return is('unknown');
  if (has(bits.active)) return is('active');
  if (!has(bits.enable)) return is('disabled');
  if (!isForwarded(state, at, intid)) return is('group disabled in GICD_CTLR');
  if (has(bits.overlooked)) return is('overlooked');
  const group = groupOf(state, at, intid);
  if (own) return atInterface(m, at, intid, group, priority);
  const pe = isOneOfN(state, index)
    ? chooseOneOfN(m, group, priority, isNmi(state, -1, intid))
    : routedPe(state, index);
  return pe < 0 ? is('no PE', -1) : atInterface(m, pe, intid, group, priority);
}

/** The masking reason of an interrupt that has reached the CPU interface of a PE. */
function atInterface(m: Machine, pe: number, intid: number, group: number, priority: number): Held {
  const { state } = m;
  const running = runningPriority(state, pe);
  const mask = groupPriorityMask(state, pe, group);
  const isGroupRunning = running !== IDLE && (running & mask) === (priority & mask);
  const is = (gate: Gate): Held => ({ gate, pe, priority, isGroupRunning });
  if (!isGroupEnabled(state, pe, group)) return is('group disabled at the PE');
  if (sleeps(m, pe)) return is('PE asleep');
  const nmi = isNmi(state, pe, intid);
  if (nmi ? state.pmr[pe]! < priority : priority >= state.pmr[pe]!) return is('priority mask');
  if (!canPreempt(m, pe, group, priority, nmi)) return is('running priority');
  if (state.hppiIntid[pe] !== intid) return is('behind');
  return is(state.irq[pe] || state.fiq[pe] ? 'signalled' : 'unknown');
}
