// Compares what PEs are signalled: the interrupts that the physical and the virtual CPU interface present, with the
// IRQ and FIQ lines, and the maintenance interrupt. No allocation per record.
//
// A backend reports a change when it happens; a source may print the same line again at any time. So each recorded line
// must be the next change that the backend reported for that PE, or repeat the last one that was seen:
//
//   backend      27          8192
//   recorded     27   27     8192   8192        agrees
//   recorded     27   30                        differs: the next change is 8192
//   recorded     27          (next stimulus)    differs: the change to 8192 was not recorded
//
// The re-recording gets a line wherever the source printed one, with what the backend signals there. So a trace and its
// re-recording can be compared line by line, whatever either of them repeats.
import { recordText } from '@gictrace/core/disasm';
import { KIND, RECORD_FLAGS, RECORD_WORDS, RecordBatch, SIGNALS, signalOf } from '@gictrace/core/record';
import type { ReplayCounts } from './counts.ts';
import type { Divergences } from './divergences.ts';
import type { Choice, Following } from './following.ts';
import { DIFFERS, MATCH, NO_LINES, PARTLY, UNDECIDED, UNDECIDED_EFFECT } from './outcome.ts';
import type { ReRecording } from './re-recording.ts';

/** The signal that is followed. */
const HPPI = signalOf(KIND.hppi);
/** The largest number of changes for one PE that can wait for their recorded lines. */
const RING = 64;

export class Signals {
  private readonly streams: readonly SignalStream[];
  private readonly peCount: number;
  private readonly counts: ReplayCounts;
  private readonly compared: Float64Array;
  private readonly divergences: Divergences;
  private readonly reRecording: ReRecording | undefined;
  private readonly following: Following | undefined;
  /** By PE: whether the last comparison of what it is signalled found the backend's choice, and not what was recorded. */
  private readonly chosen: Uint8Array;
  private readonly expected = new RecordBatch(1);

  constructor(
    peCount: number,
    counts: ReplayCounts,
    divergences: Divergences,
    reRecording: ReRecording | undefined,
    following?: Following,
  ) {
    this.following = following;
    this.chosen = new Uint8Array(peCount);
    this.peCount = peCount;
    this.counts = counts;
    this.compared = counts.compared;
    this.divergences = divergences;
    this.reRecording = reRecording;
    this.streams = SIGNALS.map(
      ({ idle, wordsWithoutLines }) => new SignalStream(peCount, idle, wordsWithoutLines),
    );
  }

  /** The backend reported a change. `isUnprinted`: the source prints no line for it, so none is awaited. */
  show(signal: number, shown: RecordBatch, i: number, isUnprinted: boolean): void {
    const stream = this.streams[signal]!;
    stream.show(shown.pe[i]!, shown.words, i * RECORD_WORDS, shown.flags[i]!);
    if (signal === HPPI) this.following?.presents(shown.pe[i]!, shown.words[i * RECORD_WORDS]!);
    if (signal === HPPI && this.following?.isBetween(shown.pe[i]!)) {
      this.settle(signal, shown.pe[i]!, RECORD_FLAGS.undecided);
      this.chosen[shown.pe[i]!] = 1;
    }
    if (isUnprinted) this.settle(signal, shown.pe[i]!, RECORD_FLAGS.undecided);
  }

  /** Compares a recorded line. */
  compare(signal: number, batch: RecordBatch, i: number): void {
    const stream = this.streams[signal]!;
    const pe = batch.pe[i]!;
    const flags = batch.flags[i]!;
    const result = stream.see(pe, batch.words, i * RECORD_WORDS, (flags & RECORD_FLAGS.valueUnknown) !== 0);
    if (flags & RECORD_FLAGS.undecided) {
      this.counts.unknown(UNDECIDED);
      this.answer(signal, pe, result, RECORD_FLAGS.undecided);
      return;
    }
    this.compared[batch.kind[i]!]!++;
    if (result === PARTLY) this.counts.unknown(NO_LINES);
    const partial = (flags & RECORD_FLAGS.valueUnknown) !== 0;
    if (
      result === DIFFERS &&
      this.isChoice(signal, pe, partial) &&
      // The recorded GIC had the same choice.
      this.following!.allows(pe, batch.words, i * RECORD_WORDS, this.fieldsCompared(partial))
    ) {
      this.choose(pe);
      stream.take(pe);
      if (this.reRecording !== undefined) this.recordLast(signal, pe, 0);
      return;
    }
    if (signal === HPPI && pe >= 0 && pe < this.peCount) this.chosen[pe] = 0;
    if (result === DIFFERS) this.divergences.differs(batch, i, () => this.next(signal, pe));
    this.answer(signal, pe, result, 0);
  }

