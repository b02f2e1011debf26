// Arbitration: the highest-priority pending interrupt of a PE, and whether its IRQ or FIQ line is asserted (IHI 0069,
// "Interrupt prioritization"). This file derives and emits `hppi`, and changes nothing else.

import { GROUPS, SECURITY_STATES } from '../record/index.ts';
import {
  GICD,
  GICR,
  isPrivate,
  LPI_CONFIG,
  LPI_FIRST,
  mask,
  maskHigh,
  SPURIOUS,
  SYSREGS,
} from '../spec/index.ts';
import { configTableAddress } from './apply.ts';
import { privateIndex, privateIntid, sharedIndex, sharedIntid } from './intid.ts';
import type { Machine } from './machine.ts';
import {
  CONFIG_UNKNOWN,
  type GicState,
  IDLE,
  type IrqBits,
  NMI_GROUP0,
  NMI_NON_SECURE,
  NMI_SECURE,
} from './state.ts';

export const GROUP0 = GROUPS.indexOf('0');
export const GROUP1S = GROUPS.indexOf('1S');
export const GROUP1NS = GROUPS.indexOf('1NS');

const CTLR_ENABLE_GRP0 = mask(GICD.GICD_CTLR, 'EnableGrp0');
const CTLR_ENABLE_GRP1NS = mask(GICD.GICD_CTLR, 'EnableGrp1NS');
const CTLR_ENABLE_GRP1S = mask(GICD.GICD_CTLR, 'EnableGrp1S');
const CTLR_CBPR = mask(SYSREGS.ICC_CTLR_EL1, 'CBPR');
const GICR_CTLR_ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');
const LPI_PRIORITY = mask(LPI_CONFIG, 'Priority');
const IROUTER_IRM = mask(GICD.GICD_IROUTER, 'Interrupt_Routing_Mode');
const IROUTER_AFFINITY = mask(GICD.GICD_IROUTER, 'Aff0', 'Aff1', 'Aff2');
const IROUTER_AFF3 = maskHigh(GICD.GICD_IROUTER, 'Aff3');
const TYPER_NO1N = mask(GICD.GICD_TYPER, 'No1N');
const WAKER_PROCESSOR_SLEEP = mask(GICR.GICR_WAKER, 'ProcessorSleep');
const CTLR_E1NWF = mask(GICD.GICD_CTLR, 'E1NWF');
/** GICR_CTLR.DPG0, DPG1S and DPG1NS, by group. */
const DPG_BITS = [
  mask(GICR.GICR_CTLR, 'DPG0'),
  mask(GICR.GICR_CTLR, 'DPG1S'),
  mask(GICR.GICR_CTLR, 'DPG1NS'),
];
/** An interrupt's rank is twice its priority, plus one unless it is an NMI. A lower rank wins. */
const IDLE_RANK = 2 * IDLE + 1;
const NMI_RUNNING = NMI_NON_SECURE | NMI_SECURE;

/** The bit of `nmiActive` for a group's set of active priorities. */
export function nmiBit(state: GicState, group: number): number {
  if (group === GROUP0) return state.profile.groupZeroNmis ? NMI_GROUP0 : 0;
  return group === GROUP1S ? NMI_SECURE : NMI_NON_SECURE;
}
const STATE_SECURE = SECURITY_STATES.indexOf('Secure');
const STATE_EL3 = SECURITY_STATES.indexOf('EL3');

/** GICD_CTLR, with the enables of both groups where one bit enables both. */
function enablesOf({ gicdCtlr, profile }: GicState): number {
  const ctlr = gicdCtlr[0]!;
  return profile.ctlrGroup1Only && ctlr & CTLR_ENABLE_GRP1NS ? ctlr | CTLR_ENABLE_GRP0 : ctlr;
}

/** Among 32 interrupts, those whose group the Distributor forwards. */
function forwarded(state: GicState, group: number, grpmod: number): number {
  const ctlr = enablesOf(state);
  const secureGroup1 = state.singleSecurity ? 0 : grpmod;
  let mask = 0;
  if (ctlr & CTLR_ENABLE_GRP1NS) mask |= group;
  if (ctlr & CTLR_ENABLE_GRP1S) mask |= ~group & secureGroup1;
  if (ctlr & CTLR_ENABLE_GRP0) mask |= ~group & ~secureGroup1;
  return mask;
}

/** The group of an SGI, PPI (of `pe`) or SPI. */
export function groupOf(state: GicState, pe: number, intid: number): number {
  const own = isPrivate(intid);
  const bits = own ? state.ppi : state.spi;
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  return groupAt(state, bits.group[index >> 5]!, bits.grpmod[index >> 5]!, 1 << (index & 31));
}

