// The command line on a small recording: what each verb answers, in text and as JSON, and that it is exact.
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOG, run, scratch, spawn } from './run.test-support.ts';
import { VERB_NAMES } from './verbs.ts';

const dir = scratch();
const trace = join(dir, 'its.gictrace');
const db = join(dir, 'its.db');

beforeAll(async () => {
  expect(await run('import', 'qemu', LOG, '-o', trace)).toMatchObject({ code: 0, err: '' });
  expect(await run('load', trace, '-o', db)).toMatchObject({ code: 0, err: '' });
});

const recordsOf = async () =>
  (JSON.parse((await run('info', trace, '--json')).out) as { records: number }).records;

describe('replay', () => {
  it('ends with 0 and says SAME', async () => {
    const { code, out, err } = await run('replay', trace);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^SAME: [\d,]+ records replayed on simulator/);
  });

  it('does not say SAME where nothing could be compared', async () => {
    const log = join(dir, 'writes.jsonl');
    writeFileSync(log, '{"kind":"wire.set","INTID":33,"level":true}\n');
    const writes = join(dir, 'writes.gictrace');
    expect((await run('import', 'jsonl', log, '--like', trace, '-o', writes)).code).toBe(0);
    const { code, out } = await run('replay', writes);
    expect([code, out]).toEqual([0, expect.stringMatching(/^NOTHING COMPARED: 1 records replayed/)]);
  });

  it('answers JSON of the documented shape', async () => {
    const { code, out } = await run('replay', trace, '--json');
    const verdict = JSON.parse(out) as Record<string, unknown>;
    expect(code).toBe(0);
    expect(verdict).toMatchObject({ records: await recordsOf(), diverged: 0, first: null });
    for (const counts of ['compared', 'unknown', 'skipped'])
      for (const n of Object.values(verdict[counts] as Record<string, unknown>))
        expect(n).toBeTypeOf('number');
    expect(Object.keys(verdict.compared as object).length).toBeGreaterThan(1);
    expect(out.trimEnd()).not.toContain('\n');
  });

  it('writes identical bytes when it re-records twice', async () => {
    const [a, b] = [join(dir, 'a.gictrace'), join(dir, 'b.gictrace')];
    expect((await run('replay', trace, '-o', a)).code).toBe(0);
    expect((await run('replay', trace, '-o', b)).code).toBe(0);
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    expect((await run('info', a, '--verify')).out).toContain('verified: both digests fit');
  });
});

describe('import', () => {
  it('makes identical bytes each time', async () => {
    const again = join(dir, 'again.gictrace');
    await run('import', 'qemu', LOG, '-o', again);
    expect(readFileSync(again).equals(readFileSync(trace))).toBe(true);
  });

  it('answers JSON', async () => {
    const { out } = await run('import', 'qemu', LOG, '-o', join(dir, 'j.gictrace'), '--json');
    expect(JSON.parse(out)).toMatchObject({ trace: join(dir, 'j.gictrace'), records: await recordsOf() });
  });
});

