// The promise about files and exit codes, as a table over the verbs that write: inputs are never written, a foreign file
// stays unless --force, what is no regular file stays in any case; and a pipe that closes changes no verdict.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXPORT_FORMATS } from '@gictrace/query';
import { LOG_FORMATS } from '@gictrace/recorder';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { INPUT_OPTIONS, namedFiles, OTHER_OPTIONS, OUTPUT_OPTIONS, WITHOUT_VALUE } from './named-files.ts';
import { run, scratch } from './run.test-support.ts';
import { verbsFor } from './verbs.ts';
import { copyInputs, ELSEWHERE, makeInputs, NAMES, WRITERS } from './writers.test-support.ts';

const BIN = fileURLToPath(new URL('../bin/gictrace.js', import.meta.url));
const PACKAGES = fileURLToPath(new URL('../../', import.meta.url));
/** Modules that write files that are no outputs, or whose writing cannot spoil a file. */
const OPENED_ELSEWHERE: Readonly<Record<string, string>> = {
  'cli/src/golden/report.ts': 'appends to the file that $GITHUB_STEP_SUMMARY names',
  'cli/src/shell/commands.ts': '.output makes a new file, and never opens one that exists',
  'cli/src/shell/history.ts': 'the history of the shell, in its own folder',
  'query/src/sql/load-files.ts': 'load --append copies the database to the temporary file of the output',
  'recorder/src/importers/common/kept-source.ts':
    'keeps standard input in a new file of the temporary folder',
  'recorder/src/live/qemu.ts': 'FIFOs in a temporary folder of its own',
  'recorder/src/output/files.ts': 'the module of outputs itself',
  'replayer/src/backends/qemu/log.ts': 'the log of a QEMU in a temporary folder of its own',
  'replayer/src/minimize/emit/vitest.ts': 'only text of a test that is emitted',
  'web/src/host/fs.ts': 'files in the memory of a browser',
};
const dir = scratch();
const work = join(dir, 'work');
const at = (name: string) => join(work, name);
beforeAll(async () => {
  mkdirSync(join(dir, 'inputs'));
  await makeInputs(join(dir, 'inputs'));
});
beforeEach(() => copyInputs(join(dir, 'inputs'), work));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A command line with --force, which stands before what another program is given. */
function forced(line: readonly string[]): string[] {
  const end = line.indexOf('--');
  return end < 0 ? [...line, '--force'] : [...line.slice(0, end), '--force', ...line.slice(end)];
}

/** The exit code of a command line in a process of its own. */
function exitOf(line: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const one = spawn(process.execPath, [BIN, ...line], { stdio: 'ignore' });
    one.once('error', reject);
    one.once('exit', resolve);
  });
}

/** All verbs, those of `golden` too, with their options. */
async function verbs(): Promise<readonly (readonly [string, Command['options']])[]> {
  const program = new Command();
  for (const load of verbsFor(undefined)) (await load())(program, () => {});
  return program.commands.flatMap((verb) => [
    [verb.name(), verb.options] as const,
    ...verb.commands.map((one) => [`${verb.name()} ${one.name()}`, one.options] as const),
  ]);
}

it('has a row for every option of every verb that names an output, and for every format', async () => {
  const outputs = (await verbs()).flatMap(([verb, options]) =>
    options.flatMap(({ long }) => (OUTPUT_OPTIONS.includes(long ?? '') ? [`${verb} ${long}`] : [])),
  );
  const lines = Object.values(WRITERS).map(({ line }) =>
    line('IN', 'OUT')
      .map((word) => (word === '-o' ? '--output' : word))
      .join(' '),
  );
  const hasRow = (output: string) => {
    const words = output.split(' ');
    const option = words.pop()!;
    return lines.some((line) => line.startsWith(words.join(' ')) && line.includes(option));
  };
  expect(outputs.length).toBeGreaterThan(14);
  expect(outputs.filter((output) => !hasRow(output) && !(output in ELSEWHERE))).toEqual([]);
  expect(Object.keys(ELSEWHERE).filter((output) => hasRow(output))).toEqual([]);
  const logs = Object.keys(LOG_FORMATS).filter(
    (format) => !lines.some((line) => line.startsWith(`import ${format} `)),
  );
  expect(logs).toEqual([]);
  // A dataset, which is a folder, has tests of its own below.
  expect(EXPORT_FORMATS.filter((format) => !lines.some((line) => line.includes(`--to ${format}`)))).toEqual(
    [],
  );
});

