// The report of many traces: the same page from a database and from a dataset, with the numbers of the modules.
import { readFileSync } from 'node:fs';
import { RecordBatch } from '@gictrace/core';
import { Dataset, exportAllToDataset, loadTraceFiles, QueryDatabase, reportFleet } from '@gictrace/query';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const HOSTILE = '<img src=x onerror=alert(1)>&"';

/** Traces of the recording whose clocks run at other paces: from the seventh on, half as fast. */
async function fleet(): Promise<string[]> {
  const path = temp.path('one.gictrace');
  await imported(recording('its-trigger.log.gz'), path);
  const reader = TraceReader.open(path);
  const all = new RecordBatch(reader.records);
  for (const { batch } of reader.batches()) for (let i = 0; i < batch.count; i++) all.copy(batch, i);
  reader.close();
  return Array.from({ length: 12 }, (_, k) => {
    const pace = (k < 6 ? 1 : 2) + k / 100;
    const labels = {
      kernel: k < 6 ? '6.11' : '6.12',
      build: `${100 + k}`,
      ...(k === 0 ? { note: HOSTILE } : {}),
    };
    const of = temp.path(`boot-${String(k).padStart(2, '0')}.gictrace`);
    const writer = new TraceWriter(of, {
      ...reader.header,
      seed: `${k}`,
      options: { ...reader.header.options, labels },
    });
    const one = new RecordBatch(1);
    for (let i = 0; i < all.count; i++) {
      one.clear();
      one.copy(all, i);
      one.timeNs[0] = Math.round(one.timeNs[0]! * pace);
      writer.record(one, 0);
    }
    writer.close();
    return of;
  });
}

describe('the report of many traces', () => {
  let page = '';
  let db: QueryDatabase;
  let summary: Awaited<ReturnType<typeof reportFleet>>;
  beforeAll(async () => {
    const paths = await fleet();
    await loadTraceFiles(temp.path('fleet.db'), paths);
    await exportAllToDataset(temp.path('fleet'), paths);
    db = new QueryDatabase(temp.path('fleet.db'));
    summary = await reportFleet('fleet', async (sql) => db.ask(sql).rows, temp.path('a.html'), {
      ...{ inputs: [], force: false, version: 'test' },
    });
    page = readFileSync(temp.path('a.html'), 'utf8');
  }, 120_000);
  afterAll(() => db?.close());

  it('is the same from a dataset', async () => {
    const dataset = await Dataset.open(temp.path('fleet'));
    try {
      const other = await reportFleet(
        'fleet',
        async (sql) => (await dataset.ask(sql)).rows,
        temp.path('b.html'),
        {
          ...{ inputs: [], force: false, version: 'test' },
        },
      );
      expect(other).toEqual(summary);
      expect(readFileSync(temp.path('b.html'), 'utf8')).toBe(page);
    } finally {
      dataset.close();
    }
  });

  it('finds what is slower than the baseline, the trend, and the first finding', () => {
    const rows = (sql: string) => [...db.ask(sql).rows].map((row) => row.map(String));
    const slower = rows(
      "SELECT class, phase, change FROM regressions WHERE baseline = '6.11' AND value = '6.12' AND p_adjusted < 0.05 AND z > 0",
    );
    expect(slower.length).toBeGreaterThan(0);
    expect(summary).toMatchObject({ traces: 12, regressions: slower.length });
    for (const [of, phase] of slower)
      expect(page).toMatch(
        new RegExp(`6\\.11 → 6\\.12: ${of} ${phase}</text><rect class="slow"[^>]*fill-opacity="1">`),
      );
    expect(page.match(/fill-opacity="1"/g)).toHaveLength(slower.length);
    for (const [, , change] of slower) expect(page).toContain(`+${change} %`);
    const trends = rows("SELECT class, phase, rho FROM latency_trend WHERE label = 'build' AND p < 0.05");
    expect(summary.trends).toBe(trends.length);
    expect(trends.length).toBeGreaterThan(0);
    for (const [of, phase, rho] of trends)
      expect(page).toContain(
        `<td>build</td><td>${of}</td><td>${phase}</td><td class="n">12</td><td class="n">100</td><td class="n">111</td><td class="n">${Number(rho)}</td>`,
      );
    const found = rows('SELECT rule, traces, findings FROM findings_by_trace');
    expect(summary.findings).toBe(found.length);
    expect(found.length).toBeGreaterThan(0);
    for (const [rule, traces, findings] of found)
      expect(page).toMatch(
        new RegExp(
          `<td>${rule}</td><td>\\w+</td><td class="n">${traces}</td><td class="n">${findings}</td><td>boot-00`,
        ),
      );
    // A mark for each of the traces; the first is another one.
    const marks = page.match(/<rect class="(?:slow|value)"[^>]*><title>boot-/g) ?? [];
    expect(marks.length).toBe(found.reduce((sum, [, traces]) => sum + Number(traces), 0));
  });

  it('has a point for the median and one for the 99th percentile of each trace', () => {
    const medians = [
      ...db.ask('SELECT trace FROM interrupts WHERE latency_ns IS NOT NULL GROUP BY trace').rows,
    ];
    const all = page.match(/<circle [^>]*><title>boot-\d\d\.gictrace: p50 /g) ?? [];
    expect(all.length).toBeGreaterThanOrEqual(medians.length);
    expect(page.match(/<title>boot-\d\d\.gictrace: p99 /g)).toHaveLength(all.length);
  });

  it('shows what is hostile as text, and has no script', () => {
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&amp;&quot;');
    expect(page).toContain("default-src 'none'; style-src 'sha256-");
  });
});
