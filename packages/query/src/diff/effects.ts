// Handles the effects of one stimulus, whose streams may be interleaved in any way (`rankOf` in core): aligns them in
// an order without interleaving, and determines what is unknown if a recording ends among them or lacks the state that
// decides them. Pure: knows sides.
import { BARRIER, BEHIND_EFFECTS, KIND, orderedStreamOf } from '@gictrace/core/record';
import { classNumber } from './classes.ts';
import { type Classified, classify } from './classify.ts';
import type { Footprints } from './footprints.ts';
import { KEPT } from './order.ts';
import { MARKS, type Side } from './side.ts';

const SAME = classNumber('same');
const UNKNOWN = classNumber('unknown');
const TIMING = classNumber('timing');

/**
 * The places of a side with the effects of each stimulus stream by stream; undefined if they are in this order already.
 */
export function streamByStream({ count, rank }: Side): Uint32Array | undefined {
  let order: Uint32Array | undefined;
  for (let from = 0; from < count; ) {
    let to = from + 1;
    let isSorted = true;
    for (; to < count && rank[to] !== BARRIER; to++) if (rank[to]! < rank[to - 1]!) isSorted = false;
    if (!isSorted) {
      order ??= Uint32Array.from({ length: count }, (_, i) => i);
      sortByRank(order, rank, from, to);
    }
    from = to;
  }
  return order;
}

/** Effects of one stimulus that are sorted by insertion. */
const FEW = 32;

/** Sorts places `from` to `to` - 1, which nothing has moved yet, by their rank. Nothing moves within a stream. */
function sortByRank(order: Uint32Array, rank: Uint16Array, from: number, to: number): void {
  if (to - from > FEW) {
    // Array.prototype.sort is stable.
    order.set(
      [...order.subarray(from, to)].sort((i, k) => rank[i]! - rank[k]!),
      from,
    );
    return;
  }
  for (let at = from + 1; at < to; at++) {
    const i = order[at]!;
    let hole = at;
    for (; hole > from && rank[order[hole - 1]!]! > rank[i]!; hole--) order[hole] = order[hole - 1]!;
    order[hole] = i;
  }
}

/**
 * Classifies two sides, with the effects of each stimulus either interleaved as they are or stream by stream, whichever
 * gives fewer differences. If the records of each stream are the same, the second way finds no difference. It is only
 * tried where it may find fewer.
 */
export function classifyEffects(a: Side, b: Side, streams: number, footprints: Footprints): Classified {
  const asTheyAre = classify(a, b, streams, footprints);
  if (differing(asTheyAre) === 0 || haveSameRecords(a, b) || !mayAgreeMore(a, b, asTheyAre)) return asTheyAre;
  const [orderA, orderB] = [streamByStream(a), streamByStream(b)];
  if (orderA === undefined && orderB === undefined) return asTheyAre;
  const sorted = a.arranged(orderA, () => b.arranged(orderB, () => classify(a, b, streams, footprints)));
  const found = placedBack(sorted, orderA, orderB);
  return differing(asTheyAre) <= differing(found) ? asTheyAre : found;
}

/**
 * Whether two sides may agree in more records if the effects of a stimulus are put in another order. Nothing moves past a
 * stimulus then, and nothing past another record of its stream of effects. So this needs two stimuli that are matched,
 * and between them a record of A and one of B that are as far on in that stream and could be a pair, and are not: the
 * same record, or one of the same kind if neither is in a pair.
 */
function mayAgreeMore(a: Side, b: Side, found: Classified): boolean {
  const { matchA, matchB, changedA, changedB, classA, classB, order } = found;
  const isFixed = (i: number) => i >= 0 && a.rank[i] === BARRIER && order.moved[i] === KEPT;
  const differs = (classes: Uint8Array, k: number) => classes[k] !== SAME && classes[k] !== TIMING;
  /** What records `from` to `to` - 1 could be paired by. */
  const keys = (side: Side, classes: Uint8Array, pairs: readonly Int32Array[], from: number, to: number) => {
    const reached = new Map<number, number>();
    const all: string[] = [];
    for (let k = from; k < to; k++) {
      const rank = side.rank[k]!;
      const at = reached.get(rank) ?? 0;
      if (!differs(classes, k)) reached.set(rank, at + 1);
      else {
        all.push(`${rank} ${at} ${side.lo[k]} ${side.hi[k]}`);
        if (pairs.every((pair) => pair[k]! < 0)) all.push(`${rank} ${at} ${side.stream[k]} ${side.kind[k]}`);
      }
    }
    return all;
  };
  for (let i = 0, j = 0; i < a.count || j < b.count; i++, j++) {
    const [fromA, fromB] = [i, j];
    let [inA, inB] = [false, false];
    for (; i < a.count && (matchA[i]! < 0 || !isFixed(i)); i++) if (differs(classA, i)) inA = true;
    for (; j < b.count && !isFixed(matchB[j]!); j++) if (differs(classB, j)) inB = true;
    if (!inA || !inB) continue;
    const ofA = new Set(keys(a, classA, [matchA, changedA], fromA, i));
    if (keys(b, classB, [matchB, changedB], fromB, j).some((key) => ofA.has(key))) return true;
  }
  return false;
}

function haveSameRecords(a: Side, b: Side): boolean {
  if (a.count !== b.count) return false;
  for (let i = 0; i < a.count; i++) if (a.lo[i] !== b.lo[i] || a.hi[i] !== b.hi[i]) return false;
  return true;
}

