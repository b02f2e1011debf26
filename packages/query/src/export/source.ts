// What an export takes and answers, for every format.
import type { RecordBatch } from '@gictrace/core/record';
import type { TraceHeader } from '@gictrace/recorder';

/** A trace as an export takes it. */
export interface ExportSource {
  readonly name: string;
  readonly header: TraceHeader;
  /** Whether any record has a time. */
  readonly timed: boolean;
  /** Whether it has state that its source shows after the fact. */
  readonly learnt?: boolean;
  /** Batches in order, from the first record; may be asked for more than once. Each is reused after the next is asked for. */
  batches(): Iterable<{ readonly batch: RecordBatch; readonly first: number }>;
}

export const EXPORT_FORMATS = ['perfetto', 'vcd', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What was written: counts by what they count, such as `slices`. */
export interface ExportSummary {
  readonly records: number;
  /** `ns`: times of the source; `record`: it tells none, and record numbers stand for them; null: the format needs none. */
  readonly time: 'ns' | 'record' | null;
  /** Records without a time, shown at the time before. */
  readonly untimed: number;
  /** Records with an earlier time than one before them, shown at the latest before. */
  readonly late: number;
  readonly wrote: Readonly<Record<string, number>>;
}
