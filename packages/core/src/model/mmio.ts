// Register accesses: finds the handler for a frame and an offset. Widths, halves of 64-bit registers and byte arrays are
// handled here, so that handlers see whole elements. Every declared register has a handler below, which may say RAZ/WI or
// absent; an offset without a declared register is a reserved location.
import { FRAMES, RECORDS, UNITS } from '../record/index.ts';
import {
  fieldReader,
  frameMap,
  GICD,
  GICR,
  GITS,
  mask,
  type RegisterSpec,
  type RegisterTable,
} from '../spec/index.ts';
import {
  extendedRoutes,
  extendedSpiRegisters,
  gicdRead,
  gicdWrite,
  routes,
  spiRegisters,
} from './distributor.ts';
import { gitsRead, gitsWrite, itsHasVsgi } from './its.ts';
import { sendVirtualSgi } from './its-virtual-commands.ts';
import type { Machine } from './machine.ts';
import { gicrRead, gicrWrite, privateRegisters } from './redistributor.ts';
import { hasVlpiFrame, hasVsgi, vlpiFrameRead, vlpiFrameWrite } from './vlpi-frame.ts';

const ACCESS_RESERVED = RECORDS['access.reserved'].id;
const FRAME_GICD = FRAMES.indexOf('GICD');
const FRAME_GICR = FRAMES.indexOf('GICR');
const FRAME_GITS = FRAMES.indexOf('GITS');
/** Offsets of the VLPI frame of a Redistributor, of its registers for virtual SGIs, and of the vSGI page of an ITS. */
const VLPI_FRAME = 0x2_0000;
const VSGI_REGISTERS = 0x2_0080;
const VSGI_PAGE = 0x2_0000;
const UNIT_GICD = UNITS.indexOf('GICD');
const UNIT_GICR = UNITS.indexOf('GICR');

const TYPER_MBIS = mask(GICD.GICD_TYPER, 'MBIS');
const TYPER_DIRECT_LPI = mask(GICR.GICR_TYPER, 'DirectLPI');
/** Bits of GICD_STATUSR and GICR_STATUSR that say what was wrong with an access. */
const RRD = mask(GICD.GICD_STATUSR, 'RRD');
const WRD = mask(GICD.GICD_STATUSR, 'WRD');
const RWOD = mask(GICD.GICD_STATUSR, 'RWOD');
const WROD = mask(GICD.GICD_STATUSR, 'WROD');
const sgirVintid = fieldReader(GITS.GITS_SGIR, 'vINTID');
const sgirVpeid = fieldReader(GITS.GITS_SGIR, 'vPEID');

/** Stores the element's value in `m.low` and `m.high`, which are 0 before the call. */
type Read = (m: Machine, instance: number, element: number) => void;
type Write = (m: Machine, instance: number, element: number, low: number, high: number) => void;

interface Handlers {
  readonly read: Read | 'zero' | 'reserved';
  readonly write: Write | 'ignored' | 'reserved';
  /** Whether the GIC has the register, by its identification registers. If not, it is a reserved location. */
  readonly present?: (m: Machine) => boolean;
}

/** The fixed bytes of PIDR and CIDR: PIDR4–7, PIDR0–3, CIDR0–3 (IHI 0069, "Identification registers"). */
const IDS = [0x44, 0, 0, 0, 0x92, 0xb4, 0x0b, 0, 0x0d, 0xf0, 0x05, 0xb1];
const idRead =
  (pidr0: number, pidr2: (m: Machine, instance: number) => number): Read =>
  (m, instance, element) => {
    m.low = element === 4 ? pidr0 : element === 6 ? pidr2(m, instance) : IDS[element]!;
  };
const iidr =
  (of: (m: Machine, instance: number) => number): Read =>
  (m, instance) => {
    m.low = of(m, instance) >>> 0;
  };

