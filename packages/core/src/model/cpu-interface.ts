// The physical CPU interface: handlers of the ICC system registers, by name (IHI 0069, "CPU interface"). With two Security
// states, an access is made by Secure EL1 or by Non-secure software, unless it is known to be made at EL3. SCR_EL3.FIQ of
// a PE is assumed to be 1 until it is known to be 0: Group 0 belongs to EL3, and Non-secure software sees only its half of
// the priorities.

import { invariant } from '../errors.ts';
import { actOfAccess, RECORDS, SECURITY_STATES, UNITS } from '../record/index.ts';
import { SYSREGS } from '../spec/sysreg.ts';
import {
  AP0R,
  AP1R,
  activeHigh,
  activeLow,
  activePriorityRegisters,
  storeActive,
} from './active-priorities.ts';
import { GROUP0, GROUP1NS, GROUP1S, runningPriority } from './arbitration.ts';
import {
  acknowledge,
  acknowledgeable,
  CTLR_EL3_EOIMODE,
  CTLR_EOIMODE,
  deactivate,
  endOfInterrupt,
  isSecureBank,
  isShifted,
  isSplit,
  visible,
} from './handling.ts';
import { fromNonSecureView, nonSecureView } from './irq-registers.ts';
import type { Machine } from './machine.ts';
import { generateSgi } from './sgi.ts';
import { ctlrReset, IDLE, leastBinaryPoint, NMI_NON_SECURE, NMI_SECURE } from './state.ts';
import { resetVirtualInterface, virtualHandlers } from './virtual-interface.ts';

const PE_SECURITY = RECORDS['pe.security'].id;
const PE_ROUTED = RECORDS['pe.routed'].id;
const UNIT_ICC = UNITS.indexOf('ICC');
const UNIT_ICC_S = UNITS.indexOf('ICC_S');
const STATE_SECURE = SECURITY_STATES.indexOf('Secure');
const STATE_EL3 = SECURITY_STATES.indexOf('EL3');

const CTLR_CBPR = 1;
const CTLR_EL3_NDS = 0x2_0000;
/** PRIbits, IDbits, SEIS, A3V, RSS and ExtRange, which have the same positions as in ICC_CTLR_EL1. */
const CTLR_EL3_CAPABILITIES = 0xc_ff00;
const RPR_NMI_HIGH = 0x8000_0000;
const RPR_NMI_NS_HIGH = 0x4000_0000;
const SRE_ALL = 0xf;

function store(
  m: Machine,
  pe: number,
  register: { readonly encoding: number },
  value: number,
  old: number,
  unit = UNIT_ICC,
): void {
  m.changeRegister(unit, pe, register.encoding, value, 0, old, 0);
}

type Read = (m: Machine, pe: number) => number;
type Write = (m: Machine, pe: number, low: number, high: number) => void;

function readRunningPriority(m: Machine, pe: number): number {
  const { state } = m;
  const nmis = state.nmiActive[pe]! & (NMI_NON_SECURE | NMI_SECURE);
  const priority = runningPriority(state, pe);
  if (!m.secure) {
    if (nmis & NMI_NON_SECURE) m.high = RPR_NMI_HIGH;
    if (priority === IDLE || !isShifted(m, pe)) return priority;
    // Secure priorities read as the highest priority.
    return priority < 0x80 ? 0 : nonSecureView(priority);
  }
  if (state.singleSecurityOfPes)
    m.high = nmis === 0 ? 0 : m.profile.rprNmiNonSecure ? RPR_NMI_NS_HIGH : RPR_NMI_HIGH;
  else
    m.high = ((nmis & NMI_SECURE ? RPR_NMI_HIGH : 0) | (nmis & NMI_NON_SECURE ? RPR_NMI_NS_HIGH : 0)) >>> 0;
  return priority;
}

function readBinaryPoint1(m: Machine, pe: number): number {
  const { state } = m;
  if (isSecureBank(m)) return (!m.el3 && state.ctlrS[pe]! & CTLR_CBPR ? state.bpr0 : state.bpr1S)[pe]!;
  return !m.el3 && state.ctlr[pe]! & CTLR_CBPR ? Math.min(state.bpr0[pe]! + 1, 7) : state.bpr1[pe]!;
}

function writeBinaryPoint0(m: Machine, pe: number, low: number): void {
  const value = Math.max(low & 7, leastBinaryPoint(m.state.config));
  store(m, pe, SYSREGS.ICC_BPR0_EL1, value, m.state.bpr0[pe]!);
}

