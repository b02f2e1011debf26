// The configuration frame of an ITS: what a read returns and what a write does. Nothing takes time, so all that can be
// polled is idle.
import { FRAMES, NO_PE, RECORDS } from '../record/index.ts';
import { DOMAINS, ITS } from '../spec/gicv5/index.ts';
import { DATA_UNKNOWN, invalidateDevices, invalidateEvents, readEvent, translate } from './its.ts';
import { type Gicv5Machine, NON_SECURE } from './machine.ts';

const ACCESS_RESERVED = RECORDS['access.reserved'].id;
const FRAME_ITS = FRAMES.indexOf('ITS');
const IS_IDLE = 1;
const CR0_IDLE = 2;
const REQUEST = 0x8000_0000;
const NON_SECURE_DOMAIN = DOMAINS.indexOf('NS');

/** Bits that are not RES0 of the registers that software stores: low and high word. */
const STORED: ReadonlyMap<number, readonly [low: number, high: number]> = new Map([
  [ITS.ITS_CR0.offset, [1, 0]],
  [ITS.ITS_CR1.offset, [0xff, 0]],
  [ITS.ITS_DT_BASER.offset, [0xffff_fff8, 0xff_ffff]],
  [ITS.ITS_DT_CFGR.offset, [0x1_00ff, 0]],
  [ITS.ITS_DIDR.offset, [0xffff_ffff, 0]],
  [ITS.ITS_EIDR.offset, [0xffff_ffff, 0]],
  [ITS.ITS_GEN_EVENT_DIDR.offset, [0xffff_ffff, 0]],
  [ITS.ITS_GEN_EVENT_EIDR.offset, [0xffff_ffff, 0]],
]);
/** Registers of 64 bits that are stored or read. */
const DOUBLE = [ITS.ITS_DT_BASER, ITS.ITS_DIDR, ITS.ITS_GEN_EVENT_DIDR, ITS.ITS_READ_EVENT_DATAR];
/** What describes the device table: writes are ignored while the ITS is enabled. */
const TABLE: ReadonlySet<number> = new Set([ITS.ITS_DT_BASER.offset, ITS.ITS_DT_CFGR.offset]);
const WRITE_ONLY: ReadonlySet<number> = new Set([
  ...[ITS.ITS_INV_EVENTR, ITS.ITS_INV_DEVICER, ITS.ITS_READ_EVENTR, ITS.ITS_GEN_EVENTR].map((r) => r.offset),
  ...[ITS.ITS_SYNCR.offset, ITS.ITS_SYNCR.offset + 4],
]);

/** The ITS of a frame, or -1: `instance` is 4 × ITS + interrupt domain, and the model has the Non-secure frames. */
function itsOf(m: Gicv5Machine, instance: number): number {
  const its = instance >>> 2;
  return (instance & 3) === NON_SECURE && its < m.state.its.count ? its : -1;
}

/** The register of 64 bits that an offset is in. */
const doubleAt = (offset: number) => DOUBLE.find((one) => one.offset === offset || one.offset + 4 === offset);

/** Whether an access is to a whole register of 64 bits, or to a half of it. */
const isWidthOf = (double: { readonly offset: number }, offset: number, width: number) =>
  width === 4 || (width === 8 && offset === double.offset);

/** Reads a register; the value is in `m.low` and `m.high`. */
export function readIts(m: Gicv5Machine, instance: number, offset: number, width: number): void {
  m.low = 0;
  m.high = 0;
  const its = itsOf(m, instance);
  if (its < 0) {
    m.unsupported = true;
    return;
  }
  const double = doubleAt(offset);
  if (double !== undefined && isWidthOf(double, offset, width)) {
    const [low, high] = [m.state.its.low(its, double), m.state.its.high(its, double)];
    if (double === ITS.ITS_READ_EVENT_DATAR && (high & DATA_UNKNOWN) !== 0) {
      m.unsupported = true;
      m.undecided = true;
      return;
    }
    m.low = offset === double.offset ? low : high;
    m.high = width === 8 ? high : 0;
    return;
  }
  const value = width === 4 ? readWord(m, its, offset) : undefined;
  if (value === undefined) reserved(m, instance, offset, width, false);
  else m.low = value >>> 0;
}

