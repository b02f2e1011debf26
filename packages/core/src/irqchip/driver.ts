// What an irqchip driver is: one design of the threads, behind one interface. It sees the bus and nothing else.
import type { Hardware } from '../profile/index.ts';
import type { Bus, Message } from './bus.ts';
import type { Allocation, Operation, Vector } from './operation.ts';

/** Done; or the design has no such thing; or it ran out of something; or an allocation was refused. */
export type Result =
  | 'done'
  | { readonly unsupported: string }
  | { readonly exhausted: string }
  | { readonly failed: string };

export const unsupported = (reason: string): Result => ({ unsupported: reason });
export const exhausted = (what: string): Result => ({ exhausted: what });
export const failed = (what: string): Result => ({ failed: what });

/** What a driver holds, by name: to see what is never given back. Refuses what it was told to refuse. */
export class Ledger {
  readonly held = new Map<string, number>();
  /** What was taken, less what was given back, since {@link begin}. */
  readonly changed = new Map<string, number>();
  private refusals: { readonly what: Allocation; left: number }[] = [];

  /** The `nth` allocation of this kind from now on is refused. */
  fail(what: Allocation, nth: number): void {
    this.refusals.push({ what, left: nth });
  }

  /** Whether an allocation is granted; what it takes is then held under its own name. */
  allocate(what: Allocation, held: string, n = 1): boolean {
    let granted = true;
    for (const refusal of this.refusals)
      if ((refusal.what === 'any' || refusal.what === what) && --refusal.left === 0) granted = false;
    this.refusals = this.refusals.filter(({ left }) => left > 0);
    if (granted) this.take(held, n);
    return granted;
  }

  /** From here on changes are counted anew. */
  begin(): void {
    if (this.changed.size > 0) this.changed.clear();
  }

  take(what: string, n = 1): void {
    this.held.set(what, (this.held.get(what) ?? 0) + n);
    this.changed.set(what, (this.changed.get(what) ?? 0) + n);
  }
  give(what: string, n = 1): void {
    this.take(what, -n);
  }
}

/** A vLPI, by the table in guest memory that says whether it is pending. */
export interface Vlpi {
  /** Physical address. */
  readonly pendingTable: number;
  readonly vINTID: number;
}

export interface Driver {
  /** Runs an operation that is one of the driver's. */
  run(operation: Operation): Result;
  /** The message that a device was given for a vector; undefined while it has none. */
  message(of: Vector): Message | undefined;
  /** Whose interrupt a PE has acknowledged, as the driver's domain finds it; undefined: nobody's. */
  whose(intid: number): Vector | undefined;
  /** The vPE whose doorbell a PE has acknowledged; undefined: none's. */
  doorbellOf?(intid: number): number | undefined;
  /** Whose vLPI a vPE has acknowledged; undefined: nobody's. */
  vlpiOf?(vpe: number, vintid: number): Vector | undefined;
  /** Where a vector that is forwarded to a vPE is pending: its vPE's virtual pending table, and its vINTID there. */
  vlpi?(vpe: number, of: Vector): Vlpi | undefined;
  /** Whether GICR_VPENDBASER said, when a vPE was last descheduled, that it had vLPIs pending. */
  pendingLast?(vpe: number): boolean;
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
  /** Where a vector is masked, if not in the interrupt controller alone: in the device, or in both. */
  readonly masks?: 'device' | 'both';
  /** Sets the driver up; undefined if that fails: an allocation was refused. */
  make(bus: Bus, ledger: Ledger): Driver | undefined;
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
