// What becomes of an error that nobody expected: one line, and an exit code that is no verdict.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { reportFailure } from './index.ts';
import { LOG, run, scratch, spawn } from './run.test-support.ts';

const dir = scratch();
const other = mkdtempSync(join(tmpdir(), 'gictrace-failure-'));
beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', join(dir, 't.gictrace'))).code).toBe(0);
});
afterAll(() => {
  for (const folder of [dir, other]) rmSync(folder, { recursive: true, force: true });
});

/** What is printed about an error, and the exit code. */
function reported(error: unknown, debug = false): readonly [number, string] {
  let text = '';
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    return [reportFailure(error, debug), text];
  } finally {
    write.mockRestore();
  }
}

it('a bug is one line and exit code 70, with a stack only for --debug', () => {
  for (const error of [new TypeError('x is\nundefined'), new RangeError('deep'), 'text', undefined]) {
    const [code, text] = reported(error);
    expect([code, text]).toEqual([70, expect.stringMatching(/^gictrace: a bug in gictrace: [^\n]+\n$/)]);
  }
  expect(reported(new TypeError('x'), true)[1]).toMatch(/\n\s+at /);
});

it('what the system lacks is exit code 3, and a fault of an input its own', () => {
  expect(reported(Object.assign(new Error('write'), { code: 'ENOSPC' }))).toEqual([
    3,
    'gictrace: no space is left on the device: write\n',
  ]);
  expect(reported(new GicTraceError('trace', 'bad'))[0]).toBe(4);
  expect(reported(new GicTraceError('limit', 'much'))[0]).toBe(4);
});

it('a better-sqlite3 for another Node is one line and exit code 3', () => {
  // As Node says it, and as it is when the module is loaded: the real one is replaced by a file that is none.
  const said =
    "The module 'better_sqlite3.node' was compiled against a different Node.js version using NODE_MODULE_VERSION 115.";
  for (const error of [
    new Error(said),
    Object.assign(new Error('invalid ELF header'), { code: 'ERR_DLOPEN_FAILED' }),
  ])
    expect(reported(error)).toEqual([
      3,
      expect.stringMatching(/^gictrace: better-sqlite3 does not load in Node [^\n]+\n$/),
    ]);
  const hook = join(other, 'hook.cjs');
  writeFileSync(
    hook,
    `const load = process.dlopen;
     process.dlopen = (module, name, ...rest) => {
       if (/sqlite/.test(name)) throw Object.assign(new Error(${JSON.stringify(said)}), { code: 'ERR_DLOPEN_FAILED' });
       return load(module, name, ...rest);
     };`,
  );
  const bin = join(import.meta.dirname, '..', 'bin', 'gictrace.js');
  const words = ['--require', hook, bin, 'load', join(dir, 't.gictrace'), '-o', join(dir, 't.db')];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    3,
    expect.stringMatching(/^gictrace: better-sqlite3 does not load[^\n]+\n$/),
  ]);
  const doctor = spawnSync(process.execPath, ['--require', hook, bin, 'doctor'], { encoding: 'utf8' });
  expect(doctor.stdout).toMatch(/^better-sqlite3 +missing .*npm rebuild better-sqlite3, for Node /m);
});

it('a footer that miscounts is noticed: by info where the sum is wrong, by info --verify in any case', async () => {
  const forged = join(import.meta.dirname, '../../../test/hostile/forged-digest.gictrace');
  const { code, err } = await run('info', forged);
  expect([code, err]).toEqual([4, expect.stringMatching(/^gictrace: [^\n]*counts by kind[^\n]*\n$/)]);
  expect(spawn(['info', '--verify', forged]).code).toBe(4);
});
