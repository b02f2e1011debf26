// The CPU interface of a PE: its PPIs, its registers, and the GIC and GICR instructions, which a trace has as system registers.
import { IRQ_ATTRIBUTES, PEND_CAUSES, RECORDS } from '../record/index.ts';
import { GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5Intid, gicv5Type } from '../spec/gicv5/index.ts';
import { signalled } from './arbitration.ts';
import {
  activate,
  deactivate,
  requestConfig,
  setEnabled,
  setHandling,
  setPending,
  setPriority,
  setTarget,
} from './interrupts.ts';
import type { Gicv5Machine } from './machine.ts';
import { IDLE, PPI_WORDS, PPIS } from './state.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const ACKNOWLEDGED = RECORDS['int.acknowledged'].id;
const DROPPED = RECORDS['int.dropped'].id;
const ENABLE = IRQ_ATTRIBUTES.indexOf('enable');
const BY_WIRE = PEND_CAUSES.indexOf('wire');
const BY_SOFTWARE = PEND_CAUSES.indexOf('software');
const { PPI, SPI, LPI } = GICV5_TYPES;

const code = (name: keyof typeof GICV5_SYSREGS) => GICV5_SYSREGS[name].encoding;
const CDDIS = code('GIC_CDDIS');
const CDEN = code('GIC_CDEN');
const CDPRI = code('GIC_CDPRI');
const CDAFF = code('GIC_CDAFF');
const CDPEND = code('GIC_CDPEND');
const CDRCFG = code('GIC_CDRCFG');
const CDEOI = code('GIC_CDEOI');
const CDDI = code('GIC_CDDI');
const CDHM = code('GIC_CDHM');
const CDIA = code('GICR_CDIA');
const CDNMIA = code('GICR_CDNMIA');
const GSB_SYS = code('GSB_SYS');
const GSB_ACK = code('GSB_ACK');
const HMR = code('ICC_PPI_HMR0_EL1');
const IDR0 = code('ICC_IDR0_EL1');
const HPPIR = code('ICC_HPPIR_EL1');
const ICSR = code('ICC_ICSR_EL1');
const IAFFIDR = code('ICC_IAFFIDR_EL1');
const ENABLER = code('ICC_PPI_ENABLER0_EL1');
const CACTIVER = code('ICC_PPI_CACTIVER0_EL1');
const SACTIVER = code('ICC_PPI_SACTIVER0_EL1');
const CPENDR = code('ICC_PPI_CPENDR0_EL1');
const SPENDR = code('ICC_PPI_SPENDR0_EL1');
/** ICC_PPI_PRIORITYR<n>_EL1 has consecutive encodings. */
const PRIORITYR = code('ICC_PPI_PRIORITYR0_EL1');
const PRIORITYRS = 16;
const APR = code('ICC_APR_EL1');
const CR0 = code('ICC_CR0_EL1');
const PCR = code('ICC_PCR_EL1');

const CR0_EN = 1;
const CR0_LINKED = 6;
const PRIORITY = 0x1f;
/** VALID of GICR CDIA and HPPIV of ICC_HPPIR_EL1: bit 32. */
const IS_VALID = 1;
/** The fields of GIC CD instructions that name an interrupt: TYPE and ID. */
const INTID = 0xe0ff_ffff;

/** A PE reads a system register or executes a GICR instruction. */
export function readSysreg(m: Gicv5Machine, pe: number, register: number): void {
  const { state } = m;
  m.low = 0;
  m.high = 0;
  switch (register) {
    case CDIA:
      acknowledge(m, pe);
      return;
    case CDNMIA:
      // It takes only interrupts with Superpriority, which exist only while SCTLR_ELx.NMI is 1; a trace does not have that.
      return;
    case IDR0:
      m.low = state.config.cpuif.idr0;
      return;
    case IAFFIDR:
      m.low = state.config.pes[pe]!.iaffid;
      return;
    case HPPIR: {
      const { intid, priority } = signalled(m, pe);
      if (priority === IDLE) return;
      m.low = intid;
      m.high = IS_VALID;
      return;
    }
    case ICSR:
      m.low = state.icsr[2 * pe]!;
      m.high = state.icsr[2 * pe + 1]!;
      return;
    case APR:
      m.low = state.apr[pe]!;
      return;
    case CR0:
      m.low = state.cr0[pe]!;
      return;
    case PCR:
      m.low = state.pcr[pe]!;
      return;
    default: {
      const words = ppiRegister(m, register);
      if (words !== undefined) {
        const at = pe * PPI_WORDS + 2 * (register & 1);
        m.low = words[at]!;
        m.high = words[at + 1]!;
      } else if (register >= PRIORITYR && register < PRIORITYR + PRIORITYRS) {
        const at = pe * PPIS + 8 * (register - PRIORITYR);
        m.low = priorities(state.ppiPriority, at);
        m.high = priorities(state.ppiPriority, at + 4);
      } else m.unsupported = true;
    }
  }
}

