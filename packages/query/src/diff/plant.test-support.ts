// Plants differences in a trace, with the class and the record that the aligned comparison must report for each.
// Whether two records may be swapped is determined from the declared modes record by record, not by the code under
// test.
import type { GicConfig } from '@gictrace/core';
import { BARRIER, RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch, rankOf } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { Causes } from './causes.ts';
import type { DiffClass } from './classes.ts';
import { MODES_MAX, RESOURCES, type ResourceName } from './dependence.ts';
import { Footprints } from './footprints.ts';

/** All records of a trace in one batch, and what a writer needs to write the trace again. */
export interface Whole {
  readonly batch: RecordBatch;
  readonly header: TraceReader['header'];
}

export function readWhole(path: string, limit = Number.POSITIVE_INFINITY): Whole {
  const reader = TraceReader.open(path);
  const out = new RecordBatch(Math.min(reader.records, limit));
  for (const { batch } of reader.batches()) {
    for (let i = 0; i < batch.count && !out.full; i++) out.copy(batch, i);
    if (out.full) break;
  }
  const { header } = reader;
  reader.close();
  return { batch: out, header };
}

export function writeWhole(path: string, { batch, header }: Whole): void {
  const writer = new TraceWriter(path, header);
  writer.append(batch);
  writer.close();
}

