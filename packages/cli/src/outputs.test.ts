// The promise about files and exit codes, as a table over the verbs that write: inputs are never written, a foreign file
// stays unless --force, what is no regular file stays in any case; and a pipe that closes changes no verdict.
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LOG, run, scratch } from './run.test-support.ts';
import { verbsFor } from './verbs.ts';

const BIN = fileURLToPath(new URL('../bin/gictrace.js', import.meta.url));
const dir = scratch();
const work = join(dir, 'work');
const at = (name: string) => join(work, name);
const SCENARIO = `scenario: one message
machine: { pes: 1 }
devices:
  nic: { id: 8, vectors: 1 }
steps:
  - online: [0]
  - alloc: nic
  - { activate: nic/0, pe: 0 }
  - unmask: nic/0
  - storm: nic/0
    times: 3
`;

/** A verb that writes: its command line, given its input and its output; and which of the files below is its input. */
interface Writer {
  readonly input: 'log' | 'trace' | 'jsonl' | 'scenario';
  readonly line: (input: string, output: string) => string[];
  /** Its exit code when all is well. */
  readonly code?: number;
}
const WRITERS: Readonly<Record<string, Writer>> = {
  'import qemu': { input: 'log', line: (input, out) => ['import', 'qemu', input, '-o', out] },
  'import jsonl': { input: 'jsonl', line: (input, out) => ['import', 'jsonl', input, '-o', out] },
  record: { input: 'scenario', line: (input, out) => ['record', input, '-o', out] },
  replay: { input: 'trace', line: (input, out) => ['replay', input, '-o', out] },
  recover: { input: 'trace', line: (input, out) => ['recover', input, '-o', out] },
  load: { input: 'trace', line: (input, out) => ['load', input, '-o', out] },
  diff: { input: 'trace', line: (input, out) => ['diff', input, input, '-o', out] },
  report: { input: 'trace', line: (input, out) => ['report', input, '--no-replay', '-o', out] },
  compare: { input: 'scenario', line: (input, out) => ['compare', input, '--on', 'its', '-o', out] },
  minimize: {
    input: 'trace',
    line: (input, out) => ['minimize', input, '--plant', 'int-ignored', '--no-values', '-o', out],
  },
  'export perfetto': {
    input: 'trace',
    line: (input, out) => ['export', input, '--to', 'perfetto', '-o', out],
  },
  'export vcd': { input: 'trace', line: (input, out) => ['export', input, '--to', 'vcd', '-o', out] },
  'export jsonl': { input: 'trace', line: (input, out) => ['export', input, '--to', 'jsonl', '-o', out] },
};
/** Verbs with `--output` that cannot run here: these need a running QEMU. */
const ELSEWHERE = ['fuzz', 'record qemu'];
const NAMES = { log: 'in.log.gz', trace: 'in.gictrace', jsonl: 'in.jsonl', scenario: 'in.yaml' } as const;

