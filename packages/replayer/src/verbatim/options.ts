// What a replay is asked for: where re-recorded records go, and which differences a person lets pass.
import type { Machine } from '@gictrace/core/model';
import type { RecordBatch, RecordName } from '@gictrace/core/record';

/** Where replayed records go, for a re-recorded trace: stimuli with the new responses, observables and events. */
export interface ReplayOutput {
  record(batch: RecordBatch, i: number): void;
}

/** Differences that a person may let pass, with the reason. */
export const TOLERANCES = {
  'eoi-order':
    'an EOI that names another interrupt than the one acknowledged last: the guest breaks the rule of IHI 0069, "ICC_EOIR1_EL1", and the recording is right',
} as const;
export type Tolerance = keyof typeof TOLERANCES;

export interface ReplayOptions {
  readonly output?: ReplayOutput;
  /** Differences to let pass; each is counted in the verdict. */
  readonly allow?: readonly Tolerance[];
  /** Observables that the source of the recording shows; all when absent. What a backend shows of others is not held against it. */
  readonly sourceShows?: readonly RecordName[];
  /** Whether the source tells that an access reached a reserved location; it does when absent. */
  readonly sourceTellsReserved?: boolean;
  /** Whether the source begins while the GIC is in use; with the reset of the GIC when absent. */
  readonly startsInMidLife?: boolean;
  /** Sorts of stimuli that the source lacks. */
  readonly missing?: readonly string[];
  /** Given the simulator's machine first: to plant a fault. */
  readonly machine?: (machine: Machine) => void;
  /** Stop at the first divergence. */
  readonly stopAtFirst?: boolean;
}