function writeBinaryPoint1(m: Machine, pe: number, low: number): void {
  const { state } = m;
  const least = leastBinaryPoint(state.config);
  if (isSecureBank(m)) {
    if (!m.el3 && state.ctlrS[pe]! & CTLR_CBPR) writeBinaryPoint0(m, pe, low);
    else store(m, pe, SYSREGS.ICC_BPR1_EL1, Math.max(low & 7, least), state.bpr1S[pe]!, UNIT_ICC_S);
  } else if (m.el3 || (state.ctlr[pe]! & CTLR_CBPR) === 0)
    store(m, pe, SYSREGS.ICC_BPR1_EL1, Math.max(low & 7, least + 1), state.bpr1[pe]!);
}

function readPriorityMask(m: Machine, pe: number): number {
  const value = m.state.pmr[pe]!;
  if (!isShifted(m, pe)) return value;
  return (value & 0x80) === 0 ? 0 : nonSecureView(value & 0xff);
}

function writePriorityMask(m: Machine, pe: number, low: number): void {
  const old = m.state.pmr[pe]!;
  const shifted = isShifted(m, pe);
  // Non-secure software cannot change a priority mask in the Secure half.
  if (shifted && (old & 0x80) === 0) return;
  const kept = m.profile.pmrKeepsReserved ? -1 : 0xff;
  const implemented = (0xff << (8 - m.state.config.priorityBits)) & 0xff;
  const value = (shifted ? fromNonSecureView(low) : low) & kept & (~0xff | implemented);
  store(m, pe, SYSREGS.ICC_PMR_EL1, value >>> 0, old);
}

/** Stores the writable bits of ICC_CTLR_EL1, in either instance. */
function storeCtlr(m: Machine, pe: number, secure: boolean, writable: number, value: number): void {
  const old = (secure ? m.state.ctlrS : m.state.ctlr)[pe]!;
  const unit = secure ? UNIT_ICC_S : UNIT_ICC;
  store(m, pe, SYSREGS.ICC_CTLR_EL1, (old & ~writable) | (value & writable), old, unit);
}

function readCtlrEl3(m: Machine, pe: number): number {
  const { ctlr, ctlrS, ctlrEl3 } = m.state;
  const s = ctlrS[pe]!;
  const ns = ctlr[pe]!;
  const ofSecure = m.profile.ctlrEl3SecureBits ? s : ns;
  const points = (ofSecure & CTLR_CBPR) | ((ns & CTLR_CBPR) << 1);
  const modes = ((ofSecure & CTLR_EOIMODE) << 2) | ((ns & CTLR_EOIMODE) << 3);
  return points | modes | ctlrEl3[pe]! | (ns & CTLR_EL3_CAPABILITIES) | CTLR_EL3_NDS;
}

/** Writes ICC_CTLR_EL3. RM stays 0, because it is for legacy operation, which is not supported. */
function writeCtlrEl3(m: Machine, pe: number, low: number): void {
  const both = CTLR_CBPR | CTLR_EOIMODE;
  storeCtlr(m, pe, true, both, (low & CTLR_CBPR) | ((low >> 2) & CTLR_EOIMODE));
  storeCtlr(m, pe, false, both, ((low >> 1) & CTLR_CBPR) | ((low >> 3) & CTLR_EOIMODE));
  store(m, pe, SYSREGS.ICC_CTLR_EL3, low & CTLR_EL3_EOIMODE, m.state.ctlrEl3[pe]!);
}

function storeGroup1Enable(m: Machine, pe: number, secure: boolean, value: number): void {
  const old = (secure ? m.state.igrpen1S : m.state.igrpen1)[pe]!;
  store(m, pe, SYSREGS.ICC_IGRPEN1_EL1, value & 1, old, secure ? UNIT_ICC_S : UNIT_ICC);
}

/** The group whose active priorities the access sees in ICC_AP1R<n>_EL1. */
function group1Of(m: Machine): number {
  return isSecureBank(m) ? GROUP1S : GROUP1NS;
}