const raz: Handlers = { read: 'zero', write: 'ignored' };
/** A register that no profile implements yet. It is a reserved location, in agreement with the identification registers. */
const absent: Handlers = { read: 'reserved', write: 'reserved' };
const readOnly = (read: Read): Handlers => ({ read, write: 'ignored' });
const writeOnly = (write: Write): Handlers => ({ read: 'reserved', write });
const where = (present: (m: Machine) => boolean, handlers: Handlers): Handlers => ({ ...handlers, present });
const hasMessages = (m: Machine): boolean => (m.state.config.gicd.typer & TYPER_MBIS) !== 0;
const hasExtendedSpis = (m: Machine): boolean => m.state.espiCount > 0;
const hasDirectLpis = (m: Machine): boolean => (m.state.config.gicr.typer & TYPER_DIRECT_LPI) !== 0;
const hasInvalidation = (m: Machine): boolean => hasDirectLpis(m) || m.profile.ctlrIr;

type HandlerTable<T extends RegisterTable> = { readonly [K in keyof T]: Handlers };

const gicdHandlers: HandlerTable<typeof GICD> = {
  GICD_CTLR: { read: gicdRead.GICD_CTLR, write: gicdWrite.GICD_CTLR },
  GICD_TYPER: readOnly(gicdRead.GICD_TYPER),
  GICD_IIDR: readOnly(iidr((m) => m.state.config.gicd.iidr)),
  GICD_TYPER2: absent,
  GICD_STATUSR: { read: gicdRead.GICD_STATUSR, write: gicdWrite.GICD_STATUSR },
  GICD_SETSPI_NSR: where(hasMessages, writeOnly(gicdWrite.GICD_SETSPI_NSR)),
  GICD_CLRSPI_NSR: where(hasMessages, writeOnly(gicdWrite.GICD_CLRSPI_NSR)),
  GICD_SETSPI_SR: where(hasMessages, writeOnly(gicdWrite.GICD_SETSPI_SR)),
  GICD_CLRSPI_SR: where(hasMessages, writeOnly(gicdWrite.GICD_CLRSPI_SR)),
  GICD_IGROUPR: spiRegisters.IGROUPR,
  GICD_ISENABLER: spiRegisters.ISENABLER,
  GICD_ICENABLER: spiRegisters.ICENABLER,
  GICD_ISPENDR: spiRegisters.ISPENDR,
  GICD_ICPENDR: spiRegisters.ICPENDR,
  GICD_ISACTIVER: spiRegisters.ISACTIVER,
  GICD_ICACTIVER: spiRegisters.ICACTIVER,
  GICD_IPRIORITYR: spiRegisters.IPRIORITYR,
  GICD_ITARGETSR: raz,
  GICD_ICFGR: spiRegisters.ICFGR,
  GICD_IGRPMODR: spiRegisters.IGRPMODR,
  GICD_NSACR: spiRegisters.NSACR,
  GICD_SGIR: raz,
  GICD_CPENDSGIR: raz,
  GICD_SPENDSGIR: raz,
  GICD_INMIR: spiRegisters.INMIR,
  GICD_IGROUPRE: where(hasExtendedSpis, extendedSpiRegisters.IGROUPR),
  GICD_ISENABLERE: where(hasExtendedSpis, extendedSpiRegisters.ISENABLER),
  GICD_ICENABLERE: where(hasExtendedSpis, extendedSpiRegisters.ICENABLER),
  GICD_ISPENDRE: where(hasExtendedSpis, extendedSpiRegisters.ISPENDR),
  GICD_ICPENDRE: where(hasExtendedSpis, extendedSpiRegisters.ICPENDR),
  GICD_ISACTIVERE: where(hasExtendedSpis, extendedSpiRegisters.ISACTIVER),
  GICD_ICACTIVERE: where(hasExtendedSpis, extendedSpiRegisters.ICACTIVER),
  GICD_IPRIORITYRE: where(hasExtendedSpis, extendedSpiRegisters.IPRIORITYR),
  GICD_ICFGRE: where(hasExtendedSpis, extendedSpiRegisters.ICFGR),
  GICD_IGRPMODRE: where(hasExtendedSpis, extendedSpiRegisters.IGRPMODR),
  GICD_NSACRE: where(hasExtendedSpis, extendedSpiRegisters.NSACR),
  GICD_INMIRE: where(hasExtendedSpis, extendedSpiRegisters.INMIR),
  GICD_IROUTER: routes,
  GICD_IROUTERE: where(hasExtendedSpis, extendedRoutes),
  GICD_PIDR: readOnly(idRead(0x92, (m) => m.state.config.gicd.pidr2)),
};

