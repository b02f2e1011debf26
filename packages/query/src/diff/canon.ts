// From records to what is compared of them. Dropped: host time, source lines, rules, what is known of memory, events. Folded: an observable
// that repeats what its PE was told last, and all but the last read of a polling loop. Masked: what the source
// does not show, bits that the architecture calls UNKNOWN, and positions in a command queue, which are compared
// relative to each other (positions.ts).
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { Causes } from './causes.ts';
import type { Footprints } from './footprints.ts';
import { Hash64 } from './hash.ts';
import type { Renaming } from './rename.ts';
import { maskCommand, TOLD } from './shown.ts';
import { MARKS, NO_POSITION, positionOf, type Side } from './side.ts';
import type { Names } from './subject.ts';

const FIRST_EVENT = 96;
const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const CONFLICT = RECORDS['source.conflict'].id;
const [GICD, GICR, GITS] = [FRAMES.indexOf('GICD'), FRAMES.indexOf('GICR'), FRAMES.indexOf('GITS')];

const toldOf = new Int8Array(256).fill(-1);
TOLD.forEach(({ kind }, index) => {
  toldOf[kind] = index;
});

const place = (frame: number, offset: number) => frame * 2 ** 20 + offset;

/** Registers that software reads in a loop until they show what it waits for (IHI 0069, by their names). */
export const POLLED: ReadonlySet<number> = new Set([
  // GICD_CTLR.RWP, GICR_CTLR.RWP, GICR_WAKER.ChildrenAsleep, GICR_SYNCR.Busy, GICR_VPENDBASER.Dirty, GITS_CTLR.Quiescent, GITS_CREADR.
  place(GICD, 0x0),
  place(GICR, 0x0),
  place(GICR, 0x14),
  place(GICR, 0xc0),
  place(GICR, 0x2_0078),
  place(GICR, 0x2_007c),
  place(GITS, 0x0),
  place(GITS, 0x90),
]);

/** Bits of a register that are UNKNOWN when it is read: [low word, high word] by place, given the value. */
export const UNKNOWN_BITS: ReadonlyMap<number, (low: number, high: number) => readonly [number, number]> =
  new Map<number, (low: number, high: number) => readonly [number, number]>([
    // IHI 0069, GICR_VPENDBASER: PendingLast is meaningful once Valid has been written from 1 to 0, and otherwise UNKNOWN.
    [place(GICR, 0x2_0078), (_low, high) => [0, high >>> 31 ? 1 << 29 : 0]],
    [place(GICR, 0x2_007c), (low) => [low >>> 31 ? 1 << 29 : 0, 0]],
  ]);

/** GITS_CWRITER and GITS_CREADR: bits 19:5 are a position. */
const isPosition = (frame: number, offset: number) => frame === GITS && (offset === 0x88 || offset === 0x90);
const POSITION_BITS = 0x000f_ffe0;

export interface CanonOptions {
  /** Compare what a PE is told each time that the source shows it, and each read of a polling loop. */
  readonly keepRepeats: boolean;
  /** Compare events too. */
  readonly events: boolean;
}

/** Takes the batches of one trace and fills its side. */
export class Canon {
  private readonly side: Side;
  private readonly names: Names;
  private readonly footprints: Footprints;
  private readonly renaming: Renaming | undefined;
  private readonly keepRepeats: boolean;
  private readonly events: boolean;
  private readonly causes = new Causes();
  private readonly words = new Uint32Array(RECORD_WORDS);
  private readonly hash = new Hash64();
  private readonly told: readonly Uint32Array[];
  /** By PE: the last compared access, and which register it read; -1 for one that is no poll. */
  private readonly lastAccess = new Int32Array(513).fill(-1);
  private readonly lastPolled = new Float64Array(513).fill(-1);

  constructor(side: Side, names: Names, footprints: Footprints, options: CanonOptions, renaming?: Renaming) {
    this.side = side;
    this.names = names;
    this.footprints = footprints;
    this.renaming = renaming;
    this.keepRepeats = options.keepRepeats;
    this.events = options.events;
    this.told = TOLD.map(({ idle }) => {
      const all = new Uint32Array(512 * idle.length);
      for (let pe = 0; pe < 512; pe++) all.set(idle, pe * idle.length);
      return all;
    });
  }

