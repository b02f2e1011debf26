// One side of a comparison: what is compared of each record, in typed arrays. No object for a record; about 70 bytes each.

/** Marks of a record. */
export const MARKS = {
  /** The source does not show all of it. */
  partial: 1,
  /** Left out: a poll that another one of the same loop follows. */
  folded: 2,
} as const;

/** No position in a command queue. */
export const NO_POSITION = 0xffff_ffff;

/** A slot of the queue of an ITS: its number modulo 2^16, and the ITS. */
export const positionOf = (its: number, slot: number): number => ((its & 15) << 16) | (slot & 0xffff);

/** What a record is about, as the summary and the rules know it. */
export interface Subject {
  readonly kind: string;
  readonly register: string | null;
  readonly INTID: number | null;
  readonly command: string | null;
  readonly DeviceID: number | null;
  /** All of it, for people: `mmio.write GICD_ISENABLER1`. */
  readonly text: string;
}

type Column = Uint8Array | Int16Array | Int32Array | Uint32Array | Float64Array;

export class Side {
  count = 0;
  /** Hash of what is compared. */
  lo: Uint32Array;
  hi: Uint32Array;
  /** Hash of what a record is about, without the values that it carries. */
  shape: Uint32Array;
  kind: Uint8Array;
  marks: Uint8Array;
  pe: Int16Array;
  /** Number of the record in the trace. */
  record: Uint32Array;
  /** The stream in which it is aligned, and its subject: indices into tables that both sides share. */
  stream: Uint32Array;
  subject: Uint32Array;
  /** Nanoseconds; NaN where not told. */
  timeNs: Float64Array;
  /** The record (of this side) that made it, or -1. */
  cause: Int32Array;
  /** Slot of a command queue that it names, or {@link NO_POSITION}. */
  position: Uint32Array;
  /** Where its footprint ends in {@link footprint}; it begins where that of the record before ends. */
  footprintEnd: Uint32Array;
  footprint: Uint32Array;
  footprintCount = 0;
  /** After {@link compact}: of each record its place before. */
  kept: Uint32Array = new Uint32Array(0);
  /** What was left out, by reason. */
  readonly left = new Map<string, number>();

  constructor(capacity: number) {
    this.lo = new Uint32Array(capacity);
    this.hi = new Uint32Array(capacity);
    this.shape = new Uint32Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.marks = new Uint8Array(capacity);
    this.pe = new Int16Array(capacity);
    this.record = new Uint32Array(capacity);
    this.stream = new Uint32Array(capacity);
    this.subject = new Uint32Array(capacity);
    this.timeNs = new Float64Array(capacity);
    this.cause = new Int32Array(capacity);
    this.position = new Uint32Array(capacity);
    this.footprintEnd = new Uint32Array(capacity);
    this.footprint = new Uint32Array(Math.max(64, capacity * 4));
  }

  /** Makes room for `n` more entries of footprints. */
  reserveFootprint(n: number): void {
    if (this.footprintCount + n <= this.footprint.length) return;
    const grown = new Uint32Array(Math.ceil(this.footprint.length * 1.5) + n);
    grown.set(this.footprint.subarray(0, this.footprintCount));
    this.footprint = grown;
  }

  footprintStart(i: number): number {
    return i === 0 ? 0 : this.footprintEnd[i - 1]!;
  }

  /** The place of a record of the trace, or -1 where it is left out. */
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

  /** Takes out the records that are marked as folded. */
  compact(): void {
    const { count, marks, cause } = this;
    const place = new Int32Array(count);
    const folded = marks.slice(0, count);
    const kept = new Uint32Array(count);
    const columns: Column[] = [
      this.lo,
      this.hi,
      this.shape,
      this.kind,
      this.pe,
      this.record,
      this.stream,
      this.subject,
      this.timeNs,
      this.position,
    ];
    let to = 0;
    let entries = 0;
    let start = 0;
    for (let i = 0; i < count; i++) {
      const end = this.footprintEnd[i]!;
      place[i] = to;
      kept[to] = i;
      if ((marks[i]! & MARKS.folded) === 0) {
        for (const column of columns) column[to] = column[i]!;
        marks[to] = marks[i]!;
        const by = cause[i]!;
        cause[to] = by < 0 || (folded[by]! & MARKS.folded) !== 0 ? -1 : place[by]!;
        for (let k = start; k < end; k++) this.footprint[entries++] = this.footprint[k]!;
        this.footprintEnd[to++] = entries;
      }
      start = end;
    }
    this.kept = kept.subarray(0, to);
    this.count = to;
    this.footprintCount = entries;
  }
}
