// The one interface to whatever answers stimuli: the simulator, a process that speaks the adapter protocol, a real
// QEMU. Types only; who compares, and how a backend does its work, is elsewhere.
//
// A backend is reset to a configuration, says what it can do, and then takes stimuli in batches. For each stimulus,
// in order, it calls `answered` or `skipped` once, and then `shown` for each observable and event that the stimulus
// caused. Rules:
//
// - `run` may be called again before the promise of an earlier call has settled: batches are pipelined. Answers come
//   in the order of the calls, all answers of a batch before its promise is fulfilled. A caller keeps few batches in
//   flight, and does not touch a batch before its promise has settled.
// - Only stimuli of the kinds that the backend takes are sent. A read is sent with a value of zero, and of the flags
//   `secure` and `el3` only: what was recorded is not told.
// - Observables that are not among those shown are never held against it; they are counted as skipped. The same for
//   the consequences of a stimulus that it skipped: up to the next stimulus nothing is compared.
// - Within one of the streams below order counts; between them it does not. Per PE: hppi; vhppi; maintenance. In all:
//   its.command; table entries read and written (dte, cte, ite, vte); sgi.sent. `hppi`, `vhppi` and `maintenance` are
//   shown when they change, from «nothing pending, all lines low» after a reset.
// - A shown record with the flag `valueUnknown` tells less: of hppi and vhppi all but the interrupt lines; of
//   its.command all but the outcome. The `shown` bits of an its.command say which operands are told.
// - When the implementation fails, `run` (and whatever else is under way) rejects with a GicTraceError `backend`.
import type { GicConfig } from '../config.ts';
import type { RecordBatch, RecordName } from '../record/index.ts';

/** What a backend can do. Fixed from one reset to the next. */
export interface Capabilities {
  /** What it is and of which version, for people. */
  readonly name: string;
  readonly version: string;
  /** Kinds of stimuli that it takes. */
  readonly stimuli: readonly RecordName[];
  /** Kinds of observables that it shows, each whenever it occurs. */
  readonly observables: readonly RecordName[];
  /** Kinds of events that it shows: they explain, and are not compared. */
  readonly events: readonly RecordName[];
  /** Whether it tells that an access reached a reserved location. */
  readonly reserved: boolean;
  /** How many states it can keep at a time (`snapshot`, `restore`): 0 where it can keep none. */
  readonly snapshots: number;
}

/** Takes what a backend answers. Calls are synchronous; batches may be reused once a call returns. */
export interface Answers {
  /** The next stimulus was done. `low`, `high`: what a read returned, zero otherwise. `reserved`: a reserved location. */
  answered(low: number, high: number, reserved: boolean): void;
  /** The next stimulus was not done. `reason` is a name to count by, the same for the same reason. */
  skipped(reason: string): void;
  /** Record `i` of `batch`, an observable or an event, is what the stimulus answered last did. It gets that one's time. */
  shown(batch: RecordBatch, i: number): void;
}

export interface Backend {
  /** Makes a GIC of this configuration, as after power-on. Not while a batch is in flight. */
  reset(config: GicConfig): Promise<Capabilities>;
  /** Takes a batch of stimuli, which may be empty. */
  run(stimuli: RecordBatch, answers: Answers): Promise<void>;
  /** Keeps the state under a number below `snapshots`. Not while a batch is in flight. */
  snapshot(slot: number): Promise<void>;
  /** Goes back to a state that was kept since the last reset. Not while a batch is in flight. */
  restore(slot: number): Promise<void>;
  /** Ends it. Safe to call at any time, and again. */
  close(): Promise<void>;
}

/** Why a stimulus was skipped that was never sent. */
export const notTaken = (kind: RecordName): string => `${kind}: not taken by the backend`;
/** Why a recorded observable was not compared. */
export const notShown = (kind: RecordName): string => `${kind}: not shown by the backend`;
/** Why what a skipped stimulus caused was not compared. */
export const CONSEQUENCE = 'consequence of a skipped stimulus';
/** Why an access was not compared with where the recorded one got to. */
export const RESERVED_NOT_SHOWN = 'whether a location is reserved: not shown by the backend';
