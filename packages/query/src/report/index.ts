// `reportTraces` makes a page from one or two traces.
import { VERSION } from '@gictrace/core';
import type { Verdict } from '@gictrace/core/record';
import { type AnyTraceReader, TraceReader } from '@gictrace/recorder';
import { OutputFile, type Ownership, type TargetOptions } from '@gictrace/recorder/output';
import type { DiffOptions } from '../diff/result.ts';
import type { Question } from '../why/index.ts';
import { Packer } from './columns.ts';
import { type Compared, compared } from './differences.ts';
import type { ReportFacts, TraceFacts } from './facts.ts';
import { page } from './page.ts';
import { sqlEngine } from './sql-engine.ts';
import { KIND_NAMES, traceFacts } from './trace.ts';

export type { ReportFacts, TraceFacts } from './facts.ts';

/** The most rows of each table of details; further rows are counted. It must be below 2^20. */
export const ROWS_MAX = 1_000_000;

const REPORT: Ownership = {
  what: 'a report of gictrace',
  recognises: (head) => head.includes('<title>gictrace report</title>'),
};

export interface ReportOptions extends Pick<TargetOptions, 'force'> {
  /** The version that the page names; that of this package if absent. */
  readonly version?: string;
  /** Replays a trace. If absent, or if it returns null, the page says that there is no verdict. */
  readonly verdict?: (path: string) => Verdict | null;
  /** Interrupts of which the page says why they arrived or did not, in each trace. */
  readonly why?: readonly Question[];
  /** How to compare two traces. */
  readonly diff?: DiffOptions;
  /** The range of records whose details are drawn: the first, and the one after the last. */
  readonly from?: number;
  readonly to?: number;
  /** Whether accesses to registers are in the page; yes, if absent. */
  readonly accesses?: boolean;
  /** Whether the page has SQLite, to be asked in SQL. */
  readonly sql?: boolean;
  /** The most rows of each table of details, up to {@link ROWS_MAX}. */
  readonly rowsMax?: number;
  /** Called with the number of records read so far; each record is read more than once. */
  readonly progress?: (records: number) => void;
}

export interface ReportSummary {
  readonly records: readonly number[];
  /** Rows of each table in the page, for all traces. */
  readonly wrote: Readonly<Record<string, number>>;
  /** Rows that are counted but not in the page. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Whether the two traces are the same; null for one trace. */
  readonly same: boolean | null;
  readonly bytes: number;
}

/**
 * Writes a report of one trace, or of two traces with their differences, to `output`, completely or not at all.
 * @throws GicTraceError `trace` for a bad trace, `usage` if `output` cannot be written, `backend` if the disk is full or
 * there is not enough memory to compare.
 */
export function reportTraces(
  paths: readonly string[],
  output: string,
  options: ReportOptions = {},
): ReportSummary {
  let done = 0;
  const progress = (records: number) => options.progress?.((done += records));
  const readers: AnyTraceReader[] = [];
  let out: OutputFile | undefined;
  try {
    for (const path of paths) readers.push(TraceReader.openAny(path));
    out = new OutputFile(output, REPORT, { inputs: paths, force: options.force === true });
    const sql = options.sql === true ? sqlEngine() : null;
    const [a, b] = paths;
    const both: Compared | null = b === undefined ? null : compared(a!, b, options.diff ?? {});
    const packer = new Packer();
    const { from = 0, to = Number.MAX_SAFE_INTEGER, rowsMax = ROWS_MAX } = options;
    const traces = readers.map((reader, k) =>
      traceFacts(
        {
          reader,
          extent: {
            from,
            to,
            rowsMax: Math.min(rowsMax, ROWS_MAX),
            accesses: options.accesses !== false,
          },
          verdict: options.verdict?.(reader.path) ?? null,
          why: options.why ?? [],
          differences: both === null ? null : k === 0 ? both.a : both.b,
          progress,
        },
        packer,
      ),
    );
    const facts: ReportFacts = {
      version: options.version ?? VERSION,
      traces,
      diff: both?.facts ?? null,
      anchors: both === null ? null : packer.table(both.anchors),
      kindNames: KIND_NAMES,
    };
    for (const part of page(facts, packer.all(), sql)) out.write(Buffer.from(part));
    out.commit();
    return {
      records: traces.map((trace) => trace.records),
      wrote: sums(traces, (trace) => Object.entries(trace.tables).map(([name, { rows }]) => [name, rows])),
      leftOut: sums(traces, (trace) => Object.entries(trace.leftOut)),
      same: both?.facts.same ?? null,
      bytes: out.bytes,
    };
  } catch (error) {
    out?.discard();
    throw error;
  } finally {
    for (const reader of readers) reader.close();
  }
}

function sums(
  traces: readonly TraceFacts[],
  of: (trace: TraceFacts) => readonly (readonly [string, number])[],
): Record<string, number> {
  const out: Record<string, number> = {};
  for (const trace of traces) for (const [name, n] of of(trace)) out[name] = (out[name] ?? 0) + n;
  return out;
}
