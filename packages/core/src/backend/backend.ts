// The interface to everything that answers stimuli: the simulator, a process that speaks the adapter protocol, a real
// QEMU. This file has types only; comparing, and the backends themselves, are elsewhere.
//
// A backend is reset to a configuration, declares what it can do, and then takes stimuli in batches. For each stimulus,
// in order, it calls `answered` or `skipped` once, and then `shown` for each observable and event that the stimulus
// caused. These rules hold:
//
// - `run` may be called again before the promise of an earlier call has settled: batches are pipelined. Answers come
//   in the order of the calls, all answers of a batch before its promise is fulfilled. A caller keeps few batches in
//   flight, and does not touch a batch before its promise has settled.
// - Only stimuli of the kinds that the backend accepts are sent. The value of a read is sent as zero, and of the flags
//   only `secure` and `el3` are sent, so that the backend cannot know what was recorded.
// - Recorded observables of kinds that the backend does not show are counted as skipped and never diverge. The same
//   holds for the consequences of a stimulus that the backend skipped: up to the next stimulus, nothing is compared.
// - Order is compared within each of these streams, but not between them. For each PE: hppi, vhppi and maintenance. For
//   the whole GIC: its.command; table entries read and written (dte, cte, ite, vte); sgi.sent. `hppi`, `vhppi` and
//   `maintenance` are shown when they change; after a reset nothing is pending and all lines are low.
// - A shown record with the flag `valueUnknown` lacks a part: the interrupt lines of hppi and vhppi, and the outcome of
//   its.command. The `shown` bits of an its.command say which operands it contains.
// - If the implementation fails, `run` and any other pending call reject with a GicTraceError `backend`.
import type { GicConfig } from '../config.ts';
import type { RecordBatch, RecordName } from '../record/index.ts';

/** What a backend can do. It does not change between two resets. */
export interface Capabilities {
  /** The name of the implementation, for people. */
  readonly name: string;
  readonly version: string;
  /** Kinds of stimuli that it accepts. */
  readonly stimuli: readonly RecordName[];
  /** Kinds of observables of which it shows every occurrence. */
  readonly observables: readonly RecordName[];
  /** Kinds of events that it shows. They explain divergences and are not compared. */
  readonly events: readonly RecordName[];
  /** Whether it reports that an access was to a reserved location. */
  readonly reserved: boolean;
  /**
   * Whether it shows signals (`hppi`, `vhppi`, `maintenance`) as they are once the stimulus is complete, and not each
   * change on the way, such as between the two steps of an EOI.
   */
  readonly settled?: boolean;
  /** How many states it can keep at a time (`snapshot`, `restore`); 0 if none. */
  readonly snapshots: number;
}

/** Receives the answers of a backend. Calls are synchronous; batches may be reused once a call returns. */
export interface Answers {
  /**
   * The next stimulus was done. `low` and `high` are what a read returned, and zero otherwise. `reserved` says that the
   * access was to a reserved location.
   */
  answered(low: number, high: number, reserved: boolean): void;
  /** The next stimulus was not done. Skipped stimuli are counted by `reason`. */
  skipped(reason: string): void;
  /** The stimulus answered last caused record `i` of `batch`, an observable or event. The record gets the stimulus's time. */
  shown(batch: RecordBatch, i: number): void;
}

export interface Backend {
  /**
   * Makes a GIC of this configuration, as after power-on. Must not be called while a batch is in flight. `compared`: the
   * kinds of observables that will be compared, if only some of them are; the backend need not show the others.
   */
  reset(config: GicConfig, compared?: readonly RecordName[]): Promise<Capabilities>;
  /** Runs a batch of stimuli, which may be empty. */
  run(stimuli: RecordBatch, answers: Answers): Promise<void>;
  /** Keeps the state under a number below `snapshots`. Must not be called while a batch is in flight. */
  snapshot(slot: number): Promise<void>;
  /** Returns to a state that was kept since the last reset. Must not be called while a batch is in flight. */
  restore(slot: number): Promise<void>;
  /** Ends the backend. May be called at any time and repeatedly. */
  close(): Promise<void>;
}

/** The reason for skipping a stimulus that was not sent. */
export const notTaken = (kind: RecordName): string => `${kind}: not taken by the backend`;
/** The reason for not comparing a recorded observable. */
export const notShown = (kind: RecordName): string => `${kind}: not shown by the backend`;
/** The reason for not comparing what a skipped stimulus caused. */
export const CONSEQUENCE = 'consequence of a skipped stimulus';
/** The reason for not comparing whether an access was to a reserved location. */
export const RESERVED_NOT_SHOWN = 'whether a location is reserved: not shown by the backend';
