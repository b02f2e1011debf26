// Holds recorded observables against those that the backend shows, in streams: what each PE is told, what each
// PE's SGIs are, the commands of an ITS, its table accesses. Within a stream order counts; between streams it
// does not, since implementations print them in different places of one stimulus. No allocation per record.
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core';

const HPPI = RECORDS.hppi.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const SGI_SENT = RECORDS['sgi.sent'].id;

/** The outcome of one comparison. */
export const MATCH = 0;
export const DIFFERS = 1;
/** The source, or the backend, shows less than a whole observable; what is shown agrees. */
export const PARTLY = 2;

/**
 * What PEs are told by one kind of observable. A backend shows a change when it happens; a source may print the same thing again at any
 * time. So a recorded line must be the next change that the backend showed, or repeat the last one seen.
 */
export class ToldStream {
  private readonly fields: number;
  private readonly idle: readonly number[];
  /** Fields that a source shows even without the interrupt lines. */
  private readonly fieldsWithoutLines: number;
  /** Changes of each PE that no recorded line has shown yet: a ring of 64 a PE. */
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

  /** `idle`: the fields before anything was told. */
  constructor(peCount: number, idle: readonly number[], fieldsWithoutLines: number) {
    this.fields = idle.length;
    this.idle = idle;
    this.fieldsWithoutLines = fieldsWithoutLines;
    this.ring = new Uint32Array(peCount * 64 * this.fields);
    this.head = new Uint32Array(peCount);
    this.tail = new Uint32Array(peCount);
    this.last = new Uint32Array(peCount * this.fields);
    this.ringPartial = new Uint8Array(peCount * 64);
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

  /** The backend told a PE something new. The flag `valueUnknown` says that it does not show the interrupt lines. */
  show(pe: number, words: Uint32Array, at: number, flags = 0): void {
    const entry = pe * 64 + (this.tail[pe]! & 63);
    const slot = entry * this.fields;
    if (flags !== 0) this.anyPartial = true;
    if (this.anyPartial) this.ringPartial[entry] = flags & RECORD_FLAGS.valueUnknown;
    for (let k = 0; k < this.fields; k++) this.ring[slot + k] = words[at + k]!;
    this.tail[pe]!++;
    // A ring that overflows loses its oldest change: a recorded line would then differ, never agree by accident.
    if (this.tail[pe]! - this.head[pe]! > 64) this.head[pe] = this.tail[pe]! - 64;
    else this.outstanding++;
  }

  /** A recorded line. `partial`: the source did not print the interrupt lines. */
  see(pe: number, words: Uint32Array, at: number, partial: boolean): number {
    const { head, tail, last, ring, fields } = this;
    if (pe < 0 || pe >= head.length) return DIFFERS;
    const own = pe * fields;
    const from = head[pe]!;
    if (from !== tail[pe]) {
      const entry = pe * 64 + (from & 63);
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
    return { words: this.ring, at: (pe * 64 + (from & 63)) * this.fields };
  }

  /** Takes what the backend showed as seen: after a divergence, or where the source shows no lines. */
  settle(pe: number): void {
    while (this.head[pe] !== this.tail[pe]) {
      const entry = pe * 64 + (this.head[pe]! & 63);
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

/** Observables of one stimulus in order, of the kinds that form one stream: compared one by one. */
export class OrderedStream {
  private readonly words: Uint32Array;
  private readonly kinds: Uint8Array;
  private readonly pes: Int16Array;
  private readonly flags: Uint8Array;
  private readonly capacity: number;
  private head = 0;
  private tail = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.words = new Uint32Array(capacity * RECORD_WORDS);
    this.kinds = new Uint8Array(capacity);
    this.pes = new Int16Array(capacity);
    this.flags = new Uint8Array(capacity);
  }

  get waiting(): number {
    return this.tail - this.head;
  }

  show(batch: RecordBatch, i: number): void {
    const slot = this.tail++ % this.capacity;
    this.kinds[slot] = batch.kind[i]!;
    this.pes[slot] = batch.pe[i]!;
    this.flags[slot] = batch.flags[i]!;
    for (let k = 0; k < RECORD_WORDS; k++)
      this.words[slot * RECORD_WORDS + k] = batch.words[i * RECORD_WORDS + k]!;
    if (this.tail - this.head > this.capacity) this.head = this.tail - this.capacity;
  }

  /** How much the backend tells of the next shown observable, an ITS command: bits of its operands, and its outcome. */
  nextCommand(): { readonly operands: number; readonly outcome: boolean } {
    if (this.head === this.tail) return { operands: 0xffff_ffff, outcome: true };
    const slot = this.head % this.capacity;
    return {
      operands: this.words[slot * RECORD_WORDS + 3]!,
      outcome: (this.flags[slot]! & RECORD_FLAGS.valueUnknown) === 0,
    };
  }

  /** Compares a recorded observable with the next shown one, which is then used up. */
  see(batch: RecordBatch, i: number, mask: Uint32Array | undefined): number {
    if (this.head === this.tail) return DIFFERS;
    const slot = this.head++ % this.capacity;
    if (this.kinds[slot] !== batch.kind[i]) return DIFFERS;
    if (batch.kind[i] === SGI_SENT && this.pes[slot] !== batch.pe[i]) return DIFFERS;
    for (let k = 0; k < RECORD_WORDS; k++) {
      const bits = mask === undefined ? 0xffff_ffff : mask[k]!;
      if (((this.words[slot * RECORD_WORDS + k]! ^ batch.words[i * RECORD_WORDS + k]!) & bits) !== 0)
        return DIFFERS;
    }
    return MATCH;
  }

  /** Copies the next shown observable, or the one just used up, to the end of `out`; false if there is none. */
  copyNext(out: RecordBatch, used: boolean): boolean {
    const at = used ? this.head - 1 : this.head;
    if (at < 0 || at >= this.tail) return false;
    const slot = at % this.capacity;
    const i = out.push(this.kinds[slot]!, this.pes[slot]!, Number.NaN);
    for (let k = 0; k < RECORD_WORDS; k++)
      out.words[i * RECORD_WORDS + k] = this.words[slot * RECORD_WORDS + k]!;
    return true;
  }

  clear(): void {
    this.head = this.tail;
  }
}

/** Which stream a kind of observable is in: 0 none of these, 1 commands, 2 table accesses, 3 SGIs. */
export const STREAM_OF = new Uint8Array(256);
STREAM_OF[ITS_COMMAND] = 1;
for (const name of [
  'dte.read',
  'dte.write',
  'cte.read',
  'cte.write',
  'ite.read',
  'ite.write',
  'vte.read',
  'vte.write',
] as const)
  STREAM_OF[RECORDS[name].id] = 2;
STREAM_OF[SGI_SENT] = 3;

/** Kinds from here are events. */
export const FIRST_EVENT = 96;
/** Kinds from here on are observables; before them, down to the stimuli, operations. */
export const FIRST_OBSERVABLE = 64;

export { HPPI };
