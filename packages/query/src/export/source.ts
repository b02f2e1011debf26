// The input and the summary of an export, for every format.
import type { RecordBatch } from '@gictrace/core/record';
import type { AnyTraceHeader } from '@gictrace/recorder';
import type { InterruptNames } from './interrupt-names.ts';

/** A trace as input of an export. */
export interface ExportSource {
  readonly name: string;
  readonly header: AnyTraceHeader;
  /** Whether any record has a time. */
  readonly timed: boolean;
  /** Whether it has records of state that its source reveals later (`state.known`). */
  readonly learnt?: boolean;
  /** Names of interrupts, for the formats that show them. */
  readonly names?: InterruptNames;
  /** The batches in order, from the first record on. May be called more than once. A batch is valid until the next one. */
  batches(): Iterable<{ readonly batch: RecordBatch; readonly first: number }>;
}

export const EXPORT_FORMATS = ['perfetto', 'vcd', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What was written: counts by what they count, such as `slices`. */
export interface ExportSummary {
  readonly records: number;
  /** `ns`: times of the source; `record`: it contains none, and record numbers are used; null: the format has no times. */
  readonly time: 'ns' | 'record' | null;
  /** Records without a time, which are placed at the time of the record before. */
  readonly untimed: number;
  /** Records with an earlier time than one before them, which are placed at the latest time so far. */
  readonly late: number;
  readonly wrote: Readonly<Record<string, number>>;
}
