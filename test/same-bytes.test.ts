// The same input gives the same bytes, on any version of Node, in any time zone, locale and with any umask. Other versions of
// Node are those of $GICTRACE_NODES, paths with colons between them; `.ci/run` installs some.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch } from './support.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const RUN = fileURLToPath(new URL('same-bytes/run.mjs', import.meta.url));
const BIN = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));
const NODES = (process.env.GICTRACE_NODES ?? '').split(':').filter((path) => path !== '');
const temp = scratch();
afterAll(() => temp.dispose());
// One folder for all runs, since a database has the absolute paths of its traces.
const folder = temp.path('run');

function hashes(
  node: string,
  env: Readonly<Record<string, string>> = {},
  umask = '022',
): Record<string, string> {
  rmSync(folder, { recursive: true, force: true });
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `umask ${umask} && exec "$@"`, 'sh', node, RUN, ROOT, folder],
    { encoding: 'utf8', env: { PATH: process.env.PATH ?? '', ...env }, maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(`${node} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, string>;
}

let expected: Record<string, string> = {};
beforeAll(() => {
  expected = hashes(process.execPath, { TZ: 'UTC', LC_ALL: 'C' });
});

it('there are outputs of many kinds, and no verb fails', () => {
  expect(Object.keys(expected).length).toBeGreaterThan(30);
  for (const [what, hash] of Object.entries(expected)) expect(hash, what).toMatch(/^([01] )?[0-9a-f]{64}$/);
});

it.each([
  [
    'another time zone and locale',
    { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' },
    '077',
  ],
  ['no environment', {}, '000'],
] as const)('%s', (_what, env, umask) => {
  expect(hashes(process.execPath, env, umask)).toEqual(expected);
});

describe.skipIf(NODES.length === 0)('another Node', () => {
  it.each(NODES)('%s', (node) => {
    const { 'qemu.db': _database, ...rest } = expected;
    const own = hashes(node, { TZ: 'UTC', LC_ALL: 'C', GICTRACE_SQLITE: 'no' });
    const wanted = Object.fromEntries(Object.entries(rest).filter(([what]) => !what.startsWith('load ')));
    expect(own).toEqual(wanted);
  });

  it.each(NODES)('%s: SQLite, which was built for another, is missed in one line', (node) => {
    const load = spawnSync(node, [BIN, 'query', `${folder}/qemu.db`, 'SELECT 1'], { encoding: 'utf8' });
    const make = spawnSync(node, [BIN, 'load', `${folder}/qemu.gictrace`, '-o', `${folder}/x.db`], {
      encoding: 'utf8',
    });
    for (const { status, stderr } of [make, load]) {
      // A version of Node with the same interface to native code can load it.
      if (status === 0) continue;
      if (/no such file/.test(stderr)) continue;
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(/^gictrace: better-sqlite3 does not load in Node [^\n]+\n$/),
      ]);
    }
    expect(make.status).not.toBe(1);
  });
});
