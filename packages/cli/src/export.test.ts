// gictrace export: what it writes and answers, and what it refuses.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOG, run, scratch } from './run.test-support.ts';

const dir = scratch();
const at = (name: string) => join(dir, name);
const trace = at('good.gictrace');
const out = at('out');

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
  mkdirSync(at('folder'));
  writeFileSync(at('text'), 'not a trace\n');
});

it('--names is a text of /proc/interrupts, and only for perfetto', async () => {
  const names = join(dir, 'interrupts');
  writeFileSync(names, ' 11: 5 6 GICv3 27 Level arch_timer\n');
  const to = (format: string, ...more: string[]) =>
    run('export', trace, '--to', format, '-o', join(dir, `names.${format}`), ...more);
  expect((await to('perfetto', '--names', names)).code).toBe(0);
  expect((await to('vcd', '--names', names)).err).toMatch(/--names is only for --to perfetto/);
  expect((await to('perfetto', '--force', '--names', join(dir, 'absent'))).err).toMatch(
    /absent: no such file/,
  );
  expect((await to('perfetto', '--force', '--names', trace)).err).toMatch(/names no interrupt of a GIC/);
});

describe('export', () => {
  it('jsonl is what dump prints, and import reads it again', async () => {
    const answer = await run('export', trace, '--to', 'jsonl', '-o', at('a.jsonl'));
    expect(answer).toMatchObject({ code: 0, err: '' });
    const dumped = await run('dump', trace, '--json', '--header');
    expect(readFileSync(at('a.jsonl'), 'utf8')).toBe(dumped.out);
    expect((await run('import', 'jsonl', at('a.jsonl'), '-o', at('again.gictrace'))).code).toBe(0);
    const semantic = async (path: string) =>
      JSON.parse((await run('info', path, '--json')).out).semanticDigest;
    expect(await semantic(at('again.gictrace'))).toBe(await semantic(trace));
  });

  it.each(['perfetto', 'vcd', 'jsonl'])('%s answers as JSON with counts', async (format) => {
    const file = at(`b.${format}`);
    const { code, out: printed, err } = await run('export', trace, '--to', format, '-o', file, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { records } = JSON.parse((await run('info', trace, '--json')).out);
    const answer = JSON.parse(printed);
    expect(answer).toMatchObject({ trace, output: file, format, records });
    expect(answer.bytes).toBe(readFileSync(file).length);
    for (const count of Object.values(answer.wrote)) expect(count).toBeTypeOf('number');
  });

  it('says in words where a trace without times was shown by record numbers', async () => {
    const { timed } = { timed: /"time_ns":[0-9]/.test((await run('dump', trace, '--json')).out) };
    const { err } = await run('export', trace, '--to', 'vcd', '-o', at('c.vcd'));
    expect(/record numbers stand for nanoseconds/.test(err)).toBe(!timed);
    expect(/time is the number of the record/.test(readFileSync(at('c.vcd'), 'utf8'))).toBe(!timed);
  });

  it.each([
    [
      'an unknown format',
      [trace, '--to', 'json', '-o', out],
      2,
      /--to takes perfetto, vcd, jsonl, html, parquet, not 'json'/,
    ],
    ['no format', [trace, '-o', out], 2, /--to/],
    ['no output', [trace, '--to', 'vcd'], 2, /needs an output/],
    ['no trace', [at('nowhere'), '--to', 'vcd', '-o', out], 4, /nowhere.*no such file/],
    ['another file', [at('text'), '--to', 'perfetto', '-o', out], 4, /text.*is not a gictrace trace/],
    ['a folder that is not there', [trace, '--to', 'vcd', '-o', at('no/out')], 2, /no such directory/],
    ['a folder', [trace, '--to', 'vcd', '-o', at('folder')], 2, /is a directory/],
    ['the trace itself', [trace, '--to', 'jsonl', '-o', trace], 2, /is the input itself/],
  ] as const)('refuses %s', async (_what, args, code, says) => {
    const answer = await run('export', ...args);
    expect(answer.code).toBe(code);
    expect(answer.err).toMatch(says);
    expect(answer.err).toMatch(/^gictrace: [^\n]+\n$/);
    expect(answer.out).toBe('');
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(dir).filter((name) => name.includes('.partial'))).toEqual([]);
    expect((await run('info', trace, '--verify')).code).toBe(0);
  });
});
