// `gictrace golden`: cases of both kinds made, held against, broken in every way, updated and reviewed.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { annotations, junit } from './golden/report.ts';
import type { CaseResult, Status } from './golden/run.ts';
import { LOG, run, scratch, spawn } from './run.test-support.ts';

const SCENARIO = fileURLToPath(new URL('../../recorder/scenarios/vpe-rotation.yaml', import.meta.url));
const STORM = fileURLToPath(new URL('../../recorder/scenarios/storm.yaml', import.meta.url));
const VARIABLES = ['CI', 'GITHUB_ACTIONS', 'GITHUB_STEP_SUMMARY'] as const;

let dir: string;
const kept: Partial<Record<string, string>> = {};
beforeEach(() => {
  for (const name of VARIABLES) {
    kept[name] = process.env[name];
    delete process.env[name];
  }
  dir = join(scratch(), 'cases');
  mkdirSync(join(dir, 'trigger'), { recursive: true });
  cpSync(STORM, join(dir, 'storm.yaml'));
  cpSync(LOG, join(dir, 'trigger', 'its-trigger.log.gz'));
});
afterEach(() => {
  for (const name of VARIABLES) {
    if (kept[name] === undefined) delete process.env[name];
    else process.env[name] = kept[name];
  }
});

const files = () => readdirSync(dir, { recursive: true }).map(String).sort();
const golden = (...args: string[]) => run('golden', ...args);
const check = () => golden('check', dir);

