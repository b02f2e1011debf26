// The page of a report in a real browser: what it draws, says and answers; that nothing runs or is fetched but its own.
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Guest } from '@gictrace/core/conformance';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { reportTraces } from '@gictrace/query';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CHROMIUM,
  drawnSince,
  framesOf,
  launch,
  openReport,
  pixels,
  shownText,
  until,
  type Watched,
} from './browser.ts';
import { readReport } from './report-data.ts';
import { imported, recording, scratch } from './support.ts';

const HOSTILE = '</script><script>window.ran=1</script><img src=x onerror="window.ran=1">';
const temp = scratch();
afterAll(() => temp.dispose());

/** A trace of `cycles` timer interrupts on two PEs, four records each. */
function busy(path: string, cycles: number, text = 'synthetic'): void {
  const config = configOf('qemu-virt', PLAIN, 2);
  const writer = new TraceWriter(path, {
    writer: { name: text, version: text },
    config,
    clock: { name: text, unitNs: 1 },
    source: { kind: text, name: text, provenance: { [text]: text } },
    losses: [{ what: text, count: null }],
    seed: text,
    options: {},
  });
  const guest = new Guest(config);
  let now = 0;
  guest.tap = (batch) => {
    batch.timeNs[0] = now += 250;
    writer.append(batch);
  };
  guest.enable();
  for (let n = 0; n < cycles; n++) {
    const pe = n & 1;
    now += (n * 7919) % 5000;
    guest.wire(27, true, pe);
    const intid = guest.read(pe, 'ICC_IAR1_EL1');
    guest.wire(27, false, pe);
    guest.write(pe, 'ICC_EOIR1_EL1', intid);
  }
  writer.close();
}

