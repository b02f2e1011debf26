// Applies one event or observable to the state of a GICv5. This is the only code that changes state: the model uses it when
// it emits, and the fold over recorded events uses it too. It makes no decisions.
import { invariant } from '../errors.ts';
import { applyMemory, irqBitAfter, irqBitOf, setBit } from '../model/apply-common.ts';
import { IRQ_ATTRIBUTES, ITS_TABLES, RECORDS, UNITS } from '../record/index.ts';
import { GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5Type, IRS } from '../spec/gicv5/index.ts';
import { type Gicv5IrqBits, type Gicv5State, IDLE, IST, NON_SECURE, PPIS } from './state.ts';

const REG_CHANGED = RECORDS['reg.changed'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const ISTE_CHANGED = RECORDS['iste.changed'].id;
const ISTE_FORGOTTEN = RECORDS['iste.forgotten'].id;
const RECALLED = RECORDS['irs.recalled'].id;
const ACKNOWLEDGED = RECORDS['int.acknowledged'].id;
const DROPPED = RECORDS['int.dropped'].id;
const CPUIF_RESET = RECORDS['cpuif.reset'].id;
const GIC_WAS_RESET = RECORDS['state.reset'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const MEM_MARKED = RECORDS['mem.marked'].id;
const IRS_HPPI = RECORDS['irs.hppi'].id;
const PPI_HPPI = RECORDS['ppi.hppi'].id;
const SIGNAL = RECORDS['cpuif.signal'].id;
const IST_CHANGED = RECORDS['ist.changed'].id;
const UNIT_IRS = UNITS.indexOf('IRS');
const UNIT_ICC = UNITS.indexOf('ICC');
const UNIT_ITS = UNITS.indexOf('ITS');
const UNIT_IWB = UNITS.indexOf('IWB');
const ITS_CACHED = RECORDS['its.cached'].id;
const ITS_FORGOTTEN = RECORDS['its.forgotten'].id;
const IWB_CHANGED = RECORDS['iwb.changed'].id;
const ITTE = ITS_TABLES.indexOf('L2_ITTE');
const ENABLE = IRQ_ATTRIBUTES.indexOf('enable');
const PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const EDGE = IRQ_ATTRIBUTES.indexOf('edge');
const HM = IRQ_ATTRIBUTES.indexOf('HM');

const PENDING = 1;
const CR0 = GICV5_SYSREGS.ICC_CR0_EL1.encoding;
const PCR = GICV5_SYSREGS.ICC_PCR_EL1.encoding;
const APR = GICV5_SYSREGS.ICC_APR_EL1.encoding;
const ICSR = GICV5_SYSREGS.ICC_ICSR_EL1.encoding;
/** ICC_PPI_PRIORITYR<n>_EL1 by encoding. */
const PRIORITYR = new Map<number, number>();
for (let n = 0; n < 16; n++)
  PRIORITYR.set(GICV5_SYSREGS[`ICC_PPI_PRIORITYR${n}_EL1` as 'ICC_PPI_PRIORITYR0_EL1'].encoding, n);

/** The arrays and the index of a PPI or SPI. */
function setIrqBit(
  state: Gicv5State,
  name: keyof Gicv5IrqBits,
  pe: number,
  intid: number,
  value: boolean,
): void {
  const id = gicv5Id(intid);
  if (gicv5Type(intid) === GICV5_TYPES.PPI) setBit(state.ppi[name], pe * PPIS + id, value);
  else setBit(state.spi[name], state.spiIndex(id), value);
}

function change(state: Gicv5State, pe: number, intid: number, attribute: number, value: number): void {
  const isPpi = gicv5Type(intid) === GICV5_TYPES.PPI;
  const index = isPpi ? pe * PPIS + gicv5Id(intid) : state.spiIndex(gicv5Id(intid));
  if (attribute === ENABLE) setIrqBit(state, 'enable', pe, intid, value !== 0);
  else if (attribute === HM) setIrqBit(state, 'handling', pe, intid, value !== 0);
  else if (attribute === EDGE) setBit(state.spiTrigger, index, value === 0);
  else {
    invariant(attribute === PRIORITY, `no such attribute ${attribute} in a GICv5`);
    (isPpi ? state.ppiPriority : state.spiPriority)[index] = value;
  }
}

function changeRegister(state: Gicv5State, words: Uint32Array, at: number): void {
  const [unit, pe, register, low, high] = [
    words[at]!,
    words[at + 1]!,
    words[at + 2]!,
    words[at + 3]!,
    words[at + 4]!,
  ];
  if (unit === UNIT_IRS) changeIrs(state, register, low, high);
  else if (unit === UNIT_ITS)
    invariant(state.its.store(pe, register, low, high), `no such stored ITS register ${register}`);
  else if (unit === UNIT_IWB)
    invariant(state.its.storeWires(pe, register, low), `no such stored IWB register ${register}`);
  else {
    invariant(unit === UNIT_ICC, `no such unit ${unit} in a GICv5`);
    const n = PRIORITYR.get(register);
    if (n !== undefined) {
      for (let k = 0; k < 8; k++)
        state.ppiPriority[pe * PPIS + 8 * n + k] = ((k < 4 ? low : high) >>> (8 * (k & 3))) & 0xff;
    } else if (register === CR0) state.cr0[pe] = low;
    else if (register === PCR) state.pcr[pe] = low;
    else if (register === APR) state.apr[pe] = low;
    else {
      invariant(register === ICSR, `no such stored ICC register ${register}`);
      state.icsr[2 * pe] = low;
      state.icsr[2 * pe + 1] = high;
    }
  }
}

function changeIrs(state: Gicv5State, register: number, low: number, high: number): void {
  switch (register) {
    case IRS.IRS_CR0.offset:
      state.irsCr0[0] = low;
      return;
    case IRS.IRS_CR1.offset:
      state.irsCr1[0] = low;
      return;
    case IRS.IRS_IST_BASER.offset:
      state.istBaser[0] = low;
      state.istBaser[1] = high;
      return;
    case IRS.IRS_IST_CFGR.offset:
      state.istCfgr[0] = low;
      return;
    case IRS.IRS_SPI_SELR.offset:
      state.spiSelr[0] = low;
      return;
    default:
      invariant(register === IRS.IRS_PE_SELR.offset, `no such stored IRS register ${register}`);
      state.peSelr[0] = low;
  }
}

/** A level-2 ISTE: the IRS has it, and knows whether the LPI is pending. */
function changeIste(state: Gicv5State, id: number, iste: number): void {
  state.lpis.set(id, iste);
  if (iste & PENDING) state.pendingLpis.add(id);
  else state.pendingLpis.remove(id);
}

/** Applies a record, whose fields are at `words[at]` in declared order. Other records change nothing. */
export function apply(state: Gicv5State, kind: number, pe: number, words: Uint32Array, at: number): void {
  switch (kind) {
    case IRS_HPPI:
      state.irsIntid[pe] = words[at + 2]!;
      state.irsPriority[pe] = words[at + 3]!;
      return;
    case PPI_HPPI:
      if (words[at] !== NON_SECURE) return;
      state.ppiIntid[pe] = words[at + 1]!;
      state.ppiBest[pe] = words[at + 2]!;
      return;
    case SIGNAL:
      state.signal[pe] = words[at]! | (words[at + 1]! << 1) | (words[at + 2]! << 2);
      return;
    case WIRE_CHANGED:
    case IRQ_PENDED:
    case IRQ_UNPENDED:
    case IRQ_ACTIVATED:
    case IRQ_DEACTIVATED:
      setIrqBit(state, irqBitOf(kind), pe, words[at]!, irqBitAfter(kind, words, at));
      return;
    case IRQ_CHANGED:
      change(state, pe, words[at]!, words[at + 1]!, words[at + 2]!);
      return;
    case IRQ_ROUTED:
      state.spiTarget[state.spiIndex(gicv5Id(words[at]!))] = words[at + 1]!;
      return;
    case ISTE_CHANGED:
      changeIste(state, gicv5Id(words[at]!), words[at + 1]!);
      return;
    case ISTE_FORGOTTEN:
      state.lpis.clear();
      state.pendingLpis.removeEach();
      return;
    case ITS_CACHED:
      state.its.keep(words[at]!, words[at + 1] === ITTE, words[at + 2]!, words[at + 3]!, [
        words[at + 4]!,
        words[at + 5]!,
      ]);
      return;
    case ITS_FORGOTTEN:
      state.its.forget(words[at]!, words[at + 1] === ITTE, words[at + 2]!, words[at + 3]!);
      return;
    case IWB_CHANGED:
      setBit(state.its.iwbs[words[at]!]!.level, words[at + 1]!, words[at + 2] !== 0);
      return;
    case RECALLED:
      state.irsIntid[pe] = 0;
      state.irsPriority[pe] = IDLE;
      return;
    case ACKNOWLEDGED:
      state.apr[pe]! |= 1 << words[at + 1]!;
      return;
    case DROPPED:
      state.apr[pe]! &= ~(1 << words[at]!);
      return;
    case REG_CHANGED:
      changeRegister(state, words, at);
      return;
    case CPUIF_RESET:
      state.resetPe(pe, words[at] !== 0);
      return;
    case GIC_WAS_RESET:
      state.resetMachine(state.profile.resetKeepsHppi);
      return;
    case IST_CHANGED:
      state.ist[IST.valid] = words[at + 1]!;
      state.ist[IST.low] = words[at + 2]!;
      state.ist[IST.high] = words[at + 3]!;
      state.ist[IST.idBits] = words[at + 4]!;
      state.ist[IST.indexBits] = words[at + 5]!;
      state.ist[IST.entryBytes] = words[at + 6]!;
      state.ist[IST.twoLevel] = words[at + 7]!;
      return;
    case MEM_WRITTEN:
    case MEM_MARKED:
      applyMemory(state.memory, kind, words, at);
      return;
    default:
  }
}