describe('golden', () => {
  it('check of new cases: missing, nothing written; update makes them; check: the same', async () => {
    const before = files();
    const first = await check();
    expect([first.code, files()]).toEqual([1, before]);
    expect(first.out).toMatch(
      /missing {2}storm: there is no storm\.golden\.gictrace and no storm\.golden\.txt/,
    );
    expect((await golden('update', dir)).out.split('\n').sort()).toEqual(['', 'made storm', 'made trigger']);
    expect(files()).toContain(join('trigger', 'golden.gictrace'));
    expect(readFileSync(join(dir, 'storm.golden.txt'), 'utf8')).toMatch(/^PE0 GICD_CTLR/m);
    const again = await check();
    expect([again.code, again.out]).toEqual([0, '2 of 2 golden cases the same\n']);
    // And an update of what is the same changes no byte.
    const bytes = readFileSync(join(dir, 'storm.golden.gictrace'));
    expect((await golden('update', dir)).out).toBe('');
    expect(readFileSync(join(dir, 'storm.golden.gictrace')).equals(bytes)).toBe(true);
  });

  it('a changed scenario differs, and rules, ignore and other designs are asked', async () => {
    await golden('update', dir);
    writeFileSync(join(dir, 'storm.case.yaml'), 'on: direct-lpi\n');
    const { code, out } = await check();
    expect(code).toBe(1);
    expect(out).toMatch(/differs {2}storm: \d+ differences?; first /);
    // No temporary name, so that the same difference is the same text.
    expect(out).toMatch(/^ {4}B {2}storm, now: /m);
    expect(out).not.toContain('gictrace-golden-');
    expect(out).toContain('1 of 2 golden cases the same');
    expect(out.split('\n').length).toBeLessThan(80);
    // A rule lets pass what it names, and no more.
    const rule = (classes: string) =>
      writeFileSync(
        join(dir, 'storm.rules.yaml'),
        `rules: [{ reason: another design, class: [${classes}] }]`,
      );
    rule('deleted, inserted, reordered-legal, reordered-illegal');
    expect((await check()).out).toMatch(/differs {2}storm: \d+ differences?; first changed/);
    rule('deleted, inserted, changed, reordered-legal, reordered-illegal');
    expect((await check()).code).toBe(0);
  });

  it('a folder may name a scenario that ships', async () => {
    const own = join(dir, '..', `${basename(dir)}-shipped`);
    mkdirSync(join(own, 'move'), { recursive: true });
    const options = join(own, 'move', 'case.yaml');
    writeFileSync(options, 'scenario: move\non: direct-lpi\n');
    expect((await run('golden', 'update', own)).code).toBe(0);
    expect((await run('golden', 'check', own)).out).toContain('1 of 1 golden cases the same');
    expect(readFileSync(join(own, 'move', 'golden.txt'), 'utf8')).toContain('GICR_SETLPIR');
    writeFileSync(options, 'scenario: nonsense\n');
    const { code, err } = await run('golden', 'check', own);
    expect(code).toBe(2);
    expect(err).toMatch(/there is no scenario 'nonsense'.*scenarios: .*move/);
    rmSync(own, { recursive: true });
  });

  it('a list of designs is a case for each; so are behaviours and features of the conformance suite', async () => {
    const own = scratch();
    mkdirSync(join(own, 'deep', 'move'), { recursive: true });
    mkdirSync(join(own, 'behaviours'));
    writeFileSync(join(own, 'deep', 'move', 'case.yaml'), 'scenario: move\non: [its, direct-lpi]\n');
    const suite = join(own, 'behaviours', 'case.yaml');
    writeFileSync(suite, 'conformance: [cpu.idle, 1 of N]\non: [simulator, simulator@qemu-virt]\n');
    const made = (await run('golden', 'update', own)).out.trim().split('\n');
    expect(made).toEqual(
      expect.arrayContaining([
        'made deep/move/its',
        'made deep/move/direct-lpi',
        'made behaviours/cpu.idle@architecture',
        'made behaviours/cpu.idle@qemu-virt',
      ]),
    );
    // QEMU has no 1 of N: a feature stands for the behaviours that there are.
    expect(made.some((line) => line.includes('one-of-n') && line.includes('@qemu-virt'))).toBe(false);
    expect(made.length).toBeGreaterThan(4);
    expect(readFileSync(join(own, 'behaviours', 'cpu.idle@qemu-virt.golden.txt'), 'utf8')).toMatch(
      /ICC_IAR1_EL1/,
    );
    expect((await run('golden', 'check', own)).out).toBe(
      `${made.length} of ${made.length} golden cases the same\n`,
    );
    // What is no case any more is obsolete, and update removes it.
    writeFileSync(join(own, 'deep', 'move', 'case.yaml'), 'scenario: move\non: [its]\n');
    const { code, out } = await run('golden', 'check', own);
    expect([code, out.split('\n')[0]]).toEqual([
      1,
      'obsolete deep/move/direct-lpi: its scenario or recording is gone',
    ]);
    expect((await run('golden', 'update', own)).out).toBe('removed deep/move/direct-lpi\n');
    expect(existsSync(join(own, 'deep', 'move', 'direct-lpi.golden.txt'))).toBe(false);
    writeFileSync(suite, 'conformance: nonsense\n');
    const wrong = await run('golden', 'check', own);
    expect([wrong.code, wrong.err]).toEqual([
      2,
      expect.stringMatching(/there is no behaviour or feature 'nonsense'/),
    ]);
  });

  it('obsolete, stale and failing cases are told apart, and fail', async () => {
    await golden('update', dir);
    rmSync(join(dir, 'trigger', 'its-trigger.log.gz'));
    writeFileSync(join(dir, 'storm.golden.txt'), 'edited\n');
    cpSync(SCENARIO, join(dir, 'broken.yaml'));
    writeFileSync(join(dir, 'broken.case.yaml'), 'on: no-such-design\n');
    const { code, out } = await golden('check', dir, '--json');
    const results = JSON.parse(out) as { name: string; status: Status; message: string }[];
    expect(code).toBe(1);
    expect(results.map(({ name, status }) => [name, status])).toEqual([
      ['broken', 'failed'],
      ['trigger', 'obsolete'],
      ['storm', 'stale'],
    ]);
    expect(results[0]!.message).toContain('no-such-design');
    await golden('update', dir, 'trigger', 'storm');
    expect(existsSync(join(dir, 'trigger', 'golden.gictrace'))).toBe(false);
    expect((await golden('check', dir, 'storm')).code).toBe(0);
  });

  it('with CI set, update and review refuse and write nothing; check goes on', async () => {
    process.env.CI = 'true';
    const before = files();
    for (const verb of ['update', 'review']) {
      const { code, err } = await golden(verb, dir);
      expect([code, err]).toEqual([2, expect.stringContaining('CI is set')]);
    }
    expect((await check()).code).toBe(1);
    expect(files()).toEqual(before);
  });

  it('writes JUnit, and on GitHub annotations and a summary', async () => {
    const report = join(dir, 'report.xml');
    process.env.GITHUB_ACTIONS = 'true';
    process.env.GITHUB_STEP_SUMMARY = join(dir, 'summary.md');
    const { out } = await golden('check', dir, '--junit', report);
    expect(readFileSync(report, 'utf8')).toMatch(
      /<testsuite name="gictrace golden" tests="2" failures="2" errors="0"/,
    );
    expect(out.match(/^::error /gm)).toHaveLength(2);
    expect(readFileSync(join(dir, 'summary.md'), 'utf8')).toContain('0 of 2 cases the same');
  });

  it('review takes one answer a case', async () => {
    const { code, stdout } = { ...spawnReview('n\ny\n') };
    expect(code).toBe(1);
    expect(stdout).toContain('1 of 2 still pending');
    const results = JSON.parse((await golden('check', dir, '--json')).out) as {
      name: string;
      status: Status;
    }[];
    expect(results.map(({ name, status }) => [name, status])).toEqual([
      ['storm', 'missing'],
      ['trigger', 'same'],
    ]);
    expect(spawnReview('').stdout).toContain('1 of 1 still pending');
  });

  function spawnReview(answers: string): { code: number; stdout: string } {
    const { code, out } = spawn(['golden', 'review', dir], answers);
    return { code, stdout: out };
  }

  it.each([
    [() => ['check', join(dir, 'none')], /no such folder/],
    [() => ['check', join(dir, 'storm.yaml')], /is not a folder/],
    [() => ['check', dir, 'nobody'], /there is no case 'nobody'.*storm, trigger/],
  ])('bad input %# is one line, exit code 2', async (args, message) => {
    const { code, err } = await golden(...args());
    expect([code, err.trimEnd().includes('\n')]).toEqual([2, false]);
    expect(err).toMatch(message);
  });

  it('a case that is not clear is refused, with its place', async () => {
    writeFileSync(join(dir, 'storm.case.yaml'), 'onn: its\n');
    expect((await check()).err).toMatch(/storm\.case\.yaml: .*onn/);
    rmSync(join(dir, 'storm.case.yaml'));
    cpSync(STORM, join(dir, 'trigger', 'second.yaml'));
    expect((await check()).err).toMatch(/more than one input/);
  });
});