/** Bits of register `n` of the active priorities of Group 1 that the access cannot change. */
function outOfReach(m: Machine, n: number): number {
  const { state, profile } = m;
  if (profile.nonSecureAp1r === 'all' || state.singleSecurityOfPes || group1Of(m) !== GROUP1NS) return 0;
  if (profile.nonSecureAp1r === 'none') return n < 2 ? -1 : 0;
  // The lower half of the priority values is Secure.
  const secure = 2 ** (6 - leastBinaryPoint(state.config)) - 32 * n;
  return secure >= 32 ? -1 : 2 ** Math.max(secure, 0) - 1;
}

/** Wraps a handler of Group 0, which Non-secure software cannot access while SCR_EL3.FIQ is 1, because it belongs to EL3. */
const group0 =
  (read: Read): Read =>
  (m, pe) =>
    isShifted(m, pe) ? 0 : read(m, pe);
const group0Write =
  (write: Write): Write =>
  (m, pe, low, high) => {
    if (!isShifted(m, pe)) write(m, pe, low, high);
  };

/** Read handlers by register name, with the side effects that the architecture defines. */
const reads: { readonly [name: string]: Read } = {
  ICC_IAR0_EL1: (m, pe) => acknowledge(m, pe, false),
  ICC_IAR1_EL1: (m, pe) => acknowledge(m, pe, true),
  ICC_HPPIR0_EL1: (m, pe) => visible(m, pe, false),
  ICC_HPPIR1_EL1: (m, pe) => visible(m, pe, true),
  ICC_RPR_EL1: readRunningPriority,
  ICC_PMR_EL1: readPriorityMask,
  ICC_BPR0_EL1: group0((m, pe) => m.state.bpr0[pe]!),
  ICC_BPR1_EL1: readBinaryPoint1,
  ICC_CTLR_EL1: (m, pe) => (isSecureBank(m) ? m.state.ctlrS : m.state.ctlr)[pe]!,
  ICC_CTLR_EL3: readCtlrEl3,
  ICC_IGRPEN0_EL1: group0((m, pe) => m.state.igrpen0[pe]!),
  ICC_IGRPEN1_EL1: (m, pe) => (isSecureBank(m) ? m.state.igrpen1S : m.state.igrpen1)[pe]!,
  ICC_IGRPEN1_EL3: (m, pe) => m.state.igrpen1[pe]! | (m.state.igrpen1S[pe]! << 1),
  // SRE, DFB and DIB: the system registers are always in use.
  ICC_SRE_EL1: () => 7,
  ICC_SRE_EL2: () => SRE_ALL,
  ICC_SRE_EL3: () => SRE_ALL,
};

const writes: { readonly [name: string]: Write } = {
  ICC_EOIR0_EL1: (m, pe, low) => endOfInterrupt(m, pe, low, false),
  ICC_EOIR1_EL1: (m, pe, low) => endOfInterrupt(m, pe, low, true),
  ICC_DIR_EL1: (m, pe, low) => {
    if (isSplit(m, pe)) deactivate(m, pe, low & 0xff_ffff, false);
  },
  ICC_PMR_EL1: writePriorityMask,
  ICC_BPR0_EL1: group0Write(writeBinaryPoint0),
  ICC_BPR1_EL1: writeBinaryPoint1,
  // With two Security states, CBPR can be written only through ICC_CTLR_EL3.
  ICC_CTLR_EL1: (m, pe, low) => {
    const writable = m.state.singleSecurity ? CTLR_CBPR | CTLR_EOIMODE : CTLR_EOIMODE;
    storeCtlr(m, pe, isSecureBank(m), writable, low);
  },
  ICC_CTLR_EL3: writeCtlrEl3,
  ICC_IGRPEN0_EL1: group0Write((m, pe, low) =>
    store(m, pe, SYSREGS.ICC_IGRPEN0_EL1, low & 1, m.state.igrpen0[pe]!),
  ),
  ICC_IGRPEN1_EL1: (m, pe, low) => storeGroup1Enable(m, pe, isSecureBank(m), low),
  ICC_IGRPEN1_EL3: (m, pe, low) => {
    storeGroup1Enable(m, pe, false, low);
    storeGroup1Enable(m, pe, true, low >> 1);
  },
  ICC_SGI0R_EL1: (m, pe, low, high) => generateSgi(m, pe, low, high, 'group-0'),
  ICC_SGI1R_EL1: (m, pe, low, high) => generateSgi(m, pe, low, high, 'own-group-1'),
  ICC_ASGI1R_EL1: (m, pe, low, high) => generateSgi(m, pe, low, high, 'other-group-1'),
  ICC_SRE_EL1: () => undefined,
  ICC_SRE_EL2: () => undefined,
  ICC_SRE_EL3: () => undefined,
};

