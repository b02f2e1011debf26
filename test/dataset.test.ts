// A dataset in Parquet, queried by DuckDB, against a database of the same traces in SQLite: the same rows for every view,
// module and example. And what a dataset promises: traces are added once, a part of one is never seen, nothing else is read.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import {
  Dataset,
  EXAMPLES,
  exportAllToDataset,
  exportToDataset,
  loadTraceFiles,
  MODULES,
  QueryDatabase,
  VIEWS,
} from '@gictrace/query';
import { importToTrace, libraryPath, readScenario } from '@gictrace/recorder';
import { compareScenario, recordScenario } from '@gictrace/replayer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recording, scratch } from './support.ts';

const temp = scratch();
const open: { close(): void }[] = [];
afterAll(() => {
  for (const one of open) one.close();
  temp.dispose();
});

/** A row as text that is the same for both: SQLite and DuckDB give integers as bigints, sums of SQLite may be floats. */
const shown = (row: readonly unknown[]): string =>
  JSON.stringify(row, (_key, value) => (typeof value === 'bigint' ? Number(value) : value));

async function fault(work: Promise<unknown>): Promise<GicTraceError> {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(GicTraceError);
  return error as GicTraceError;
}

/** Traces in the order of their names, which is that of their numbers in a dataset. */
async function traces(): Promise<string[]> {
  const logs = ['its-trigger', 'gicv3-active', 'linux-gicv3-spi-head'];
  const paths: string[] = [];
  for (const log of logs) {
    const path = temp.path(`${log}.gictrace`);
    await importToTrace(recording(`${log}.log.gz`), path, { labels: { kernel: `6.${log.length % 2}`, log } });
    paths.push(path);
  }
  for (const scenario of ['fire', 'move', 'isolation']) {
    const read = readScenario(libraryPath(scenario));
    for (const { design } of compareScenario(read, ['its', 'direct-lpi']).runs) {
      const path = temp.path(`${scenario}.${design.name}.gictrace`);
      recordScenario(read, design, path, { version: 'test', source: 'test' });
      paths.push(path);
    }
  }
  return paths.sort();
}

let paths: string[] = [];
let dataset: Dataset;
let database: QueryDatabase;
beforeAll(async () => {
  paths = await traces();
  await exportAllToDataset(temp.path('fleet'), paths);
  await loadTraceFiles(temp.path('fleet.db'), paths);
  dataset = await Dataset.open(temp.path('fleet'));
  database = new QueryDatabase(temp.path('fleet.db'));
  open.push(dataset, database);
}, 180_000);

describe('the same rows from SQLite and DuckDB', () => {
  const QUERIES = [
    ...[...VIEWS, ...MODULES].map(({ name }) => [name, `SELECT * FROM "${name}"`] as const),
    ...MODULES.map(({ name, example }) => [`example of ${name}`, example] as const),
    ...EXAMPLES.map(({ name, sql }) => [`example ${name}`, sql] as const),
    ['gic_hex', 'SELECT gic_hex(value) AS a, gic_hex(value, 8) AS b, gic_hex(NULL) AS c FROM mmio'] as const,
    [
      'gic_decode',
      'SELECT gic_decode(frame, "offset", value) AS a, gic_register(frame, "offset") AS b FROM mmio',
    ] as const,
    [
      'gic_sysreg',
      'SELECT gic_sysreg(encoding) AS a, gic_sysreg_decode(name, 255) AS b FROM t_sysregs',
    ] as const,
    ['gic_command', 'SELECT gic_command(dw0, dw1, dw2, dw3) AS a FROM k_its_command'] as const,
  ];
  // From what is derived to what it is derived from, so that each has to be found.
  it.each([...QUERIES].reverse())('%s', async (_name, sql) => {
    const lite = database.ask(sql);
    const duck = await dataset.ask(sql);
    expect(duck.columns).toEqual(lite.columns);
    const rows = [...lite.rows].map(shown).sort();
    expect(duck.rows.map(shown).sort()).toEqual(rows);
  });
  it('are compared on traces for which most queries have rows', () => {
    const filled = QUERIES.filter(([, sql]) => [...database.ask(sql).rows].length > 0);
    expect(filled.length).toBeGreaterThan(0.6 * QUERIES.length);
  });
});

