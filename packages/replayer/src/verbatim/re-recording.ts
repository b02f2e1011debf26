// The trace that a replay writes: the recorded stimuli with the responses of the backend, and what it did.
import { RECORD_FLAGS, RecordBatch } from '@gictrace/core/record';
import type { ReplayOutput } from './options.ts';
import { type Response, valueAt } from './responses.ts';

export class ReRecording {
  private readonly output: ReplayOutput;
  /** Reads are written with another value, and the batch is the reader's. */
  private readonly copy = new RecordBatch(1);

  constructor(output: ReplayOutput) {
    this.output = output;
  }

  /** A stimulus begins. A write goes out before what it does, however much that is; a read once its value is known. */
  begin(batch: RecordBatch, i: number): void {
    if (valueAt(batch.kind[i]!) < 0) this.output.record(batch, i);
  }

  /** A read has been answered. */
  answered(batch: RecordBatch, i: number, { low, high }: Response): void {
    const at = valueAt(batch.kind[i]!);
    if (at < 0) return;
    this.copyOf(batch, i);
    this.copy.words[at] = low;
    this.copy.words[at + 1] = high;
    this.output.record(this.copy, 0);
  }

  /** The model has no such register: a read goes out as it was recorded. */
  unsupported(batch: RecordBatch, i: number): void {
    if (valueAt(batch.kind[i]!) >= 0) this.output.record(batch, i);
  }

  /** The backend did not do the stimulus: what another implementation returned is no answer of this one. */
  skipped(batch: RecordBatch, i: number): void {
    const at = valueAt(batch.kind[i]!);
    if (at < 0) return;
    this.copyOf(batch, i);
    this.copy.words[at] = 0;
    this.copy.words[at + 1] = 0;
    this.copy.flags[0]! |= RECORD_FLAGS.valueUnknown;
    this.output.record(this.copy, 0);
  }

  /** An operation, or what the backend did. */
  record(batch: RecordBatch, i: number): void {
    this.output.record(batch, i);
  }

  private copyOf(batch: RecordBatch, i: number): void {
    this.copy.clear();
    this.copy.copy(batch, i);
  }
}