it('knows of every option with a value whether it names an output, an input, or no file', async () => {
  const known = [...OUTPUT_OPTIONS, ...INPUT_OPTIONS, ...OTHER_OPTIONS];
  const all = (await verbs()).flatMap(([verb, options]) =>
    options.filter((one) => one.required || one.optional).map(({ long }) => [verb, long ?? ''] as const),
  );
  expect(all.length).toBeGreaterThan(70);
  expect(all.filter(([, option]) => !known.includes(option))).toEqual([]);
  const used = new Set(all.map(([, option]) => option));
  expect(known.filter((option) => option.startsWith('--') && !used.has(option))).toEqual([]);
});

it('knows where an option that elsewhere has a value has none, so that a file may follow', async () => {
  const known = [...OUTPUT_OPTIONS, ...INPUT_OPTIONS, ...OTHER_OPTIONS];
  const flags = (await verbs()).flatMap(([verb, options]) =>
    options
      .filter((one) => !one.required && !one.optional && known.includes(one.long ?? ''))
      .map(({ long }) => [verb, long!] as const),
  );
  const listed = Object.entries(WITHOUT_VALUE).flatMap(([verb, options]) =>
    options.map((option) => [verb, option] as const),
  );
  expect(flags).toEqual(listed);
  for (const [verb, option] of flags) expect(namedFiles([verb, option, 'in'])).toContain('in');
  expect(namedFiles(['bisect', 'in', '--sql', 'SELECT 1'])).toEqual(['in']);
});

it('no module but that of outputs opens a file for writing, except where it says why', () => {
  const writes =
    /\b(?:writeFileSync|appendFileSync|createWriteStream|copyFileSync|renameSync|truncateSync|ftruncateSync|writeFile|cpSync)\(|openSync\([^)]*(?:'[wa]x?\+?'|'r\+'|isWritten|O_WRONLY|O_RDWR)/;
  const sources = readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^\w+\/src\/.*(?<!\.test|\.test-support)\.ts$/.test(name),
  );
  expect(sources.length).toBeGreaterThan(400);
  const found = sources.filter((name) => writes.test(readFileSync(join(PACKAGES, name), 'utf8'))).sort();
  expect(found).toEqual(Object.keys(OPENED_ELSEWHERE).sort());
});

