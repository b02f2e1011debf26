// What leads a comparison: counts and latencies that differ, in two recordings and against the database of each; and the
// test that says whether two distributions differ.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importToTrace } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryDatabase } from '../database/query.ts';
import { loadTraceFiles } from '../sql/load-files.ts';
import { isBeyondChance, type OverviewRow, overview } from './overview.ts';

const dir = mkdtempSync(join(tmpdir(), 'gictrace-overview-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const log = (name: string) =>
  fileURLToPath(new URL(`../../../../test/recordings/${name}.log.gz`, import.meta.url));
const [a, b] = [join(dir, 'a.gictrace'), join(dir, 'b.gictrace')];
let rows: OverviewRow[];
let db: QueryDatabase;
beforeAll(async () => {
  await importToTrace(log('linux-gicv3-spi-head'), a, {});
  await importToTrace(log('linux-gicv3-qemu-11'), b, {});
  rows = overview(a, b);
  const file = join(dir, 'both.db');
  await loadTraceFiles(file, [a, b]);
  db = new QueryDatabase(file);
});
afterAll(() => db?.close());

describe('two boots', () => {
  it('counts are those of the views, and all that differ are there', () => {
    const wanted = new Map<string, number[]>();
    const ask = (sql: string, of: (row: readonly unknown[]) => string) => {
      for (const row of db.ask(sql).rows) {
        const [trace, n] = [Number(row[0]), Number(row[1])];
        const pair = wanted.get(of(row)) ?? [0, 0];
        pair[trace - 1] = n;
        wanted.set(of(row), pair);
      }
    };
    ask(
      "SELECT trace, count(*), op, coalesce(outcome, 'unknown') FROM its_commands GROUP BY 1, 3, 4",
      (row) => `commands: ${row[2]}${row[3] === 'unknown' ? '' : ` ${row[3]}`}`,
    );
    ask(
      "SELECT trace, count(*), coalesce(outcome, 'unknown') FROM msis GROUP BY 1, 3",
      (row) => `messages: ${row[2]}`,
    );
    ask('SELECT trace, count(*), made_by FROM mappings GROUP BY 1, 3', (row) => `mappings: ${row[2]}`);
    ask('SELECT trace, count(*), rule FROM findings GROUP BY 1, 3', (row) => `findings: ${row[2]}`);
    const differing = [...wanted].filter(([, [p, q]]) => p !== q);
    expect(differing.length).toBeGreaterThan(5);
    const counts = rows.filter(({ topic, unit }) => unit === 'count' && topic !== 'interrupts');
    expect(new Map(counts.map(({ topic, what, a, b }) => [`${topic}: ${what}`, [a, b]]))).toEqual(
      new Map(differing),
    );
    const sum = (of: 'a' | 'b') =>
      rows.filter(({ topic }) => topic === 'interrupts').reduce((n, row) => n + (row[of] ?? 0), 0);
    expect(sum('a')).not.toBe(sum('b'));
  });

  it('medians are those of the lifetimes', () => {
    const latencies = rows.filter(({ topic }) => topic === 'latency');
    expect(latencies.length).toBeGreaterThan(1);
    const ppi = latencies.find(({ what }) => what === 'PPI wait p50')!;
    const medianOf = (trace: number) => {
      const sql = `SELECT latency_ns FROM interrupts WHERE trace = ${trace} AND INTID BETWEEN 16 AND 31 AND latency_ns IS NOT NULL AND pended IS NOT NULL ORDER BY 1`;
      const all = [...db.ask(sql).rows].map(([ns]) => Number(ns));
      return all[Math.ceil(all.length / 2) - 1];
    };
    expect([ppi.a, ppi.b]).toEqual([medianOf(1), medianOf(2)]);
  });

  it('nothing differs of a trace and itself', () => {
    expect(overview(a, a).filter(({ a, b }) => a !== b)).toEqual([]);
  });
});

describe('beyond chance', () => {
  it('a shift of many, not of few; the same never', () => {
    const of = (n: number, shift: number) =>
      [10, 20, 30, 50].map((bound, k) => [bound, k === shift || k === shift + 1 ? n : 0] as const);
    expect(isBeyondChance(of(1000, 0), of(1000, 1))).toBe(true);
    expect(isBeyondChance(of(3, 0), of(3, 1))).toBe(false);
    expect(isBeyondChance(of(1000, 0), of(1000, 0))).toBe(false);
    expect(isBeyondChance([], of(1000, 0))).toBe(false);
  });

  it('the bound of the test for two samples of 100 is 0.2305', () => {
    const halves = (low: number) =>
      [
        [10, low],
        [20, 100 - low],
      ] as const;
    expect(isBeyondChance(halves(50), halves(73))).toBe(false);
    expect(isBeyondChance(halves(50), halves(74))).toBe(true);
  });
});
