// SPIs and LPIs in the IRS: what the CPU interfaces ask of it by the GIC CD instructions and by acknowledging, and what input
// lines do. An LPI's state is its ISTE; an SPI's is in the IRS.
import { IRQ_ATTRIBUTES, NO_PE, PEND_CAUSES, RECORDS } from '../record/index.ts';
import { GICV5_TYPES, gicv5Id, gicv5Intid, gicv5Type } from '../spec/gicv5/index.ts';
import { ISTE, NO_ISTE, readIste, writeIste } from './ist.ts';
import { type Gicv5Machine, NON_SECURE } from './machine.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const IRS_ACTIVATED = RECORDS['irs.activated'].id;
const IRS_DEACTIVATED = RECORDS['irs.deactivated'].id;
const IRS_CONFIG = RECORDS['irs.config'].id;
const SPI_STATE = RECORDS['spi.state'].id;
const ENABLE = IRQ_ATTRIBUTES.indexOf('enable');
const PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const EDGE = IRQ_ATTRIBUTES.indexOf('edge');
const HM = IRQ_ATTRIBUTES.indexOf('HM');
const BY_WIRE = PEND_CAUSES.indexOf('wire');
const BY_SOFTWARE = PEND_CAUSES.indexOf('software');
const { LPI, SPI } = GICV5_TYPES;
const IAFFID = 0xffff;

/** ICC_ICSR_EL1: F, Enabled, Pending, Active, HM, and where Priority is; the IAFFID is in the upper word. */
const ICSR = {
  failed: 1,
  enabled: 2,
  pending: 4,
  irm: 8,
  active: 0x10,
  handling: 0x20,
  priorityLsb: 11,
} as const;

const bit = (words: Uint32Array, index: number) => (words[index >> 5]! >>> (index & 31)) & 1;

/** The index of the SPI that an INTID names, or -1. */
function spiOf(m: Gicv5Machine, intid: number): number {
  return gicv5Type(intid) === SPI ? m.state.spiIndex(gicv5Id(intid)) : -1;
}

const iaffidOf = (m: Gicv5Machine, spi: number) => m.state.spiTarget[spi]! & IAFFID;
const iaffidOfIste = (iste: number) => iste >>> ISTE.iaffidLsb;

/** Changes the ISTE of an LPI as `change` says. Returns it, or `NO_ISTE` if there is none. */
function changeLpi(m: Gicv5Machine, intid: number, clear: number, set: number): number {
  const id = gicv5Id(intid);
  const old = readIste(m, id);
  if (old === NO_ISTE) return NO_ISTE;
  const iste = ((old & ~clear) | set) >>> 0;
  writeIste(m, id, iste);
  return iste;
}

function changeLpiAndLook(m: Gicv5Machine, intid: number, clear: number, set: number): void {
  const iste = changeLpi(m, intid, clear, set);
  if (iste !== NO_ISTE) m.recalculate(iaffidOfIste(iste));
}

function setAttribute(m: Gicv5Machine, intid: number, attribute: number, old: number, value: number): void {
  if (old !== value) m.emit(IRQ_CHANGED, NO_PE, intid, attribute, value);
}

export function pendSpi(m: Gicv5Machine, spi: number, pending: boolean, cause = BY_WIRE): void {
  if ((bit(m.state.spi.pending, spi) !== 0) === pending) return;
  const intid = gicv5Intid(SPI, m.state.spiBase + spi);
  if (pending) m.emit(IRQ_PENDED, NO_PE, intid, cause);
  else m.emit(IRQ_UNPENDED, NO_PE, intid);
}

function activateSpi(m: Gicv5Machine, spi: number, intid: number, active: boolean): void {
  if ((bit(m.state.spi.active, spi) !== 0) === active) return;
  m.emit(active ? IRQ_ACTIVATED : IRQ_DEACTIVATED, NO_PE, intid);
}

/** GIC CDEN and CDDIS. */
export function setEnabled(m: Gicv5Machine, intid: number, enabled: boolean): void {
  const spi = spiOf(m, intid);
  if (gicv5Type(intid) === LPI) changeLpiAndLook(m, intid, ISTE.enable, enabled ? ISTE.enable : 0);
  else if (spi >= 0) {
    const value = enabled || m.profile.ignoresSpiDisable ? 1 : 0;
    setAttribute(m, intid, ENABLE, bit(m.state.spi.enable, spi), value);
    m.recalculate(iaffidOf(m, spi));
  }
}

