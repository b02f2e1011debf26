// The trace that a replay writes: the recorded stimuli with the responses of the backend, and what it did. What nobody
// could compare has the flag `undecided`.
import { CONFLICTS, KIND, RECORD_FLAGS, RECORD_WORDS, RecordBatch, responseAt } from '@gictrace/core/record';
import type { ReplayOutput } from './options.ts';
import type { Response } from './responses.ts';

export class ReRecording {
  private readonly output: ReplayOutput;
  /** The stimulus at work, which goes out once its response is known. The batch that it came from is the reader's. */
  private readonly stimulus = new RecordBatch(1);
  private isHeld = false;
  /** A line that no batch holds. */
  private readonly line = new RecordBatch(1);
  /** Time of the last stimulus: what follows has it. */
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

  /** It has been answered. */
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

  /** The model has no such register: it goes out as it was recorded. */
  unsupported(): void {
    if (this.isHeld) this.release();
  }

  /** The backend did not do it: what another implementation returned, and what came of it, is not of this one. */
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

  /** An operation, or what the backend did. */
  record(batch: RecordBatch, i: number): void {
    this.hasDone();
    this.output.record(batch, i);
  }

  /** The stimulus did so much that its response comes later. No access to a reserved location does. */
  private hasDone(): void {
    if (!this.isHeld) return;
    this.setReserved(false);
    this.release();
  }

  /** What a PE is signalled: `count` words from `at` on. `flags`: of the record. */
  signal(kind: number, pe: number, words: Uint32Array, at: number, count: number, flags: number): void {
    this.put(kind, pe, flags);
    for (let k = 0; k < count; k++) this.line.words[k] = words[at + k]!;
    this.output.record(this.line, 0);
  }

  /**
   * Replay found the recording to contradict itself, which shows in none of its records. In the re-recording it does:
   * `first` and `second` contradict each other.
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