describe.skipIf(CHROMIUM === undefined)('in Chromium', () => {
  let browser: Browser;
  const boot = temp.path('boot.html');
  const two = temp.path('two.html');
  beforeAll(async () => {
    browser = await launch();
    const trace = temp.path('boot.gictrace');
    await imported(recording('linux-gicv4-kvm.log.gz'), trace);
    reportTraces([trace], boot, {
      version: 'test',
      verdict: (path) => replayTrace(path, { version: 'test' }),
    });
    const golden = (name: string) => `goldens/scenarios/${name}.golden.gictrace`;
    reportTraces([golden('lost-doorbell/vpe-naive'), golden('lost-doorbell/vpe-proxy')], two, {
      version: 'test',
    });
  }, 120_000);
  afterAll(() => browser?.close());

  const opened = async (path: string, act: (watched: Watched) => Promise<void>, how = {}) => {
    const watched = await openReport(browser, path, how);
    try {
      await act(watched);
      expect({ wrong: watched.wrong, requests: watched.requests }).toEqual({ wrong: [], requests: [] });
    } finally {
      await watched.page.close();
    }
  };

  it('draws, and each way to zoom and move changes what is in sight and what is drawn', async () => {
    await opened(boot, async ({ page }) => {
      const canvas = page.locator('canvas').first();
      let before = await pixels(page);
      expect(before.colours).toBeGreaterThan(20);
      const view = () =>
        page.evaluate<[number, number]>('[gictraceReport.view.from, gictraceReport.view.to]');
      const changes = async (act: () => Promise<unknown>, wider: -1 | 0 | 1) => {
        const [from, to] = await view();
        const frames = await framesOf(page);
        await act();
        await drawnSince(page, frames);
        const [newFrom, newTo] = await view();
        const after = await pixels(page);
        expect([newFrom, newTo]).not.toEqual([from, to]);
        const grew = newTo - newFrom - (to - from);
        expect(Math.abs(grew) < 1e-6 * (to - from) ? 0 : Math.sign(grew)).toBe(wider);
        expect(after.hash).not.toBe(before.hash);
        before = after;
      };
      const box = (await canvas.boundingBox())!;
      const at = (part: number, y: number) => [box.x + 196 + (box.width - 210) * part, box.y + y] as const;
      await page.mouse.move(...at(0.6, 80));
      await page.keyboard.down('Control');
      await changes(() => page.mouse.wheel(0, -240), -1);
      await changes(() => page.mouse.wheel(0, -240), -1);
      await page.keyboard.up('Control');
      await changes(async () => {
        await page.mouse.down();
        await page.mouse.move(...at(0.3, 80), { steps: 3 });
        await page.mouse.up();
      }, 0);
      // Having been clicked it has the keys, and the wheel without Ctrl.
      await changes(() => page.mouse.wheel(0, -120), -1);
      await changes(() => page.keyboard.press('ArrowRight'), 0);
      await changes(() => page.keyboard.press('+'), -1);
      await changes(() => page.keyboard.press('-'), 1);
      await changes(() => page.mouse.dblclick(...at(0.5, 80)), -1);
      await changes(() => page.keyboard.press('0'), 1);
      await changes(() => page.getByRole('button', { name: 'zoom in' }).click(), -1);
      await changes(() => page.getByRole('button', { name: 'all', exact: true }).click(), 1);
      await changes(() => page.getByLabel('axis').selectOption('record'), -1);
    });
  });

  it('zooms about the pointer: what is under it stays', async () => {
    await opened(boot, async ({ page }) => {
      const box = (await page.locator('canvas').first().boundingBox())!;
      const x = 700;
      await page.mouse.move(box.x + x, box.y + 80);
      const under = () => page.evaluate<number>(`gictraceReport.timelines[0].placeOf(${x})`);
      const before = await under();
      const frames = await framesOf(page);
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -240);
      await page.keyboard.up('Control');
      await drawnSince(page, frames);
      const size = await page.evaluate<number>('gictraceReport.view.to - gictraceReport.view.from');
      expect(Math.abs((await under()) - before)).toBeLessThan(size / 500);
    });
  });

  it('goes to a record, hides what the legend says, and filters tables', async () => {
    const { facts } = await readReport(boot);
    await opened(boot, async ({ page }) => {
      await page.getByLabel('axis').selectOption('record');
      await page.getByPlaceholder('record', { exact: true }).fill('200,000');
      await page.getByRole('button', { name: 'go to record' }).click();
      const inSight = '[gictraceReport.view.from, gictraceReport.view.to]';
      await until(page, `(([from, to]) => to - from < 100)(${inSight})`);
      const [from, to] = await page.evaluate<[number, number]>(inSight);
      // The nearest record that the page names.
      expect(from - 50 < 200_000 && to + 50 > 200_000).toBe(true);
      await page.getByPlaceholder('record', { exact: true }).fill(`${facts.traces[0]!.records}`);
      await page.getByRole('button', { name: 'go to record' }).click();
      expect(await page.evaluate(inSight)).toEqual([from, to]);
      await page.getByRole('button', { name: 'all', exact: true }).click();
      await page.waitForTimeout(100);
      const dense = () =>
        page.evaluate<boolean>(
          "gictraceReport.timelines[0].drawn.find((one) => one.lane.key === 'class.1').dense",
        );
      expect(await dense()).toBe(true);
      const before = await pixels(page);
      const frames = await framesOf(page);
      await page.getByLabel('PPI', { exact: true }).uncheck();
      await drawnSince(page, frames);
      expect((await pixels(page)).hash).not.toBe(before.hash);
      expect(await dense()).toBe(false);
      await page.getByLabel('PPI', { exact: true }).check();
      await page.waitForTimeout(100);
      expect((await pixels(page)).hash).toBe(before.hash);
      const table = page.locator('#mappings .table');
      expect(await table.locator('tbody tr').count()).toBe(40);
      await table.getByRole('searchbox').fill('VMOVP');
      for (const row of await table.locator('tbody tr').allInnerTexts()) expect(row).toContain('VMOVP');
      expect(await table.locator('tbody tr').count()).toBeGreaterThan(0);
    });
  });

  it('a wheel without Ctrl leaves the page its own until the picture was clicked', async () => {
    await opened(boot, async ({ page }) => {
      const box = (await page.locator('canvas').first().boundingBox())!;
      await page.mouse.move(box.x + 400, box.y + 90);
      await page.mouse.wheel(0, 200);
      await until(page, 'scrollY > 0');
      expect(await page.evaluate('gictraceReport.view.from <= gictraceReport.view.min')).toBe(true);
    });
  });

  it('opens lanes, tells what is under the pointer as the data has it, and shows the whole of it', async () => {
    const { facts, models } = await readReport(boot);
    const [model] = models;
    const { lives } = model!;
    // A doorbell's vLPI, and an LPI of a device.
    const chosen = [
      Array.from(lives.doorbell!).findIndex((step, i) => step > 0 && lives.virtual![i] === 1),
      Array.from(lives.intid!).findIndex(
        (intid, i) => intid >= 8192 && lives.virtual![i] === 0 && lives.eoi![i]! > 0,
      ),
    ];
    for (const i of chosen) {
      expect(i).toBeGreaterThanOrEqual(0);
      await opened(boot, async ({ page }) => {
        const key = lives.virtual![i] ? `vpe.${lives.vpe![i]}` : `pe.${lives.pe![i]}`;
        const frames = await framesOf(page);
        await page.evaluate(`(() => {
          const { view, models } = gictraceReport;
          view.focus(models[0], models[0].lives.first[${i}], models[0].lastOf[${i}]);
          document.querySelector('.lanes').scrollIntoView();
        })()`);
        await drawnSince(page, frames);
        const place = await page.evaluate<{ x: number; y: number }>(`(() => {
          const one = gictraceReport.timelines[0];
          const lane = one.drawn.find((drawn) => drawn.lane.key === '${key}');
          const hit = lane.hits.find((at) => at.of.kind === 'lives' && at.of.rows[at.k] === ${i});
          const box = one.canvas.getBoundingClientRect();
          return { x: box.x + (hit.x0 + hit.x1) / 2, y: box.y + lane.y + 8 };
        })()`);
        await page.mouse.move(place.x, place.y);
        const tip = (await shownText(page.locator('.tip').first())).replaceAll(',', '');
        const of = model!.describe('lives', i);
        expect(tip).toContain(of.title);
        expect(tip).toContain(`outcome: ${facts.traces[0]!.strings[lives.outcome![i]!]}`);
        for (const { name, moment } of of.steps) {
          expect(tip).toContain(
            `${name}: record ${model!.moments.record![moment]} line ${model!.moments.line![moment]}`,
          );
        }
        await page.mouse.click(place.x, place.y);
        // What lies below the pointer now is something else.
        await page.mouse.move(place.x, place.y);
        expect(await page.locator('.tip').first().isVisible()).toBe(true);
        await page.mouse.wheel(0, 240);
        await page.waitForFunction("document.querySelector('.tip').hidden");
        const detail = (await shownText(page.locator('.detail'))).replaceAll(',', '');
        for (const { moment } of of.steps) expect(detail).toContain(`${model!.moments.record![moment]}`);
        expect(detail).toContain(of.title);
        // The next one of its lane, by key.
        await page.keyboard.press('n');
        await until(page, `gictraceReport.timelines[0].selected.row !== ${i}`);
      });
    }
  });

  it('a density tells how many begin, and all columns together tell of all', async () => {
    await opened(boot, async ({ page }) => {
      const counted = await page.evaluate<[number, number]>(`(() => {
        const { timelines: [one], models: [model] } = gictraceReport;
        const lane = one.roots.find((root) => root.key === 'class.1');
        return [lane.series().reduce((sum, of) => sum + of.rows.length, 0), model.lives.intid.filter((n, i) => n >= 16 && n < 32 && !model.lives.virtual[i]).length];
      })()`);
      expect(counted[0]).toBe(counted[1]);
      const box = (await page.locator('canvas').first().boundingBox())!;
      const y = await page.evaluate<number>(
        "gictraceReport.timelines[0].drawn.find((one) => one.lane.key === 'class.1').y",
      );
      let most = 0;
      for (let x = 300; x < 1000; x += 100) {
        await page.mouse.move(box.x + x, box.y + y + 10);
        const tip = await page.locator('.tip').first().textContent();
        most = Math.max(most, Number(/^([\d,]+) begin here/.exec(tip ?? '')?.[1]?.replaceAll(',', '') ?? 0));
      }
      expect(most).toBeGreaterThan(1);
    });
  });

  it('nothing is wider than the window, light or dark, and dark is dark', async () => {
    const seen: { hash: number; ground: string }[] = [];
    for (const path of [boot, two])
      for (const width of [1500, 360])
        for (const dark of [false, true])
          await opened(
            path,
            async ({ page }) => {
              expect(
                await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
              ).toBeLessThanOrEqual(0);
              const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
              const light = /\d+/g.exec(ground)![0];
              expect(Number(light) < 60).toBe(dark);
              const { hash, colours } = await pixels(page);
              expect(colours).toBeGreaterThan(5);
              seen.push({ hash, ground });
            },
            { width, dark },
          );
    expect(new Set(seen.map((one) => one.hash)).size).toBe(seen.length);
  });

  it('draws the way of an interrupt, whose records are links, and latencies of two traces over each other', async () => {
    const traces = ['a.gictrace', 'b.gictrace'].map((name) => temp.path(name));
    for (const trace of traces) await imported(recording('its-trigger.log.gz'), trace);
    const path = temp.path('asked.html');
    reportTraces(traces, path, { version: 'test', why: [{ intid: 8195 }] });
    const { facts } = await readReport(path);
    const [asked] = facts.traces[0]!.why;
    await opened(path, async ({ page }) => {
      const way = page.locator('#why ol.way').first();
      expect(await way.locator('li b').allTextContents()).toEqual(asked!.way.map(({ stage }) => stage));
      expect(await way.locator('li.blocked').count()).toBe(
        asked!.way.filter(({ state }) => state === 'blocked').length,
      );
      expect(await shownText(page.locator('#why h3').nth(1))).toBe(`${asked!.subject}: ${asked!.headline}`);
      await way.getByRole('button').first().click();
      const marked =
        'gictraceReport.view.mark && gictraceReport.models[0].moments.record[gictraceReport.view.mark.moment]';
      expect(await page.evaluate(marked)).toBe(asked!.way.find(({ record }) => record !== null)!.record);

      const measured = facts.traces[0]!.distributions.filter(({ buckets }) => buckets.length > 0);
      expect(measured.length).toBeGreaterThan(0);
      const lines = (of: string) =>
        page
          .locator(`#latency polyline.trace-${of}`)
          .evaluateAll((all) => all.map((one): string => one.getAttribute('points')!));
      const [a, b] = [await lines('a'), await lines('b')];
      expect(a.length).toBe(measured.length);
      expect(b).toEqual(a);
      // One line has a level for each bucket that is there: the highest is at the top, the others in proportion.
      for (const [k, { buckets }] of measured.entries()) {
        const heights = new Set(a[k]!.split(' ').map((point) => Number(point.split(',')[1])));
        const most = Math.max(...buckets.map(([, n]) => n));
        for (const [, n] of buckets)
          expect([...heights].some((y) => Math.abs(132 - (124 * n) / most - y) < 0.1)).toBe(true);
      }
    });
  });

  it('two traces: aligned above each other, with the numbers of their comparison', async () => {
    const { facts } = await readReport(two);
    await opened(two, async ({ page }) => {
      expect(await page.locator('canvas').count()).toBe(2);
      const text = await shownText(page.locator('#difference'));
      for (const [name, n] of Object.entries(facts.diff!.counts))
        if (n > 0) expect(text).toMatch(new RegExp(`\\b${n}\\s+${name}\\b`));
      for (const one of facts.diff!.examples) expect(text).toContain(`${one.class}: ${one.subject}`);
      const before = [await pixels(page, 0), await pixels(page, 1)];
      const frames = await framesOf(page, 1);
      await page.getByLabel('axis').selectOption('aligned');
      await page.getByRole('button', { name: 'zoom in' }).click();
      await drawnSince(page, frames, 1);
      expect((await pixels(page, 0)).hash).not.toBe(before[0]!.hash);
      expect((await pixels(page, 1)).hash).not.toBe(before[1]!.hash);
      // A link of an example leads to its record.
      await page.locator('#difference h3 button').first().click();
      await until(page, 'gictraceReport.view.to - gictraceReport.view.from < 100');
    });
  });

  it('what is hostile is shown as text: it neither runs nor is markup', async () => {
    const folder = temp.path('<img src=x onerror="window.ran=1">');
    mkdirSync(folder);
    const trace = `${folder}/<b onclick="window.ran=1">"'&.gictrace`;
    busy(trace, 20, HOSTILE);
    const page = temp.path('hostile.html');
    reportTraces([trace, trace], page, { version: HOSTILE });
    const single = temp.path('hostile-one.html');
    reportTraces([trace], single, { version: HOSTILE });
    for (const path of [page, single])
      await opened(path, async ({ page }) => {
        expect(await page.evaluate('window.ran')).toBeUndefined();
        expect(await page.locator('img, b[onclick], iframe, object, embed').count()).toBe(0);
        expect(await page.locator('script').count()).toBe(1);
        const text = await shownText(page.locator('#source'));
        expect(text.split(HOSTILE).length).toBeGreaterThan(5);
        expect(await page.title()).toContain('<b onclick="window.ran=1">');
      });
  });

  it('its policy holds: no other script runs, nothing is fetched', async () => {
    let hits = 0;
    const server = createServer((_request, response) => {
      hits++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const watched = await openReport(browser, boot);
    try {
      const { page, wrong } = watched;
      await page.evaluate(`(() => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = 1';
        document.body.append(script);
        const div = document.createElement('div');
        div.innerHTML = '<img src="${url}x.png"><a onclick="window.ran = 2">x</a><style>@import "${url}x.css"</style>';
        document.body.append(div);
        div.querySelector('a').click();
        const link = document.createElement('link');
        link.rel = 'stylesheet';
        link.href = '${url}y.css';
        document.head.append(link);
        navigator.sendBeacon('${url}');
      })()`);
      const fetched = await page.evaluate<string>(
        `fetch('${url}').then(() => 'fetched', (error) => error.name)`,
      );
      expect(fetched).toBe('TypeError');
      expect(await page.evaluate('window.ran')).toBeUndefined();
      await page.waitForTimeout(200);
      expect(hits).toBe(0);
      for (const directive of ['script-src', 'style-src', 'img-src', 'connect-src'])
        expect(wrong.some((text) => text.includes(directive) && /Content Security Policy/.test(text))).toBe(
          true,
        );
    } finally {
      await watched.page.close();
      server.close();
    }
  });

  it('without scripts says what it needs', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`file://${boot}`);
    expect(await shownText(page.locator('body'))).toMatch(/needs JavaScript/);
    await context.close();
  });

  it('400,000 records: every step of a walk through them is drawn', async () => {
    const trace = temp.path('busy.gictrace');
    busy(trace, 100_000);
    const reader = TraceReader.open(trace);
    expect(reader.records).toBeGreaterThan(400_000);
    reader.close();
    const path = temp.path('busy.html');
    const { bytes, wrote } = reportTraces([trace], path, { version: 'test' });
    expect(wrote.lives).toBe(100_000);
    expect(bytes).toBeLessThan(6_000_000);
    await opened(path, async ({ page }) => {
      const steps = await page.evaluate<{ frames: number; median: number; drawn: number }>(`(async () => {
        const { view, timelines: [one] } = gictraceReport;
        for (const lane of one.roots) if (lane.group) view.open.add(lane.key);
        const turn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const began = one.frames;
        const paints = [];
        const acts = [
          ...Array.from({ length: 30 }, () => () => view.zoom(0.7, view.from + (view.to - view.from) * 0.37)),
          ...Array.from({ length: 10 }, () => () => view.pan(0.3)),
          ...Array.from({ length: 20 }, () => () => view.zoom(1.6)),
        ];
        for (const act of acts) {
          act();
          const start = performance.now();
          one.paint();
          paints.push(performance.now() - start);
          await turn();
        }
        return { frames: one.frames - began, median: paints.sort((a, b) => a - b)[paints.length >> 1], drawn: one.drawn.length };
      })()`);
      // One by its own paint, one by the view that tells of the change.
      expect(steps.frames).toBeGreaterThanOrEqual(2 * 60);
      expect(steps.drawn).toBeGreaterThan(4);
      expect(steps.median).toBeLessThan(500);
    });
  });
});
