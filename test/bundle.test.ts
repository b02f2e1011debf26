// The bundle that `gictrace` runs from: what a command loads, that it finds its files, and that its stacks name sources.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importToTrace } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('../packages/cli/', import.meta.url));
const BIN = join(CLI, 'bin', 'gictrace.js');
const LOG = fileURLToPath(new URL('./recordings/its-trigger.log.gz', import.meta.url));
const LONG_LOG = fileURLToPath(new URL('./recordings/linux-gicv3-mrops.log.gz', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gictrace-bundle-'));
const [trace, db, hook] = ['t.gictrace', 't.db', 'hook.cjs'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];

/** Runs the command somewhere else than in this repository. */
function gictrace(args: readonly string[], ...nodeOptions: string[]) {
  return spawnSync(process.execPath, [...nodeOptions, BIN, ...args], { cwd: folder, encoding: 'utf8' });
}

beforeAll(() => {
  for (const args of [
    ['import', 'qemu', LOG, '-o', trace],
    ['load', trace, '-o', db],
  ]) {
    const { status, stderr } = gictrace(args);
    if (status !== 0) throw new Error(stderr);
  }
  writeFileSync(
    hook,
    "process.on('exit', () => process.stderr.write('\\nLOADED ' + JSON.stringify(Object.keys(require.cache))));",
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The sources, and names of packages, in the files that a command loads. */
function loadedBy(...args: string[]): readonly string[] {
  const { status, stderr } = gictrace(args, '--require', hook);
  expect(status, stderr).toBe(0);
  const files = (JSON.parse(stderr.split('\nLOADED ')[1]!) as string[]).filter((file) => file !== hook);
  return files.flatMap((file) => {
    if (!file.includes('bundle')) return [file.slice(CLI.length)];
    // Each module begins with a comment that names it.
    const modules = [...readFileSync(file, 'utf8').matchAll(/^\/\/ (\S+\.(?:ts|js|cjs|mjs))$/gm)];
    return modules.map(([, name]) => name!.replace(/^.*node_modules\/(\w[\w-]*)\/.*$/, '$1'));
  });
}

describe('a long log', () => {
  it('is imported by two threads, to the trace of one', { timeout: 60_000 }, async () => {
    const watch = join(folder, 'watch.cjs');
    writeFileSync(
      watch,
      `const fs = require('node:fs');
      const { statSync } = fs;
      // As if the log were one for which two threads pay.
      fs.statSync = (path, ...rest) => {
        const stat = statSync(path, ...rest);
        if (path === ${JSON.stringify(LONG_LOG)}) stat.size = 2 ** 30;
        return stat;
      };
      const threads = require('node:worker_threads');
      threads.Worker = class extends threads.Worker {
        constructor(...args) {
          super(...args);
          this.on('message', ({ says, taken }) => says === 'ended' && console.error('ENDED', taken !== undefined));
        }
      };`,
    );
    const two = join(folder, 'two.gictrace');
    const { stderr } = gictrace(['import', 'qemu', LONG_LOG, '-o', two, '--json'], '--require', watch);
    expect(stderr).toBe('ENDED true\n');
    const one = join(folder, 'one.gictrace');
    // From sources there is no thread.
    await importToTrace(LONG_LOG, one);
    expect(readFileSync(two).equals(readFileSync(one))).toBe(true);
  });
});

describe('what a command loads', () => {
  it('the version: two files, and none of the bundle', () => {
    expect(loadedBy('--version')).toEqual(['bin/gictrace.js', 'package.json']);
    expect(loadedBy('-V')).toEqual(['bin/gictrace.js', 'package.json']);
  });

  it('info: no simulator, no importer, no database, no drawing of progress', () => {
    const loaded = loadedBy('info', trace);
    expect(loaded).toContain('packages/recorder/src/trace/reader.ts');
    expect(loaded).toContain('packages/cli/src/verbs/info.ts');
    expect(loaded.filter((name) => /core\/src\/(model|irqchip|conformance|disasm)\//.test(name))).toEqual([]);
    expect(loaded.filter((name) => /importers|packages\/(query|replayer)/.test(name))).toEqual([]);
    for (const name of ['cli-progress', 'cli-table3', 'yaml']) expect(loaded).not.toContain(name);
  });

  it('query: no simulator, no traces, no schemas; the simulator for gic_state only', () => {
    const loaded = loadedBy('query', db, 'SELECT 1');
    expect(loaded).toContain('packages/query/src/database/plain.ts');
    expect(loaded.filter((name) => /core\/src\/(model|irqchip|conformance)\//.test(name))).toEqual([]);
    expect(
      loaded.filter((name) => /packages\/(recorder(?!\/src\/input\/)|replayer)|query\/src\/diff/.test(name)),
    ).toEqual([]);
    for (const name of ['cli-progress', 'yaml', 'zod', 'msgpackr']) expect(loaded).not.toContain(name);

    const state = loadedBy('query', db, 'SELECT count(*) FROM gic_state(1, 100)');
    expect(state).toContain('packages/core/src/model/step.ts');
    expect(state).toContain('zod');
  });
});

describe('the files that it finds', () => {
  it('the page of a report and the scenarios that ship', () => {
    const page = join(folder, 'r.html');
    expect(gictrace(['report', trace, '-o', page]).status).toBe(0);
    expect(readFileSync(page, 'utf8')).toContain('This page needs no network');
    expect(gictrace(['scenarios']).stdout).toContain('storm');
    const storm = join(folder, 's.gictrace');
    expect(gictrace(['record', 'storm', '-o', storm]).status).toBe(0);
    expect(gictrace(['info', storm]).stdout).toContain('from storm');
  });

  it('its own version', () => {
    const { version } = JSON.parse(readFileSync(join(CLI, 'package.json'), 'utf8')) as { version: string };
    expect(gictrace(['--version']).stdout).toBe(`${version}\n`);
    expect(gictrace(['info', trace]).stdout).toContain(`made by gictrace ${version} from`);
  });

  it('the licences of all that is bundled', () => {
    const text = readFileSync(join(CLI, 'dist', 'bundle', 'LICENSES.txt'), 'utf8');
    for (const name of ['cli-progress', 'cli-table3', 'commander', 'msgpackr', 'yaml', 'zod'])
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`, 'm'));
    expect(text.match(/Permission to use|Permission is hereby granted/g)!.length).toBeGreaterThan(6);
  });
});

it('a stack names the sources', () => {
  // Faults of ours are not to be had for the asking: a part of Node is broken instead.
  const breaker = join(folder, 'break.cjs');
  writeFileSync(breaker, "Buffer.prototype.readBigUInt64LE = () => { throw new RangeError('planted'); };");
  const { status, stderr } = gictrace(['info', trace, '--debug'], '--require', breaker);
  expect(status).toBe(70);
  expect(stderr).toContain('planted');
  const source = /at \S+ \((packages\/recorder\/src\/trace\/\w+\.ts):(\d+):(\d+)\)/.exec(stderr);
  expect(source, stderr).not.toBeNull();
  const line = readFileSync(join(CLI, '..', '..', source![1]!), 'utf8').split('\n')[Number(source![2]) - 1]!;
  expect(line.slice(Number(source![3]) - 1)).toMatch(/^readBigUInt64LE\(/);
  expect(stderr).toMatch(/packages\/cli\/src\/verbs\/info\.ts:\d+:\d+/);
});
