// The interface of an irqchip driver, which implements one of the designs in the mailing-list discussions. A driver sees
// only the bus and the ledger.
import type { Hardware } from '../profile/index.ts';
import type { Bus, Message } from './bus.ts';
import type { Allocation, Operation, Vector } from './operation.ts';

/** Done; or the design does not support the operation; or it ran out of something; or an allocation was refused. */
export type Result =
  | 'done'
  | { readonly unsupported: string }
  | { readonly exhausted: string }
  | { readonly failed: string };

export const unsupported = (reason: string): Result => ({ unsupported: reason });
export const exhausted = (what: string): Result => ({ exhausted: what });
export const failed = (what: string): Result => ({ failed: what });

/** What a driver has allocated, by name, so that leaks are detected. It can be told to refuse an allocation. */
export class Ledger {
  readonly held = new Map<string, number>();
  /** What was allocated, minus what was freed, since {@link begin}. */
  readonly changed = new Map<string, number>();
  private refusals: { readonly what: Allocation; left: number }[] = [];

  /** Makes the `nth` allocation of this kind from now on fail. */
  fail(what: Allocation, nth: number): void {
    this.refusals.push({ what, left: nth });
  }

  /** Returns whether an allocation is granted. What it allocates is then counted under the name `held`. */
  allocate(what: Allocation, held: string, n = 1): boolean {
    let granted = true;
    for (const refusal of this.refusals)
      if ((refusal.what === 'any' || refusal.what === what) && --refusal.left === 0) granted = false;
    this.refusals = this.refusals.filter(({ left }) => left > 0);
    if (granted) this.take(held, n);
    return granted;
  }

  /** Starts counting changes again. */
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

/** A vLPI, with the table in guest memory that says whether it is pending. */
export interface Vlpi {
  /** Physical address. */
  readonly pendingTable: number;
  readonly vINTID: number;
}

export interface Driver {
  /** Runs an operation that concerns what the driver serves. */
  run(operation: Operation): Result;
  /** The message that a device was given for a vector; undefined if it has none. */
  message(of: Vector): Message | undefined;
  /** The vector that the driver's IRQ domain finds for an INTID that a PE acknowledged; undefined if there is none. */
  whose(intid: number): Vector | undefined;
  /** The vPE whose doorbell a PE has acknowledged; undefined if the INTID is not a doorbell. */
  doorbellOf?(intid: number): number | undefined;
  /** The vector whose vLPI a vPE has acknowledged; undefined if there is none. */
  vlpiOf?(vpe: number, vintid: number): Vector | undefined;
  /** The place where a vector that is forwarded to a vPE is pending: the vPE's pending table, and the vINTID in it. */
  vlpi?(vpe: number, of: Vector): Vlpi | undefined;
  /** GICR_VPENDBASER.PendingLast when a vPE was last descheduled: whether it had pending vLPIs. */
  pendingLast?(vpe: number): boolean;
}

/** The GICv5 on which a design runs. */
export interface Gicv5Hardware {
  readonly architecture: 5;
  /** 0 or 1: whether it has ITSs. */
  readonly its: number;
  /** IRS_IDR0.SETLPI. */
  readonly setlpi: boolean;
  /** IRS_IDR5.SPI_RANGE. */
  readonly spis: number;
}

export interface Design {
  readonly name: string;
  readonly doc: string;
  /** What the design serves: vectors of devices, or vPEs as well. */
  readonly serves: 'devices' | 'vpes';
  readonly profile: string;
  readonly hardware: Hardware | Gicv5Hardware;
  readonly source: string;
  /** A host makes the messages and decides what a device may write. The design says nothing about that. */
  readonly hosted?: true;
  /**
   * Where a vector is masked: in the interrupt controller; in the device; or in both, as by Linux's PCI chips (its_mask_msi_irq,
   * mbi_mask_msi_irq, gicv2m_mask_msi_irq, hv_irq_mask) if the device is a PCI device with MSI-X.
   */
  readonly masks: 'controller' | 'device' | 'both';
  /** Sets the driver up. Returns undefined if an allocation is refused. */
  make(bus: Bus, ledger: Ledger): Driver | undefined;
}

/** A base class for drivers, in which operations that a design does not override are unsupported. */
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

/** The least power of two that is not below n. */
export function roundUpPowerOfTwo(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}
