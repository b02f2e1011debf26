// A database that comes from someone else: it has no code that runs, and makes gictrace open nothing.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { LOG, run, scratch } from './run.test-support.ts';

/** What is used of better-sqlite3 here. */
interface Database {
  exec(sql: string): void;
  prepare(sql: string): { run(...values: readonly unknown[]): void };
  unsafeMode(on: boolean): void;
  close(): void;
}
const Database = createRequire(import.meta.url)('better-sqlite3') as new (path: string) => Database;
const dir = scratch();
const at = (name: string) => join(dir, name);
const trace = at('trace.gictrace');
const good = at('good.db');

/** A copy of the good database that someone has changed. */
function hostile(change: (db: Database) => void): string {
  const path = at('hostile.db');
  copyFileSync(good, path);
  const db = new Database(path);
  db.unsafeMode(true);
  change(db);
  db.close();
  return path;
}

/** Runs work, and says whether a FIFO was opened meanwhile: then its writer goes on. */
async function opened(work: (fifo: string) => Promise<void>): Promise<boolean> {
  const fifo = at('fifo');
  if (!existsSync(fifo)) expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
  const writer = spawn('sh', ['-c', 'exec > "$0"', fifo]);
  let went = false;
  const ended = new Promise<void>((resolve) => {
    writer.once('exit', (code) => {
      went = code === 0;
      resolve();
    });
  });
  await work(fifo);
  await new Promise((resolve) => setTimeout(resolve, 100));
  writer.kill('SIGKILL');
  await ended;
  return went;
}

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
  expect((await run('load', trace, '-o', good)).code).toBe(0);
});

it('a FIFO that is opened is noticed', async () => {
  expect(await opened(async (fifo) => void spawnSync('sh', ['-c', ': < "$0"', fifo]))).toBe(true);
});

it.each([
  ['a trigger', 'CREATE TRIGGER evil AFTER INSERT ON t_traces BEGIN DELETE FROM t_traces; END'],
  ['a virtual table', 'CREATE VIRTUAL TABLE evil USING fts5(text)'],
])('%s is refused, also where rows would be added', async (_what, sql) => {
  const path = hostile((db) => db.exec(sql));
  const before = readFileSync(path);
  for (const line of [
    ['query', path, 'SELECT count(*) FROM stimuli'],
    ['load', '--append', trace, '-o', path],
    ['bisect', path, '--sql', 'SELECT 1 WHERE :record > 1'],
  ]) {
    const { code, err } = await run(...line);
    expect([code, err]).toEqual([2, expect.stringMatching(/^gictrace: [^\n]*evil[^\n]*\n$/)]);
  }
  expect(readFileSync(path).equals(before)).toBe(true);
});

it.each([
  ['is missing', 'DROP TABLE t_waits'],
  ['has another column', 'ALTER TABLE t_waits ADD COLUMN more TEXT'],
  ['has a column of another name', 'ALTER TABLE t_waits RENAME COLUMN pe TO cpu'],
])('nothing is added if a table %s', async (_what, sql) => {
  const path = hostile((db) => db.exec(sql));
  const before = readFileSync(path);
  const { code, err } = await run('load', '--append', trace, '-o', path);
  expect([code, err]).toEqual([2, expect.stringMatching(/^gictrace: [^\n]*t_waits[^\n]*\n$/)]);
  expect(readFileSync(path).equals(before)).toBe(true);
});

it('a view cannot call gic_state, so that asking for it opens nothing', async () => {
  expect(
    await opened(async (fifo) => {
      const path = hostile((db) => {
        db.prepare('UPDATE t_traces SET path = ?').run(fifo);
        db.exec('DROP VIEW interrupts; CREATE VIEW interrupts AS SELECT * FROM gic_state(1, 10)');
      });
      const { code, err } = await run('query', path, 'SELECT * FROM interrupts');
      expect([code, err]).toEqual([
        2,
        expect.stringMatching(/^gictrace: SQL: (unsafe use|no such table)[^\n]*gic_state[^\n]*\n$/),
      ]);
    }),
  ).toBe(false);
});

it('gic_state answers for the trace that was loaded, and says nothing about any other file', async () => {
  const sql = 'SELECT count(*) FROM gic_state(1, 10)';
  expect((await run('query', good, sql)).code).toBe(0);
  const secret = at('secret');
  writeFileSync(secret, 'a secret');
  const other = fileURLToPath(
    new URL(
      '../../../goldens/conformance/cpu-interface/cpu.idle@architecture.golden.gictrace',
      import.meta.url,
    ),
  );
  for (const path of [secret, other, at('none'), '/dev/null', join(secret, 'x')]) {
    const { code, err } = await run(
      'query',
      hostile((db) => db.prepare('UPDATE t_traces SET path = ?').run(path)),
      sql,
    );
    expect(code).toBe(2);
    expect(err.replace(path, 'PATH')).toMatch(
      /^gictrace: (PATH: gic_state needs the trace that was loaded, which is no longer here as it was|gic_state: trace 1 was not loaded from a file) \(load the traces again\)\n$/,
    );
  }
  expect(
    await opened(async (fifo) => {
      const { code } = await run(
        'query',
        hostile((db) => db.prepare('UPDATE t_traces SET path = ?').run(fifo)),
        sql,
      );
      expect(code).toBe(2);
    }),
  ).toBe(false);
});