const gicrHandlers: HandlerTable<typeof GICR> = {
  GICR_CTLR: { read: gicrRead.GICR_CTLR, write: gicrWrite.GICR_CTLR },
  GICR_IIDR: readOnly(iidr((m) => m.state.config.gicr.iidr)),
  GICR_TYPER: readOnly(gicrRead.GICR_TYPER),
  GICR_STATUSR: { read: gicrRead.GICR_STATUSR, write: gicrWrite.GICR_STATUSR },
  GICR_WAKER: { read: gicrRead.GICR_WAKER, write: gicrWrite.GICR_WAKER },
  GICR_MPAMIDR: absent,
  GICR_PARTIDR: absent,
  GICR_SETLPIR: where(hasDirectLpis, writeOnly(gicrWrite.GICR_SETLPIR)),
  GICR_CLRLPIR: where(hasDirectLpis, writeOnly(gicrWrite.GICR_CLRLPIR)),
  GICR_PROPBASER: { read: gicrRead.GICR_PROPBASER, write: gicrWrite.GICR_PROPBASER },
  GICR_PENDBASER: { read: gicrRead.GICR_PENDBASER, write: gicrWrite.GICR_PENDBASER },
  GICR_INVLPIR: where(hasInvalidation, writeOnly(gicrWrite.GICR_INVLPIR)),
  GICR_INVALLR: where(hasInvalidation, writeOnly(gicrWrite.GICR_INVALLR)),
  GICR_SYNCR: where(hasInvalidation, readOnly(gicrRead.GICR_SYNCR)),
  GICR_PIDR: readOnly(idRead(0x93, (m) => m.state.config.gicr.pidr2)),
  GICR_IGROUPR: privateRegisters.IGROUPR,
  GICR_ISENABLER: privateRegisters.ISENABLER,
  GICR_ICENABLER: privateRegisters.ICENABLER,
  GICR_ISPENDR: privateRegisters.ISPENDR,
  GICR_ICPENDR: privateRegisters.ICPENDR,
  GICR_ISACTIVER: privateRegisters.ISACTIVER,
  GICR_ICACTIVER: privateRegisters.ICACTIVER,
  GICR_IPRIORITYR: privateRegisters.IPRIORITYR,
  GICR_ICFGR: privateRegisters.ICFGR,
  GICR_IGRPMODR: privateRegisters.IGRPMODR,
  GICR_NSACR: privateRegisters.NSACR,
  GICR_INMIR: privateRegisters.INMIR,
  GICR_VPROPBASER: { read: vlpiFrameRead.GICR_VPROPBASER, write: vlpiFrameWrite.GICR_VPROPBASER },
  GICR_VPENDBASER: { read: vlpiFrameRead.GICR_VPENDBASER, write: vlpiFrameWrite.GICR_VPENDBASER },
  GICR_VSGIR: { read: 'zero', write: vlpiFrameWrite.GICR_VSGIR },
  GICR_VSGIPENDR: readOnly(vlpiFrameRead.GICR_VSGIPENDR),
};

const gitsHandlers: HandlerTable<typeof GITS> = {
  GITS_CTLR: { read: gitsRead.GITS_CTLR, write: gitsWrite.GITS_CTLR },
  GITS_IIDR: readOnly(iidr((m, its) => m.state.config.its[its]!.iidr)),
  GITS_TYPER: readOnly(gitsRead.GITS_TYPER),
  GITS_MPAMIDR: absent,
  GITS_PARTIDR: absent,
  GITS_MPIDR: absent,
  GITS_STATUSR: absent,
  GITS_UMSIR: absent,
  GITS_CBASER: { read: gitsRead.GITS_CBASER, write: gitsWrite.GITS_CBASER },
  GITS_CWRITER: {
    read: (m, its) => {
      m.low = m.state.cwriter[its]!;
    },
    write: gitsWrite.GITS_CWRITER,
  },
  GITS_CREADR: {
    read: (m, its) => {
      m.low = m.state.creadr[its]!;
    },
    write: gitsWrite.GITS_CREADR,
  },
  GITS_BASER: { read: gitsRead.GITS_BASER, write: gitsWrite.GITS_BASER },
  GITS_PIDR: readOnly(idRead(0x94, (m, its) => m.state.config.its[its]!.pidr2)),
  GITS_TRANSLATER: raz,
  GITS_SGIR: {
    read: 'zero',
    write: (m, its, _n, low, high) => sendVirtualSgi(m, its, sgirVpeid(low, high), sgirVintid(low)),
  },
};

