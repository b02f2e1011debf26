// The config frame of the IRS: what a read returns and what a write does. Reserved locations, and accesses of a width that a
// register does not have, read as zero and ignore writes.
import { FRAMES, NO_PE, RECORDS } from '../record/index.ts';
import { ADDRESSES } from '../spec/addresses.ts';
import { IRS } from '../spec/gicv5/index.ts';
import { settle } from './arbitration.ts';
import { sampleSpi, setTrigger, showSpi } from './interrupts.ts';
import { invalidate, l1Address, validate } from './ist.ts';
import { type Gicv5Machine, NON_SECURE } from './machine.ts';
import { IDLE, IST } from './state.ts';

const ACCESS_RESERVED = RECORDS['access.reserved'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const IRS_HPPI = RECORDS['irs.hppi'].id;
const RECALLED = RECORDS['irs.recalled'].id;
const FRAME_IRS = FRAMES.indexOf('IRS');

const IRSEN = 1;
const IS_IDLE = 1;
const IS_SELECTED = 2;
const IS_ONLINE = 4;
const VALID = 1;
const ID = 0xff_ffff;
/** Bits of registers that are not RES0. */
const CR1_BITS = 0xffff;
const IAFFID = 0xffff;
const IST_BASER_LOW = 0xffff_ffc1;
const IST_BASER_HIGH = 0x00ff_ffff;
const IST_CFGR_BITS = 0x1_01ff;
const IST_CFGR_TWO_LEVEL = 0x1_0000;
/** IRS_PIDR4 to IRS_PIDR7, IRS_PIDR0 to IRS_PIDR3, IRS_CIDR0 to IRS_CIDR3. */
const CORESIGHT_FIRST = 0xffd0;
const CORESIGHT_LAST = 0xfffc;
const CIDR = [0x0d, 0xf0, 0x05, 0xb1] as const;
const DEVARCH = 0xffbc;

/** Whether the model has this frame: that of the Non-secure domain of the first IRS. `instance` is 4 × IRS + domain. */
export function hasFrame(instance: number): boolean {
  return instance === NON_SECURE;
}

/** Reads a register; the value is in `m.low` and `m.high`. */
export function readIrs(m: Gicv5Machine, instance: number, offset: number, width: number): void {
  m.low = 0;
  m.high = 0;
  if (!hasFrame(instance)) {
    m.unsupported = true;
    return;
  }
  const { state } = m;
  if (width === 8 && offset === IRS.IRS_IST_BASER.offset) {
    m.low = state.istBaser[0]!;
    m.high = state.istBaser[1]!;
    return;
  }
  const value = width === 4 ? readWord(m, offset) : undefined;
  if (value === undefined) reserved(m, instance, offset, width, false);
  else m.low = value >>> 0;
}

/** What a read of 32 bits returns, or undefined at a reserved location. */
function readWord(m: Gicv5Machine, offset: number): number | undefined {
  const { state } = m;
  const { idr, iidr, aidr } = state.config.irs[0]!;
  if (offset >= CORESIGHT_FIRST && offset <= CORESIGHT_LAST)
    return coresight(iidr, (offset - CORESIGHT_FIRST) >> 2);
  switch (offset) {
    case IRS.IRS_IDR0.offset:
      return idr[0]! | NON_SECURE;
    case IRS.IRS_IDR1.offset:
    case IRS.IRS_IDR2.offset:
    case IRS.IRS_IDR3.offset:
    case IRS.IRS_IDR4.offset:
    case IRS.IRS_IDR5.offset:
    case IRS.IRS_IDR6.offset:
    case IRS.IRS_IDR7.offset:
      return idr[offset >> 2]!;
    case IRS.IRS_IIDR.offset:
      return iidr;
    case IRS.IRS_AIDR.offset:
      return aidr;
    case IRS.IRS_CR0.offset:
      // Read first: what the read itself sets off changes no bit of it.
      if (m.profile.irsEnableActsAtRead) enableActs(m);
      return state.irsCr0[0]! | 2;
    case IRS.IRS_CR1.offset:
      return state.irsCr1[0]!;
    case IRS.IRS_IST_BASER.offset:
      return state.istBaser[0]!;
    case IRS.IRS_IST_BASER.offset + 4:
      return state.istBaser[1]!;
    case IRS.IRS_IST_CFGR.offset:
      return state.istCfgr[0]!;
    case IRS.IRS_SYNC_STATUSR.offset:
    case IRS.IRS_IST_STATUSR.offset:
      return IS_IDLE;
    case IRS.IRS_SPI_STATUSR.offset:
      return IS_IDLE | (selectedSpi(m) >= 0 ? IS_SELECTED : 0);
    case IRS.IRS_SPI_CFGR.offset: {
      const spi = selectedSpi(m);
      return spi < 0 ? 0 : (state.spiTrigger[spi >> 5]! >>> (spi & 31)) & 1;
    }
    case IRS.IRS_PE_SELR.offset:
      return state.peSelr[0]!;
    case IRS.IRS_PE_STATUSR.offset:
      return IS_IDLE | (state.peByIaffid.has(state.peSelr[0]!) ? IS_SELECTED | IS_ONLINE : 0);
    case IRS.IRS_PE_CR0.offset:
    case IRS.IRS_SPI_DOMAINR.offset:
      // RES0 without 1 of N interrupts, and in the frame of any domain but EL3.
      return 0;
    case DEVARCH:
      return m.profile.devarch;
    default:
      return undefined;
  }
}

/** A CoreSight identification register, from IRS_IIDR, as Arm suggests. */
function coresight(iidr: number, n: number): number {
  const implementer = iidr & 0xfff;
  const revision = (iidr >>> 12) & 0xf;
  const variant = (iidr >>> 16) & 0xf;
  const product = iidr >>> 20;
  if (n >= 8) return CIDR[n - 8]!;
  return [
    ...[implementer >> 8, 0, 0, 0, product & 0xff, (product >> 8) | ((implementer & 0xf) << 4)],
    ...[(revision << 4) | 8 | ((implementer & 0x70) >> 4), variant << 4],
  ][n]!;
}

/** Writes a register. */
export function writeIrs(
  m: Gicv5Machine,
  instance: number,
  offset: number,
  width: number,
  low: number,
  high: number,
): void {
  if (!hasFrame(instance)) {
    m.unsupported = true;
    return;
  }
  const baser = IRS.IRS_IST_BASER.offset;
  if (width === 8 && offset === baser) writeIstBaser(m, low, high);
  else if (width === 4 && offset === baser) writeIstBaser(m, low, m.state.istBaser[1]!);
  else if (width === 4 && offset === baser + 4) writeIstBaser(m, m.state.istBaser[0]!, low);
  else if (width !== 4 || !writeWord(m, offset, low)) reserved(m, instance, offset, width, true);
}

/** Writes a register of 32 bits. Returns whether there is one that can be written. */
function writeWord(m: Gicv5Machine, offset: number, value: number): boolean {
  const { state } = m;
  const all = m.profile.keepsReservedBits;
  switch (offset) {
    case IRS.IRS_CR0.offset:
      change(m, offset, state.irsCr0, value & IRSEN);
      if (!m.profile.irsEnableActsAtRead) enableActs(m);
      return true;
    case IRS.IRS_CR1.offset:
      change(m, offset, state.irsCr1, all ? value : value & CR1_BITS);
      return true;
    case IRS.IRS_IST_CFGR.offset:
      // It describes a table that is in use; writes are ignored then.
      if ((state.istBaser[0]! & VALID) === 0)
        change(m, offset, state.istCfgr, all ? value : value & IST_CFGR_BITS);
      return true;
    case IRS.IRS_MAP_L2_ISTR.offset:
      mapLevel2(m, value & ID);
      return true;
    case IRS.IRS_SPI_SELR.offset:
      change(m, offset, state.spiSelr, value & ID);
      return true;
    case IRS.IRS_SPI_CFGR.offset: {
      const spi = selectedSpi(m);
      if (spi >= 0) setTrigger(m, spi, (value & 1) !== 0);
      return true;
    }
    case IRS.IRS_SPI_RESAMPLER.offset: {
      const spi = state.spiIndex(value & ID);
      if (spi < 0) return true;
      sampleSpi(m, spi);
      m.recalculate(state.spiTarget[spi]! & IAFFID);
      settle(m);
      showSpi(m, spi);
      return true;
    }
    case IRS.IRS_PE_SELR.offset:
      change(m, offset, state.peSelr, all ? value : value & IAFFID);
      return true;
    case IRS.IRS_SYNCR.offset:
    case IRS.IRS_PE_CR0.offset:
    case IRS.IRS_SPI_DOMAINR.offset:
      return true;
    default:
      return false;
  }
}

function change(m: Gicv5Machine, offset: number, register: Uint32Array, value: number): void {
  if (register[0] !== value >>> 0) m.changeIrs(offset, value >>> 0);
}

const selectedSpi = (m: Gicv5Machine) => m.state.spiIndex(m.state.spiSelr[0]!);

/** IRS_CR0.IRSEN takes effect: the IRS forwards to all PEs, or takes back what it has forwarded. */
function enableActs(m: Gicv5Machine): void {
  const { state } = m;
  if ((state.irsCr0[0]! & IRSEN) !== 0) {
    m.recalculateAll();
    return;
  }
  for (let pe = 0; pe < state.peCount; pe++) {
    if (m.profile.showsAll) m.emit(RECALLED, pe);
    else if (state.irsPriority[pe] !== IDLE)
      m.emit(IRS_HPPI, pe, NON_SECURE, state.config.pes[pe]!.iaffid, 0, IDLE);
    m.touchSignal(pe);
  }
}

/** IRS_MAP_L2_ISTR: the IRS makes the level-1 entry of this LPI valid. If the entry is unknown, so is what it holds then. */
function mapLevel2(m: Gicv5Machine, id: number): void {
  const { istBaser, ist, memory } = m.state;
  if ((istBaser[0]! & VALID) === 0 || ist[IST.twoLevel] === 0) return;
  const address = l1Address(m, id);
  if (address + 8 > ADDRESSES || !memory.areKnown(address, 8)) return;
  const low = memory.readWord(address) | VALID;
  m.emit(
    MEM_WRITTEN,
    NO_PE,
    ...([address >>> 0, Math.floor(address / 2 ** 32), 8, low >>> 0, memory.readWord(address + 4)] as const),
  );
}

/** IRS_IST_BASER: while the table is valid, only VALID can change. */
function writeIstBaser(m: Gicv5Machine, low: number, high: number): void {
  const { state } = m;
  const offset = IRS.IRS_IST_BASER.offset;
  const [oldLow, oldHigh] = [state.istBaser[0]!, state.istBaser[1]!];
  if (oldLow & VALID) {
    if (low & VALID) return;
    invalidate(m);
    m.changeIrs(offset, (oldLow & ~VALID) >>> 0, oldHigh);
    m.recalculateAll();
    return;
  }
  const all = m.profile.keepsReservedBits;
  const newLow = (all ? low : low & IST_BASER_LOW) >>> 0;
  const newHigh = (all ? high : high & IST_BASER_HIGH) >>> 0;
  if (newLow !== oldLow || newHigh !== oldHigh) m.changeIrs(offset, newLow, newHigh);
  if ((newLow & VALID) === 0) return;
  const cfgr = state.istCfgr[0]!;
  const idr2 = state.config.irs[0]!.idr[2]!;
  const idBits = Math.min(Math.max(cfgr & 0x1f, (idr2 >>> 6) & 0xf), idr2 & 0x1f);
  // The reserved values act like the smallest size.
  const entryLog = [2, 3, 4, 2][(cfgr >>> 7) & 3]!;
  const tableLog = [12, 14, 16, 12][(cfgr >>> 5) & 3]!;
  const base = [(newLow & 0xffff_ffc0) >>> 0, newHigh & IST_BASER_HIGH] as const;
  validate(m, base, idBits, tableLog - entryLog, 1 << entryLog, (cfgr & IST_CFGR_TWO_LEVEL) !== 0);
  m.recalculateAll();
}

function reserved(m: Gicv5Machine, instance: number, offset: number, width: number, write: boolean): void {
  m.reserved = true;
  m.emit(ACCESS_RESERVED, NO_PE, FRAME_IRS, instance, offset, width, write ? 1 : 0);
}
