// Holds a design that allocates SPIs against the kernel that was recorded: for each SPI, the accesses to the Distributor by
// which the GICv3 driver configures, enables, disables, routes and pends it, in order. The INTIDs are each driver's own, so
// SPIs are paired by the device that lifting made of each.
//
// Not compared, because they are no part of a driver's operation: GICD_ISACTIVER, priorities, and what sets the Distributor
// up. A design makes messages of input lines, whose SPIs it makes edge-triggered: GICD_ICFGR is compared only for SPIs that
// the recorded kernel made edge-triggered, too.
import type { Machine } from '@gictrace/core/model';
import { NO_PE, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICD, SPI_FIRST } from '@gictrace/core/spec';
import { Aligner, type Alignment, noSequences } from './alignment.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const GICD_FRAME = FRAMES.indexOf('GICD');
const SPIS_END = 1020;

const BITMAPS = ['GICD_ISENABLER', 'GICD_ICENABLER', 'GICD_ISPENDR', 'GICD_ICPENDR'] as const;
const CONFIGURES = 'GICD_ICFGR';
const POLLS = 'GICD_CTLR read';

/** Where an access goes: a register over SPIs and its element, or GICD_CTLR. */
interface Place {
  readonly register: string;
  readonly element: number;
}

function placeOf(offset: number): Place | undefined {
  if (offset === GICD.GICD_CTLR.offset) return { register: 'GICD_CTLR', element: 0 };
  for (const register of BITMAPS) {
    const element = (offset - GICD[register].offset) / 4;
    if (Number.isInteger(element) && element >= 1 && element < 32) return { register, element };
  }
  const configuration = (offset - GICD.GICD_ICFGR.offset) / 4;
  if (Number.isInteger(configuration) && configuration >= 2 && configuration < 64)
    return { register: CONFIGURES, element: configuration };
  const router = (offset - GICD.GICD_IROUTER.offset) / 8 + SPI_FIRST;
  return Number.isInteger(router) && router >= SPI_FIRST && router < SPIS_END
    ? { register: 'GICD_IROUTER', element: router }
    : undefined;
}

/** What a PE has read, and the SPI that it is at work on. */
interface Doing {
  /** The last register that it read and that no write has followed. */
  read: Place | undefined;
  /** The SPI that it disabled last, until it does something else than wait. */
  disabled: number;
  /** The SPI whose configuration it has just written. */
  configured: number;
}

/** Designs that allocate SPIs as Linux does. They differ in their range alone. */
export const OF_SPIS: readonly string[] = ['gicv2m', 'mbi'];
/** SPIs of the GICv2m frame of the design `gicv2m`. */
const FRAME_SPIS = 64;

/** Accesses by SPI or, of a design, by device. */
type Accesses = Map<number, string[]>;

export class SpiComparison {
  private readonly recorded: Accesses = new Map();
  private readonly sent = new Map<string, Accesses>();
  /** Whether messages were written to the Distributor: the recorded design is GICv3-MBI. */
  private isMbi = false;
  /** Software enables several SPIs by one write, which Linux does not: no design here is its own. */
  private isOther = false;
  /** SPIs that the recorded kernel made edge-triggered. */
  private readonly edges = new Set<number>();
  private readonly pes = new Map<number, Doing>();
  private readonly unused = new Map<string, number>();

  private doing(pe: number): Doing {
    let doing = this.pes.get(pe);
    if (doing === undefined) {
      doing = { read: undefined, disabled: -1, configured: -1 };
      this.pes.set(pe, doing);
    }
    return doing;
  }

  private note(intid: number, text: string): void {
    add(this.recorded, intid, text);
  }

  /** Takes a recorded stimulus before it runs. */
  stimulus(batch: RecordBatch, i: number, machine: Machine): void {
    const kind = batch.kind[i];
    if ((kind !== MMIO_WRITE && kind !== MMIO_READ) || batch.words[i * RECORD_WORDS] !== GICD_FRAME) return;
    const offset = batch.words[i * RECORD_WORDS + 2]!;
    if (offset === GICD.GICD_SETSPI_NSR.offset && kind === MMIO_WRITE) this.isMbi = true;
    const place = placeOf(offset);
    if (place === undefined) return;
    const doing = this.doing(batch.pe[i]!);
    if (kind === MMIO_READ) this.read(doing, place);
    else this.write(doing, place, batch.words[i * RECORD_WORDS + 4]!, machine);
  }

  private read(doing: Doing, place: Place): void {
    if (place.register === 'GICD_CTLR') {
      // Hardware may take several reads; a poll is one.
      if (doing.disabled >= 0 && this.recorded.get(doing.disabled)?.at(-1) !== POLLS)
        this.note(doing.disabled, POLLS);
      return;
    }
    doing.disabled = -1;
    if (place.register === CONFIGURES && doing.configured >>> 4 === place.element) {
      this.note(doing.configured, `${CONFIGURES} read`);
      doing.configured = -1;
      return;
    }
    if (doing.read !== undefined) this.noWriteFollows(doing.read);
    doing.read = place;
  }

  private noWriteFollows({ register }: Place): void {
    const what = `${register} read`;
    this.unused.set(what, (this.unused.get(what) ?? 0) + 1);
  }

