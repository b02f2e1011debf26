// The options and the result of a comparison. Types only.
import type { DiffClass, Ignorable } from './classes.ts';
import type { DiffRule } from './rules.ts';
import type { Subject } from './side.ts';
import type { SubjectRow } from './tally.ts';

export interface DiffOptions {
  /** Classes to tolerate; they are counted. */
  readonly ignore?: readonly Ignorable[];
  readonly rules?: readonly DiffRule[];
  /** Treat addresses, LPIs and DeviceIDs that are only permuted as the same. */
  readonly rename?: boolean;
  /** Compare repeats of what a PE is signalled, and every read of a polling loop. */
  readonly keepRepeats?: boolean;
  /** Compare events too: what happened inside the GIC. */
  readonly events?: boolean;
  /** Number of differences of each class to report; 1 if absent. */
  readonly keep?: number;
  readonly progress?: (records: number) => void;
  /** Called with each line of the alignment, in A's order; what is only in B comes at its place. */
  readonly row?: (row: AlignRow) => void;
}

export interface AlignRow {
  /** Record numbers; null if a side has none. */
  readonly a: number | null;
  readonly b: number | null;
  readonly class: DiffClass;
  readonly reason: string;
  readonly subject: Subject;
  readonly pe: number;
  /** What tolerates the difference: `--ignore`, or the reason of a rule; null if nothing does, or nothing needs to. */
  readonly tolerated: string | null;
}

export type { SubjectRow };

export interface Shown {
  readonly record: number;
  readonly text: string;
}
export interface Half {
  /** Null if this side has no such record; `around` then surrounds the place where it would be. */
  readonly record: Shown | null;
  readonly around: readonly Shown[];
  /** What led to it, nearest first. */
  readonly slice: readonly Shown[];
}
export interface DiffExample {
  readonly class: DiffClass;
  readonly subject: string;
  readonly reason: string;
  readonly a: Half;
  readonly b: Half;
}

export interface DiffSide {
  readonly path: string;
  readonly records: number;
  readonly compared: number;
  /** Records that are not compared, by reason. */
  readonly left: Readonly<Record<string, number>>;
  /** The same for all traces that differ only by legal reordering and times. */
  readonly orderDigest: string;
}

export interface Diff {
  /** Every difference is tolerated, or there is none. */
  readonly same: boolean;
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** Records by class; a pair counts once. */
  readonly counts: Readonly<Record<DiffClass, number>>;
  /** Tolerated differences, by what tolerates them. */
  readonly tolerated: readonly { readonly by: string; readonly n: number }[];
  /** Differences that are not tolerated, by subject; first those of which one side has more. */
  readonly subjects: readonly SubjectRow[];
  /** Fields of the configuration that differ. */
  readonly config: readonly {
    readonly field: string;
    readonly a: string;
    readonly b: string;
    readonly tolerated: string | null;
  }[];
  readonly examples: readonly DiffExample[];
  /**
   * Number of records of both sides that were aligned piece by piece, because they differ too much. There may be fewer
   * differences among them.
   */
  readonly coarse: number;
  /** Number of names of B that were replaced by others of A, by name space; null without `rename`. */
  readonly renamed: Readonly<Record<string, number>> | null;
  /** Milliseconds for reading, and for everything after it. */
  readonly readMs: number;
  readonly alignMs: number;
}
