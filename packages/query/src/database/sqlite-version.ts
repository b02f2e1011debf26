// Whether better-sqlite3 loads, and which SQLite it has.
import Database from 'better-sqlite3';

/** SQLite's version, from a database that is opened in memory. Throws what better-sqlite3 throws where it does not load. */
export function sqliteVersion(): string {
  const db = new Database(':memory:');
  try {
    return (db.prepare('SELECT sqlite_version() AS version').get() as { version: string }).version;
  } finally {
    db.close();
  }
}
