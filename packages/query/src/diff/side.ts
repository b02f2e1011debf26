// One side of a comparison: what is compared of each record, in typed arrays. There is no object per record, except for
// ITS commands; a record takes about 70 bytes.
import { SIGNALS } from '@gictrace/core/record';

/** Marks of a record. */
export const MARKS = {
  /** Not all of it is in the source. */
  partial: 1,
  /** Left out: a poll that is followed by another one of the same loop. */
  folded: 2,
  /** The source has more of it than is aligned, because the other trace has less of its kind. */
  more: 4,
  /** A stimulus whose effects are not evidence, because they depend on state that is not in the source. */
  undecided: 8,
  /**
   * A repeat of what its PE was last signalled, kept because the other trace may print it with more or fewer fields.
   */
  repeat: 16,
  /** An unknown ITS command: only its slot is known. */
  notShown: 32,
} as const;

/** The record has no position in a command queue. */
export const NO_POSITION = 0xffff_ffff;

/** A slot of an ITS's queue: its number modulo 2^16, and the ITS. */
export const positionOf = (its: number, slot: number): number => ((its & 15) << 16) | (slot & 0xffff);

/** What a record concerns, for the summary and the rules. */
export interface Subject {
  readonly kind: string;
  readonly register: string | null;
  readonly INTID: number | null;
  readonly command: string | null;
  readonly DeviceID: number | null;
  /** The whole subject as readable text: `mmio.write GICD_ISENABLER1`. */
  readonly text: string;
}

/** A read of a polling loop that is left out. */
export interface Poll {
  readonly record: number;
  readonly lo: number;
  readonly hi: number;
  readonly position: number;
}

/** An ITS command, until it is known what both traces have of commands of its kind. */
export interface Command {
  readonly place: number;
  readonly shown: number;
  readonly isOutcomeShown: boolean;
  /** The words, with zero for what is not in the source. */
  readonly words: Uint32Array;
}

// A function for each width: one loop over arrays of every type is ten times slower in V8.
function pick8(column: Uint8Array, order: Uint32Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(order.length);
  for (let to = 0; to < order.length; to++) out[to] = column[order[to]!]!;
  return out;
}
function pick16(column: Uint16Array, order: Uint32Array): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(order.length);
  for (let to = 0; to < order.length; to++) out[to] = column[order[to]!]!;
  return out;
}
function pick32(column: Uint32Array, order: Uint32Array): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(order.length);
  for (let to = 0; to < order.length; to++) out[to] = column[order[to]!]!;
  return out;
}
function pick64(column: Float64Array, order: Uint32Array): Float64Array<ArrayBuffer> {
  const out = new Float64Array(order.length);
  for (let to = 0; to < order.length; to++) out[to] = column[order[to]!]!;
  return out;
}

export class Side {
  count = 0;
  /** Hash of what is compared. */
  lo: Uint32Array;
  hi: Uint32Array;
  /** Hash of what a record concerns, without the values that it carries. */
  shape: Uint32Array;
  kind: Uint8Array;
  marks: Uint8Array;
  pe: Int16Array;
  /** Its stream among the effects of one stimulus (`rankOf`). */
  rank: Uint16Array;
  /** Number of the record in the trace. */
  record: Uint32Array;
  /** The stream in which it is aligned, and its subject: indices into tables that both sides share. */
  stream: Uint32Array;
  subject: Uint32Array;
  /** Nanoseconds; NaN if not recorded. */
  timeNs: Float64Array;
  /** The record (of this side) that caused it, or -1. */
  cause: Int32Array;
  /** Slot of a command queue that it names, or {@link NO_POSITION}. */
  position: Uint32Array;
  /** Where its footprint ends in {@link footprint}; it begins where the previous record's ends. */
  footprintEnd: Uint32Array;
  footprint: Uint32Array;
  footprintCount = 0;
  /** After {@link compact}: by record, its place before. */
  kept: Uint32Array = new Uint32Array(0);
  /** By command: its place before {@link compact}, what the source has of it, and its masked words. */
  readonly commands: Command[] = [];
  /** By signal: whether there are records with the interrupt lines, and records without. */
  readonly lines = SIGNALS.map(() => ({ shown: false, notShown: false }));
  /** By place before {@link compact} of a read: the read of the same polling loop before it. */
  readonly pollBefore = new Map<number, number>();
  /** By place of the last read of a polling loop: the reads before it that are left out, first to last. */
  readonly polls = new Map<number, readonly Poll[]>();
  /** What was left out, by reason. */
  readonly left = new Map<string, number>();