describe('golden check --mutate', () => {
  const FAULTS = 'movi-keeps-collection,clear-ignored';
  let own: string;
  const write = (file: string, text: string) => writeFileSync(join(own, 'move', file), text);
  beforeEach(async () => {
    own = scratch();
    mkdirSync(join(own, 'move'));
    write('case.yaml', 'scenario: move\ncovers: [movi-keeps-collection]\n');
    expect((await run('golden', 'update', own)).code).toBe(0);
  });

  it('prints which faults are detected, and by how many cases', async () => {
    const { code, out } = await run('golden', 'check', own, '--mutate', FAULTS);
    expect(code).toBe(0);
    expect(out).toContain('1 of 1 golden cases the same');
    expect(out).toContain(
      'kill score: 1 of 2 faults are detected by a case; of 1 pairs in which a fault changes what a case compares, 1 are detected',
    );
    expect(out).toMatch(/movi-keeps-collection +detected by +1$/m);
    expect(out).toContain('detected by no case: clear-ignored');
    const { cases, score } = JSON.parse(
      (await run('golden', 'check', own, '--mutate', FAULTS, '--json')).out,
    );
    expect([cases[0].told, score.toldPairs]).toEqual([['movi-keeps-collection'], 1]);
  });

  it('a case that its rules have made blind fails, though it is the same', async () => {
    write(
      'rules.yaml',
      'rules: [{ reason: all of it, class: [deleted, inserted, changed, reordered-legal, reordered-illegal, timing] }]',
    );
    expect((await run('golden', 'check', own)).code).toBe(0);
    const { code, out } = await run('golden', 'check', own, '--mutate', FAULTS);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^blind +move: what it tolerates hides movi-keeps-collection; case\.yaml says that it covers movi-keeps-collection, which none of its cases detects$/m,
    );
    expect(out).toContain('of 1 pairs in which a fault changes what a case compares, 0 are detected');
  });

  it('a case that does not tell what it says that it covers fails', async () => {
    write('case.yaml', 'scenario: move\ncovers: [clear-ignored]\n');
    const { code, out } = await run('golden', 'check', own, '--mutate', FAULTS);
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/^blind +move: case\.yaml says that it covers clear-ignored/m),
    ]);
    write('case.yaml', 'scenario: move\ncovers: [nonsense]\n');
    expect((await run('golden', 'check', own)).err).toMatch(/covers\.0: unknown fault/);
  });

  it('a fault with which a driver would never end is detected; an unknown one is refused', async () => {
    write('case.yaml', 'scenario: move\n');
    const { code, out } = await run('golden', 'check', own, '--mutate', 'lpi-stays-pending');
    expect([code, out]).toEqual([0, expect.stringMatching(/lpi-stays-pending +detected by +1$/m)]);
    const wrong = await run('golden', 'check', own, '--mutate', 'nonsense');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/no fault 'nonsense'.*movi-keeps/)]);
  });

  it('a recording that is imported only has no backend in which a fault could be planted; one that is replayed has', async () => {
    mkdirSync(join(own, 'trigger'));
    cpSync(LOG, join(own, 'trigger', 'its-trigger.log.gz'));
    await run('golden', 'update', own);
    const check = () => run('golden', 'check', own, 'trigger', '--mutate', 'int-ignored');
    expect((await check()).out).toContain('1 cases have no backend in which a fault could be planted');
    writeFileSync(join(own, 'trigger', 'case.yaml'), 'on: simulator\n');
    await run('golden', 'update', own);
    expect((await check()).out).toMatch(/int-ignored +detected by +1$/m);
  });
});

