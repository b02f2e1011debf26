// The table of docs/robustness.md: each fault that was found has a test that is there, and each file that broke a promise is
// in the table. And two faults that have no other test.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from 'gictrace';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recording, scratch } from './support.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const folder = scratch();
afterAll(() => folder.dispose());

const rows = read('docs/robustness.md')
  .split('## Faults that were found')[1]!
  .split('\n## ')[0]!
  .split('\n')
  .filter((line) => /^\| [A-E]\d*: /.test(line))
  .map((line) => line.replace(/^\| | \|$/g, '').split(' | '))
  .map(([fault, tests]) => ({ fault: fault!, tests: tests! }));
/** Files of test/hostile that `npm run torture` found. */
const BY_TORTURE = [
  'block-of-no-gicv5-its.gictrace',
  'block-of-no-its.gictrace',
  'device-of-2-to-the-32-vectors.gictrace',
  'frames-of-another-gic.gictrace',
  'its-of-any-number.gictrace',
  'lpis-pending-114688.gictrace',
  'lpis-waiting-again.gictrace',
  'options-of-bytes.gictrace',
  'pe-of-no-header.gictrace',
  'priority-of-no-byte.log',
  'profile-of-70000-letters.gictrace',
  'profile-that-turns-text.gictrace',
  'time-of-gicv5.log.gz',
];

it('has a row for each fault', () => {
  const names = rows.map(({ fault }) => fault.split(':')[0]!);
  const all = (letter: string, count: number) => Array.from({ length: count }, (_, k) => `${letter}${k + 1}`);
  expect(names).toEqual([...all('A', 5), ...all('B', 10), ...all('C', 8), ...all('D', 5), 'E']);
});

it.each(rows)('$fault', ({ tests }) => {
  const named = [...tests.matchAll(/`([^`]+\.test\.ts)`: ((?:[^`]|`(?![^`]+\.test\.ts))*)/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, path, titles] of named) {
    // Titles of tests, and of groups of tests: the first argument of a call.
    const quoted = [...read(path!).matchAll(/(?:\(|^ *)'([^'\n]+)',/gm)].map(([, text]) => text!);
    for (const title of titles!.replace(/\. ?$/, '').split('; '))
      expect(
        quoted.some((text) => text.includes(title.trim())),
        `${path}: ${title}`,
      ).toBe(true);
  }
});

it('each hostile file is in the table, or was found by torture', () => {
  const named = rows.flatMap(({ fault }) => [...fault.matchAll(/`([\w.-]+)`/g)].map(([, name]) => name!));
  const files = readdirSync(join(ROOT, 'test/hostile'));
  expect(files.filter((name) => !named.includes(name) && !BY_TORTURE.includes(name))).toEqual([]);
  const inTable = named.filter((name) => /\.(gictrace|jsonl|yaml|gz|xz)$/.test(name));
  expect([...inTable, ...BY_TORTURE].filter((name) => !files.includes(name))).toEqual([]);
});

it('no native code reads a trace, or what an adapter sends', () => {
  // Bytes become values by the reader of gictrace; the library, which has native code for reading, is used to write alone.
  const sources = readdirSync(join(ROOT, 'packages'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^\w+\/src\/.*\.ts$/.test(name),
  );
  const users = sources.filter((name) => /from 'msgpackr/.test(read(`packages/${name}`)));
  expect(users).toEqual(['recorder/src/trace/msgpack.ts']);
  const text = read(`packages/${users[0]}`);
  expect(text).toContain("import { Packr } from 'msgpackr';");
  expect(text.match(/packr\.\w+/g)).toEqual(['packr.pack']);
});

describe('a golden case and a scenario cannot run a command', () => {
  const scenario =
    'scenario: a\nmachine: { pes: 1 }\ndevices: { n: { id: 8, vectors: 1 } }\nsteps: [online: [0]]\n';
  const proof = folder.path('proof');
  const COMMANDS = [`exec:touch ${proof}`, `qemu:touch ${proof}`, `simulator@architecture; touch ${proof}`];
  const ci = process.env.CI;
  beforeAll(() => {
    delete process.env.CI;
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  });
  afterAll(() => {
    if (ci !== undefined) process.env.CI = ci;
    vi.restoreAllMocks();
  });

  it.each([
    ['a scenario', 'scenario.yaml', () => Buffer.from(scenario), 'its'],
    ['a recording', 'recording.log.gz', () => readFileSync(recording('its-trigger.log.gz')), 'simulator'],
  ])('a case with %s', async (what, name, bytes, good) => {
    const cases = folder.path(what);
    mkdirSync(join(cases, 'a'), { recursive: true });
    writeFileSync(join(cases, 'a', name), bytes());
    const on = (value: string) =>
      writeFileSync(join(cases, 'a', 'case.yaml'), `on: ${JSON.stringify(value)}\n`);
    for (const command of COMMANDS) {
      on(command);
      expect(await main(['golden', 'update', cases])).toBe(1);
    }
    // All else is right, and there are golden files to check.
    on(good);
    expect(await main(['golden', 'update', cases])).toBe(0);
    expect(await main(['golden', 'check', cases])).toBe(0);
    for (const command of COMMANDS) {
      on(command);
      expect(await main(['golden', 'check', cases])).toBe(1);
    }
    expect(existsSync(proof)).toBe(false);
  });

  it.each(['on', 'command', 'backend'])('a scenario with %s', async (key) => {
    const path = folder.path('with-key.yaml');
    writeFileSync(path, `${scenario}${key}: 'exec:touch ${proof}'\n`);
    for (const words of [
      ['record', path, '-o', folder.path('out.gictrace')],
      ['compare', path],
    ])
      expect(await main(words)).toBe(2);
    expect(existsSync(proof)).toBe(false);
  });
});
