// Labels from the command line to SQL.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LOG, run, scratch } from '../run.test-support.ts';

const dir = scratch();
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const trace = join(dir, 'labelled.gictrace');

it('keeps labels in the trace, where SQL finds them', async () => {
  const labels = ['--label', 'kernel=6.12', '--label', 'note=a = b'];
  expect((await run('import', LOG, '-o', trace, ...labels)).code).toBe(0);
  const db = join(dir, 'labelled.db');
  expect((await run('load', trace, '-o', db)).code).toBe(0);
  const { out } = await run('query', db, 'SELECT label, value FROM labels ORDER BY label', '--csv');
  expect(out).toBe('label,value\r\nkernel,6.12\r\nnote,a = b\r\n');
});

it.each([
  ['6.12', /NAME=VALUE/],
  ['=6.12', /NAME=VALUE/],
  ['9lives=cat', /NAME=VALUE/],
])('refuses --label %s', async (label, says) => {
  const { code, err } = await run('import', LOG, '-o', join(dir, 'x.gictrace'), '--label', label);
  expect([code, err]).toEqual([2, expect.stringMatching(says)]);
});

it('refuses a label that is given twice', async () => {
  const twice = ['--label', 'a=1', '--label', 'a=2'];
  const { code, err } = await run('import', LOG, '-o', join(dir, 'x.gictrace'), ...twice);
  expect([code, err]).toEqual([2, expect.stringMatching(/'a' twice/)]);
});