  /** Takes the records of a batch whose first is record `first`. */
  take(batch: RecordBatch, first: number): void {
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      if (kind >= FIRST_EVENT && !this.events) this.side.leave('events: they follow from the rest');
      else if (kind === MEM_KNOWN || kind === MEM_UNKNOWN)
        this.side.leave('what is known of memory: no behaviour');
      else if (!this.repeats(batch, i, kind)) this.add(batch, i, first + i);
    }
  }

  /** Whether an observable tells what its PE was told last. */
  private repeats(batch: RecordBatch, i: number, kind: number): boolean {
    const pe = batch.pe[i]!;
    if (this.keepRepeats || pe < 0) return false;
    const index = toldOf[kind]!;
    if (index < 0) return false;
    const { idle, shown } = TOLD[index]!;
    const told = this.told[index]!;
    const compared = batch.flags[i]! & RECORD_FLAGS.valueUnknown ? shown : idle.length;
    let same = true;
    for (let k = 0; k < compared; k++) {
      const word = batch.words[i * RECORD_WORDS + k]!;
      if (told[pe * idle.length + k] === word) continue;
      same = false;
      told[pe * idle.length + k] = word;
    }
    if (same) this.side.leave('repeats of what a PE was told last');
    return same;
  }

  private add(batch: RecordBatch, i: number, record: number): void {
    const { side, words, hash, footprints } = this;
    const kind = batch.kind[i]!;
    const pe = batch.pe[i]!;
    const flags = batch.flags[i]! & ~RECORD_FLAGS.confirmed;
    const n = side.count++;
    const at = i * RECORD_WORDS;
    for (let k = 0; k < RECORD_WORDS; k++) words[k] = batch.words[at + k]!;
    side.position[n] = NO_POSITION;
    side.marks[n] = flags & RECORD_FLAGS.valueUnknown ? MARKS.partial : 0;
    this.mask(kind, flags, n);
    this.renaming?.apply(kind, words);
    hash.start(kind * 0x1_0000 + flags * 0x400 + pe);
    for (let k = 0; k < RECORD_WORDS; k++) hash.add(words[k]!);
    hash.finish();
    side.lo[n] = hash.lo;
    side.hi[n] = hash.hi;
    side.kind[n] = kind;
    side.pe[n] = pe;
    side.record[n] = record;
    side.timeNs[n] = batch.timeNs[i]!;
    const nearest = this.causes.of(batch, i, n);
    // A record that names what caused it is believed.
    side.cause[n] = batch.cause[i] === 0 ? nearest : side.placeOf(batch.cause[i]! - 1);
    const { device } = this.causes;
    footprints.of(batch, i, device);
    side.reserveFootprint(footprints.count);
    for (let k = 0; k < footprints.count; k++) side.footprint[side.footprintCount++] = footprints.touched[k]!;
    side.footprintEnd[n] = side.footprintCount;
    side.subject[n] = this.names.subjectOf(kind, words, (flags & RECORD_FLAGS.valueUnknown) !== 0);
    side.shape[n] = this.names.shape;
    side.stream[n] = this.names.streamOf(kind, pe, words, device);
    this.fold(kind, pe, n);
  }

  /** Of a run of reads of one polled register by one PE, only the last counts. */
  private fold(kind: number, pe: number, n: number): void {
    if (kind >= 32 || pe < 0) return;
    const { words, side } = this;
    const polled = kind === MMIO_READ && POLLED.has(place(words[0]!, words[2]!));
    const key = polled ? (words[0]! * 512 + words[1]!) * 2 ** 24 + words[2]! * 16 + words[3]! : -1;
    // Wires and messages are no accesses; they have no accessor, or a PE that is not one.
    const access = kind <= 5 || kind === QUEUE_WRITE;
    if (!access) return;
    if (polled && !this.keepRepeats && this.lastPolled[pe] === key) {
      const before = this.lastAccess[pe]!;
      side.marks[before] = side.marks[before]! | MARKS.folded;
      side.leave('reads of a polling loop but the last');
    }
    this.lastAccess[pe] = n;
    this.lastPolled[pe] = key;
  }

  private mask(kind: number, flags: number, n: number): void {
    const { words, side } = this;
    const unknown = (flags & RECORD_FLAGS.valueUnknown) !== 0;
    switch (kind) {
      case MMIO_READ:
      case MMIO_WRITE: {
        if (unknown) words[4] = words[5] = 0;
        else if (isPosition(words[0]!, words[2]!)) {
          side.position[n] = positionOf(words[1]!, (words[4]! & POSITION_BITS) >>> 5);
          words[4]! &= ~POSITION_BITS;
        } else if (kind === MMIO_READ) {
          const bits = UNKNOWN_BITS.get(place(words[0]!, words[2]!))?.(words[4]!, words[5]!);
          if (bits !== undefined) {
            words[4]! &= ~bits[0];
            words[5]! &= ~bits[1];
          }
        }
        return;
      }
      case SYSREG_READ:
      case SYSREG_WRITE:
        if (unknown) words[1] = words[2] = 0;
        return;
      case QUEUE_WRITE:
        side.position[n] = positionOf(words[0]!, words[1]! >>> 5);
        words[1] = words[2] = 0;
        return;
      case ITS_COMMAND:
        side.position[n] = positionOf(words[0]!, words[1]!);
        words[1] = 0;
        if (unknown) words[2] = 0;
        maskCommand(words, 4, words[3]!);
        return;
      case CONFLICT:
        // The number of a source line.
        words[5] = 0;
        return;
      default: {
        const told = TOLD[toldOf[kind]!];
        if (unknown && told !== undefined) for (let k = told.shown; k < told.idle.length; k++) words[k] = 0;
      }
    }
  }
}