function groupAt(state: GicState, group: number, grpmod: number, bit: number): number {
  if (group & bit) return GROUP1NS;
  return !state.singleSecurity && grpmod & bit ? GROUP1S : GROUP0;
}

/** Whether the Distributor forwards the group of an SGI, PPI (of `pe`), SPI or LPI. */
export function isForwarded(state: GicState, pe: number, intid: number): boolean {
  const group = intid >= LPI_FIRST ? GROUP1NS : groupOf(state, pe, intid);
  const enables = [CTLR_ENABLE_GRP0, CTLR_ENABLE_GRP1S, CTLR_ENABLE_GRP1NS];
  return (enablesOf(state) & enables[group]!) !== 0;
}

/** Whether an SPI (by its index) is a 1 of N SPI, which goes to any participating PE. */
export function isOneOfN(state: GicState, index: number): boolean {
  return (state.config.gicd.typer & TYPER_NO1N) === 0 && (state.routeLow[index]! & IROUTER_IRM) !== 0;
}

/**
 * Whether an interrupt is an NMI: an SGI, PPI or SPI of Group 1 with the non-maskable property. LPIs do not have this
 * property, and for Group 0 interrupts it is ignored (IHI 0069, "Non-maskable interrupts").
 */
export function isNmi(state: GicState, pe: number, intid: number): boolean {
  if (!state.hasNmi || intid >= LPI_FIRST || intid === SPURIOUS) return false;
  const own = isPrivate(intid);
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  const nmi = (own ? state.ppi : state.spi).nmi[index >> 5]!;
  if (((nmi >>> (index & 31)) & 1) === 0) return false;
  return state.profile.groupZeroNmis || groupOf(state, pe, intid) !== GROUP0;
}

/** The priority of an NMI, which is the highest of its Security state. */
export function nmiPriority(state: GicState, group: number): number {
  return group === GROUP1NS && !state.singleSecurity ? 0x80 : 0;
}

/** The PE whose affinity the route of an SPI (by its index) names, or -1 if there is no such PE. */
export function routedPe(state: GicState, index: number): number {
  const affinity =
    ((state.routeHigh[index]! & IROUTER_AFF3) << 24) | (state.routeLow[index]! & IROUTER_AFFINITY);
  return state.peByAffinity.get(affinity >>> 0) ?? -1;
}

/** Whether a group is enabled at a PE's CPU interface. */
export function isGroupEnabled(state: GicState, pe: number, group: number): boolean {
  const enables = group === GROUP0 ? state.igrpen0 : group === GROUP1NS ? state.igrpen1 : state.igrpen1S;
  return enables[pe] !== 0;
}

export function sleeps(m: Machine, pe: number): boolean {
  return m.profile.wakerGates && (m.state.gicrWaker[pe]! & WAKER_PROCESSOR_SLEEP) !== 0;
}

/**
 * The PE to which a 1 of N SPI goes: among the participating PEs, the first that it would interrupt now, or else the first.
 * Returns -1 if no PE participates. IHI 0069 leaves this choice open ("Participating nodes").
 */
export function chooseOneOfN(m: Machine, group: number, priority: number, nmi: boolean): number {
  const { state } = m;
  const wakes = (state.gicdCtlr[0]! & CTLR_E1NWF) !== 0;
  let first = -1;
  for (let pe = 0; pe < state.peCount; pe++) {
    if (!isGroupEnabled(state, pe, group) || (state.gicrCtlr[pe]! & DPG_BITS[group]!) !== 0) continue;
    if (sleeps(m, pe) && !wakes) continue;
    if (canPreempt(m, pe, group, priority, nmi)) return pe;
    if (first < 0) first = pe;
  }
  return first;
}

/** Finds the highest-priority pending SPI of every PE. */
function rankSpis(m: Machine): void {
  const { state, spiBest, spiBestRank } = m;
  const { spi, hasNmi } = state;
  m.oneOfNPending = false;
  const oneOfN = (state.config.gicd.typer & TYPER_NO1N) === 0;
  spiBestRank.fill(IDLE_RANK);
  for (let word = 1; word < spi.enable.length; word++) {
    let pend =
      (spi.pending[word]! | (~spi.edge[word]! & spi.level[word]!)) & spi.enable[word]! & ~spi.active[word]!;
    if (pend === 0) continue;
    pend &= forwarded(state, spi.group[word]!, spi.grpmod[word]!) & ~spi.overlooked[word]!;
    while (pend !== 0) {
      const bit = 31 - Math.clz32(pend & -pend);
      pend &= pend - 1;
      const index = 32 * word + bit;
      let rank = 2 * state.spiPriority[index]! + 1;
      if (hasNmi) rank = rankWithNmi(state, spi, index, rank);
      let pe: number;
      if (oneOfN && state.routeLow[index]! & IROUTER_IRM) {
        m.oneOfNPending = true;
        m.budget.spend(state.peCount);
        const group = groupAt(state, spi.group[word]!, spi.grpmod[word]!, 1 << bit);
        pe = chooseOneOfN(m, group, rank >> 1, (rank & 1) === 0);
      } else pe = routedPe(state, index);
      // INTIDs ascend, so the lowest INTID wins among equal priorities. IHI 0069 leaves this choice open.
      if (pe >= 0 && rank < spiBestRank[pe]!) {
        spiBest[pe] = sharedIntid(state, index);
        spiBestRank[pe] = rank;
      }
    }
  }
}

