// The records that a report names, and their times. There is a bit for each record of the trace while it is read, and then
// a row for each record that is named.
import { ExportClock } from '../export/clock.ts';
import type { ExportSource } from '../export/source.ts';
import { columns } from './columns.ts';
import { NONE } from './facts.ts';

/** A set of record numbers below `records`; each of them has a rank. */
export class Named {
  private readonly bits: Uint32Array;
  private ranks = new Uint32Array(0);

  constructor(records: number) {
    this.bits = new Uint32Array((records + 31) >>> 5);
  }

  add(record: number): void {
    this.bits[record >>> 5]! |= 1 << (record & 31);
  }

  has(record: number): boolean {
    return ((this.bits[record >>> 5]! >>> (record & 31)) & 1) !== 0;
  }

  /** Ends adding. From here on {@link rank} can be called. */
  close(): void {
    this.ranks = new Uint32Array(this.bits.length);
    let before = 0;
    for (let word = 0; word < this.bits.length; word++) {
      this.ranks[word] = before;
      before += ones(this.bits[word]!);
    }
  }

  /** How many members of the set are before `record`. */
  rank(record: number): number {
    const word = record >>> 5;
    return this.ranks[word]! + ones(this.bits[word]! & ((1 << (record & 31)) - 1));
  }
}

function ones(word: number): number {
  let n = word - ((word >>> 1) & 0x5555_5555);
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

export interface Moments {
  readonly unitNs: number;
  readonly untimed: number;
  readonly late: number;
  /**
   * `record`; `low` and `high` of the time at which it is placed; `lateLow` and `lateHigh` of how much earlier its time in
   * the source is (high {@link NONE}: the source contains no time); `line` (0: none); `kind`.
   */
  readonly columns: Readonly<Record<string, Uint32Array>>;
}

const UNITS_NS = [1_000_000, 1000, 1];

/** Reads the trace again for the times and lines of the named records. */
export function momentsOf(source: ExportSource, named: Named): Moments {
  const clock = new ExportClock(source.timed);
  const out = columns('record', 'low', 'high', 'lateLow', 'lateHigh', 'line', 'kind');
  const shown: number[] = [];
  const late: number[] = [];
  let unit = 0;
  for (const { batch, first } of source.batches())
    for (let i = 0; i < batch.count; i++) {
      const record = first + i;
      const told = batch.timeNs[i]!;
      const at = clock.at(record, told);
      if (!named.has(record)) continue;
      const behind = Number.isNaN(told) ? -1 : source.timed ? at - Math.round(told) : 0;
      shown.push(at);
      late.push(behind);
      while (at % UNITS_NS[unit]! !== 0 || (behind > 0 && behind % UNITS_NS[unit]! !== 0)) unit++;
      out.record.push(record);
      out.line.push(batch.line[i]!);
      out.kind.push(batch.kind[i]!);
    }
  const unitNs = source.timed ? UNITS_NS[unit]! : 1;
  for (const [k, at] of shown.entries()) {
    const behind = late[k]!;
    out.low.push((at / unitNs) % 2 ** 32);
    out.high.push(Math.floor(at / unitNs / 2 ** 32));
    out.lateLow.push(behind < 0 ? 0 : (behind / unitNs) % 2 ** 32);
    out.lateHigh.push(behind < 0 ? NONE : Math.floor(behind / unitNs / 2 ** 32));
  }
  return {
    unitNs,
    untimed: clock.untimed,
    late: clock.late,
    columns: Object.fromEntries(Object.entries(out).map(([name, column]) => [name, column.all()])),
  };
}
