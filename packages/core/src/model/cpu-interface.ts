// The physical CPU interface: the ICC system registers (IHI 0069, "CPU interface"). Handlers by register name.
import { NO_PE, PEND_CAUSES, RECORDS, UNITS } from '../record/index.ts';
import { SYSREGS } from '../spec/sysreg.ts';
import {
  canPreempt,
  GROUP0,
  GROUP1NS,
  GROUP1S,
  groupOf,
  groupPriorityMask,
  runningPriority,
  settle,
} from './arbitration.ts';
import { clearLpiPending } from './lpi.ts';
import type { Machine } from './machine.ts';
import { ctlrReset, IDLE, LPI_FIRST, SPURIOUS } from './state.ts';
import { resetVirtualInterface, virtualHandlers } from './virtual-interface.ts';

const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const DROPPED = RECORDS['irq.dropped'].id;
const ACTIVATED = RECORDS['irq.activated'].id;
const DEACTIVATED = RECORDS['irq.deactivated'].id;
const PENDED = RECORDS['irq.pended'].id;
const UNPENDED = RECORDS['irq.unpended'].id;
const SGI_SENT = RECORDS['sgi.sent'].id;
const UNIT_ICC = UNITS.indexOf('ICC');
const CAUSE_SGI = PEND_CAUSES.indexOf('sgi');

const CTLR_CBPR = 1;
const CTLR_EOIMODE = 2;

/** The PE to name in an event about this interrupt: SPIs belong to none. */
function owner(pe: number, intid: number): number {
  return intid < 32 ? pe : NO_PE;
}

function store(
  m: Machine,
  pe: number,
  register: { readonly encoding: number },
  value: number,
  old: number,
): void {
  m.changeRegister(UNIT_ICC, pe, register.encoding, value, 0, old, 0);
}

const AP0R = [SYSREGS.ICC_AP0R0_EL1, SYSREGS.ICC_AP0R1_EL1, SYSREGS.ICC_AP0R2_EL1, SYSREGS.ICC_AP0R3_EL1];
const AP1R = [SYSREGS.ICC_AP1R0_EL1, SYSREGS.ICC_AP1R1_EL1, SYSREGS.ICC_AP1R2_EL1, SYSREGS.ICC_AP1R3_EL1];

/** Implemented active-priorities registers: 1, 2 or 4 by the number of preemption levels. */
function activePriorityRegisters(m: Machine): number {
  return 1 << Math.max(m.state.config.priorityBits - 5, 0);
}

/** What ICC_HPPIR<group> reads: the best interrupt if it is in that group and enabled at the interface, else 1023. */
function visible(m: Machine, pe: number, wanted: number): number {
  const { state } = m;
  if (state.hppiPriority[pe] === IDLE) return SPURIOUS;
  const group = state.hppiGroup[pe]!;
  if ((group === GROUP0 ? state.igrpen0[pe] : state.igrpen1[pe]) === 0) return SPURIOUS;
  // Accesses are taken to be Non-secure: Secure interrupts are not visible to them.
  if (!state.singleSecurity && group !== GROUP1NS) return SPURIOUS;
  return group === wanted ? state.hppiIntid[pe]! : SPURIOUS;
}

function acknowledge(m: Machine, pe: number, wanted: number): number {
  const { state } = m;
  const group = state.hppiGroup[pe]!;
  const priority = state.hppiPriority[pe]!;
  if (!canPreempt(m, pe, group, priority)) return SPURIOUS;
  const intid = visible(m, pe, wanted);
  if (intid === SPURIOUS) return SPURIOUS;
  const bit = (priority & groupPriorityMask(state, pe, group)) >> (8 - state.config.priorityBits);
  const registers = group === GROUP0 ? state.ap0r : state.ap1r;
  const names = group === GROUP0 ? AP0R : AP1R;
  const old = registers[4 * pe + (bit >> 5)]!;
  store(m, pe, names[bit >> 5]!, (old | (1 << (bit & 31))) >>> 0, old);
  m.emit(ACKNOWLEDGED, pe, intid, group, priority);
  if (intid >= LPI_FIRST) clearLpiPending(m, pe, intid);
  else {
    m.emit(ACTIVATED, owner(pe, intid), intid);
    m.emit(UNPENDED, owner(pe, intid), intid);
  }
  return intid;
}

