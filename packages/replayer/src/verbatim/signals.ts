// Compares what PEs are signalled: the interrupts that the physical and the virtual CPU interface present, with the
// IRQ and FIQ lines, and the maintenance interrupt. No allocation per record.
//
// A backend shows a change when it happens; a source may print the same line again at any time. So each recorded line
// must be the next change that the backend showed for that PE, or repeat the last one that was seen:
//
//   backend      27          8192
//   recorded     27   27     8192   8192        agrees
//   recorded     27   30                        differs: the next change is 8192
//   recorded     27          (next stimulus)    differs: nobody recorded the change to 8192
import { recordText } from '@gictrace/core/disasm';
import { IDLE } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { SPURIOUS } from '@gictrace/core/spec';
import type { ReplayCounts } from './counts.ts';
import type { Divergences } from './divergences.ts';
import { DIFFERS, MATCH, PARTLY, UNDECIDED, UNDECIDED_EFFECT } from './outcome.ts';

/** The kinds, with the fields before anything happened, and how many of them a source shows that does not show the lines. */
const SIGNALS = [
  { kind: RECORDS.hppi.id, idle: [SPURIOUS, 0, IDLE, 0, 0], fieldsWithoutLines: 3 },
  { kind: RECORDS.vhppi.id, idle: [0xffff_ffff, SPURIOUS, 0, IDLE, 0, 0], fieldsWithoutLines: 4 },
  { kind: RECORDS.maintenance.id, idle: [0], fieldsWithoutLines: 1 },
] as const;

/** By kind: its place in SIGNALS, or -1. */
const signalOf = new Int8Array(256).fill(-1);
SIGNALS.forEach(({ kind }, signal) => {
  signalOf[kind] = signal;
});

/** Changes of one PE that wait for their recorded line, at most. */
const RING = 64;

export class Signals {
  private readonly streams: readonly SignalStream[];
  private readonly peCount: number;
  private readonly counts: ReplayCounts;
  private readonly compared: Float64Array;
  private readonly divergences: Divergences;

  constructor(peCount: number, counts: ReplayCounts, divergences: Divergences) {
    this.peCount = peCount;
    this.counts = counts;
    this.compared = counts.compared;
    this.divergences = divergences;
    this.streams = SIGNALS.map(
      ({ idle, fieldsWithoutLines }) => new SignalStream(peCount, idle, fieldsWithoutLines),
    );
  }

  /** The stream of a kind, or -1 for a kind that is no signal. */
  static of(kind: number): number {
    return signalOf[kind]!;
  }

  /** The backend showed a change. `isUnprinted`: the source prints no line of this one, so none is awaited. */
  show(signal: number, shown: RecordBatch, i: number, isUnprinted: boolean): void {
    const stream = this.streams[signal]!;
    stream.show(shown.pe[i]!, shown.words, i * RECORD_WORDS, shown.flags[i]!);
    if (isUnprinted) stream.settle(shown.pe[i]!);
  }

  /** A recorded line. */
  compare(signal: number, batch: RecordBatch, i: number): void {
    const stream = this.streams[signal]!;
    const pe = batch.pe[i]!;
    const flags = batch.flags[i]!;
    const result = stream.see(pe, batch.words, i * RECORD_WORDS, (flags & RECORD_FLAGS.valueUnknown) !== 0);
    if (flags & RECORD_FLAGS.undecided) {
      this.counts.unknown(UNDECIDED);
      if (result === DIFFERS) stream.settle(pe);
      return;
    }
    this.compared[batch.kind[i]!]!++;
    if (result === PARTLY) this.counts.unknown('interrupt lines not shown by the source');
    if (result === DIFFERS) this.differs(signal, batch, i, pe);
  }

  private differs(signal: number, batch: RecordBatch, i: number, pe: number): void {
    this.divergences.differs(batch, i, () => this.next(signal, pe));
    if (pe >= 0 && pe < this.peCount) this.streams[signal]!.settle(pe);
  }

  /** As at the start: nothing is signalled to any PE. */
  reset(): void {
    for (const stream of this.streams) stream.reset();
  }

  /** The next stimulus comes: every change must have been recorded. */
  drain(undecided: boolean): void {
    const { streams } = this;
    for (let signal = 0; signal < streams.length; signal++)
      if (streams[signal]!.outstanding > 0) this.missing(signal, undecided);
  }

