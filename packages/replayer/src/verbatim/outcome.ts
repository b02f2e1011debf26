// The outcome of comparing one recorded observable with what the backend reported.

export const MATCH = 0;
export const DIFFERS = 1;
/** The source or the backend has only part of the observable, and that part agrees. */
export const PARTLY = 2;

/** The reason for counting something as unknown if the source or the backend does not report the interrupt lines. */
export const NO_LINES = 'interrupt lines not shown by the source';
/** The reason for counting something as unknown if a stimulus or an observable has the flag `undecided`. */
export const UNDECIDED = 'depends on state that the source does not show';
export const UNDECIDED_EFFECT = 'effects that depend on state that the source does not show';

/** The reason for an ITS whose commands or tables are not fully in the source. */
export const UNKNOWN_COMMAND = 'ITS commands that the source does not show';
export const UNDECIDED_COMMAND = 'ITS commands whose table entries the source does not show';
export const UNDECIDED_READ = 'reads that depend on table entries which the source does not show';
export const UNKNOWN_COLLECTION =
  'collections of INVALLs that the source does not show: inferred for the backend';
export const UNKNOWN_MSI = 'MSIs whose table entries the source does not show';

/** What a PE was signalled before a stimulus was complete, on a backend that shows only what has settled. */
export const ON_THE_WAY = 'what a PE is signalled before a stimulus is complete: not shown by the backend';
