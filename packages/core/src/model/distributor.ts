// The Distributor's registers, by name (IHI 0069, "Distributor register descriptions"). An access is by a
// Non-secure PE unless it says otherwise; with one Security state that makes no difference.
import { IRQ_ATTRIBUTES, NO_PE, PEND_CAUSES, RECORDS, UNITS } from '../record/index.ts';
import { GICD } from '../spec/index.ts';
import type { Machine } from './machine.ts';
import type { IrqBits } from './state.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const UNIT_GICD = UNITS.indexOf('GICD');
const CAUSE_SOFTWARE = PEND_CAUSES.indexOf('software');
const CTLR_DS = 0x40;

/** Emits, for each bit in which a word of 32 interrupts changes, the event that changes it. */
export function changeBits(
  m: Machine,
  name: keyof IrqBits,
  pe: number,
  firstIntid: number,
  old: number,
  wanted: number,
): void {
  let changed = old ^ wanted;
  while (changed !== 0) {
    const bit = 31 - Math.clz32(changed & -changed);
    changed &= changed - 1;
    const set = ((wanted >>> bit) & 1) === 1;
    const intid = firstIntid + bit;
    if (name === 'pending') {
      if (set) m.emit(IRQ_PENDED, pe, intid, CAUSE_SOFTWARE);
      else m.emit(IRQ_UNPENDED, pe, intid);
    } else if (name === 'active') m.emit(set ? IRQ_ACTIVATED : IRQ_DEACTIVATED, pe, intid);
    else
      m.emit(
        IRQ_CHANGED,
        pe,
        intid,
        IRQ_ATTRIBUTES.indexOf(name as (typeof IRQ_ATTRIBUTES)[number]),
        set ? 1 : 0,
      );
  }
}

/** Spreads 16 bits to the odd bits of a word (GICD_ICFGR). */
export function spread(bits: number): number {
  let word = 0;
  for (let k = 0; k < 16; k++) if ((bits >> k) & 1) word |= 2 << (2 * k);
  return word >>> 0;
}

/** Gathers the odd bits of a word into 16 bits. */
export function gather(word: number): number {
  let bits = 0;
  for (let k = 0; k < 16; k++) if ((word >>> (2 * k + 1)) & 1) bits |= 1 << k;
  return bits;
}

/** Interrupts of word `n` that a Non-secure access reaches: with two Security states those of Group 1. */
function reachable(m: Machine, n: number): number {
  return m.state.singleSecurity ? 0xffff_ffff : m.state.spi.group[n]!;
}

/** SGIs and PPIs are RAZ/WI here with affinity routing, and so are SPIs that do not exist. */
function implemented(m: Machine, n: number): boolean {
  return n > 0 && 32 * n < m.state.irqCount;
}

type BitmapName = keyof IrqBits;
const readBits = (name: BitmapName) => (m: Machine, _pe: number, n: number) => {
  if (!implemented(m, n)) return;
  const { spi } = m.state;
  const value = name === 'pending' ? spi.pending[n]! | (~spi.edge[n]! & spi.level[n]!) : spi[name][n]!;
  m.low = (value & reachable(m, n)) >>> 0;
};
const setBits = (name: BitmapName, set: boolean) => (m: Machine, _pe: number, n: number, low: number) => {
  if (!implemented(m, n)) return;
  const old = m.state.spi[name][n]!;
  const bits = low & reachable(m, n);
  changeBits(m, name, NO_PE, 32 * n, old, set ? old | bits : old & ~bits);
};
const securityOnly = (name: 'group' | 'grpmod') => ({
  read: (m: Machine, _pe: number, n: number) => {
    // With two Security states these are Secure registers; GICD_IGRPMODR exists only then.
    if (implemented(m, n) && m.state.singleSecurity && name === 'group') m.low = m.state.spi.group[n]!;
  },
  write: (m: Machine, _pe: number, n: number, low: number) => {
    if (implemented(m, n) && m.state.singleSecurity && name === 'group')
      changeBits(m, name, NO_PE, 32 * n, m.state.spi.group[n]!, low);
  },
});
const groups = securityOnly('group');
const groupModifiers = securityOnly('grpmod');