  private write(doing: Doing, { register, element }: Place, value: number, machine: Machine): void {
    doing.disabled = -1;
    doing.configured = -1;
    const intid = this.spiOf(register, element, value, machine);
    if (register === 'GICD_ISENABLER' && (value & (value - 1)) !== 0) this.isOther = true;
    // Before a write, a driver reads the register that it changes, or GICD_ISENABLER.
    const before = register === CONFIGURES ? CONFIGURES : 'GICD_ISENABLER';
    const at = register === CONFIGURES ? element : intid >>> 5;
    const { read } = doing;
    const isUsed = intid >= 0 && read !== undefined && read.register === before && read.element === at;
    if (read !== undefined && !isUsed) this.noWriteFollows(read);
    doing.read = undefined;
    if (intid < 0) return;
    if (isUsed) this.note(intid, `${before} read`);
    this.note(intid, `${register} write`);
    if (register === CONFIGURES) {
      this.edges.add(intid);
      doing.configured = intid;
    }
    if (register === 'GICD_ICENABLER') doing.disabled = intid;
  }

  /** The SPI that a write is about; -1 if it is about several or none, or if software has not begun to use it. */
  private spiOf(register: string, element: number, value: number, { state }: Machine): number {
    if (register === 'GICD_CTLR') return -1;
    if (register === 'GICD_IROUTER') return this.recorded.has(element) ? element : -1;
    const set: number[] = [];
    if (register === CONFIGURES) {
      for (let k = 0; k < 16; k++) {
        const intid = 16 * element + k;
        const isEdge = (state.spi.edge[intid >>> 5]! >>> (intid & 31)) & 1;
        if (((value >>> (2 * k + 1)) & 1) !== isEdge) set.push(intid);
      }
    } else for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) set.push(32 * element + bit);
    const [intid] = set;
    if (intid === undefined || set.length > 1 || intid >= SPIS_END) return -1;
    const begins = register === CONFIGURES || register === 'GICD_ISENABLER';
    return begins || this.recorded.has(intid) ? intid : -1;
  }

  /** Takes an access of a design, in an operation on `device`. */
  access(design: string, device: number, batch: RecordBatch): void {
    const kind = batch.kind[0];
    if (batch.pe[0] === NO_PE || (kind !== MMIO_WRITE && kind !== MMIO_READ)) return;
    if (batch.words[0] !== GICD_FRAME) return;
    const place = placeOf(batch.words[2]!);
    // Who sets the Distributor up writes GICD_CTLR.
    if (place === undefined || (place.register === 'GICD_CTLR' && kind === MMIO_WRITE)) return;
    const sent = this.sent.get(design) ?? new Map<number, string[]>();
    this.sent.set(design, sent);
    add(sent, device, `${place.register} ${kind === MMIO_READ ? 'read' : 'write'}`);
  }

  /** The design that is the recorded kernel's, or does the same; undefined if none of those that ran. */
  private own(): string | undefined {
    if (this.isOther || this.recorded.size === 0) return undefined;
    if (this.isMbi) return this.sent.has('mbi') ? 'mbi' : undefined;
    return OF_SPIS.find(
      (name) => this.sent.has(name) && (name === 'mbi' || this.recorded.size <= FRAME_SPIS),
    );
  }

  /** Ends the recording: the design that was held against the recorded kernel, and the outcome; undefined if none was. */
  finish(): readonly [string, Alignment] | undefined {
    for (const doing of this.pes.values()) {
      if (doing.read !== undefined) this.noWriteFollows(doing.read);
      doing.read = undefined;
    }
    const own = this.own();
    return own === undefined ? undefined : [own, this.aligned(this.sent.get(own)!)];
  }

  private aligned(made: Accesses): Alignment {
    const registers = new Map<string, { recorded: number; sent: number }>();
    let accesses = noSequences();
    for (const intid of new Set([...this.recorded.keys(), ...made.keys()])) {
      const aligner = new Aligner();
      for (const [side, lists] of [
        ['recorded', this.recorded],
        ['sent', made],
      ] as const)
        for (const text of lists.get(intid) ?? []) {
          if (text.startsWith(CONFIGURES) && !this.edges.has(intid)) continue;
          aligner.take(side, text);
          const counts = registers.get(text) ?? { recorded: 0, sent: 0 };
          counts[side]++;
          registers.set(text, counts);
        }
      const { recorded, sent, same, first } = aligner.finish();
      accesses = {
        recorded: accesses.recorded + recorded,
        sent: accesses.sent + sent,
        same: accesses.same + same,
        first: accesses.first ?? (first && { ...first, recorded: `${first.recorded} of SPI ${intid}` }),
      };
    }
    const lines = [...this.recorded.keys()].filter((intid) => !this.edges.has(intid)).length;
    return {
      of: 'SPIs',
      commands: noSequences(),
      notShown: new Map(),
      accesses,
      registers: new Map([...registers].sort(([a], [b]) => (a < b ? -1 : 1))),
      notCompared: new Map([
        ...[...this.unused].map(([what, n]) => [`${what}, no write follows`, n] as const),
        ...(lines > 0 ? [['SPIs that are not edge-triggered: GICD_ICFGR', lines] as const] : []),
      ]),
    };
  }
}

function add(to: Accesses, key: number, text: string): void {
  const list = to.get(key);
  if (list === undefined) to.set(key, [text]);
  else list.push(text);
}
