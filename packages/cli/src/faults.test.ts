// Faults of the file system under every verb that writes: each call for an output fails, or is the last that is made, and the
// system refuses a file that grows. The final name holds the old file or the new one, whole, nothing is left beside it, and
// the exit code and one line say that the system failed.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultyFiles } from '../../recorder/src/output/faulty.test-support.ts';
import { run, scratch } from './run.test-support.ts';
import { makeInputs, NAMES, WRITERS } from './writers.test-support.ts';

const BIN = fileURLToPath(new URL('../bin/gictrace.js', import.meta.url));
const GOLDENS = fileURLToPath(new URL('../../../goldens/conformance/', import.meta.url));
const dir = scratch();
const at = (name: string) => join(dir, name);
const out = at('out');
const partials = () => readdirSync(dir).filter((name) => name.includes('.partial'));
/** Small inputs, so that each of the calls can be tried: what is minimized has to show something. */
const GOLDEN = {
  minimize: 'its-commands/its.discard-unmapped-collection',
  other: 'distributor/gicd.priority-bits',
};
const LATENCY = fileURLToPath(
  new URL('../../../test/recordings/ftrace/demo-latency.txt.xz', import.meta.url),
);
const inputOf = (name: string, input: keyof typeof NAMES) => {
  if (input === 'ftrace') return at('small.txt.xz');
  if (input !== 'trace') return at(NAMES[input]);
  return at(name === 'minimize' ? 'minimize.gictrace' : 'other.gictrace');
};

beforeAll(async () => {
  await makeInputs(dir);
  for (const [name, golden] of Object.entries(GOLDEN))
    copyFileSync(join(GOLDENS, `${golden}@architecture.golden.gictrace`), at(`${name}.gictrace`));
  copyFileSync(LATENCY, at('small.txt.xz'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a command line with a fault at the n-th call, until there are no more calls. */
async function everyCall(
  how: 'ENOSPC' | 'killed',
  line: readonly string[],
  old: Buffer | undefined,
  after: (code: number, err: string, n: number) => void,
): Promise<number> {
  for (let n = 1; ; n++) {
    if (old === undefined) rmSync(out, { force: true });
    else writeFileSync(out, old);
    const { seen, restore } = faultyFiles(n, how);
    try {
      const { code, err } = await run(...line);
      if (seen.calls < n) return n - 1;
      after(code, err, n);
    } finally {
      restore();
    }
  }
}

describe.each(Object.entries(WRITERS))('%s', (name, { input, line }) => {
  const words = line(inputOf(name, input), out);

  it('every call fails, or is the last', async () => {
    rmSync(out, { force: true });
    expect((await run(...words)).code).toBe(0);
    const whole = readFileSync(out);
    // The length of a JUnit report depends on how long the runs took.
    const isWhole = (bytes: Buffer) =>
      name.endsWith('--junit') ? /<\/testsuites>\s*$/.test(`${bytes}`) : bytes.length === whole.length;
    // An old file that differs from the new one, and that gictrace wrote: it has bytes after its end.
    const old = Buffer.concat([whole, Buffer.from('\n')]);
    const holds = () => {
      const bytes = readFileSync(out);
      return bytes.equals(old) ? 'old' : isWhole(bytes) ? 'new' : `${bytes.length} bytes`;
    };
    const calls = await everyCall(
      'ENOSPC',
      words,
      name === 'load --append' ? undefined : old,
      (code, err) => {
        if (existsSync(out)) expect(['old', 'new']).toContain(holds());
        if (code === 0) return;
        expect([code, err]).toEqual([3, expect.stringMatching(/^gictrace: [^\n]*no space[^\n]*\n$/)]);
        expect(partials()).toEqual([]);
        if (existsSync(out)) expect(holds()).toBe('old');
      },
    );
    expect(calls).toBeGreaterThan(5);
    await everyCall('killed', words, name === 'load --append' ? undefined : old, () => {
      if (existsSync(out)) expect(['old', 'new']).toContain(holds());
      for (const part of partials()) rmSync(at(part));
    });
  });

  it.runIf(process.platform === 'linux')('a file that may not grow', () => {
    writeFileSync(out, '');
    // Node ignores SIGXFSZ, so that a write ends with EFBIG.
    const { status, stderr } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 1 && exec "$@"', 'bash', process.execPath, BIN, ...words],
      {
        encoding: 'utf8',
      },
    );
    const size = readFileSync(out).length;
    if (status === 0) expect(size).toBeLessThanOrEqual(1024);
    else {
      expect([status, stderr]).toEqual([3, expect.stringMatching(/^gictrace: [^\n]+\n$/)]);
      expect(size).toBe(0);
    }
    expect(partials()).toEqual([]);
  });
});

describe('outputs of several files', () => {
  it('golden update: each golden file is old or new', async () => {
    const folder = join(dir, 'cases');
    const files = () => readdirSync(folder).sort();
    const before = new Map(files().map((name) => [name, readFileSync(join(folder, name))]));
    for (const how of ['ENOSPC', 'killed'] as const) {
      const codes = new Set<number>();
      const calls = await everyCall(how, ['golden', 'update', folder], undefined, (code) => {
        // 0 where only the durability of a name could not be asked for.
        codes.add(code);
        for (const name of files()) {
          if (name.includes('.partial')) rmSync(join(folder, name));
          else expect(readFileSync(join(folder, name)).equals(before.get(name)!), name).toBe(true);
        }
      });
      expect(calls).toBeGreaterThan(5);
      if (how === 'ENOSPC') expect([...codes].sort()).toEqual([0, 3]);
      for (const [name, bytes] of before)
        if (name.includes('golden')) writeFileSync(join(folder, name), bytes);
    }
  });

  it('a dataset has a trace whole, or not, and goes on', async () => {
    const set = at('set');
    const words = ['export', '--to', 'parquet', '--jobs', '1', set, at('other.gictrace')];
    for (const n of [1, 2, 5, 20, 40, 60, 80, 100]) {
      rmSync(set, { recursive: true, force: true });
      const { seen, restore } = faultyFiles(n, 'killed');
      await run(...words);
      restore();
      if (seen.calls < n) break;
      expect((await run(...words)).code).toBe(0);
      const { code, out: answer } = await run('query', set, 'SELECT count(*) AS n FROM traces', '--json');
      expect([code, JSON.parse(answer)]).toEqual([0, [{ n: 1 }]]);
    }
  });
});
