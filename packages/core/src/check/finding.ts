// What a check reports, and the moment of a trace that it points at.
import type { CheckName } from './rules.ts';

/** A moment of a trace. Filled in when the source's own record of it comes, which is after the stimulus. */
export interface Moment {
  record: number;
  /** 1-based line of the source; 0 where there is none. */
  line: number;
  /** NaN where the source does not tell. */
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
  readonly related: readonly Related[];
  /** Nanoseconds that what is wrong lasted; null where it did not end, or is not told. */
  readonly lastedNs: number | null;
}

/** Takes a finding. */
export type Report = (finding: Finding) => void;
