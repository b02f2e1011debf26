// The active priorities of a PE: a set for each group; the sets of Group 1 also say whether an NMI is active (IHI 0069,
// "ICC_AP0R<n>_EL1", "ICC_AP1R<n>_EL1"). The Secure set of Group 1 exists only with two Security states.
import { UNITS } from '../record/index.ts';
import { maskHigh, SYSREGS } from '../spec/index.ts';
import { GROUP0, GROUP1NS, GROUP1S, groupPriorityMask, nmiBit } from './arbitration.ts';
import type { Machine } from './machine.ts';
import { type GicState, NMI_NON_SECURE, NMI_SECURE } from './state.ts';

const UNIT_ICC = UNITS.indexOf('ICC');
const UNIT_ICC_S = UNITS.indexOf('ICC_S');
const NMI_HIGH = maskHigh(SYSREGS.ICC_AP1R0_EL1, 'NMI');

export const AP0R = [
  SYSREGS.ICC_AP0R0_EL1,
  SYSREGS.ICC_AP0R1_EL1,
  SYSREGS.ICC_AP0R2_EL1,
  SYSREGS.ICC_AP0R3_EL1,
];
export const AP1R = [
  SYSREGS.ICC_AP1R0_EL1,
  SYSREGS.ICC_AP1R1_EL1,
  SYSREGS.ICC_AP1R2_EL1,
  SYSREGS.ICC_AP1R3_EL1,
];

/** The number of implemented registers of a set: 1, 2 or 4, depending on the number of preemption levels. */
export function activePriorityRegisters(m: Machine): number {
  return 1 << Math.max(Math.min(m.state.config.priorityBits, 7) - 5, 0);
}

function setOf(state: GicState, group: number): Uint32Array {
  return group === GROUP0 ? state.ap0r : group === GROUP1NS ? state.ap1r : state.ap1rS;
}

/** The high word of register `n` of a group's set. */
export function activeHigh(state: GicState, pe: number, group: number, n: number): number {
  return n === 0 && (state.nmiActive[pe]! & nmiBit(state, group)) !== 0 ? NMI_HIGH : 0;
}

export function activeLow(state: GicState, pe: number, group: number, n: number): number {
  return setOf(state, group)[4 * pe + n]!;
}

/** Sets register `n` of a group's set. */
export function storeActive(
  m: Machine,
  pe: number,
  group: number,
  n: number,
  low: number,
  high: number,
): void {
  const { state } = m;
  const register = (group === GROUP0 ? AP0R : AP1R)[n]!;
  m.changeRegister(
    group === GROUP1S ? UNIT_ICC_S : UNIT_ICC,
    pe,
    register.encoding,
    low >>> 0,
    n === 0 && state.hasNmi && nmiBit(state, group) !== 0 ? (high & NMI_HIGH) >>> 0 : 0,
    activeLow(state, pe, group, n),
    activeHigh(state, pe, group, n),
  );
}

/** Makes a priority active. For an NMI, only the NMI bit is set and no priority bit. */
export function activatePriority(
  m: Machine,
  pe: number,
  group: number,
  priority: number,
  nmi: boolean,
): void {
  const { state } = m;
  if (nmi) {
    storeActive(m, pe, group, 0, activeLow(state, pe, group, 0), NMI_HIGH);
    return;
  }
  const bit = (priority & groupPriorityMask(state, pe, group)) >> state.preemptionShift;
  const n = bit >> 5;
  storeActive(
    m,
    pe,
    group,
    n,
    activeLow(state, pe, group, n) | (1 << (bit & 31)),
    activeHigh(state, pe, group, n),
  );
}

/** Drops the highest active priority of a group. */
export function dropPriority(m: Machine, pe: number, group: number): void {
  const { state } = m;
  for (let n = 0; n < 4; n++) {
    const low = activeLow(state, pe, group, n);
    if (activeHigh(state, pe, group, n) !== 0) {
      storeActive(m, pe, group, n, low, 0);
      return;
    }
    if (low === 0) continue;
    storeActive(m, pe, group, n, low & (low - 1), 0);
    return;
  }
}

/** The group of the highest active priority, or -1 when idle. If priorities are equal, Group 0 comes first, then Secure. */
export function activeGroup(state: GicState, pe: number): number {
  if (state.nmiActive[pe]! & NMI_SECURE) return GROUP1S;
  if (state.nmiActive[pe]! & NMI_NON_SECURE) return GROUP1NS;
  for (let n = 0; n < 4; n++) {
    const zero = state.ap0r[4 * pe + n]!;
    const one = state.ap1r[4 * pe + n]!;
    const oneS = state.ap1rS[4 * pe + n]!;
    if ((zero | one | oneS) === 0) continue;
    const lowest = lowestBit(zero | one | oneS);
    return zero & lowest ? GROUP0 : oneS & lowest ? GROUP1S : GROUP1NS;
  }
  return -1;
}

function lowestBit(word: number): number {
  return word & -word;
}
