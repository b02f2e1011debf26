// How a physical CPU interface handles interrupts: which one an access acknowledges, what an acknowledge does, and how an EOI
// and a deactivation end it (IHI 0069, "CPU interface"). The registers by which software asks for this are in cpu-interface.ts.
import { NO_PE, RECORDS } from '../record/index.ts';
import { isPrivate, isSpecial, LPI_FIRST, SPECIAL_INTIDS, SPURIOUS } from '../spec/index.ts';
import { activatePriority, activeGroup, dropPriority } from './active-priorities.ts';
import {
  canPreempt,
  GROUP0,
  GROUP1NS,
  GROUP1S,
  groupOf,
  isGroupEnabled,
  isNmi,
  runningPriority,
  settle,
} from './arbitration.ts';
import { hasInterrupt, privateIndex, sharedIndex } from './intid.ts';
import { clearLpiPending } from './lpi.ts';
import type { Machine } from './machine.ts';
import { IDLE } from './state.ts';

const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const DROPPED = RECORDS['irq.dropped'].id;
const ACTIVATED = RECORDS['irq.activated'].id;
const DEACTIVATED = RECORDS['irq.deactivated'].id;
const UNPENDED = RECORDS['irq.unpended'].id;

/** ICC_CTLR_EL1.EOImode and ICC_CTLR_EL3.EOImode_EL3. */
export const CTLR_EOIMODE = 2;
export const CTLR_EL3_EOIMODE = 4;

/** The PE that an event about this interrupt names. SPIs belong to no PE. */
function owner(pe: number, intid: number): number {
  return isPrivate(intid) ? pe : NO_PE;
}

/** Whether the access is to the Secure instance of a banked register. */
export function isSecureBank(m: Machine): boolean {
  return m.secureBank && !m.state.singleSecurityOfPes;
}

/** Whether the access cannot reach Group 0 and the Secure half of the priorities, because SCR_EL3.FIQ is 1. */
export function isShifted(m: Machine, pe: number): boolean {
  return !m.secure && m.state.fiqRouted[pe] !== 0;
}

/** Whether the access acknowledges and ends interrupts of Group 0: these are Secure until GICD_CTLR.DS is set. */
function reachesGroup0(m: Machine, pe: number): boolean {
  return m.secure || (m.state.singleSecurity && !isShifted(m, pe));
}

/**
 * What ICC_HPPIR0 or ICC_HPPIR1 reads: the highest-priority pending interrupt, if it is of the register's group and visible
 * to the access.
 */
export function visible(m: Machine, pe: number, groupOne: boolean): number {
  const { state } = m;
  const group = state.hppiGroup[pe]!;
  if (state.hppiPriority[pe] === IDLE || !isGroupEnabled(state, pe, group)) return SPURIOUS;
  const intid = state.hppiIntid[pe]!;
  if (!groupOne) {
    if (group === GROUP0) return reachesGroup0(m, pe) ? intid : SPURIOUS;
    if (!m.el3) return SPURIOUS;
    return group === GROUP1S ? SPECIAL_INTIDS.secure : SPECIAL_INTIDS.nonSecure;
  }
  if (group === GROUP0) return SPURIOUS;
  if (!state.singleSecurityOfPes && !m.el3 && (group === GROUP1S) !== m.secure) return SPURIOUS;
  return intid;
}

/**
 * What ICC_IAR0, ICC_IAR1 or ICC_NMIAR1 reads. If the GIC has NMIs, its PEs are assumed to use them (SCTLR_ELx.NMI): for an
 * NMI, ICC_IAR1 returns 1022, and ICC_NMIAR1 acknowledges it.
 */
export function acknowledgeable(m: Machine, pe: number, groupOne: boolean, nmiRegister = false): number {
  const { state } = m;
  const nmi = isNmi(state, pe, state.hppiIntid[pe]!);
  if (!canPreempt(m, pe, state.hppiGroup[pe]!, state.hppiPriority[pe]!, nmi)) return SPURIOUS;
  const intid = visible(m, pe, groupOne);
  if (isSpecial(intid)) return intid;
  if (groupOne && nmi !== nmiRegister) return nmi ? SPECIAL_INTIDS.nonMaskable : SPURIOUS;
  return intid;
}

