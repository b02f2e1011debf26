// The promise about files and exit codes, as a table over the verbs that write: inputs are never written, a foreign file
// stays unless --force, what is no regular file stays in any case; and a pipe that closes changes no verdict.
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
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
import { run, scratch } from './run.test-support.ts';
import { verbsFor } from './verbs.ts';
import { copyInputs, ELSEWHERE, makeInputs, NAMES, WRITERS } from './writers.test-support.ts';

const BIN = fileURLToPath(new URL('../bin/gictrace.js', import.meta.url));
const dir = scratch();
const work = join(dir, 'work');
const at = (name: string) => join(work, name);
beforeAll(async () => {
  mkdirSync(join(dir, 'inputs'));
  await makeInputs(join(dir, 'inputs'));
});
beforeEach(() => copyInputs(join(dir, 'inputs'), work));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The exit code of a command line in a process of its own. */
function exitOf(line: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const one = spawn(process.execPath, [BIN, ...line], { stdio: 'ignore' });
    one.once('error', reject);
    one.once('exit', resolve);
  });
}

it('has a row for every verb that has an option --output', async () => {
  const program = new Command();
  for (const load of verbsFor(undefined)) (await load())(program, () => {});
  const writing = program.commands
    .flatMap((verb) => [
      [verb.name(), verb] as const,
      ...verb.commands.map((one) => [`${verb.name()} ${one.name()}`, one] as const),
    ])
    .filter(([, { options }]) =>
      options.some(({ long }) => long === '--output' || long === '--report' || long === '--junit'),
    )
    .map(([name]) => name);
  expect(writing).toContain('report');
  const rows = [...Object.keys(WRITERS), ...ELSEWHERE];
  expect(writing.filter((name) => !rows.some((row) => row === name || row.startsWith(`${name} `)))).toEqual(
    [],
  );
});

describe.each(Object.entries(WRITERS))('%s', (_name, { input, line, appends }) => {
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
  it.skipIf(input === 'scenario' || input === 'golden')(
    'reads an input that has the name of a temporary file',
    async () => {
      // out.partial is what a temporary file for `out` is called first.
      copyFileSync(source(), at('out.partial'));
      const before = readFileSync(at('out.partial'));
      const { code } = await run(...line(at('out.partial'), at('out')));
      expect(code).toBe(0);
      expect(readFileSync(at('out.partial')).equals(before)).toBe(true);
      expect(statSync(at('out')).size).toBeGreaterThan(0);
    },
  );

  it.skipIf(appends)('replaces a file of its own, and a foreign one with --force only', async () => {
    writeFileSync(at('thesis'), 'a year of work');
    const refused = await run(...line(source(), at('thesis')));
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--force')]);
    expect(readFileSync(at('thesis'), 'utf8')).toBe('a year of work');
    expect((await run(...line(source(), at('thesis')), '--force')).code).toBe(0);
    // Now it is one of its own.
    expect((await run(...line(source(), at('thesis')))).code).toBe(0);
    expect(partials()).toEqual([]);
  });

  it('leaves a FIFO, a device and a folder as they are, and does not hang', async () => {
    expect(spawnSync('mkfifo', [at('fifo')]).status).toBe(0);
    mkdirSync(at('folder'));
    // A device of its own, where that may be made: what replaced /dev/null would break the machine.
    const hasDevice = spawnSync('mknod', [at('device'), 'c', '1', '3']).status === 0;
    for (const [name, what] of [
      ['fifo', 'is a FIFO'],
      ['folder', 'is a directory'],
      ...(hasDevice ? [['device', 'is a device']] : []),
    ] as [string, string][]) {
      const before = statSync(at(name));
      const { code, err } = await run(...line(source(), at(name)), '--force');
      expect([code, err]).toEqual([2, expect.stringContaining(what)]);
      const { ino, mode } = statSync(at(name));
      expect([ino, mode]).toEqual([before.ino, before.mode]);
    }
    expect(partials()).toEqual([]);
  });

  it('follows no link that has the name of its temporary file', async () => {
    writeFileSync(at('victim'), 'a year of work');
    symlinkSync(at('victim'), at('out.partial'));
    expect((await run(...line(source(), at('out')))).code).toBe(0);
    expect(readFileSync(at('victim'), 'utf8')).toBe('a year of work');
    expect(lstatSync(at('out')).isFile()).toBe(true);
  });

  it('two at once leave a whole file', async () => {
    const both = [0, 1].map(() => exitOf(line(source(), at('two'))));
    expect(await Promise.all(both)).toEqual([0, 0]);
    expect(partials()).toEqual([]);
    const alone = await run(...line(source(), at('alone')));
    expect(alone.code).toBe(0);
    expect(statSync(at('two')).size).toBe(statSync(at('alone')).size);
  });
});

