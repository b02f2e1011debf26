// Decides which record of A corresponds to which of B: aligns each stream by itself, then pairs the remaining records
// as moved (the same record, not far away) or changed (other content at the same place). Pure: knows sides, not traces.
import { Aligner } from './align.ts';
import { Interner } from './hash.ts';
import type { Part } from './myers.ts';
import { moves, pairNear, uncross } from './nearby.ts';
import type { Side } from './side.ts';
import { byStream, streamParts } from './streams.ts';

/** A remaining record has moved if the same record remains at most this many records away. */
export const MOVE_MAX = 64;
/** Or this many records away within its stream: if streams are aligned by themselves, and if they are not. */
const OPEN_MOVE_MAX = 8;
const CLOSED_MOVE_MAX = 1;

export interface Matching {
  /** By record of A: its counterpart in B with the same content, or -1; and vice versa. */
  readonly matchA: Int32Array;
  readonly matchB: Int32Array;
  /** By record of A: its counterpart in B with other content, or -1. */
  readonly changedA: Int32Array;
  readonly changedB: Int32Array;
  /** Number of records of both sides whose alignment is coarse. */
  readonly coarse: number;
}

function namesOf(side: Side, interner: Interner): Uint32Array {
  const names = new Uint32Array(side.count);
  for (let i = 0; i < side.count; i++) names[i] = interner.idOf(side.lo[i]!, side.hi[i]!);
  return names;
}

/**
 * Aligns two sides whose records are in `streams` streams: as they are, where they are mostly the same; each stream by
 * itself, where their streams are interleaved differently.
 */
export function matchSides(a: Side, b: Side, streams: number): Matching {
  const interner = new Interner(a.count);
  const namesA = namesOf(a, interner);
  const namesB = namesOf(b, interner);
  const aligner = new Aligner(interner.count);
  const open: Part[] = [];
  const { match: matchA } = aligner.align(namesA, namesB, { open: (part) => open.push(part) });
  open.sort((p, q) => p.a0 - q.a0 || p.b0 - q.b0);
  const matchB = new Int32Array(b.count).fill(-1);
  for (let i = 0; i < a.count; i++) if (matchA[i]! >= 0) matchB[matchA[i]!] = i;
  const found: Matching & { coarse: number } = {
    matchA,
    matchB,
    changedA: new Int32Array(a.count).fill(-1),
    changedB: new Int32Array(b.count).fill(-1),
    coarse: 0,
  };
  const ofA = byStream(a, b, matchA, streams);
  const ofB = byStream(b, a, matchB, streams);
  const parts = streamParts(a, b, ofA, ofB, open, streams);
  const opened = new Uint8Array(a.count);
  for (const { a0, a1 } of open) opened.fill(1, a0, a1);
  const isOpen = (i: number) => opened[i] === 1;
  // By record of A: where in B it would be.
  const expected = new Int32Array(a.count);
  for (let i = 0, next = 0; i < a.count; i++) {
    if (matchA[i]! >= 0) next = matchA[i]! + 1;
    expected[i] = next;
  }
  const unsettled: Stream[] = [];
  for (let s = 0; s < streams; s++) {
    const inA = ofA.order.subarray(ofA.starts[s]!, ofA.starts[s + 1]!);
    const inB = ofB.order.subarray(ofB.starts[s]!, ofB.starts[s + 1]!);
    if (inA.length === 0 || inB.length === 0) continue;
    const match = new Int32Array(inA.length);
    // For what is already matched, its place in the stream.
    for (let k = 0, j = 0; k < inA.length; k++) {
      const to = matchA[inA[k]!]!;
      match[k] = -1;
      if (to < 0) continue;
      while (inB[j] !== to) j++;
      match[k] = j;
    }
    if (parts[s]!.length > 0)
      found.coarse += aligner.align(
        inA.map((i) => namesA[i]!),
        inB.map((i) => namesB[i]!),
        { parts: parts[s]!, match },
      ).coarse;
    const stream = new Stream(inA, inB, match, { a, b, namesA, namesB, found, isOpen, expected });
    if (stream.settle()) unsettled.push(stream);
  }
  moves(namesA, namesB, found, open, MOVE_MAX);
  uncross(namesA, interner.count, matchA, matchB);
  for (const stream of unsettled) stream.changedKinds();
  return found;
}

/** What all streams of a comparison share. */
interface Whole {
  readonly a: Side;
  readonly b: Side;
  readonly namesA: Uint32Array;
  readonly namesB: Uint32Array;
  readonly found: Matching;
  /** Whether a record of A is in a part in which streams are aligned by themselves. */
  readonly isOpen: (i: number) => boolean;
  /** By record of A: where in B it would be. */
  readonly expected: Int32Array;
}

/** The records that the alignment of one stream leaves unmatched. */
class Stream {
  /** Unmatched records: places in the stream, and for those of A the place in B where they would be. */
  private readonly leftA: number[] = [];
  private readonly leftB: number[] = [];
  private readonly expected: number[] = [];
  /** For each unmatched record: the gap between aligned records that it is in. */
  private readonly gapA: number[] = [];
  private readonly gapB: number[] = [];

