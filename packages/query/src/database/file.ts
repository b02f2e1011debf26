// Makes a database file. It is written as the temporary file of an output, which gets its name once it is complete.
import { GicTraceError } from '@gictrace/core';
import { OutputFile, type Ownership, type TargetOptions, targetOf } from '@gictrace/recorder/output';
import Database from 'better-sqlite3';
import { APPLICATION_ID } from './table.ts';
import { newDatabase } from './writer.ts';
import { WriterError } from './writers.ts';

/** The byte offset of the application id in SQLite's header, and the header's length. */
const APPLICATION_ID_AT = 68;
const HEADER_BYTES = 100;

const DATABASE: Ownership = {
  what: 'a gictrace database',
  recognises: (head) =>
    head.length >= HEADER_BYTES &&
    head.toString('latin1', 0, 15) === 'SQLite format 3' &&
    head.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID,
};

/** @throws GicTraceError `usage` if `path` may not be that of a database. */
export function checkDatabaseTarget(path: string, options: TargetOptions): void {
  targetOf(path, DATABASE, options);
}

/** The output in which a database is made. @throws GicTraceError `usage` if `path` may not or cannot be written. */
export function databaseOutput(path: string, options: TargetOptions): OutputFile {
  return new OutputFile(path, DATABASE, options);
}

/**
 * Makes the database at `path`, which may replace one that gictrace made, and calls back to fill it.
 * @throws GicTraceError `usage` if `path` may not or cannot be written; `backend` if the disk is full.
 */
export function makeDatabase<T>(
  path: string,
  fill: (db: Database.Database) => T,
  options: TargetOptions = {},
): T {
  const out = databaseOutput(path, options);
  let db: Database.Database | undefined;
  try {
    db = newDatabase(out.partial);
    const made = fill(db);
    db.close();
    db = undefined;
    out.commitWritten();
    return made;
  } catch (error) {
    db?.close();
    out.discard();
    throw databaseFault(error, path);
  }
}

/** An error of SQLite with a message for users; any other error unchanged. */
export function databaseFault(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError || error instanceof WriterError)) return error;
  if (!/^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(error.code)) return error;
  return new GicTraceError('backend', `cannot be written: ${error.message}`, { path });
}
