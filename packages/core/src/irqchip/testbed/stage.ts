// The state that the parts of a run share: the machine with its bus, the driver, the PEs that are online, and the observer.
import type { Bus } from '../bus.ts';
import { type Design, type Driver, keyOf } from '../driver.ts';
import type { Vector } from '../operation.ts';
import { Guests } from './guests.ts';
import { type Failure, type Fault, noDeliveries, type RunObserver } from './outcome.ts';
import type { Testbed } from './shape.ts';

export class Stage {
  readonly design: Design;
  readonly testbed: Testbed;
  readonly observer: RunObserver;
  readonly deliveries = noDeliveries();
  readonly guests = new Guests();
  readonly online = new Set<number>();
  /** PEs that are busy, and the operation after which they take interrupts again. */
  readonly busyUntil = new Map<number, number>();
  /** null if it is not set up yet; undefined if setting it up failed. */
  driver: Driver | undefined | null = null;
  /** For PEs that have been busy: whether they mask all interrupts. */
  readonly masking = new Map<number, boolean>();
  /** The number of the current operation, including fires; -1 before the first. */
  n = -1;
  /** Messages that each vector has sent since its handler last ran. */
  readonly inFlight = new Map<number, number>();
  readonly failures = new Map<Failure['kind'], Failure>();
  /** The device that spoofed a message in this operation, or -1. */
  forger = -1;

  constructor(design: Design, testbed: Testbed, observer: RunObserver) {
    this.design = design;
    this.testbed = testbed;
    this.observer = observer;
  }

  get bus(): Bus {
    return this.testbed.bus;
  }

  /** The machine is reset. The driver is not set up any more. */
  reset(): void {
    this.testbed.reset();
    this.guests.reset();
    this.online.clear();
    this.busyUntil.clear();
    this.masking.clear();
    this.inFlight.clear();
    this.driver = null;
  }

  isBusy(pe: number): boolean {
    return (this.busyUntil.get(pe) ?? -1) > this.n;
  }

  /** Records that something went wrong at an operation, `more` times. */
  failed(kind: Failure['kind'], operation: number, what: string, more = 1): void {
    const before = this.failures.get(kind);
    const n = (before?.n ?? 0) + more;
    const isFirst = before === undefined || operation < before.operation;
    this.failures.set(kind, isFirst ? { kind, operation, n, what } : { ...before, n });
  }

  /** The handler of a vector ran, or the vector is gone: nothing of it is in flight any more. */
  settled({ device, vector }: Vector): void {
    this.inFlight.delete(keyOf(device, vector));
  }

  fault(name: Fault, pe: number, intid: number, vector: Vector | undefined): void {
    this.deliveries[name]++;
    this.failed(
      name,
      this.n,
      vector === undefined ? `INTID ${intid} on PE ${pe}` : `${textOf(vector)} on PE ${pe}`,
    );
    this.observer.fault?.(this.n, name, pe, intid, vector);
  }
}

/** A vector as messages name it. */
export const textOf = ({ device, vector }: Vector): string => `device ${device}, vector ${vector}`;
