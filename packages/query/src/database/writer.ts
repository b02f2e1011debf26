// Writes rows into a new database file. It knows better-sqlite3 and nothing of traces, so that a thread that only inserts
// starts fast.
import Database from 'better-sqlite3';
import { Inserter } from './insert.ts';
import { type RowBlock, type RowSink, readBlock } from './row-log.ts';
import { APPLICATION_ID, SCHEMA_VERSION, type Table } from './table.ts';

/** The structure of a database, as plain data that can be sent to another thread. */
export interface DatabasePlan {
  /** The tables, by their numbers in blocks. */
  readonly tables: readonly Table[];
  /** SQL that runs after all rows have been inserted: indices and views. */
  readonly finally: readonly string[];
  /** Whether rows are added to a database that has the tables, indices and views already. */
  readonly append?: boolean;
}

/**
 * Opens a new database for a single writer: no journal file, no locks, a large cache. (better-sqlite3 refuses to work
 * without any journal.)
 */
export function newDatabase(path: string): Database.Database {
  const db = openForWriter(path);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${SCHEMA_VERSION}`);
  return db;
}

/** Opens a database for a single writer: a new one, or one that rows are added to. */
export function databaseFor(path: string, plan: DatabasePlan): Database.Database {
  return plan.append === true ? openForWriter(path) : newDatabase(path);
}

function openForWriter(path: string): Database.Database {
  // The file is the temporary one of an output. If it has gone, a signal is ending the process: nothing may be left.
  const db = new Database(path, { fileMustExist: true });
  for (const pragma of [
    'page_size = 8192',
    'journal_mode = MEMORY',
    'synchronous = OFF',
    'locking_mode = EXCLUSIVE',
    'temp_store = MEMORY',
    'cache_size = -131072',
  ])
    db.pragma(pragma);
  return db;
}

export class DatabaseWriter implements RowSink {
  private readonly db: Database.Database;
  private readonly plan: DatabasePlan;
  private readonly inserters: readonly Inserter[];

  /** Makes the tables, unless the database has them. */
  constructor(db: Database.Database, plan: DatabasePlan) {
    this.db = db;
    this.plan = plan;
    db.exec('BEGIN');
    if (plan.append !== true) for (const { ddl } of plan.tables) db.exec(ddl);
    this.inserters = plan.tables.map((table) => new Inserter(db, table));
  }

  write(block: RowBlock): ArrayBuffer {
    readBlock(block, this.inserters);
    return block.buffer;
  }

  /** Ends the rows and returns how many each table has. */
  finish(): number[] {
    for (const inserter of this.inserters) inserter.flush();
    if (this.plan.append !== true) for (const sql of this.plan.finally) this.db.exec(sql);
    this.db.exec('COMMIT');
    return this.inserters.map(({ rows }) => rows);
  }
}