/** The rank of an interrupt (by its index) if the GIC has NMIs. */
function rankWithNmi(state: GicState, bits: IrqBits, index: number, rank: number): number {
  const word = index >> 5;
  const bit = 1 << (index & 31);
  if ((bits.nmi[word]! & bit) === 0) return rank;
  const group = groupAt(state, bits.group[word]!, bits.grpmod[word]!, bit);
  return group === GROUP0 && !state.profile.groupZeroNmis ? rank : 2 * nmiPriority(state, group);
}

/** Reads an LPI's configuration byte from guest memory. Returns the byte, or CONFIG_UNKNOWN. */
export function lookUpConfig(m: Machine, pe: number, intid: number): number {
  const address = configTableAddress(m.state, pe) + intid - LPI_FIRST;
  m.witness?.('lpi-config', pe, intid, address, 1);
  return m.state.memory.isKnown(address) ? m.state.memory.readByte(address) : CONFIG_UNKNOWN;
}

/** The priority of an LPI by its configuration byte. LPIs are Non-secure Group 1, so it is shifted with two Security states. */
export function lpiPriority(state: GicState, config: number): number {
  return state.singleSecurity ? config & LPI_PRIORITY : ((config & LPI_PRIORITY) >> 1) | 0x80;
}

/** Finds the highest-priority pending LPI of a PE. */
function rankLpis(m: Machine, pe: number): void {
  const { state } = m;
  let best = 0;
  let bestPriority = IDLE;
  const configs = state.lpiConfig[pe]!;
  const live = m.profile.lpiConfig === 'live';
  m.budget.spend((live ? 8 : 1) * state.lpiPending[pe]!.size);
  for (const intid of state.lpiPending[pe]!) {
    const config = live ? lookUpConfig(m, pe, intid) : configs.get(intid);
    if (config === undefined || config >= CONFIG_UNKNOWN || (config & LPI_ENABLE) === 0) continue;
    const priority = lpiPriority(state, config);
    if (priority < bestPriority || (priority === bestPriority && intid < best)) {
      best = intid;
      bestPriority = priority;
    }
  }
  m.lpiBest[pe] = best;
  m.lpiBestPriority[pe] = bestPriority;
  m.lpiDirty[pe] = 0;
}

/** The highest-priority LPI of a PE that is pending and enabled, or 0. */
export function bestLpi(m: Machine, pe: number): number {
  if (m.lpiDirty[pe]) rankLpis(m, pe);
  return m.lpiBestPriority[pe] === IDLE ? 0 : m.lpiBest[pe]!;
}

/** The running priority: the highest active priority, or 0xff when idle (IHI 0069, "ICC_RPR_EL1"). */
export function runningPriority(state: GicState, pe: number): number {
  const nmis = state.nmiActive[pe]! & NMI_RUNNING;
  if (nmis !== 0) return nmis === NMI_NON_SECURE ? nmiPriority(state, GROUP1NS) : 0;
  for (let i = 0; i < 4; i++) {
    const active = state.ap0r[4 * pe + i]! | state.ap1r[4 * pe + i]! | state.ap1rS[4 * pe + i]!;
    if (active !== 0) {
      const lowest = 31 - Math.clz32(active & -active);
      return ((32 * i + lowest) << state.preemptionShift) & 0xff;
    }
  }
  return IDLE;
}

/** The mask of the group priority within a priority, by the binary point of the interrupt's group. */
export function groupPriorityMask(state: GicState, pe: number, group: number): number {
  const ctlr = group === GROUP1S ? state.ctlrS[pe]! : state.ctlr[pe]!;
  const common = group !== GROUP0 && (ctlr & CTLR_CBPR) !== 0;
  let point = state.bpr0[pe]!;
  if (group === GROUP1NS && !common) point = state.bpr1[pe]! - 1;
  if (group === GROUP1S && !common) point = state.bpr1S[pe]!;
  return (0xff << (point + 1)) & 0xff;
}