describe('query and shell', () => {
  const sql = 'SELECT op, count(*) AS n FROM its_commands GROUP BY op ORDER BY op';

  it('prints the same answer as a table, as JSON and as CSV', async () => {
    const rows = JSON.parse((await run('query', db, sql, '--json')).out) as { op: string; n: number }[];
    expect(rows.map(({ op }) => op)).toEqual(expect.arrayContaining(['MAPC', 'MAPD', 'MAPTI']));
    const csv = (await run('query', db, sql, '--csv')).out;
    expect(csv).toBe(`op,n\r\n${rows.map(({ op, n }) => `${op},${n}\r\n`).join('')}`);
    const table = (await run('query', db, sql)).out;
    for (const { op, n } of rows) expect(table).toMatch(new RegExp(`${op}\\s*│\\s*${n}\\s`));
  });

  it('finds every record of the trace in the database', async () => {
    const { out } = await run('query', db, 'SELECT records FROM traces', '--json');
    expect(JSON.parse(out)).toEqual([{ records: await recordsOf() }]);
  });

  it('reads questions from standard input, one over several lines', () => {
    const { code, out, err } = spawn(['shell', db], 'SELECT 41\n + 1 AS answer;\n.columns msis\n.quit\n');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/answer[\s\S]*42[\s\S]*DeviceID/);
  });

  it('goes on after a wrong question, and says so at the end', () => {
    const { code, out, err } = spawn(['shell', db], 'SELECT nothing;\nSELECT 7 AS seven;\n');
    expect(code).toBe(2);
    expect(out).toContain('seven');
    expect(err).toContain('nothing');
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('changes nothing', async () => {
    const before = readFileSync(db);
    expect((await run('query', db, 'DELETE FROM t_traces')).code).toBe(2);
    expect(readFileSync(db).equals(before)).toBe(true);
  });
});

describe('dump', () => {
  it.each([
    [['--from', '20', '--to', '10'], 2, /--from 20 is after --to 10/],
    [['--from', '1000000'], 2, /the trace has records 0 to \d+, not 1000000/],
    [['--pe', '9'], 2, /the trace has PEs 0 to 3, not 9/],
    [['--intid', '99999'], 0, /^no record matches\n$/],
    [['--kind', 'mmio.wirte'], 2, /did you mean 'mmio\.write'\?/],
  ])('%j says so', async (args, code, message) => {
    const answer = await run('dump', trace, ...args);
    expect(answer).toMatchObject({ code, out: '' });
    expect(answer.err).toMatch(message);
  });

  const lines = async (...args: string[]) =>
    (await run('dump', trace, '--json', ...args)).out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('prints every record once', async () => {
    expect(await lines()).toHaveLength(await recordsOf());
  });

  it('prints a range, both ends included', async () => {
    expect((await lines('--from', '10', '--to', '12')).map(({ record }) => record)).toEqual([10, 11, 12]);
  });

  it('prints one kind, one PE, one INTID', async () => {
    const all = await lines();
    const by = (key: string, value: unknown) => all.filter((line) => line[key] === value);
    expect(await lines('--kind', 'mmio.write')).toEqual(by('kind', 'mmio.write'));
    expect(by('kind', 'mmio.write').length).toBeGreaterThan(0);
    expect(await lines('--pe', '1')).toEqual(by('pe', 1));
    expect(by('pe', 1).length).toBeGreaterThan(0);
    const one = await lines('--intid', '8195');
    expect(one.length).toBeGreaterThan(0);
    expect(one.length).toBeLessThan(all.length);
  });
});

describe('recover', () => {
  it('mends a trace that was cut and says what it did', async () => {
    const cut = join(dir, 'cut.gictrace');
    const mended = join(dir, 'mended.gictrace');
    const bytes = readFileSync(trace);
    writeFileSync(cut, bytes);
    truncateSync(cut, bytes.length - 20);
    expect((await run('replay', cut)).code).toBe(4);
    const recovered = await run('recover', cut, '-o', mended);
    expect(recovered.code).toBe(0);
    expect(recovered.out + recovered.err).toMatch(/\d/);
    expect((await run('replay', mended)).code).toBe(0);
    expect(existsSync(`${mended}.partial`)).toBe(false);
  });
});

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** README.md and the pages of docs/. */
const DOCS = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))]
  .map((name) => readFileSync(join(ROOT, name), 'utf8'))
  .join('\n');

describe('help', () => {
  it.each(VERB_NAMES)('has an example for %s', async (verb) => {
    const { code, out } = await run('help', verb);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples?:\\n {2}gictrace ${verb}\\b`));
    expect((await run('--help')).out).toMatch(new RegExp(`^ {2}gictrace ${verb}\\b`, 'm'));
    expect(DOCS).toMatch(new RegExp(`gictrace ${verb}\\b`));
  });
});
