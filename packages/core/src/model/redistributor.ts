// Handlers of a Redistributor's registers, by name (IHI 0069, "Redistributor register descriptions"). `pe` is the PE whose
// Redistributor it is, not the PE that accesses it.
import { RECORDS, UNITS } from '../record/index.ts';
import { GICR, type RegisterSpec } from '../spec/index.ts';
import { privateIntid } from './intid.ts';
import { irqRegisters } from './irq-registers.ts';
import {
  clearLpiPending,
  dropPending,
  invalidateAllLpis,
  invalidateKeptLpi,
  invalidateLpi,
  loadPendingTable,
  lpiInRange,
  lpisEnabled,
  reloadConfigs,
  setLpiPending,
} from './lpi.ts';
import type { Machine } from './machine.ts';
import { redistributorTable } from './table-attributes.ts';
import { invalidateOfVpe } from './vlpi-frame.ts';

const LPI_FORGOTTEN = RECORDS['lpi.forgotten'].id;
const UNIT_GICR = UNITS.indexOf('GICR');
const CTLR_ENABLE_LPIS = 1;
const CTLR_DPG1NS = 0x200_0000;
const CTLR_DPG = 0x700_0000;
const CTLR_DPG1S = 0x400_0000;
const TYPER_PLPIS = 1;
const TYPER_LAST = 0x10;
/** Bytes of a Redistributor of GICv4; a Redistributor of GICv3 has half as many. */
const FRAMES_MOST = 0x4_0000;
const TYPER_DPGS = 0x20;
const PTZ_HIGH = 0x4000_0000;
const INVALIDATE_V = 0x8000_0000;

/** Whether a write of GICR_INVLPIR or GICR_INVALLR, of which this is the upper word, concerns a vPE. */
function isOfVpe(m: Machine, high: number): boolean {
  return m.profile.invalidateHasV && (high & INVALIDATE_V) !== 0;
}

/** The registers over SGIs, PPIs and extended PPIs. */
export const privateRegisters = irqRegisters({
  bits: (state) => state.ppi,
  priorities: (state) => state.ppiPriority,
  nsacr: (state) => state.ppiNsacr,
  word: (state, pe, n) => (n < state.ppiWords ? pe * state.ppiWords + n : -1),
  firstIntid: (state, word) => privateIntid(32 * (word % state.ppiWords)),
  owner: (pe) => pe,
  nsacrWidens: false,
  isFixed: (n, m) => n === 0 || (n === 1 && !m.profile.ppisConfigurable),
});

/** The bits of a register that belong to a field: low and high word. */
function fieldMask(spec: RegisterSpec): readonly [number, number] {
  let mask = 0n;
  for (const field of spec.fields) mask |= ((1n << BigInt(field.width)) - 1n) << BigInt(field.lsb);
  return [Number(mask & 0xffff_ffffn), Number(mask >> 32n)];
}

/** GICR_PROPBASER and GICR_PENDBASER: ignored while EnableLPIs is 1, unless the profile says otherwise. */
const baser = (spec: RegisterSpec, stored: (m: Machine) => Uint32Array) => {
  const [lowMask, highMask] = fieldMask(spec);
  return (m: Machine, pe: number, _n: number, low: number, high: number): void => {
    if (lpisEnabled(m, pe)) {
      m.unpredictable('lpi-table-while-enabled', pe, spec.offset);
      if (!m.profile.pendbaserWritableWhileEnabled) return;
    }
    const keeps = m.profile.baserKeepsReserved;
    const masked = keeps
      ? ([low, high] as const)
      : ([(low & lowMask) >>> 0, (high & highMask) >>> 0] as const);
    const [newLow, newHigh] = m.profile.anyAttributes ? masked : redistributorTable(...masked);
    const shares = m.profile.propbaserShared && spec === GICR.GICR_PROPBASER;
    for (let to = shares ? 0 : pe; to < (shares ? m.state.peCount : pe + 1); to++)
      m.changeRegister(
        UNIT_GICR,
        to,
        spec.offset,
        newLow,
        newHigh,
        stored(m)[2 * to]!,
        stored(m)[2 * to + 1]!,
      );
  };
};

/** Bits of GICR_CTLR that the access may write. */
function writableCtlr(m: Machine): number {
  const { typer } = m.state.config.gicr;
  const dpg = !m.secure ? CTLR_DPG1NS : m.state.singleSecurity ? CTLR_DPG & ~CTLR_DPG1S : CTLR_DPG;
  return (typer & TYPER_PLPIS ? CTLR_ENABLE_LPIS : 0) | (typer & TYPER_DPGS ? dpg : 0);
}

/** Whether no Redistributor follows at the next address: GICR_TYPER.Last is set in the last one of each contiguous region. */
function isLastOfRegion(m: Machine, pe: number): boolean {
  const { gicr } = m.state.config.addresses;
  const next = gicr[pe + 1];
  return next === undefined || next < gicr[pe]! || next > gicr[pe]! + FRAMES_MOST;
}

