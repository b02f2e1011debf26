// Makes a database file: in the temporary file of an output, which takes its name when all is in it.
import { GicTraceError } from '@gictrace/core';
import { OutputFile, type Ownership, type TargetOptions } from '@gictrace/recorder/output';
import Database from 'better-sqlite3';
import { APPLICATION_ID } from './table.ts';
import { newDatabase } from './writer.ts';
import { WriterError } from './writers.ts';

/** Byte offset of the application id in SQLite's header, and the header's length. */
const APPLICATION_ID_AT = 68;
const HEADER_BYTES = 100;

const DATABASE: Ownership = {
  what: 'a gictrace database',
  recognises: (head) =>
    head.length >= HEADER_BYTES &&
    head.toString('latin1', 0, 15) === 'SQLite format 3' &&
    head.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID,
};

/** Where a database is made until it is whole. @throws GicTraceError `usage` where `path` may not or cannot be written. */
export function databaseOutput(path: string, options: TargetOptions): OutputFile {
  return new OutputFile(path, DATABASE, options);
}

/**
 * Makes the database at `path`, which may replace one of ours, and has it filled.
 * @throws GicTraceError `usage` where `path` may not or cannot be written; `backend` when the disk is full.
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

/** An error of SQLite as users read it; any other as it is. */
export function databaseFault(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError || error instanceof WriterError)) return error;
  if (!/^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(error.code)) return error;
  return new GicTraceError('backend', `cannot be written: ${error.message}`, { path });
}
