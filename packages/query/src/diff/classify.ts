// Determines the class of every record of both sides, from an alignment, the order and the offsets. Pure.
import { classNumber, type DiffClass } from './classes.ts';
import type { ResourceName } from './dependence.ts';
import type { Footprints } from './footprints.ts';
import { type Matching, matchSides } from './match.ts';
import { positionFaults, timeShifts } from './offsets.ts';
import { judgeOrder, KEPT, MOVED_ILLEGALLY, type Order } from './order.ts';
import { MARKS, type Side } from './side.ts';

export interface Classified extends Matching {
  /** By record of A and of B: an index into `CLASS_NAMES`. A pair has the same class on both sides. */
  readonly classA: Uint8Array;
  readonly classB: Uint8Array;
  readonly order: Order;
  /** By record of A: nanoseconds, if its class is `timing`. */
  readonly shifts: Float64Array;
  /** By record of A: 1 if a `changed` pair differs only by its position in the command queue. */
  readonly positions: Uint8Array;
}

const SAME = classNumber('same');
const DELETED = classNumber('deleted');
const INSERTED = classNumber('inserted');
const CHANGED = classNumber('changed');
const LEGAL = classNumber('reordered-legal');
const ILLEGAL = classNumber('reordered-illegal');
const TIMING = classNumber('timing');

/** Classifies two sides whose records are in `streams` streams and touch what `footprints` knows. */
export function classify(a: Side, b: Side, streams: number, footprints: Footprints): Classified {
  const matching = matchSides(a, b, streams);
  const { matchA, matchB, changedA, changedB } = matching;
  const order = judgeOrder(a, b, matching, footprints);
  const shifts = timeShifts(a, b, matchA, order.moved);
  const positions = positionFaults(a, b, matchA, matchB);
  const classA = new Uint8Array(a.count).fill(DELETED);
  const classB = new Uint8Array(b.count).fill(INSERTED);
  for (let i = 0; i < a.count; i++) {
    const j = matchA[i]!;
    if (j >= 0) {
      let name = SAME;
      if (order.moved[i] !== KEPT) name = order.moved[i] === MOVED_ILLEGALLY ? ILLEGAL : LEGAL;
      else if (positions[i] === 1) name = CHANGED;
      else if (shifts[i] !== 0) name = TIMING;
      classA[i] = name;
      classB[j] = name;
    } else if (changedA[i]! >= 0) {
      classA[i] = CHANGED;
      classB[changedA[i]!] = CHANGED;
    }
  }
  for (let j = 0; j < b.count; j++) if (changedB[j]! >= 0) classB[j] = CHANGED;
  return { ...matching, classA, classB, order, shifts, positions };
}

/** Changed pairs of which a source has only a part, to be examined again. */
export function partialPairs(a: Side, b: Side, { changedA }: Classified, commandKind: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < a.count; i++) {
    const j = changedA[i]!;
    if (j < 0) continue;
    if ((a.marks[i]! | b.marks[j]!) & MARKS.partial || a.kind[i] === commandKind) out.push(i);
  }
  return out;
}

/** Why a pair or a record has its class, in words; empty if the class needs no explanation. */
export function reasonOf(
  name: DiffClass,
  i: number,
  a: Side,
  { order, shifts, positions }: Classified,
  footprints: Footprints,
): string {
  if (name === 'timing') {
    const by = shifts[i]!;
    return `${Math.abs(by)} ns ${by > 0 ? 'later' : 'earlier'}`;
  }
  if (name === 'changed' && positions[i] === 1) return 'another slot of the command queue';
  if (name !== 'reordered-illegal') return '';
  const over = order.over[i]!;
  const other = `record ${a.record[order.crossed[i]!]!} of A`;
  if (over < 0) return `an observable follows another stimulus than it did (${other})`;
  return `crosses ${other}: ${WHY[footprints.nameOf(over)]}`;
}

const WHY: Readonly<Record<ResourceName, string>> = {
  everything: 'of one of them it is not known what it does',
  program: 'program order of the PE',
  interface: 'both concern the interface of the PE',
  private: 'both are about the same private interrupt',
  spi: 'both are about the same SPI',
  block: 'both are about the same words of the Distributor',
  distributor: 'both are about the Distributor',
  spis: 'an SPI may have become pending between them',
  sgis: 'an SGI may have become pending between them',
  lpis: 'one delivers LPIs, the other shows or decides which',
  its: 'both are about the same ITS',
  slot: 'both are about the same slot of the command queue',
  device: 'both are about the same device',
  entry: 'both are about the same table entry',
  memory: 'one writes memory, the other may read it',
  line: 'both write the same memory',
  inside: 'both are facts inside the GIC',
};
