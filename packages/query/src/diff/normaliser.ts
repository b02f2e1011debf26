// Normalises records into what is compared of them. Dropped: host time, source lines, rules, what is known of memory,
// events, and what core/record/comparable excludes as evidence. Folded: an observable that repeats what its PE was last
// signalled, and all but the last read of a polling loop. Masked: what is not in the source, bits that the architecture
// leaves UNKNOWN, and positions in a command queue, which are compared relative to each other (offsets.ts).
import { PES_MAX } from '@gictrace/core';
import {
  accessValueAt,
  BARRIER,
  COMMAND_WORDS,
  clearUnknownBits,
  commandMask,
  comparableFlags,
  comparesPe,
  isCommandShown,
  isContext,
  isEvent,
  isOutcomeShown,
  isResponseUnknown,
  isStimulus,
  KIND,
  orderedStreamOf,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  rankOf,
  responseAt,
  SIGNALS,
  shownOperands,
  signalOf,
} from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { Causes } from './causes.ts';
import type { LinesMode } from './common.ts';
import type { Footprints } from './footprints.ts';
import { Hash64 } from './hash.ts';
import type { Renaming } from './rename.ts';
import { MARKS, NO_POSITION, positionOf, type Side } from './side.ts';
import type { Names } from './subject.ts';

const MMIO_READ = KIND['mmio.read'];
const QUEUE_WRITE = KIND['queue.write'];
const ITS_COMMAND = KIND['its.command'];
const CONFLICT = KIND['source.conflict'];
const [GICD, GICR, GITS] = [FRAMES.indexOf('GICD'), FRAMES.indexOf('GICR'), FRAMES.indexOf('GITS')];

const place = (frame: number, offset: number) => frame * 2 ** 20 + offset;

/** Registers that software reads in a loop until they have the value it waits for (IHI 0069, under their names). */
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

/** GITS_CWRITER and GITS_CREADR: bits 19:5 are a position. */
const isPosition = (frame: number, offset: number) => frame === GITS && (offset === 0x88 || offset === 0x90);
const POSITION_BITS = 0x000f_ffe0;

export interface NormaliserOptions {
  /** Compare each line about what a PE is signalled, and each read of a polling loop. */
  readonly keepRepeats: boolean;
  /** Compare events too. */
  readonly events: boolean;
  /** Kinds of observables that are missing from one of the sources. */
  readonly notShown?: ReadonlySet<number>;
  /** Whether both sources record that an access reached a reserved location; true if absent. */
  readonly tellsReserved?: boolean;
  /** By signal; `whole` for all if absent. */
  readonly lines?: readonly LinesMode[];
  /** Records that are kept although they are polls. */
  readonly unfolded?: ReadonlySet<number>;
}

/** Takes the batches of one trace and fills its side. */
export class Normaliser {
  private readonly side: Side;
  private readonly names: Names;
  private readonly footprints: Footprints;
  private readonly renaming: Renaming | undefined;
  private readonly options: NormaliserOptions;
  private readonly causes = new Causes();
  private readonly words = new Uint32Array(RECORD_WORDS);
  private readonly commandMask = new Uint32Array(RECORD_WORDS);
  private readonly hash = new Hash64();
  /** By signal and PE: what was last signalled, and whether the interrupt lines are known. */
  private readonly signalled = SIGNALS.map(({ idle }) => new Uint32Array(PES_MAX * idle.length));
  private readonly linesUnknown = SIGNALS.map(() => new Uint8Array(PES_MAX));
  /** The effects of the last stimulus that is a barrier are not evidence. */
  private isUndecided = false;
  /** By PE: the last compared access, and which register it read; -1 if it is not a poll. */
  private readonly lastAccess = new Int32Array(PES_MAX + 1).fill(-1);
  private readonly lastPolled = new Float64Array(PES_MAX + 1).fill(-1);

  constructor(
    side: Side,
    names: Names,
    footprints: Footprints,
    options: NormaliserOptions,
    renaming?: Renaming,
  ) {
    this.side = side;
    this.names = names;
    this.footprints = footprints;
    this.renaming = renaming;
    this.options = options;
    this.reset();
  }

  /** Nothing is signalled to any PE. */
  private reset(): void {
    this.signalled.forEach((words, signal) => {
      const { idle } = SIGNALS[signal]!;
      for (let pe = 0; pe < PES_MAX; pe++) words.set(idle, pe * idle.length);
      this.linesUnknown[signal]!.fill(0);
    });
  }