const priorities = (bytes: Uint8Array, at: number) =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

/** The bitmap of a register of PPIs, of which there are two with consecutive encodings. */
function ppiRegister(m: Gicv5Machine, register: number): Uint32Array | undefined {
  const { ppi } = m.state;
  switch (register & ~1) {
    case ENABLER:
      return ppi.enable;
    case CACTIVER:
    case SACTIVER:
      return ppi.active;
    case CPENDR:
    case SPENDR:
      return ppi.pending;
    case HMR:
      return ppi.handling;
    default:
      return undefined;
  }
}

/** A PE writes a system register or executes a GIC instruction. A `pe` below 0 is any PE: only the IRS is concerned. */
export function writeSysreg(m: Gicv5Machine, pe: number, register: number, low: number, high: number): void {
  const intid = (low & INTID) >>> 0;
  switch (register) {
    case CDDIS:
    case CDEN:
      setEnabled(m, intid, register === CDEN);
      return;
    case CDPRI:
      setPriority(m, intid, (high >>> 3) & PRIORITY);
      return;
    case CDAFF:
      setTarget(m, intid, high & 0xffff);
      return;
    case CDPEND:
      setPending(m, intid, (high & 1) !== 0);
      return;
    case CDHM:
      setHandling(m, intid, (high & 1) !== 0);
      return;
    case CDRCFG: {
      const [icsrLow, icsrHigh] = requestConfig(m, intid);
      if (m.isPe(pe)) m.changeIcc(pe, ICSR, icsrLow, icsrHigh);
      return;
    }
    case CDDI:
      if (gicv5Type(intid) !== PPI) {
        if (gicv5Type(intid) === SPI || gicv5Type(intid) === LPI) deactivate(m, intid);
        return;
      }
      break;
    case GSB_SYS:
    case GSB_ACK:
      return;
    default:
  }
  if (m.isPe(pe)) writeOwn(m, pe, register, low, high);
  else m.unsupported = true;
}

/** What concerns the PE's own CPU interface. */
function writeOwn(m: Gicv5Machine, pe: number, register: number, low: number, high: number): void {
  switch (register) {
    case CDEOI:
      drop(m, pe);
      return;
    case CDDI: {
      const id = gicv5Id(low);
      if (id >= PPIS) return;
      activatePpi(m, pe, id, false);
      if (m.profile.deactivatesUpperPpis) {
        const upper = (id & 64) + 32;
        for (let one = upper; one < upper + 32; one++) activatePpi(m, pe, one, false);
      }
      m.touchPpis(pe);
      return;
    }
    case ICSR:
      m.changeIcc(pe, ICSR, low, high);
      return;
    case APR:
      m.changeIcc(pe, APR, low);
      m.touchSignal(pe);
      return;
    case CR0:
      m.changeIcc(pe, CR0, (low & CR0_EN) | CR0_LINKED);
      m.touchSignal(pe);
      return;
    case PCR:
      m.changeIcc(pe, PCR, low & PRIORITY);
      m.touchSignal(pe);
      return;
    default:
  }
  if (register >= PRIORITYR && register < PRIORITYR + PRIORITYRS) {
    const all = m.profile.keepsReservedBits;
    m.changeIcc(pe, register, all ? low : low & 0x1f1f_1f1f, all ? high : high & 0x1f1f_1f1f);
  } else if (!writePpis(m, pe, register, low, high)) {
    m.unsupported = true;
    return;
  }
  m.touchPpis(pe);
}