describe('reports', () => {
  const result = (k: number, status: Status): CaseResult => ({
    case: {
      name: `c${k}`,
      input: `d/c,${k}.yaml`,
      kind: 'scenario',
      options: {},
      rules: undefined,
      trace: 't',
      text: 'x',
      place: `d/c,${k}.yaml`,
    },
    status,
    message: 'a < b & "c"\n% of \u0001 it',
    diff: null,
    differences: 0,
    seconds: 0.5,
  });

  it('annotations are ten at most, and escaped', () => {
    const lines = annotations(Array.from({ length: 14 }, (_, k) => result(k, 'differs')));
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe(
      '::error file=d/c%2C0.yaml,title=golden c0%3A differs::a < b & "c"%0A%25 of \u0001 it',
    );
    expect(lines[9]).toMatch(/5 more/);
    expect(annotations([result(1, 'same')])).toEqual([]);
  });

  it('JUnit is well-formed XML whatever the messages hold', () => {
    const xml = junit([result(1, 'differs'), result(2, 'failed'), result(3, 'same')], (one) => one.message);
    expect(xml).toContain('tests="3" failures="1" errors="1" time="1.500"');
    expect(xml).toContain('message="a &lt; b &amp; &quot;c&quot;\n% of \ufffd it"');
    expect(xml.match(/<testcase /g)).toHaveLength(3);
    // Every tag is closed.
    const open: string[] = [];
    for (const [, end, name, self] of xml.replace(/<\?.*?\?>/, '').matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g))
      if (end === '/') expect(open.pop()).toBe(name);
      else if (self !== '/') open.push(name!);
    expect(open).toEqual([]);
  });
});
