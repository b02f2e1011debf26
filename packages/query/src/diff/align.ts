// Aligns two sequences of names of records: trims common ends, anchors on what is unique in both (patience), and uses
// Myers in the gaps. If that is too expensive, anchors on unique windows, then aligns piece by piece. Pure; knows no
// records.
import { Interner, spread } from './hash.ts';
import { alignCoarsely, alignExactly, EDITS_MAX, type Part } from './myers.ts';

/** Gaps up to this size are aligned by Myers at once. */
const SMALL = 64;
/** Lengths of the windows used as anchors if no record is unique, longest first. */
const WINDOWS = [64, 16, 5] as const;
/** The maximum depth to which patience splits a gap. */
const DEPTH_MAX = 12;
/** The share of the unique entries of a part that must be in order for them to be trusted. */
const TRUSTED = 0.9;
/** How much further than its neighbours' an anchor's shift must be for it to count as accidental. */
const STRAY = 16;

export interface Alignment {
  /** By index of a: the index in b, or -1. Increasing where it is not -1. */
  readonly match: Int32Array;
  /**
   * Number of records of both sides that were aligned by the coarse method, which may find more differences than there
   * are.
   */
  readonly coarse: number;
}

/** Working memory shared by many alignments; all names are below `names`. */
export class Aligner {
  private readonly countA: Int32Array;
  private readonly countB: Int32Array;
  private readonly placeB: Int32Array;

  constructor(names: number) {
    this.countA = new Int32Array(names);
    this.countB = new Int32Array(names);
    this.placeB = new Int32Array(names);
  }

  /**
   * Aligns two sequences. With `open`, only parts of which at most an eighth is edits; parts that differ more are
   * passed to it and left unmatched. `parts`: what to align, in order; everything if absent.
   */
  align(
    a: Uint32Array,
    b: Uint32Array,
    options: {
      readonly open?: (part: Part) => void;
      readonly parts?: readonly Part[];
      readonly match?: Int32Array;
    } = {},
  ): Alignment {
    const { open } = options;
    const match = options.match ?? new Int32Array(a.length).fill(-1);
    let coarse = 0;
    const whole = { a0: 0, a1: a.length, b0: 0, b1: b.length };
    const todo: { part: Part; depth: number; window: number }[] = (options.parts ?? [whole]).map((part) => ({
      part,
      depth: 0,
      window: 0,
    }));
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const part = trim(a, b, next.part, match);
      const { a0, a1, b0, b1 } = part;
      if (a0 === a1 || b0 === b1) continue;
      const { depth, window } = next;
      const size = a1 - a0 + (b1 - b0);
      const cap = open === undefined ? EDITS_MAX : Math.min(EDITS_MAX, 8 + (size >> 3));
      // First tried without anchors: a record may be unique only because edits removed its duplicates, and then it
      // misleads.
      if (depth === 0 && window === 0 && alignExactly(a, b, part, match, cap)) continue;
      if (size > SMALL && window === 0 && depth < DEPTH_MAX) {
        const found = trusted(this.unique(a, b, part), part, depth === 0);
        if (found.length > 0) {
          split(part, found, 1, match, (gap) => todo.push({ part: gap, depth: depth + 1, window: 0 }));
          continue;
        }
      }
      if ((depth > 0 || window > 0) && alignExactly(a, b, part, match, cap)) continue;
      let divided = false;
      for (let w = window; w < WINDOWS.length && !divided; w++) {
        const length = WINDOWS[w]!;
        const found = trusted(uniqueWindows(a, b, part, length), part, false);
        if (found.length === 0) continue;
        split(part, found, length, match, (gap) => todo.push({ part: gap, depth, window: w + 1 }));
        divided = true;
      }
      if (divided) continue;
      if (open === undefined) coarse += alignCoarsely(a, b, part, match);
      else open(part);
    }
    return { match, coarse };
  }

  /** Places (a, b, a, b, …) of entries that occur once in both parts. */
  private unique(a: Uint32Array, b: Uint32Array, { a0, a1, b0, b1 }: Part): number[] {
    const { countA, countB, placeB } = this;
    for (let i = a0; i < a1; i++) countA[a[i]!] = countA[a[i]!]! + 1;
    for (let j = b0; j < b1; j++) {
      countB[b[j]!] = countB[b[j]!]! + 1;
      placeB[b[j]!] = j;
    }
    const places: number[] = [];
    for (let i = a0; i < a1; i++)
      if (countA[a[i]!] === 1 && countB[a[i]!] === 1) places.push(i, placeB[a[i]!]!);
    for (let i = a0; i < a1; i++) countA[a[i]!] = 0;
    for (let j = b0; j < b1; j++) countB[b[j]!] = 0;
    return places;
  }
}

/** Matches the common ends of a part and returns the rest. */
function trim(a: Uint32Array, b: Uint32Array, part: Part, match: Int32Array): Part {
  let { a0, a1, b0, b1 } = part;
  for (; a0 < a1 && b0 < b1 && a[a0] === b[b0]; a0++, b0++) match[a0] = b0;
  while (a0 < a1 && b0 < b1 && a[a1 - 1] === b[b1 - 1]) {
    a1--;
    b1--;
    match[a1] = b1;
  }
  return { a0, a1, b0, b1 };
}

/** Matches anchors of `length` records each and passes on the gaps between them. */
function split(
  part: Part,
  anchors: readonly number[],
  length: number,
  match: Int32Array,
  gap: (part: Part) => void,
): void {
  let { a0, b0 } = part;
  for (let k = 0; k < anchors.length; k += 2) {
    const a = anchors[k]!;
    const b = anchors[k + 1]!;
    // Windows overlap. If one begins within the last, only the rest of it is new, provided it is on the same diagonal.
    const over = Math.max(a0 - a, b0 - b, 0);
    if (over >= length) continue;
    if (a + over > a0 || b + over > b0) gap({ a0, a1: a + over, b0, b1: b + over });
    for (let i = over; i < length; i++) match[a + i] = b + i;
    a0 = a + length;
    b0 = b + length;
  }
  gap({ a0, a1: part.a1, b0, b1: part.b1 });
}

