// Follows a trace with the simulator beside it: the only loop from recorded stimuli through `step` to what the
// simulator emitted. An observer is called at each point of it and draws the conclusions; this file draws none.
// Importers step the simulator themselves: they make the trace, and its answer to a stimulus decides which records
// come before that stimulus.
//
// A recorded stimulus:
//
//   stimulus(batch, i, record)   It has not run: the machine is in the state that the stimulus meets.
//   answered(batch, i, record)   It has run. The response is in the machine's low, high, reserved and unsupported.
//   emitted(records)             What the simulator did, in order; no call where it did nothing. One call holds all of
//                                it, unless it is more than EMITTED_MAX records: then the first calls come while the
//                                stimulus is still running, before answered.
//   settled(batch, i, record)    All that it did has been handed on.
//
// Any other record is a single call, to operation, observable or event. What the source recorded of a stimulus comes
// after the stimulus has settled: an observer hears the simulator first, and then what the source says of the same.
import { isEvent, isObservable, isStimulus, RecordBatch } from '../record/index.ts';
import type { Machine } from './machine.ts';
import { step } from './step.ts';

/** Records that one call of `emitted` holds at most. */
const EMITTED_MAX = 4096;

/**
 * What is called while a trace is followed; each method does nothing until a subclass overrides it. `batch` belongs to
 * the reader, and its record `i` is record `record` of the trace; both are valid during the call only. A class, so that
 * each call in the loop has one target that V8 can inline: with methods that were bound or asked for, verbatim replay
 * took 7 to 10 % longer.
 */
export class FollowObserver {
  /** A recorded stimulus is about to run. */
  stimulus(_batch: RecordBatch, _i: number, _record: number): void {}
  /** The stimulus has run, and its response is there. What it did comes next. */
  answered(_batch: RecordBatch, _i: number, _record: number): void {}
  /** What the simulator did: all records of the batch, which is cleared after the call. */
  emitted(_records: RecordBatch): void {}
  /** The stimulus has run, and all that it did has been handed on. */
  settled(_batch: RecordBatch, _i: number, _record: number): void {}
  /** A recorded operation. */
  operation(_batch: RecordBatch, _i: number, _record: number): void {}
  /** A recorded observable: what the source shows of the stimulus before it. */
  observable(_batch: RecordBatch, _i: number, _record: number): void {}
  /** A recorded event. */
  event(_batch: RecordBatch, _i: number, _record: number): void {}
  /** The trace has ended. */
  end(): void {}
}

/** Runs the stimuli of a trace on a machine and calls an observer. Takes the machine's sink where `emitted` is overridden. */
export class Follow {
  readonly machine: Machine;
  private readonly observer: FollowObserver;
  /** What the simulator has emitted and the observer has not been handed. */
  private readonly emitted: RecordBatch;

  constructor(machine: Machine, observer: FollowObserver) {
    this.machine = machine;
    this.observer = observer;
    const isHeard = observer.emitted !== FollowObserver.prototype.emitted;
    this.emitted = new RecordBatch(isHeard ? EMITTED_MAX : 0);
    if (isHeard) machine.sink = { batch: this.emitted, events: true, full: () => this.handOn() };
  }

  /** Takes records `from` to `to` - 1 of a batch, all of them if not told otherwise. `first`: the number of its record 0. */
  take(batch: RecordBatch, first: number, from = 0, to = batch.count): void {
    const { machine, observer, emitted } = this;
    const { kind } = batch;
    for (let i = from; i < to; i++) {
      const k = kind[i]!;
      if (isStimulus(k)) {
        observer.stimulus(batch, i, first + i);
        step(machine, batch, i);
        observer.answered(batch, i, first + i);
        if (emitted.count > 0) this.handOn();
        observer.settled(batch, i, first + i);
      } else if (isEvent(k)) observer.event(batch, i, first + i);
      else if (isObservable(k)) observer.observable(batch, i, first + i);
      else observer.operation(batch, i, first + i);
    }
  }

  /** The trace has ended. */
  end(): void {
    this.observer.end();
  }

  private handOn(): void {
    this.observer.emitted(this.emitted);
    this.emitted.clear();
  }
}
