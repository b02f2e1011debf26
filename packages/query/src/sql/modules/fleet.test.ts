// The modules about many traces, on traces whose medians are given here: in SQLite and in DuckDB, and beside tests that are
// computed in another way.
import { DuckDBInstance } from '@duckdb/node-api';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { FLEET_MODULES } from './fleet.ts';

interface Trace {
  readonly labels: Readonly<Record<string, string>>;
  /** How long each interrupt waits, in nanoseconds. */
  readonly waits: readonly number[];
}

const COLUMNS = ['trace', 'INTID', 'pe', 'pended', 'signalled', 'acknowledged', 'eoi', 'deactivated'];
const TIMES = ['pended_ns', 'signalled_ns', 'acknowledged_ns', 'eoi_ns', 'deactivated_ns'];

/** The private tables that these modules read, as statements that both understand. */
function statements(traces: readonly Trace[]): string[] {
  const numbers = (names: readonly string[]) => names.map((name) => `${name} BIGINT`).join(', ');
  const interrupts = traces.flatMap(({ waits }, k) =>
    waits.map(
      (ns, i) => `(${k + 1}, 27, 0, ${i}, NULL, ${i + 1}, NULL, NULL, 1000, NULL, ${1000 + ns}, NULL, NULL)`,
    ),
  );
  const labels = traces.flatMap(({ labels }, k) =>
    Object.entries(labels).map(([name, value]) => `(${k + 1}, '${name}', '${value}')`),
  );
  return [
    `CREATE TABLE t_interrupts(${numbers([...COLUMNS, ...TIMES])})`,
    `CREATE TABLE t_vinterrupts(${numbers([...COLUMNS, ...TIMES, 'vINTID', 'vPEID', 'LR'])})`,
    'CREATE TABLE t_labels(trace BIGINT, label VARCHAR, value VARCHAR)',
    `INSERT INTO t_interrupts VALUES ${interrupts.join(', ')}`,
    `INSERT INTO t_labels VALUES ${labels.join(', ')}`,
  ];
}

type Row = Record<string, unknown>;

/** What a module answers, which is the same in both. */
async function answer(name: string, traces: readonly Trace[]): Promise<Row[]> {
  const { sql } = FLEET_MODULES.find((one) => one.name === name)!;
  const sqlite = new Database(':memory:');
  for (const statement of statements(traces)) sqlite.exec(statement);
  const rows = sqlite.prepare(sql).all() as Row[];
  sqlite.close();
  const instance = await DuckDBInstance.create(':memory:');
  const duckdb = await instance.connect();
  for (const statement of statements(traces)) await duckdb.run(statement);
  const other = (await duckdb.runAndReadAll(sql))
    .getRowObjects()
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([column, cell]) => [column, typeof cell === 'bigint' ? Number(cell) : cell]),
      ),
    );
  duckdb.closeSync();
  expect(other).toEqual(rows);
  return rows;
}

/** The probability of at least this |z|, by summing the density. */
function chance(z: number): number {
  const step = 1e-4;
  let sum = 0;
  for (let x = Math.abs(z) + step / 2; x < 12; x += step) sum += Math.exp((-x * x) / 2);
  return (2 * sum * step) / Math.sqrt(2 * Math.PI);
}

const of = (kernel: string, median: number): Trace => ({
  labels: { kernel },
  waits: [median - 7, median, median + 900],
});

