// `diffTraces` compares two traces and returns what differs. It reads them; the pure modules beside this file do the
// work.
import { GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { agree, isObservable, KIND, RECORD_WORDS, type RecordName } from '@gictrace/core/record';
import {
  type AnyTraceReader,
  isGicv5,
  sourceShows,
  sourceTellsReserved,
  TraceReader,
} from '@gictrace/recorder';
import { CLASS_NAMES, classNumber, type DiffClass } from './classes.ts';
import { type Classified, partialPairs, reasonOf } from './classify.ts';
import { hashCommands, type LinesMode, linesModes } from './common.ts';
import { orderDigest } from './digest.ts';
import { classifyEffects, settleEffects } from './effects.ts';
import { around, slice, wouldBe } from './explain.ts';
import { Footprints } from './footprints.ts';
import { matchSides } from './match.ts';
import { Normaliser } from './normaliser.ts';
import { type DifferingPolls, differingPolls } from './polls.ts';
import { fetchRecords, readSides } from './read.ts';
import { Blind, type Permutation, type Renaming, SPACES, vote } from './rename.ts';
import type { Diff, DiffExample, DiffOptions, DiffSide, Half, Shown } from './result.ts';
import { MARKS, Side } from './side.ts';
import { Names } from './subject.ts';
import { configDifferences, configSubject, NO_BEHAVIOUR, Tally } from './tally.ts';

const COMMAND = KIND['its.command'];
const CHANGED = classNumber('changed');
const SAME = classNumber('same');
const TIMING = classNumber('timing');
const UNKNOWN = classNumber('unknown');

/**
 * Compares two traces.
 * @throws GicTraceError `trace` if one cannot be read; `backend` if there is not enough memory.
 */
export function diffTraces(pathA: string, pathB: string, options: DiffOptions = {}): Diff {
  const a = TraceReader.openAny(pathA);
  try {
    const b = TraceReader.openAny(pathB);
    try {
      refuseOtherKind(a, b);
      return new Comparison(a, b, options).run();
    } finally {
      b.close();
    }
  } finally {
    a.close();
  }
}

/** A GICv5 has other records than a GICv3: nothing of the one could be compared with the other. */
function refuseOtherKind(a: AnyTraceReader, b: AnyTraceReader): void {
  if (isGicv5(a) === isGicv5(b)) return;
  const other = isGicv5(a) ? b : a;
  throw new GicTraceError('usage', 'is no trace of a GICv5, and the other one is', { path: other.path });
}

class Comparison {
  private readonly readerA: AnyTraceReader;
  private readonly readerB: AnyTraceReader;
  private readonly options: DiffOptions;
  private readonly footprints: Footprints;
  private names = new Names();
  private a!: Side;
  private b!: Side;
  private found!: Classified;
  /** The kinds of observables that one of the sources does not contain: they are no difference. */
  private readonly notShown: ReadonlySet<number>;
  /** Whether both sources say which accesses were to reserved locations. */
  private readonly tellsReserved: boolean;
  private lines: readonly LinesMode[] | undefined;
  private unfolded: DifferingPolls | undefined;
  private renaming: Permutation | undefined;

  constructor(a: AnyTraceReader, b: AnyTraceReader, options: DiffOptions) {
    this.readerA = a;
    this.readerB = b;
    this.options = options;
    this.notShown = new Set([...notShownBy(a), ...notShownBy(b)]);
    this.tellsReserved = sourceTellsReserved(a.header) && sourceTellsReserved(b.header);
    this.footprints = new Footprints(a.header.config, {
      told: shows(a, 'hppi') && shows(b, 'hppi'),
      commands: shows(a, 'its.command') && shows(b, 'its.command'),
    });
  }

  run(): Diff {
    const { options } = this;
    const began = performance.now();
    let renaming: Permutation | undefined;
    if (options.rename) {
      const [blindA, blindB] = [new Blind(), new Blind()];
      this.read(blindA, blindB);
      const matching = matchSides(this.a, this.b, this.names.streams.length);
      renaming = vote(blindA, blindB, matching, this.a.kept, this.b.kept);
    }
    this.renaming = renaming;
    this.read(undefined, renaming);
    const readMs = performance.now() - began;
    const aligning = performance.now();
    this.classify();
    this.unfolded = differingPolls(this.a, this.b, this.found);
    if (this.unfolded !== undefined) {
      this.read(undefined, renaming);
      this.classify();
    }
    const alignMs = performance.now() - aligning;
    this.settlePartial();
    this.settleMore();
    settleEffects(this.a, this.b, this.found, mayEndEarly(this.readerA), mayEndEarly(this.readerB));
    const tally = new Tally(options);
    const examples = this.walk(tally);
    const config = configDifferences(this.readerA.header.config, this.readerB.header.config).map((one) => ({
      ...one,
      tolerated: NO_BEHAVIOUR.get(one.field) ?? tally.tolerate('changed', configSubject(one.field), -1),
    }));
    const counts = tally.counts;
    return {
      same: tally.open === 0 && config.every((one) => one.tolerated !== null),
      a: this.sideOf(this.readerA, this.a),
      b: this.sideOf(this.readerB, this.b),
      counts,
      tolerated: tally.tolerated(),
      subjects: tally.subjects(this.totals(this.a), this.totals(this.b)),
      config,
      examples: this.explain(examples),
      coarse: this.found.coarse,
      renamed:
        renaming === undefined
          ? null
          : Object.fromEntries(SPACES.map((name, k) => [name, renaming.maps[k]!.size])),
      readMs,
      alignMs,
    };
  }

  private read(renameA: Renaming | undefined, renameB: Renaming | undefined): void {
    this.readAll(renameA, renameB);
    const lines = linesModes(this.a, this.b);
    // Only after everything has been read is it known whether the sources always have the interrupt lines.
    if (this.lines === undefined && lines.some((mode) => mode !== 'whole')) {
      this.lines = lines;
      if (renameA !== undefined) renameA.restart?.();
      if (renameB !== undefined) renameB.restart?.();
      this.readAll(renameA, renameB);
    }
    hashCommands(this.a, this.b);
    this.a.compact();
    this.b.compact();
  }

  private readAll(renameA: Renaming | undefined, renameB: Renaming | undefined): void {
    const { readerA, readerB, footprints, options } = this;
    this.names = new Names();
    try {
      this.a = new Side(readerA.records);
      this.b = new Side(readerB.records);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new GicTraceError(
        'backend',
        `there is not enough memory to compare ${readerA.records} records with ${readerB.records}`,
        {},
        'about 90 bytes are needed for each',
      );
    }
    const common = {
      keepRepeats: options.keepRepeats ?? false,
      events: options.events ?? false,
      notShown: this.notShown,
      tellsReserved: this.tellsReserved,
      ...(this.lines === undefined ? {} : { lines: this.lines }),
    };
    const normaliserOf = (
      side: Side,
      polls: ReadonlySet<number> | undefined,
      renaming: Renaming | undefined,
    ) => {
      const own = polls === undefined ? common : { ...common, unfolded: polls };
      return new Normaliser(side, this.names, footprints, own, renaming);
    };
    readSides(
      readerA,
      normaliserOf(this.a, this.unfolded?.a, renameA),
      readerB,
      normaliserOf(this.b, this.unfolded?.b, renameB),
      options.progress,
    );
  }

  private classify(): void {
    const { a, b } = this;
    this.found = classifyEffects(a, b, this.names.streams.length, this.footprints);
  }

  /** The number of records of a side about each subject. */
  private totals(side: Side): Uint32Array {
    const totals = new Uint32Array(this.names.subjects.length);
    for (let i = 0; i < side.count; i++) totals[side.subject[i]!]!++;
    return totals;
  }

  private sideOf(reader: AnyTraceReader, side: Side): DiffSide {
    return {
      path: reader.path,
      records: reader.records,
      compared: side.count,
      left: Object.fromEntries([...side.left].sort(([p], [q]) => (p < q ? -1 : 1))),
      orderDigest: orderDigest(side, this.footprints),
    };
  }

  /** Settles changed pairs of which one side has only a part, and which agree in that part. */
  private settlePartial(): void {
    const { a, b, found } = this;
    const pairs = partialPairs(a, b, found, COMMAND);
    if (pairs.length === 0) return;
    const recordsA = pairs.map((i) => a.record[i]!);
    const recordsB = pairs.map((i) => b.record[found.changedA[i]!]!);
    const ofA = fetchRecords(this.readerA, recordsA);
    const ofB = this.fetchB(recordsB);
    pairs.forEach((i, k) => {
      if (!agree(ofA.batch, ofA.at(recordsA[k]!), ofB.batch, ofB.at(recordsB[k]!), this.tellsReserved))
        return;
      found.classA[i] = UNKNOWN;
      found.classB[found.changedA[i]!] = UNKNOWN;
    });
  }

  /** Records of B, with the names that they have in A. */
  private fetchB(records: readonly number[]): ReturnType<typeof fetchRecords> {
    const fetched = fetchRecords(this.readerB, records);
    const { batch } = fetched;
    for (let i = 0; i < batch.count && this.renaming !== undefined; i++)
      this.renaming.apply(batch.kind[i]!, batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS));
    return fetched;
  }

  /** Settles pairs that are aligned by less than what one or both of the sources have. */
  private settleMore(): void {
    const { a, b, found } = this;
    const { matchA, classA, classB } = found;
    const pairs: number[] = [];
    for (let i = 0; i < a.count; i++) {
      const j = matchA[i]!;
      if (j < 0) continue;
      const inA = a.marks[i]! & MARKS.more;
      const inB = b.marks[j]! & MARKS.more;
      if (inA !== 0 && inB !== 0) pairs.push(i);
      else if (inA !== inB && (classA[i] === SAME || classA[i] === TIMING)) classA[i] = classB[j] = UNKNOWN;
    }
    if (pairs.length === 0) return;
    const recordsA = pairs.map((i) => a.record[i]!);
    const recordsB = pairs.map((i) => b.record[matchA[i]!]!);
    const ofA = fetchRecords(this.readerA, recordsA);
    const ofB = this.fetchB(recordsB);
    pairs.forEach((i, k) => {
      if (agree(ofA.batch, ofA.at(recordsA[k]!), ofB.batch, ofB.at(recordsB[k]!), this.tellsReserved)) return;
      classA[i] = classB[matchA[i]!] = CHANGED;
    });
  }

  /** Passes on the alignment in order and counts. Returns the pairs (places in A and B, or -1) to report. */
  private walk(tally: Tally): [DiffClass, number, number][] {
    const { a, b, found, names, options, footprints } = this;
    const keep = options.keep ?? 1;
    const shown = new Map<DiffClass, number>();
    const examples: [DiffClass, number, number][] = [];
    const tell = (i: number, j: number) => {
      const name = CLASS_NAMES[i >= 0 ? found.classA[i]! : found.classB[j]!]!;
      const side = i >= 0 ? a : b;
      const at = i >= 0 ? i : j;
      const subject = names.subjects[side.subject[at]!]!;
      const tolerated = tally.count(name, side.subject[at]!, subject, side.pe[at]!);
      if (tolerated === null && name !== 'same' && (shown.get(name) ?? 0) < keep) {
        shown.set(name, (shown.get(name) ?? 0) + 1);
        examples.push([name, i, j]);
      }
      options.row?.({
        a: i < 0 ? null : a.record[i]!,
        b: j < 0 ? null : b.record[j]!,
        class: name,
        reason: i < 0 ? '' : reasonOf(name, i, a, found, footprints),
        subject,
        pe: side.pe[at]!,
        tolerated,
      });
    };
    let next = 0;
    const insertedUpTo = (end: number) => {
      for (; next < end; next++) if (found.matchB[next]! < 0 && found.changedB[next]! < 0) tell(-1, next);
    };
    for (let i = 0; i < a.count; i++) {
      const j = found.matchA[i]! >= 0 ? found.matchA[i]! : found.changedA[i]!;
      if (j >= 0 && found.order.moved[i] === 0) insertedUpTo(j);
      tell(i, j);
    }
    insertedUpTo(b.count);
    return examples;
  }

  private explain(examples: readonly [DiffClass, number, number][]): DiffExample[] {
    const { a, b, found } = this;
    const halves = examples.map(([, i, j]) => {
      const nearA = i >= 0 ? i : wouldBe(b, j, found.matchB);
      const nearB = j >= 0 ? j : wouldBe(a, i, found.matchA);
      return {
        a: { at: i, around: nearA < 0 ? [] : around(a, nearA), slice: i < 0 ? [] : slice(a, i) },
        b: { at: j, around: nearB < 0 ? [] : around(b, nearB), slice: j < 0 ? [] : slice(b, j) },
      };
    });
    const textsA = textsOf(
      this.readerA,
      a,
      halves.map((half) => half.a),
    );
    const textsB = textsOf(
      this.readerB,
      b,
      halves.map((half) => half.b),
    );
    return examples.map(([name, i, j], k) => {
      const subject = this.names.subjects[i >= 0 ? a.subject[i]! : b.subject[j]!]!;
      return {
        class: name,
        subject: subject.text,
        reason: i < 0 ? '' : reasonOf(name, i, a, found, this.footprints),
        a: textsA(halves[k]!.a),
        b: textsB(halves[k]!.b),
      };
    });
  }
}