/** A register over PPIs. Returns whether it is one. */
function writePpis(m: Gicv5Machine, pe: number, register: number, low: number, high: number): boolean {
  const { ppi } = m.state;
  const first = 64 * (register & 1);
  const each = (bits: Uint32Array, value: (word: number, old: number) => number, set: SetPpi) => {
    for (let half = 0; half < 2; half++) {
      const word = pe * PPI_WORDS + (first >> 5) + half;
      const old = bits[word]!;
      const wanted = value(half === 0 ? low : high, old);
      for (let changed = old ^ wanted; changed !== 0; changed &= changed - 1) {
        const at = 31 - Math.clz32(changed & -changed);
        set(m, pe, first + 32 * half + at, ((wanted >>> at) & 1) !== 0);
      }
    }
  };
  switch (register & ~1) {
    case ENABLER:
      each(ppi.enable, (word) => word, enablePpi);
      return true;
    case CACTIVER:
      each(ppi.active, (word, old) => old & ~word, activatePpi);
      return true;
    case SACTIVER:
      each(ppi.active, (word, old) => old | word, activatePpi);
      return true;
    case CPENDR:
    case SPENDR: {
      // The pending state of a PPI with handling mode Level is that of its input line.
      const sets = (register & ~1) === SPENDR;
      for (let half = 0; half < 2; half++) {
        const word = (first >> 5) + half;
        const edges = ~m.state.ppiHandling[word]! & (half === 0 ? low : high);
        for (let bits = edges; bits !== 0; bits &= bits - 1)
          pendPpi(m, pe, 32 * word + 31 - Math.clz32(bits & -bits), sets, BY_SOFTWARE);
      }
      return true;
    }
    default:
      return false;
  }
}

type SetPpi = (m: Gicv5Machine, pe: number, id: number, value: boolean) => void;
const isSet = (words: Uint32Array, pe: number, id: number) =>
  ((words[pe * PPI_WORDS + (id >> 5)]! >>> (id & 31)) & 1) !== 0;

export function enablePpi(m: Gicv5Machine, pe: number, id: number, on: boolean): void {
  if (isSet(m.state.ppi.enable, pe, id) !== on)
    m.emit(IRQ_CHANGED, pe, gicv5Intid(PPI, id), ENABLE, on ? 1 : 0);
}

export function activatePpi(m: Gicv5Machine, pe: number, id: number, on: boolean): void {
  if (isSet(m.state.ppi.active, pe, id) !== on)
    m.emit(on ? IRQ_ACTIVATED : IRQ_DEACTIVATED, pe, gicv5Intid(PPI, id));
}

export function pendPpi(m: Gicv5Machine, pe: number, id: number, on: boolean, cause: number): void {
  if (isSet(m.state.ppi.pending, pe, id) === on) return;
  if (on) m.emit(IRQ_PENDED, pe, gicv5Intid(PPI, id), cause);
  else m.emit(IRQ_UNPENDED, pe, gicv5Intid(PPI, id));
}

/** The input line of a PPI goes to a level. */
export function setPpiLine(m: Gicv5Machine, pe: number, intid: number, level: number): void {
  const id = gicv5Id(intid);
  if (!m.isPe(pe) || id >= PPIS) return;
  const { ppi } = m.state;
  const was = isSet(ppi.level, pe, id);
  if (was !== (level !== 0)) m.emit(WIRE_CHANGED, pe, intid, level);
  const isLevel = isSet(ppi.handling, pe, id);
  if (isLevel) {
    if (isSet(ppi.pending, pe, id) === (level !== 0)) return;
    pendPpi(m, pe, id, level !== 0, BY_WIRE);
  } else if (!was && level !== 0) pendPpi(m, pe, id, true, BY_WIRE);
  else return;
  m.touchPpis(pe);
}

/** GICR CDIA: acknowledges the interrupt that the PE is signalled. */
function acknowledge(m: Gicv5Machine, pe: number): void {
  const { intid, priority } = signalled(m, pe);
  if (priority === IDLE) return;
  if (intid === 0) {
    // No implementation can go on from here (`resetPresentsPpi`).
    m.unsupported = true;
    return;
  }
  m.low = intid;
  m.high = IS_VALID;
  // The priority becomes active first, so that what follows is judged by the new running priority.
  m.emit(ACKNOWLEDGED, pe, intid, priority);
  if (gicv5Type(intid) !== PPI) {
    activate(m, intid);
    if (!m.profile.showsAll) m.touchSignal(pe);
    return;
  }
  const id = gicv5Id(intid);
  activatePpi(m, pe, id, true);
  if (!isSet(m.state.ppi.handling, pe, id)) pendPpi(m, pe, id, false, BY_SOFTWARE);
  m.touchPpis(pe);
}

/** GIC CDEOI: drops the running priority, which is the highest active one. */
function drop(m: Gicv5Machine, pe: number): void {
  const apr = m.state.apr[pe]!;
  if (apr !== 0) m.emit(DROPPED, pe, 31 - Math.clz32(apr & -apr));
  m.touchSignal(pe);
}
