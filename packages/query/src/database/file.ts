// Makes a database file: in a temporary file that is renamed when all is in it. A file that is not ours is not replaced.
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import Database from 'better-sqlite3';
import { APPLICATION_ID, SCHEMA_VERSION } from '../sql/schema.ts';

/**
 * Makes the database at `path`, which may replace one of ours, and has it filled.
 * @throws GicTraceError `usage` where `path` cannot be written or is another file; `backend` when the disk is full.
 */
export function makeDatabase<T>(path: string, fill: (db: Database.Database) => T): T {
  refuseForeign(path);
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  let db: Database.Database | undefined;
  try {
    db = new Database(partial);
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
    renameSync(partial, path);
    return made;
  } catch (error) {
    db?.close();
    rmSync(partial, { force: true });
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CANTOPEN'))
      throw new GicTraceError('usage', 'cannot be written: no such directory, or no permission', { path });
    throw loadFault(error, path);
  }
}

function loadFault(error: unknown, path: string): unknown {
  if (error instanceof TypeError && /directory does not exist/.test(error.message))
    return new GicTraceError('usage', 'cannot be written: no such directory', { path });
  if (error instanceof Database.SqliteError && /^SQLITE_(FULL|IOERR|READONLY)/.test(error.code))
    return new GicTraceError('backend', `cannot be written: ${error.message}`, { path });
  return error;
}

/** A file that is not ours is not replaced. */
function refuseForeign(path: string): void {
  if (!existsSync(path)) return;
  const head = Buffer.alloc(72);
  try {
    const fd = openSync(path, 'r');
    try {
      const n = readSync(fd, head, 0, 72, 0);
      if (n === 0) return;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new GicTraceError(
      'usage',
      `cannot be replaced: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
      { path },
    );
  }
  if (head.toString('latin1', 0, 15) !== 'SQLite format 3' || head.readUInt32BE(68) !== APPLICATION_ID)
    throw new GicTraceError(
      'usage',
      'exists and is not a gictrace database',
      { path },
      'name another file with -o',
    );
}
