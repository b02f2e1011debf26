// The data of a report's page, declared once for the builder and for the page. Types only.
import type { Verdict, VerdictWord } from '@gictrace/core/record';
import type { Diff } from '../diff/result.ts';
import type { Step as WayStep } from '../why/index.ts';

/** A table of integers below 2^32: the position of its columns in the page's data, and how they are packed. */
export interface PackedTable {
  readonly rows: number;
  readonly columns: readonly PackedColumn[];
}
export interface PackedColumn {
  readonly name: string;
  /** Byte offset from the end of the facts. */
  readonly at: number;
  /** The number of planes, one per stored byte of a value: plane p contains bits 8p to 8p + 7 of each value. */
  readonly planes: number;
  /** Whether the values are zigzag differences from the value before. */
  readonly delta: boolean;
}

/** In a column of records: there is no record. */
export const NONE = 0xffff_ffff;

/** The classes of interrupts that the report distinguishes, in the order in which it shows them. */
export const INTERRUPT_CLASSES = [
  'SGI',
  'PPI',
  'SPI',
  'LPI',
  'extended PPI',
  'extended SPI',
  'virtual',
] as const;
export type InterruptClass = (typeof INTERRUPT_CLASSES)[number];

/** The steps of a lifetime, in the order of its columns. */
export const STEPS = [
  'asserted',
  'pended',
  'doorbell',
  'signalled',
  'acknowledged',
  'eoi',
  'deactivated',
  'withdrawn',
] as const;
export type Step = (typeof STEPS)[number];

/** The measured durations of lifetimes, from the source's times. */
export const MEASURES = {
  wait: 'from pending to acknowledge (latency_ns in SQL)',
  service: 'from acknowledge to EOI (service_ns in SQL)',
} as const;
export type Measure = keyof typeof MEASURES;

/**
 * A distribution over all lifetimes of a class for which the source contains both times. In nanoseconds; percentiles by
 * nearest rank.
 */
export interface Distribution {
  readonly class: InterruptClass;
  readonly measure: Measure;
  readonly count: number;
  /** Lifetimes that have both steps, but not both times. */
  readonly untold: number;
  /** Lifetimes whose later step has the earlier time, because host threads raced. They count in `min` and percentiles. */
  readonly negative: number;
  readonly min: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
  /** Counts by lower bound; a bucket ends below the next of {@link Trace.bounds}. Durations below 1 ns have bound 0. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
}

/** A lifetime among the slowest of its class. */
export interface Slow {
  readonly class: InterruptClass;
  readonly INTID: number;
  readonly pe: number | null;
  readonly cause: string;
  readonly pended: number;
  readonly acknowledged: number;
  readonly waitNs: number;
}

export interface FindingFacts {
  readonly rule: string;
  readonly severity: string;
  readonly record: number;
  readonly line: number | null;
  readonly pe: number | null;
  readonly text: string;
  readonly lastedNs: number | null;
  readonly related: readonly { readonly record: number; readonly text: string }[];
}

/** Why an interrupt arrived or did not; see `Answer` of query/why. */
export interface WhyFacts {
  readonly subject: string;
  readonly headline: string;
  /** The rest of the answer. */
  readonly lines: readonly string[];
  readonly way: readonly {
    readonly stage: string;
    readonly state: WayStep['state'];
    readonly record: number | null;
    readonly text: string;
  }[];
  readonly cause: { readonly record: number; readonly text: string; readonly why: string } | null;
}

export interface TraceFacts {
  /** Base name of the file. */
  readonly name: string;
  readonly records: number;
  /** Whether any record has a time. */
  readonly timed: boolean;
  /** Records without a time in a trace with times, and records with an earlier time than one before them; see ExportClock. */
  readonly untimed: number;
  readonly late: number;
  /** The unit of the column of times, in nanoseconds. */
  readonly unitNs: number;
  readonly writer: string;
  readonly source: { readonly kind: string; readonly name: string; readonly provenance: readonly Pair[] };
  readonly clock: string;
  readonly profile: string;
  readonly architecture: number;
  /** Packed affinity of each PE. */
  readonly affinities: readonly number[];
  readonly itsCount: number;
  readonly contentDigest: string;
  readonly semanticDigest: string;
  readonly seed: string | null;
  readonly losses: readonly { readonly what: string; readonly count: number | null }[];
  readonly kinds: readonly Count[];
  readonly rules: readonly {
    readonly name: string;
    readonly class: string;
    readonly n: number;
    readonly doc: string;
  }[];
  /** Lifetimes by class and outcome, including those that are not drawn. */
  readonly lives: readonly { readonly class: InterruptClass; readonly outcome: string; readonly n: number }[];
  readonly distributions: readonly Distribution[];
  readonly slowest: readonly Slow[];
  readonly commands: readonly { readonly op: string; readonly outcome: string; readonly n: number }[];
  readonly msis: readonly Count[];
  readonly findings: readonly FindingFacts[];
  readonly findingCounts: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly n: number;
    readonly doc: string;
  }[];
  readonly why: readonly WhyFacts[];
  readonly verdict: Verdict | null;
  readonly verdictWord: VerdictWord | null;
  /** The range of records whose details are drawn: the first, and the one after the last; null: all. */
  readonly window: readonly [from: number, to: number] | null;
  /** Whether accesses to registers are among the details. */
  readonly accesses: boolean;
  /** By table: rows that are counted but not drawn, because there are too many. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** The strings that columns refer to by index. */
  readonly strings: readonly string[];
  /** The events (ITS, DeviceID, EventID) that columns named `event` refer to by index. */
  readonly events: readonly (readonly [its: number, deviceId: number, eventId: number])[];
  readonly tables: Readonly<Record<string, PackedTable>>;
}

export type Pair = readonly [name: string, value: string];
export type Count = readonly [name: string, n: number];

/** A comparison without the values that differ from run to run. */
export type DiffFacts = Omit<Diff, 'readMs' | 'alignMs'> & {
  readonly classes: Readonly<Record<string, string>>;
};

export interface ReportFacts {
  /** The version of gictrace that made the page. */
  readonly version: string;
  readonly traces: readonly TraceFacts[];
  readonly diff: DiffFacts | null;
  /** Pairs of equal records: columns `a` and `b`, both ascending. */
  readonly anchors: PackedTable | null;
  /** Names of record kinds by id. */
  readonly kindNames: Readonly<Record<number, string>>;
}