/** The group of the highest active priority, or -1 when idle. */
function activeGroup(m: Machine, pe: number): number {
  const { ap0r, ap1r } = m.state;
  for (let i = 0; i < 4; i++) {
    const zero = ap0r[4 * pe + i]!;
    const one = ap1r[4 * pe + i]!;
    if ((zero | one) === 0) continue;
    return ((one & -one) >>> 0 || 2 ** 33) < ((zero & -zero) >>> 0 || 2 ** 33) ? GROUP1NS : GROUP0;
  }
  return -1;
}

function deactivate(m: Machine, pe: number, intid: number): void {
  const { state } = m;
  if (intid >= state.irqCount) return;
  const bits = intid < 32 ? state.ppi.active[pe]! : state.spi.active[intid >> 5]!;
  if (bits & (1 << (intid & 31))) m.emit(DEACTIVATED, owner(pe, intid), intid);
}

function endOfInterrupt(m: Machine, pe: number, value: number, wanted: number): void {
  const { state } = m;
  const intid = value & 0xff_ffff;
  if (intid >= state.irqCount && intid < LPI_FIRST) return;
  const group = activeGroup(m, pe);
  if (group !== wanted) return;
  const registers = group === GROUP0 ? state.ap0r : state.ap1r;
  const names = group === GROUP0 ? AP0R : AP1R;
  for (let i = 0; i < 4; i++) {
    const old = registers[4 * pe + i]!;
    if (old === 0) continue;
    const dropped = runningPriority(state, pe);
    store(m, pe, names[i]!, (old & (old - 1)) >>> 0, old);
    m.emit(DROPPED, pe, intid, group, dropped);
    break;
  }
  settle(m);
  if ((state.ctlr[pe]! & CTLR_EOIMODE) === 0) deactivate(m, pe, intid);
}

function generateSgi(m: Machine, pe: number, low: number, high: number, group: number): void {
  const { state } = m;
  const intid = (low >>> 24) & 0xf;
  const targets = low & 0xffff;
  const aff1 = (low >>> 16) & 0xff;
  const aff2 = high & 0xff;
  const aff3 = (high >>> 16) & 0xff;
  const cluster = (aff3 << 24) | (aff2 << 16) | (aff1 << 8);
  const range = (high >>> 12) & 0xf;
  const toAllOthers = (high & 0x100) !== 0;
  const wanted = state.singleSecurity && group === GROUP1S ? GROUP0 : group;
  for (let to = 0; to < state.peCount; to++) {
    if (toAllOthers ? to === pe : !inTargetList(state.config.pes[to]!.affinity, cluster, range, targets))
      continue;
    const own = groupOf(state, to, intid);
    // A Group 1 request also reaches an SGI that is configured as Group 0 (IHI 0069, "Use of control registers for SGI forwarding").
    if ((own === GROUP0 && wanted !== GROUP0 ? GROUP0 : wanted) !== own) continue;
    if (
      !state.singleSecurity &&
      own !== GROUP1NS &&
      state.ppiNsacr[32 * to + intid]! < (own === GROUP0 ? 1 : 2)
    )
      continue;
    m.emit(SGI_SENT, to, intid);
    m.emit(PENDED, to, intid, CAUSE_SGI);
  }
}

/** Whether a PE's affinity is among Aff3.Aff2.Aff1.(16·RS + n) for the bits n of a target list. */
function inTargetList(affinity: number, cluster: number, range: number, targets: number): boolean {
  const aff0 = affinity & 0xff;
  return (affinity & ~0xff) === cluster && aff0 >> 4 === range && ((targets >> (aff0 & 0xf)) & 1) === 1;
}

