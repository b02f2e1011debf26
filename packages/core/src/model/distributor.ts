// Handlers of the Distributor's registers, by name (IHI 0069, "Distributor register descriptions"). With one Security
// state, every access counts as Secure.
import { NO_PE, PEND_CAUSES, RECORDS, UNITS } from '../record/index.ts';
import { ESPI_FIRST, GICD, isPrivate, mask, maskHigh } from '../spec/index.ts';
import { routedPe } from './arbitration.ts';
import { hasInterrupt, sharedIndex, sharedIntid } from './intid.ts';
import {
  type IrqBank,
  irqRegisters,
  NSACR_CLEAR_PENDING,
  NSACR_SET_PENDING,
  NSACR_TO_WRITE,
  reaches,
} from './irq-registers.ts';
import { loseUnmapped } from './lpi.ts';
import type { Machine } from './machine.ts';
import { overlookAll, overlookRouted } from './overlooked.ts';

const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const CAUSE_MESSAGE = PEND_CAUSES.indexOf('msi');
const UNIT_GICD = UNITS.indexOf('GICD');

const { GICD_CTLR, GICD_TYPER, GICD_IROUTER } = GICD;
const CTLR_GRP0 = mask(GICD_CTLR, 'EnableGrp0');
const CTLR_GRP1NS = mask(GICD_CTLR, 'EnableGrp1NS');
const CTLR_GRP1S = mask(GICD_CTLR, 'EnableGrp1S');
const CTLR_ARE_NS = mask(GICD_CTLR, 'ARE_NS');
const CTLR_DS = mask(GICD_CTLR, 'DS');
const CTLR_E1NWF = mask(GICD_CTLR, 'E1NWF');
/** With one Security state: DS and ARE. */
const CTLR_ONE_STATE = mask(GICD_CTLR, 'DS', 'ARE');
const TYPER_SECURITY_EXTN = mask(GICD_TYPER, 'SecurityExtn');
const TYPER_NO1N = mask(GICD_TYPER, 'No1N');
const IROUTER_IRM = mask(GICD_IROUTER, 'Interrupt_Routing_Mode');
const IROUTER_LOW = IROUTER_IRM | mask(GICD_IROUTER, 'Aff0', 'Aff1', 'Aff2');
const IROUTER_HIGH = maskHigh(GICD_IROUTER, 'Aff3');

const shared = {
  bits: (state) => state.spi,
  priorities: (state) => state.spiPriority,
  nsacr: (state) => state.spiNsacr,
  firstIntid: (state, word) => sharedIntid(state, 32 * word),
  owner: () => NO_PE,
  nsacrWidens: true,
  isFixed: () => false,
} satisfies Partial<IrqBank>;
const spis: IrqBank = {
  ...shared,
  // With affinity routing, SGIs and PPIs are RAZ/WI here, and so are SPIs that do not exist.
  word: (state, _instance, n) => (n > 0 && 32 * n < state.irqCount ? n : -1),
};
const extendedSpis: IrqBank = {
  ...shared,
  word: (state, _instance, n) => (32 * n < state.espiCount ? (state.espiBase >> 5) + n : -1),
};

/** The registers over SPIs and over extended SPIs. */
export const spiRegisters = irqRegisters(spis);
export const extendedSpiRegisters = irqRegisters(extendedSpis);

/** Bits of GICD_CTLR that the access may write. */
function writableCtlr(m: Machine): number {
  if (!m.secure || m.profile.ctlrGroup1Only) return CTLR_GRP1NS;
  // Without 1 of N SPIs, no PE needs to be woken for one.
  const e1nwf = m.state.config.gicd.typer & TYPER_NO1N ? 0 : CTLR_E1NWF;
  return CTLR_GRP0 | CTLR_GRP1NS | e1nwf | (m.state.singleSecurity ? 0 : CTLR_GRP1S | CTLR_DS);
}

/** Bits of GICD_IROUTER that are stored. */
function routeMask(m: Machine): number {
  if (m.profile.irouterKeepsReserved) return 0xffff_ffff;
  const oneOfN = m.profile.irmWritable && (m.state.config.gicd.typer & TYPER_NO1N) === 0;
  return oneOfN ? IROUTER_LOW : IROUTER_LOW & ~IROUTER_IRM;
}

