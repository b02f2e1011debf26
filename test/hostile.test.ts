// Traces that a structure-aware fuzzer made: their headers and records pass the reader, and say what no machine has. Each
// verb answers them with a verdict or with one line, and never with a fault of ours.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'gictrace';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { scratch } from './support.ts';

const FOLDER = fileURLToPath(new URL('hostile/', import.meta.url));
const folder = scratch();
afterAll(() => folder.dispose());
const database = folder.path('hostile.db');
const VERBS = {
  info: [],
  dump: [],
  replay: [],
  check: [],
  load: ['-o', database, '--force'],
  compare: [],
} as const;

async function run(...args: string[]): Promise<{ code: number; err: string }> {
  let err = '';
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  const error = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    err += String(chunk);
    return true;
  });
  try {
    return { code: await main(args), err };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
}

const traces = readdirSync(FOLDER);
it('there are some', () => {
  expect(traces.length).toBeGreaterThan(8);
});

describe.each(Object.entries(VERBS))('%s', (verb, options) => {
  it.each(traces)('%s', async (name) => {
    const { code, err } = await run(verb, `${FOLDER}${name}`, ...options);
    expect([0, 1, 2, 4], err).toContain(code);
    if (code > 1) expect(err).toMatch(/^gictrace: \P{Cc}+\n$/u);
  });
});

it('diff with an access of 255 bytes, which touches more registers than any real one', async () => {
  const good = fileURLToPath(
    new URL('../goldens/conformance/cpu-interface/cpu.idle@architecture.golden.gictrace', import.meta.url),
  );
  const { code, err } = await run('diff', good, `${FOLDER}diff-wide-access.gictrace`);
  expect([code, err]).toEqual([1, '']);
});