/** What ICC_IAR0, ICC_IAR1 or ICC_NMIAR1 reads, and its effects. */
export function acknowledge(m: Machine, pe: number, groupOne: boolean, nmiRegister = false): number {
  const { state } = m;
  const intid = acknowledgeable(m, pe, groupOne, nmiRegister);
  if (isSpecial(intid)) return intid;
  const group = state.hppiGroup[pe]!;
  const priority = state.hppiPriority[pe]!;
  activatePriority(m, pe, group, priority, isNmi(state, pe, intid));
  m.emit(ACKNOWLEDGED, pe, intid, group, priority);
  if (intid >= LPI_FIRST) clearLpiPending(m, pe, intid);
  else {
    m.emit(ACTIVATED, owner(pe, intid), intid);
    if (!keepsLatch(m, pe, intid)) m.emit(UNPENDED, owner(pe, intid), intid);
  }
  return intid;
}

/** Whether an interrupt keeps its pending latch while it is active, under this profile: a level-sensitive one does. */
function keepsLatch(m: Machine, pe: number, intid: number): boolean {
  if (!m.profile.latchEndsWithActive) return false;
  const { state } = m;
  const own = isPrivate(intid);
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  return (((own ? state.ppi : state.spi).edge[index >> 5]! >>> (index & 31)) & 1) === 0;
}

/** Whether a Non-secure access may deactivate an interrupt. Once GICD_CTLR.DS is set, Group 0 is not Secure. */
function isWithinReach(m: Machine, pe: number, intid: number): boolean {
  if (groupOf(m.state, pe, intid) === GROUP1NS) return true;
  return reachesGroup0(m, pe);
}

/** `any`: whatever its group is. */
export function deactivate(m: Machine, pe: number, intid: number, any = m.profile.eoiReachesSecure): void {
  const { state } = m;
  if (!hasInterrupt(state, intid)) return;
  if (!any && !m.secure && !isWithinReach(m, pe, intid)) return;
  const own = isPrivate(intid);
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  const { active, pending } = own ? state.ppi : state.spi;
  const bit = 1 << (index & 31);
  if ((active[index >> 5]! & bit) === 0) return;
  m.emit(DEACTIVATED, owner(pe, intid), intid);
  if (pending[index >> 5]! & bit && keepsLatch(m, pe, intid)) m.emit(UNPENDED, owner(pe, intid), intid);
}

/** EOImode of the Exception level that makes the access: whether an EOI only drops the priority. */
export function isSplit(m: Machine, pe: number): boolean {
  if (m.el3) return (m.state.ctlrEl3[pe]! & CTLR_EL3_EOIMODE) !== 0;
  return ((isSecureBank(m) ? m.state.ctlrS : m.state.ctlr)[pe]! & CTLR_EOIMODE) !== 0;
}

/** Whether an EOI register drops a priority of this group for the access. */
function mayDrop(m: Machine, pe: number, group: number, groupOne: boolean): boolean {
  if ((group !== GROUP0) !== groupOne) return false;
  if (group === GROUP1NS) return !isSecureBank(m) || m.el3;
  return group === GROUP0 ? reachesGroup0(m, pe) : m.secure;
}

export function endOfInterrupt(m: Machine, pe: number, value: number, groupOne: boolean): void {
  const { state } = m;
  const intid = value & 0xff_ffff;
  if (intid < LPI_FIRST && !hasInterrupt(state, intid)) return;
  const group = activeGroup(state, pe);
  if (group < 0 || !mayDrop(m, pe, group, groupOne)) return;
  const dropped = runningPriority(state, pe);
  dropPriority(m, pe, group);
  m.emit(DROPPED, pe, intid, group, dropped);
  settle(m);
  if (!isSplit(m, pe)) deactivate(m, pe, intid);
}
