// What an irqchip driver is: one design of the threads, behind one interface. It sees the bus and nothing else.
import type { Hardware } from '../profile/index.ts';
import type { Bus, Message } from './bus.ts';
import type { Operation, Vector } from './operation.ts';

/** Done; or the design has no such thing; or it ran out of something. */
export type Result = 'done' | { readonly unsupported: string } | { readonly exhausted: string };

export const unsupported = (reason: string): Result => ({ unsupported: reason });
export const exhausted = (what: string): Result => ({ exhausted: what });

/** What a driver holds, by name: to see what is never given back. */
export class Ledger {
  readonly held = new Map<string, number>();
  take(what: string, n = 1): void {
    this.held.set(what, (this.held.get(what) ?? 0) + n);
  }
  give(what: string, n = 1): void {
    this.held.set(what, (this.held.get(what) ?? 0) - n);
  }
}

export interface Driver {
  /** Runs an operation that is one of the driver's. */
  run(operation: Operation): Result;
  /** The message that a device was given for a vector; undefined while it has none. */
  message(of: Vector): Message | undefined;
  /** Whose interrupt a PE has acknowledged, as the driver's domain finds it; undefined: nobody's. */
  whose(intid: number): Vector | undefined;
}

export interface Design {
  readonly name: string;
  readonly doc: string;
  /** Vectors of devices, or doorbells of vPEs. */
  readonly serves: 'devices' | 'vpes';
  readonly profile: string;
  readonly hardware: Hardware;
  readonly source: string;
  /** A host makes the messages and decides what a device may write: nothing is said of it here. */
  readonly hosted?: true;
  make(bus: Bus, ledger: Ledger): Driver;
}

/** A base for drivers: an operation that a design does not declare is unsupported. */
export abstract class DriverBase implements Driver {
  protected readonly bus: Bus;
  protected readonly ledger: Ledger;
  constructor(bus: Bus, ledger: Ledger) {
    this.bus = bus;
    this.ledger = ledger;
  }
  abstract run(operation: Operation): Result;
  abstract message(of: Vector): Message | undefined;
  abstract whose(intid: number): Vector | undefined;
}

export const keyOf = (device: number, vector: number): number => device * 65_536 + vector;

/** Least power of two that is not below n. */
export function roundUpPowerOfTwo(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}
