// The observer that a follower of traces calls. Types only.
import type { Finding } from '@gictrace/core/check';
import type { RecordBatch } from '@gictrace/core/record';
import type { CommandRow } from './commands.ts';
import type { InterruptRow, LifetimeListener } from './lifetimes.ts';
import type { MappingRow } from './mappings.ts';
import type { MsiRow } from './msis.ts';
import type { SpuriousRow } from './spurious.ts';
import type { VirtualInterruptRow, VirtualListener } from './virtual-lifetimes.ts';
import type { WaitRow } from './waits.ts';

export interface Residency {
  readonly pe: number;
  readonly resident: boolean;
  /** Address of the virtual pending table. */
  readonly table: number;
  /** Null if software does not write it to the Redistributor (GICv4.0). */
  readonly vpeid: number | null;
}

/** The methods that are called while a trace is followed, each when it happens. What an observer leaves out is not computed. */
export interface TimelineObserver {
  /** A recorded stimulus, operation or observable. */
  record?(batch: RecordBatch, i: number, record: number): void;
  /**
   * An event: of the trace if it contains events, otherwise of the simulator. `stimulus` is the record that caused it, and
   * `sequence` its place among the events of that stimulus, from 0.
   */
  event?(batch: RecordBatch, i: number, stimulus: number, sequence: number, timeNs: number): void;
  /** Called at the first event that the trace contains: the simulator's events before it are not wanted. */
  eventsRecorded?(): void;
  /** A step in the lifetime of an interrupt. */
  lifetime?: LifetimeListener;
  /** A lifetime that has ended, or has not ended at the end of the trace. */
  interrupt?(row: InterruptRow): void;
  /** A step in the lifetime of a virtual interrupt. */
  virtualLifetime?: VirtualListener;
  /** The lifetime of a virtual interrupt, as `interrupt`. */
  virtualInterrupt?(row: VirtualInterruptRow): void;
  /** An MSI. It is reported when the next stimulus comes. */
  msi?(row: MsiRow): void;
  /** An ITS command: record `i`, or none if the source does not contain the command. */
  command?(row: CommandRow, batch?: RecordBatch, i?: number): void;
  /** A mapping that has ended, or still exists at the end of the trace. */
  mapping?(row: MappingRow): void;
  /** An interval in which an interrupt waited. */
  wait?(row: WaitRow): void;
  /** An acknowledge that returned no interrupt. */
  spurious?(row: SpuriousRow): void;
  residency?(what: Residency): void;
  /** A finding. It is reported when all the moments to which it points are complete. */
  finding?(finding: Finding): void;
}