export const gicrRead = {
  GICR_CTLR: (m: Machine, pe: number): void => {
    const ctlr = m.state.gicrCtlr[pe]!;
    m.low = m.secure ? ctlr : (ctlr & ~(CTLR_DPG & ~CTLR_DPG1NS)) >>> 0;
  },
  GICR_TYPER: (m: Machine, pe: number): void => {
    const { gicr, pes } = m.state.config;
    m.low = (gicr.typer | (pe << 8) | (isLastOfRegion(m, pe) ? TYPER_LAST : 0)) >>> 0;
    m.high = pes[pe]!.affinity;
  },
  GICR_STATUSR: (m: Machine, pe: number): void => {
    m.low = m.state.gicrStatusr[pe]!;
  },
  GICR_WAKER: (m: Machine, pe: number): void => {
    // GICR_WAKER is Secure with two Security states, unless the profile says otherwise.
    if (m.secure || m.profile.wakerNonSecure) m.low = m.state.gicrWaker[pe]!;
  },
  GICR_PROPBASER: (m: Machine, pe: number): void => {
    m.low = m.state.propbaser[2 * pe]!;
    m.high = m.state.propbaser[2 * pe + 1]!;
  },
  GICR_PENDBASER: (m: Machine, pe: number): void => {
    m.low = m.state.pendbaser[2 * pe]!;
    m.high = m.state.pendbaser[2 * pe + 1]! & (m.profile.ptzReadsBack ? 0xffff_ffff : ~PTZ_HIGH);
    m.high >>>= 0;
  },
  /** Every operation completes at once, so Busy is never set. */
  GICR_SYNCR: (m: Machine): void => {
    m.low = 0;
  },
};

export const gicrWrite = {
  GICR_CTLR: (m: Machine, pe: number, _n: number, low: number): void => {
    const old = m.state.gicrCtlr[pe]!;
    const was = lpisEnabled(m, pe);
    const writable = writableCtlr(m);
    let value = (old & ~writable) | (low & writable);
    // Without CES, EnableLPIs is RES1 once it has been set.
    if (was && !m.profile.ctlrCes) value |= CTLR_ENABLE_LPIS;
    const on = (value & CTLR_ENABLE_LPIS) !== 0;
    m.changeRegister(UNIT_GICR, pe, GICR.GICR_CTLR.offset, value >>> 0, 0, old, 0);
    if (on && (!was || m.profile.enableAgainRescans)) loadPendingTable(m, pe);
    // The Redistributor still has cached LPI configurations from before, which it reads again.
    if (on && (was ? m.profile.enableAgainRescans : !m.profile.disableForgets)) reloadConfigs(m, pe);
    else if (was && !on && m.profile.disableForgets) {
      if (m.profile.disableDropsPending) dropPending(m, pe);
      // A configuration that was read when the LPI was mapped stays until INV.
      if (!m.profile.lpiConfigWhenMapped) m.emit(LPI_FORGOTTEN, pe, 0);
    }
  },
  GICR_STATUSR: (m: Machine, pe: number, _n: number, low: number): void => {
    const old = m.state.gicrStatusr[pe]!;
    m.changeRegister(UNIT_GICR, pe, GICR.GICR_STATUSR.offset, old & ~low, 0, old, 0);
  },
  GICR_WAKER: (m: Machine, pe: number, _n: number, low: number): void => {
    // The handshake completes at once, so ChildrenAsleep follows ProcessorSleep.
    if (!m.profile.wakerWritable) return;
    if (m.secure || m.profile.wakerNonSecure)
      m.changeRegister(UNIT_GICR, pe, GICR.GICR_WAKER.offset, low & 2 ? 6 : 0, 0, m.state.gicrWaker[pe]!, 0);
  },
  GICR_SETLPIR: (m: Machine, pe: number, _n: number, low: number): void => {
    if (lpisEnabled(m, pe) && lpiInRange(m, pe, low)) setLpiPending(m, pe, low, 'software');
  },
  GICR_CLRLPIR: (m: Machine, pe: number, _n: number, low: number): void => {
    if (lpisEnabled(m, pe) && lpiInRange(m, pe, low)) clearLpiPending(m, pe, low);
  },
  GICR_PROPBASER: baser(GICR.GICR_PROPBASER, (m) => m.state.propbaser),
  GICR_PENDBASER: baser(GICR.GICR_PENDBASER, (m) => m.state.pendbaser),
  /** With V = 1, the INTID is that of a vLPI of the named vPE. */
  GICR_INVLPIR: (m: Machine, pe: number, _n: number, low: number, high: number): void => {
    if (isOfVpe(m, high)) invalidateOfVpe(m, pe, high & 0xffff, low);
    else if (!lpisEnabled(m, pe)) return;
    else if (m.profile.lpiConfigWhenMapped) invalidateKeptLpi(m, low);
    else if (lpiInRange(m, pe, low)) invalidateLpi(m, pe, low);
  },
  /** V = 1 means the same as in GICR_INVLPIR. */
  GICR_INVALLR: (m: Machine, pe: number, _n: number, _low: number, high: number): void => {
    if (isOfVpe(m, high)) invalidateOfVpe(m, pe, high & 0xffff, 0);
    else if (lpisEnabled(m, pe)) invalidateAllLpis(m, pe);
  },
};
