// gic_state(trace, record) in SQL: the state of the simulator after a record, replayed from the nearest kept state. The
// records come from the trace file, which must still be at its path and unchanged.
import { GicTraceError } from '@gictrace/core';
import { Gicv5Follow, Gicv5Machine } from '@gictrace/core/gicv5';
import { Follow, FollowObserver, Machine } from '@gictrace/core/model';
import { type AnyTraceReader, isGicv5, TraceReader } from '@gictrace/recorder';
import Database from 'better-sqlite3';
import { gicv5StateRows } from './gicv5-rows.ts';
import type { KeptState } from './kept.ts';
import { type StateRow, stateRows } from './rows.ts';
import { keptState, stateVersion } from './snapshots.ts';

/** Results that are cached, because SQLite asks again for each row of the other side of a join. */
const ANSWERS_MAX = 4;
const REMAKE = 'load the traces again';

interface TraceRow {
  readonly path: unknown;
  readonly records: number;
  readonly content_digest: string | null;
}

/** Replays for one database. It has its own connection, because the other one is busy with the query. */
export class StateTable {
  private readonly path: string;
  private db: Database.Database | undefined;
  private readonly answers = new Map<string, readonly StateRow[]>();
  private readonly readers = new Map<number, { reader: AnyTraceReader; records: number }>();

  constructor(path: string) {
    this.path = path;
  }

  /** Registers the function with a connection. */
  register(db: Database.Database): void {
    const rows = (trace: unknown, record: unknown) => this.rows(trace, record);
    db.table('gic_state', {
      // It opens a file that the database names, so that the user's own SQL alone may call it, and no view of the database.
      directOnly: true,
      columns: ['kind', 'name', 'instance', 'value', 'text'],
      parameters: ['trace', 'record'],
      *rows(trace: unknown, record: unknown) {
        yield* rows(trace, record);
      },
    });
  }

  close(): void {
    this.db?.close();
    for (const { reader } of this.readers.values()) reader.close();
    this.readers.clear();
  }

  /** @throws GicTraceError `usage` for arguments that name no record; `input` if the trace file is gone or has changed. */
  rows(traceArgument: unknown, recordArgument: unknown): Iterable<StateRow> {
    const trace = Number(traceArgument ?? Number.NaN);
    const record = Number(recordArgument ?? Number.NaN);
    if (!Number.isSafeInteger(trace) || !Number.isSafeInteger(record))
      throw new GicTraceError(
        'usage',
        'gic_state takes the number of a trace and that of a record',
        {},
        'SELECT * FROM gic_state(1, 1000)',
      );
    const { reader, records } = this.open(trace);
    if (record < 0 || record >= records)
      throw new GicTraceError(
        'usage',
        `gic_state: trace ${trace} has records 0 to ${records - 1}, not ${record}`,
      );
    const key = `${trace} ${record}`;
    let answer = this.answers.get(key);
    if (answer !== undefined) return answer;
    const kept = keptState(this.connection(), trace, record + 1, stateVersion(reader.header.config));
    const { follow, rows } = runOf(reader, kept);
    const from = kept?.record ?? 0;
    for (const { batch, first } of reader.batches(from)) {
      if (first > record) break;
      follow.take(batch, first, Math.max(0, from - first), Math.min(batch.count, record - first + 1));
      if (first + batch.count > record) break;
    }
    answer = [...rows()];
    if (this.answers.size === ANSWERS_MAX) this.answers.delete([...this.answers.keys()][0]!);
    this.answers.set(key, answer);
    return answer;
  }

  private connection(): Database.Database {
    this.db ??= new Database(this.path, { readonly: true, fileMustExist: true });
    return this.db;
  }

  private open(trace: number): { reader: AnyTraceReader; records: number } {
    const known = this.readers.get(trace);
    if (known !== undefined) return known;
    const row = this.connection()
      .prepare('SELECT path, records, content_digest FROM t_traces WHERE trace = ?')
      .get(trace) as TraceRow | undefined;
    if (row === undefined)
      throw new GicTraceError(
        'usage',
        `gic_state: there is no trace ${trace}`,
        {},
        'SELECT trace, name FROM traces',
      );
    if (typeof row.path !== 'string')
      throw new GicTraceError('usage', `gic_state: trace ${trace} was not loaded from a file`, {}, REMAKE);
    let reader: AnyTraceReader;
    try {
      reader = TraceReader.openAny(row.path);
    } catch (error) {
      if (!(error instanceof GicTraceError)) throw error;
      throw notThere(row.path);
    }
    if (reader.footer?.contentDigest !== row.content_digest) {
      reader.close();
      throw notThere(row.path);
    }
    const opened = { reader, records: row.records };
    this.readers.set(trace, opened);
    return opened;
  }
}

/** The simulator of a trace in the kept state, the loop that runs it on, and what its state is as rows. */
function runOf(
  reader: AnyTraceReader,
  kept: KeptState | undefined,
): { readonly follow: Follow | Gicv5Follow; readonly rows: () => Iterable<StateRow> } {
  if (isGicv5(reader)) {
    const machine = new Gicv5Machine(reader.header.config);
    if (kept !== undefined) machine.state.restore(kept.state);
    return { follow: new Gicv5Follow(machine, new FollowObserver()), rows: () => gicv5StateRows(machine) };
  }
  const machine = new Machine(reader.header.config);
  if (kept !== undefined) {
    machine.state.restore(kept.state);
    machine.invalidate();
  }
  return { follow: new Follow(machine, new FollowObserver()), rows: () => stateRows(machine) };
}

/**
 * The trace that was loaded is not at its path. The message does not say what is there instead, since the database, which
 * may come from someone else, names the path.
 */
function notThere(path: string): GicTraceError {
  return new GicTraceError(
    'input',
    'gic_state needs the trace that was loaded, which is no longer here as it was',
    { path },
    REMAKE,
  );
}