  /** Whether what the backend signals is a choice that the architecture leaves to it. `partial`: without the interrupt lines. */
  private isChoice(signal: number, pe: number, partial: boolean): boolean {
    if (this.following === undefined || signal !== HPPI || pe < 0 || pe >= this.peCount) return false;
    const { words, at } = this.streams[HPPI]!.next(pe);
    return this.following.allows(pe, words, at, this.fieldsCompared(partial));
  }

  /** The number of fields of an hppi that are compared. */
  private fieldsCompared(partial: boolean): number {
    return partial ? SIGNALS[HPPI]!.wordsWithoutLines : this.streams[HPPI]!.words;
  }

  private choose(pe: number, choice: Choice = 'signalled'): void {
    this.chosen[pe] = 1;
    this.counts.choose(choice);
  }

  /**
   * A stimulus is complete. Compares what PEs are signalled whose recorded lines say nothing, because of earlier choices of
   * the backend. `recorded`: whether there was such a line, by PE.
   */
  compareFollowed(recorded: Uint8Array): void {
    const { following, streams } = this;
    if (following === undefined) return;
    const stream = streams[HPPI]!;
    for (let pe = 0; pe < this.peCount; pe++) {
      if (!following.deviates(pe)) continue;
      const words = following.signalled(pe);
      if (recorded[pe] === 0 && !stream.isWaiting(pe) && stream.isLast(pe, words)) continue;
      this.settle(HPPI, pe, 0);
      this.compared[SIGNALS[HPPI]!.kind]!++;
      if (stream.isLast(pe, words) || this.isChoice(HPPI, pe, false)) {
        if (recorded[pe] !== 0 || this.chosen[pe] === 0) this.counts.choose('follows');
        this.chosen[pe] = 1;
        continue;
      }
      const { expected } = this;
      expected.clear();
      expected.push(SIGNALS[HPPI]!.kind, pe, Number.NaN);
      expected.words.set(words);
      this.divergences.differs(
        expected,
        0,
        () => `${this.next(HPPI, pe)}, and its earlier choices lead to the other`,
      );
    }
  }

  /**
   * After a recorded line: writes what the backend signals in its place. If they differ, everything that the backend
   * reported counts as seen.
   */
  private answer(signal: number, pe: number, result: number, flag: number): void {
    if (pe < 0 || pe >= this.peCount) return;
    const stream = this.streams[signal]!;
    if (result === DIFFERS && stream.isWaiting(pe)) this.settle(signal, pe, flag);
    else if (this.reRecording !== undefined) this.recordLast(signal, pe, flag);
  }

  private recordLast(signal: number, pe: number, flag: number): void {
    const { last, lastPartial, words } = this.streams[signal]!;
    this.reRecording!.signal(SIGNALS[signal]!.kind, pe, last, pe * words, words, lastPartial[pe]! | flag);
  }

  /**
   * Counts everything that the backend reported for a PE as seen. `flag`: {@link RECORD_FLAGS.undecided} if it is not
   * awaited.
   */
  private settle(signal: number, pe: number, flag: number): void {
    const stream = this.streams[signal]!;
    while (stream.take(pe)) if (this.reRecording !== undefined) this.recordLast(signal, pe, flag);
  }

  /** Returns to the initial state, in which nothing is signalled to any PE. */
  reset(): void {
    for (const stream of this.streams) stream.reset();
  }

  /** The next stimulus begins, so every change must have been recorded. */
  drain(undecided: boolean): void {
    const { streams } = this;
    for (let signal = 0; signal < streams.length; signal++)
      if (streams[signal]!.outstanding > 0) this.missing(signal, undecided);
  }

