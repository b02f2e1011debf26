// What the report of many traces does not show, it says.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { scratch } from '../testing/synthetic.ts';
import { type FleetCell, reportFleet } from './fleet.ts';
import { duration } from './fleet-pictures.ts';

const folder = scratch();
afterAll(() => folder.dispose());

/** A page from modules that have so many rows. */
async function pageOf(rows: Readonly<Record<string, number>>): Promise<string> {
  const row: Readonly<Record<string, readonly FleetCell[]>> = {
    latency_trend: ['build', 'SPI', 'queueing', 12, 1, 12, 0.9, 0.01, 5],
    regressions: ['kernel', 'a', 'b', 'SPI', 'queueing', 6, 6, 100, 200, 100, 2.5, 0.01, 0.02],
    latency_by_label: ['kernel', 'a', 'SPI', 5, 100, 150, 200],
    unusual_traces: [1, 'boot', 'SPI', 'queueing', 5, 100, 50, 5],
  };
  const path = folder.path('fleet.html');
  const ask = async (sql: string) => {
    const name = Object.keys(row).find((module) => sql.includes(` FROM ${module} `));
    return name === undefined ? [] : Array(rows[name] ?? 0).fill(row[name]);
  };
  await reportFleet('fleet', ask, path, { inputs: [], force: true, version: 'test' });
  return readFileSync(path, 'utf8');
}

describe('what is not shown', () => {
  it('is counted, and the module named that has it', async () => {
    const page = await pageOf({
      ...{ latency_trend: 61, regressions: 1062, latency_by_label: 64, unusual_traces: 90 },
    });
    const said = [...page.matchAll(/([\d,]+) more (\w+) are not shown: all are in <code>(\w+)<\/code>/g)];
    expect(said.map(([, n, what, module]) => [n, what, module])).toEqual([
      ['1', 'rows', 'latency_trend'],
      ['1,032', 'bars', 'regressions'],
      ['1,002', 'rows', 'regressions'],
      ['4', 'lines', 'latency_by_label'],
      ['30', 'rows', 'unusual_traces'],
    ]);
    expect(page.match(/<rect class="slow"/g)).toHaveLength(30);
  });

  it('is nothing where everything is shown', async () => {
    const page = await pageOf({
      ...{ latency_trend: 60, regressions: 30, latency_by_label: 60, unusual_traces: 60 },
    });
    expect(page).not.toContain('not shown');
    expect(page.match(/<rect class="slow"/g)).toHaveLength(30);
  });
});

it.each([
  [0, '0 ns'],
  [999, '999 ns'],
  [1234, '1.23 µs'],
  [-1_500_000, '-1.5 ms'],
  [12_345_678_901, '12.3 s'],
])('a duration of %i ns', (ns, text) => expect(duration(ns)).toBe(text));
