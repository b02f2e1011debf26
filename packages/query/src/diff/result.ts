// What a comparison is asked and answers. Types only.
import type { DiffClass, Ignorable } from './classes.ts';
import type { DiffRule } from './rules.ts';
import type { Subject } from './side.ts';
import type { SubjectRow } from './tally.ts';

export interface DiffOptions {
  /** Classes to let pass, counted. */
  readonly ignore?: readonly Ignorable[];
  readonly rules?: readonly DiffRule[];
  /** Take addresses, LPIs and DeviceIDs that only permute for the same. */
  readonly rename?: boolean;
  /** Compare repeats of what a PE is told, and every read of a polling loop. */
  readonly keepRepeats?: boolean;
  /** Compare events too: what happened inside the GIC. */
  readonly events?: boolean;
  /** Differences of each class to show; 1 when absent. */
  readonly keep?: number;
  readonly progress?: (records: number) => void;
  /** Given each line of the alignment, in A's order, what is only in B at its place. */
  readonly row?: (row: AlignRow) => void;
}

export interface AlignRow {
  /** Record numbers; null where a side has none. */
  readonly a: number | null;
  readonly b: number | null;
  readonly class: DiffClass;
  readonly reason: string;
  readonly subject: Subject;
  readonly pe: number;
  /** What lets it pass: `--ignore`, or the reason of a rule; null: nothing does, or nothing needs to. */
  readonly tolerated: string | null;
}

export type { SubjectRow };

export interface Shown {
  readonly record: number;
  readonly text: string;
}
export interface Half {
  /** Null where this side has no such record; `around` is then where it would be. */
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
  /** The same for all traces that differ by legal reordering and times only. */
  readonly orderDigest: string;
}

export interface Diff {
  /** Nothing differs that is not let pass. */
  readonly same: boolean;
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** Records by class; a pair counts once. */
  readonly counts: Readonly<Record<DiffClass, number>>;
  /** Differences that were let pass, by what does so. */
  readonly tolerated: readonly { readonly by: string; readonly n: number }[];
  /** What differs, and is not let pass, by what it is about: first what one side has more of. */
  readonly subjects: readonly SubjectRow[];
  /** Fields of the configuration that differ. */
  readonly config: readonly {
    readonly field: string;
    readonly a: string;
    readonly b: string;
    readonly tolerated: string | null;
  }[];
  readonly examples: readonly DiffExample[];
  /** Records of both sides that were aligned piece by piece, since they differ too much: there may be fewer differences among them. */
  readonly coarse: number;
  /** Names of B that were taken for others of A, by space; null without `rename`. */
  readonly renamed: Readonly<Record<string, number>> | null;
  /** Milliseconds: reading, and all behind it. */
  readonly readMs: number;
  readonly alignMs: number;
}
