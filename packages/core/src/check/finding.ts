// A finding of a check, and the moment of the trace to which it points.
import type { CheckName } from './rules.ts';

/** A moment of a trace. It is completed when the source's own record of it comes, which is after the stimulus. */
export interface Moment {
  record: number;
  /** 1-based line of the source; 0 if there is none. */
  line: number;
  /** NaN if the source does not contain the time. */
  timeNs: number;
}

export interface Related extends Moment {
  readonly text: string;
}

export interface Finding {
  readonly rule: CheckName;
  readonly at: Moment;
  /** PE concerned, or -1. */
  readonly pe: number;
  readonly text: string;
  /** The interrupt that was lost: an INTID, or a vINTID if it is virtual. Absent if none was, or if there may be several. */
  readonly lost?: { readonly intid: number; readonly isVirtual: boolean };
  readonly related: readonly Related[];
  /** How long the condition lasted, in nanoseconds; null if it did not end, or if the source contains no times. */
  readonly lastedNs: number | null;
}

/** Called for each finding. */
export type Report = (finding: Finding) => void;
