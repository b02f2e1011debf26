// Which record of A is which of B: each stream aligned by itself, then what is left over paired as moved (the same
// record, not far away) or changed (another content at the same place). Pure: knows sides, no traces.
import { Aligner } from './align.ts';
import { Interner } from './hash.ts';
import type { Side } from './side.ts';

/** A record that is left over moved if the same one is left over at most so many records of its stream away. */
export const MOVE_MAX = 256;

export interface Matching {
  /** By record of A: its counterpart in B with the same content, or -1. And the other way round. */
  readonly matchA: Int32Array;
  readonly matchB: Int32Array;
  /** By record of A: its counterpart in B with another content, or -1. */
  readonly changedA: Int32Array;
  readonly changedB: Int32Array;
  /** Records of both sides whose alignment is coarse. */
  readonly coarse: number;
}

/** The records of each stream, one after the other: those of stream s from `starts[s]` to `starts[s + 1]`. */
function byStream(side: Side, streams: number): { order: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(streams + 1);
  for (let i = 0; i < side.count; i++) starts[side.stream[i]! + 1]!++;
  for (let s = 0; s < streams; s++) starts[s + 1] = starts[s + 1]! + starts[s]!;
  const next = starts.slice();
  const order = new Uint32Array(side.count);
  for (let i = 0; i < side.count; i++) order[next[side.stream[i]!]!++] = i;
  return { order, starts };
}

function namesOf(side: Side, interner: Interner): Uint32Array {
  const names = new Uint32Array(side.count);
  for (let i = 0; i < side.count; i++) names[i] = interner.idOf(side.lo[i]!, side.hi[i]!);
  return names;
}

/** Aligns two sides whose records are in `streams` streams. */
export function matchSides(a: Side, b: Side, streams: number): Matching {
  const interner = new Interner(a.count);
  const namesA = namesOf(a, interner);
  const namesB = namesOf(b, interner);
  const aligner = new Aligner(interner.count);
  const orderA = byStream(a, streams);
  const orderB = byStream(b, streams);
  const found: Matching & { coarse: number } = {
    matchA: new Int32Array(a.count).fill(-1),
    matchB: new Int32Array(b.count).fill(-1),
    changedA: new Int32Array(a.count).fill(-1),
    changedB: new Int32Array(b.count).fill(-1),
    coarse: 0,
  };
  for (let s = 0; s < streams; s++) {
    const inA = orderA.order.subarray(orderA.starts[s]!, orderA.starts[s + 1]!);
    const inB = orderB.order.subarray(orderB.starts[s]!, orderB.starts[s + 1]!);
    if (inA.length === 0 || inB.length === 0) continue;
    const { match, coarse } = aligner.align(
      inA.map((i) => namesA[i]!),
      inB.map((i) => namesB[i]!),
    );
    found.coarse += coarse;
    new Stream(inA, inB, match, a, b, namesA, namesB, found).settle();
  }
  return found;
}

/** What the alignment of one stream leaves over. */
class Stream {
  /** Left over: places in the stream, and for those of A the place in B where they would be. */
  private readonly leftA: number[] = [];
  private readonly leftB: number[] = [];
  private readonly expected: number[] = [];
  /** Of each left over: the gap between aligned records that it is in. */
  private readonly gapA: number[] = [];
  private readonly gapB: number[] = [];

  private readonly inA: Uint32Array;
  private readonly inB: Uint32Array;
  private readonly a: Side;
  private readonly b: Side;
  private readonly namesA: Uint32Array;
  private readonly namesB: Uint32Array;
  private readonly found: Matching;

  constructor(
    inA: Uint32Array,
    inB: Uint32Array,
    match: Int32Array,
    a: Side,
    b: Side,
    namesA: Uint32Array,
    namesB: Uint32Array,
    found: Matching,
  ) {
    this.inA = inA;
    this.inB = inB;
    this.a = a;
    this.b = b;
    this.namesA = namesA;
    this.namesB = namesB;
    this.found = found;
    let next = 0;
    let gap = 0;
    for (let k = 0; k < match.length; k++) {
      const j = match[k]!;
      if (j < 0) {
        this.leftA.push(k);
        this.expected.push(next);
        this.gapA.push(gap);
        continue;
      }
      for (; next < j; next++) {
        this.leftB.push(next);
        this.gapB.push(gap);
      }
      next = j + 1;
      gap++;
      this.pair(k, j);
    }
    for (; next < inB.length; next++) {
      this.leftB.push(next);
      this.gapB.push(gap);
    }
  }