  private missing(signal: number, undecided: boolean): void {
    const stream = this.streams[signal]!;
    if (undecided) this.counts.unknown(UNDECIDED_EFFECT);
    let isReported = undecided;
    for (let pe = 0; pe < this.peCount; pe++)
      while (stream.isWaiting(pe)) {
        if (!undecided && this.isChosenAlone(signal, pe)) {
          stream.take(pe);
          if (this.reRecording !== undefined) this.recordLast(signal, pe, 0);
          continue;
        }
        const isAwaited = !undecided && !stream.changesUnshownLines(pe);
        if (isAwaited && !isReported) {
          this.divergences.missing(() => this.next(signal, pe));
          isReported = true;
        } else if (!isAwaited && !undecided) this.counts.unknown(NO_LINES);
        stream.take(pe);
        if (this.reRecording !== undefined)
          this.recordLast(signal, pe, isAwaited ? 0 : RECORD_FLAGS.undecided);
      }
  }

  /**
   * Whether a change that was not recorded is one from one of several equal interrupts to another, or back to what was
   * recorded.
   */
  private isChosenAlone(signal: number, pe: number): boolean {
    if (signal !== HPPI || !this.isChoice(signal, pe, false)) return false;
    const { words, at } = this.streams[HPPI]!.next(pe);
    const isOther = words[at] !== this.following!.signalled(pe)[0];
    if (!isOther && this.chosen[pe] === 0) return false;
    if (isOther) this.choose(pe);
    else this.chosen[pe] = 0;
    return true;
  }

  /** No more records follow. A source may end before it has printed everything, so nothing is awaited. */
  end(): void {
    for (let signal = 0; signal < this.streams.length; signal++)
      for (let pe = 0; pe < this.peCount; pe++) this.settle(signal, pe, RECORD_FLAGS.undecided);
  }

  /** The text of the line that is due for a PE. */
  private next(signal: number, pe: number): string {
    if (pe < 0 || pe >= this.peCount) return `no PE ${pe}`;
    const { kind, idle } = SIGNALS[signal]!;
    const { words, at } = this.streams[signal]!.next(pe);
    const out = new RecordBatch(1);
    out.push(kind, pe, Number.NaN);
    for (let k = 0; k < idle.length; k++) out.words[k] = words[at + k]!;
    return recordText(out, 0);
  }
}

/** Changes of one kind that the backend reported, and the recorded lines that are compared with them. */
export class SignalStream {
  readonly words: number;
  private readonly idle: readonly number[];
  /** Number of words that a source has even if it does not have the interrupt lines. */
  private readonly wordsWithoutLines: number;
  /** By PE: a ring of the changes that no recorded line has matched yet. */
  private readonly ring: Uint32Array;
  /**
   * By slot of the ring, and for the last line: whether the backend did not report the interrupt lines; and whether
   * this ever happened.
   */
  private readonly ringPartial: Uint8Array;
  readonly lastPartial: Uint8Array;
  private anyPartial = false;
  private readonly head: Uint32Array;
  private readonly tail: Uint32Array;
  /** What the backend signalled at the last recorded line, by PE. */
  readonly last: Uint32Array;
  /** By PE: whether the last recorded line lacked the interrupt lines. */
  private readonly sourcePartial: Uint8Array;
  /** Number of PEs with outstanding changes. */
  outstanding = 0;

  /** `idle`: the values of the fields before anything has happened. */
  constructor(peCount: number, idle: readonly number[], wordsWithoutLines: number) {
    this.words = idle.length;
    this.idle = idle;
    this.wordsWithoutLines = wordsWithoutLines;
    this.ring = new Uint32Array(peCount * RING * this.words);
    this.head = new Uint32Array(peCount);
    this.tail = new Uint32Array(peCount);
    this.last = new Uint32Array(peCount * this.words);
    this.ringPartial = new Uint8Array(peCount * RING);
    this.lastPartial = new Uint8Array(peCount);
    this.sourcePartial = new Uint8Array(peCount);
    this.reset();
  }

