// Files that once broke the promise of docs/robustness.md, tried again on every verb: traces that pass the reader and say what
// no machine has, logs and scenarios. Each is answered with a verdict or with one line, and never with a fault of ours.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from 'gictrace';
import { afterAll, expect, it, vi } from 'vitest';
import { scratch } from './support.ts';
import { campaign } from './torture/campaign.ts';
import { seeds } from './torture/seeds.ts';

const FOLDER = fileURLToPath(new URL('hostile/', import.meta.url));
const folder = scratch();
afterAll(() => folder.dispose());

it('every file, every verb', async () => {
  const files = readdirSync(FOLDER).map((name) => join(FOLDER, name));
  const { found, lines } = await campaign(seeds(), {
    folder: folder.path('campaign'),
    files,
    first: 1,
    count: files.length,
    // Other tests run meanwhile, and the machine may be a small one.
    slack: 10,
  });
  expect(found).toEqual([]);
  expect(files.length).toBeGreaterThan(12);
  expect(lines).toBeGreaterThan(10 * files.length);
}, 300_000);

it('diff with an access of 255 bytes, which touches more registers than any real one', async () => {
  const good = fileURLToPath(
    new URL('../goldens/conformance/cpu-interface/cpu.idle@architecture.golden.gictrace', import.meta.url),
  );
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  try {
    expect(await main(['diff', good, `${FOLDER}diff-wide-access.gictrace`])).toBe(1);
  } finally {
    out.mockRestore();
  }
});
