// Where the pass over a trace is: the record being seen and the stimulus that it follows from. Every derivation
// of a load reads it; only the loader writes it.

/** Time that a source does not tell. */
export const NO_TIME = Number.NaN;

export class Moment {
  /** Number of the record being seen. */
  record = 0;
  /** Its time in ns since the trace's start; NaN where unknown. */
  timeNs = NO_TIME;
  /** Number of the latest stimulus; -1 before the first. */
  stimulus = -1;
  /** Time of the latest stimulus. */
  stimulusNs = NO_TIME;
}

/** As SQL has it: whole nanoseconds, or NULL. */
export function sqlTime(timeNs: number): number | null {
  return Number.isNaN(timeNs) ? null : Math.round(timeNs);
}
