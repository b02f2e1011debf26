// A signal while an output is open, as a table over the verbs that write: the process ends by that signal and names what is
// not written, nothing is left beside it, and the final name has the old file, also where the verb never pauses.
import { spawn as start } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
async function signalled(words: readonly string[], folder: string, signal: NodeJS.Signals, afterMs: number) {
  const child = start(process.execPath, [BIN, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
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
    if (by !== null) expect(err).toMatch(/gictrace: ended by SIGTERM(: \S+ not written)?\n$/);
    expect(readdirSync(folder)).toEqual(existsSync(out) ? ['out'] : []);
    if (existsSync(out)) expect((await run('info', '--verify', out)).code).toBe(0);
  }
});