describe('an export', () => {
  it('adds a trace once, and continues where one was interrupted', async () => {
    const dir = temp.path('again');
    const [first = '', second = ''] = paths;
    expect(await exportToDataset(dir, first)).toMatchObject({ outcome: 'exported' });
    expect(await exportToDataset(dir, first)).toMatchObject({ outcome: 'there' });
    const { trace } = await exportToDataset(dir, second);
    // As if the process had been killed before its last file but one, and before the manifest's entry.
    rmSync(join(dir, 'table=t_traces', `trace=${trace}`), { recursive: true });
    rmSync(join(dir, '_manifest', `${trace}.json`));
    const count = async () => {
      const one = await Dataset.open(dir);
      const [[n]] = (await one.ask('SELECT count(DISTINCT trace) FROM stimuli')).rows as [[bigint]];
      one.close();
      return n;
    };
    expect(await count()).toBe(1n);
    expect(await exportAllToDataset(dir, [first, second])).toMatchObject({
      exported: 1,
      there: 1,
      failed: [],
    });
    expect(await count()).toBe(2n);
  });

  it('writes the same bytes each time', async () => {
    const files = (dir: string): Map<string, string> =>
      new Map(
        readdirSync(dir, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.includes('.'))
          .sort()
          .map((name) => [name, readFileSync(join(dir, name)).toString('base64')]),
      );
    await exportToDataset(temp.path('once'), paths[0]!);
    await exportToDataset(temp.path('twice'), paths[0]!);
    expect(files(temp.path('twice'))).toEqual(files(temp.path('once')));
  });

  it('goes on after a bad trace, and names it', async () => {
    const bad = temp.path('bad.gictrace');
    writeFileSync(bad, readFileSync(paths[0]!).subarray(0, 900));
    const { exported, failed } = await exportAllToDataset(temp.path('rest'), [bad, paths[0]!]);
    expect(exported).toBe(1);
    expect(failed.map(({ path, error }) => [path, error.code])).toEqual([[bad, 'trace']]);
  });

  it('refuses a folder of other files, and a file', async () => {
    const dir = temp.path('thesis');
    mkdirSync(dir);
    writeFileSync(join(dir, 'chapter.txt'), 'a year of work');
    expect((await fault(exportToDataset(dir, paths[0]!))).code).toBe('usage');
    expect((await fault(exportToDataset(join(dir, 'chapter.txt'), paths[0]!))).code).toBe('usage');
    expect(readdirSync(dir)).toEqual(['chapter.txt']);
  });
});

describe('a query', () => {
  it.each([
    ["COPY (SELECT 1) TO 'out.csv'", /only queries/],
    ['CREATE TABLE x (y INTEGER)', /only queries/],
    ['SELECT 1; SELECT 2', /only queries/],
    ["ATTACH 'x.db'", /only queries/],
    ["SELECT * FROM read_csv('/etc/passwd')", /Permission/],
    ["SELECT * FROM '/etc/passwd'", /SQL/],
    ['SELECT * FROM no_such_view', /interrupts/],
    ['SELECT no_such_column FROM interrupts', /no_such_column/],
    ['SELEC 1', /only queries/],
  ])('%s is refused', async (sql, why) => {
    const error = await fault(dataset.ask(sql));
    expect([error.code, error.line]).toEqual(['usage', expect.stringMatching(why)]);
    expect(existsSync('out.csv')).toBe(false);
  });

  it('finds a view behind an aggregate that only gictrace has, in any case', async () => {
    const own = await Dataset.open(temp.path('fleet'));
    open.push(own);
    const sql = 'SELECT count(*) AS n, percentile(latency_ns, 99) AS p99_ns FROM Interrupts';
    expect((await own.ask(sql)).rows.map(shown)).toEqual([...database.ask(sql).rows].map(shown));
  });

  it('needs a dataset with traces in it', async () => {
    expect((await fault(Dataset.open(temp.path('nowhere')))).line).toMatch(/no such folder/);
    mkdirSync(temp.path('empty/_manifest'), { recursive: true });
    expect((await fault(Dataset.open(temp.path('empty')))).line).toMatch(/without traces/);
  });
});

describe('load', () => {
  const rows = (path: string, sql: string): string[] => {
    const db = new QueryDatabase(path);
    try {
      return [...db.ask(sql).rows].map(shown);
    } finally {
      db.close();
    }
  };
  const [a, b] = [temp.path('both.db'), temp.path('grown.db')];
  const VIEWS_OF_ROWS = VIEWS.map(({ name }) => name).filter((name) => !['checks', 'rules'].includes(name));

  it('--append gives the database that loading both gives, and skips what is there', async () => {
    const two = paths.slice(0, 2);
    await loadTraceFiles(a, two);
    await loadTraceFiles(b, [two[0]!], { append: true });
    expect(await loadTraceFiles(b, two, { append: true })).toMatchObject({ traces: 1, there: [two[0]] });
    for (const view of VIEWS_OF_ROWS) {
      const sql = `SELECT * FROM "${view}" ORDER BY 1, 2, 3`;
      expect(rows(b, sql).sort(), view).toEqual(rows(a, sql).sort());
    }
    const before = readFileSync(b);
    expect(await loadTraceFiles(b, two, { append: true })).toMatchObject({ traces: 0, rows: 0, there: two });
    expect(readFileSync(b).equals(before)).toBe(true);
  });

  it('does not replace a database that has other traces, unless it must', async () => {
    const path = temp.path('keep.db');
    await loadTraceFiles(path, paths.slice(0, 2));
    const before = readFileSync(path);
    const refused = await fault(loadTraceFiles(path, [paths[2]!]));
    expect([refused.code, refused.line]).toEqual(['usage', expect.stringMatching(/--append.*--force/)]);
    expect(readFileSync(path).equals(before)).toBe(true);
    await loadTraceFiles(path, paths.slice(0, 3));
    expect(rows(path, 'SELECT count(*) FROM traces')).toEqual(['[3]']);
    await loadTraceFiles(path, [paths[2]!], { force: true });
    expect(rows(path, 'SELECT count(*) FROM traces')).toEqual(['[1]']);
  });
});
