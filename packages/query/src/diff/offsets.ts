// Compares what is relative to earlier records: times, and positions in a command queue. Either may be shifted from
// some record on, which is one difference, not one for each record after it. Pure.
import { KIND } from '@gictrace/core/record';
import { NO_POSITION, type Side } from './side.ts';

/** The slots of the smallest command queue. All other sizes are multiples of it. */
const SLOTS = 128;

/**
 * Whether two differences of positions are the same. If queues are shifted against each other one of them wraps first,
 * so a shift counts modulo the size of a queue. If they are not shifted, nothing wraps.
 */
const sameShift = (d: number, offset: number) => d === offset || (offset !== 0 && (d - offset) % SLOTS === 0);

/**
 * Follows the difference of a pair of values along a sequence. Given each pair in order, reports whether the previous
 * pair differs from the others: alone (its neighbours agree), or as the first of a lasting shift.
 */
class Shift {
  private offset: number | undefined;
  private pending: { readonly i: number; readonly d: number } | undefined;
  private readonly off: (i: number, by: number, lasting: boolean) => void;
  private readonly equal: (d: number, offset: number) => boolean;

  constructor(
    off: (i: number, by: number, lasting: boolean) => void,
    start?: number,
    equal = (d: number, offset: number) => d === offset,
  ) {
    this.off = off;
    this.offset = start;
    this.equal = equal;
  }

  next(i: number, d: number): void {
    if (this.pending !== undefined) {
      const { pending } = this;
      this.pending = undefined;
      // Back at the old offset, so only that pair was different.
      const alone = this.equal(d, this.offset!);
      this.off(pending.i, pending.d - this.offset!, !alone);
      if (!alone) this.offset = pending.d;
    }
    this.offset ??= d;
    if (!this.equal(d, this.offset)) this.pending = { i, d };
  }

  end(): void {
    if (this.pending !== undefined) this.off(this.pending.i, this.pending.d - this.offset!, false);
    this.pending = undefined;
  }
}

/**
 * By record of A: the nanoseconds by which its counterpart is later than the previous record suggests; 0 if it is not.
 */
export function timeShifts(a: Side, b: Side, matchA: Int32Array, moved: Uint8Array): Float64Array {
  const shifts = new Float64Array(a.count);
  const shift = new Shift((i, by) => {
    shifts[i] = by;
  });
  for (let i = 0; i < a.count; i++) {
    const j = matchA[i]!;
    if (j < 0 || moved[i] !== 0) continue;
    const d = b.timeNs[j]! - a.timeNs[i]!;
    if (!Number.isNaN(d)) shift.next(i, d);
  }
  shift.end();
  return shifts;
}

/**
 * Marks (1) matched records of A that name another slot of their queue than the records around them suggest. A lasting
 * shift is not a difference if a record of the same sequence is in only one of the traces, because that record causes
 * it. Software may use another part of its queue from the beginning; the positions that the ITS reports (the slots of
 * its commands, and GITS_CREADR) are then shifted like the first write of GITS_CWRITER.
 */
export function positionFaults(a: Side, b: Side, matchA: Int32Array, matchB: Int32Array): Uint8Array {
  const faults = new Uint8Array(a.count);
  const sequences = new Map<number, { shift: Shift; unmatched: boolean; lastB: number }>();
  const unmatchedBefore = unmatchedPositions(b, matchB);
  const starts = softwareShifts(a, b, matchA);
  for (let i = 0; i < a.count; i++) {
    if (a.position[i] === NO_POSITION) continue;
    // There is a sequence for each kind, ITS and, for an access, register.
    const key = (a.kind[i]! * 16 + (a.position[i]! >>> 16)) * 2 ** 32 + (a.kind[i]! <= 2 ? a.shape[i]! : 0);
    let sequence = sequences.get(key);
    if (sequence === undefined) {
      const made = { unmatched: false, lastB: 0 } as { shift: Shift; unmatched: boolean; lastB: number };
      made.shift = new Shift(
        (at, _by, lasting) => {
          if (!(lasting && made.unmatched)) faults[at] = 1;
          if (lasting) made.unmatched = false;
        },
        isOfSoftware(a.kind[i]!) ? undefined : (starts.get(a.position[i]! >>> 16) ?? 0),
        sameShift,
      );
      sequence = made;
      sequences.set(key, sequence);
    }
    const j = matchA[i]!;
    if (j < 0) {
      sequence.unmatched = true;
      continue;
    }
    if (unmatchedBefore[j]! > (sequence.lastB === 0 ? 0 : unmatchedBefore[sequence.lastB]!))
      sequence.unmatched = true;
    sequence.lastB = j;
    sequence.shift.next(i, b.position[j]! - a.position[i]!);
  }
  for (const { shift } of sequences.values()) shift.end();
  return faults;
}

/** Whether software named the slot. */
const isOfSoftware = (kind: number) => kind === KIND['mmio.write'] || kind === KIND['queue.write'];

/** By ITS: the number of slots by which the first write of GITS_CWRITER is shifted. */
function softwareShifts(a: Side, b: Side, matchA: Int32Array): Map<number, number> {
  const shifts = new Map<number, number>();
  for (let i = 0; i < a.count; i++) {
    if (a.kind[i] !== KIND['mmio.write'] || a.position[i] === NO_POSITION || matchA[i]! < 0) continue;
    const its = a.position[i]! >>> 16;
    if (!shifts.has(its)) shifts.set(its, b.position[matchA[i]!]! - a.position[i]!);
  }
  return shifts;
}

/** By record of B: how many records with a position that are only in B precede it. */
function unmatchedPositions(b: Side, matchB: Int32Array): Uint32Array {
  const out = new Uint32Array(b.count);
  let n = 0;
  for (let j = 0; j < b.count; j++) {
    out[j] = n;
    if (matchB[j]! < 0 && b.position[j] !== NO_POSITION) n++;
  }
  return out;
}