  private readonly inA: Uint32Array;
  private readonly inB: Uint32Array;
  private readonly of: Whole;

  constructor(inA: Uint32Array, inB: Uint32Array, match: Int32Array, of: Whole) {
    this.inA = inA;
    this.inB = inB;
    this.of = of;
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
    this.of.found.matchA[this.inA[k]!] = this.inB[j]!;
    this.of.found.matchB[this.inB[j]!] = this.inA[k]!;
  }

  /** Pairs what changed, then what moved. Returns whether anything is left unmatched on both sides. */
  settle(): boolean {
    if (this.leftA.length === 0 || this.leftB.length === 0) return false;
    // If the same record is in the same gap, it moved only relative to other streams.
    this.gaps((as, bs) => {
      const { a, namesA, namesB } = this.of;
      this.pairBy(as, bs, (side, i) => (side === a ? namesA : namesB)[i]!, true);
    });
    this.gaps((as, bs) => this.pairBy(as, bs, (side, i) => side.shape[i]!));
    this.moves();
    return true;
  }

  /**
   * Pairs the records of one kind that are still unmatched, in gaps in which both sides have the same number of them.
   * Not where streams are aligned by themselves, because there an equal number proves nothing.
   */
  changedKinds(): void {
    this.gaps((as, bs) => {
      if (this.of.isOpen(as[0]!)) return;
      const { a, b } = this.of;
      const [ofA, ofB] = [kindsOf(a, as), kindsOf(b, bs)];
      const even = (side: Side) => (i: number) => ofA.get(side.kind[i]!) === ofB.get(side.kind[i]!);
      this.pairBy(as.filter(even(a)), bs.filter(even(b)), (side, i) => side.kind[i]!);
    });
  }

  /** Pairs the same record, unmatched on both sides and near. */
  private moves(): void {
    const { namesA, namesB, found, isOpen } = this.of;
    const ks: number[] = [];
    const expected: number[] = [];
    this.leftA.forEach((k, index) => {
      if (found.changedA[this.inA[k]!]! >= 0 || found.matchA[this.inA[k]!]! >= 0) return;
      ks.push(k);
      expected.push(this.expected[index]!);
    });
    const js = this.leftB.filter((j) => found.changedB[this.inB[j]!]! < 0 && found.matchB[this.inB[j]!]! < 0);
    pairNear(
      ks.map((k) => namesA[this.inA[k]!]!),
      expected,
      js.map((j) => namesB[this.inB[j]!]!),
      js,
      (k) => (isOpen(this.inA[ks[k]!]!) ? OPEN_MOVE_MAX : CLOSED_MOVE_MAX),
      (k, l) => this.pair(ks[k]!, js[l]!),
    );
  }

  /** Passes on what is unmatched on both sides of each gap. */
  private gaps(work: (as: readonly number[], bs: readonly number[]) => void): void {
    const { inA, inB } = this;
    const { matchA, matchB, changedA, changedB } = this.of.found;
    let fromB = 0;
    for (let from = 0; from < this.leftA.length; ) {
      const gap = this.gapA[from]!;
      const as: number[] = [];
      for (; from < this.leftA.length && this.gapA[from] === gap; from++) {
        const i = inA[this.leftA[from]!]!;
        if (matchA[i]! < 0 && changedA[i]! < 0) as.push(i);
      }
      while (fromB < this.leftB.length && this.gapB[fromB]! < gap) fromB++;
      const bs: number[] = [];
      for (; fromB < this.leftB.length && this.gapB[fromB] === gap; fromB++) {
        const j = inB[this.leftB[fromB]!]!;
        if (matchB[j]! < 0 && changedB[j]! < 0) bs.push(j);
      }
      if (as.length > 0 && bs.length > 0) work(as, bs);
    }
  }

  /** Pairs, in order, records with the same key. */
  private pairBy(
    as: readonly number[],
    bs: readonly number[],
    key: (side: Side, i: number) => number,
    same = false,
  ): void {
    const waiting = new Map<number, number[]>();
    bs.forEach((j, place) => {
      const list = waiting.get(key(this.of.b, j));
      if (list === undefined) waiting.set(key(this.of.b, j), [place]);
      else list.push(place);
    });
    for (const list of waiting.values()) list.reverse();
    let reached = 0;
    for (const i of as) {
      const list = waiting.get(key(this.of.a, i));
      while (list !== undefined && list.length > 0 && list.at(-1)! < reached) list.pop();
      const place = list?.at(-1);
      if (place === undefined) continue;
      // The two are in the same gap of a stream but far apart. Where streams are aligned together, that is not the same
      // place.
      if (!this.of.isOpen(i) && Math.abs(bs[place]! - this.of.expected[i]!) > MOVE_MAX) continue;
      list!.pop();
      const { matchA, matchB, changedA, changedB } = this.of.found;
      (same ? matchA : changedA)[i] = bs[place]!;
      (same ? matchB : changedB)[bs[place]!] = i;
      reached = place + 1;
    }
  }
}

function kindsOf(side: Side, list: readonly number[]): Map<number, number> {
  const n = new Map<number, number>();
  for (const i of list) n.set(side.kind[i]!, (n.get(side.kind[i]!) ?? 0) + 1);
  return n;
}