  private pair(k: number, j: number): void {
    this.found.matchA[this.inA[k]!] = this.inB[j]!;
    this.found.matchB[this.inB[j]!] = this.inA[k]!;
  }

  settle(): void {
    if (this.leftA.length === 0 || this.leftB.length === 0) return;
    this.moves();
    this.changes();
  }

  /** The same record left over on both sides, near: each takes the next one in order. */
  private moves(): void {
    const waiting = new Map<number, number[]>();
    this.leftB.forEach((j) => {
      const name = this.namesB[this.inB[j]!]!;
      const list = waiting.get(name);
      if (list === undefined) waiting.set(name, [j]);
      else list.push(j);
    });
    const heads = new Map<number, number>();
    this.leftA.forEach((k, index) => {
      const name = this.namesA[this.inA[k]!]!;
      const list = waiting.get(name);
      if (list === undefined) return;
      let head = heads.get(name) ?? 0;
      while (head < list.length && list[head]! < this.expected[index]! - MOVE_MAX) head++;
      if (head < list.length && list[head]! <= this.expected[index]! + MOVE_MAX) this.pair(k, list[head++]!);
      heads.set(name, head);
    });
  }

  /** Records of one gap that are about the same, in order; then those of one kind, where both sides have as many. */
  private changes(): void {
    const { found, inA, inB } = this;
    let fromB = 0;
    for (let from = 0; from < this.leftA.length; ) {
      const gap = this.gapA[from]!;
      let to = from;
      while (to < this.leftA.length && this.gapA[to] === gap) to++;
      while (fromB < this.leftB.length && this.gapB[fromB]! < gap) fromB++;
      let toB = fromB;
      while (toB < this.leftB.length && this.gapB[toB] === gap) toB++;
      const open = () => ({
        as: this.leftA
          .slice(from, to)
          .map((k) => inA[k]!)
          .filter((i) => found.matchA[i]! < 0 && found.changedA[i]! < 0),
        bs: this.leftB
          .slice(fromB, toB)
          .map((j) => inB[j]!)
          .filter((j) => found.matchB[j]! < 0 && found.changedB[j]! < 0),
      });
      if (toB > fromB) {
        const { as, bs } = open();
        this.pairBy(as, bs, (side, i) => side.shape[i]!);
        const rest = open();
        this.pairKinds(rest.as, rest.bs);
      }
      from = to;
      fromB = toB;
    }
  }

  private change(i: number, j: number): void {
    this.found.changedA[i] = j;
    this.found.changedB[j] = i;
  }

  /** Pairs, in order, those with the same key. */
  private pairBy(as: readonly number[], bs: readonly number[], key: (side: Side, i: number) => number): void {
    const waiting = new Map<number, number[]>();
    bs.forEach((j, place) => {
      const list = waiting.get(key(this.b, j));
      if (list === undefined) waiting.set(key(this.b, j), [place]);
      else list.push(place);
    });
    for (const list of waiting.values()) list.reverse();
    let reached = 0;
    for (const i of as) {
      const list = waiting.get(key(this.a, i));
      while (list !== undefined && list.length > 0 && list.at(-1)! < reached) list.pop();
      const place = list?.pop();
      if (place === undefined) continue;
      this.change(i, bs[place]!);
      reached = place + 1;
    }
  }

  private pairKinds(as: readonly number[], bs: readonly number[]): void {
    const count = (side: Side, list: readonly number[]) => {
      const n = new Map<number, number>();
      for (const i of list) n.set(side.kind[i]!, (n.get(side.kind[i]!) ?? 0) + 1);
      return n;
    };
    const [ofA, ofB] = [count(this.a, as), count(this.b, bs)];
    const even = (side: Side) => (i: number) => ofA.get(side.kind[i]!) === ofB.get(side.kind[i]!);
    this.pairBy(as.filter(even(this.a)), bs.filter(even(this.b)), (side, i) => side.kind[i]!);
  }
}