/** A generator of numbers below a bound, from a seed. */
export type Random = (below: number) => number;
export function random(seed: number): Random {
  let state = (seed ^ 0x9e37_79b9) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export type Edit = 'delete' | 'insert' | 'change' | 'legal swap' | 'illegal swap' | 'shift';
export const EDITS: readonly Edit[] = ['delete', 'insert', 'change', 'legal swap', 'illegal swap', 'shift'];
export const CLASS_OF: Readonly<Record<Edit, DiffClass>> = {
  delete: 'deleted',
  insert: 'inserted',
  change: 'changed',
  'legal swap': 'reordered-legal',
  'illegal swap': 'reordered-illegal',
  shift: 'timing',
};

/** One planted difference: the records that may be named, of A and (inserted) of B. */
export interface Plant {
  readonly edit: Edit;
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** The dependence of two records, determined from the declarations: pair by pair, mode by mode. */
export class Oracle {
  private readonly footprints: Footprints;
  readonly batch: RecordBatch;
  readonly cause: Int32Array;
  private readonly device: Float64Array;

  constructor(config: GicConfig, batch: RecordBatch, shown = true) {
    this.footprints = new Footprints(config, { told: shown, commands: shown });
    this.batch = batch;
    this.cause = new Int32Array(batch.count);
    this.device = new Float64Array(batch.count);
    const causes = new Causes();
    for (let i = 0; i < batch.count; i++) {
      this.cause[i] = causes.of(batch, i, i);
      this.device[i] = causes.device;
    }
  }

  private touched(i: number): { instance: number; resource: ResourceName; mode: string }[] {
    this.footprints.of(this.batch, i, this.device[i]!);
    return [...this.footprints.touched.subarray(0, this.footprints.count)].map((touched) => {
      const resource = this.footprints.nameOf(touched);
      const mode = Object.keys(RESOURCES[resource].modes)[touched % MODES_MAX]!;
      return { instance: Math.floor(touched / MODES_MAX), resource, mode };
    });
  }

  dependent(i: number, j: number): boolean {
    const [ofI, ofJ] = [this.touched(i), this.touched(j)];
    return ofI.some((x) =>
      ofJ.some((y) => {
        if (x.instance !== y.instance) return false;
        const modes: Readonly<Record<string, readonly string[]>> = RESOURCES[x.resource].modes;
        return modes[x.mode]!.includes(y.mode);
      }),
    );
  }

  /** Whether swapping `i` and the record after it leaves each observable near its cause. */
  causesStay(i: number): boolean {
    const from = Math.max(0, i - 300);
    const to = Math.min(this.batch.count, i + 300);
    const order = Array.from({ length: to - from }, (_, k) => from + k);
    [order[i - from], order[i + 1 - from]] = [i + 1, i];
    const before = new Causes();
    const after = new Causes();
    const causeBefore = new Map<number, number>();
    for (let k = from; k < to; k++) causeBefore.set(k, before.of(this.batch, k, k));
    for (const k of order) if (after.of(this.batch, k, k) !== causeBefore.get(k)) return false;
    return true;
  }
}

const sameRecord = (batch: RecordBatch, i: number, j: number) => {
  if (batch.kind[i] !== batch.kind[j] || batch.pe[i] !== batch.pe[j] || batch.flags[i] !== batch.flags[j])
    return false;
  for (let k = 0; k < RECORD_WORDS; k++)
    if (batch.words[i * RECORD_WORDS + k] !== batch.words[j * RECORD_WORDS + k]) return false;
  return true;
};

/** The word of a record that holds a compared value, and a bit of it to flip; undefined if there is none. */
function valueWord(batch: RecordBatch, i: number): [number, number] | undefined {
  if (batch.flags[i]! & RECORD_FLAGS.valueUnknown) return undefined;
  const w = batch.words;
  const at = i * RECORD_WORDS;
  switch (batch.kind[i]) {
    case RECORDS['mmio.read'].id:
    case RECORDS['mmio.write'].id:
      // Positions in the queue are compared relative to each other.
      return w[at] === FRAMES.indexOf('GITS') && (w[at + 2] === 0x88 || w[at + 2] === 0x90)
        ? undefined
        : [4, 0];
    case RECORDS['sysreg.read'].id:
    case RECORDS['sysreg.write'].id:
      return [1, 3];
    case RECORDS['mem.write'].id:
      return [3, 0];
    case RECORDS['msi.write'].id:
      return [2, 4];
    case RECORDS['wire.set'].id:
      return [1, 0];
    case RECORDS.hppi.id:
      return [2, 3];
    case RECORDS['dte.read'].id:
      return [3, 1];
    default:
      return undefined;
  }
}

/**
 * Plants up to `count` edits, at least `apart` records from each other, among the records for which `may` returns true.
 * Returns the edited trace and what was planted. Edits whose place would be ambiguous (in a run of equal records) are
 * not made.
 */
export function plant(
  whole: Whole,
  next: Random,
  count: number,
  apart: number,
  may: (batch: RecordBatch, i: number) => boolean,
  edits: readonly Edit[] = EDITS,
): { edited: Whole; plants: Plant[] } {
  const { batch, header } = whole;
  const oracle = new Oracle(header.config, batch);
  const out = new RecordBatch(batch.count + count);
  const plants: Plant[] = [];
  const stride = Math.max(apart, Math.floor(batch.count / (count + 1)));
  let done = 0;
  const copyTo = (end: number) => {
    for (; done < end; done++) out.copy(batch, done);
  };
  for (let base = stride; base + stride < batch.count && plants.length < count; base += stride) {
    const edit = edits[next(edits.length)]!;
    for (let i = base; i < base + stride - apart; i++) {
      if (!may(batch, i) || !fits(edit, batch, i, oracle, may)) continue;
      copyTo(i);
      const at = out.count;
      switch (edit) {
        case 'delete':
          done++;
          plants.push({ edit, a: [i], b: [] });
          break;
        case 'insert': {
          // A copy of a record from elsewhere, of another PE or of this one, that differs from its neighbours.
          let from = next(batch.count);
          for (let tries = 0; tries < 1000; tries++, from = next(batch.count))
            if (may(batch, from) && insertable(batch, i, from)) break;
          out.copy(batch, from);
          out.timeNs[at] = batch.timeNs[i]!;
          plants.push({ edit, a: [], b: [at] });
          break;
        }
        case 'change': {
          const [word, bit] = valueWord(batch, i)!;
          copyTo(i + 1);
          out.words[at * RECORD_WORDS + word]! ^= 1 << bit;
          plants.push({ edit, a: [i], b: [at] });
          break;
        }
        case 'shift':
          copyTo(i + 1);
          out.timeNs[at]! += 1000 * (1 + next(50));
          plants.push({ edit, a: [i], b: [at] });
          break;
        default:
          out.copy(batch, i + 1);
          out.copy(batch, i);
          done = i + 2;
          plants.push({ edit, a: [i, i + 1], b: [at, at + 1] });
      }
      break;
    }
  }
  copyTo(batch.count);
  return { edited: { batch: out, header }, plants };
}

/** No record nearby is the same, so the alignment has only one solution. */
function alone(batch: RecordBatch, i: number, reach: number): boolean {
  for (let k = Math.max(0, i - reach); k <= Math.min(batch.count - 1, i + reach); k++)
    if (k !== i && sameRecord(batch, i, k)) return false;
  return true;
}

function insertable(batch: RecordBatch, i: number, from: number): boolean {
  for (let k = Math.max(0, i - 60); k < Math.min(batch.count, i + 60); k++)
    if (sameRecord(batch, from, k)) return false;
  return true;
}

function fits(
  edit: Edit,
  batch: RecordBatch,
  i: number,
  oracle: Oracle,
  may: (batch: RecordBatch, i: number) => boolean,
): boolean {
  if (edit === 'shift') return !Number.isNaN(batch.timeNs[i]!);
  if (edit === 'insert') return true;
  if (!alone(batch, i, edit === 'change' ? 12 : 6)) return false;
  if (edit === 'delete') return true;
  if (edit === 'change') return valueWord(batch, i) !== undefined;
  // Effects of one stimulus in different streams: swapping them is not an edit.
  const [first, second] = [i, i + 1].map((k) => rankOf(batch.kind[k]!, batch.pe[k]!));
  if (first !== second && first !== BARRIER && second !== BARRIER) return false;
  if (!may(batch, i + 1) || sameRecord(batch, i, i + 1) || !alone(batch, i + 1, 6)) return false;
  const legal = !oracle.dependent(i, i + 1) && oracle.causesStay(i);
  return edit === 'legal swap' ? legal : oracle.dependent(i, i + 1);
}