  /** Takes the records of a batch whose first is record `first`. */
  take(batch: RecordBatch, first: number): void {
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      const why = this.isLeftOut(batch, i, kind);
      if (why !== undefined) this.side.leave(why);
      else this.add(batch, i, first + i);
    }
  }

  /** Why a record is not compared; undefined if it is. */
  private isLeftOut(batch: RecordBatch, i: number, kind: number): string | undefined {
    if (isEvent(kind)) return this.options.events ? undefined : 'events: they follow from the rest';
    if (isContext(kind)) return 'what happened around the GIC: no behaviour';
    if (kind === KIND['mem.known'] || kind === KIND['mem.unknown'])
      return 'what is known of memory: no behaviour';
    const flags = batch.flags[i]!;
    if (isStimulus(kind)) {
      if (rankOf(kind, -1) === BARRIER) this.isUndecided = (flags & RECORD_FLAGS.undecided) !== 0;
      if (kind === KIND['gic.reset']) this.reset();
      return undefined;
    }
    if (this.options.notShown?.has(kind)) return 'observables that one of the sources does not show';
    const signal = signalOf(kind);
    // Lines that a source prints are compared even then, unless they have the flag themselves.
    if (
      (orderedStreamOf(kind) >= 0 && this.isUndecided) ||
      (kind !== CONFLICT && flags & RECORD_FLAGS.undecided)
    )
      return 'effects that depend on state that the source does not show';
    if (signal >= 0 && batch.pe[i]! >= 0 && this.isRepeat(batch, i, signal))
      return 'repeats of what a PE was signalled last';
    return undefined;
  }

  /** Whether to leave out a line that repeats what its PE was last signalled. */
  private isRepeat(batch: RecordBatch, i: number, signal: number): boolean {
    const { lines, keepRepeats } = this.options;
    const { idle, wordsWithoutLines } = SIGNALS[signal]!;
    const isPartial = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) !== 0;
    this.side.lines[signal]![isPartial ? 'notShown' : 'shown'] = true;
    if (keepRepeats) return false;
    const mode = lines?.[signal] ?? 'whole';
    const compared = isPartial || mode === 'never' ? wordsWithoutLines : idle.length;
    const isSame = this.signal(batch, i, signal, compared);
    if (mode === 'sometimes') {
      this.isKeptRepeat = isSame;
      return false;
    }
    return isSame;
  }

  /** Takes the first `compared` words of a line. Returns whether these were already signalled, and known to be. */
  private signal(batch: RecordBatch, i: number, signal: number, compared: number): boolean {
    const pe = batch.pe[i]! % PES_MAX;
    const words = this.signalled[signal]!;
    const unknown = this.linesUnknown[signal]!;
    const { idle, wordsWithoutLines } = SIGNALS[signal]!;
    let isSame = compared === wordsWithoutLines || unknown[pe] === 0;
    for (let k = 0; k < compared; k++) {
      const word = batch.words[i * RECORD_WORDS + k]!;
      if (words[pe * idle.length + k] === word) continue;
      isSame = false;
      words[pe * idle.length + k] = word;
    }
    unknown[pe] = compared < idle.length ? 1 : 0;
    return isSame;
  }

  /** The current record is a repeat that is kept. */
  private isKeptRepeat = false;

  private add(batch: RecordBatch, i: number, record: number): void {
    const { side, words, hash, footprints } = this;
    const kind = batch.kind[i]!;
    const pe = batch.pe[i]!;
    const flags = batch.flags[i]!;
    const n = side.count++;
    const at = i * RECORD_WORDS;
    for (let k = 0; k < RECORD_WORDS; k++) words[k] = batch.words[at + k]!;
    side.position[n] = NO_POSITION;
    side.marks[n] = this.marksOf(kind, flags);
    side.rank[n] = rankOf(kind, pe);
    const isUnknown = this.mask(kind, flags, n);
    this.renaming?.apply(kind, words);
    if (kind === ITS_COMMAND) this.keepCommand(n);
    const key = comparableFlags(kind, flags, this.options.tellsReserved ?? true) | (isUnknown ? 0x100 : 0);
    const isPeCompared = comparesPe(kind) && (flags & RECORD_FLAGS.peUndecided) === 0;
    hash.start(kind * 0x10_0000 + key * 0x400 + (isPeCompared ? pe : -1));
    for (let k = 0; k < RECORD_WORDS; k++) hash.add(words[k]!);
    hash.finish();
    side.lo[n] = hash.lo;
    side.hi[n] = hash.hi;
    side.kind[n] = kind;
    side.pe[n] = pe;
    side.record[n] = record;
    side.timeNs[n] = batch.timeNs[i]!;
    const nearest = this.causes.of(batch, i, n);
    // If a record names its cause, that is taken as correct.
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

  private marksOf(kind: number, flags: number): number {
    let marks = flags & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.peUndecided) ? MARKS.partial : 0;
    if (isStimulus(kind)) {
      if (flags & RECORD_FLAGS.undecided) marks |= MARKS.partial | MARKS.undecided;
      return marks;
    }
    const signal = signalOf(kind);
    if (signal < 0) return marks;
    if (this.isKeptRepeat) marks |= MARKS.repeat;
    this.isKeptRepeat = false;
    const mode = this.options.lines?.[signal] ?? 'whole';
    return mode !== 'whole' && (flags & RECORD_FLAGS.valueUnknown) === 0 ? marks | MARKS.more : marks;
  }

  /** A command is hashed once it is known what both traces have of commands of its kind. */
  private keepCommand(n: number): void {
    const { words } = this;
    this.side.commands.push({
      place: n,
      shown: this.commandShown,
      isOutcomeShown: this.hasOutcome,
      words: words.slice(),
    });
  }
  /** For the current command: which operands are in the source. */
  private commandShown = 0;
  /** For the current command: whether its outcome is in the source. */
  private hasOutcome = false;

  /** In a run of reads of one polled register by one PE, only the last read counts. */
  private fold(kind: number, pe: number, n: number): void {
    // Input line changes and messages are not accesses. They have no accessor, or their PE field is not an accessor.
    const isAccess = accessValueAt(kind) >= 0 || kind === KIND['mem.write'] || kind === QUEUE_WRITE;
    if (!isAccess || pe < 0) return;
    const { words, side } = this;
    const polled = kind === MMIO_READ && POLLED.has(place(words[0]!, words[2]!));
    const key = polled ? (words[0]! * PES_MAX + words[1]!) * 2 ** 24 + words[2]! * 16 + words[3]! : -1;
    if (polled && !this.options.keepRepeats && this.lastPolled[pe] === key) {
      const before = this.lastAccess[pe]!;
      side.pollBefore.set(n, before);
      if (!this.options.unfolded?.has(side.record[before]!)) {
        side.marks[before] = side.marks[before]! | MARKS.folded;
        side.leave('reads of a polling loop but the last');
      }
    }
    this.lastAccess[pe] = n;
    this.lastPolled[pe] = key;
  }

  /** Clears what is not compared. Returns whether the record is an access whose value is not in the source. */
  private mask(kind: number, flags: number, n: number): boolean {
    const { words, side } = this;
    const value = accessValueAt(kind);
    if (value >= 0) {
      const isUnknown =
        responseAt(kind) >= 0 ? isResponseUnknown(flags) : (flags & RECORD_FLAGS.valueUnknown) !== 0;
      if (isUnknown) words[value] = words[value + 1] = 0;
      else if (value === 4 && isPosition(words[0]!, words[2]!)) {
        side.position[n] = positionOf(words[1]!, (words[4]! & POSITION_BITS) >>> 5);
        words[4]! &= ~POSITION_BITS;
      } else if (kind === MMIO_READ) clearUnknownBits(words, 4, words[0]!, words[2]!);
      return isUnknown;
    }
    switch (kind) {
      case QUEUE_WRITE:
        side.position[n] = positionOf(words[0]!, words[1]! >>> 5);
        words[1] = words[2] = 0;
        break;
      case ITS_COMMAND: {
        side.position[n] = positionOf(words[0]!, words[1]!);
        // No queue has that many slots.
        words[1] = words[1]! >>> 16;
        this.commandShown = shownOperands(words[COMMAND_WORDS.doublewords]!, words[COMMAND_WORDS.shown]!);
        const outcome = words[COMMAND_WORDS.outcome]!;
        this.hasOutcome = isOutcomeShown(flags, outcome);
        if (!isCommandShown(outcome)) side.marks[n] = side.marks[n]! | MARKS.notShown;
        commandMask(this.commandMask, words[COMMAND_WORDS.doublewords]!, this.commandShown, this.hasOutcome);
        for (let k = 0; k < RECORD_WORDS; k++) words[k] = (words[k]! & this.commandMask[k]!) >>> 0;
        break;
      }
      case CONFLICT:
        // The number of a source line.
        words[5] = 0;
        break;
      default: {
        const signal = signalOf(kind);
        if (signal < 0) break;
        const isPartial = (flags & RECORD_FLAGS.valueUnknown) !== 0;
        const mode = this.options.lines?.[signal] ?? 'whole';
        if (isPartial || mode !== 'whole') words.fill(0, SIGNALS[signal]!.wordsWithoutLines);
      }
    }
    return false;
  }
}