/** Whether an interrupt would be signalled to a PE now, if it were the highest-priority pending interrupt there. */
export function canPreempt(m: Machine, pe: number, group: number, priority: number, nmi = false): boolean {
  const { state } = m;
  if (priority === IDLE || !isGroupEnabled(state, pe, group)) return false;
  // An NMI is masked only if Secure software masks all Non-secure priorities.
  if (nmi ? state.pmr[pe]! < priority : priority >= state.pmr[pe]!) return false;
  if (sleeps(m, pe)) return false;
  const running = runningPriority(state, pe);
  if (running === IDLE) return true;
  const mask = groupPriorityMask(state, pe, group);
  if ((priority & mask) !== (running & mask)) return (priority & mask) < (running & mask);
  return nmi && (state.nmiActive[pe]! & nmiBit(state, group)) === 0;
}

/** Whether a Redistributor requests that its sleeping PE is woken for a pending interrupt (IHI 0069, "GICR_WAKER"). */
export function wakeRequested(state: GicState, pe: number): boolean {
  return (state.gicrWaker[pe]! & WAKER_PROCESSOR_SLEEP) !== 0 && state.hppiPriority[pe] !== IDLE;
}

/**
 * Whether a group is signalled as FIQ. With one Security state, Group 0 is FIQ and Group 1 is IRQ. With two, Group 1 of
 * the Security state in which the PE executes is IRQ and all others are FIQ; at EL3, all groups are FIQ (IHI 0069,
 * "Interrupt grouping and security").
 */
export function isFiq(state: GicState, pe: number, group: number): boolean {
  if (state.singleSecurityOfPes) return group === GROUP0;
  if (state.security[pe] === STATE_EL3) return true;
  return group !== (state.security[pe] === STATE_SECURE ? GROUP1S : GROUP1NS);
}

function arbitrate(m: Machine, pe: number): void {
  const { state } = m;
  const { ppi, ppiWords, hasNmi } = state;
  let intid = SPURIOUS;
  let rank = IDLE_RANK;
  for (let n = 0; n < ppiWords; n++) {
    const word = ppiWords * pe + n;
    let pend =
      (ppi.pending[word]! | (~ppi.edge[word]! & ppi.level[word]!)) & ppi.enable[word]! & ~ppi.active[word]!;
    if (pend === 0) continue;
    pend &= forwarded(state, ppi.group[word]!, ppi.grpmod[word]!) & ~ppi.overlooked[word]!;
    while (pend !== 0) {
      const bit = 31 - Math.clz32(pend & -pend);
      pend &= pend - 1;
      let own = 2 * state.ppiPriority[32 * word + bit]! + 1;
      if (hasNmi) own = rankWithNmi(state, ppi, 32 * word + bit, own);
      if (own < rank) {
        intid = privateIntid(32 * n + bit);
        rank = own;
      }
    }
  }
  if (m.spiBestRank[pe]! < rank) {
    intid = m.spiBest[pe]!;
    rank = m.spiBestRank[pe]!;
  }
  let priority = rank >> 1;
  let nmi = (rank & 1) === 0;
  let group = intid === SPURIOUS ? GROUP0 : groupOf(state, pe, intid);
  if (state.gicrCtlr[pe]! & GICR_CTLR_ENABLE_LPIS && state.gicdCtlr[0]! & CTLR_ENABLE_GRP1NS) {
    if (m.lpiDirty[pe]) rankLpis(m, pe);
    if (m.lpiBestPriority[pe]! < priority) {
      intid = m.lpiBest[pe]!;
      priority = m.lpiBestPriority[pe]!;
      nmi = false;
      group = GROUP1NS;
    }
  }
  const signalled = canPreempt(m, pe, group, priority, nmi);
  const asFiq = isFiq(state, pe, group);
  const fiq = signalled && asFiq ? 1 : 0;
  const irq = signalled && !asFiq && !(nmi && m.profile.nmiIsNoIrq) ? 1 : 0;
  if (
    intid !== state.hppiIntid[pe] ||
    group !== state.hppiGroup[pe] ||
    priority !== state.hppiPriority[pe] ||
    fiq !== state.fiq[pe] ||
    irq !== state.irq[pe]
  )
    m.emitHppi(pe, intid, group, priority, fiq, irq);
}

/** Arbitrates again for every PE that events since the last call may concern. */
export function settle(m: Machine): void {
  if (!m.anyDirty) return;
  m.anyDirty = false;
  const { peDirty } = m;
  if (m.spisDirty || m.oneOfNPending) {
    m.spisDirty = false;
    rankSpis(m);
    peDirty.fill(1);
  }
  for (let pe = 0; pe < peDirty.length; pe++) {
    if (peDirty[pe] === 0) continue;
    peDirty[pe] = 0;
    arbitrate(m, pe);
  }
}
