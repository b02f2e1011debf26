// Applies one event to a GIC's state. This is the only code that changes state. The model uses it when it emits an event,
// and the fold over recorded events uses it too, so the two cannot differ. It makes no decisions.
import { invariant } from '../errors.ts';
import { type Gicv3IdOf, IRQ_ATTRIBUTES, RECORDS, UNITS } from '../record/index.ts';
import { fieldReader, GICD, GICR, GITS, isPrivate, LPI_FIRST } from '../spec/index.ts';
import { SYSREGS } from '../spec/sysreg.ts';
import { applyMemory, irqBitAfter, irqBitOf, setBit } from './apply-common.ts';
import { applyVirtual, applyVirtualRegister, applyVlpiFrame } from './apply-virtual.ts';
import { privateIndex, sharedIndex } from './intid.ts';
import {
  CONFIG_LOST,
  CONFIG_OVERLOOKED,
  CONFIG_UNKNOWN,
  type GicState,
  type IrqBits,
  NMI_GROUP0,
} from './state.ts';

const PE_SECURITY = RECORDS['pe.security'].id;
const PE_ROUTED = RECORDS['pe.routed'].id;
const STATE_RESET = RECORDS['state.reset'].id;
const HPPI = RECORDS.hppi.id;
const REG_CHANGED = RECORDS['reg.changed'].id;
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const LPI_CONFIGURED = RECORDS['lpi.configured'].id;
const LPI_FORGOTTEN = RECORDS['lpi.forgotten'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const MEM_MARKED = RECORDS['mem.marked'].id;

const UNIT_GICD = UNITS.indexOf('GICD');
const UNIT_GICR = UNITS.indexOf('GICR');
const UNIT_GITS = UNITS.indexOf('GITS');
const UNIT_ICH = UNITS.indexOf('ICH');
const UNIT_ICC_S = UNITS.indexOf('ICC_S');

const ATTRIBUTE_PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const ATTRIBUTE_NSACR = IRQ_ATTRIBUTES.indexOf('nsacr');

/** Sets or clears the bit of an interrupt: of an SGI or PPI of a PE if `pe` ≥ 0, otherwise of an SPI. */
function setIrqBit(state: GicState, name: keyof IrqBits, pe: number, intid: number, value: boolean): void {
  if (isPrivate(intid)) {
    setBit(state.ppi[name], privateIndex(state, pe, intid), value);
  } else {
    setBit(state.spi[name], sharedIndex(state, intid), value);
  }
}

function applyRegister(state: GicState, words: Uint32Array, at: number): void {
  const unit = words[at]!;
  const n = words[at + 1]!;
  const register = words[at + 2]!;
  const low = words[at + 3]!;
  const high = words[at + 4]!;
  if (unit === UNIT_GICD) {
    if (register === GICD.GICD_CTLR.offset) state.gicdCtlr[0] = low;
    else {
      invariant(register === GICD.GICD_STATUSR.offset, `no such stored GICD register ${register}`);
      state.gicdStatusr[0] = low;
    }
  } else if (unit === UNIT_GICR) {
    switch (register) {
      case GICR.GICR_CTLR.offset:
        state.gicrCtlr[n] = low;
        return;
      case GICR.GICR_WAKER.offset:
        state.gicrWaker[n] = low;
        return;
      case GICR.GICR_STATUSR.offset:
        state.gicrStatusr[n] = low;
        return;
      case GICR.GICR_PROPBASER.offset:
        state.propbaser[2 * n] = low;
        state.propbaser[2 * n + 1] = high;
        return;
      case GICR.GICR_PENDBASER.offset:
        state.pendbaser[2 * n] = low;
        state.pendbaser[2 * n + 1] = high;
        return;
      default:
        invariant(applyVlpiFrame(state, n, register, low, high), `no such stored GICR register ${register}`);
    }
  } else if (unit === UNIT_GITS) {
    switch (register) {
      case GITS.GITS_CTLR.offset:
        state.gitsCtlr[n] = low;
        return;
      case GITS.GITS_CBASER.offset:
        state.cbaser[2 * n] = low;
        state.cbaser[2 * n + 1] = high;
        return;
      case GITS.GITS_CWRITER.offset:
        state.cwriter[n] = low;
        return;
      case GITS.GITS_CREADR.offset:
        state.creadr[n] = low;
        return;
      default: {
        const index = (register - GITS.GITS_BASER.offset) / 8;
        invariant(index >= 0 && index < 8, `no such stored GITS register ${register}`);
        state.baser[16 * n + 2 * index] = low;
        state.baser[16 * n + 2 * index + 1] = high;
      }
    }
  } else if (unit === UNIT_ICH) applyVirtualRegister(state, n, register, low, high);
  else if (unit === UNIT_ICC_S) applySecureCpuRegister(state, n, register, low, high);
  else applyCpuRegister(state, n, register, low, high);
}

const AP0R: readonly number[] = [
  SYSREGS.ICC_AP0R0_EL1,
  SYSREGS.ICC_AP0R1_EL1,
  SYSREGS.ICC_AP0R2_EL1,
  SYSREGS.ICC_AP0R3_EL1,
].map((r) => r.encoding);
const AP1R: readonly number[] = [
  SYSREGS.ICC_AP1R0_EL1,
  SYSREGS.ICC_AP1R1_EL1,
  SYSREGS.ICC_AP1R2_EL1,
  SYSREGS.ICC_AP1R3_EL1,
].map((r) => r.encoding);
const PMR = SYSREGS.ICC_PMR_EL1.encoding;
const BPR0 = SYSREGS.ICC_BPR0_EL1.encoding;
const BPR1 = SYSREGS.ICC_BPR1_EL1.encoding;
const CTLR = SYSREGS.ICC_CTLR_EL1.encoding;
const IGRPEN0 = SYSREGS.ICC_IGRPEN0_EL1.encoding;
const IGRPEN1 = SYSREGS.ICC_IGRPEN1_EL1.encoding;
const CTLR_EL3 = SYSREGS.ICC_CTLR_EL3.encoding;

/** The highest bit of ICC_AP1R0_EL1 says whether an NMI is active. */
function setNmiActive(state: GicState, pe: number, bit: number, high: number): void {
  if (high !== 0) state.nmiActive[pe]! |= bit;
  else state.nmiActive[pe]! &= ~bit;
}

/** Stores the Secure instance of a banked register. */
function applySecureCpuRegister(
  state: GicState,
  pe: number,
  register: number,
  value: number,
  high: number,
): void {
  if (register === BPR1) state.bpr1S[pe] = value;
  else if (register === CTLR) state.ctlrS[pe] = value;
  else if (register === IGRPEN1) state.igrpen1S[pe] = value;
  else {
    const n = AP1R.indexOf(register);
    invariant(n >= 0, `no such banked system register ${register}`);
    state.ap1rS[4 * pe + n] = value;
    if (n === 0) setNmiActive(state, pe, 2, high);
  }
}

function applyCpuRegister(state: GicState, pe: number, register: number, value: number, high: number): void {
  if (register === AP1R[0]) {
    state.ap1r[4 * pe] = value;
    setNmiActive(state, pe, 1, high);
  } else if (register === AP0R[0]) {
    state.ap0r[4 * pe] = value;
    setNmiActive(state, pe, NMI_GROUP0, high);
  } else if (register === PMR) state.pmr[pe] = value;
  else if (register === BPR0) state.bpr0[pe] = value;
  else if (register === BPR1) state.bpr1[pe] = value;
  else if (register === CTLR) state.ctlr[pe] = value;
  else if (register === IGRPEN0) state.igrpen0[pe] = value;
  else if (register === IGRPEN1) state.igrpen1[pe] = value;
  else if (register === CTLR_EL3) state.ctlrEl3[pe] = value;
  else {
    const in0 = AP0R.indexOf(register);
    const in1 = AP1R.indexOf(register);
    invariant(in0 >= 0 || in1 >= 0, `no such stored system register ${register}`);
    if (in0 >= 0) state.ap0r[4 * pe + in0] = value;
    else state.ap1r[4 * pe + in1] = value;
  }
}

function applyIrqChanged(state: GicState, pe: number, intid: number, attribute: number, value: number): void {
  if (attribute === ATTRIBUTE_PRIORITY) {
    if (isPrivate(intid)) state.ppiPriority[privateIndex(state, pe, intid)] = value;
    else state.spiPriority[sharedIndex(state, intid)] = value;
  } else if (attribute === ATTRIBUTE_NSACR) {
    if (isPrivate(intid)) state.ppiNsacr[privateIndex(state, pe, intid)] = value;
    else state.spiNsacr[sharedIndex(state, intid)] = value;
  } else if (intid >= LPI_FIRST) {
    // Only this attribute is one of LPIs. It ends with the next event that sets the configuration.
    const config = state.lpiConfig[pe]!.get(intid);
    if (config !== undefined) state.lpiConfig[pe]!.set(intid, config | CONFIG_OVERLOOKED);
  } else setIrqBit(state, IRQ_ATTRIBUTES[attribute] as keyof IrqBits, pe, intid, value !== 0);
}

/**
 * Drops the cached configuration of an LPI, if the Redistributor keeps it only for pending LPIs. One that is no longer pending is
 * not overlooked when it becomes pending again.
 */
function clearLpi(state: GicState, pe: number, intid: number): void {
  state.lpiPending[pe]!.delete(intid);
  const configs = state.lpiConfig[pe]!;
  const config = configs.get(intid) ?? 0;
  if (state.profile.lpiConfig !== 'until-invalidated') configs.delete(intid);
  else if (config >= CONFIG_OVERLOOKED) configs.set(intid, config & ~CONFIG_OVERLOOKED);
}

/** Flips the bit of an LPI in the pending table in guest memory, if GICR_PENDBASER gives its address. */
function writePendingTable(state: GicState, pe: number, intid: number, pending: boolean): void {
  const address = pendingTableAddress(state, pe) + (intid >>> 3);
  const byte = state.memory.readByte(address);
  const bit = 1 << (intid & 7);
  state.memory.writeByte(address, pending ? byte | bit : byte & ~bit);
}

const pendingTable = fieldReader(GICR.GICR_PENDBASER, 'Physical_Address');
const configTable = fieldReader(GICR.GICR_PROPBASER, 'Physical_Address');

/** The physical address of the LPI pending table of a PE. */
export function pendingTableAddress({ pendbaser }: GicState, pe: number): number {
  return pendingTable(pendbaser[2 * pe]!, pendbaser[2 * pe + 1]!);
}

/** The physical address of the LPI configuration table of a PE. */
export function configTableAddress({ propbaser }: GicState, pe: number): number {
  return configTable(propbaser[2 * pe]!, propbaser[2 * pe + 1]!);
}

/** Applies one event or observable, whose fields are at `words[at]` in declared order. Other records change nothing. */
export function apply(state: GicState, kind: number, pe: number, words: Uint32Array, at: number): void {
  const fact = kind as Gicv3IdOf<'event' | 'observable'>;
  switch (fact) {
    case HPPI:
      state.hppiIntid[pe] = words[at]!;
      state.hppiGroup[pe] = words[at + 1]!;
      state.hppiPriority[pe] = words[at + 2]!;
      state.fiq[pe] = words[at + 3]!;
      state.irq[pe] = words[at + 4]!;
      return;
    case WIRE_CHANGED:
    case IRQ_PENDED:
    case IRQ_UNPENDED:
    case IRQ_ACTIVATED:
    case IRQ_DEACTIVATED:
      setIrqBit(state, irqBitOf(kind), pe, words[at]!, irqBitAfter(kind, words, at));
      return;
    case IRQ_CHANGED:
      applyIrqChanged(state, pe, words[at]!, words[at + 1]!, words[at + 2]!);
      return;
    case IRQ_ROUTED: {
      const index = sharedIndex(state, words[at]!);
      state.routeLow[index] = words[at + 1]!;
      state.routeHigh[index] = words[at + 2]!;
      return;
    }
    case PE_SECURITY:
      state.security[pe] = words[at]!;
      return;
    case PE_ROUTED:
      state.fiqRouted[pe] = words[at]!;
      return;
    case STATE_RESET:
      state.resetUnits();
      return;
    case REG_CHANGED:
      applyRegister(state, words, at);
      return;
    case LPI_PENDED:
      state.lpiPending[pe]!.add(words[at]!);
      state.lpiConfig[pe]!.set(words[at]!, words[at + 3] !== 0 ? words[at + 2]! : CONFIG_UNKNOWN);
      writePendingTable(state, pe, words[at]!, true);
      return;
    case LPI_CLEARED:
      clearLpi(state, pe, words[at]!);
      writePendingTable(state, pe, words[at]!, false);
      return;
    case LPI_CONFIGURED:
      // If it is not known, the byte says why: 0 for not known yet, 1 for no longer known.
      state.lpiConfig[pe]!.set(
        words[at]!,
        words[at + 2] !== 0 ? words[at + 1]! : words[at + 1] === 0 ? CONFIG_UNKNOWN : CONFIG_LOST,
      );
      return;
    case LPI_FORGOTTEN:
      if (words[at] === 0) {
        state.lpiConfig[pe]!.clear();
        state.lpiPending[pe]!.clear();
      } else state.lpiConfig[pe]!.delete(words[at]!);
      return;
    case MEM_WRITTEN:
    case MEM_MARKED:
      applyMemory(state.memory, kind, words, at);
      return;
    default:
      // An event or observable that has no case here or there, and is not said to be inert there, does not compile.
      applyVirtual(state, fact, pe, words, at);
  }
}
