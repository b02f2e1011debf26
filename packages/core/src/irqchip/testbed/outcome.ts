// What a run tells: what became of each message, which handlers ran for nothing, what was taken and not given back.
import type { GicConfig } from '../../config.ts';
import type { Machine } from '../../model/index.ts';
import type { RecordBatch } from '../../record/index.ts';
import type { SentCommand } from '../command-queue.ts';
import type { Costs } from '../costs.ts';
import type { Design, Result } from '../driver.ts';
import type { MigratedPart, Operation, OperationName, Vector } from '../operation.ts';
import type { CarriedState } from './migration.ts';

/** What became of a message. Each message has exactly one of these. */
export const FATES = {
  delivered: 'Its handler ran. Several messages that come before it runs are all delivered by it.',
  cleared: 'Software cleared the pending state before the handler ran.',
  masked: 'It waits, on the PE that serves it or in its device, because its vector is masked.',
  waiting:
    'It waits for a PE that is busy; or for a vPE to be resident again, of which the hypervisor knows that it has something to do.',
  stranded:
    'Its interrupt is pending where nobody takes it: on another PE than the vector is served by, or disabled though the vector is not masked, or for a blocked vPE that no doorbell will wake.',
  lost: 'Nothing is left of it.',
  unsent: 'The device had no message to send: its vector has none, or the design cannot give it one.',
} as const;
export type Fate = keyof typeof FATES;
export const FATE_NAMES = Object.keys(FATES) as readonly Fate[];

/** How often an interrupt that comes back at once, without a message, is taken in one step. */
export const STORM = 16;

/** A handler that ran although there was nothing to handle, or where it should not; or one that did not run. */
export const FAULTS = {
  spurious: `Handlers that ran without a message; one that is called again at once, ${STORM} times a step.`,
  duplicated: 'Second runs of a handler for one message: its interrupt was pending twice.',
  misrouted: 'Handlers that ran on another PE than the affinity says.',
  unmasked: 'Handlers that ran while their vector was masked.',
  unauthorised: 'Handlers of a device that another device had run.',
  unwoken:
    'Blocked vPEs that became resident with a vLPI pending, and for which no doorbell had been taken: something else had woken them.',
} as const;
export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly Fault[];

/** Messages by fate; their sum is `fired`. */
export type Deliveries = Record<Fate | Fault, number> & {
  /** Messages that devices sent, and interrupts that software set pending. */
  fired: number;
  /** Doorbells that PEs took. */
  doorbells: number;
  /** The most operations that a message that was delivered waited for. */
  steps_max: number;
};

export function noDeliveries(): Deliveries {
  const counts = [...FATE_NAMES, ...FAULT_NAMES].map((name) => [name, 0]);
  return {
    ...(Object.fromEntries(counts) as Record<Fate | Fault, number>),
    fired: 0,
    doorbells: 0,
    steps_max: 0,
  };
}

/** Told of each thing that a run counts; operations and messages are numbered from 0 within the run. */
export interface RunObserver {
  /** Given each machine of the run before anything is done with it: to plant a fault. */
  machine?(machine: Machine): void;
  /** Given each stimulus of the run, one record: it is used anew for the next. */
  stimulus?(batch: RecordBatch): void;
  /** Given each observable and event, after its stimulus. */
  emitted?(batch: RecordBatch, i: number): void;
  command?(operation: number, command: SentCommand): void;
  operation?(n: number, operation: Operation, result: Result, costs: Costs): void;
  message?(fate: {
    readonly message: number;
    readonly device: number;
    readonly vector: number;
    /** The operation that fired it, and the one at which its fate was known. */
    readonly fired: number;
    readonly settled: number;
    readonly fate: Fate;
  }): void;
  fault?(operation: number, fault: Fault, pe: number, intid: number, vector: Vector | undefined): void;
  /** An operation failed and this much of what it took was not given back. */
  leaked?(operation: number, what: string, n: number): void;
  /** A migration had this to carry. */
  carried?(operation: number, without: MigratedPart, state: CarriedState): void;
}

export interface Run {
  readonly design: Design;
  /** The machine that it ran on. */
  readonly config: GicConfig;
  /** Operations that the driver was given, by name. */
  readonly operations: ReadonlyMap<OperationName, number>;
  readonly costs: Costs;
  readonly costsBy: ReadonlyMap<OperationName, Costs>;
  /** What setting the driver up cost. */
  readonly probe: Costs;
  readonly deliveries: Deliveries;
  /** Operations that the design has not, by operation and reason. */
  readonly unsupported: ReadonlyMap<string, number>;
  readonly exhausted: ReadonlyMap<string, number>;
  /** Operations that failed because an allocation was refused. */
  readonly failed: ReadonlyMap<string, number>;
  /** What operations that failed took and did not give back. */
  readonly leaked: ReadonlyMap<string, number>;
  /** What the driver still holds at the end. */
  readonly held: ReadonlyMap<string, number>;
}
