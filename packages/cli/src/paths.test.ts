// Every verb that reads a file, given a path that names none: a FIFO is not waited for, and what is wrong is one line that is
// never a bug of gictrace.
import { spawn, spawnSync } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { INPUT_OPTIONS } from './named-files.ts';
import { LOG, run, scratch } from './run.test-support.ts';
import { VERB_NAMES } from './verbs.ts';

const BIN = fileURLToPath(new URL('../bin/gictrace.js', import.meta.url));
const dir = scratch();
const at = (name: string) => join(dir, name);
const good = at('good.gictrace');
const writers: ReturnType<typeof spawn>[] = [];

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', good)).code).toBe(0);
  expect((await run('export', good, '--to', 'jsonl', '-o', at('in.jsonl'))).code).toBe(0);
  // `record` takes what ends in .yaml.
  for (const end of ['', '.yaml']) {
    expect(spawnSync('mkfifo', [at(`fifo${end}`)]).status).toBe(0);
    symlinkSync(`loop${end}`, at(`loop${end}`));
    symlinkSync('/dev/null', at(`device${end}`));
    // With a writer that comes and goes, a verb that opens the FIFO reads nothing and goes on: it fails here, and does not hang.
    writers.push(spawn('sh', ['-c', 'while :; do : > "$0"; done', at(`fifo${end}`)], { stdio: 'ignore' }));
  }
});
afterAll(() => {
  for (const writer of writers) writer.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const out = (end: string) => ['-o', at(`out${end}`)];
/** Command lines with a path in the place of a trace: exit code 4. */
const TRACES: Readonly<Record<string, (path: string) => string[]>> = {
  info: (path) => ['info', path],
  dump: (path) => ['dump', path],
  recover: (path) => ['recover', path, ...out('.gictrace')],
  replay: (path) => ['replay', path],
  check: (path) => ['check', path],
  compare: (path) => ['compare', path],
  'diff, first': (path) => ['diff', path, good],
  'diff, second': (path) => ['diff', good, path],
  report: (path) => ['report', path, ...out('.html')],
  'report, second': (path) => ['report', good, path, '--no-replay', ...out('.html')],
  export: (path) => ['export', path, '--to', 'vcd', ...out('.vcd')],
  'export, dataset': (path) => ['export', '--to', 'parquet', '--jobs', '1', at('set'), path],
  load: (path) => ['load', path, ...out('.db')],
  'import jsonl --like': (path) => ['import', 'jsonl', at('in.jsonl'), '--like', path, ...out('.gictrace')],
  bisect: (path) => ['bisect', path, good],
  'bisect --sql': (path) => ['bisect', path, '--sql', 'SELECT 1 WHERE :record > 0'],
  minimize: (path) => ['minimize', path, '--plant', 'int-ignored', ...out('.min')],
  step: (path) => ['step', path],
  why: (path) => ['why', path, '--intid', '3'],
};
/** With a path in the place of another input: exit code 2. */
const OTHERS: Readonly<Record<string, (path: string) => string[]>> = {
  import: (path) => ['import', path, ...out('.gictrace')],
  'import qemu': (path) => ['import', 'qemu', path, ...out('.gictrace')],
  'import jsonl': (path) => ['import', 'jsonl', path, ...out('.gictrace')],
  record: (path) => ['record', `${path}.yaml`, ...out('.gictrace')],
  batch: (path) => ['batch', path, 'info'],
  query: (path) => ['query', path, 'SELECT 1'],
  'query --module': (path) => ['query', path, '--module', 'lost'],
  shell: (path) => ['shell', path],
  'diff --rules': (path) => ['diff', good, good, '--rules', path],
  'report --rules': (path) => ['report', good, good, '--no-replay', '--rules', path, ...out('.html')],
  'compare --cost-model': (path) => ['compare', good, '--cost-model', path],
  'golden check': (path) => ['golden', 'check', path],
  'golden update': (path) => ['golden', 'update', path],
  'export, to a dataset': (path) => ['export', '--to', 'parquet', '--jobs', '1', path, good],
  'export --names': (path) => ['export', good, '--to', 'perfetto', '--names', path, ...out('.pftrace')],
};
/** Verbs that read no file that the command line names, or pass what they are given to a program. */
const NO_INPUT = ['scenarios', 'backends', 'claims', 'doctor', 'fuzz', 'adapter-test'];
/** Options of which no value is a path that gictrace opens: numbers, predicates and commands. */
const NOT_OPENED = ['--keep', '--command'];

// There, golden update refuses to write before it looks at anything.
beforeEach(() => void vi.stubEnv('CI', undefined));
afterEach(() => void vi.unstubAllEnvs());

it('every verb and every option that names an input is tried', () => {
  const lines = [...Object.values(TRACES), ...Object.values(OTHERS)].map((line) => line('PATH'));
  const tried = new Set(lines.map(([verb]) => verb!));
  expect(VERB_NAMES.filter((verb) => !tried.has(verb))).toEqual(
    VERB_NAMES.filter((verb) => NO_INPUT.includes(verb)),
  );
  expect(INPUT_OPTIONS.filter((option) => !lines.some((line) => line.includes(option)))).toEqual(
    INPUT_OPTIONS.filter((option) => NOT_OPENED.includes(option)),
  );
});

describe.each([
  ['a FIFO', () => at('fifo'), /is not a (regular file|folder|dataset)/],
  ['a device', () => at('device'), /is not a (regular file|folder|dataset)/],
  ['a name below a file', () => join(good, 'x'), /no such (file|folder|directory)/],
  ['a link that leads to itself', () => at('loop'), /leads to itself|no such (folder|directory)/],
  ['a name that is too long', () => at('x'.repeat(300)), /is too long|no such folder/],
])('%s is no input', (_what, path, why) => {
  it.each([
    ...Object.entries(TRACES).map(([name, line]) => [name, line, 4] as const),
    ...Object.entries(OTHERS).map(([name, line]) => [name, line, 2] as const),
  ])('%s', async (_name, line, exit) => {
    const { code, err } = await run(...line(path()));
    expect([code, err]).toEqual([exit, expect.stringMatching(/^gictrace: [^\n]+\n$/)]);
    expect(err).toMatch(why);
  });
});

it.runIf(process.platform === 'linux')('what a shell writes for <(command) is read', () => {
  const shell = `node "$0" diff "$1" "$1" --rules <(echo 'rules: [{ reason: known, class: timing }]')`;
  const { status, stderr } = spawnSync('bash', ['-c', shell, BIN, good], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

it('what has become a FIFO since it was examined is not waited for', () => {
  expect(spawnSync('mkfifo', [at('swapped')]).status).toBe(0);
  const preload = at('swapped.cjs');
  writeFileSync(
    preload,
    `const fs = require('node:fs');
const { statSync } = fs;
fs.statSync = (path, ...more) => statSync(path === ${JSON.stringify(at('swapped'))} ? __filename : path, ...more);
`,
  );
  for (const line of [
    ['diff', good, good, '--rules', at('swapped')],
    ['info', at('swapped')],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [BIN, ...line], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { ...process.env, NODE_OPTIONS: `--require ${preload}` },
    });
    expect(stderr).toMatch(/^gictrace: \S+swapped: is not a regular file[^\n]*\n$/);
    expect(status).toBe(line[0] === 'info' ? 4 : 2);
  }
});