function readBinaryPoint1(m: Machine, pe: number): number {
  const { state } = m;
  return state.ctlr[pe]! & CTLR_CBPR ? Math.min(state.bpr0[pe]! + 1, 7) : state.bpr1[pe]!;
}

type Read = (m: Machine, pe: number) => number;
type Write = (m: Machine, pe: number, low: number, high: number) => void;

/** Reads by register name. A read has the side effects that the architecture gives it. */
const reads: { readonly [name: string]: Read } = {
  ICC_IAR0_EL1: (m, pe) => acknowledge(m, pe, GROUP0),
  ICC_IAR1_EL1: (m, pe) => acknowledge(m, pe, GROUP1NS),
  ICC_HPPIR0_EL1: (m, pe) => visible(m, pe, GROUP0),
  ICC_HPPIR1_EL1: (m, pe) => visible(m, pe, GROUP1NS),
  ICC_RPR_EL1: (m, pe) => runningPriority(m.state, pe),
  ICC_PMR_EL1: (m, pe) => m.state.pmr[pe]!,
  ICC_BPR0_EL1: (m, pe) => m.state.bpr0[pe]!,
  ICC_BPR1_EL1: readBinaryPoint1,
  ICC_CTLR_EL1: (m, pe) => m.state.ctlr[pe]!,
  ICC_IGRPEN0_EL1: (m, pe) => m.state.igrpen0[pe]!,
  ICC_IGRPEN1_EL1: (m, pe) => m.state.igrpen1[pe]!,
  // SRE, DFB and DIB: the system registers are always in use.
  ICC_SRE_EL1: () => 7,
};

const writes: { readonly [name: string]: Write } = {
  ICC_EOIR0_EL1: (m, pe, low) => endOfInterrupt(m, pe, low, GROUP0),
  ICC_EOIR1_EL1: (m, pe, low) => endOfInterrupt(m, pe, low, GROUP1NS),
  ICC_DIR_EL1: (m, pe, low) => {
    if (m.state.ctlr[pe]! & CTLR_EOIMODE) deactivate(m, pe, low & 0xff_ffff);
  },
  ICC_PMR_EL1: (m, pe, low) => {
    const mask = (0xff << (8 - m.state.config.priorityBits)) & 0xff;
    store(m, pe, SYSREGS.ICC_PMR_EL1, low & mask, m.state.pmr[pe]!);
  },
  ICC_BPR0_EL1: (m, pe, low) => {
    const minimum = 7 - m.state.config.priorityBits;
    store(m, pe, SYSREGS.ICC_BPR0_EL1, Math.max(low >>> 0, minimum) & 7, m.state.bpr0[pe]!);
  },
  ICC_BPR1_EL1: (m, pe, low) => {
    if (m.state.ctlr[pe]! & CTLR_CBPR) return;
    const minimum = 8 - m.state.config.priorityBits;
    store(m, pe, SYSREGS.ICC_BPR1_EL1, Math.max(low >>> 0, minimum) & 7, m.state.bpr1[pe]!);
  },
  ICC_CTLR_EL1: (m, pe, low) => {
    const writable = m.state.singleSecurity ? CTLR_CBPR | CTLR_EOIMODE : CTLR_EOIMODE;
    const old = m.state.ctlr[pe]!;
    store(m, pe, SYSREGS.ICC_CTLR_EL1, (old & ~writable) | (low & writable), old);
  },
  ICC_IGRPEN0_EL1: (m, pe, low) => store(m, pe, SYSREGS.ICC_IGRPEN0_EL1, low & 1, m.state.igrpen0[pe]!),
  ICC_IGRPEN1_EL1: (m, pe, low) => store(m, pe, SYSREGS.ICC_IGRPEN1_EL1, low & 1, m.state.igrpen1[pe]!),
  ICC_SGI0R_EL1: (m, pe, low, high) => generateSgi(m, pe, low, high, GROUP0),
  ICC_SGI1R_EL1: (m, pe, low, high) => generateSgi(m, pe, low, high, GROUP1NS),
  ICC_ASGI1R_EL1: (m, pe, low, high) => generateSgi(m, pe, low, high, GROUP1S),
  ICC_SRE_EL1: () => undefined,
};

