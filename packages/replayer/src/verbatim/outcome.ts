// The outcome of holding one recorded observable against what the backend showed.

export const MATCH = 0;
export const DIFFERS = 1;
/** The source, or the backend, shows less than a whole observable; what is shown agrees. */
export const PARTLY = 2;

/** Why something is counted as unknown where the source, or the backend, does not show the interrupt lines. */
export const NO_LINES = 'interrupt lines not shown by the source';
/** Why something is counted as unknown where a stimulus, or an observable, has the flag `undecided`. */
export const UNDECIDED = 'depends on state that the source does not show';
export const UNDECIDED_EFFECT = 'effects that depend on state that the source does not show';

/** What is counted of an ITS whose commands, or tables, the source does not show in full. */
export const UNKNOWN_COMMAND = 'ITS commands that the source does not show';
export const UNDECIDED_COMMAND = 'ITS commands whose table entries the source does not show';
export const UNKNOWN_MSI = 'MSIs whose table entries the source does not show';