/** GIC CDPRI. `priority` has 5 bits, of which the low ones may not be implemented. */
export function setPriority(m: Gicv5Machine, intid: number, priority: number): void {
  const value = priority & priorityMask(m);
  const spi = spiOf(m, intid);
  if (gicv5Type(intid) === LPI) changeLpiAndLook(m, intid, ISTE.priorityMask, value << ISTE.priorityLsb);
  else if (spi >= 0) {
    setAttribute(m, intid, PRIORITY, m.state.spiPriority[spi]!, value);
    m.recalculate(iaffidOf(m, spi));
  }
}

/** IRS_IDR1.PRI_BITS: priorities have that many bits plus one, the upper ones of five. */
function priorityMask(m: Gicv5Machine): number {
  const bits = ((m.state.config.irs[0]!.idr[1]! >>> 20) & 7) + 1;
  return (0x1f << Math.max(0, 5 - bits)) & 0x1f;
}

/** GIC CDPEND. */
export function setPending(m: Gicv5Machine, intid: number, pending: boolean): void {
  const spi = spiOf(m, intid);
  if (gicv5Type(intid) === LPI) changeLpiAndLook(m, intid, ISTE.pending, pending ? ISTE.pending : 0);
  else if (spi >= 0) {
    pendSpi(m, spi, pending || m.profile.ignoresSpiUnpend, BY_SOFTWARE);
    m.recalculate(iaffidOf(m, spi));
  }
}

/** What a device does to an LPI: by an ITS, or by a SETLPI frame. */
export type LpiEvent = 'SET_EDGE' | 'SET_LEVEL' | 'CLEAR';

/** The PE at which an LPI is targeted, `NO_PE` if none has its IAFFID, or undefined if the table has no such LPI. */
export function targetOf(m: Gicv5Machine, intid: number): number | undefined {
  const iste = readIste(m, gicv5Id(intid));
  return iste === NO_ISTE ? undefined : (m.state.peByIaffid.get(iaffidOfIste(iste)) ?? NO_PE);
}

/** An event for an LPI. As for the input lines of SPIs, it decides the handling mode (R_QBXXV, R_HHKMN). */
export function lpiEvent(m: Gicv5Machine, intid: number, event: LpiEvent): void {
  if (event === 'SET_EDGE') changeLpiAndLook(m, intid, ISTE.handling, ISTE.pending);
  else if (event === 'SET_LEVEL') changeLpiAndLook(m, intid, 0, ISTE.pending | ISTE.handling);
  else changeLpiAndLook(m, intid, ISTE.pending, 0);
}

/** GIC CDHM. It changes no pending state, so nothing is looked for. */
export function setHandling(m: Gicv5Machine, intid: number, level: boolean): void {
  const spi = spiOf(m, intid);
  if (gicv5Type(intid) === LPI) changeLpi(m, intid, ISTE.handling, level ? ISTE.handling : 0);
  else if (spi >= 0) setAttribute(m, intid, HM, bit(m.state.spi.handling, spi), level ? 1 : 0);
}

/** GIC CDAFF. The routing mode is always targeted: IRS_IDR0.ONE_N is 0, and then the field is RES0. */
export function setTarget(m: Gicv5Machine, intid: number, iaffid: number): void {
  const spi = spiOf(m, intid);
  let old: number;
  if (gicv5Type(intid) === LPI) {
    const before = readIste(m, gicv5Id(intid));
    if (before === NO_ISTE) return;
    old = iaffidOfIste(before);
    changeLpi(m, intid, 0xffff_0000, (iaffid << ISTE.iaffidLsb) >>> 0);
  } else if (spi >= 0) {
    old = iaffidOf(m, spi);
    if (old !== iaffid) m.emit(IRQ_ROUTED, NO_PE, intid, iaffid);
  } else return;
  m.recalculate(old);
  m.recalculate(iaffid);
}

/** An interrupt is acknowledged: it becomes active, and ceases to be pending if its handling mode is Edge. */
export function activate(m: Gicv5Machine, intid: number): void {
  m.emit(IRS_ACTIVATED, NO_PE, NON_SECURE, intid);
  const spi = spiOf(m, intid);
  if (gicv5Type(intid) === LPI) {
    const old = readIste(m, gicv5Id(intid));
    if (old === NO_ISTE) return;
    changeLpiAndLook(m, intid, old & ISTE.handling ? 0 : ISTE.pending, ISTE.active);
  } else if (spi >= 0) {
    activateSpi(m, spi, intid, true);
    if (bit(m.state.spi.handling, spi) === 0) pendSpi(m, spi, false);
    m.recalculate(iaffidOf(m, spi));
  }
}

