// Queries of a database: strictly read-only, one statement at a time, with the result as rows.
import { closeSync, readSync } from 'node:fs';
import { didYouMean, GicTraceError } from '@gictrace/core';
import { openRegular } from '@gictrace/recorder/input';
import Database from 'better-sqlite3';
import { addFunctions } from './functions.ts';
import { isOtherStatement, isQuestion, onlyQueries } from './statements.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './table.ts';

const MAKE = 'make one with gictrace load TRACE -o DB';
const REMAKE = 'load the traces again';
export type Cell = number | bigint | string | null | Uint8Array;

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly Cell[]>;
}

/** Table functions: what can stand behind FROM besides the tables of a database. */
export interface TableFunctions {
  /** Registers them with a connection of better-sqlite3. */
  register(db: unknown): void;
  close(): void;
}

/** A database without gic_state, which needs the simulator. It loads faster than {@link QueryDatabase}. */
export class PlainDatabase {
  private readonly db: Database.Database;
  private readonly functions: TableFunctions | undefined;
  readonly path: string;

  /** Opens a database for reading. @throws GicTraceError `input` if gictrace did not make it. */
  constructor(path: string, functions?: TableFunctions) {
    this.path = path;
    this.functions = functions;
    checkFile(path);
    let db: Database.Database | undefined;
    let version: unknown;
    try {
      db = new Database(path, { readonly: true, fileMustExist: true });
      db.pragma('query_only = ON');
      version = db.pragma('user_version', { simple: true });
    } catch (error) {
      db?.close();
      throw new GicTraceError('input', `cannot be opened: ${(error as Error).message}`, { path }, REMAKE);
    }
    this.db = db;
    if (version !== SCHEMA_VERSION) {
      this.db.close();
      throw new GicTraceError(
        'input',
        `is a database of version ${version}; this gictrace reads ${SCHEMA_VERSION}`,
        { path },
        REMAKE,
      );
    }
    this.checkSchema();
    this.db.defaultSafeIntegers(true);
    addFunctions(this.db);
    functions?.register(this.db);
  }

  /**
   * Checks that the file has no code of its own: triggers, or tables that a module of SQLite implements. gictrace makes
   * neither. Views cannot reach gic_state.
   */
  private checkSchema(): void {
    let strange: { readonly name: string } | undefined;
    try {
      strange = this.db
        .prepare(
          "SELECT name FROM sqlite_schema WHERE type = 'trigger' OR (type = 'table' AND (rootpage IS NULL OR rootpage = 0))",
        )
        .get() as typeof strange;
    } catch (error) {
      this.db.close();
      throw this.fault(error);
    }
    if (strange === undefined) return;
    this.db.close();
    throw new GicTraceError(
      'input',
      `is not as gictrace made it: ${strange.name} is a trigger or a virtual table`,
      { path: this.path },
      REMAKE,
    );
  }

  /**
   * Runs one query.
   * @throws GicTraceError `usage` for SQL that is wrong, that writes, or that is more than one statement.
   */
  ask(sql: string): Answer {
    // This check comes before SQLite sees the statement, because some pragmas take effect while they are prepared.
    if (isOtherStatement(sql)) throw onlyQueries();
    let statement: Database.Statement;
    try {
      statement = this.db.prepare(sql);
    } catch (error) {
      throw this.fault(error);
    }
    if (!isQuestion(sql) || !statement.reader || !statement.readonly) throw onlyQueries();
    statement.raw(true);
    const columns = statement.columns().map((column) => column.name);
    return { columns, rows: this.rows(statement) };
  }

  close(): void {
    this.functions?.close();
    this.db.close();
  }

  private *rows(statement: Database.Statement): Generator<readonly Cell[]> {
    try {
      for (const row of statement.iterate()) yield row as Cell[];
    } catch (error) {
      throw this.fault(error);
    }
  }

  /** The names of the tables and views that people query. */
  private relations(): string[] {
    const sql = "SELECT name FROM sqlite_schema WHERE type = 'view' OR name IN ('runs', 'aligned')";
    return (this.db.prepare(sql).raw(true).all() as [string][]).map(([name]) => name);
  }

  /** SQLite's message on one line. A damaged file is reported differently from a wrong query. */
  private fault(error: unknown): unknown {
    const isSql = error instanceof Database.SqliteError;
    if (isSql && /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(error.code))
      return new GicTraceError('input', `is damaged: ${error.message}`, { path: this.path }, REMAKE);
    // better-sqlite3 throws a RangeError for no statement, or for more than one.
    if (!isSql && !(error instanceof RangeError)) return error;
    const unknown = /no such (table|column): (.*)/.exec(error.message);
    const meant = unknown?.[1] === 'table' ? didYouMean(unknown[2]!, this.relations()) : '';
    const hint = unknown === null ? undefined : `${meant}gictrace shell DB lists the views with .views`;
    return new GicTraceError('usage', `SQL: ${error.message}`, {}, hint);
  }
}

/** Checks that gictrace made the file and that it is complete. SQLite may open a truncated database and return what is left. */
function checkFile(path: string): void {
  const { fd, sizeBytes } = openRegular(path, { code: 'input', hint: MAKE });
  const head = Buffer.alloc(72);
  let read: number;
  try {
    read = readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  const isOurs =
    read === head.length &&
    head.toString('latin1', 0, 15) === 'SQLite format 3' &&
    head.readUInt32BE(68) === APPLICATION_ID;
  if (!isOurs) throw new GicTraceError('input', 'is not a gictrace database', { path }, MAKE);
  // The header contains the page size (1 stands for 65,536) and the number of pages.
  const pageSize = head.readUInt16BE(16);
  const pages = head.readUInt32BE(28);
  if (sizeBytes < pages * (pageSize === 1 ? 0x1_0000 : pageSize))
    throw new GicTraceError('input', 'is truncated', { path }, REMAKE);
}