  constructor(capacity: number) {
    this.lo = new Uint32Array(capacity);
    this.hi = new Uint32Array(capacity);
    this.shape = new Uint32Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.marks = new Uint8Array(capacity);
    this.pe = new Int16Array(capacity);
    this.rank = new Uint16Array(capacity);
    this.record = new Uint32Array(capacity);
    this.stream = new Uint32Array(capacity);
    this.subject = new Uint32Array(capacity);
    this.timeNs = new Float64Array(capacity);
    this.cause = new Int32Array(capacity);
    this.position = new Uint32Array(capacity);
    this.footprintEnd = new Uint32Array(capacity);
    this.footprint = new Uint32Array(Math.max(64, capacity * 4));
  }

  /** Makes space for `n` more footprint entries. */
  reserveFootprint(n: number): void {
    if (this.footprintCount + n <= this.footprint.length) return;
    const grown = new Uint32Array(Math.ceil(this.footprint.length * 1.5) + n);
    grown.set(this.footprint.subarray(0, this.footprintCount));
    this.footprint = grown;
  }

  footprintStart(i: number): number {
    return i === 0 ? 0 : this.footprintEnd[i - 1]!;
  }

  /** The place of a record of the trace, or -1 if it is left out. */
  placeOf(record: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.record[middle]! < record) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.record[low] === record ? low : -1;
  }

  leave(reason: string): void {
    this.left.set(reason, (this.left.get(reason) ?? 0) + 1);
  }

  /** Removes the records that are marked as folded. */
  compact(): void {
    this.keepPolls();
    const kept = new Uint32Array(this.count);
    let to = 0;
    for (let i = 0; i < this.count; i++) if ((this.marks[i]! & MARKS.folded) === 0) kept[to++] = i;
    this.kept = kept.subarray(0, to);
    if (to < this.count) this.gather(this.kept);
  }

  /** Keeps the reads of polling loops that are left out. */
  private keepPolls(): void {
    if (this.pollBefore.size === 0) return;
    let folded = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.marks[i]! & MARKS.folded) {
        folded++;
        continue;
      }
      const polls: Poll[] = [];
      for (let k = this.pollBefore.get(i); k !== undefined; k = this.pollBefore.get(k)) {
        if ((this.marks[k]! & MARKS.folded) === 0) break;
        polls.push({
          record: this.record[k]!,
          lo: this.lo[k]!,
          hi: this.hi[k]!,
          position: this.position[k]!,
        });
      }
      if (polls.length > 0) this.polls.set(i - folded, polls.reverse());
    }
    this.pollBefore.clear();
  }

  /** Runs `work` with the records in another order; undefined is the one that they are in. */
  arranged<T>(order: Uint32Array | undefined, work: () => T): T {
    if (order === undefined) return work();
    const { lo, hi, shape, kind, marks, pe, rank, record, stream, subject, timeNs } = this;
    const { cause, position, footprint, footprintEnd, footprintCount } = this;
    this.gather(order);
    const result = work();
    Object.assign(this, { lo, hi, shape, kind, marks, pe, rank, record, stream, subject, timeNs });
    Object.assign(this, { cause, position, footprint, footprintEnd, footprintCount });
    return result;
  }

  /** Keeps the records at these places, in this order. A record whose cause is left out has no cause. */
  gather(order: Uint32Array): void {
    const place = new Int32Array(this.count).fill(-1);
    for (let to = 0; to < order.length; to++) place[order[to]!] = to;
    const footprint = new Uint32Array(Math.max(64, this.footprintCount));
    const ends = new Uint32Array(order.length);
    let entries = 0;
    for (let to = 0; to < order.length; to++) {
      const i = order[to]!;
      const end = this.footprintEnd[i]!;
      for (let k = this.footprintStart(i); k < end; k++) footprint[entries++] = this.footprint[k]!;
      ends[to] = entries;
    }
    this.lo = pick32(this.lo, order);
    this.hi = pick32(this.hi, order);
    this.shape = pick32(this.shape, order);
    this.kind = pick8(this.kind, order);
    this.marks = pick8(this.marks, order);
    this.pe = new Int16Array(pick16(new Uint16Array(this.pe.buffer), order).buffer);
    this.rank = pick16(this.rank, order);
    this.record = pick32(this.record, order);
    this.stream = pick32(this.stream, order);
    this.subject = pick32(this.subject, order);
    this.timeNs = pick64(this.timeNs, order);
    this.position = pick32(this.position, order);
    const cause = new Int32Array(order.length);
    for (let to = 0; to < order.length; to++) {
      const by = this.cause[order[to]!]!;
      cause[to] = by < 0 ? -1 : place[by]!;
    }
    this.cause = cause;
    this.footprint = footprint;
    this.footprintEnd = ends;
    this.footprintCount = entries;
    this.count = order.length;
  }
}
