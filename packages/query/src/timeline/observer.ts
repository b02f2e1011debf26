// What a follower of traces calls. Types only.
import type { Finding } from '@gictrace/core/check';
import type { RecordBatch } from '@gictrace/core/record';
import type { CommandRow } from './commands.ts';
import type { InterruptRow, LifetimeListener } from './lifetimes.ts';
import type { MappingRow } from './mappings.ts';
import type { MsiRow } from './msis.ts';
import type { SpuriousRow } from './spurious.ts';
import type { VirtualInterruptRow } from './virtual-lifetimes.ts';
import type { WaitRow } from './waits.ts';

export interface Residency {
  readonly pe: number;
  readonly resident: boolean;
  /** Address of the virtual pending table. */
  readonly table: number;
  /** null: software does not write it to the Redistributor (GICv4.0). */
  readonly vpeid: number | null;
}

/** What is called while a trace is followed, each when it happens; what an observer leaves out is not looked for. */
export interface TimelineObserver {
  /** A recorded stimulus, operation or observable. */
  record?(batch: RecordBatch, i: number, record: number): void;
  /**
   * An event: of the trace where it records events, else of the simulator. `stimulus`: what caused it; `sequence`: its
   * place among the events of that stimulus, from 0.
   */
  event?(batch: RecordBatch, i: number, stimulus: number, sequence: number, timeNs: number): void;
  /** The first event that the trace records: those of the simulator before it are not wanted. */
  eventsRecorded?(): void;
  /** A step in the lifetime of an interrupt. */
  lifetime?: LifetimeListener;
  /** A lifetime that ended, or goes on at the end of the trace. */
  interrupt?(row: InterruptRow): void;
  /** The same of a virtual interrupt. */
  virtualInterrupt?(row: VirtualInterruptRow): void;
  /** An MSI. Comes when the next stimulus does. */
  msi?(row: MsiRow): void;
  /** An ITS command: record `i`, or none where the source does not show what was executed. */
  command?(row: CommandRow, batch?: RecordBatch, i?: number): void;
  /** A mapping that ended, or holds at the end of the trace. */
  mapping?(row: MappingRow): void;
  /** An interval in which an interrupt waited. */
  wait?(row: WaitRow): void;
  /** An acknowledge that returned no interrupt. */
  spurious?(row: SpuriousRow): void;
  residency?(what: Residency): void;
  /** A finding. Comes when the source has shown all the moments that it points at. */
  finding?(finding: Finding): void;
}
