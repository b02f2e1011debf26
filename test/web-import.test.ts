// What the page does with a log before it is a trace: it unpacks it, and takes the options of `gictrace import`.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { importJsonlToTrace, importToTrace, recordJson, TraceReader } from '@gictrace/recorder';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, launch } from './browser.ts';
import { recording, scratch } from './support.ts';
import { buildPage, digestOf, openPage, settled } from './web.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const page = temp.path('index.html');
const text = gunzipSync(readFileSync(recording('its-trigger.log.gz')));
const xz = (input: Buffer, ...options: string[]) => execFileSync('xz', ['-zc', ...options], { input });

/** The names of files under the shortest of which they are chosen in the page. */
function written(files: Readonly<Record<string, Buffer>>): string[] {
  return Object.entries(files).map(([name, bytes]) => {
    writeFileSync(temp.path(name), bytes);
    return temp.path(name);
  });
}

describe.skipIf(CHROMIUM === undefined)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    await buildPage(page);
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  const problemOf = (tab: Page, k: number) =>
    tab.locator('section.file').nth(k).locator('.problem:not([hidden])').textContent({ timeout: 20_000 });

  it('unpacks xz, whatever it consists of, as the command does', async () => {
    const half = text.indexOf('\n', text.length / 2) + 1;
    const parts = [xz(text.subarray(0, half)), xz(text.subarray(half))];
    const files = written({
      'plain.log.xz': xz(text),
      'checked-by-crc32.log.xz': xz(text, '--check=crc32'),
      'unchecked.log.xz': xz(text, '--check=none'),
      'blocks.log.xz': xz(text, '--block-size=8192'),
      'streams.log.xz': Buffer.concat(parts),
      'padded.log.xz': Buffer.concat([parts[0]!, Buffer.alloc(8), parts[1]!, Buffer.alloc(4)]),
      'zstd.log.zst': execFileSync('zstd', ['-qc'], { input: text }),
    });
    const { page: tab, wrong, requests } = await openPage(browser, page);
    await tab.setInputFiles('#chooser', files);
    for (const [k, file] of files.entries()) {
      await settled(tab, k);
      const { summary } = await importToTrace(file, temp.path('unpacked.gictrace'), {});
      expect(await digestOf(tab, k), file).toBe(summary.contentDigest);
    }
    expect(wrong).toEqual([]);
    expect(requests).toEqual([]);
    await tab.close();
  }, 180_000);

  it('refuses xz that is cut, damaged or of options that it does not know', async () => {
    const good = xz(text);
    const damaged = Buffer.from(good);
    damaged[good.length >> 1]! ^= 0x10;
    // The last bytes of the only block: its check.
    const checkWrong = Buffer.from(good);
    checkWrong[good.length - 12 - (good.readUInt32LE(good.length - 8) + 1) * 4 - 1]! ^= 1;
    const files = written({
      'cut.log.xz': good.subarray(0, 3000),
      'without-its-beginning.log.xz': Buffer.concat([good.subarray(0, 6), good.subarray(600)]),
      'damaged.log.xz': damaged,
      'wrong-check.log.xz': checkWrong,
      'sha256.log.xz': xz(text, '--check=sha256'),
    });
    const { page: tab, wrong } = await openPage(browser, page);
    await tab.setInputFiles('#chooser', files);
    for (const [k, file] of files.entries())
      expect(await problemOf(tab, k), file).toMatch(
        file.includes('sha256')
          ? /options of xz that the page cannot unpack \(unpack it first: xz -d\)/
          : /cannot be decompressed: .*\(the file is damaged or cut\)/,
      );
    expect(wrong).toEqual([]);
    await tab.close();
  }, 180_000);

  it('takes the options of import; a log can be imported again with others', async () => {
    const [log] = written({ 'trigger.log.xz': xz(text) });
    const options = { pes: 8, start: 'mid-life', priorityBits: 7, labels: { kernel: '6.12', note: 'a = b' } };
    const wanted = await importToTrace(log!, temp.path('options.gictrace'), options as object);
    const { page: tab, wrong } = await openPage(browser, page);
    await tab.setInputFiles('#chooser', log!);
    await settled(tab);
    expect(await digestOf(tab)).not.toBe(wanted.summary.contentDigest);

    await tab.getByText('Import options').click();
    await tab.getByLabel('--pes', { exact: true }).fill('8');
    await tab.getByLabel('--start').selectOption('mid-life');
    await tab.getByLabel('--priority-bits').fill('seven');
    await tab.getByLabel('--label').fill('kernel=6.12\nnote=a = b\n');
    await tab.getByRole('tab', { name: 'File' }).click();
    await tab.getByRole('button', { name: /^Import again/ }).click();
    expect(await problemOf(tab, 0)).toBe("--priority-bits takes a whole number from 4 to 8, not 'seven'");
    await tab.getByLabel('--priority-bits').fill('7');
    await tab.getByRole('button', { name: /^Import again/ }).click();
    await settled(tab);
    expect(await digestOf(tab)).toBe(wanted.summary.contentDigest);
    await tab.getByRole('tab', { name: 'SQL' }).click();
    await tab.locator('.result table').waitFor({ timeout: 30_000 });
    await tab.locator('textarea[aria-label=SQL]').fill('SELECT label, value FROM labels ORDER BY label');
    await tab.getByRole('button', { name: 'Run' }).click();
    await tab.locator('caption', { hasText: '2 rows' }).waitFor();
    expect(await tab.locator('.result td').allTextContents()).toEqual(['kernel', '6.12', 'note', 'a = b']);

    await tab.getByLabel('--gicd').fill('0x8000000');
    await tab.setInputFiles('#chooser', log!);
    expect(await problemOf(tab, 1)).toBe('--gicd is not for qemu');
    await tab.getByLabel('format').selectOption('qemu');
    expect(await tab.getByLabel('--gicd').isVisible()).toBe(false);
    await tab
      .locator('section.file')
      .nth(1)
      .getByRole('button', { name: /^Import again/ })
      .click();
    await settled(tab, 1);
    expect(await digestOf(tab, 1)).toBe(wanted.summary.contentDigest);
    expect(wrong).toEqual([]);
    await tab.close();
  }, 180_000);

  it('takes a trace of the same GIC for lines without a header', async () => {
    const trace = temp.path('like.gictrace');
    await importToTrace(recording('its-trigger.log.gz'), trace, {});
    const reader = TraceReader.open(trace);
    const lines: string[] = [];
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) lines.push(recordJson(batch, i, lines.length));
    const { config } = reader.header;
    reader.close();
    const [jsonl] = written({ 'headless.jsonl': Buffer.from(`${lines.join('\n')}\n`) });
    const wanted = await importJsonlToTrace(jsonl!, temp.path('headless.gictrace'), { config });
    const { page: tab, wrong } = await openPage(browser, page);
    await tab.getByText('Import options').click();
    await tab.getByLabel('--like').setInputFiles(trace);
    await tab.setInputFiles('#chooser', jsonl!);
    await settled(tab);
    expect(await digestOf(tab)).toBe(wanted.summary.contentDigest);
    expect(wrong).toEqual([]);
    await tab.close();
  }, 180_000);
});