/** GIC CDDI of an SPI or LPI. */
export function deactivate(m: Gicv5Machine, intid: number): void {
  m.emit(IRS_DEACTIVATED, NO_PE, NON_SECURE, intid);
  const spi = spiOf(m, intid);
  if (gicv5Type(intid) === LPI) changeLpiAndLook(m, intid, ISTE.active, 0);
  else if (spi >= 0) {
    activateSpi(m, spi, intid, false);
    m.recalculate(iaffidOf(m, spi));
  }
}

/** GIC CDRCFG: what ICC_ICSR_EL1 reads afterwards, low and high word. */
export function requestConfig(m: Gicv5Machine, intid: number): readonly [low: number, high: number] {
  const spi = spiOf(m, intid);
  const answer = configOf(m, intid, spi);
  if (gicv5Type(intid) === LPI || spi >= 0)
    m.emit(IRS_CONFIG, NO_PE, NON_SECURE, intid, answer[0], answer[1]);
  return answer;
}

function configOf(m: Gicv5Machine, intid: number, spi: number): readonly [low: number, high: number] {
  const { state } = m;
  if (gicv5Type(intid) === LPI) {
    const iste = readIste(m, gicv5Id(intid));
    if (iste === NO_ISTE) return [ICSR.failed, 0];
    const flags =
      (iste & ISTE.enable ? ICSR.enabled : 0) |
      (iste & ISTE.pending ? ICSR.pending : 0) |
      (iste & ISTE_IRM ? ICSR.irm : 0) |
      (iste & ISTE.active ? ICSR.active : 0) |
      (iste & ISTE.handling ? ICSR.handling : 0);
    // The priority is in the same bits of both.
    return [flags | (iste & ISTE.priorityMask), iaffidOfIste(iste)];
  }
  if (spi < 0) return [ICSR.failed, 0];
  const flags =
    (bit(state.spi.enable, spi) ? ICSR.enabled : 0) |
    (bit(state.spi.pending, spi) ? ICSR.pending : 0) |
    (bit(state.spi.active, spi) ? ICSR.active : 0) |
    (bit(state.spi.handling, spi) ? ICSR.handling : 0);
  return [flags | (state.spiPriority[spi]! << ICSR.priorityLsb), iaffidOf(m, spi)];
}
const ISTE_IRM = 0x10;

/** Samples the input line of an SPI, after it changed or because software asked for it (R_QBXXV, R_DMTFM, R_HHKMN). */
export function sampleSpi(m: Gicv5Machine, spi: number): void {
  const { state } = m;
  const isLevel = bit(state.spiTrigger, spi) !== 0;
  const intid = gicv5Intid(SPI, state.spiBase + spi);
  if (bit(state.spi.level, spi) !== 0) {
    pendSpi(m, spi, true);
    setAttribute(m, intid, HM, bit(state.spi.handling, spi), isLevel ? 1 : 0);
  } else if (isLevel) pendSpi(m, spi, false);
}

/** Says what has become of an SPI. */
export function showSpi(m: Gicv5Machine, spi: number): void {
  const { level, pending, active } = m.state.spi;
  const intid = gicv5Intid(SPI, m.state.spiBase + spi);
  m.emit(SPI_STATE, NO_PE, intid, bit(level, spi), bit(pending, spi), bit(active, spi));
}

/** The input line of an SPI goes to a level. */
export function setSpiLine(m: Gicv5Machine, intid: number, level: number): void {
  const spi = spiOf(m, intid);
  if (spi < 0 || bit(m.state.spi.level, spi) === level) return;
  m.emit(WIRE_CHANGED, NO_PE, intid, level);
  sampleSpi(m, spi);
  showSpi(m, spi);
  m.recalculate(iaffidOf(m, spi));
}

/** IRS_SPI_CFGR.TM: a change of the trigger mode may be a SET_LEVEL or CLEAR event (R_KBPXL). */
export function setTrigger(m: Gicv5Machine, spi: number, isLevel: boolean): void {
  const { state } = m;
  if ((bit(state.spiTrigger, spi) !== 0) === isLevel) return;
  const intid = gicv5Intid(SPI, state.spiBase + spi);
  m.emit(IRQ_CHANGED, NO_PE, intid, EDGE, isLevel ? 0 : 1);
  const isHigh = bit(state.spi.level, spi) !== 0;
  if (isLevel) {
    pendSpi(m, spi, isHigh);
    if (isHigh) setAttribute(m, intid, HM, bit(state.spi.handling, spi), 1);
  } else if (isHigh) pendSpi(m, spi, false);
  m.recalculate(iaffidOf(m, spi));
}
