// What a run needs of the hardware below a driver, whichever GIC it has. The testbeds implement it.
import type { GicConfig } from '../../config.ts';
import type { Gicv5Config } from '../../config-gicv5.ts';
import type { RecordBatch } from '../../record/index.ts';
import type { Bus, Message } from '../bus.ts';
import type { MigratedPart } from '../operation.ts';
import type { CarriedState } from './migration.ts';
import type { Work } from './work.ts';

export interface Testbed {
  readonly bus: Bus;
  /** What it has done, which is limited. */
  readonly work: Work;
  readonly config: GicConfig | Gicv5Config;
  /** Called with each stimulus, as a batch of one record that is used again for the next. */
  onStimulus: ((batch: RecordBatch) => void) | undefined;
  /** Calls `emitted` for all observables and events of the machine, in order, each after its stimulus. */
  observe(emitted: (batch: RecordBatch, i: number) => void): void;
  /** A device writes a message. Returns whether there was anything at the address. */
  deviceWrites(deviceId: number, message: Message, block?: number): boolean;
  /** The mask register of a device is written. */
  deviceWritten(): void;
  /** Does what firmware does. */
  firmware(): void;
  /** The machine is reset. Guest memory keeps its contents. */
  reset(): void;
  /** A PE masks all interrupts by its priority mask, or unmasks them; whether it is signalled one. */
  maskAll(pe: number, masked: boolean): void;
  isSignalled(pe: number): boolean;
  /** Makes a PE ready to take interrupts, or to run a guest. */
  ready(pe: number): void;
  hosts(pe: number): void;
  /** Firmware takes a PE offline. */
  sleep(pe: number): void;
  /** A PE acknowledges an interrupt and ends it at once. Returns the INTID; undefined if it is signalled none. */
  acknowledge(pe: number): number | undefined;
  /** A guest on a PE acknowledges a virtual interrupt and ends it at once. Returns the vINTID. */
  acknowledgeVirtual(pe: number): number | undefined;
  /** Saves and restores the machine without a part of it; undefined if the model cannot. Returns the size of each part. */
  migrate(without: MigratedPart): readonly CarriedState[] | undefined;
  /** PEs on which an interrupt for which `isMeant` holds is pending. An SPI counts on the PE to which it is routed. */
  pendingOn(isMeant: (intid: number) => boolean): number[];
  /** Whether a virtual pending table in memory says that a vLPI is pending. */
  isPendingInTable(table: number, vintid: number): boolean;
}
