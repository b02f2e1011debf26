// The page into which logs are dropped, as tests use it in a real Chromium.
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';

export interface BuiltPage {
  readonly bytes: number;
  readonly modules: string[];
  readonly worker: string;
}

/** Makes the page at `out`. */
export async function buildPage(out: string): Promise<BuiltPage> {
  const { href } = new URL('../scripts/bundle-web.mjs', import.meta.url);
  return ((await import(href)) as { bundleWeb(out: string): Promise<BuiltPage> }).bundleWeb(out);
}

export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, and uncaught errors. */
  readonly wrong: string[];
  /** What was asked for but the page itself. */
  readonly requests: string[];
}

/** Opens the page at `path` from the disk. */
export async function openPage(
  browser: Browser,
  path: string,
  { width = 1000, height = 700, dark = false } = {},
): Promise<Opened> {
  const tab = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' });
  const wrong: string[] = [];
  const requests: string[] = [];
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(message.text());
  });
  tab.on('pageerror', (error) => wrong.push(error.message));
  tab.on('request', (request) => {
    if (!request.url().startsWith('blob:') && request.url() !== `file://${path}`)
      requests.push(request.url());
  });
  await tab.goto(`file://${path}`);
  await tab.waitForSelector('html[data-ready=yes]', { state: 'attached' });
  return { page: tab, wrong, requests };
}

/** Drops a file as a person does: with an event that carries it. */
export async function drop(tab: Page, path: string, name: string): Promise<void> {
  const base64 = JSON.stringify(readFileSync(path).toString('base64'));
  await tab.evaluate(`(() => {
    const dataTransfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(${base64}), (one) => one.charCodeAt(0));
    dataTransfer.items.add(new File([bytes], ${JSON.stringify(name)}));
    dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
  })()`);
}

export const digestOf = (tab: Page, k = 0) =>
  tab.locator('section.file').nth(k).getAttribute('data-digest', { timeout: 20_000 });
/** Waits until a file has been imported. */
export const settled = (tab: Page, k = 0) =>
  tab
    .locator('section.file')
    .nth(k)
    .and(tab.locator('[data-digest]'))
    .waitFor({ state: 'attached', timeout: 30_000 });
