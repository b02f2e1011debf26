// Makes a database file: in the temporary file of an output, which takes its name when all is in it.
import { GicTraceError } from '@gictrace/core';
import { OutputFile, type Ownership, type TargetOptions } from '@gictrace/recorder';
import Database from 'better-sqlite3';
import { APPLICATION_ID, SCHEMA_VERSION } from '../sql/schema.ts';

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

/**
 * Makes the database at `path`, which may replace one of ours, and has it filled.
 * @throws GicTraceError `usage` where `path` may not or cannot be written; `backend` when the disk is full.
 */
export function makeDatabase<T>(
  path: string,
  fill: (db: Database.Database) => T,
  options: TargetOptions = {},
): T {
  const out = new OutputFile(path, DATABASE, options);
  let db: Database.Database | undefined;
  try {
    db = new Database(out.partial);
    for (const pragma of [
      'page_size = 8192',
      'journal_mode = OFF',
      'synchronous = OFF',
      'locking_mode = EXCLUSIVE',
      'temp_store = MEMORY',
      'cache_size = -131072',
    ])
      db.pragma(pragma);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
    const made = fill(db);
    db.close();
    db = undefined;
    out.commitWritten();
    return made;
  } catch (error) {
    db?.close();
    out.discard();
    throw loadFault(error, path);
  }
}

function loadFault(error: unknown, path: string): unknown {
  if (error instanceof Database.SqliteError && /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(error.code))
    return new GicTraceError('backend', `cannot be written: ${error.message}`, { path });
  return error;
}
