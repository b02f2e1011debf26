// The options of a replay: where re-recorded records go, and which differences the user tolerates.
import type { Machine } from '@gictrace/core/model';
import type { RecordBatch, RecordName } from '@gictrace/core/record';

/** Receives the replayed records of a re-recorded trace: stimuli with the new responses, observables and events. */
export interface ReplayOutput {
  record(batch: RecordBatch, i: number): void;
}

/** Differences that the user may tolerate, with the reason. */
export const TOLERANCES = {
  'eoi-order':
    'an EOI that names another interrupt than the one acknowledged last: the guest breaks the rule of IHI 0069, "ICC_EOIR1_EL1", and the recording is right',
  identification:
    'a read that differs only in bits by which software finds out which GIC it has, such as those of GICD_IIDR and GITS_TYPER',
} as const;
export type Tolerance = keyof typeof TOLERANCES;

export interface ReplayOptions {
  readonly output?: ReplayOutput;
  /** Differences to tolerate; each is counted in the verdict. */
  readonly allow?: readonly Tolerance[];
  /**
   * Observables that the source of the recording contains; all if absent. Others that a backend reports are not
   * divergences.
   */
  readonly sourceShows?: readonly RecordName[];
  /** Whether the source records that an access reached a reserved location; true if absent. */
  readonly sourceTellsReserved?: boolean;
  /** Whether the source begins while the GIC is in use. If absent, it begins with the reset of the GIC. */
  readonly startsInMidLife?: boolean;
  /** Kinds of stimuli that are missing from the source. */
  readonly missing?: readonly string[];
  /** Called with the simulator's machine before the replay, to plant a fault. */
  readonly machine?: (machine: Machine) => void;
  /** Stop at the first divergence. */
  readonly stopAtFirst?: boolean;
}
