// The report as a tool, in a real browser: search, links to a moment, keys that work at once, and a selected range.
import { reportTraces } from '@gictrace/query';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, launch, openReport, shownText, until } from './browser.ts';
import { readReport } from './report-data.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

describe.skipIf(CHROMIUM === undefined)('the report', () => {
  let browser: Browser;
  const file = temp.path('boot.html');
  beforeAll(async () => {
    browser = await launch();
    const trace = temp.path('boot.gictrace');
    await imported(recording('its-trigger.log.gz'), trace);
    reportTraces([trace], file, { version: 'test' });
  }, 180_000);
  afterAll(() => browser?.close());

  const opened = async (act: (page: Page) => Promise<void>) => {
    const { page, wrong, requests } = await openReport(browser, file);
    try {
      await act(page);
      expect({ wrong, requests }).toEqual({ wrong: [], requests: [] });
    } finally {
      await page.close();
    }
  };
  const find = async (page: Page, text: string) => {
    await page.getByRole('searchbox', { name: /search for/ }).fill(text);
    await page.getByRole('button', { name: 'find' }).click();
  };
  const VIEW = '[gictraceReport.view.from, gictraceReport.view.to]';
  const SELECTED = 'gictraceReport.timelines[0].selected';

  it('finds an interrupt by its INTID, a record and a command, and says when there is nothing', async () => {
    const { models } = await readReport(file);
    const { lives, commands } = models[0]!;
    const intid = lives.intid![Math.floor(lives.intid!.length / 2)]!;
    await opened(async (page) => {
      await find(page, `INTID ${intid}`);
      await until(page, `${SELECTED} !== null`);
      const { kind, row } = await page.evaluate<{ kind: string; row: number }>(SELECTED);
      expect([kind, lives.intid![row]]).toEqual(['lives', intid]);
      const [from, to] = await page.evaluate<[number, number]>(VIEW);
      const at = models[0]!.timeNs[lives.first![row]!]!;
      expect(from <= at && at <= to).toBe(true);
      await find(page, 'record 100');
      await until(page, `gictraceReport.view.mark !== null`);
      await find(page, 'MAPTI');
      await until(page, `${SELECTED}.kind === 'commands'`);
      const { row: command } = await page.evaluate<{ row: number }>(SELECTED);
      expect(models[0]!.facts.strings[commands.text![command]!]).toContain('MAPTI');
      await find(page, 'no such thing');
      expect(await shownText(page.locator('.found'))).toBe('nothing found');
    });
  });

  it('a link shows the same again: range of sight, selection, open lanes', async () => {
    const { models } = await readReport(file);
    const { intid } = models[0]!.lives;
    let link = '';
    let state: unknown;
    const STATE = `(({ from, to, open, axis }, one) => [axis, Math.round(from), Math.round(to), [...open], one.selected])(gictraceReport.view, gictraceReport.timelines[0])`;
    await opened(async (page) => {
      await find(page, `INTID ${intid![Math.floor(intid!.length / 2)]}`);
      await until(page, "location.hash.includes('selectA=lives.')");
      await page.waitForTimeout(400);
      link = await page.evaluate<string>('location.hash');
      state = await page.evaluate(STATE);
    });
    const again = await browser.newPage();
    await again.goto(`file://${file}${link}`);
    await until(again, 'document.documentElement.dataset.ready === "yes"');
    expect(await again.evaluate(STATE)).toEqual(state);
    // The short form, written into the address of the open page.
    await again.evaluate("location.hash = '#axis=record&record=300'");
    await until(again, "gictraceReport.view.axis === 'record' && gictraceReport.view.mark !== null");
    const [from, to] = await again.evaluate<[number, number]>(VIEW);
    // The nearest record at or after it that the page names.
    const marked = await again.evaluate<number>(
      '(({ models: [model], view: { mark } }) => model.moments.record[mark.moment])(gictraceReport)',
    );
    expect(marked >= 300 && from < marked && marked < to && to - from < 200).toBe(true);
    // Nonsense changes nothing and breaks nothing.
    await again.evaluate("location.hash = '#from=x&to=&selectA=lives.99999999&axis=no&range=5,1&record=1e9'");
    await again.waitForTimeout(300);
    expect(await again.evaluate(VIEW)).toEqual([from, to]);
    await again.close();
  });

  it('accesses have lanes and a list, whose filter is in the link and whose records lead to their moments', async () => {
    const { models } = await readReport(file);
    const [model] = models;
    const { accesses, facts } = model!;
    const named = (name: string) =>
      Array.from(accesses.register!.keys()).filter((i) => facts.strings[accesses.register![i]!] === name);
    const [first] = named('GITS_CWRITER');
    await opened(async (page) => {
      await find(page, 'GITS_CWRITER');
      await until(page, `${SELECTED}?.kind === 'accesses'`);
      expect(await page.evaluate<{ row: number }>(SELECTED)).toEqual({ kind: 'accesses', row: first });
      expect(await shownText(page.locator('.detail h3'))).toMatch(/^GITS_CWRITER (read|write)$/);
      // The lane of the register is open, and is the one for n and p.
      expect(await page.evaluate('gictraceReport.timelines[0].current')).toBe('access.GITS.GITS_CWRITER');
      await page.keyboard.press('n');
      expect(await page.evaluate<{ row: number }>(SELECTED)).toMatchObject({ row: named('GITS_CWRITER')[1] });

      const list = page.locator('#log');
      const all = accesses.at!.length + model!.commands.at!.length;
      expect(await shownText(list.locator('output'))).toContain(`of ${all.toLocaleString('en')}`);
      await list.getByRole('searchbox').fill('write GITS_CWRITER');
      await until(page, "document.querySelector('#log tbody').rows.length < 20");
      const cells = await list.locator('tbody tr').allInnerTexts();
      const wanted = named('GITS_CWRITER').filter((i) => facts.strings[accesses.how![i]!] === 'write');
      expect(cells).toHaveLength(wanted.length);
      expect(wanted.length).toBeGreaterThan(0);
      for (const [k, i] of wanted.entries()) expect(cells[k]).toContain(model!.accessValue(i));
      await list.locator('tbody button').first().click();
      expect(
        await page.evaluate(
          '(({ models: [model], view: { mark } }) => model.moments.record[mark.moment])(gictraceReport)',
        ),
      ).toBe(model!.moments.record![accesses.at![wanted[0]!]!]);
      await until(page, "location.hash.includes('listA=write%20GITS_CWRITER')");
      // Only what is in sight, which is little now.
      await list.getByLabel('which part').selectOption('sight');
      await list.getByRole('searchbox').fill('');
      await until(
        page,
        `!document.querySelector('#log output').textContent.endsWith('of ${all.toLocaleString('en')}')`,
      );
      const link = await page.evaluate<string>(
        '(async () => { await new Promise((r) => setTimeout(r, 400)); return location.hash; })()',
      );
      expect(link).toContain('scopeA=sight');
    });
    const again = await browser.newPage();
    await again.goto(`file://${file}#listA=MAPTI`);
    await until(again, 'document.documentElement.dataset.ready === "yes"');
    const mapped = Array.from(model!.commands.text!).filter((k) => facts.strings[k]!.includes('MAPTI'));
    await until(again, `document.querySelector('#log tbody').rows.length === ${mapped.length}`);
    await again.close();
  });

  it('keys work at once, and ? lists them', async () => {
    await opened(async (page) => {
      const size = () => page.evaluate<number>('gictraceReport.view.to - gictraceReport.view.from');
      const before = await size();
      await page.keyboard.press('+');
      await until(page, `gictraceReport.view.to - gictraceReport.view.from < ${before}`);
      await page.keyboard.press('?');
      expect(await page.locator('dialog.keys').isVisible()).toBe(true);
      await page.keyboard.press('Escape');
      await page.locator('dialog.keys').waitFor({ state: 'hidden' });
      await page.keyboard.press('/');
      await page.keyboard.type('8193+');
      const field = page.getByRole('searchbox', { name: /search for/ });
      expect(await field.inputValue()).toBe('8193+');
    });
  });

  it('Shift and drag selects a range, and tells its duration and what begins in it', async () => {
    await opened(async (page) => {
      const box = (await page.locator('canvas').first().boundingBox())!;
      await page.keyboard.down('Shift');
      await page.mouse.move(box.x + 300, box.y + 90);
      await page.mouse.down();
      await page.mouse.move(box.x + 700, box.y + 90, { steps: 4 });
      await page.mouse.up();
      await page.keyboard.up('Shift');
      const [from, to] = await page.evaluate<[number, number]>('gictraceReport.view.range');
      const text = (await shownText(page.locator('.range').first())).replaceAll(',', '');
      const begun = await page.evaluate<number>(
        `(({ lives, places: { time } }) => lives.first.filter((at) => time[at] >= ${from} && time[at] < ${to}).length)(gictraceReport.models[0])`,
      );
      expect(begun).toBeGreaterThan(0);
      const counts = await page.locator('.range tbody tr').evaluateAll((rows) =>
        rows
          .map((row) => [...row.children].map((cell) => cell.textContent ?? ''))
          .filter(([name]) => !['MSI', 'command', 'register access'].includes(name ?? ''))
          .map(([, n]) => Number(n?.replaceAll(',', ''))),
      );
      expect(counts.reduce((sum, n) => sum + n, 0)).toBe(begun);
      expect(text).toMatch(/from .* s to .* s/);
      await page.locator('h1').click();
      await page.keyboard.press('Escape');
      await until(page, 'gictraceReport.view.range === null');
    });
  });
});