const READ_BY_ENCODING = new Map<number, Read>();
const WRITE_BY_ENCODING = new Map<number, Write>();
for (const [name, spec] of Object.entries(SYSREGS)) {
  if (reads[name] !== undefined) READ_BY_ENCODING.set(spec.encoding, reads[name]);
  if (writes[name] !== undefined) WRITE_BY_ENCODING.set(spec.encoding, writes[name]);
}
const virtual = virtualHandlers(deactivate);
for (const [name, spec] of Object.entries(SYSREGS)) {
  if (virtual.reads[name] !== undefined) READ_BY_ENCODING.set(spec.encoding, virtual.reads[name]);
  if (virtual.writes[name] !== undefined) WRITE_BY_ENCODING.set(spec.encoding, virtual.writes[name]);
}
for (let n = 0; n < 4; n++) {
  READ_BY_ENCODING.set(AP0R[n]!.encoding, (m, pe) => m.state.ap0r[4 * pe + n]!);
  READ_BY_ENCODING.set(AP1R[n]!.encoding, (m, pe) => m.state.ap1r[4 * pe + n]!);
  WRITE_BY_ENCODING.set(AP0R[n]!.encoding, (m, pe, low) => {
    if (n < activePriorityRegisters(m)) store(m, pe, AP0R[n]!, low, m.state.ap0r[4 * pe + n]!);
  });
  WRITE_BY_ENCODING.set(AP1R[n]!.encoding, (m, pe, low) => {
    if (n < activePriorityRegisters(m)) store(m, pe, AP1R[n]!, low, m.state.ap1r[4 * pe + n]!);
  });
}

/** A PE reads a system register: the value is in `m.low`. `m.unsupported` if the model has no such register. */
export function readSysreg(m: Machine, pe: number, encoding: number): void {
  const read = READ_BY_ENCODING.get(encoding);
  m.high = 0;
  if (read === undefined) {
    m.unsupported = true;
    m.low = 0;
    return;
  }
  m.low = read(m, pe);
}

/** A PE writes a system register. `m.unsupported` if the model has no such register. */
export function writeSysreg(m: Machine, pe: number, encoding: number, low: number, high: number): void {
  const write = WRITE_BY_ENCODING.get(encoding);
  if (write === undefined) m.unsupported = true;
  else write(m, pe, low, high);
}

/** A PE was reset: its CPU interface is as after reset. */
export function resetCpuInterface(m: Machine, pe: number): void {
  const { state } = m;
  const minimum = 7 - state.config.priorityBits;
  store(m, pe, SYSREGS.ICC_PMR_EL1, 0, state.pmr[pe]!);
  store(m, pe, SYSREGS.ICC_BPR0_EL1, minimum, state.bpr0[pe]!);
  store(m, pe, SYSREGS.ICC_BPR1_EL1, minimum + 1, state.bpr1[pe]!);
  store(m, pe, SYSREGS.ICC_CTLR_EL1, ctlrReset(state.config), state.ctlr[pe]!);
  store(m, pe, SYSREGS.ICC_IGRPEN0_EL1, 0, state.igrpen0[pe]!);
  store(m, pe, SYSREGS.ICC_IGRPEN1_EL1, 0, state.igrpen1[pe]!);
  for (let n = 0; n < 4; n++) {
    store(m, pe, AP0R[n]!, 0, state.ap0r[4 * pe + n]!);
    store(m, pe, AP1R[n]!, 0, state.ap1r[4 * pe + n]!);
  }
  resetVirtualInterface(m, pe);
}
