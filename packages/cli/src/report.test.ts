// gictrace report: what it writes and answers, and what it refuses.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOG, run, scratch } from './run.test-support.ts';

const dir = scratch();
const at = (name: string) => join(dir, name);
const trace = at('good.gictrace');
const empty = at('empty.gictrace');
const out = at('out.html');

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
  mkdirSync(at('folder'));
  writeFileSync(at('text'), 'not a trace\n');
  const reader = TraceReader.open(trace);
  new TraceWriter(empty, reader.header).close();
  reader.close();
});

describe('report', () => {
  it('writes a page of one trace, and says what it holds', async () => {
    const { code, out: printed, err } = await run('report', trace, '-o', at('a.html'));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(printed).toMatch(/a\.html: 836 records, 4 interrupts, 0 MSIs, 17 ITS commands, [\d,]+ bytes\n/);
    expect(printed).toMatch(/good\.gictrace: SAME on simulator\n$/);
    expect(readFileSync(at('a.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });

  it('answers as JSON with counts and verdicts, for two traces whether they are the same', async () => {
    const both = await run('report', trace, trace, '-o', at('b.html'), '--json');
    expect(both).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(both.out)).toMatchObject({
      traces: [trace, trace],
      output: at('b.html'),
      records: [836, 836],
      wrote: { lives: 8, commands: 34 },
      leftOut: {},
      same: true,
      diverged: [0, 0],
      bytes: readFileSync(at('b.html')).length,
    });
    const { out: one } = await run('report', trace, '-o', at('c.html'), '--no-replay', '--json');
    expect(JSON.parse(one)).toMatchObject({ same: null, diverged: [] });
  });

  it('says why interrupts arrived or did not', async () => {
    expect(
      (await run('report', trace, '-o', at('w.html'), '--why', '8195', 'device 0x10', '--no-replay')).code,
    ).toBe(0);
    expect((await run('report', trace, '-o', at('w.html'), '--why', 'timer')).code).toBe(2);
  });

  it('differing traces are no failure', async () => {
    const { code, out: printed } = await run('report', trace, empty, '-o', at('d.html'));
    expect(code).toBe(0);
    expect(printed).toMatch(/the traces DIFFER\n$/);
  });

  it('of a database of many traces is another page, and takes no options of one trace', async () => {
    const db = at('fleet.db');
    expect((await run('load', trace, '-o', db)).code).toBe(0);
    const written = await run('report', db, '-o', at('fleet.html'), '--json');
    expect(written).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(written.out)).toMatchObject({ dataset: db, traces: 1, regressions: 0, trends: 0 });
    expect(readFileSync(at('fleet.html'), 'utf8')).toContain('<h1>fleet.db</h1>');
    for (const more of [['--why', '8193'], ['--from', '1'], ['--sql'], [trace]]) {
      const { code, err } = await run('report', db, '-o', at('no.html'), ...more);
      expect(code).toBe(2);
      expect(err).toMatch(/takes one dataset or database|is for one or two traces/);
    }
    // It replaces neither the database nor a file of somebody else.
    expect((await run('report', db, '-o', db, '--force')).code).toBe(2);
    expect((await run('report', db, '-o', at('text'))).code).toBe(2);
    expect(existsSync(at('no.html'))).toBe(false);
  });

  it('a trace without records has a page', async () => {
    const { code, out: printed } = await run('report', empty, '-o', at('e.html'));
    expect(code).toBe(0);
    expect(printed).toMatch(/0 records, 0 interrupts/);
  });

  it('export --to html is the same page', async () => {
    expect((await run('export', trace, '--to', 'html', '-o', at('f.html'))).code).toBe(0);
    expect(readFileSync(at('f.html')).equals(readFileSync(at('a.html')))).toBe(true);
  });

  it.each([
    ['no output', [trace], 2, /--output/],
    ['no trace', [at('nowhere'), '-o', out], 4, /nowhere.*no such file/],
    ['a second that is none', [trace, at('text'), '-o', out], 4, /text.*is not a gictrace trace/],
    ['a folder that is not there', [trace, '-o', at('no/out')], 2, /no such directory/],
    ['a folder', [trace, '-o', at('folder')], 2, /is a directory/],
    ['the trace itself', [trace, '-o', trace], 2, /is the input itself/],
    ['the second trace itself', [trace, empty, '-o', empty], 2, /is the input itself/],
    ['an empty window', [trace, '-o', out, '--from', '9', '--to', '9'], 2, /--from 9 is not before --to 9/],
    ['a window that is no number', [trace, '-o', out, '--from', 'x'], 2, /--from takes a whole number/],
    ['a class that cannot be ignored', [trace, trace, '-o', out, '--ignore', 'deleted'], 2, /--ignore/],
    ['options of diff without a second trace', [trace, '-o', out, '--rename'], 2, /--rename.*two traces/],
  ] as const)('refuses %s', async (_what, args, code, says) => {
    const answer = await run('report', ...args);
    expect(answer.code).toBe(code);
    expect(answer.err).toMatch(says);
    expect(answer.err).toMatch(/^gictrace: [^\n]+\n$/);
    expect(answer.out).toBe('');
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(dir).filter((name) => name.includes('.partial'))).toEqual([]);
    expect((await run('info', trace, '--verify')).code).toBe(0);
  });
});