/** Handlers by encoding, including the bit for ICV registers. */
const READ_BY_ENCODING: Record<number, Read> = {};
const WRITE_BY_ENCODING: Record<number, Write> = {};
/** What registers read that have side effects, without these; none of the virtual interface. */
const PEEK_BY_ENCODING: Readonly<Record<number, Read>> = {
  [SYSREGS.ICC_IAR0_EL1.encoding]: (m, pe) => acknowledgeable(m, pe, false),
  [SYSREGS.ICC_IAR1_EL1.encoding]: (m, pe) => acknowledgeable(m, pe, true),
  [SYSREGS.ICC_NMIAR1_EL1.encoding]: (m, pe) => acknowledgeable(m, pe, true, true),
};
/** op1 of the registers of EL3. */
const OP1_MASK = 0x3800;
const OP1_EL3 = 0x3000;
for (const [name, spec] of Object.entries(SYSREGS)) {
  if (reads[name] !== undefined) READ_BY_ENCODING[spec.encoding] = reads[name];
  if (writes[name] !== undefined) WRITE_BY_ENCODING[spec.encoding] = writes[name];
}
const virtual = virtualHandlers(deactivate);
for (const [name, spec] of Object.entries(SYSREGS)) {
  if (virtual.reads[name] !== undefined) READ_BY_ENCODING[spec.encoding] = virtual.reads[name];
  if (virtual.writes[name] !== undefined) WRITE_BY_ENCODING[spec.encoding] = virtual.writes[name];
}
/** ICC_NMIAR1_EL1 and ICV_NMIAR1_EL1 exist if the GIC has NMIs. */
const NMIAR1 = SYSREGS.ICC_NMIAR1_EL1.encoding;
const VIRTUAL_NMIAR1 = SYSREGS.ICV_NMIAR1_EL1.encoding;
READ_BY_ENCODING[NMIAR1] = (m, pe) => acknowledge(m, pe, true, true);
for (let n = 0; n < 4; n++) {
  READ_BY_ENCODING[AP0R[n]!.encoding] = group0((m, pe) => {
    m.high = activeHigh(m.state, pe, GROUP0, n);
    return activeLow(m.state, pe, GROUP0, n);
  });
  READ_BY_ENCODING[AP1R[n]!.encoding] = (m, pe) => {
    m.high = activeHigh(m.state, pe, group1Of(m), n);
    return activeLow(m.state, pe, group1Of(m), n);
  };
  WRITE_BY_ENCODING[AP0R[n]!.encoding] = group0Write((m, pe, low, high) => {
    if (n < activePriorityRegisters(m)) storeActive(m, pe, GROUP0, n, low, high);
  });
  WRITE_BY_ENCODING[AP1R[n]!.encoding] = (m, pe, low, high) => {
    const kept = outOfReach(m, n);
    if (n >= activePriorityRegisters(m) || kept === -1) return;
    const group = group1Of(m);
    const value = (low & ~kept) | (activeLow(m.state, pe, group, n) & kept);
    storeActive(m, pe, group, n, value >>> 0, high);
  };
}

/** The same table, but fast to search and to build: only few of the 2^17 encodings are registers. */
class ByEncoding<Handler> {
  private readonly index = new Uint8Array(0x2_0000);
  private readonly handlers: (Handler | undefined)[] = [undefined];

  constructor(handlers: Readonly<Record<number, Handler>>) {
    for (const [encoding, handler] of Object.entries(handlers))
      this.index[Number(encoding)] = this.handlers.push(handler) - 1;
    invariant(this.handlers.length <= 0x100, 'a byte does not lead to every system register');
  }

  get(encoding: number): Handler | undefined {
    return this.handlers[this.index[encoding]!];
  }
}
const readers = new ByEncoding(READ_BY_ENCODING);
const writers = new ByEncoding(WRITE_BY_ENCODING);

/** Whether a PE can make this access at all. An access to a register of EL3 is made at EL3. */
function isAccessible(m: Machine, encoding: number): boolean {
  if (encoding === NMIAR1 || encoding === VIRTUAL_NMIAR1) return m.state.hasNmi;
  if ((encoding & OP1_MASK) !== OP1_EL3) return true;
  m.el3 = m.secure && !m.state.singleSecurityOfPes;
  return m.el3;
}

