// Determines which matched records changed their place, and whether they may: finds the fewest records that must move
// to make both orders the same, and checks each against the records that it crossed. Pure: knows sides and touched
// resources, not kinds.
import { BARRIER } from '@gictrace/core/record';
import { increasing } from './align.ts';
import { MODES_MAX } from './dependence.ts';
import type { Footprints } from './footprints.ts';
import type { Matching } from './match.ts';
import type { Side } from './side.ts';

export const KEPT = 0;
export const MOVED_LEGALLY = 1;
export const MOVED_ILLEGALLY = 2;

export interface Order {
  /** By record of A: {@link KEPT} and so on. */
  readonly moved: Uint8Array;
  /** For a record that moved illegally: the record of A that it crossed, or whose effect it is. */
  readonly crossed: Int32Array;
  /**
   * For the same record: the resource that both touch, as {@link Footprints} numbers it; -1 if one is the cause of the
   * other.
   */
  readonly over: Int32Array;
}

export function judgeOrder(a: Side, b: Side, { matchA, matchB }: Matching, footprints: Footprints): Order {
  const moved = new Uint8Array(a.count);
  const crossed = new Int32Array(a.count).fill(-1);
  const over = new Int32Array(a.count).fill(-1);
  const judged: Order = { moved, crossed, over };
  // The matched records in A's order, and their places in B.
  const [pairs, places] = matchedPairs(matchA);
  const keep = keptBetweenBarriers(a, pairs, places) ?? increasing(places);
  const out = pairs.filter((_, k) => keep[k] === 0);
  if (out.length === 0) return judged;
  for (const i of out) moved[i] = MOVED_LEGALLY;

  const involved = inverted(pairs, places);
  const illegal = (i: number, with_: number, resource: number) => {
    if (moved[i] === KEPT) return;
    if (moved[i] === MOVED_ILLEGALLY && crossed[i]! >= 0 && Math.abs(crossed[i]! - i) <= Math.abs(with_ - i))
      return;
    moved[i] = MOVED_ILLEGALLY;
    crossed[i] = with_;
    over[i] = resource;
  };
  const scan = new Scan(a, footprints, involved, matchA, illegal);
  scan.forward();
  scan.backward();
  causes(a, b, matchA, matchB, involved, illegal);
  return judged;
}

/**
 * Decides which pairs to keep if the barriers, which are the stimuli, have the same order in both: all barriers, and
 * then as many of the others as possible. The difference is then an effect that follows another stimulus, not a
 * stimulus that is earlier or later than the effects of others. Undefined if the barriers themselves moved.
 */
function keptBetweenBarriers({ rank }: Side, pairs: Int32Array, places: Int32Array): Uint8Array | undefined {
  const n = pairs.length;
  const fitting = new Uint8Array(n);
  let last = -1;
  let isIncreasing = true;
  for (let k = 0; k < n; k++) {
    const place = places[k]!;
    if (rank[pairs[k]!] === BARRIER) {
      if (place < last) return undefined;
      last = place;
    }
    if (place >= last) fitting[k] = 1;
    if (k > 0 && place < places[k - 1]!) isIncreasing = false;
  }
  if (isIncreasing) return fitting;
  let next = 0x7fff_ffff;
  let count = 0;
  for (let k = n - 1; k >= 0; k--) {
    if (rank[pairs[k]!] === BARRIER) next = places[k]!;
    else if (places[k]! > next) fitting[k] = 0;
    count += fitting[k]!;
  }
  const fit = new Int32Array(count);
  for (let k = 0, at = 0; k < n; k++) if (fitting[k] === 1) fit[at++] = places[k]!;
  const kept = increasing(fit);
  for (let k = 0, at = 0; k < n; k++) if (fitting[k] === 1) fitting[k] = kept[at++]!;
  return fitting;
}

function matchedPairs(matchA: Int32Array): [Int32Array, Int32Array] {
  let n = 0;
  for (const j of matchA) if (j >= 0) n++;
  const pairs = new Int32Array(n);
  const places = new Int32Array(n);
  n = 0;
  for (let i = 0; i < matchA.length; i++) {
    if (matchA[i]! < 0) continue;
    pairs[n] = i;
    places[n++] = matchA[i]!;
  }
  return [pairs, places];
}

