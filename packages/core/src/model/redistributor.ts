// A Redistributor's registers, by name (IHI 0069, "Redistributor register descriptions"). `pe` is the PE whose
// Redistributor it is, not the one that accesses it.
import { IRQ_ATTRIBUTES, RECORDS, UNITS } from '../record/index.ts';
import { GICR } from '../spec/index.ts';
import { changeBits, gather, spread } from './distributor.ts';
import { loadPendingTable, lpisEnabled } from './lpi.ts';
import type { Machine } from './machine.ts';
import type { IrqBits } from './state.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const UNIT_GICR = UNITS.indexOf('GICR');
const CTLR_ENABLE_LPIS = 1;
const PTZ_HIGH = 0x4000_0000;

function reachable(m: Machine, pe: number): number {
  return m.state.singleSecurity ? 0xffff_ffff : m.state.ppi.group[pe]!;
}

type BitmapName = keyof IrqBits;
const readBits = (name: BitmapName) => (m: Machine, pe: number, n: number) => {
  if (n > 0) return;
  const { ppi } = m.state;
  const value = name === 'pending' ? ppi.pending[pe]! | (~ppi.edge[pe]! & ppi.level[pe]!) : ppi[name][pe]!;
  m.low = (value & reachable(m, pe)) >>> 0;
};
const setBits = (name: BitmapName, set: boolean) => (m: Machine, pe: number, n: number, low: number) => {
  if (n > 0) return;
  const old = m.state.ppi[name][pe]!;
  const bits = low & reachable(m, pe);
  changeBits(m, name, pe, 0, old, set ? old | bits : old & ~bits);
};

export const gicrRead = {
  GICR_CTLR: (m: Machine, pe: number): void => {
    m.low = m.state.gicrCtlr[pe]!;
  },
  GICR_TYPER: (m: Machine, pe: number): void => {
    const { gicr, pes } = m.state.config;
    m.low = (gicr.typer | (pe << 8) | (pe === pes.length - 1 ? 0x10 : 0)) >>> 0;
    m.high = pes[pe]!.affinity;
  },
  GICR_WAKER: (m: Machine, pe: number): void => {
    m.low = m.state.gicrWaker[pe]!;
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
  GICR_IGROUPR: (m: Machine, pe: number, n: number): void => {
    if (n === 0 && m.state.singleSecurity) m.low = m.state.ppi.group[pe]!;
  },
  GICR_ISENABLER: readBits('enable'),
  GICR_ICENABLER: readBits('enable'),
  GICR_ISPENDR: readBits('pending'),
  GICR_ICPENDR: readBits('pending'),
  GICR_ISACTIVER: readBits('active'),
  GICR_ICACTIVER: readBits('active'),
  GICR_IPRIORITYR: (m: Machine, pe: number, intid: number): void => {
    if (intid >= 32 || !((reachable(m, pe) >>> intid) & 1)) return;
    const priority = m.state.ppiPriority[32 * pe + intid]!;
    m.low = m.state.singleSecurity ? priority : (priority << 1) & 0xff;
  },
  GICR_ICFGR: (m: Machine, pe: number, n: number): void => {
    if (n < 2) m.low = spread(((m.state.ppi.edge[pe]! & reachable(m, pe)) >>> (16 * n)) & 0xffff);
  },
};

export const gicrWrite = {
  GICR_CTLR: (m: Machine, pe: number, _n: number, low: number): void => {
    if ((m.state.config.gicr.typer & 1) === 0) return;
    const old = m.state.gicrCtlr[pe]!;
    const was = lpisEnabled(m, pe);
    // Without CES, EnableLPIs is RES1 once it has been set.
    const on = (low & CTLR_ENABLE_LPIS) !== 0 || (was && !m.profile.ctlrCes);
    m.changeRegister(
      UNIT_GICR,
      pe,
      GICR.GICR_CTLR.offset,
      (old & ~CTLR_ENABLE_LPIS) | (on ? 1 : 0),
      0,
      old,
      0,
    );
    if (on && !was) loadPendingTable(m, pe);
  },
  GICR_WAKER: (m: Machine, pe: number, _n: number, low: number): void => {
    // The handshake completes at once: ChildrenAsleep follows ProcessorSleep.
    m.changeRegister(UNIT_GICR, pe, GICR.GICR_WAKER.offset, low & 2 ? 6 : 0, 0, m.state.gicrWaker[pe]!, 0);
  },
  GICR_PROPBASER: (m: Machine, pe: number, _n: number, low: number, high: number): void => {
    const { propbaser } = m.state;
    if (lpisEnabled(m, pe)) {
      m.unpredictable('lpi-table-while-enabled', pe, GICR.GICR_PROPBASER.offset);
      if (!m.profile.pendbaserWritableWhileEnabled) return;
    }
    m.changeRegister(
      UNIT_GICR,
      pe,
      GICR.GICR_PROPBASER.offset,
      low,
      high,
      propbaser[2 * pe]!,
      propbaser[2 * pe + 1]!,
    );
  },
  GICR_PENDBASER: (m: Machine, pe: number, _n: number, low: number, high: number): void => {
    const { pendbaser } = m.state;
    if (lpisEnabled(m, pe)) {
      m.unpredictable('lpi-table-while-enabled', pe, GICR.GICR_PENDBASER.offset);
      if (!m.profile.pendbaserWritableWhileEnabled) return;
    }
    m.changeRegister(
      UNIT_GICR,
      pe,
      GICR.GICR_PENDBASER.offset,
      low,
      high,
      pendbaser[2 * pe]!,
      pendbaser[2 * pe + 1]!,
    );
  },
  GICR_IGROUPR: (m: Machine, pe: number, n: number, low: number): void => {
    if (n === 0 && m.state.singleSecurity) changeBits(m, 'group', pe, 0, m.state.ppi.group[pe]!, low);
  },
  GICR_ISENABLER: setBits('enable', true),
  GICR_ICENABLER: setBits('enable', false),
  GICR_ISPENDR: setBits('pending', true),
  GICR_ICPENDR: setBits('pending', false),
  GICR_ISACTIVER: setBits('active', true),
  GICR_ICACTIVER: setBits('active', false),
  GICR_IPRIORITYR: (m: Machine, pe: number, intid: number, low: number): void => {
    if (intid >= 32 || !((reachable(m, pe) >>> intid) & 1)) return;
    const byte = low & 0xff;
    const value = m.state.singleSecurity ? byte : 0x80 | (byte >> 1);
    if (value !== m.state.ppiPriority[32 * pe + intid])
      m.emit(IRQ_CHANGED, pe, intid, IRQ_ATTRIBUTES.indexOf('priority'), value);
  },
  GICR_ICFGR: (m: Machine, pe: number, n: number, low: number): void => {
    // SGIs are always edge-triggered.
    if (n !== 1) return;
    const mask = 0xffff_0000 & reachable(m, pe);
    const old = m.state.ppi.edge[pe]!;
    changeBits(m, 'edge', pe, 0, old, (old & ~mask) | ((gather(low) << 16) & mask));
  },
};
