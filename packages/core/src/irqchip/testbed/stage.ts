// What the parts of a run have in common: the machine with its bus, the driver, which PEs are there, and who is told.
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
  /** PEs that take nothing until after an operation. */
  readonly busyUntil = new Map<number, number>();
  /** null: not set up yet; undefined: that failed. */
  driver: Driver | undefined | null = null;
  /** The operation at work, fires included; -1 before the first. */
  n = -1;
  /** The device that forged a message in this operation, or -1. */
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