const maps = [frameMap(GICD, 0x1_0000), frameMap(GICR, 0x4_0000), frameMap(GITS, 0x3_0000)];
const handlers: (readonly Handlers[])[] = [
  maps[0]!.names.map((name) => gicdHandlers[name as keyof typeof GICD]),
  maps[1]!.names.map((name) => gicrHandlers[name as keyof typeof GICR]),
  maps[2]!.names.map((name) => gitsHandlers[name as keyof typeof GITS]),
];

function reserved(
  m: Machine,
  frame: number,
  instance: number,
  offset: number,
  width: number,
  write: boolean,
): void {
  m.reserved = true;
  m.low = 0;
  m.high = 0;
  m.emit(ACCESS_RESERVED, -1, frame, instance, offset, width, write ? 1 : 0);
}

/** Records in GICD_STATUSR or GICR_STATUSR what was wrong with an access, if the profile has these registers. */
function note(m: Machine, frame: number, instance: number, bit: number): void {
  if (!m.profile.statusr || frame > FRAME_GICR || !exists(m, frame, instance)) return;
  if (frame === FRAME_GICD) {
    const old = m.state.gicdStatusr[0]!;
    m.changeRegister(UNIT_GICD, 0, GICD.GICD_STATUSR.offset, old | bit, 0, old, 0);
  } else {
    const old = m.state.gicrStatusr[instance]!;
    m.changeRegister(UNIT_GICR, instance, GICR.GICR_STATUSR.offset, old | bit, 0, old, 0);
  }
}

/** The handlers for an access of `width` bytes. */
function lookUp(
  m: Machine,
  frame: number,
  instance: number,
  index: number,
  offset: number,
  width: number,
): Handlers {
  if (!exists(m, frame, instance)) return absent;
  const entry = index < 0 ? absent : handlers[frame]![index]!;
  if (entry === absent) return alsoAccepted(m, frame, offset, width) ? raz : absent;
  if (entry.present !== undefined && !entry.present(m)) return absent;
  if (frame === FRAME_GICR && beyondPpis(m, index, offset)) return absent;
  const { alsoReserved } = m.profile;
  return alsoReserved.length > 0 && alsoReserved.includes(maps[frame]!.names[index]!) ? absent : entry;
}

/** Whether an element is for extended PPIs that the Redistributor does not have. */
function beyondPpis(m: Machine, index: number, offset: number): boolean {
  const { extended, bitsPerIntid, bytes } = maps[FRAME_GICR]!.specs[index]!;
  if (extended === undefined || bitsPerIntid === undefined) return false;
  const element = maps[FRAME_GICR]!.element(index, offset);
  return element * ((8 * bytes) / bitsPerIntid) >= 32 * m.state.ppiWords;
}

function alsoAccepted(m: Machine, frame: number, offset: number, width: number): boolean {
  return m.profile.alsoAccepted.some(
    (range) =>
      FRAMES[frame] === range.frame &&
      offset >= range.from &&
      offset < range.from + range.bytes &&
      offset % width === 0 &&
      range.widths.includes(width),
  );
}

function exists(m: Machine, frame: number, instance: number): boolean {
  return frame === FRAME_GICD || instance < (frame === FRAME_GICR ? m.state.peCount : m.state.itsCount);
}

