// The masking reason of a pending interrupt of a GICv5: what keeps it from being signalled. This file only reads state;
// arbitration uses the same functions. Code and SQL call a masking reason a gate.
import { GATES } from '../model/gate.ts';
import { GICV5_TYPES, gicv5Id, gicv5Type } from '../spec/gicv5/index.ts';
import { runningPriority, signalled } from './arbitration.ts';
import { ISTE } from './ist.ts';
import type { Gicv5Machine } from './machine.ts';
import { IDLE, PPI_WORDS, PPIS } from './state.ts';

/** The masking reasons of a GICv5. What a GICv3 has too has the same name, with the registers of GICv5 in the place of its own. */
export const GICV5_GATES = {
  active: GATES.active,
  disabled: GATES.disabled,
  'IRS disabled': 'IRS_CR0.IRSEN is 0',
  'no PE': 'no PE has the IAFFID to which it is routed',
  'interface disabled': 'ICC_CR0_EL1.EN of the PE is 0',
  'priority mask': 'ICC_PCR_EL1 of the PE is above its priority',
  'running priority': GATES['running priority'],
  behind: GATES.behind,
  signalled: GATES.signalled,
  unknown: 'it is not pending on the simulator, or the source does not say of which PE it is',
} as const;
export type Gicv5Gate = keyof typeof GICV5_GATES;

/** The masking reason of a pending interrupt of a GICv5. */
export interface Gicv5Held {
  readonly gate: Gicv5Gate;
  /** The PE for which it is pending; -1 if there is none, or if it cannot be determined. */
  readonly pe: number;
  /** 0 (highest) to 31; -1 if it is unknown. */
  readonly priority: number;
}

const { PPI, SPI, LPI } = GICV5_TYPES;
const EN = 1;
const IRSEN = 1;
const IAFFID = 0xffff;
const bit = (words: Uint32Array, index: number) => (words[index >> 5]! >>> (index & 31)) & 1;

interface Found {
  readonly pending: boolean;
  readonly active: boolean;
  readonly enabled: boolean;
  readonly priority: number;
  /** The IAFFID of an SPI or LPI; -1 for a PPI. */
  readonly iaffid: number;
}

function find({ state }: Gicv5Machine, pe: number, intid: number): Found | undefined {
  const id = gicv5Id(intid);
  if (gicv5Type(intid) === PPI) {
    if (pe < 0 || pe >= state.peCount || id >= PPIS) return undefined;
    const at = 32 * PPI_WORDS * pe + id;
    const { pending, active, enable } = state.ppi;
    return {
      pending: bit(pending, at) !== 0,
      active: bit(active, at) !== 0,
      enabled: bit(enable, at) !== 0,
      priority: state.ppiPriority[PPIS * pe + id]! & 0x1f,
      iaffid: -1,
    };
  }
  if (gicv5Type(intid) === LPI) {
    const iste = state.lpis.get(id);
    if (iste === undefined) return undefined;
    return {
      pending: (iste & ISTE.pending) !== 0,
      active: (iste & ISTE.active) !== 0,
      enabled: (iste & ISTE.enable) !== 0,
      priority: (iste & ISTE.priorityMask) >>> ISTE.priorityLsb,
      iaffid: iste >>> ISTE.iaffidLsb,
    };
  }
  const spi = gicv5Type(intid) === SPI ? state.spiIndex(id) : -1;
  if (spi < 0) return undefined;
  return {
    pending: bit(state.spi.pending, spi) !== 0,
    active: bit(state.spi.active, spi) !== 0,
    enabled: bit(state.spi.enable, spi) !== 0,
    priority: state.spiPriority[spi]!,
    iaffid: state.spiTarget[spi]! & IAFFID,
  };
}

/** Conditions on the way of an interrupt to a PE, each with a value: 1 or 0, or for `route` the index of the PE. */
export const GICV5_CONDITIONS = [
  'enabled',
  'active',
  'route',
  'IRS enabled',
  'interface enabled',
  'above the priority mask',
] as const;
export type Gicv5Condition = (typeof GICV5_CONDITIONS)[number];

/**
 * Writes to `out` the value of each of `GICV5_CONDITIONS` for an interrupt on its way to PE `at`; for `route`, -1 is no PE.
 * Returns whether the GIC has the interrupt: nothing is written for an LPI whose entry the IRS has not read.
 */
export function gicv5ConditionsOf(m: Gicv5Machine, at: number, intid: number, out: number[]): boolean {
  const { state } = m;
  const one = find(m, at, intid);
  if (one === undefined) return false;
  out[0] = one.enabled ? 1 : 0;
  out[1] = one.active ? 1 : 0;
  out[2] = one.iaffid < 0 ? at : (state.peByIaffid.get(one.iaffid) ?? -1);
  out[3] = one.iaffid < 0 ? 1 : state.irsCr0[0]! & IRSEN;
  out[4] = state.cr0[at]! & EN;
  out[5] = one.priority <= state.pcr[at]! ? 1 : 0;
  return true;
}

/** The current priority of an interrupt, 0 (highest) to 31; -1 if it is unknown. */
export function gicv5PriorityOf(m: Gicv5Machine, pe: number, intid: number): number {
  return find(m, pe, intid)?.priority ?? -1;
}

/** The masking reason of `intid`, which is assumed to be pending: on PE `at` if it is a PPI. */
export function gicv5HeldBy(m: Gicv5Machine, at: number, intid: number): Gicv5Held {
  const { state } = m;
  const one = find(m, at, intid);
  if (one === undefined || !one.pending) return { gate: 'unknown', pe: at, priority: -1 };
  const pe = one.iaffid < 0 ? at : (state.peByIaffid.get(one.iaffid) ?? -1);
  const is = (gate: Gicv5Gate): Gicv5Held => ({ gate, pe, priority: one.priority });
  if (one.active) return is('active');
  if (!one.enabled) return is('disabled');
  if (one.iaffid >= 0 && (state.irsCr0[0]! & IRSEN) === 0) return is('IRS disabled');
  if (pe < 0) return is('no PE');
  if ((state.cr0[pe]! & EN) === 0) return is('interface disabled');
  const best = signalled(m, pe);
  if (best.priority !== IDLE && best.intid === intid) return is('signalled');
  if (one.priority > state.pcr[pe]!) return is('priority mask');
  if (one.priority >= runningPriority(state, pe)) return is('running priority');
  return is('behind');
}

/** The interrupt that a PE is signalled; 0 if none. */
export function gicv5Signalled(m: Gicv5Machine, pe: number): number {
  const { intid, priority } = signalled(m, pe);
  return priority === IDLE ? 0 : intid;
}