describe('regressions', () => {
  it('is the Mann-Whitney test of the medians, with ties', async () => {
    const before = [100, 110, 120, 130, 140, 150];
    const after = [130, 150, 160, 170, 180, 190, 200];
    const rows = await answer('regressions', [
      ...before.map((ns) => of('6.11', ns)),
      ...after.map((ns) => of('6.12', ns)),
      // Too few to say anything of.
      ...[500, 600].map((ns) => of('6.13', ns)),
    ]);
    expect(rows).toHaveLength(2);
    const [down, up] = ['6.12', '6.11'].map(
      (baseline) => rows.find((row) => row.baseline === baseline && row.class === 'PPI')!,
    ) as [Row, Row];
    // U by counting pairs, and its spread from all 1,716 ways to choose the seven traces.
    const all = [...before, ...after];
    const count = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, x) => sum + b.reduce((n, y) => n + (x > y ? 1 : x === y ? 0.5 : 0), 0), 0);
    const us: number[] = [];
    const choose = (from: number, left: number, chosen: readonly number[]): void => {
      if (left === 0) {
        const rest = all.filter((_, k) => !chosen.includes(k));
        us.push(
          count(
            chosen.map((k) => all[k]!),
            rest,
          ),
        );
        return;
      }
      for (let k = from; k <= all.length - left; k++) choose(k + 1, left - 1, [...chosen, k]);
    };
    choose(0, after.length, []);
    expect(us).toHaveLength(1716);
    const mean = (after.length * before.length) / 2;
    const spread = Math.sqrt(us.reduce((sum, u) => sum + (u - mean) ** 2, 0) / us.length);
    const z = (Math.abs(count(after, before) - mean) - 0.5) / spread;
    expect(up.z).toBeCloseTo(z, 2);
    expect(down.z).toBeCloseTo(-z, 2);
    expect(up.p).toBeCloseTo(chance(z), 4);
    expect(up).toMatchObject({
      ...{ label: 'kernel', value: '6.12', phase: 'queueing', baseline_traces: 6, traces: 7 },
      ...{ baseline_ns: 125, p50_ns: 170, change: 36, tests: 1 },
    });
    // The exact test says the same: how many of all ways are at least as far off.
    const off = Math.abs(count(after, before) - mean);
    const exact = us.filter((u) => Math.abs(u - mean) >= off).length / us.length;
    expect(Math.abs(exact - (up.p as number))).toBeLessThan(0.005);
  });

  it('finds nothing where both sides are the same, and multiplies p by the number of tests', async () => {
    const same = [100, 110, 120, 130, 140];
    const [row] = await answer('regressions', [
      ...same.map((ns) => of('a', ns)),
      ...same.map((ns) => of('b', ns)),
    ]);
    expect(row).toMatchObject({ z: 0, p: 1, p_adjusted: 1, change: 0 });
    const equal = await answer('regressions', [...same.map(() => of('a', 5)), ...same.map(() => of('b', 5))]);
    expect(equal[0]).toMatchObject({ z: 0, p: 1 });
  });
});

describe('latency_trend', () => {
  const build = (n: number | string, ns: number): Trace => ({ labels: { build: `${n}` }, waits: [ns] });

  it('is the rank correlation with a label of whole numbers, with its slope', async () => {
    const rows = await answer(
      'latency_trend',
      Array.from({ length: 12 }, (_, k) => build(100 + k, 1000 + 50 * k)),
    );
    expect(rows).toEqual([
      {
        ...{ label: 'build', class: 'PPI', phase: 'queueing', traces: 12, from_value: 100, to_value: 111 },
        ...{ rho: 1, p: Number(chance(Math.sqrt(11)).toFixed(4)), slope_ns: 50 },
      },
    ]);
    const waits = [30, 10, 50, 40, 20, 70, 60, 90, 80, 100];
    const [row] = await answer(
      'latency_trend',
      waits.map((ns, k) => build(k, ns)),
    );
    // 1 - 6 (sum of squared differences of ranks) / (n (n² - 1))
    const d2 = waits.reduce((sum, ns, k) => sum + (ns / 10 - (k + 1)) ** 2, 0);
    expect(row!.rho).toBeCloseTo(1 - (6 * d2) / 990, 3);
  });

  it('leaves out labels that are not whole numbers, and too few traces', async () => {
    const versions = Array.from({ length: 12 }, (_, k) => build(`6.${k}`, 100 + k));
    expect(await answer('latency_trend', versions)).toEqual([]);
    expect(
      await answer(
        'latency_trend',
        Array.from({ length: 9 }, (_, k) => build(k, 100 + k)),
      ),
    ).toEqual([]);
    const [flat] = await answer(
      'latency_trend',
      Array.from({ length: 10 }, (_, k) => build(k, 7)),
    );
    expect(flat).toMatchObject({ rho: null, p: null, slope_ns: null });
  });
});