/** Reads and writes the route of the n-th SPI from INTID `first` on. */
const routeRegister = (first: number) => {
  const indexOf = (m: Machine, n: number): number => {
    if (!hasInterrupt(m.state, first + n)) return -1;
    const index = sharedIndex(m.state, first + n);
    return reaches(m, spis, index, NSACR_TO_WRITE.IROUTER) ? index : -1;
  };
  return {
    read: (m: Machine, _instance: number, n: number): void => {
      const index = indexOf(m, n);
      if (index < 0) return;
      m.low = m.state.routeLow[index]!;
      m.high = m.state.routeHigh[index]!;
    },
    write: (m: Machine, _instance: number, n: number, low: number, high: number): void => {
      const index = indexOf(m, n);
      if (index < 0) return;
      const newLow = (low & routeMask(m)) >>> 0;
      const aff3 = m.profile.routesByAff3 ? IROUTER_HIGH : 0;
      const newHigh = m.profile.irouterKeepsReserved ? high : high & aff3;
      if (newLow === m.state.routeLow[index] && newHigh === m.state.routeHigh[index]) return;
      const hadPe = routedPe(m.state, index) >= 0;
      m.emit(IRQ_ROUTED, NO_PE, first + n, newLow, newHigh);
      if (!hadPe && routedPe(m.state, index) >= 0) overlookRouted(m, index);
    },
  };
};
export const routes = routeRegister(32);
export const extendedRoutes = routeRegister(ESPI_FIRST);

/**
 * A message-based SPI: a write of its INTID sets or clears its pending state. If it is level-sensitive, it stays pending
 * from the setting to the clearing message, as if an input line were asserted. An SPI is therefore driven either by
 * messages or by an input line.
 */
function message(m: Machine, intid: number, set: boolean): void {
  const { state } = m;
  if (isPrivate(intid) || !hasInterrupt(state, intid)) return;
  const index = sharedIndex(state, intid);
  if (!reaches(m, spis, index, set ? NSACR_SET_PENDING : NSACR_CLEAR_PENDING)) return;
  const { edge, level, pending } = state.spi;
  const word = index >> 5;
  const bit = 1 << (index & 31);
  if ((edge[word]! & bit) === 0) {
    if (((level[word]! & bit) !== 0) !== set) m.emit(WIRE_CHANGED, NO_PE, intid, set ? 1 : 0);
  } else if (set && (pending[word]! & bit) === 0) m.emit(IRQ_PENDED, NO_PE, intid, CAUSE_MESSAGE);
  if (!set && pending[word]! & bit) m.emit(IRQ_UNPENDED, NO_PE, intid);
}
/** The Secure registers exist only for Secure accesses with two Security states. */
const secureMessage = (m: Machine, intid: number, set: boolean): void => {
  if (m.secure && !m.state.singleSecurity) message(m, intid, set);
};
const MESSAGE_INTID = mask(GICD.GICD_SETSPI_NSR, 'INTID');

export const gicdRead = {
  GICD_CTLR: (m: Machine): void => {
    const ctlr = m.state.gicdCtlr[0]!;
    // The Non-secure view: EnableGrp1A in bit 1, ARE_NS in bit 4.
    m.low = m.secure ? ctlr : (ctlr & CTLR_GRP1NS) | ((ctlr & CTLR_ARE_NS) >> 1);
  },
  GICD_TYPER: (m: Machine): void => {
    // SecurityExtn is RES0 once DS is 1.
    m.low = (m.state.config.gicd.typer & ~(m.state.singleSecurity ? TYPER_SECURITY_EXTN : 0)) >>> 0;
  },
  GICD_STATUSR: (m: Machine): void => {
    // If the profile lacks the register, nothing ever sets it.
    m.low = m.profile.gicdStatusrOnes ? 0xffff_ffff : m.state.gicdStatusr[0]!;
  },
};

export const gicdWrite = {
  GICD_CTLR: (m: Machine, _instance: number, _n: number, low: number): void => {
    const old = m.state.gicdCtlr[0]!;
    const writable = writableCtlr(m);
    let value = (old & ~writable) | (low & writable);
    // Once DS is set it cannot be cleared, and the bits that exist only with two Security states are cleared.
    if (!m.state.singleSecurity && value & CTLR_DS)
      value = (value & (CTLR_GRP0 | CTLR_GRP1NS | CTLR_E1NWF)) | CTLR_ONE_STATE;
    m.changeRegister(UNIT_GICD, 0, GICD.GICD_CTLR.offset, value >>> 0, 0, old, 0);
    if (value & ~old & CTLR_GRP1NS) overlookAll(m);
    if (~value & old & CTLR_GRP1NS) loseUnmapped(m);
  },
  GICD_STATUSR: (m: Machine, _instance: number, _n: number, low: number): void => {
    const old = m.state.gicdStatusr[0]!;
    m.changeRegister(UNIT_GICD, 0, GICD.GICD_STATUSR.offset, old & ~low, 0, old, 0);
  },
  GICD_SETSPI_NSR: (m: Machine, _instance: number, _n: number, low: number): void =>
    message(m, low & MESSAGE_INTID, true),
  GICD_CLRSPI_NSR: (m: Machine, _instance: number, _n: number, low: number): void =>
    message(m, low & MESSAGE_INTID, false),
  GICD_SETSPI_SR: (m: Machine, _instance: number, _n: number, low: number): void =>
    secureMessage(m, low & MESSAGE_INTID, true),
  GICD_CLRSPI_SR: (m: Machine, _instance: number, _n: number, low: number): void =>
    secureMessage(m, low & MESSAGE_INTID, false),
};
