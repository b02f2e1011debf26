// What is known about a source before it is read, and where in it the learner is.
import type { Missing, Start } from './unknowns.ts';

/** What is known about a source before it is read. */
export interface SourceFacts {
  readonly start: Start;
  readonly missing: ReadonlySet<Missing>;
  /**
   * Whether the source has lines for a kind of observable. Called only where the answer makes a difference, which may
   * be late.
   */
  shows(kind: number): boolean;
  /** The source has lines about the level of an input even if it has not changed. */
  readonly repeatsLevels?: boolean;
  /**
   * Everything in the source is as it was. Nothing is learnt until an ITS executes a command that is not in the source.
   */
  readonly isExact?: boolean;
  /**
   * The source has a line for each command that an ITS executes, so a command without a line is a contradiction and
   * does not explain another one. For callers that only want to know what contradicts the model.
   */
  readonly listsCommands?: boolean;
}

/** Where in a source the current stimulus is. */
export interface Place {
  /** A stimulus has been taken. Before the first one, the log is cut off. */
  begun: boolean;
  /** The lines of the next stimulus's effects may have been cut off. */
  isCut: boolean;
  /** Nothing follows the current stimulus. Its effects, or those of another stimulus after it, may be cut off. */
  isEnd: boolean;
}
