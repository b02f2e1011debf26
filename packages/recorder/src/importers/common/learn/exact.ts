// Takes the records of a source as they are, until an ITS executes a command that is not in the source. From there on,
// what that command may have changed is learnt as it is for other sources. Takes records one by one, forms groups of
// them, and renumbers the operations that records belong to where records are inserted.
import type { GicConfig } from '@gictrace/core';
import { RECORDS, RecordBatch, type RecordName, STIMULI_BELOW } from '@gictrace/core/record';
import type { Losses } from '../losses.ts';
import { Learner } from './learner.ts';
import type { Missing, Start } from './unknowns.ts';

const GROUP_RECORDS = 16_384;
/** Stimuli after which effects of the stimulus before them may still follow. */
const UNORDERED = new Uint8Array(256);
for (const name of ['mem.write', 'mem.known', 'mem.unknown', 'queue.write', 'state.known'] as const)
  UNORDERED[RECORDS[name].id] = 1;

/** What a source lacks, and how it shows input lines (see `SourceFacts`). */
export interface ExactFacts {
  readonly start: Start;
  readonly missing: readonly Missing[];
  readonly repeatsLevels?: boolean;
}

export class ExactSource {
  private readonly learner: Learner | undefined;
  private readonly out: (batch: RecordBatch, i: number) => void;
  private readonly group = new RecordBatch(GROUP_RECORDS);
  /** Numbers of records of the source that have been handed on, and of records that were inserted. */
  private own = 0;
  private put = 0;
  /** Pairs of numbers: a record of the source, and how many records have been inserted before it. */
  private readonly shifts: number[] = [];

  /** `shows`: the kinds of observables in the source. If absent, all kinds are. `start` and `missing`: what else it lacks. */
  constructor(
    config: GicConfig,
    shows: readonly string[] | undefined,
    { start, missing, repeatsLevels = false }: ExactFacts,
    losses: Losses,
    out: (batch: RecordBatch, i: number) => void,
  ) {
    this.out = out;
    if (config.its.length === 0 && start === 'reset' && missing.length === 0) return;
    const kinds =
      shows === undefined ? undefined : new Set<number>(shows.map((name) => RECORDS[name as RecordName].id));
    this.learner = new Learner(
      config,
      {
        start,
        missing: new Set(missing),
        repeatsLevels,
        isExact: true,
        shows: (kind) => kinds === undefined || kinds.has(kind),
      },
      losses,
      (batch, i) => this.pass(batch, i),
    );
  }

  /** Takes record `i` of a batch. */
  record(batch: RecordBatch, i: number): void {
    if (this.learner === undefined) {
      this.out(batch, i);
      return;
    }
    const kind = batch.kind[i]!;
    if (this.group.full || (kind < STIMULI_BELOW && UNORDERED[kind] === 0)) this.close(false);
    this.group.copy(batch, i);
  }

  /** No more records follow. */
  end(): void {
    this.close(true);
  }

  private close(isLast: boolean): void {
    if (this.group.count > 0) this.learner?.take(this.group, isLast);
    this.group.clear();
  }

  private pass(batch: RecordBatch, i: number): void {
    if (batch !== this.group) {
      this.put++;
      this.shifts.push(this.own, this.put);
    } else {
      this.own++;
      if (batch.cause[i] !== 0 && this.put > 0) batch.cause[i]! += this.shiftOf(batch.cause[i]! - 1);
    }
    this.out(batch, i);
  }

  /** How many records have been inserted before record `record` of the source. */
  private shiftOf(record: number): number {
    const { shifts } = this;
    let low = 0;
    let high = shifts.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shifts[2 * middle]! <= record) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : shifts[2 * low - 1]!;
  }
}
