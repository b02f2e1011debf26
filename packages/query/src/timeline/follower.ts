// Follows a trace with the simulator beside it, and calls an observer with what happened: lifetimes of interrupts, MSIs,
// ITS commands, mappings, waits, residency of vPEs, findings. If source and simulator disagree, the source is right.
// Trackers without an observer do not run. It knows no SQL and no format.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import type { SourceFacts } from '@gictrace/core/check';
import { Gicv5Follow, Gicv5Machine } from '@gictrace/core/gicv5';
import { Follow, Machine } from '@gictrace/core/model';
import { isEvent, type RecordBatch } from '@gictrace/core/record';
import { Gicv5Trackers } from './gicv5/trackers.ts';
import type { TimelineObserver } from './observer.ts';
import { Trackers } from './trackers.ts';

/** The state of the simulator that a follower runs, whichever GIC it is. */
export interface FollowedState {
  save(): Uint8Array;
}

export class Follower {
  readonly state: FollowedState;
  private readonly observer: TimelineObserver;
  private readonly trackers: Trackers | Gicv5Trackers;
  private readonly follow: Follow | Gicv5Follow;

  /** `facts`: what the source contains, for the checks; by default everything. */
  constructor(config: GicConfig | Gicv5Config, observer: TimelineObserver, facts?: SourceFacts) {
    this.observer = observer;
    if (config.architecture === 5) {
      const machine = new Gicv5Machine(config);
      this.state = machine.state;
      this.trackers = new Gicv5Trackers(machine, observer, facts);
      this.follow = new Gicv5Follow(machine, this.trackers);
    } else {
      const machine = new Machine(config);
      this.state = machine.state;
      this.trackers = new Trackers(machine, config, observer, facts);
      this.follow = new Follow(machine, this.trackers);
    }
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
