// The first record, trace, backend or command that differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { LOG, run, scratch } from '../run.test-support.ts';

const dir = scratch();
const trace = join(dir, 'its.gictrace');
const db = join(dir, 'its.db');
/** Records of the trace, as `dump --json` prints them. */
let records: { record: number; kind: string; INTID?: number; text?: string }[];

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
  expect((await run('load', trace, '-o', db)).code).toBe(0);
  records = (await run('dump', trace, '--json')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
});

it('finds the first record at which a query returns a row', async () => {
  const first = records.find(({ kind, INTID }) => kind === 'hppi' && INTID === 8195)!;
  const sql = 'SELECT 1 FROM hppi WHERE record <= :record AND INTID = 8195';
  const { code, out } = await run('bisect', db, '--sql', sql);
  expect(code).toBe(1);
  expect(out).toContain(`from record ${first.record} on`);
  expect(out).toContain('hppi INTID 8195');
  // A trace is loaded for this time, and gives the same.
  const again = await run('bisect', trace, '--sql', sql, '--json');
  expect(JSON.parse(again.out)).toMatchObject({ record: first.record });
  expect((await run('bisect', db, '--sql', sql, '--to', `${first.record - 1}`)).code).toBe(0);
  expect(
    JSON.parse((await run('bisect', db, '--sql', sql, '--from', `${first.record + 5}`, '--json')).out),
  ).toMatchObject({
    record: first.record + 5,
  });
});

it('finds the record that changes the state', async () => {
  const sql = "SELECT 1 FROM gic_state(1, :record) WHERE name = 'GITS_CTLR' AND value & 1";
  const { out } = await run('bisect', db, '--sql', sql, '--json');
  const { record, text, tests } = JSON.parse(out);
  expect(text).toMatch(/GITS_CTLR <- 0x1 /);
  const holds = async (at: number) =>
    (await run('query', db, sql.replace(':record', `${at}`), '--csv')).out.trim().split('\n').length > 1;
  expect([await holds(record - 1), await holds(record)]).toEqual([false, true]);
  expect(tests).toBeLessThan(15);
});

it('finds the first trace of a list', async () => {
  const lines = (await run('export', trace, '--to', 'jsonl', '-o', join(dir, 'its.jsonl'))).code;
  expect(lines).toBe(0);
  const other = readFileSync(join(dir, 'its.jsonl'), 'utf8').trim().split('\n').slice(0, -3).join('\n');
  writeFileSync(join(dir, 'other.jsonl'), `${other}\n`);
  const shorter = join(dir, 'other.gictrace');
  expect((await run('import', 'jsonl', join(dir, 'other.jsonl'), '-o', shorter)).code).toBe(0);
  const { code, out } = await run('bisect', trace, trace, trace, shorter, shorter, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ first: shorter, before: trace });
  expect((await run('bisect', trace, trace)).code).toBe(0);
});

it('finds the first backend and the first command', async () => {
  const sgi = join(dir, 'reads.jsonl');
  const header = readFileSync(join(dir, 'its.jsonl'), 'utf8').split('\n')[0]!;
  const read = {
    record: 0,
    kind: 'mmio.read',
    pe: 0,
    flags: 1,
    frame: 'GICD',
    instance: 0,
    offset: 12,
    width: 4,
    value: '0x0',
  };
  writeFileSync(sgi, `${header}\n${JSON.stringify(read)}\n`);
  const reads = join(dir, 'reads.gictrace');
  expect((await run('import', 'jsonl', sgi, '-o', reads)).code).toBe(0);
  const on = ['qemu-7.2', 'qemu-7.2', 'qemu-11.1', 'qemu-11.1'].map((profile) => `simulator@${profile}`);
  const { code, out } = await run('bisect', reads, '--on', ...on);
  expect(code).toBe(1);
  expect(out).toContain('FOUND: simulator@qemu-11.1 is the first that differs; simulator@qemu-7.2 does not');
  const commands = await run('bisect', '--command', 'true', 'test 1 = 1', 'false', 'exit 1', '--json');
  expect(JSON.parse(commands.out)).toMatchObject({ first: 'false', before: 'test 1 = 1' });
});

it.each([
  [[], 2, 'no trace is given'],
  [[trace], 2, 'cannot be bisected'],
  [[db, '--sql', 'SELECT 1'], 2, ':record'],
  [[db, '--sql', 'SELECT nonsense WHERE :record'], 2, 'nonsense'],
  [[db, '--sql', 'SELECT 1 WHERE :record', '--trace', '7'], 2, 'no trace 7'],
  [[db, '--sql', 'SELECT 1 WHERE :record', '--from', '4000000'], 2, 'no records'],
  [[trace, '--on', 'simulator'], 2, 'list of one'],
  [[trace, '--on', 'simulator', 'nonsense'], 2, "no backend 'nonsense'"],
  [[trace, '--on', 'a', 'b', '--command', 'c', 'd'], 2, 'exclude each other'],
  [['--command', 'true', 'no-such-program-anywhere'], 3, 'cannot be run'],
  [[join(dir, 'none.gictrace'), trace], 4, 'no such file'],
])('refuses %j in one line', async (args, exit, message) => {
  const { code, out, err } = await run('bisect', ...args);
  expect([code, out]).toEqual([exit, '']);
  expect(err).toMatch(/^gictrace: [^\n]*\n$/);
  expect(err).toContain(message);
});