describe.each(Object.entries(WRITERS))('%s', (_name, { input, line, appends }) => {
  const source = () => at(NAMES[input]);
  const partials = () => readdirSync(work).filter((name) => name.includes('.partial'));

  it('never writes its input, by whatever name', async () => {
    const before = readFileSync(source());
    symlinkSync(source(), at('symbolic'));
    linkSync(source(), at('hard'));
    symlinkSync(work, at('folder-by-another-name'));
    const fd = openSync(source(), 'r');
    // Standard input is the log of an import; other descriptors are names of open files, too.
    const descriptor = process.platform === 'linux' ? [`/proc/self/fd/${fd}`, `/dev/fd/${fd}`] : [];
    const otherFolder = join(at('folder-by-another-name'), NAMES[input]);
    for (const output of [source(), at('symbolic'), at('hard'), otherFolder, ...descriptor])
      for (const words of [line(source(), output), forced(line(source(), output))]) {
        const { code, err, out } = await run(...words);
        expect([code, out]).toEqual([2, '']);
        expect(err).toMatch(/^gictrace: [^\n]*is the input [^\n]*\n$/);
      }
    closeSync(fd);
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
    expect((await run(...forced(line(source(), at('thesis'))))).code).toBe(0);
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
      const { code, err } = await run(...forced(line(source(), at(name))));
      expect([code, err]).toEqual([2, expect.stringContaining(what)]);
      const { ino, mode } = statSync(at(name));
      expect([ino, mode]).toEqual([before.ino, before.mode]);
    }
    expect(partials()).toEqual([]);
  });

  it('says in one line that a name cannot be one', async () => {
    symlinkSync('loop', at('loop'));
    for (const [name, what] of [
      [join(source(), 'out'), 'no such directory'],
      [join(at('loop'), 'out'), 'no such directory'],
      [at('x'.repeat(300)), 'the name is too long'],
    ] as const) {
      const { code, err } = await run(...line(source(), name));
      expect([code, err]).toEqual([2, expect.stringMatching(/^gictrace: [^\n]+\n$/)]);
      expect(err).toContain(what);
    }
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
    writeFileSync(at('names'), ' 11: 5 GICv3 27 Level arch_timer\n');
    writeFileSync(at('rules.yaml'), '- { reason: known, class: timing }\n');
    writeFileSync(at('costs.json'), '{}');
    const [, ...records] = readFileSync(at(NAMES.jsonl), 'utf8').split('\n');
    writeFileSync(at('records.jsonl'), records.slice(0, 3).join('\n'));
  });
  it.each([
    ['--like', NAMES.trace, ['import', 'jsonl', at('records.jsonl'), '--like', trace]],
    ['--rules', 'rules.yaml', ['diff', trace, trace, '--rules', at('rules.yaml')]],
    ['--rules=', 'rules.yaml', ['diff', trace, trace, `--rules=${at('rules.yaml')}`]],
    ['--names', 'names', ['export', trace, '--to', 'perfetto', '--names', at('names')]],
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
  it('that batch writes are opened before anything runs, and have two names', async () => {
    const line = ['batch', at(NAMES.list), '--junit', at('results')];
    const twice = await run(...line, '--parquet', join(work, '..', 'work', 'results'), '--', 'info');
    expect([twice.code, twice.err]).toEqual([2, expect.stringContaining('another output of this command')]);
    expect(existsSync(at('results'))).toBe(false);
    // What would be made by the run itself is not there.
    writeFileSync(at('thesis'), 'a year of work');
    const words = ['batch', at(NAMES.list), '--junit', at('thesis'), '--', 'replay', '-o', at('{name}.new')];
    expect((await run(...words)).code).toBe(2);
    expect(existsSync(at('in.new'))).toBe(false);
    const traces = await run('batch', at(NAMES.list), '--junit', at(NAMES.trace), '--force', '--', 'info');
    expect([traces.code, traces.err]).toEqual([2, expect.stringContaining('is the input')]);
    // Again, onto results of its own.
    for (let k = 0; k < 2; k++)
      expect((await run(...line, '--parquet', at('table'), '--', 'info')).code).toBe(0);
  });

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

describe('inputs that no word of the command line names', () => {
  it('the files of golden cases are not written by --junit', async () => {
    for (const name of ['storm.yaml', 'storm.golden.gictrace']) {
      const path = at(`cases/${name}`);
      const before = readFileSync(path);
      const { code } = await run('golden', 'check', at('cases'), '--junit', path, '--force');
      expect(code).toBe(2);
      expect(readFileSync(path).equals(before)).toBe(true);
    }
  });

  it('the program of an adapter is not written', async () => {
    writeFileSync(at('my-gic'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    for (const on of [`exec:${at('my-gic')} --verbose`, `exec:'${at('my-gic')}'`]) {
      const line = ['replay', at(NAMES.trace), '--on', on, '-o', at('my-gic'), '--force'];
      expect(await run(...line)).toMatchObject({ code: 2, err: expect.stringContaining('is the input') });
    }
    expect(readFileSync(at('my-gic'), 'utf8')).toContain('exit 0');
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
