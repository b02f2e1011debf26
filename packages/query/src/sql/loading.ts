// Converts traces to rows: follows each trace with the simulator beside it and writes the rows to a log. If a trace contains
// no events, the simulator derives them from the stimuli, and the database says so. It knows no database and no thread.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import type { RecordBatch } from '@gictrace/core/record';
import { labelsOf, sourceFacts } from '@gictrace/recorder';
import { RowLog, type RowSink } from '../database/row-log.ts';
import { StateKeeper, stateVersion } from '../database/state/snapshots.ts';
import { findingRow } from '../timeline/findings.ts';
import { Follower } from '../timeline/follower.ts';
import { wholeNs } from '../timeline/moment.ts';
import { MODULES } from './modules/index.ts';
import { DERIVED_PLACES, TABLES } from './schema.ts';
import { TraceRows } from './trace-rows.ts';
import { VIEWS } from './views.ts';

/** A trace as input of the loader. */
export interface LoadSource {
  readonly name: string;
  /** The absolute path of the trace file, which gic_state reads; absent if there is none. */
  readonly path?: string;
  readonly header: {
    readonly config: GicConfig | Gicv5Config;
    readonly source: { readonly kind: string; readonly name: string };
    readonly options?: Readonly<Record<string, unknown>> | undefined;
  };
  readonly contentDigest: string | null;
  readonly semanticDigest: string | null;
  /** The batches in order. A batch is valid until the next one is requested. */
  readonly batches: Iterable<{ readonly batch: RecordBatch; readonly first: number }>;
}

export interface LoadSummary {
  readonly traces: number;
  readonly records: number;
  /** Rows of records, events, and of what is derived from them. */
  readonly rows: number;
}

/** The structure of a database of traces. */
export const PLAN = {
  tables: TABLES,
  finally: [
    'CREATE INDEX i_interrupts ON t_interrupts (trace, asserted)',
    'CREATE INDEX i_interrupts_intid ON t_interrupts (trace, INTID, pended)',
    'CREATE INDEX i_vinterrupts_intid ON t_vinterrupts (trace, vINTID, pended)',
    ...[...VIEWS, ...MODULES].map(({ name, sql }) => `CREATE VIEW "${name}" AS ${sql}`),
  ],
};
/** Tables whose rows do not belong to a trace. */
const UNCOUNTED = new Set(
  (['traces', 'states', 'checks', 'registers', 'sysregs', 'rules'] as const).map(
    (name) => DERIVED_PLACES[name],
  ),
);

/** Called with the number of records loaded so far. */
type Progress = (records: number) => void;

/** Follows traces, one after another, and writes their rows to a log. */
export class Loading {
  private readonly log: RowLog;
  private readonly progress: Progress;
  private readonly rows: TraceRows;
  private records = 0;

  constructor(sink: RowSink, progress: Progress = () => undefined) {
    this.log = new RowLog(sink);
    this.progress = progress;
    this.rows = new TraceRows(this.log);
  }

  /** Writes the tables of names, which belong to no trace. A database or dataset needs them once. */
  reference(): void {
    this.rows.reference();
  }

  /** Numbers the next trace `trace` + 1; the first one has number 1. */
  continueAfter(trace: number): void {
    this.rows.trace = trace;
  }

  /** Passes on the rows that have not been passed on yet. */
  flush(): void {
    this.log.flush();
  }

  /** Loads a trace. Yields after each batch, and when `mustWait` returns true, and continues when the caller resumes it. */
  *load(source: LoadSource, mustWait: () => boolean = () => false): Generator<void> {
    const { rows } = this;
    rows.trace++;
    const follower = new Follower(
      source.header.config,
      {
        record: (batch, i, record) => rows.record(batch, i, record),
        event: (batch, i, stimulus, sequence, timeNs) => rows.event(batch, i, stimulus, sequence, timeNs),
        eventsRecorded: () => rows.forgetEvents(),
        interrupt: (row) => rows.add('interrupts', row),
        virtualInterrupt: (row) => rows.add('vinterrupts', row),
        msi: (row) => rows.add('msis', row),
        command: (row) => rows.add('commands', row),
        mapping: (row) => rows.add('mappings', row),
        wait: (row) => rows.add('waits', row),
        spurious: (row) => rows.add('spurious', row),
        finding: (finding) => rows.add('findings', findingRow(finding)),
      },
      sourceFacts(source.header),
    );
    const states = source.path === undefined ? undefined : new StateKeeper();
    const layout = stateVersion(source.header.config);
    let records = 0;
    for (const { batch, first } of source.batches) {
      states?.offer(first, follower.state);
      for (let i = 0; i < batch.count; i++) {
        follower.take(batch, first, i);
        if (mustWait()) yield;
      }
      records += batch.count;
      this.progress(this.records + records);
      yield;
    }
    follower.finish();
    this.records += records;
    this.end(source, follower, records);
    for (const { record, state } of states?.states() ?? []) rows.add('states', { record, layout, state });
  }

  private end({ name, path, header, ...digests }: LoadSource, follower: Follower, records: number): void {
    const { config, source } = header;
    this.rows.add('traces', {
      trace: this.rows.trace,
      name,
      records,
      source: source.name,
      source_kind: source.kind,
      profile: config.profile,
      architecture: config.architecture,
      pes: config.pes.length,
      its: config.its?.length ?? 0,
      events: follower.recordsEvents ? 'recorded' : 'simulated',
      content_digest: digests.contentDigest,
      semantic_digest: digests.semanticDigest,
      header: JSON.stringify(header),
      path: path ?? null,
      end_ns: wholeNs(follower.latestNs),
    });
    for (const [label, value] of Object.entries(labelsOf({ options: header.options ?? {} })))
      this.rows.add('labels', { label, value });
  }

  summary(rows: readonly number[]): LoadSummary {
    const counted = rows.filter((_, table) => !UNCOUNTED.has(table));
    return {
      traces: this.rows.trace,
      records: this.records,
      rows: counted.reduce((sum, n) => sum + n, 0),
    };
  }
}
