// A time machine over a trace: the simulator after any stimulus, forward and back. Going back restores the nearest state that
// was kept on the way and replays from there. It knows no terminal.
import { inflateRawSync } from 'node:zlib';
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { FollowObserver } from '@gictrace/core/model';
import { isStimulus, RecordBatch } from '@gictrace/core/record';
import type { KeptState } from '../database/state/kept.ts';
import { StateKeeper } from '../database/state/snapshots.ts';
import { type Simulator, simulatorOf } from './simulators.ts';

/** A trace that can be read from any record on. */
export interface SteppedTrace {
  readonly config: GicConfig | Gicv5Config;
  readonly records: number;
  batches(from?: number): Iterable<{ readonly batch: RecordBatch; readonly first: number }>;
}

/** A stimulus that has run, alone in its batch, and what the simulator emitted for it. */
export interface Stop {
  readonly record: number;
  readonly stimulus: RecordBatch;
  readonly emitted: RecordBatch;
}
export type Fits = (stop: Stop) => boolean;

const ANY: Fits = () => true;
const NONE: Fits = () => false;
const INTERVAL = 4096;

class Collector extends FollowObserver {
  readonly parts: RecordBatch[] = [];

  override emitted(records: RecordBatch): void {
    const copy = new RecordBatch(records.count);
    for (let i = 0; i < records.count; i++) copy.copy(records, i);
    this.parts.push(copy);
  }

  /** What has been emitted since the last call. */
  take(): RecordBatch {
    const out = new RecordBatch(this.parts.reduce((sum, { count }) => sum + count, 0));
    for (const part of this.parts) for (let i = 0; i < part.count; i++) out.copy(part, i);
    this.parts.length = 0;
    return out;
  }
}

export class TimeMachine {
  readonly simulator: Simulator;
  /** The stimulus that ran last; undefined before the first. */
  now: Stop | undefined;
  private readonly trace: SteppedTrace;
  private readonly keeper = new StateKeeper(INTERVAL);
  private readonly collector = new Collector();
  /** The next record to run. */
  private next = 0;

  constructor(trace: SteppedTrace) {
    this.trace = trace;
    this.simulator = simulatorOf(trace.config, this.collector);
  }

  /** Runs to the next stimulus that fits, but not beyond record `last`. Without one, stays there and returns undefined. */
  forward(fits: Fits = ANY, last = this.trace.records - 1): Stop | undefined {
    for (const { batch, first } of this.trace.batches(this.next)) {
      if (first > last) break;
      for (let i = Math.max(0, this.next - first); i < batch.count && first + i <= last; i++) {
        const stop = this.run(batch, first, i);
        if (stop !== undefined && fits(stop)) return stop;
      }
    }
    return undefined;
  }

  /** Goes back to the last stimulus before this one that fits. Without one, stays and returns undefined. */
  back(fits: Fits = ANY): Stop | undefined {
    const here = this.now?.record ?? -1;
    let end = here - 1;
    while (end >= 0) {
      const begin = this.restore(end);
      let found = -1;
      this.forward((stop) => {
        if (fits(stop)) found = stop.record;
        return false;
      }, end);
      if (found >= 0) return this.seek(found);
      end = begin - 1;
    }
    this.seek(here);
    return undefined;
  }

  /** Goes to the last stimulus up to a record; -1 is the beginning. Returns undefined if there is none. */
  seek(record: number): Stop | undefined {
    if (this.now !== undefined && record >= this.next - 1) {
      this.forward(NONE, record);
      return this.now;
    }
    if (record < 0) this.restore(record);
    // A state may have been kept behind the last stimulus up to the record.
    for (let from = record; from >= 0; ) {
      const begin = this.restore(from);
      this.forward(NONE, record);
      if (this.now !== undefined) break;
      from = begin - 1;
    }
    return this.now;
  }

  private run(batch: RecordBatch, first: number, i: number): Stop | undefined {
    const record = first + i;
    this.keeper.offer(record, this.simulator.state);
    this.simulator.run(batch, first, i);
    this.next = record + 1;
    const emitted = this.collector.take();
    if (!isStimulus(batch.kind[i]!)) return undefined;
    const stimulus = new RecordBatch(1);
    stimulus.copy(batch, i);
    this.now = { record, stimulus, emitted };
    return this.now;
  }

  /** Restores the nearest state that was kept at or before a record, and returns its record. */
  private restore(record: number): number {
    const kept: KeptState | undefined = this.keeper.states().findLast((one) => one.record <= record);
    if (kept === undefined) {
      this.simulator.state.reset();
      this.next = 0;
    } else {
      this.simulator.state.restore(inflateRawSync(kept.state));
      this.next = kept.record;
    }
    this.simulator.restored();
    this.collector.take();
    this.now = undefined;
    return this.next;
  }
}
