// SQL in the page of a report: SQLite in a thread, over what the page holds.
import { loadTraces, QueryDatabase, reportTraces } from '@gictrace/query';
import { TraceReader } from '@gictrace/recorder';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, launch, openReport, shownText, until } from './browser.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

describe.skipIf(CHROMIUM === undefined)('a report with SQLite', () => {
  let browser: Browser;
  let db: QueryDatabase;
  const file = temp.path('sql.html');
  const trace = temp.path('trigger.gictrace');
  beforeAll(async () => {
    browser = await launch();
    await imported(recording('its-trigger.log.gz'), trace);
    // Twice, so that a number of a trace has a meaning.
    reportTraces([trace, trace], file, { version: 'test', sql: true });
    const path = temp.path('trigger.db');
    const reader = TraceReader.open(trace);
    const { header } = reader;
    loadTraces(path, [
      { name: 'trigger', header, contentDigest: null, semanticDigest: null, batches: reader.batches() },
    ]);
    reader.close();
    db = new QueryDatabase(path);
  }, 180_000);
  afterAll(async () => {
    db?.close();
    await browser?.close();
  });

  const said = (page: Page) => shownText(page.locator('#sql output'));
  const ask = async (page: Page, sql: string) => {
    await page.getByLabel('SQL', { exact: true }).fill(sql);
    await page.getByRole('button', { name: 'run' }).click();
    await until(page, "!/loading|running/.test(document.querySelector('#sql output').textContent)");
  };
  const cells = (page: Page) =>
    page
      .locator('#sql tbody tr')
      .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
  const opened = async (act: (page: Page) => Promise<void>) => {
    const { page, wrong, requests } = await openReport(browser, file);
    try {
      await act(page);
      expect({ wrong, requests: requests.filter((url) => !url.startsWith('blob:')) }).toEqual({
        wrong: [],
        requests: [],
      });
    } finally {
      await page.close();
    }
  };

  it('answers as the database does, and a record in an answer leads to its moment', async () => {
    await opened(async (page) => {
      for (const sql of [
        'SELECT INTID, pe, count(*) AS n, median(latency_ns) AS p50 FROM interrupts WHERE trace = 1 GROUP BY 1, 2 ORDER BY 1, 2',
        "SELECT record, register, gic_hex(value) AS value FROM mmio WHERE trace = 1 AND direction = 'write' AND register LIKE 'GITS%' ORDER BY record LIMIT 90",
        'SELECT op, outcome, count(*) AS n FROM its_commands WHERE trace = 1 GROUP BY 1, 2 ORDER BY 1',
      ]) {
        await ask(page, sql);
        const wanted = [...db.ask(sql).rows].map((row) =>
          row.map((cell) => (cell === null ? '' : `${cell}`)),
        );
        const shown = (await cells(page)).map((row) => row.map((cell) => cell.replaceAll(',', '')));
        expect(wanted.length).toBeGreaterThan(0);
        expect(shown).toEqual(wanted);
      }
      // The second trace has a record of its own.
      await ask(page, 'SELECT trace, record FROM its_commands ORDER BY trace DESC, record LIMIT 1');
      const [[of, record] = []] = await cells(page);
      expect(of).toBe('2');
      await page.locator('#sql tbody button').first().click();
      const mark = await page.evaluate<{ trace: number }>('gictraceReport.view.mark');
      expect(mark.trace).toBe(1);
      expect(
        await page.evaluate('gictraceReport.models[1].moments.record[gictraceReport.view.mark.moment]'),
      ).toBe(Number(record!.replaceAll(',', '')));
      await until(page, "location.hash.includes('sql=SELECT%20trace')");
    });
  });

  it('leads to no trace where the answer does not say of which it is', async () => {
    await opened(async (page) => {
      await ask(page, 'SELECT record FROM its_commands ORDER BY record LIMIT 1');
      expect((await cells(page)).length).toBe(1);
      expect(await page.locator('#sql tbody button').count()).toBe(0);
    });
  });

  it('answers every example, with the trace in each', async () => {
    await opened(async (page) => {
      const examples = page.getByLabel('examples', { exact: true });
      const queries = await examples
        .locator('option')
        .evaluateAll((options) => options.map((option) => option.getAttribute('value')!).filter(Boolean));
      expect(queries.length).toBe(5);
      const columns: string[] = [];
      for (const sql of queries) {
        await ask(page, sql);
        expect(await said(page)).toMatch(/^[\d,]+ rows?/);
        const head = page.locator('#sql thead th').first();
        if ((await head.count()) > 0) columns.push(await shownText(head));
      }
      expect(columns).toEqual(['trace', 'trace', 'trace']);
    });
  });

  it('says what the report leaves out, and has no tables of accesses that it does not have', async () => {
    const part = temp.path('part.html');
    reportTraces([trace], part, { version: 'test', sql: true, accesses: false, from: 10, rowsMax: 1 });
    const { page, wrong } = await openReport(browser, part);
    await ask(page, 'SELECT count(*) FROM mmio');
    expect(await said(page)).toBe(
      'no such table: mmio; the report was made without accesses (--no-accesses)',
    );
    await ask(page, 'SELECT count(*) FROM interrupts');
    expect(await said(page)).toMatch(
      /^1 row, .* ms; only records 10 to [\d,]+; without [\d,]+ rows of interrupts and vinterrupts$/,
    );
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('reports an error in one line, refuses to write, and a query without end can be stopped', async () => {
    await opened(async (page) => {
      await ask(page, 'SELECT no_such FROM interrupts');
      expect(await said(page)).toContain('no such column: no_such');
      await ask(page, 'SELECT 1; SELECT 2');
      expect(await said(page)).toBe('one statement at a time: there is another behind the semicolon');
      await ask(page, "SELECT ';' AS text; -- and nothing else");
      expect(await said(page)).toMatch(/^1 row, /);
      await ask(page, 'DELETE FROM interrupts');
      expect(await said(page)).toContain('attempt to write a readonly database');
      await page
        .getByLabel('SQL', { exact: true })
        .fill('WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n');
      await page.getByRole('button', { name: 'run' }).click();
      await until(page, "document.querySelector('#sql output').textContent.includes('running')");
      await page.getByRole('button', { name: 'stop' }).click();
      expect(await said(page)).toBe('stopped');
      await ask(page, 'SELECT count(*) AS n FROM interrupts');
      expect(await said(page)).toMatch(/^1 row, /);
    });
  });

  it('without it there is neither the section nor the right to run WebAssembly', async () => {
    const plain = temp.path('plain.html');
    reportTraces([trace], plain, { version: 'test' });
    const { page } = await openReport(browser, plain);
    expect(await page.locator('#sql').count()).toBe(0);
    const policy = (one: Page) =>
      one.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
    expect(await policy(page)).not.toMatch(/wasm|worker/);
    const whole = await openReport(browser, file);
    expect(await policy(whole.page)).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']*' 'wasm-unsafe-eval'; worker-src blob:;/,
    );
    await page.close();
    await whole.page.close();
  });
});