/** Whether the identification registers say that the frame has the registers at this offset. */
function implemented(m: Machine, frame: number, instance: number, offset: number): boolean {
  if (frame === FRAME_GICD) return true;
  if (frame > FRAME_GITS) return false;
  if (frame === FRAME_GITS)
    return offset < VSGI_PAGE || (instance < m.state.itsCount && itsHasVsgi(m, instance));
  if (offset < VLPI_FRAME) return true;
  return hasVlpiFrame(m) && (offset < VSGI_REGISTERS || hasVsgi(m));
}

/** The index of the register that an access reaches with a width that the register allows, or -1. */
function find(frame: number, offset: number, width: number): number {
  const map = maps[frame]!;
  const index = map.find(offset);
  if (index < 0 || offset % width !== 0 || !map.specs[index]!.accessBytes.includes(width)) return -1;
  return index;
}

/** Whether a write to a read-only register is reported as an access to a reserved location. */
function isReported(m: Machine, frame: number, index: number, offset: number, width: number): boolean {
  const { reportedWrites } = m.profile;
  if (reportedWrites.length === 0 || index < 0) return false;
  const half = offset - maps[frame]!.specs[index]!.offset;
  const name = maps[frame]!.names[index];
  return reportedWrites.includes(`${name}:${width}`) || reportedWrites.includes(`${name}+${half}:${width}`);
}

/** Reads `width` bytes. The value is in `m.low` and `m.high`. */
export function readMmio(m: Machine, frame: number, instance: number, offset: number, width: number): void {
  m.low = 0;
  m.high = 0;
  const index = implemented(m, frame, instance, offset) ? find(frame, offset, width) : -1;
  const entry = lookUp(m, frame, instance, index, offset, width);
  const handler = entry.read;
  if (handler === 'reserved') {
    note(m, frame, instance, entry.write === 'reserved' ? RRD : RWOD);
    return reserved(m, frame, instance, offset, width, false);
  }
  if (handler === 'zero') return;
  const spec = maps[frame]!.specs[index]!;
  const element = maps[frame]!.element(index, offset);
  if (spec.bytes === 1) return readBytes(m, handler, instance, element, width);
  handler(m, instance, element);
  if (spec.bytes === 8 && width === 4) {
    if (offset & 4) m.low = m.high;
    m.high = 0;
  }
}

function readBytes(m: Machine, handler: Read, instance: number, element: number, width: number): void {
  let value = 0;
  for (let k = width - 1; k >= 0; k--) {
    m.low = 0;
    handler(m, instance, element + k);
    value = (value << 8) | m.low;
  }
  m.low = value >>> 0;
}

/** Writes `width` bytes. */
export function writeMmio(
  m: Machine,
  frame: number,
  instance: number,
  offset: number,
  width: number,
  low: number,
  high: number,
): void {
  const index = implemented(m, frame, instance, offset) ? find(frame, offset, width) : -1;
  const entry = lookUp(m, frame, instance, index, offset, width);
  if (entry.write === 'reserved') {
    note(m, frame, instance, WRD);
    return reserved(m, frame, instance, offset, width, true);
  }
  if (entry.write === 'ignored') {
    if (index >= 0 && maps[frame]!.specs[index]!.access === 'RO') note(m, frame, instance, WROD);
    if (isReported(m, frame, index, offset, width)) reserved(m, frame, instance, offset, width, true);
    return;
  }
  const spec: RegisterSpec = maps[frame]!.specs[index]!;
  const element = maps[frame]!.element(index, offset);
  if (spec.bytes === 1) {
    for (let k = 0; k < width; k++) entry.write(m, instance, element + k, (low >>> (8 * k)) & 0xff, 0);
    return;
  }
  if (spec.bytes === 8 && width === 4 && typeof entry.read !== 'function') {
    // A write-only register for messages: the other half is zero.
    entry.write(m, instance, element, offset & 4 ? 0 : low, offset & 4 ? low : 0);
    return;
  }
  if (spec.bytes === 8 && width === 4 && typeof entry.read === 'function') {
    // A write of one half of a 64-bit register: the other half keeps its value.
    m.low = 0;
    m.high = 0;
    entry.read(m, instance, element);
    entry.write(m, instance, element, offset & 4 ? m.low : low, offset & 4 ? low : m.high);
    return;
  }
  entry.write(m, instance, element, low, high);
}
