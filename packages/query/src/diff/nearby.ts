// Pairs records that an alignment left unmatched on both sides near each other: the same record, moved. Pure.
import type { Part } from './myers.ts';

interface Pairs {
  readonly matchA: Int32Array;
  readonly matchB: Int32Array;
  readonly changedA: Int32Array;
  readonly changedB: Int32Array;
}

/** Pairs, outside the `open` parts, records that are at most `far` away from where they would be. */
export function moves(
  namesA: Uint32Array,
  namesB: Uint32Array,
  { matchA, matchB, changedA, changedB }: Pairs,
  open: readonly Part[],
  far: number,
): void {
  const leftA: number[] = [];
  const leftB: number[] = [];
  const expected: number[] = [];
  let [next, nextOpen] = [0, 0];
  for (let i = 0; i < namesA.length; i++) {
    const j = matchA[i]!;
    if (j >= next) next = j + 1;
    if (j >= 0 || changedA[i]! >= 0) continue;
    while (nextOpen < open.length && open[nextOpen]!.a1 <= i) nextOpen++;
    if (nextOpen < open.length && open[nextOpen]!.a0 <= i) continue;
    leftA.push(i);
    expected.push(next);
  }
  nextOpen = 0;
  for (let j = 0; j < namesB.length; j++) {
    if (matchB[j]! >= 0 || changedB[j]! >= 0) continue;
    while (nextOpen < open.length && open[nextOpen]!.b1 <= j) nextOpen++;
    if (nextOpen < open.length && open[nextOpen]!.b0 <= j) continue;
    leftB.push(j);
  }
  const nameA = leftA.map((i) => namesA[i]!);
  const nameB = leftB.map((j) => namesB[j]!);
  pairNear(
    nameA,
    expected,
    nameB,
    leftB,
    () => far,
    (k, l) => {
      matchA[leftA[k]!] = leftB[l]!;
      matchB[leftB[l]!] = leftA[k]!;
    },
  );
}

/**
 * Pairs records of one name in order. Which of them moved past the other cannot be seen, so none did. `names`: the
 * number of names.
 */
export function uncross(namesA: Uint32Array, names: number, matchA: Int32Array, matchB: Int32Array): void {
  // By name: the last place in B so far, and whether an earlier place followed.
  const last = new Int32Array(names).fill(-1);
  const crossed = new Set<number>();
  for (let i = 0; i < matchA.length; i++) {
    const j = matchA[i]!;
    if (j < 0) continue;
    const name = namesA[i]!;
    if (j < last[name]!) crossed.add(name);
    else last[name] = j;
  }
  if (crossed.size === 0) return;
  const places = new Map<number, { a: number[]; b: number[] }>();
  for (let i = 0; i < matchA.length; i++) {
    if (matchA[i]! < 0 || !crossed.has(namesA[i]!)) continue;
    let entry = places.get(namesA[i]!);
    if (entry === undefined) {
      entry = { a: [], b: [] };
      places.set(namesA[i]!, entry);
    }
    entry.a.push(i);
    entry.b.push(matchA[i]!);
  }
  for (const { a, b } of places.values()) {
    b.sort((p, q) => p - q);
    a.forEach((i, k) => {
      matchA[i] = b[k]!;
      matchB[b[k]!] = i;
    });
  }
}

/** Pairs entries of the same name whose places are at most `far(k)` apart, each with the next one in order. */
export function pairNear(
  namesA: readonly number[],
  placesA: readonly number[],
  namesB: readonly number[],
  placesB: readonly number[],
  far: (k: number) => number,
  pair: (k: number, l: number) => void,
): void {
  const waiting = new Map<number, { list: number[]; head: number }>();
  namesB.forEach((name, l) => {
    const entry = waiting.get(name);
    if (entry === undefined) waiting.set(name, { list: [l], head: 0 });
    else entry.list.push(l);
  });
  namesA.forEach((name, k) => {
    const entry = waiting.get(name);
    if (entry === undefined) return;
    const { list } = entry;
    const [from, to] = [placesA[k]! - far(k), placesA[k]! + far(k)];
    while (entry.head < list.length && placesB[list[entry.head]!]! < from) entry.head++;
    if (entry.head < list.length && placesB[list[entry.head]!]! <= to) pair(k, list[entry.head++]!);
  });
}
