// The comparison of two traces for their timelines: where each trace differs, and pairs of equal records.
import { basename } from 'node:path';
import { CLASS_NAMES, CLASSES, NO_DIFFERENCE } from '../diff/classes.ts';
import { diffTraces } from '../diff/diff.ts';
import type { AlignRow, DiffOptions } from '../diff/result.ts';
import { columns } from './columns.ts';
import type { DiffFacts } from './facts.ts';
import { Strings } from './strings.ts';

/** The most differences that are marked in each trace. */
const MARKS_MAX = 200_000;
/** The most pairs of equal records that align B with A. */
const ANCHORS_MAX = 20_000;

/** The differences of one trace: their records, classes (numbers of CLASS_NAMES) and subjects. */
export class Differences {
  private readonly columns = columns('at', 'class', 'subject');
  readonly subjects: Strings;
  leftOut = 0;

  constructor(subjects: Strings) {
    this.subjects = subjects;
  }

  get at() {
    return this.columns.at;
  }
  get class() {
    return this.columns.class;
  }
  get subject() {
    return this.columns.subject;
  }

  add(record: number, row: AlignRow): void {
    if (this.at.length >= MARKS_MAX) {
      this.leftOut++;
      return;
    }
    this.at.push(record);
    this.class.push(CLASS_NAMES.indexOf(row.class));
    this.subject.push(this.subjects.put(row.subject.text));
  }
}

/** Pairs of records that ascend in both traces, spread evenly over all pairs that are offered, which ascend in the first. */
export class Anchors {
  private pairs = columns('a', 'b');
  private readonly max: number;
  private stride = 1;
  private offered = 0;
  private lastB = -1;

  /** Keeps fewer than `max` pairs; `max` is even. */
  constructor(max: number) {
    this.max = max;
  }

  offer(a: number, b: number): void {
    if (b <= this.lastB || this.offered++ % this.stride !== 0) return;
    this.lastB = b;
    this.pairs.a.push(a);
    this.pairs.b.push(b);
    if (this.pairs.a.length < this.max) return;
    const thinned = columns('a', 'b');
    for (let i = 0; i < this.max; i += 2) {
      thinned.a.push(this.pairs.a.get(i));
      thinned.b.push(this.pairs.b.get(i));
    }
    this.pairs = thinned;
    this.stride *= 2;
  }

  all(): { readonly a: Uint32Array; readonly b: Uint32Array } {
    return { a: this.pairs.a.all(), b: this.pairs.b.all() };
  }
}

export interface Compared {
  readonly facts: DiffFacts;
  readonly a: Differences;
  readonly b: Differences;
  /** Records of equal pairs, both ascending. */
  readonly anchors: { readonly a: Uint32Array; readonly b: Uint32Array };
}

export function compared(pathA: string, pathB: string, options: DiffOptions): Compared {
  const subjects = new Strings();
  const a = new Differences(subjects);
  const b = new Differences(subjects);
  const anchors = new Anchors(ANCHORS_MAX);
  const row = (one: AlignRow) => {
    if (!NO_DIFFERENCE.has(one.class) && one.tolerated === null) {
      if (one.a !== null) a.add(one.a, one);
      if (one.b !== null) b.add(one.b, one);
      return;
    }
    if (one.class === 'same' && one.a !== null && one.b !== null) anchors.offer(one.a, one.b);
  };
  const { readMs: _read, alignMs: _align, ...diff } = diffTraces(pathA, pathB, { ...options, row });
  return {
    facts: {
      ...diff,
      a: { ...diff.a, path: basename(diff.a.path) },
      b: { ...diff.b, path: basename(diff.b.path) },
      classes: CLASSES,
    },
    a,
    b,
    anchors: anchors.all(),
  };
}
