// Questions to a database: read-only for certain, one statement at a time, and the answer as rows.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import Database from 'better-sqlite3';
import { addFunctions } from './functions.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './table.ts';

const MAKE = 'make one with gictrace load TRACE -o DB';
const REMAKE = 'load the traces anew';
const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a directory',
  EACCES: 'no permission to read it',
};
/** Blanks, comments and empty statements. */
const NOTHING = String.raw`(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*`;
/** What a question begins with, behind any of these and EXPLAIN. */
const FIRST_WORD = new RegExp(
  `^${NOTHING}(?:explain\\b${NOTHING}(?:query\\b${NOTHING}plan\\b${NOTHING})?)?([a-z]+)`,
  'i',
);
/** Pragmas that can stand behind FROM; those that only tell something are not refused. */
const PRAGMA_TABLES = /\bpragma_(\w+)/gi;
const TELLING =
  /^(?:(?:table|index)_x?info|(?:table|index|foreign_key|function|module|collation|database|pragma)_list|compile_options)$/i;
const QUESTIONS = /^(?:select|with|values)$/i;
const STATEMENTS =
  /^(?:alter|analyze|attach|begin|commit|create|delete|detach|drop|end|insert|pragma|reindex|release|replace|rollback|savepoint|update|vacuum)$/i;

export type Cell = number | bigint | string | null | Uint8Array;

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly Cell[]>;
}

/** What can stand behind FROM besides the tables of a database. */
export interface TableFunctions {
  /** Registers them with a connection of better-sqlite3. */
  register(db: unknown): void;
  close(): void;
}

/** A database without gic_state, which needs the simulator: quicker to load than {@link QueryDatabase}. */
export class PlainDatabase {
  private readonly db: Database.Database;
  private readonly functions: TableFunctions | undefined;
  readonly path: string;

  /** Opens a database for reading. Throws a GicTraceError (`input`) if it is none of ours. */
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
    this.db.defaultSafeIntegers(true);
    addFunctions(this.db);
    functions?.register(this.db);
  }

  /**
   * Asks one question.
   * @throws GicTraceError `usage` for SQL that is wrong, writes, or is more than one statement.
   */
  ask(sql: string): Answer {
    // Before SQLite sees it: some pragmas do what they do while they are prepared.
    const first = FIRST_WORD.exec(sql)?.[1] ?? '';
    if (STATEMENTS.test(first)) throw notAsked();
    for (const [, name] of sql.matchAll(PRAGMA_TABLES)) if (!TELLING.test(name!)) throw notAsked();
    let statement: Database.Statement;
    try {
      statement = this.db.prepare(sql);
    } catch (error) {
      throw this.fault(error);
    }
    if (!QUESTIONS.test(first) || !statement.reader || !statement.readonly) throw notAsked();
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

  /** What SQLite says, on one line: damage of the file is not the fault of who asks. */
  private fault(error: unknown): unknown {
    const isSql = error instanceof Database.SqliteError;
    if (isSql && /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(error.code))
      return new GicTraceError('input', `is damaged: ${error.message}`, { path: this.path }, REMAKE);
    // A RangeError is the driver's word for no statement, or for more than one.
    if (!isSql && !(error instanceof RangeError)) return error;
    const unknown = /no such (table|column)/.test(error.message);
    const mend = unknown ? 'gictrace shell DB lists the views with .views' : undefined;
    return new GicTraceError('usage', `SQL: ${error.message}`, {}, mend);
  }
}

function notAsked(): GicTraceError {
  return new GicTraceError(
    'usage',
    'SQL: only questions are answered here (SELECT, WITH, VALUES, EXPLAIN)',
    {},
    'the database is opened read-only',
  );
}

/** Whether the file is there, ours and whole. A cut database may otherwise open and answer with what is left. */
function checkFile(path: string): void {
  const head = Buffer.alloc(72);
  let read = 0;
  let bytes = 0;
  try {
    const fd = openSync(path, 'r');
    try {
      read = readSync(fd, head, 0, head.length, 0);
      bytes = fstatSync(fd).size;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new GicTraceError('input', UNREADABLE[code] ?? message, { path }, MAKE);
  }
  const isOurs =
    read === head.length &&
    head.toString('latin1', 0, 15) === 'SQLite format 3' &&
    head.readUInt32BE(68) === APPLICATION_ID;
  if (!isOurs) throw new GicTraceError('input', 'is not a gictrace database', { path }, MAKE);
  // The header's own account: page size (1 stands for 65,536) and number of pages.
  const pageSize = head.readUInt16BE(16);
  const pages = head.readUInt32BE(28);
  if (bytes < pages * (pageSize === 1 ? 0x1_0000 : pageSize))
    throw new GicTraceError('input', 'is cut short', { path }, REMAKE);
}
