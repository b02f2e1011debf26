// Writes the trace of a replay: the recorded stimuli with the backend's responses and effects. Records that could not
// be compared get the flag `undecided`.
import { CONFLICTS, KIND, RECORD_FLAGS, RECORD_WORDS, RecordBatch, responseAt } from '@gictrace/core/record';
import type { ReplayOutput } from './options.ts';
import type { Response } from './responses.ts';

export class ReRecording {
  private readonly output: ReplayOutput;
  /**
   * The current stimulus, which is written once its response is known. The batch that it came from belongs to the
   * reader.
   */
  private readonly stimulus = new RecordBatch(1);
  private isHeld = false;
  /** A line that is not in any batch. */
  private readonly line = new RecordBatch(1);
  /** Time of the last stimulus, which its effects get, too. */
  private timeNs = Number.NaN;

  constructor(output: ReplayOutput) {
    this.output = output;
  }

  /** A stimulus begins. */
  begin(batch: RecordBatch, i: number): void {
    this.stimulus.clear();
    this.stimulus.copy(batch, i);
    this.isHeld = true;
    this.timeNs = batch.timeNs[i]!;
  }

  /** The stimulus has been answered. */
  answered({ low, high, reserved }: Response): void {
    if (!this.isHeld) return;
    const { stimulus } = this;
    const kind = stimulus.kind[0]!;
    const at = responseAt(kind);
    if (at >= 0) {
      stimulus.words[at] = low;
      stimulus.words[at + 1] = high;
    }
    this.setReserved(reserved);
    this.release();
  }

  private setReserved(reserved: boolean): void {
    const kind = this.stimulus.kind[0];
    if (kind !== KIND['mmio.read'] && kind !== KIND['mmio.write']) return;
    const others = this.stimulus.flags[0]! & ~RECORD_FLAGS.reserved;
    this.stimulus.flags[0] = reserved ? others | RECORD_FLAGS.reserved : others;
  }

  /** The model does not have this register: the stimulus is written as it was recorded. */
  unsupported(): void {
    if (this.isHeld) this.release();
  }

  /** The backend did not execute it. The response and effects of another implementation do not belong to this one. */
  skipped(): void {
    const { stimulus } = this;
    const at = responseAt(stimulus.kind[0]!);
    if (at >= 0) {
      stimulus.words[at] = 0;
      stimulus.words[at + 1] = 0;
      stimulus.flags[0]! |= RECORD_FLAGS.valueUnknown;
    }
    stimulus.flags[0]! |= RECORD_FLAGS.undecided;
    this.release();
  }

  private release(): void {
    this.isHeld = false;
    this.output.record(this.stimulus, 0);
  }

  /** Writes an operation or an effect that the backend reported. */
  record(batch: RecordBatch, i: number): void {
    this.hasDone();
    this.output.record(batch, i);
  }

  /**
   * The stimulus has so many effects that its response comes later. This never happens for an access to a reserved
   * location.
   */
  private hasDone(): void {
    if (!this.isHeld) return;
    this.setReserved(false);
    this.release();
  }

  /** Writes what a PE is signalled: `count` words from `at` on. `flags`: those of the record. */
  signal(kind: number, pe: number, words: Uint32Array, at: number, count: number, flags: number): void {
    this.put(kind, pe, flags);
    for (let k = 0; k < count; k++) this.line.words[k] = words[at + k]!;
    this.output.record(this.line, 0);
  }

  /**
   * The replay found that the recording contradicts itself, which none of its records says. The re-recording gets a
   * record of it: `first` and `second` contradict each other.
   */
  conflict(
    what: (typeof CONFLICTS)[number],
    first: readonly [number, number],
    second: readonly [number, number],
  ): void {
    this.put(KIND['source.conflict'], -1, 0);
    this.line.words.set([CONFLICTS.indexOf(what), ...first, ...second, 0]);
    this.output.record(this.line, 0);
  }

  private put(kind: number, pe: number, flags: number): void {
    this.hasDone();
    this.line.clear();
    const i = this.line.push(kind, pe, this.timeNs);
    this.line.flags[i] = flags;
    this.line.words.fill(0, 0, RECORD_WORDS);
  }
}
