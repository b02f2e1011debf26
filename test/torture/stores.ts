// Databases and datasets that are changed: rows, schema, bytes. A copy of a good one is changed in place.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { number, TEXTS } from './values.ts';

/** What is used of better-sqlite3 here. */
interface Database {
  exec(sql: string): void;
  prepare(sql: string): { run(...values: readonly unknown[]): void; all(): unknown[] };
  unsafeMode(on: boolean): void;
  close(): void;
}
const query = fileURLToPath(new URL('../../packages/query/package.json', import.meta.url));
const Database = createRequire(query)('better-sqlite3') as new (path: string) => Database;

const cell = (random: Random): unknown =>
  random.pick<() => unknown>([
    () => null,
    () => number(random),
    () => random.pick([-1, 0.5, 1e300, Number.POSITIVE_INFINITY]),
    () => random.pick([2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]),
    () => random.pick(TEXTS),
    () => Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256))),
  ])();
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Changes bytes of a file, or its length. */
export function spoilBytes(path: string, random: Random): void {
  const bytes = readFileSync(path);
  if (bytes.length === 0) return;
  const where = random.pick([bytes.length, Math.min(bytes.length, 4096), Math.min(bytes.length, 100)]);
  for (let n = 1 + random.below(8); n > 0; n--) {
    // Both ends say what is between them: the head of a database, the foot of a Parquet file.
    const at = random.below(where);
    bytes[random.chance(0.5) ? at : bytes.length - 1 - at] = random.below(256);
  }
  writeFileSync(path, random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length)) : bytes);
}

/** Changes a database. Returns what was done. */
export function spoilDatabase(path: string, random: Random): string {
  if (random.chance(0.25)) {
    spoilBytes(path, random);
    return 'bytes';
  }
  const db = new Database(path);
  const what: string[] = [];
  try {
    db.unsafeMode(true);
    const named = (type: string) =>
      (db.prepare(`SELECT name FROM sqlite_schema WHERE type = '${type}'`).all() as { name: string }[]).map(
        ({ name }) => name,
      );
    for (let n = 1 + random.below(6); n > 0; n--) {
      const table = random.pick(named('table'));
      const columns = (db.prepare(`PRAGMA table_info(${quoted(table)})`).all() as { name: string }[]).map(
        ({ name }) => name,
      );
      const column = random.pick(columns);
      const one = `WHERE rowid IN (SELECT rowid FROM ${quoted(table)} ORDER BY rowid LIMIT 1 OFFSET ${random.below(20)})`;
      const changes: Readonly<Record<string, () => void>> = {
        cell: () => db.prepare(`UPDATE ${quoted(table)} SET ${quoted(column)} = ? ${one}`).run(cell(random)),
        column: () => db.prepare(`UPDATE ${quoted(table)} SET ${quoted(column)} = ?`).run(cell(random)),
        rows: () => db.exec(`DELETE FROM ${quoted(table)} ${random.chance(0.5) ? one : ''}`),
        drop: () => db.exec(`DROP TABLE ${quoted(table)}`),
        rename: () => db.exec(`ALTER TABLE ${quoted(table)} RENAME COLUMN ${quoted(column)} TO "x\u202e"`),
        add: () => db.exec(`ALTER TABLE ${quoted(table)} ADD COLUMN "a\x1b[2J" TEXT DEFAULT '\x1b[31m'`),
        view: () => db.exec(`DROP VIEW ${quoted(random.pick(named('view')))}`),
        lie: () => {
          const view = random.pick(named('view'));
          db.exec(`DROP VIEW ${quoted(view)}; CREATE VIEW ${quoted(view)} AS SELECT ${number(random)} AS x`);
        },
        trigger: () =>
          db.exec(`CREATE TRIGGER t AFTER INSERT ON ${quoted(table)} BEGIN SELECT RAISE(FAIL, 'x'); END`),
        version: () =>
          db.exec(`PRAGMA ${random.pick(['user_version', 'application_id'])} = ${number(random) | 0}`),
        schema: () => {
          db.exec('PRAGMA writable_schema = ON');
          db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(random.pick(TEXTS), table);
        },
      };
      const how = random.pick([
        ...['cell', 'cell', 'cell', 'cell', 'column', 'column'],
        ...Object.keys(changes),
      ]);
      what.push(how);
      try {
        changes[how]!();
      } catch {
        what.push('(not possible)');
      }
    }
  } catch {
    what.push('(no more database)');
  } finally {
    db.close();
  }
  return what.join(' ');
}

/** Changes a dataset: files of its folder. */
export function spoilDataset(folder: string, random: Random): string {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .sort();
  const what: string[] = [];
  for (let n = 1 + random.below(3); n > 0; n--) {
    const path = random.pick(names);
    const how = random.pick(['bytes', 'bytes', 'bytes', 'gone', 'other', 'foreign', 'stray'] as const);
    what.push(how);
    try {
      if (how === 'bytes') spoilBytes(path, random);
      else if (how === 'gone') rmSync(path);
      else if (how === 'other') writeFileSync(path, readFileSync(random.pick(names)));
      else if (how === 'foreign') writeFileSync(path, random.pick(TEXTS));
      else renameSync(path, `${path}.parquet`);
    } catch {
      what.push('(not possible)');
    }
  }
  return what.join(' ');
}

/** Changes one file of a folder of golden cases, by what it is. `change` changes a text. */
export function spoilCases(
  folder: string,
  random: Random,
  change: (text: string, random: Random) => string,
): string {
  const name = random.pick(readdirSync(folder).sort());
  const path = join(folder, name);
  if (name.endsWith('.gictrace')) {
    const { bytes, what } = mutate(readFileSync(path), random);
    writeFileSync(path, bytes);
    return `${name}: ${what}`;
  }
  writeFileSync(path, change(readFileSync(path, 'utf8'), random));
  return name;
}