/** The kinds of observables that are missing from the source of a trace. */
function notShownBy({ header }: AnyTraceReader): number[] {
  const shown = sourceShows(header);
  if (shown === undefined) return [];
  const kinds = new Set<number>(shown.map((name) => KIND[name]));
  return Object.values(KIND).filter(
    (kind) => isObservable(kind) && kind !== KIND['source.conflict'] && !kinds.has(kind),
  );
}

/** Whether a trace may lack effects of its last stimulus: a log may, a replay never does. */
function mayEndEarly({ header }: AnyTraceReader): boolean {
  return !header.source.kind.startsWith('replay of ');
}

/** Whether a trace contains records of a kind. */
function shows({ footer }: AnyTraceReader, kind: RecordName): boolean {
  return (footer?.kinds[kind] ?? 0) > 0;
}

type Places = { readonly at: number; readonly around: readonly number[]; readonly slice: readonly number[] };

/** Fetches the records of the halves in one pass. Returns a function that formats a half as text. */
function textsOf(reader: AnyTraceReader, side: Side, halves: readonly Places[]): (half: Places) => Half {
  const all = halves.flatMap((half) => [half.at, ...half.around, ...half.slice]).filter((k) => k >= 0);
  const { batch, at } = fetchRecords(
    reader,
    all.map((k) => side.record[k]!),
  );
  const shown = (k: number): Shown => {
    const record = side.record[k]!;
    return { record, text: recordText(batch, at(record), record) };
  };
  return (half) => ({
    record: half.at < 0 ? null : shown(half.at),
    around: half.around.map(shown),
    slice: half.slice.map(shown),
  });
}
