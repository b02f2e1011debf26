// A signal while an output is open, as a table over the verbs that write: the process ends by that signal and names what is
// not written, nothing is left beside it, and the final name has the old file, also where the verb never pauses.
import { spawnSync, spawn as start } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, scratch } from './run.test-support.ts';

const BIN = fileURLToPath(new URL('../bin/gictrace.js', import.meta.url));
const dir = scratch();
const at = (name: string) => join(dir, name);
const scenario = (times: number) => `scenario: many messages
machine: { pes: 1 }
devices:
  nic: { id: 8, vectors: 1 }
steps:
  - online: [0]
  - alloc: nic
  - { activate: nic/0, pe: 0 }
  - unmask: nic/0
  - storm: nic/0
    times: ${times}
`;

beforeAll(async () => {
  writeFileSync(at('long.yaml'), scenario(100_000));
  writeFileSync(at('short.yaml'), scenario(100));
  for (const name of ['long', 'short'])
    expect((await run('record', at(`${name}.yaml`), '-o', at(`${name}.gictrace`))).code).toBe(0);
  expect((await run('export', at('short.gictrace'), '--to', 'jsonl', '-o', at('short.jsonl'))).code).toBe(0);
  const [header, ...records] = readFileSync(at('short.jsonl'), 'utf8').trimEnd().split('\n');
  writeFileSync(at('long.jsonl'), `${[header, ...Array(200).fill(records).flat()].join('\n')}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Command lines that have an output for a second or more, and those that are done sooner than a signal is heard. */
const LONG: Readonly<Record<string, (out: string) => string[]>> = {
  record: (out) => ['record', at('long.yaml'), '-o', out],
  compare: (out) => ['compare', at('long.yaml'), '-o', out],
  replay: (out) => ['replay', at('long.gictrace'), '-o', out],
  recover: (out) => ['recover', at('long.gictrace'), '-o', out],
  report: (out) => ['report', at('long.gictrace'), '-o', out],
  'export perfetto': (out) => ['export', at('long.gictrace'), '--to', 'perfetto', '-o', out],
  'export vcd': (out) => ['export', at('long.gictrace'), '--to', 'vcd', '-o', out],
  'export jsonl': (out) => ['export', at('long.gictrace'), '--to', 'jsonl', '-o', out],
  diff: (out) => ['diff', at('long.gictrace'), at('long.gictrace'), '-o', out],
  load: (out) => ['load', at('long.gictrace'), '-o', out],
  'import jsonl': (out) => ['import', 'jsonl', at('long.jsonl'), '-o', out],
};

/** Runs a command line, and sends a signal when its temporary file has been there for some time. */
async function signalled(
  words: readonly string[],
  folder: string,
  signal: NodeJS.Signals,
  afterMs: number,
  { node = process.execPath, options = '' } = {},
) {
  const child = start(node, [BIN, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: options },
  });
  let err = '';
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
  });
  const ended = new Promise<{ by: NodeJS.Signals | null; code: number | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve({ by, code }));
  });
  const poll = setInterval(() => {
    if (!readdirSync(folder).some((name) => name.endsWith('.partial'))) return;
    clearInterval(poll);
    setTimeout(() => child.kill(signal), afterMs);
  }, 1);
  const end = await ended;
  clearInterval(poll);
  return { ...end, err };
}

describe.each(Object.entries(LONG))('%s', (name, line) => {
  it.each([
    ['SIGINT', 0],
    ['SIGTERM', 30],
  ] as const)('%s after %d ms', async (signal, afterMs) => {
    const folder = at(`${name}-${signal}`.replace(' ', '-'));
    mkdirSync(folder);
    const out = join(folder, 'out');
    const { by, err } = await signalled(line(out), folder, signal, afterMs);
    expect([by, err]).toEqual([signal, `gictrace: ended by ${signal}: ${out} not written\n`]);
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('an old file stays, whole', async () => {
  const folder = at('old');
  mkdirSync(folder);
  const out = join(folder, 'out');
  const old = readFileSync(at('short.gictrace'));
  writeFileSync(out, old);
  const { by } = await signalled(LONG.replay!(out), folder, 'SIGHUP', 50);
  expect(by).toBe('SIGHUP');
  expect(readFileSync(out).equals(old)).toBe(true);
  expect(readdirSync(folder)).toEqual(['out']);
});

it('a verb that is done at once ends by the signal too: the file is whole, or not there', async () => {
  const folder = at('short');
  mkdirSync(folder);
  const out = join(folder, 'out');
  for (const afterMs of [0, 0, 1, 2, 4, 8]) {
    rmSync(out, { force: true });
    const line = ['replay', at('short.gictrace'), '-o', out];
    const { by, code, err } = await signalled(line, folder, 'SIGTERM', afterMs);
    // By the signal, or before it came.
    expect(by ?? code).toBe(by === null ? 0 : 'SIGTERM');
    // Once the file is whole there is nothing to say, and soon no handler any more.
    if (by !== null)
      expect(err).toMatch(
        existsSync(out)
          ? /^(gictrace: ended by SIGTERM\n)?$/
          : /gictrace: ended by SIGTERM: \S+ not written\n$/,
      );
    expect(readdirSync(folder)).toEqual(existsSync(out) ? ['out'] : []);
    if (existsSync(out)) expect((await run('info', '--verify', out)).code).toBe(0);
  }
});

/** Paths with colons between them, as for test/same-bytes.test.ts. */
const NODES = (process.env.GICTRACE_NODES ?? '').split(':').filter((path) => path !== '');
if (NODES.length === 0) console.warn('SKIPPED: signals on the Nodes that GICTRACE_NODES names');

describe('where no thread can hear signals', () => {
  beforeAll(() =>
    writeFileSync(
      at('no-binding.cjs'),
      "process.binding = () => { throw new Error('No such module: signal_wrap'); };\n",
    ),
  );
  const options = `--require ${at('no-binding.cjs')}`;

  it.each([
    ['SIGINT', 0],
    ['SIGTERM', 30],
    ['SIGKILL', 0],
  ] as const)('another process removes what %s leaves after %d ms', async (signal, afterMs) => {
    const folder = at(`watched-${signal}`);
    mkdirSync(folder);
    const out = join(folder, 'out');
    const { by, err } = await signalled(LONG.replay!(out), folder, signal, afterMs, { options });
    expect([by, err]).toEqual([signal, `gictrace: ended by a signal: ${out} not written\n`]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('the other process removes what the command made, and no other file of that name', () => {
    const watcher = fileURLToPath(new URL('../dist/signal-watcher.js', import.meta.url));
    const path = (name: string) => at(`${name}.partial`);
    for (const name of ['own', 'later', 'done', 'making', 'there']) writeFileSync(path(name), '');
    writeFileSync(path('full'), 'a year of work');
    const opened = (name: string, more = 0) => ({
      opened: path(name),
      inode: statSync(path(name)).ino + more,
      name,
    });
    const opening = (name: string, more = 0) => ({
      opening: path(name),
      sinceMs: statSync(path(name)).birthtimeMs + more,
      name,
    });
    const lines = [
      ...[opened('own'), opened('later', 1), opened('done'), { closed: path('done') }],
      ...[opening('making'), opening('there', 1000), opening('full')],
    ];
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const { status, stderr } = spawnSync(process.execPath, [watcher], { input, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, 'gictrace: ended by a signal: own, making not written\n']);
    const left = ['own', 'later', 'done', 'making', 'there', 'full'].filter((name) => existsSync(path(name)));
    expect(left).toEqual(['later', 'done', 'there', 'full']);
  });

  it("another process's new file is left, if it took the name first, and nothing is said", () => {
    const folder = at('taken');
    mkdirSync(folder);
    // Whatever makes a temporary file finds that another process has just made one of that name.
    const preload = at('taken.cjs');
    writeFileSync(
      preload,
      `const fs = require('node:fs');
const { openSync } = fs;
fs.openSync = (path, flags, ...more) => {
  if (flags === 'wx' && String(path).endsWith('out.partial') && !fs.existsSync(path)) openSync(path, 'w');
  return openSync(path, flags, ...more);
};
`,
    );
    const { status, stderr } = spawnSync(process.execPath, [BIN, ...LONG.recover!(join(folder, 'out'))], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: `${options} --require ${preload}` },
    });
    // The watcher holds standard error open until it has ended.
    expect([status, stderr]).toEqual([0, '']);
    expect(readdirSync(folder).sort()).toEqual(['out', 'out.partial']);
  });

  it('a verb that ends by itself is as ever', async () => {
    const out = at('whole');
    const child = start(process.execPath, [BIN, ...LONG.replay!(out)], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: options },
    });
    let err = '';
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString();
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(err).toBe('');
    expect((await run('info', '--verify', out)).code).toBe(0);
  });

  // The options make every warning of a deprecation an error.
  it.each(NODES)('%s: what a signal leaves is removed, and nothing else is printed', async (node) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const folder = at(`node-${NODES.indexOf(node)}-${signal}`);
      mkdirSync(folder);
      const out = join(folder, 'out');
      const { by, err } = await signalled(LONG.record!(out), folder, signal, 10, {
        node,
        options: '--pending-deprecation --throw-deprecation',
      });
      expect([by, err]).toEqual([
        signal,
        expect.stringMatching(/^gictrace: ended by (a signal|SIGINT|SIGTERM): \S+ not written\n$/),
      ]);
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});
