// The database that is already at the path to which traces are loaded: what it has, so that nothing is replaced silently and
// no trace is added twice.
import { existsSync, statSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import { statOf } from '@gictrace/recorder/input';
import { type Cell, PlainDatabase } from '../database/plain.ts';
import type { Table } from '../database/table.ts';

export interface ExistingDatabase {
  /** The highest number of a trace. */
  readonly last: number;
  /** Its traces: the digest of the content is null for a trace that was not closed. */
  readonly traces: readonly { readonly name: string; readonly digest: string | null }[];
  /** Changes when the file is replaced or written. */
  readonly identity: string;
}

/**
 * What the database at `path` has; undefined if there is no file, or an empty one.
 * @throws GicTraceError `input` if it is no database of this version, or not one of traces.
 */
export function existingDatabase(path: string): ExistingDatabase | undefined {
  const found = statOf(path);
  if (found === undefined || (found.isFile() && found.size === 0)) return undefined;
  const identity = fileIdentity(path);
  const db = new PlainDatabase(path);
  try {
    const rows = (sql: string): Cell[][] => [...db.ask(sql).rows].map((row) => [...row]);
    if (rows("SELECT 1 FROM sqlite_schema WHERE name = 't_traces'").length === 0)
      throw new GicTraceError(
        'input',
        'is a database of gictrace compare or diff, not of traces',
        { path },
        'name another database with -o, or replace it with --force',
      );
    const traces = rows('SELECT trace, name, content_digest FROM t_traces ORDER BY trace');
    return {
      last: traces.reduce((last, [trace]) => Math.max(last, Number(trace)), 0),
      traces: traces.map(([, name, digest]) => ({
        name: String(name),
        digest: digest === null ? null : String(digest),
      })),
      identity,
    };
  } finally {
    db.close();
  }
}

/**
 * Checks that a database has its tables as gictrace makes them, so that rows can be added.
 * @throws GicTraceError `input` if it does not.
 */
export function checkTables(path: string, tables: readonly Pick<Table, 'name' | 'ddl'>[]): void {
  const db = new PlainDatabase(path);
  let made: Map<string, string>;
  try {
    const { rows } = db.ask("SELECT name, sql FROM sqlite_schema WHERE type = 'table'");
    made = new Map([...rows].map(([name, sql]) => [String(name), String(sql)]));
  } finally {
    db.close();
  }
  const damaged = tables.find(({ name, ddl }) => made.get(name) !== ddl);
  if (damaged === undefined) return;
  throw new GicTraceError(
    'input',
    `is damaged: the table ${damaged.name} is missing, or is not as gictrace makes it`,
    { path },
    'load the traces again',
  );
}

/**
 * Checks that no trace is lost if the database at `path` is replaced by one of the traces with these digests.
 * @throws GicTraceError `usage` if one would be.
 */
export function checkReplaceable(path: string, digests: ReadonlySet<string | null>): void {
  if (!existsSync(path)) return;
  let existing: ExistingDatabase | undefined;
  try {
    existing = existingDatabase(path);
  } catch (error) {
    // One of another version cannot be queried or added to: it is made again. Other files are refused by the output.
    if (
      error instanceof GicTraceError &&
      /is a database of version|is not a gictrace database/.test(error.message)
    )
      return;
    throw error;
  }
  const others = existing?.traces.filter(({ digest }) => digest === null || !digests.has(digest)) ?? [];
  if (others.length === 0) return;
  const named = `${others[0]!.name}${others.length === 1 ? '' : ` and ${others.length - 1} more`}`;
  throw new GicTraceError(
    'usage',
    `has traces that are not among these: ${named}`,
    { path },
    'add to it with --append, or replace it with --force',
  );
}

/** Which file is at a path, and in which state. */
export function fileIdentity(path: string): string {
  const { dev, ino, size, mtimeMs } = statSync(path);
  return `${dev} ${ino} ${size} ${mtimeMs}`;
}