/**
 * Of places (a, b, a, b, …) with increasing a, those that are also in order in b; none if so many are not that the
 * entries seem to be unique by accident. `all`: unique in the whole, which is not taken for an accident.
 */
function trusted(places: readonly number[], part: Part, all: boolean): number[] {
  const found = inOrder(places);
  return all || found.length >= TRUSTED * places.length ? withoutStrays(found, part) : [];
}

/**
 * Drops anchors that lead away and back again: between two runs that shift b by about the same amount, a smaller number
 * of anchors that shift it by another. Where records repeat, one of them becomes unique when an edit removes its
 * duplicate.
 */
function withoutStrays(places: readonly number[], { a0, a1, b0, b1 }: Part): number[] {
  const runs: { from: number; to: number; shift: number }[] = [];
  for (let k = 0; k < places.length; k += 2) {
    const shift = places[k + 1]! - places[k]!;
    const last = runs.at(-1);
    if (last !== undefined && last.shift === shift) last.to = k + 2;
    else runs.push({ from: k, to: k + 2, shift });
  }
  const out: number[] = [];
  runs.forEach((run, r) => {
    // Each end of the part acts as an anchor.
    const before = runs[r - 1] ?? { from: 0, to: 2, shift: b0 - a0 };
    const behind = runs[r + 1] ?? { from: 0, to: 2, shift: b1 - a1 };
    const stray =
      run.to - run.from <= before.to - before.from + behind.to - behind.from &&
      Math.min(Math.abs(run.shift - before.shift), Math.abs(run.shift - behind.shift)) >
        Math.abs(behind.shift - before.shift) + STRAY;
    if (!stray) for (let k = run.from; k < run.to; k++) out.push(places[k]!);
  });
  return out;
}

/** Places of windows of `length` records that occur once in both parts. */
function uniqueWindows(a: Uint32Array, b: Uint32Array, part: Part, length: number): number[] {
  const { a0, a1, b0, b1 } = part;
  if (a1 - a0 < length || b1 - b0 < length) return [];
  const names = new Interner(a1 - a0 + (b1 - b0));
  const ofA = windowNames(a, a0, a1, length, names);
  const ofB = windowNames(b, b0, b1, length, names);
  const countA = new Int32Array(names.count);
  const countB = new Int32Array(names.count);
  const placeB = new Int32Array(names.count);
  for (const name of ofA) countA[name] = countA[name]! + 1;
  ofB.forEach((name, j) => {
    countB[name] = countB[name]! + 1;
    placeB[name] = j;
  });
  const places: number[] = [];
  ofA.forEach((name, i) => {
    if (countA[name] !== 1 || countB[name] !== 1) return;
    const j = placeB[name]!;
    for (let k = 0; k < length; k++) if (a[a0 + i + k] !== b[b0 + j + k]) return;
    places.push(a0 + i, b0 + j);
  });
  return places;
}

const M1 = 0x01000193;
const M2 = 0x2c1b3c6d;

/** The names of the windows of `length` records that begin at each place, by a rolling hash. */
function windowNames(s: Uint32Array, from: number, to: number, length: number, names: Interner): Uint32Array {
  const out = new Uint32Array(to - from - length + 1);
  let p1 = 1;
  let p2 = 1;
  for (let k = 0; k < length; k++) {
    p1 = Math.imul(p1, M1);
    p2 = Math.imul(p2, M2);
  }
  let lo = 0;
  let hi = 0;
  for (let i = from; i < to; i++) {
    const word = spread(s[i]! + 1);
    lo = (Math.imul(lo, M1) + word) | 0;
    hi = (Math.imul(hi, M2) + word) | 0;
    if (i - from >= length) {
      const gone = spread(s[i - length]! + 1);
      lo = (lo - Math.imul(gone, p1)) | 0;
      hi = (hi - Math.imul(gone, p2)) | 0;
    }
    if (i - from >= length - 1) out[i - from - length + 1] = names.idOf(spread(lo), spread(hi));
  }
  return out;
}

/** Of places (a, b, a, b, …) with increasing a, the largest selection that has increasing b, too. */
export function inOrder(places: readonly number[]): number[] {
  const kept = increasing(Int32Array.from({ length: places.length >> 1 }, (_, k) => places[2 * k + 1]!));
  const out: number[] = [];
  kept.forEach((keep, k) => {
    if (keep) out.push(places[2 * k]!, places[2 * k + 1]!);
  });
  return out;
}

/** Marks (1) a longest strictly increasing subsequence. Takes n log n; linear if everything is in order. */
export function increasing(values: Int32Array): Uint8Array {
  const n = values.length;
  const keep = new Uint8Array(n);
  const tails = new Int32Array(n);
  const before = new Int32Array(n);
  let length = 0;
  for (let k = 0; k < n; k++) {
    const value = values[k]!;
    let low = 0;
    let high = length;
    if (length > 0 && values[tails[length - 1]!]! < value) low = length;
    else
      while (low < high) {
        const middle = (low + high) >> 1;
        if (values[tails[middle]!]! < value) low = middle + 1;
        else high = middle;
      }
    before[k] = low === 0 ? -1 : tails[low - 1]!;
    tails[low] = k;
    if (low === length) length++;
  }
  for (let k = length === 0 ? -1 : tails[length - 1]!; k >= 0; k = before[k]!) keep[k] = 1;
  return keep;
}