describe('what a command line names is never written, with --force too', () => {
  const trace = at(NAMES.trace);
  beforeEach(() => {
    writeFileSync(at('rules.yaml'), '- { reason: known, class: timing }\n');
    writeFileSync(at('costs.json'), '{}');
    const [, ...records] = readFileSync(at(NAMES.jsonl), 'utf8').split('\n');
    writeFileSync(at('records.jsonl'), records.slice(0, 3).join('\n'));
  });
  it.each([
    ['--like', NAMES.trace, ['import', 'jsonl', at('records.jsonl'), '--like', trace]],
    ['--rules', 'rules.yaml', ['diff', trace, trace, '--rules', at('rules.yaml')]],
    ['--rules=', 'rules.yaml', ['diff', trace, trace, `--rules=${at('rules.yaml')}`]],
    ['--rules of report', 'rules.yaml', ['report', trace, trace, '--rules', at('rules.yaml')]],
    ['--cost-model', 'costs.json', ['compare', at(NAMES.scenario), '--cost-model', at('costs.json')]],
  ])('%s', async (_option, name, line) => {
    const before = readFileSync(at(name));
    const { code, err } = await run(...line, '-o', at(name), '--force');
    expect([code, err]).toEqual([2, expect.stringMatching(/^gictrace: [^\n]+\n$/)]);
    expect(readFileSync(at(name)).equals(before)).toBe(true);
  });

  it('but a name that is no file may be that of an output', async () => {
    for (let k = 0; k < 2; k++)
      expect((await run('export', trace, '--to', 'vcd', '-o', at('vcd'))).code).toBe(0);
  });
});

describe('two outputs of a command', () => {
  it('have two names', async () => {
    const compare = await run(
      'compare',
      at(NAMES.scenario),
      '-o',
      at('both'),
      '--report',
      at('both'),
      '--force',
    );
    expect([compare.code, compare.err]).toEqual([
      2,
      expect.stringContaining('another output of this command'),
    ]);
    const line = ['minimize', at(NAMES.trace), '--plant', 'int-ignored', '--no-values', '--force'];
    const minimize = await run(...line, '-o', at('both.jsonl'), '--emit', 'jsonl');
    expect([minimize.code, minimize.err]).toEqual([
      2,
      expect.stringContaining('another output of this command'),
    ]);
    expect((await run('info', '--verify', at('both.jsonl'))).code).toBe(0);
  });

  it('that minimize emits are held to the same rules', async () => {
    const line = [
      'minimize',
      at(NAMES.trace),
      '--plant',
      'int-ignored',
      '--no-values',
      '-o',
      at('x.gictrace'),
    ];
    writeFileSync(at('x.test.ts'), 'a year of work');
    const refused = await run(...line, '--emit', 'vitest');
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--force')]);
    expect(existsSync(at('x.gictrace'))).toBe(false);
    rmSync(at('x.test.ts'));
    linkSync(at(NAMES.trace), at('x.test.ts'));
    const before = readFileSync(at(NAMES.trace));
    expect((await run(...line, '--emit', 'vitest', '--force')).err).toContain('is the input');
    expect(readFileSync(at(NAMES.trace)).equals(before)).toBe(true);
  });
});

describe('a dataset', () => {
  it('is a folder: nothing else is replaced, and nothing hangs', async () => {
    expect(spawnSync('mkfifo', [at('fifo')]).status).toBe(0);
    writeFileSync(at('thesis'), 'a year of work');
    for (const name of ['fifo', 'thesis', NAMES.trace]) {
      const before = statSync(at(name));
      const { code, err } = await run('export', '--to', 'parquet', '--jobs', '1', at(name), at(NAMES.trace));
      expect([code, err]).toEqual([2, expect.stringMatching(/^gictrace: [^\n]+\n$/)]);
      expect(statSync(at(name)).ino).toBe(before.ino);
    }
    expect(readFileSync(at('thesis'), 'utf8')).toBe('a year of work');
  });

  it('takes two writers', async () => {
    const line = ['export', '--to', 'parquet', '--jobs', '1', at('set'), at(NAMES.trace)];
    const codes = await Promise.all([0, 1].map(() => exitOf(line)));
    expect(codes).toEqual([0, 0]);
    const { code, out } = await run('query', at('set'), 'SELECT count(*) AS n FROM traces', '--json');
    expect([code, JSON.parse(out)]).toEqual([0, [{ n: 1 }]]);
    const left = readdirSync(at('set'), { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => name.includes('.partial'))).toEqual([]);
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