export const gicdRead = {
  GICD_CTLR: (m: Machine): void => {
    const ctlr = m.state.gicdCtlr[0]!;
    // The Non-secure view: EnableGrp1 in bit 1, ARE_NS in bit 4.
    m.low = ctlr & CTLR_DS ? ctlr : (ctlr & 2) | (((ctlr >> 5) & 1) << 4);
  },
  GICD_TYPER: (m: Machine): void => {
    m.low = m.state.config.gicd.typer;
  },
  GICD_IGROUPR: groups.read,
  GICD_IGRPMODR: groupModifiers.read,
  GICD_ISENABLER: readBits('enable'),
  GICD_ICENABLER: readBits('enable'),
  GICD_ISPENDR: readBits('pending'),
  GICD_ICPENDR: readBits('pending'),
  GICD_ISACTIVER: readBits('active'),
  GICD_ICACTIVER: readBits('active'),
  GICD_IPRIORITYR: (m: Machine, _pe: number, intid: number): void => {
    if (intid < 32 || intid >= m.state.irqCount || !((reachable(m, intid >> 5) >>> (intid & 31)) & 1)) return;
    const priority = m.state.spiPriority[intid]!;
    m.low = m.state.singleSecurity ? priority : (priority << 1) & 0xff;
  },
  GICD_ICFGR: (m: Machine, _pe: number, n: number): void => {
    const word = n >> 1;
    if (implemented(m, word))
      m.low = spread(((m.state.spi.edge[word]! & reachable(m, word)) >>> (16 * (n & 1))) & 0xffff);
  },
  GICD_IROUTER: (m: Machine, _pe: number, n: number): void => {
    if (n + 32 >= m.state.irqCount) return;
    m.low = m.state.routeLow[n + 32]!;
    m.high = m.state.routeHigh[n + 32]!;
  },
};

export const gicdWrite = {
  GICD_CTLR: (m: Machine, _pe: number, _n: number, low: number): void => {
    const old = m.state.gicdCtlr[0]!;
    // One Security state: only the two group enables. The Non-secure view of two: EnableGrp1 only.
    const writable = old & CTLR_DS ? 3 : 2;
    m.changeRegister(
      UNIT_GICD,
      0,
      GICD.GICD_CTLR.offset,
      ((old & ~writable) | (low & writable)) >>> 0,
      0,
      old,
      0,
    );
  },
  GICD_IGROUPR: groups.write,
  GICD_IGRPMODR: groupModifiers.write,
  GICD_ISENABLER: setBits('enable', true),
  GICD_ICENABLER: setBits('enable', false),
  GICD_ISPENDR: setBits('pending', true),
  GICD_ICPENDR: setBits('pending', false),
  GICD_ISACTIVER: setBits('active', true),
  GICD_ICACTIVER: setBits('active', false),
  GICD_IPRIORITYR: (m: Machine, _pe: number, intid: number, low: number): void => {
    if (intid < 32 || intid >= m.state.irqCount || !((reachable(m, intid >> 5) >>> (intid & 31)) & 1)) return;
    const byte = low & 0xff;
    const value = m.state.singleSecurity ? byte : 0x80 | (byte >> 1);
    if (value !== m.state.spiPriority[intid])
      m.emit(IRQ_CHANGED, NO_PE, intid, IRQ_ATTRIBUTES.indexOf('priority'), value);
  },
  GICD_ICFGR: (m: Machine, _pe: number, n: number, low: number): void => {
    const word = n >> 1;
    if (!implemented(m, word)) return;
    const shift = 16 * (n & 1);
    const mask = (0xffff << shift) & reachable(m, word);
    const old = m.state.spi.edge[word]!;
    changeBits(m, 'edge', NO_PE, 32 * word, old, (old & ~mask) | ((gather(low) << shift) & mask));
  },
  GICD_IROUTER: (m: Machine, _pe: number, n: number, low: number, high: number): void => {
    const intid = n + 32;
    if (intid >= m.state.irqCount) return;
    if (low !== m.state.routeLow[intid] || high !== m.state.routeHigh[intid])
      m.emit(IRQ_ROUTED, NO_PE, intid, low, high);
  },
};