beforeAll(async () => {
  copyFileSync(LOG, join(dir, NAMES.log));
  expect((await run('import', 'qemu', LOG, '-o', join(dir, NAMES.trace))).code).toBe(0);
  const exported = await run('export', join(dir, NAMES.trace), '--to', 'jsonl', '-o', join(dir, NAMES.jsonl));
  expect(exported.code).toBe(0);
  writeFileSync(join(dir, NAMES.scenario), SCENARIO);
});
beforeEach(() => {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  for (const name of Object.values(NAMES)) copyFileSync(join(dir, name), at(name));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('has a row for every verb that has an option --output', async () => {
  const program = new Command();
  for (const load of verbsFor(undefined)) (await load())(program, () => {});
  const writing = program.commands
    .flatMap((verb) => [
      [verb.name(), verb] as const,
      ...verb.commands.map((one) => [`${verb.name()} ${one.name()}`, one] as const),
    ])
    .filter(([, { options }]) => options.some(({ long }) => long === '--output'))
    .map(([name]) => name);
  expect(writing).toContain('report');
  const rows = [...Object.keys(WRITERS), ...ELSEWHERE];
  expect(writing.filter((name) => !rows.some((row) => row === name || row.startsWith(`${name} `)))).toEqual(
    [],
  );
});

describe.each(Object.entries(WRITERS))('%s', (_name, { input, line }) => {
  const source = () => at(NAMES[input]);
  const partials = () => readdirSync(work).filter((name) => name.includes('.partial'));

  it('never writes its input, by whatever name', async () => {
    const before = readFileSync(source());
    symlinkSync(source(), at('symbolic'));
    linkSync(source(), at('hard'));
    for (const output of [source(), at('symbolic'), at('hard')])
      for (const force of [[], ['--force']]) {
        const { code, err, out } = await run(...line(source(), output), ...force);
        expect([code, out]).toEqual([2, '']);
        expect(err).toMatch(/^gictrace: [^\n]*is the input [^\n]*\n$/);
      }
    expect(readFileSync(source()).equals(before)).toBe(true);
    expect(partials()).toEqual([]);
  });

  // A scenario is recognised by the end of its name.
  it.skipIf(input === 'scenario')('reads an input that has the name of a temporary file', async () => {
    // out.partial is what a temporary file for `out` is called first.
    copyFileSync(source(), at('out.partial'));
    const before = readFileSync(at('out.partial'));
    const { code } = await run(...line(at('out.partial'), at('out')));
    expect(code).toBe(0);
    expect(readFileSync(at('out.partial')).equals(before)).toBe(true);
    expect(statSync(at('out')).size).toBeGreaterThan(0);
  });

  it('replaces a file of its own, and a foreign one with --force only', async () => {
    writeFileSync(at('thesis'), 'a year of work');
    const refused = await run(...line(source(), at('thesis')));
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--force')]);
    expect(readFileSync(at('thesis'), 'utf8')).toBe('a year of work');
    expect((await run(...line(source(), at('thesis')), '--force')).code).toBe(0);
    // Now it is one of its own.
    expect((await run(...line(source(), at('thesis')))).code).toBe(0);
    expect(partials()).toEqual([]);
  });

  it('leaves a FIFO as it is, and does not hang', async () => {
    expect(spawnSync('mkfifo', [at('fifo')]).status).toBe(0);
    const { code, err } = await run(...line(source(), at('fifo')), '--force');
    expect([code, err]).toEqual([2, expect.stringContaining('is a FIFO')]);
    expect(statSync(at('fifo')).isFIFO()).toBe(true);
  });

  it('two at once leave a whole file', async () => {
    const both = [0, 1].map(
      () =>
        new Promise<number | null>((resolve, reject) => {
          const one = spawn(process.execPath, [BIN, ...line(source(), at('two'))], { stdio: 'ignore' });
          one.once('error', reject);
          one.once('exit', (code) => resolve(code));
        }),
    );
    expect(await Promise.all(both)).toEqual([0, 0]);
    expect(partials()).toEqual([]);
    const alone = await run(...line(source(), at('alone')));
    expect(alone.code).toBe(0);
    expect(statSync(at('two')).size).toBe(statSync(at('alone')).size);
  });
});

describe('standard output', () => {
  const sh = (command: string) =>
    spawnSync('bash', ['-c', command], {
      encoding: 'utf8',
      env: {
        ...process.env,
        NODE: process.execPath,
        BIN,
        TRACE: at(NAMES.trace),
        OTHER: at('other.gictrace'),
      },
    });

  it('a pipe that closes keeps the verdict', async () => {
    const lines = readFileSync(at(NAMES.jsonl), 'utf8').trim().split('\n');
    writeFileSync(at('other.jsonl'), `${lines.filter((_line, i) => i % 50 !== 1).join('\n')}\n`);
    expect((await run('import', 'jsonl', at('other.jsonl'), '-o', at('other.gictrace'))).code).toBe(0);
    for (const verb of ['diff "$TRACE" "$OTHER"', 'check "$TRACE"']) {
      const { stdout } = sh(`"$NODE" "$BIN" ${verb} | true; echo "\${PIPESTATUS[0]}"`);
      expect(stdout.trim()).toBe('1');
    }
    // What only prints ends well.
    expect(
      sh(`"$NODE" "$BIN" dump "$TRACE" | head -1 > /dev/null; echo "\${PIPESTATUS[0]}"`).stdout.trim(),
    ).toBe('0');
  });

  it.runIf(process.platform === 'linux')('a full disk is a failure of the system, in one line', () => {
    for (const verb of ['replay', 'dump', 'info']) {
      const { status, stderr } = sh(`"$NODE" "$BIN" ${verb} "$TRACE" > /dev/full`);
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(/^gictrace: standard output[^\n]*no space[^\n]*\n$/),
      ]);
    }
  });
});
