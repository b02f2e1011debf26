// The outcome of a run: what became of each message, which handlers ran without need, and what was allocated and not freed.
import type { GicConfig } from '../../config.ts';
import type { Gicv5Config } from '../../config-gicv5.ts';
import type { Gicv5Machine } from '../../gicv5/index.ts';
import type { Machine } from '../../model/index.ts';
import type { RecordBatch } from '../../record/index.ts';
import type { SentCommand } from '../command-queue.ts';
import type { Costs } from '../costs.ts';
import type { Design, Result } from '../driver.ts';
import type { MigratedPart, Operation, OperationName, Vector } from '../operation.ts';
import type { CarriedState } from './migration.ts';

/** The outcomes of messages. Each message has exactly one. */
export const OUTCOMES = {
  delivered: 'Its handler ran. One run of the handler delivers all messages that came before it.',
  cleared: 'Software cleared the pending state before the handler ran, or the machine was reset.',
  masked: 'It waits, on the PE that serves it or in its device, because its vector is masked.',
  waiting:
    'It waits for a busy PE, or for a vPE to become resident again; the hypervisor knows that the vPE has something to do.',
  stranded:
    'Its interrupt is pending where nobody takes it: on another PE than the one that serves the vector, or disabled although the vector is not masked, or for a blocked vPE that no doorbell will wake.',
  lost: 'It was not pending anywhere any more, and its handler had not run for it: a handler that runs later, for a later message, does not undo that.',
  unsent:
    'The device had no message to send, because its vector has none, or because the design cannot give it one.',
} as const;
export type Outcome = keyof typeof OUTCOMES;
export const OUTCOME_NAMES = Object.keys(OUTCOMES) as readonly Outcome[];

/** How often per step an interrupt is taken that comes back at once without a message. */
export const STORM = 16;

/** Faults: a handler ran without need or in the wrong place, or did not run. */
export const FAULTS = {
  spurious: `A handler ran without a message. A handler that is called again at once is counted up to ${STORM} times per step.`,
  duplicated: 'A handler ran twice for one message, because its interrupt was pending twice.',
  misrouted: 'A handler ran on another PE than its affinity says.',
  unmasked: 'A handler ran while its vector, or all interrupts of its PE, were masked.',
  unauthorised: 'A handler of a device ran because another device spoofed its message.',
  unwoken:
    'A blocked vPE became resident with a pending vLPI, but no doorbell had been taken for it; something else had woken it.',
} as const;
export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly Fault[];

/** Messages by outcome; their sum is `fired`. */
export type Deliveries = Record<Outcome | Fault, number> & {
  /** Messages that devices sent, and interrupts that software set pending. */
  fired: number;
  /** Messages that devices did not send, because as many as they may have in flight had not been handled. */
  withheld: number;
  /** Doorbells that PEs acknowledged. */
  doorbells: number;
  /** The most operations for which a delivered message waited. */
  steps_max: number;
};

export function noDeliveries(): Deliveries {
  const counts = [...OUTCOME_NAMES, ...FAULT_NAMES].map((name) => [name, 0]);
  return {
    ...(Object.fromEntries(counts) as Record<Outcome | Fault, number>),
    fired: 0,
    withheld: 0,
    doorbells: 0,
    steps_max: 0,
  };
}

/** What went wrong in a run, by kind. */
export interface Failure {
  readonly kind: Outcome | Fault | 'unsupported' | 'exhausted' | 'leaked' | 'withheld' | 'set up';
  /** The operation at which it happened first; for a message, the operation that sent it; -1 while the driver was set up. */
  readonly operation: number;
  /** How often it happened. */
  readonly n: number;
  /** What happened first: the vector, or the operation and the reason. */
  readonly what: string;
}

/** Where the interrupt of a vector was pending before and after the driver ran an operation. */
export interface PendingState {
  readonly before: boolean;
  /** After it: on the PE that serves the vector from then on, and on how many others. */
  readonly after: boolean;
  readonly elsewhere: number;
}

/** Called for everything that a run counts. Operations and messages are numbered from 0 within the run. */
export interface RunObserver {
  /** Called with each machine of the run before it is used, to plant a fault. */
  machine?(machine: Machine): void;
  /** The same, for a design on a GICv5. */
  gicv5Machine?(machine: Gicv5Machine): void;
  /** The driver has been set up: what was sent and accessed so far belongs to no operation. */
  setUp?(): void;
  /** Called with each stimulus of the run, as a batch of one record that is used again for the next. */
  stimulus?(batch: RecordBatch): void;
  /** Called with each observable and event, after its stimulus. */
  emitted?(batch: RecordBatch, i: number): void;
  command?(operation: number, command: SentCommand): void;
  /** `pending` is there for operations after which the pending state of one vector decides whether they did their work. */
  operation?(n: number, operation: Operation, result: Result, costs: Costs, pending?: PendingState): void;
  message?(one: {
    readonly message: number;
    readonly device: number;
    readonly vector: number;
    /** The operation that fired it, and the operation at which its outcome was known. */
    readonly fired: number;
    readonly settled: number;
    readonly outcome: Outcome;
  }): void;
  fault?(operation: number, fault: Fault, pe: number, intid: number, vector: Vector | undefined): void;
  /** An operation failed, and this much of what it had allocated was not freed. */
  leaked?(operation: number, what: string, n: number): void;
  /** The size of the state that a migration had to carry. */
  carried?(operation: number, without: MigratedPart, state: CarriedState): void;
}

export interface Run {
  readonly design: Design;
  /** The machine on which it ran. */
  readonly config: GicConfig | Gicv5Config;
  /** Operations that the driver ran, by name. */
  readonly operations: ReadonlyMap<OperationName, number>;
  readonly costs: Costs;
  readonly costsBy: ReadonlyMap<OperationName, Costs>;
  /** What setting the driver up cost. */
  readonly probe: Costs;
  readonly deliveries: Deliveries;
  /** In the order in which each kind happened first. */
  readonly failures: readonly Failure[];
  /** Operations that the design does not support, by operation and reason. */
  readonly unsupported: ReadonlyMap<string, number>;
  readonly exhausted: ReadonlyMap<string, number>;
  /** Operations that failed because an allocation was refused. */
  readonly failed: ReadonlyMap<string, number>;
  /** What failed operations had allocated and did not free. */
  readonly leaked: ReadonlyMap<string, number>;
  /** What is still allocated at the end. */
  readonly held: ReadonlyMap<string, number>;
}
