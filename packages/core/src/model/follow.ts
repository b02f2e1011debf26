// Follows a trace with the simulator beside it. This is the only loop that runs recorded stimuli through a model and
// collects what the simulator emits. It calls an observer at each point, and the observer draws the conclusions.
// Importers do not use it; they step the simulator themselves, because they make the trace, and the simulator's answer to
// a stimulus decides which records come before that stimulus.
//
// For a recorded stimulus, these methods are called in order:
//
//   stimulus(batch, i, record)   The stimulus has not run yet; the machine is in the state before it.
//   answered(batch, i, record)   The stimulus has run. The response is in the machine's low, high, reserved and
//                                unsupported.
//   emitted(records)             What the simulator emitted, in order. There is no call if it emitted nothing, and one
//                                call with all records if there are at most EMITTED_MAX. If there are more, the first
//                                calls come while the stimulus is still running, before answered.
//   settled(batch, i, record)    Everything that the simulator emitted has been passed on.
//
// For any other record there is a single call, to operation, observable or event; for context there is none. The source's
// own records of what a stimulus did follow the stimulus in the trace, so an observer sees what the simulator did first,
// and then what the source says about it.
import { atPlace } from '../errors.ts';
import { isEvent, isObservable, isOperation, isStimulus, RecordBatch } from '../record/index.ts';
import type { EventSink, Machine } from './machine.ts';
import { step } from './step.ts';

/** Most records that are passed in one call of `emitted`. */
const EMITTED_MAX = 4096;

/**
 * The base class of observers; each method does nothing unless a subclass overrides it. `batch` belongs to the reader and
 * is valid only during the call; its record `i` is record `record` of the trace. This is a class so that each call in the
 * loop has one target that V8 can inline: with bound methods, or with checks whether a method exists, verbatim replay took
 * 7 to 10 % longer.
 */
export class FollowObserver {
  /** A recorded stimulus is about to run. */
  stimulus(_batch: RecordBatch, _i: number, _record: number): void {}
  /** The stimulus has run, and its response is available. What it caused follows. */
  answered(_batch: RecordBatch, _i: number, _record: number): void {}
  /** What the simulator emitted: all records of the batch, which is cleared after the call. */
  emitted(_records: RecordBatch): void {}
  /** The stimulus has run, and everything that it caused has been passed on. */
  settled(_batch: RecordBatch, _i: number, _record: number): void {}
  /** A recorded operation. */
  operation(_batch: RecordBatch, _i: number, _record: number): void {}
  /** A recorded observable: what the source says about the stimulus before it. */
  observable(_batch: RecordBatch, _i: number, _record: number): void {}
  /** A recorded event. */
  event(_batch: RecordBatch, _i: number, _record: number): void {}
  /** The trace has ended. */
  end(): void {}
}

/** What a model is to the loop: it passes on what it emits. */
interface Followed {
  sink: EventSink | undefined;
}

/**
 * Runs the stimuli of a trace on a machine and calls an observer. If the observer overrides `emitted`, uses the machine's sink.
 * A subclass says what one stimulus does (`run`), for the model of GICv3 or for that of GICv5.
 */
export abstract class FollowLoop<M extends Followed> {
  readonly machine: M;
  private readonly observer: FollowObserver;
  /** What the simulator has emitted and has not been passed to the observer yet. */
  private readonly emitted: RecordBatch;

  constructor(machine: M, observer: FollowObserver) {
    this.machine = machine;
    this.observer = observer;
    const isHeard = observer.emitted !== FollowObserver.prototype.emitted;
    this.emitted = new RecordBatch(isHeard ? EMITTED_MAX : 0);
    if (isHeard) machine.sink = { batch: this.emitted, events: true, full: () => this.handOn() };
  }

  /** Runs the stimulus `batch[i]` on the machine. */
  protected abstract run(batch: RecordBatch, i: number): void;

  /**
   * Takes records `from` to `to` - 1 of a batch, by default all of them. `first` is the number of its record 0.
   * @throws GicTraceError `limit`, with the record, if the model gives up at a limit (`WorkBudget`).
   */
  take(batch: RecordBatch, first: number, from = 0, to = batch.count): void {
    const { observer, emitted } = this;
    const { kind } = batch;
    let i = from;
    try {
      for (; i < to; i++) {
        const k = kind[i]!;
        if (isStimulus(k)) {
          observer.stimulus(batch, i, first + i);
          this.run(batch, i);
          observer.answered(batch, i, first + i);
          if (emitted.count > 0) this.handOn();
          observer.settled(batch, i, first + i);
        } else if (isEvent(k)) observer.event(batch, i, first + i);
        else if (isObservable(k)) observer.observable(batch, i, first + i);
        else if (isOperation(k)) observer.operation(batch, i, first + i);
      }
    } catch (error) {
      throw atPlace(error, { ...(batch.source && { path: batch.source }), record: first + i });
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

/** Follows a trace of a GICv3 or GICv4. */
export class Follow extends FollowLoop<Machine> {
  protected override run(batch: RecordBatch, i: number): void {
    step(this.machine, batch, i);
  }
}
