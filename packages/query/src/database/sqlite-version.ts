// Checks whether better-sqlite3 loads, and which SQLite it contains.
import Database from 'better-sqlite3';

/** SQLite's version, from a database in memory. Throws the error of better-sqlite3 if that does not load. */
export function sqliteVersion(): string {
  const db = new Database(':memory:');
  try {
    return (db.prepare('SELECT sqlite_version() AS version').get() as { version: string }).version;
  } finally {
    db.close();
  }
}
