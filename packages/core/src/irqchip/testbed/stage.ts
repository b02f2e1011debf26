// The state that the parts of a run share: the machine with its bus, the driver, the PEs that are online, and the observer.
import type { Bus } from '../bus.ts';
import type { Design, Driver } from '../driver.ts';
import type { Vector } from '../operation.ts';
import { Guests } from './guests.ts';
import { type Fault, noDeliveries, type RunObserver } from './outcome.ts';
import type { Testbed } from './testbed.ts';

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
  /** The number of the current operation, including fires; -1 before the first. */
  n = -1;
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

  isBusy(pe: number): boolean {
    return (this.busyUntil.get(pe) ?? -1) > this.n;
  }

  fault(name: Fault, pe: number, intid: number, vector: Vector | undefined): void {
    this.deliveries[name]++;
    this.observer.fault?.(this.n, name, pe, intid, vector);
  }
}