/** The pairs that are in another order with respect to any other pair. */
function inverted(pairs: Int32Array, places: Int32Array): Int32Array {
  const n = pairs.length;
  const is = new Uint8Array(n);
  let most = -1;
  for (let k = 0; k < n; k++) {
    if (places[k]! < most) is[k] = 1;
    else most = places[k]!;
  }
  let least = Number.POSITIVE_INFINITY;
  for (let k = n - 1; k >= 0; k--) {
    if (places[k]! > least) is[k] = 1;
    else least = places[k]!;
  }
  return pairs.filter((_, k) => is[k] === 1);
}

/** Walks the resources that the inverted records touch, to find which records before one in A are after it in B. */
class Scan {
  private readonly a: Side;
  private readonly footprints: Footprints;
  private readonly involved: Int32Array;
  private readonly matchA: Int32Array;
  private readonly illegal: (i: number, with_: number, resource: number) => void;
  /** By instance and mode: the extreme place in B so far, and the record of A at that place. */
  private readonly extreme: Int32Array;
  private readonly holder: Int32Array;

  constructor(
    a: Side,
    footprints: Footprints,
    involved: Int32Array,
    matchA: Int32Array,
    illegal: (i: number, with_: number, resource: number) => void,
  ) {
    this.a = a;
    this.footprints = footprints;
    this.involved = involved;
    this.matchA = matchA;
    this.illegal = illegal;
    this.extreme = new Int32Array(footprints.types.length * MODES_MAX);
    this.holder = new Int32Array(this.extreme.length);
  }

  forward(): void {
    this.extreme.fill(-1);
    for (let k = 0; k < this.involved.length; k++) this.visit(this.involved[k]!, 1);
  }

  backward(): void {
    this.extreme.fill(-0x8000_0000);
    for (let k = this.involved.length - 1; k >= 0; k--) this.visit(this.involved[k]!, -1);
  }

  /** `sign` 1: of the records before, the last in B; -1: of the records after, the first in B. */
  private visit(i: number, sign: 1 | -1): void {
    const { a, footprints, extreme, holder } = this;
    const place = sign * this.matchA[i]!;
    const end = a.footprintEnd[i]!;
    for (let f = a.footprintStart(i); f < end; f++) {
      const touched = a.footprint[f]!;
      const base = touched - (touched % MODES_MAX);
      let modes = footprints.conflictsOf(touched);
      for (let mode = 0; modes !== 0; mode++, modes >>= 1) {
        if ((modes & 1) === 0 || extreme[base + mode]! <= place) continue;
        this.illegal(i, holder[base + mode]!, touched);
      }
    }
    for (let f = a.footprintStart(i); f < end; f++) {
      const touched = a.footprint[f]!;
      if (extreme[touched]! >= place) continue;
      extreme[touched] = place;
      holder[touched] = i;
    }
  }
}

/** An observable follows another stimulus than in A. If either stimulus or the observable moved, that was not legal. */
function causes(
  a: Side,
  b: Side,
  matchA: Int32Array,
  matchB: Int32Array,
  involved: Int32Array,
  illegal: (i: number, with_: number, resource: number) => void,
): void {
  const blame = (i: number, other: number) => {
    illegal(i, other, -1);
    illegal(other, i, -1);
  };
  const check = (i: number) => {
    const own = a.cause[i]!;
    const inB = b.cause[matchA[i]!]!;
    const now = inB < 0 ? -1 : matchB[inB]!;
    // A cause that is not matched is a separate difference.
    if (own === now || (own >= 0 && matchA[own]! < 0) || (inB >= 0 && now < 0)) return;
    if (own >= 0) blame(i, own);
    if (now >= 0) blame(i, now);
  };
  const isInvolved = new Uint8Array(a.count);
  for (const i of involved) isInvolved[i] = 1;
  for (let i = 0; i < a.count; i++) {
    if (matchA[i]! < 0) continue;
    const own = a.cause[i]!;
    const inB = b.cause[matchA[i]!]!;
    if (own < 0 && inB < 0) continue;
    if (isInvolved[i] === 1 || (own >= 0 && isInvolved[own] === 1)) check(i);
    else if (inB >= 0 && matchB[inB]! >= 0 && isInvolved[matchB[inB]!] === 1) check(i);
  }
}
