// Register accesses: from a frame and an offset to the handler of a register. Widths, halves of 64-bit
// registers and byte arrays are dealt with here, so that handlers see whole elements. A register without a
// handler is RAZ/WI by declaration (below); one that nobody declares is a reserved location.
import { FRAMES, RECORDS } from '../record/index.ts';
import { frameMap, GICD, GICR, GITS, type RegisterSpec, type RegisterTable } from '../spec/index.ts';
import { gicdRead, gicdWrite } from './distributor.ts';
import { gitsRead, gitsWrite, itsHasVsgi } from './its.ts';
import { sendVirtualSgi } from './its-virtual-commands.ts';
import type { Machine } from './machine.ts';
import { gicrRead, gicrWrite } from './redistributor.ts';
import { hasVlpiFrame, hasVsgi, vlpiFrameRead, vlpiFrameWrite } from './vlpi-frame.ts';

const ACCESS_RESERVED = RECORDS['access.reserved'].id;
const FRAME_GICD = FRAMES.indexOf('GICD');
const FRAME_GICR = FRAMES.indexOf('GICR');
const FRAME_GITS = FRAMES.indexOf('GITS');
/** Where the VLPI frame of a Redistributor begins, its registers of virtual SGIs, and the vSGI page of an ITS. */
const VLPI_FRAME = 0x2_0000;
const VSGI_REGISTERS = 0x2_0080;
const VSGI_PAGE = 0x2_0000;

/** Puts the element's value into `m.low` and `m.high`, which hold 0 before. */
type Read = (m: Machine, instance: number, element: number) => void;
type Write = (m: Machine, instance: number, element: number, low: number, high: number) => void;

