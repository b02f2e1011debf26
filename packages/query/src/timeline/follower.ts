// Follows a trace with the simulator beside it, and calls an observer with what happened: lifetimes of interrupts, MSIs,
// ITS commands, mappings, waits, residency of vPEs, findings. If source and simulator disagree, the source is right.
// Trackers without an observer do not run. It knows no SQL and no format.
import type { GicConfig } from '@gictrace/core';
import type { SourceFacts } from '@gictrace/core/check';
import { Follow, Machine } from '@gictrace/core/model';
import { isEvent, type RecordBatch } from '@gictrace/core/record';
import type { TimelineObserver } from './observer.ts';
import { Trackers } from './trackers.ts';

export class Follower {
  readonly machine: Machine;
  private readonly observer: TimelineObserver;
  private readonly trackers: Trackers;
  private readonly follow: Follow;

  /** `facts`: what the source contains, for the checks; by default everything. */
  constructor(config: GicConfig, observer: TimelineObserver, facts?: SourceFacts) {
    this.machine = new Machine(config);
    this.observer = observer;
    this.trackers = new Trackers(this.machine, config, observer, facts);
    this.follow = new Follow(this.machine, this.trackers);
  }

  /** How many interrupts are pending and not acknowledged. */
  get pendingCount(): number {
    return this.trackers.pendingCount;
  }

  /** Whether the trace recorded events. */
  get recordsEvents(): boolean {
    return this.trackers.hasRecordedEvents;
  }

  /** The latest time of the records so far, in nanoseconds; NaN if none has a time. */
  get latestNs(): number {
    return this.trackers.latestNs;
  }

  /** Takes record `i` of a batch, after all earlier records. `first` is the number of the batch's first record. */
  take(batch: RecordBatch, first: number, i: number): void {
    const { trackers } = this;
    trackers.records = first + i + 1;
    if (!isEvent(batch.kind[i]!)) {
      this.observer.record?.(batch, i, first + i);
      // Host threads of a source race, so its times are not in order.
      const timeNs = batch.timeNs[i]!;
      if (!(timeNs <= trackers.latestNs) && !Number.isNaN(timeNs)) trackers.latestNs = timeNs;
    }
    this.follow.take(batch, first, i, i + 1);
  }

  /** The trace has ended. */
  finish(): void {
    this.follow.end();
  }
}
