// The page into which logs are dropped, in a real browser: what it makes of a file is what the command makes of it, and it
// asks nobody for anything.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { answerLines, loadTraceFiles, QueryDatabase, why } from '@gictrace/query';
import { importFtraceToTrace, importToTrace, TraceReader } from '@gictrace/recorder';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, launch } from './browser.ts';
import { recording, scratch } from './support.ts';
import { type BuiltPage, buildPage, digestOf, drop, openPage, settled } from './web.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const page = temp.path('index.html');
let built: BuiltPage;
beforeAll(async () => {
  built = await buildPage(page);
}, 60_000);

it('has core, recorder, replayer and query without a module of Node', () => {
  for (const name of ['core', 'recorder', 'replayer', 'query'])
    expect(built.modules.filter((id) => id.includes(`/packages/${name}/src/`)).length).toBeGreaterThan(10);
  expect(built.worker).not.toMatch(/require\(|from\s*["']node:|import\s*["']node:/);
  expect(built.bytes).toBeLessThan(1_500_000);
});

describe.skipIf(CHROMIUM === undefined)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  async function answered(tab: Page, sql: string): Promise<string[][]> {
    await tab.getByLabel('SQL', { exact: true }).and(tab.locator('textarea')).fill(sql);
    await tab.locator('.result').evaluate((one) => one.replaceChildren());
    await tab.getByRole('button', { name: 'Run' }).click();
    await tab.locator('.result table, .problem:visible').first().waitFor({ timeout: 20_000 });
    return tab
      .locator('.result tbody tr')
      .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
  }

  it('imports a QEMU log as the command does; report, SQL with functions, and why', async () => {
    const trace = temp.path('trigger.gictrace');
    const log = recording('its-trigger.log.gz');
    const { summary } = await importToTrace(log, trace, {});
    const { page: tab, wrong, requests } = await openPage(browser, page);
    await drop(tab, log, 'its-trigger.log.gz');
    await settled(tab);
    expect(await digestOf(tab)).toBe(summary.contentDigest);

    const report = tab.frameLocator('iframe');
    await report.locator('.badge').first().waitFor({ timeout: 30_000 });
    expect(await report.locator('.badge').first().textContent()).toMatch(
      /^SAME\s*836 records replayed .* 0 diverged$/,
    );
    expect(await report.locator('canvas').count()).toBeGreaterThan(0);

    await tab.getByRole('tab', { name: 'SQL' }).click();
    await tab.locator('.result table').waitFor({ timeout: 30_000 });
    const file = temp.path('trigger.db');
    await loadTraceFiles(file, [trace]);
    const db = new QueryDatabase(file);
    for (const sql of [
      'SELECT * FROM interrupts',
      'SELECT record, op, DeviceID, outcome FROM its_commands ORDER BY record',
      'SELECT * FROM gic_state(1, 800) LIMIT 1900',
      "SELECT c.record, s.name, s.value FROM (SELECT record FROM its_commands LIMIT 3) c, gic_state(1, c.record) s WHERE s.kind = 'pe'",
      'SELECT pe, median(INTID), percentile(pended, 90), gic_hex(-9223372036854775807, 4) FROM interrupts GROUP BY pe',
    ]) {
      const wanted = [...db.ask(sql).rows].map((row) =>
        row.map((cell) => (cell === null ? '-' : String(cell))),
      );
      expect(wanted.length, sql).toBeGreaterThan(0);
      expect(await answered(tab, sql), sql).toEqual(wanted);
    }
    db.close();
    expect(await answered(tab, 'DELETE FROM interrupts')).toEqual([]);
    expect(await tab.locator('.problem').textContent()).toMatch(/only queries are allowed/);
    expect(await answered(tab, 'SELECT * FROM gic_state(1, 5000)')).toEqual([]);
    expect(await tab.locator('.problem').textContent()).toMatch(/trace 1 has records 0 to 835, not 5000/);

    await tab.getByRole('tab', { name: 'Why' }).click();
    await tab.getByLabel('INTID', { exact: true }).fill('0x2003');
    await tab.getByRole('button', { name: 'Why?' }).click();
    await tab.locator('.answer').waitFor();
    const reader = TraceReader.open(trace);
    const asked = {
      config: reader.header.config,
      records: reader.records,
      batches: (from?: number) => reader.batches(from),
    };
    expect(await tab.locator('.answer').textContent()).toBe(
      answerLines(why(asked, { intid: 0x2003 }), true).join('\n'),
    );
    reader.close();
    expect(wrong).toEqual([]);
    expect(requests).toEqual([]);
  }, 90_000);

  it('opens a trace of the command, which is compressed, and an ftrace text; refuses what is neither', async () => {
    const trace = temp.path('plugin.gictrace');
    const { summary } = await importToTrace(recording('linux-gicv3-plugin-head.log.gz'), trace, {});
    const text = temp.path('report.txt');
    writeFileSync(text, execFileSync('xz', ['-dc', recording('ftrace/tc-report-R.txt.xz')]));
    const ftrace = await importFtraceToTrace(text, temp.path('ftrace.gictrace'));
    const { page: tab, wrong, requests } = await openPage(browser, page);
    await tab.setInputFiles('#chooser', [trace, text]);
    await settled(tab, 0);
    await settled(tab, 1);
    expect(await digestOf(tab, 0)).toBe(summary.contentDigest);
    expect(await digestOf(tab, 1)).toBe(ftrace.summary.contentDigest);
    await tab.getByRole('tab', { name: 'plugin.gictrace' }).click();
    const badge = tab
      .locator('iframe[title="Report of plugin.gictrace"]')
      .contentFrame()
      .locator('.badge')
      .first();
    await badge.waitFor({ timeout: 30_000 });
    expect(await badge.textContent()).toMatch(`${summary.records.toLocaleString('en-US')} records replayed`);

    const junk = temp.path('junk.log');
    writeFileSync(junk, 'nothing that is known\n'.repeat(10));
    await tab.setInputFiles('#chooser', junk);
    await tab.locator('.problem:visible').waitFor();
    expect(await tab.locator('.problem:visible').textContent()).toMatch(
      /^junk\.log: begins with "nothing that is known" and has no line of a log that can be imported/,
    );
    const cut = temp.path('cut.log.gz');
    writeFileSync(cut, readFileSync(recording('its-trigger.log.gz')).subarray(0, 3000));
    await tab.setInputFiles('#chooser', cut);
    await tab.getByText('the file is damaged or cut').waitFor();
    expect(wrong).toEqual([]);
    expect(requests).toEqual([]);
  }, 90_000);
});