function readWord(m: Gicv5Machine, its: number, offset: number): number | undefined {
  const { idr, iidr, aidr } = m.state.config.its![its]!;
  switch (offset) {
    case ITS.ITS_IDR0.offset:
      return (idr[0]! & ~3) | NON_SECURE_DOMAIN;
    case ITS.ITS_IDR1.offset:
    case ITS.ITS_IDR2.offset:
      return idr[offset >> 2]!;
    case ITS.ITS_IIDR.offset:
      return iidr;
    case ITS.ITS_AIDR.offset:
      return aidr;
    case ITS.ITS_CR0.offset:
      return m.state.its.low(its, ITS.ITS_CR0) | CR0_IDLE;
    case ITS.ITS_STATUSR.offset:
    case ITS.ITS_SYNC_STATUSR.offset:
    case ITS.ITS_GEN_EVENT_STATUSR.offset:
      return IS_IDLE;
    default:
      if (WRITE_ONLY.has(offset)) return 0;
      return STORED.has(offset) ? m.state.its.low(its, { offset }) : undefined;
  }
}

/** Writes a register. */
export function writeIts(
  m: Gicv5Machine,
  instance: number,
  offset: number,
  width: number,
  low: number,
  high: number,
): void {
  const its = itsOf(m, instance);
  if (its < 0) {
    m.unsupported = true;
    return;
  }
  const double = doubleAt(offset);
  if (double !== undefined && STORED.has(double.offset) && isWidthOf(double, offset, width)) {
    const old = [m.state.its.low(its, double), m.state.its.high(its, double)] as const;
    if (width === 8) store(m, its, double.offset, low, high);
    else if (offset === double.offset) store(m, its, offset, low, old[1]);
    else store(m, its, double.offset, old[0], low);
  } else if (width === 8 && offset === ITS.ITS_SYNCR.offset) return;
  else if (width !== 4 || !writeWord(m, its, offset, low)) reserved(m, instance, offset, width, true);
}

function store(m: Gicv5Machine, its: number, offset: number, low: number, high: number): void {
  const { its: state } = m.state;
  if (TABLE.has(offset) && (state.low(its, ITS.ITS_CR0) & 1) !== 0) return;
  const [lowBits, highBits] = STORED.get(offset)!;
  const [newLow, newHigh] = [(low & lowBits) >>> 0, (high & highBits) >>> 0];
  const isSame =
    state.low(its, { offset }) === newLow && (highBits === 0 || state.high(its, { offset }) === newHigh);
  if (!isSame) m.changeIts(its, offset, newLow, newHigh);
}

/** Writes a register of 32 bits. Returns whether there is one that can be written. */
function writeWord(m: Gicv5Machine, its: number, offset: number, value: number): boolean {
  const isRequest = (value & REQUEST) !== 0;
  switch (offset) {
    case ITS.ITS_INV_EVENTR.offset:
      if (isRequest) invalidateEvents(m, its, value);
      return true;
    case ITS.ITS_INV_DEVICER.offset:
      if (isRequest) invalidateDevices(m, its, value);
      return true;
    case ITS.ITS_READ_EVENTR.offset:
      if (isRequest) readEvent(m, its);
      return true;
    case ITS.ITS_GEN_EVENTR.offset:
      if (isRequest && (value & 3) === NON_SECURE_DOMAIN) generate(m, its);
      return true;
    case ITS.ITS_SYNCR.offset:
    case ITS.ITS_SYNCR.offset + 4:
      return true;
    default:
      if (!STORED.has(offset)) return false;
      store(m, its, offset, value, 0);
      return true;
  }
}

/** An event that software generates acts like a write to ITS_TRANSLATER. */
function generate(m: Gicv5Machine, its: number): void {
  const { its: state } = m.state;
  translate(
    m,
    its,
    state.low(its, ITS.ITS_GEN_EVENT_DIDR),
    state.low(its, ITS.ITS_GEN_EVENT_EIDR),
    'SET_EDGE',
  );
}

function reserved(m: Gicv5Machine, instance: number, offset: number, width: number, write: boolean): void {
  m.reserved = true;
  m.emit(ACCESS_RESERVED, NO_PE, FRAME_ITS, instance, offset, width, write ? 1 : 0);
}
