// Questions to a database: read-only for certain, one statement at a time, and the answer as rows.
import { closeSync, openSync, readSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import Database from 'better-sqlite3';
import { addFunctions } from './functions.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts';

export type Cell = number | bigint | string | null | Uint8Array;

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly Cell[]>;
}

export class QueryDatabase {
  private readonly db: Database.Database;
  readonly path: string;

  /** Opens a database for reading. Throws a GicTraceError (`input`) if it is none of ours. */
  constructor(path: string) {
    this.path = path;
    checkFile(path);
    try {
      this.db = new Database(path, { readonly: true, fileMustExist: true });
      this.db.pragma('query_only = ON');
    } catch (error) {
      throw new GicTraceError('input', `cannot be opened: ${(error as Error).message}`, { path });
    }
    const version = this.db.pragma('user_version', { simple: true }) as number;
    if (version !== SCHEMA_VERSION) {
      this.db.close();
      throw new GicTraceError(
        'input',
        `is a database of version ${version}; this gictrace reads ${SCHEMA_VERSION}`,
        { path },
        'load the traces anew',
      );
    }
    this.db.defaultSafeIntegers(true);
    addFunctions(this.db);
  }

  /**
   * Asks one question.
   * @throws GicTraceError `usage` for SQL that is wrong, writes, or is more than one statement.
   */
  ask(sql: string): Answer {
    let statement: Database.Statement;
    try {
      statement = this.db.prepare(sql);
    } catch (error) {
      const message = (error as Error).message;
      throw new GicTraceError(
        'usage',
        `SQL: ${message}`,
        {},
        /no such (table|column)/.test(message) ? 'gictrace shell DB lists the views with .views' : undefined,
      );
    }
    // ATTACH and some pragmas count as readers that write elsewhere: only what answers with columns is let through.
    if (!statement.reader || !statement.readonly || /^\s*(pragma|attach|detach|vacuum)\b/i.test(sql))
      throw new GicTraceError(
        'usage',
        'SQL: only questions are answered here (SELECT, WITH, VALUES, EXPLAIN)',
        {},
        'the database is opened read-only',
      );
    statement.raw(true);
    const columns = statement.columns().map((column) => column.name);
    return { columns, rows: guarded(statement) };
  }

  close(): void {
    this.db.close();
  }
}

function* guarded(statement: Database.Statement): Generator<readonly Cell[]> {
  try {
    for (const row of statement.iterate()) yield row as Cell[];
  } catch (error) {
    if (error instanceof Error && (error as NodeJS.ErrnoException).code?.startsWith('SQLITE'))
      throw new GicTraceError('usage', `SQL: ${error.message}`);
    throw error;
  }
}

function checkFile(path: string): void {
  const head = Buffer.alloc(72);
  let n = 0;
  try {
    const fd = openSync(path, 'r');
    try {
      n = readSync(fd, head, 0, 72, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const what =
      code === 'ENOENT'
        ? 'no such file'
        : code === 'EISDIR'
          ? 'is a directory'
          : code === 'EACCES'
            ? 'no permission to read it'
            : (error as Error).message;
    throw new GicTraceError('input', what, { path }, 'make one with gictrace load TRACE -o DB');
  }
  if (
    n < 72 ||
    head.toString('latin1', 0, 15) !== 'SQLite format 3' ||
    head.readUInt32BE(68) !== APPLICATION_ID
  )
    throw new GicTraceError(
      'input',
      'is not a gictrace database',
      { path },
      'make one with gictrace load TRACE -o DB',
    );
}