interface Handlers {
  readonly read: Read | 'zero' | 'reserved';
  readonly write: Write | 'ignored' | 'reserved';
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
/** Not implemented by any profile yet: a reserved location, as the identification registers say. */
const absent: Handlers = { read: 'reserved', write: 'reserved' };
const readOnly = (read: Read): Handlers => ({ read, write: 'ignored' });

type HandlerTable<T extends RegisterTable> = { readonly [K in keyof T]: Handlers };

const gicdHandlers: HandlerTable<typeof GICD> = {
  GICD_CTLR: { read: gicdRead.GICD_CTLR, write: gicdWrite.GICD_CTLR },
  GICD_TYPER: readOnly(gicdRead.GICD_TYPER),
  GICD_IIDR: readOnly(iidr((m) => m.state.config.gicd.iidr)),
  GICD_TYPER2: absent,
  GICD_STATUSR: raz,
  GICD_SETSPI_NSR: absent,
  GICD_CLRSPI_NSR: absent,
  GICD_SETSPI_SR: absent,
  GICD_CLRSPI_SR: absent,
  GICD_IGROUPR: { read: gicdRead.GICD_IGROUPR, write: gicdWrite.GICD_IGROUPR },
  GICD_ISENABLER: { read: gicdRead.GICD_ISENABLER, write: gicdWrite.GICD_ISENABLER },
  GICD_ICENABLER: { read: gicdRead.GICD_ICENABLER, write: gicdWrite.GICD_ICENABLER },
  GICD_ISPENDR: { read: gicdRead.GICD_ISPENDR, write: gicdWrite.GICD_ISPENDR },
  GICD_ICPENDR: { read: gicdRead.GICD_ICPENDR, write: gicdWrite.GICD_ICPENDR },
  GICD_ISACTIVER: { read: gicdRead.GICD_ISACTIVER, write: gicdWrite.GICD_ISACTIVER },
  GICD_ICACTIVER: { read: gicdRead.GICD_ICACTIVER, write: gicdWrite.GICD_ICACTIVER },
  GICD_IPRIORITYR: { read: gicdRead.GICD_IPRIORITYR, write: gicdWrite.GICD_IPRIORITYR },
  GICD_ITARGETSR: raz,
  GICD_ICFGR: { read: gicdRead.GICD_ICFGR, write: gicdWrite.GICD_ICFGR },
  GICD_IGRPMODR: { read: gicdRead.GICD_IGRPMODR, write: gicdWrite.GICD_IGRPMODR },
  GICD_NSACR: raz,
  GICD_SGIR: raz,
  GICD_CPENDSGIR: raz,
  GICD_SPENDSGIR: raz,
  GICD_INMIR: raz,
  GICD_IGROUPRE: absent,
  GICD_ISENABLERE: absent,
  GICD_ICENABLERE: absent,
  GICD_ISPENDRE: absent,
  GICD_ICPENDRE: absent,
  GICD_ISACTIVERE: absent,
  GICD_ICACTIVERE: absent,
  GICD_IPRIORITYRE: absent,
  GICD_ICFGRE: absent,
  GICD_IGRPMODRE: absent,
  GICD_NSACRE: absent,
  GICD_INMIRE: absent,
  GICD_IROUTER: { read: gicdRead.GICD_IROUTER, write: gicdWrite.GICD_IROUTER },
  GICD_IROUTERE: absent,
  GICD_PIDR: readOnly(idRead(0x92, (m) => m.state.config.gicd.pidr2)),
};

const gicrHandlers: HandlerTable<typeof GICR> = {
  GICR_CTLR: { read: gicrRead.GICR_CTLR, write: gicrWrite.GICR_CTLR },
  GICR_IIDR: readOnly(iidr((m) => m.state.config.gicr.iidr)),
  GICR_TYPER: readOnly(gicrRead.GICR_TYPER),
  GICR_STATUSR: raz,
  GICR_WAKER: { read: gicrRead.GICR_WAKER, write: gicrWrite.GICR_WAKER },
  GICR_MPAMIDR: absent,
  GICR_PARTIDR: absent,
  GICR_SETLPIR: absent,
  GICR_CLRLPIR: absent,
  GICR_PROPBASER: { read: gicrRead.GICR_PROPBASER, write: gicrWrite.GICR_PROPBASER },
  GICR_PENDBASER: { read: gicrRead.GICR_PENDBASER, write: gicrWrite.GICR_PENDBASER },
  GICR_INVLPIR: absent,
  GICR_INVALLR: absent,
  GICR_SYNCR: absent,
  GICR_PIDR: readOnly(idRead(0x93, (m) => m.state.config.gicr.pidr2)),
  GICR_IGROUPR: { read: gicrRead.GICR_IGROUPR, write: gicrWrite.GICR_IGROUPR },
  GICR_ISENABLER: { read: gicrRead.GICR_ISENABLER, write: gicrWrite.GICR_ISENABLER },
  GICR_ICENABLER: { read: gicrRead.GICR_ICENABLER, write: gicrWrite.GICR_ICENABLER },
  GICR_ISPENDR: { read: gicrRead.GICR_ISPENDR, write: gicrWrite.GICR_ISPENDR },
  GICR_ICPENDR: { read: gicrRead.GICR_ICPENDR, write: gicrWrite.GICR_ICPENDR },
  GICR_ISACTIVER: { read: gicrRead.GICR_ISACTIVER, write: gicrWrite.GICR_ISACTIVER },
  GICR_ICACTIVER: { read: gicrRead.GICR_ICACTIVER, write: gicrWrite.GICR_ICACTIVER },
  GICR_IPRIORITYR: { read: gicrRead.GICR_IPRIORITYR, write: gicrWrite.GICR_IPRIORITYR },
  GICR_ICFGR: { read: gicrRead.GICR_ICFGR, write: gicrWrite.GICR_ICFGR },
  GICR_IGRPMODR: raz,
  GICR_NSACR: raz,
  GICR_INMIR: raz,
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
    write: (m, its, _n, low, high) => sendVirtualSgi(m, its, high & 0xffff, low & 0xf),
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

function exists(m: Machine, frame: number, instance: number): boolean {
  return frame === FRAME_GICD || instance < (frame === FRAME_GICR ? m.state.peCount : m.state.itsCount);
}

/** Whether the identification registers say that the frame has the registers at this offset. */
function implemented(m: Machine, frame: number, instance: number, offset: number): boolean {
  if (frame === FRAME_GICD) return true;
  if (frame === FRAME_GITS)
    return offset < VSGI_PAGE || (instance < m.state.itsCount && itsHasVsgi(m, instance));
  if (offset < VLPI_FRAME) return true;
  return hasVlpiFrame(m) && (offset < VSGI_REGISTERS || hasVsgi(m));
}

/** Index of the register that an access reaches with a width that it allows, or -1. */
function find(frame: number, offset: number, width: number): number {
  const map = maps[frame]!;
  const index = map.find(offset);
  if (index < 0 || offset % width !== 0 || !map.specs[index]!.accessBytes.includes(width)) return -1;
  return index;
}

/** A read of `width` bytes: the value is in `m.low` and `m.high`. */
export function readMmio(m: Machine, frame: number, instance: number, offset: number, width: number): void {
  m.low = 0;
  m.high = 0;
  const index = implemented(m, frame, instance, offset) ? find(frame, offset, width) : -1;
  const handler = index < 0 || !exists(m, frame, instance) ? 'reserved' : handlers[frame]![index]!.read;
  if (handler === 'reserved') return reserved(m, frame, instance, offset, width, false);
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

/** A write of `width` bytes. */
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
  const entry = index < 0 || !exists(m, frame, instance) ? undefined : handlers[frame]![index]!;
  if (entry === undefined || entry.write === 'reserved')
    return reserved(m, frame, instance, offset, width, true);
  if (entry.write === 'ignored') {
    if (
      m.profile.reportedWrites.length > 0 &&
      m.profile.reportedWrites.includes(`${maps[frame]!.names[index]}:${width}`)
    )
      reserved(m, frame, instance, offset, width, true);
    return;
  }
  const spec: RegisterSpec = maps[frame]!.specs[index]!;
  const element = maps[frame]!.element(index, offset);
  if (spec.bytes === 1) {
    for (let k = 0; k < width; k++) entry.write(m, instance, element + k, (low >>> (8 * k)) & 0xff, 0);
    return;
  }
  if (spec.bytes === 8 && width === 4 && typeof entry.read === 'function') {
    // One half of a 64-bit register: the other keeps what it holds.
    m.low = 0;
    m.high = 0;
    entry.read(m, instance, element);
    entry.write(m, instance, element, offset & 4 ? m.low : low, offset & 4 ? low : m.high);
    return;
  }
  entry.write(m, instance, element, low, high);
}
