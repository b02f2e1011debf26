// A real Chromium for tests of pages, with everything watched that a page could do wrong. Absent: the tests that need it
// are skipped, and standard error says so.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Path of a Chromium; undefined where there is none. */
export const CHROMIUM: string | undefined = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((path) => existsSync(path));

if (CHROMIUM === undefined)
  process.stderr.write(
    'no Chromium in PATH (Debian: apt-get install chromium): tests of pages are SKIPPED\n',
  );

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM!, args: ARGUMENTS });
}

export interface Watched {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, dialogs; empty: nothing went wrong. */
  readonly wrong: string[];
  /** What was asked for but the page itself. */
  readonly requests: string[];
}

/** Opens a report and waits until it has drawn. */
export async function openReport(
  browser: Browser,
  path: string,
  { width = 1300, height = 900, dark = false } = {},
): Promise<Watched> {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
  });
  const wrong: string[] = [];
  const requests: string[] = [];
  const url = `file://${path.split('/').map(encodeURIComponent).join('/')}`;
  page.on('console', (message) => {
    // Reading pixels back is what tests do, not the page.
    if (['error', 'warning'].includes(message.type()) && !/willReadFrequently/.test(message.text()))
      wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== url) requests.push(request.url());
  });
  await page.goto(url);
  await until(
    page,
    'document.documentElement.dataset.ready === "yes" && gictraceReport.timelines.every((one) => one.frames > 0)',
  );
  return { page, wrong, requests };
}

/** Waits until an expression holds. The policy of the page forbids what `waitForFunction` does. */
export async function until(page: Page, expression: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await page.evaluate<boolean>(`!!(${expression})`)) return;
    await page.waitForTimeout(25);
  }
  throw new Error(`not within 15 s: ${expression}`);
}

/** Waits until a timeline has drawn once more than at `frames`. */
export function drawnSince(page: Page, frames: number, k = 0): Promise<void> {
  return until(page, `gictraceReport.timelines[${k}].frames > ${frames}`);
}

export const framesOf = (page: Page, k = 0): Promise<number> =>
  page.evaluate<number>(`gictraceReport.timelines[${k}].frames`);

/** How many colours a canvas has, and a hash of its pixels. */
export async function pixels(page: Page, k = 0): Promise<{ colours: number; hash: number }> {
  return page.evaluate<{ colours: number; hash: number }>(`(() => {
    const canvas = document.querySelectorAll('canvas')[${k}];
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const words = new Uint32Array(data.buffer);
    const colours = new Set();
    let hash = 0;
    for (const word of words) {
      colours.add(word);
      hash = (Math.imul(hash, 31) + word) | 0;
    }
    return { colours: colours.size, hash };
  })()`);
}

/** The text of an element as it is laid out: lines and cells apart. */
export async function shownText(locator: Locator): Promise<string> {
  return (await locator.allInnerTexts()).join('\n');
}