function differing({ classA, classB, matchB, changedB }: Classified): number {
  let n = 0;
  for (const name of classA) if (name !== SAME && name !== TIMING) n++;
  for (let j = 0; j < classB.length; j++) if (matchB[j]! < 0 && changedB[j]! < 0) n++;
  return n;
}

/** Maps what was found for sides in another order back to the places of the original sides. */
function placedBack(found: Classified, orderA?: Uint32Array, orderB?: Uint32Array): Classified {
  const atA = (i: number) => (i < 0 || orderA === undefined ? i : orderA[i]!);
  const atB = (j: number) => (j < 0 || orderB === undefined ? j : orderB[j]!);
  const moved = <T extends Uint8Array | Int32Array | Float64Array>(
    column: T,
    at: (k: number) => number,
    value: (k: number) => number = (k) => k,
  ): T => {
    const out = column.slice() as T;
    for (let k = 0; k < column.length; k++) out[at(k)] = value(column[k]!);
    return out;
  };
  const { order } = found;
  return {
    matchA: moved(found.matchA, atA, atB),
    matchB: moved(found.matchB, atB, atA),
    changedA: moved(found.changedA, atA, atB),
    changedB: moved(found.changedB, atB, atA),
    coarse: found.coarse,
    classA: moved(found.classA, atA),
    classB: moved(found.classB, atB),
    order: {
      moved: moved(order.moved, atA),
      crossed: moved(order.crossed, atA, atA),
      over: moved(order.over, atA),
    },
    shifts: moved(found.shifts, atA),
    positions: moved(found.positions, atA),
  };
}

/**
 * Classifies as unknown the effects of a stimulus that cannot be known: those that depend on state missing from one of
 * the sources, and those that only one trace has after the last stimulus of the other, which may end too early.
 * `endsA`, `endsB`: whether that is possible for this trace.
 */
export function settleEffects(a: Side, b: Side, found: Classified, endsA: boolean, endsB: boolean): void {
  const { matchA, matchB, changedA, changedB, classA, classB } = found;
  new Half(a, b, matchA, changedA, classA).settle();
  new Half(b, a, matchB, changedB, classB).settle();
  if (endsA) settleEnd(a, b, found.matchA, [matchA, changedA], [matchB, changedB], classB);
  if (endsB) settleEnd(b, a, found.matchB, [matchB, changedB], [matchA, changedA], classA);
}

const COMMAND = KIND['its.command'];
const slotOf = (barrier: number, position: number) => (barrier + 1) * 2 ** 20 + position;

/** The slots of unknown commands, each with the stimulus that made the ITS execute it. */
function slotsNotShown({ count, rank, marks, position }: Side): Set<number> {
  const slots = new Set<number>();
  let barrier = -1;
  for (let i = 0; i < count; i++) {
    if (rank[i] === BARRIER) barrier = i;
    if (marks[i]! & MARKS.notShown) slots.add(slotOf(barrier, position[i]!));
  }
  return slots;
}

/** The effects of one side that have no counterpart in the other. */
class Half {
  private readonly own: Side;
  private readonly other: Side;
  private readonly match: Int32Array;
  private readonly changed: Int32Array;
  private readonly classes: Uint8Array;

  constructor(own: Side, other: Side, match: Int32Array, changed: Int32Array, classes: Uint8Array) {
    this.own = own;
    this.other = other;
    this.match = match;
    this.changed = changed;
    this.classes = classes;
  }

  settle(): void {
    const { own, other, match, changed, classes } = this;
    const slots = slotsNotShown(other);
    let isUndecided = false;
    let barrier = -1;
    for (let i = 0; i < own.count; i++) {
      if (own.rank[i] === BARRIER) {
        const j = match[i]! >= 0 ? match[i]! : changed[i]!;
        const marks = own.marks[i]! | (j < 0 ? 0 : other.marks[j]!);
        isUndecided = (marks & MARKS.undecided) !== 0;
        barrier = j;
      } else if (isUndecided && match[i]! < 0 && own.rank[i] !== BEHIND_EFFECTS) classes[i] = UNKNOWN;
      if (match[i]! < 0 && own.kind[i] === COMMAND) {
        const isKnown =
          (own.marks[i]! & MARKS.notShown) === 0 && !slots.has(slotOf(barrier, own.position[i]!));
        if (!isKnown) classes[i] = UNKNOWN;
      }
      // A repeat adds nothing to the record before it.
      if (match[i]! < 0 && changed[i]! < 0 && own.marks[i]! & MARKS.repeat) classes[i] = UNKNOWN;
    }
  }
}

/**
 * Handles what only `longer` has after the last stimulus of `shorter`, in streams in which `shorter` has nothing else.
 */
function settleEnd(
  shorter: Side,
  longer: Side,
  match: Int32Array,
  ofShorter: readonly [Int32Array, Int32Array],
  ofLonger: readonly [Int32Array, Int32Array],
  classes: Uint8Array,
): void {
  let last = shorter.count - 1;
  while (last >= 0 && shorter.rank[last] !== BARRIER) last--;
  const from = last < 0 ? -1 : match[last]!;
  if (last >= 0 && from < 0) return;
  const differing = new Set<number>();
  for (let i = last + 1; i < shorter.count; i++) if (ofShorter[0][i]! < 0) differing.add(shorter.rank[i]!);
  for (let j = from + 1; j < longer.count && longer.rank[j] !== BARRIER; j++)
    if (
      ofLonger[0][j]! < 0 &&
      ofLonger[1][j]! < 0 &&
      orderedStreamOf(longer.kind[j]!) >= 0 &&
      !differing.has(longer.rank[j]!)
    )
      classes[j] = UNKNOWN;
}
