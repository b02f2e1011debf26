// What a replay found: counts by kind, and the first divergence with its context. Plain data, for whoever makes one,
// prints one or draws one.

/** What a guest did that the architecture forbids and that the recording goes along with. Not a divergence. */
export interface Anomaly {
  readonly record: number;
  readonly line: number | null;
  readonly text: string;
}

export interface Divergence {
  /** Record number in the trace. */
  readonly record: number;
  /** 1-based line of the source, where there is one. */
  readonly line: number | null;
  /** Kind of the record that differs. */
  readonly kind: string;
  /** One line: what was recorded. */
  readonly recorded: string;
  /** One line: what this backend showed instead. */
  readonly replayed: string;
  /** The stimulus at work: its record number and its text. */
  readonly stimulus: { readonly record: number; readonly text: string } | null;
  /** The events that the stimulus caused in the backend, as text. */
  readonly events: readonly string[];
  /** Records just before. */
  readonly before: readonly string[];
  /** The last anomaly before it: what went wrong may have begun there. */
  readonly suspect: Anomaly | null;
}

export interface Verdict {
  readonly records: number;
  /** How the source begins: with the reset of the GIC, or while the GIC is in use, with its state unknown. */
  readonly start: 'reset' | 'mid-life';
  /** Sorts of stimuli that were at work and that the source has no line of. */
  readonly missing: readonly string[];
  /** Compared, by kind of observable or response. */
  readonly compared: Readonly<Record<string, number>>;
  readonly diverged: number;
  /** Diverged, by kind. */
  readonly divergedBy: Readonly<Record<string, number>>;
  /** Among these: reads that differ only in bits by which software finds out which implementation it has. */
  readonly identificationReads: number;
  /** Not in the source, by the rule that filled it or the name of what stayed open. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Not compared, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Tolerated because the user asked for it, by name. */
  readonly tolerated: Readonly<Record<string, number>>;
  /** Different, and as right as what was recorded, because IHI 0069 leaves the choice to the implementation: by what was chosen. */
  readonly implementationChoices: Readonly<Record<string, number>>;
  /** What the guest did against the architecture's rules, and the first such act. */
  readonly anomalies: number;
  readonly firstAnomaly: Anomaly | null;
  readonly first: Divergence | null;
}

/** The sum of the counts of a verdict. */
export function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}

export type VerdictWord = 'DIVERGED' | 'NOTHING COMPARED' | 'SAME';

/** The verdict in a word. A replay that compared nothing has not found anything to be the same. */
export function verdictWord({ diverged, compared }: Pick<Verdict, 'diverged' | 'compared'>): VerdictWord {
  if (diverged > 0) return 'DIVERGED';
  return totalOf(compared) === 0 ? 'NOTHING COMPARED' : 'SAME';
}