  private missing(signal: number, undecided: boolean): void {
    const stream = this.streams[signal]!;
    const pe = stream.waiting();
    if (undecided) this.counts.unknown(UNDECIDED_EFFECT);
    else this.divergences.missing(() => this.next(signal, pe));
    for (let k = 0; k < this.peCount; k++) stream.settle(k);
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

/** Changes of one kind that the backend showed, and the recorded lines that are held against them. */
export class SignalStream {
  private readonly fields: number;
  private readonly idle: readonly number[];
  /** Fields that are shown even where the interrupt lines are not. */
  private readonly fieldsWithoutLines: number;
  /** Changes of each PE that no recorded line has shown yet: a ring for each PE. */
  private readonly ring: Uint32Array;
  /** By slot of the ring, and of the last line: whether the backend showed no interrupt lines; and whether it ever did so. */
  private readonly ringPartial: Uint8Array;
  private readonly lastPartial: Uint8Array;
  private anyPartial = false;
  private readonly head: Uint32Array;
  private readonly tail: Uint32Array;
  /** What the last recorded line said, by PE. */
  private readonly last: Uint32Array;
  /** PEs with changes outstanding. */
  outstanding = 0;

  /** `idle`: the fields before anything happened. */
  constructor(peCount: number, idle: readonly number[], fieldsWithoutLines: number) {
    this.fields = idle.length;
    this.idle = idle;
    this.fieldsWithoutLines = fieldsWithoutLines;
    this.ring = new Uint32Array(peCount * RING * this.fields);
    this.head = new Uint32Array(peCount);
    this.tail = new Uint32Array(peCount);
    this.last = new Uint32Array(peCount * this.fields);
    this.ringPartial = new Uint8Array(peCount * RING);
    this.lastPartial = new Uint8Array(peCount);
    this.reset();
  }

  /** As at the start: nothing is signalled to any PE. */
  reset(): void {
    for (let pe = 0; pe < this.head.length; pe++) {
      this.last.set(this.idle, pe * this.fields);
      this.lastPartial[pe] = 0;
      this.head[pe] = this.tail[pe]!;
    }
    this.outstanding = 0;
  }

  /** The backend showed a change. The flag `valueUnknown` says that it does not show the interrupt lines. */
  show(pe: number, words: Uint32Array, at: number, flags = 0): void {
    const entry = pe * RING + (this.tail[pe]! & (RING - 1));
    const slot = entry * this.fields;
    if (flags !== 0) this.anyPartial = true;
    if (this.anyPartial) this.ringPartial[entry] = flags & RECORD_FLAGS.valueUnknown;
    for (let k = 0; k < this.fields; k++) this.ring[slot + k] = words[at + k]!;
    this.tail[pe]!++;
    // A ring that overflows loses its oldest change: a recorded line would then differ, never agree by accident.
    if (this.tail[pe]! - this.head[pe]! > RING) this.head[pe] = this.tail[pe]! - RING;
    else this.outstanding++;
  }

  /** A recorded line. `partial`: the source did not print the interrupt lines. */
  see(pe: number, words: Uint32Array, at: number, partial: boolean): number {
    const { head, tail, last, ring, fields } = this;
    if (pe < 0 || pe >= head.length) return DIFFERS;
    const own = pe * fields;
    const from = head[pe]!;
    if (from !== tail[pe]) {
      const entry = pe * RING + (from & (RING - 1));
      const slot = entry * fields;
      const less = partial || (this.anyPartial && this.ringPartial[entry] !== 0);
      if (equal(ring, slot, words, at, less ? this.fieldsWithoutLines : fields)) {
        for (let k = 0; k < fields; k++) last[own + k] = ring[slot + k]!;
        if (this.anyPartial) this.lastPartial[pe] = this.ringPartial[entry]!;
        head[pe] = from + 1;
        this.outstanding--;
        return less ? PARTLY : MATCH;
      }
    }
    const less = partial || (this.anyPartial && this.lastPartial[pe] !== 0);
    if (!equal(last, own, words, at, less ? this.fieldsWithoutLines : fields)) return DIFFERS;
    return less ? PARTLY : MATCH;
  }

  /** The PE that still waits for a recorded line of a change, or -1. */
  waiting(): number {
    if (this.outstanding === 0) return -1;
    for (let pe = 0; pe < this.head.length; pe++) if (this.head[pe] !== this.tail[pe]) return pe;
    return -1;
  }

  /** The next change that a PE's recorded line should show: its words at the answer in `words`. */
  next(pe: number): { words: Uint32Array; at: number } {
    const from = this.head[pe]!;
    if (from === this.tail[pe]) return { words: this.last, at: pe * this.fields };
    return { words: this.ring, at: (pe * RING + (from & (RING - 1))) * this.fields };
  }

  /** Takes what the backend showed as seen: after a divergence, or where the source shows no lines. */
  settle(pe: number): void {
    while (this.head[pe] !== this.tail[pe]) {
      const entry = pe * RING + (this.head[pe]! & (RING - 1));
      const slot = entry * this.fields;
      for (let k = 0; k < this.fields; k++) this.last[pe * this.fields + k] = this.ring[slot + k]!;
      this.lastPartial[pe] = this.ringPartial[entry]!;
      this.head[pe]!++;
      this.outstanding--;
    }
  }
}

function equal(a: Uint32Array, at: number, b: Uint32Array, bt: number, count: number): boolean {
  for (let k = 0; k < count; k++) if (a[at + k] !== b[bt + k]) return false;
  return true;
}