  /** Returns to the initial state, in which nothing is signalled to any PE. */
  reset(): void {
    for (let pe = 0; pe < this.head.length; pe++) {
      this.last.set(this.idle, pe * this.words);
      this.lastPartial[pe] = this.sourcePartial[pe] = 0;
      this.head[pe] = this.tail[pe]!;
    }
    this.outstanding = 0;
  }

  /** The backend reported a change. The flag `valueUnknown` means that it does not report the interrupt lines. */
  show(pe: number, words: Uint32Array, at: number, flags = 0): void {
    const entry = pe * RING + (this.tail[pe]! & (RING - 1));
    const slot = entry * this.words;
    if (flags !== 0) this.anyPartial = true;
    if (this.anyPartial) this.ringPartial[entry] = flags & RECORD_FLAGS.valueUnknown;
    for (let k = 0; k < this.words; k++) this.ring[slot + k] = words[at + k]!;
    this.tail[pe]!++;
    // A ring that overflows loses its oldest change. A recorded line would then differ; it cannot agree by accident.
    if (this.tail[pe]! - this.head[pe]! > RING) this.head[pe] = this.tail[pe]! - RING;
    else this.outstanding++;
  }

  /** Compares a recorded line. `partial`: the source did not print the interrupt lines. */
  see(pe: number, words: Uint32Array, at: number, partial: boolean): number {
    const { head, tail, last, ring, words: count } = this;
    if (pe < 0 || pe >= head.length) return DIFFERS;
    const own = pe * count;
    const from = head[pe]!;
    this.sourcePartial[pe] = partial ? 1 : 0;
    if (from !== tail[pe]) {
      const entry = pe * RING + (from & (RING - 1));
      const slot = entry * count;
      const less = partial || (this.anyPartial && this.ringPartial[entry] !== 0);
      if (equal(ring, slot, words, at, less ? this.wordsWithoutLines : count)) {
        for (let k = 0; k < count; k++) last[own + k] = ring[slot + k]!;
        if (this.anyPartial) this.lastPartial[pe] = this.ringPartial[entry]!;
        head[pe] = from + 1;
        this.outstanding--;
        return less ? PARTLY : MATCH;
      }
    }
    const less = partial || (this.anyPartial && this.lastPartial[pe] !== 0);
    if (!equal(last, own, words, at, less ? this.wordsWithoutLines : count)) return DIFFERS;
    return less ? PARTLY : MATCH;
  }

  /** Whether these are the fields of what the backend signalled last. */
  isLast(pe: number, words: readonly number[]): boolean {
    return words.every((word, k) => this.last[pe * this.words + k] === word);
  }

  /** Whether a change for this PE is waiting for a recorded line. */
  isWaiting(pe: number): boolean {
    return this.head[pe] !== this.tail[pe];
  }

  /**
   * Whether the next change concerns only the interrupt lines, and the source did not have those in its last line for
   * this PE. It then has no reason to print another line.
   */
  changesUnshownLines(pe: number): boolean {
    if (this.sourcePartial[pe] === 0) return false;
    const { words, at } = this.next(pe);
    return equal(words, at, this.last, pe * this.words, this.wordsWithoutLines);
  }

  /**
   * The next change that a recorded line for a PE should have: the returned index is that of its first word in `words`.
   */
  next(pe: number): { words: Uint32Array; at: number } {
    const from = this.head[pe]!;
    if (from === this.tail[pe]) return { words: this.last, at: pe * this.words };
    return { words: this.ring, at: (pe * RING + (from & (RING - 1))) * this.words };
  }

  /** Counts the next change that the backend reported as seen; returns false if there is none. */
  take(pe: number): boolean {
    const from = this.head[pe]!;
    if (from === this.tail[pe]) return false;
    const entry = pe * RING + (from & (RING - 1));
    for (let k = 0; k < this.words; k++) this.last[pe * this.words + k] = this.ring[entry * this.words + k]!;
    this.lastPartial[pe] = this.ringPartial[entry]!;
    this.head[pe] = from + 1;
    this.outstanding--;
    return true;
  }
}

function equal(a: Uint32Array, at: number, b: Uint32Array, bt: number, count: number): boolean {
  for (let k = 0; k < count; k++) if (a[at + k] !== b[bt + k]) return false;
  return true;
}