/** With two Security states, an access reveals the state in which the PE executes from here on. */
function observeSecurity(m: Machine, pe: number): void {
  if (m.state.singleSecurityOfPes) return;
  const state = m.el3 ? STATE_EL3 : m.secure ? STATE_SECURE : 0;
  if (state !== m.state.security[pe]) m.emit(PE_SECURITY, pe, state);
}

/** A PE entered or left EL3, or its SCR_EL3.FIQ changed. With one Security state neither matters. */
export function switchPe(m: Machine, pe: number, state: number, fiq: number): void {
  if (m.state.singleSecurityOfPes) return;
  if (state !== m.state.security[pe]) m.emit(PE_SECURITY, pe, state);
  if (fiq !== m.state.fiqRouted[pe]) m.emit(PE_ROUTED, pe, fiq);
}

/** A PE reads a system register. The value is in `m.low` and `m.high`; `m.unsupported` is set for an unknown register. */
export function readSysreg(m: Machine, pe: number, encoding: number): void {
  const read = readers.get(encoding);
  const isThere = isAccessible(m, encoding) && read !== undefined;
  m.high = 0;
  m.low = 0;
  observeSecurity(m, pe);
  if (isThere) m.low = read(m, pe);
  else m.unsupported = true;
}

/**
 * What a read of a register would return in bits 31:0, if made from EL3, or by Secure or Non-secure software; with one Security
 * state that is the same. Returns -1 if
 * the model has no such register, or for an acknowledge of the virtual interface. Changes nothing.
 */
export function peekSysreg(m: Machine, pe: number, encoding: number, secure: boolean, el3: boolean): number {
  const acknowledges = actOfAccess(encoding, false)?.does === 'acknowledge';
  const read = (acknowledges ? PEEK_BY_ENCODING : READ_BY_ENCODING)[encoding];
  if (read === undefined) return -1;
  const before = { low: m.low, high: m.high, secure: m.secure, secureBank: m.secureBank, el3: m.el3 };
  const isSingle = m.state.singleSecurityOfPes;
  m.secureBank = secure || isSingle;
  m.el3 = el3 && !isSingle;
  m.secure = m.secureBank || m.el3;
  const value = isAccessible(m, encoding) ? read(m, pe) >>> 0 : -1;
  Object.assign(m, before);
  return value;
}

/** A PE writes a system register. `m.unsupported` is set for an unknown register. */
export function writeSysreg(m: Machine, pe: number, encoding: number, low: number, high: number): void {
  const write = writers.get(encoding);
  const isThere = isAccessible(m, encoding) && write !== undefined;
  observeSecurity(m, pe);
  if (isThere) write(m, pe, low, high);
  else m.unsupported = true;
}

/** Resets the CPU interface of a PE. */
export function resetCpuInterface(m: Machine, pe: number): void {
  const { state } = m;
  const least = leastBinaryPoint(state.config);
  const ctlr = ctlrReset(state.config);
  store(m, pe, SYSREGS.ICC_PMR_EL1, 0, state.pmr[pe]!);
  store(m, pe, SYSREGS.ICC_BPR0_EL1, least, state.bpr0[pe]!);
  store(m, pe, SYSREGS.ICC_BPR1_EL1, least + 1, state.bpr1[pe]!);
  store(m, pe, SYSREGS.ICC_BPR1_EL1, least, state.bpr1S[pe]!, UNIT_ICC_S);
  store(m, pe, SYSREGS.ICC_CTLR_EL1, ctlr, state.ctlr[pe]!);
  store(m, pe, SYSREGS.ICC_CTLR_EL1, ctlr, state.ctlrS[pe]!, UNIT_ICC_S);
  store(m, pe, SYSREGS.ICC_CTLR_EL3, 0, state.ctlrEl3[pe]!);
  store(m, pe, SYSREGS.ICC_IGRPEN0_EL1, 0, state.igrpen0[pe]!);
  storeGroup1Enable(m, pe, false, 0);
  storeGroup1Enable(m, pe, true, 0);
  for (let n = 0; n < 4; n++)
    for (const group of [GROUP0, GROUP1NS, GROUP1S]) storeActive(m, pe, group, n, 0, 0);
  if (state.security[pe] !== 0) m.emit(PE_SECURITY, pe, 0);
  if (state.fiqRouted[pe] === 0) m.emit(PE_ROUTED, pe, 1);
  resetVirtualInterface(m, pe);
}
