// Bad input: one clear line on standard error, exit code 2 or 4, no stack trace, and nothing under the final name.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOG, type Run, run, scratch, spawn } from './run.test-support.ts';

const dir = scratch();
const at = (name: string) => join(dir, name);
const out = at('out');
const trace = at('good.gictrace');
const db = at('good.db');

/** One line, no stack, nothing left behind. */
function refused({ code, out: printed, err }: Run, codes: readonly number[], says: RegExp): void {
  expect(err).toMatch(says);
  expect(err).toMatch(/^gictrace: [^\n]+\n$/);
  expect(codes).toContain(code);
  expect(printed).toBe('');
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(dir).filter((name) => name.startsWith('out') || name.includes('.partial'))).toEqual([]);
}

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
  expect((await run('load', trace, '-o', db)).code).toBe(0);
  const log = readFileSync(LOG);
  writeFileSync(at('empty'), '');
  writeFileSync(at('empty.gz'), gzipSync(''));
  writeFileSync(at('cut.gz'), log.subarray(0, log.length >> 1));
  writeFileSync(
    at('binary'),
    Uint8Array.from({ length: 5000 }, (_, k) => (k * 193 + (k >> 3)) & 0xff),
  );
  writeFileSync(
    at('other.log'),
    '[    0.000000] Booting Linux\n[    0.000001] GICv3: 224 SPIs implemented\n',
  );
  mkdirSync(at('folder'));
  const newer = readFileSync(trace);
  newer.writeUInt32LE(newer.readUInt32LE(8) + 7, 8);
  newer.writeUInt32LE(crc32(newer.subarray(0, 12)), 12);
  writeFileSync(at('newer.gictrace'), newer);
});

describe('import refuses', () => {
  it.each([
    ['empty', /./],
    ['empty.gz', /./],
    ['cut.gz', /./],
    ['binary', /./],
    ['other.log', /./],
    ['folder', /directory|folder/],
    ['nowhere.log', /no such file|not found|does not exist/i],
    ['good.gictrace', /./],
  ])('%s', async (name, says) => {
    const answer = await run('import', 'qemu', at(name), '-o', out);
    refused(answer, [2, 4], says);
    expect(answer.err).toContain(at(name));
  });

  it('an output directory that is missing', async () => {
    refused(await run('import', 'qemu', LOG, '-o', join(out, 'x.gictrace')), [2], /out/);
  });

  it('as a process, without a stack trace', () => {
    refused(spawn(['import', 'qemu', at('other.log'), '-o', out]), [2, 4], /other\.log/);
    refused(spawn(['import', 'qemu', '-', '-o', out], ''), [2, 4], /./);
  });
});

describe.each([
  ['replay', (path: string) => ['replay', path, '-o', out]],
  ['info', (path: string) => ['info', path]],
  ['dump', (path: string) => ['dump', path]],
  ['load', (path: string) => ['load', path, '-o', out]],
  ['recover', (path: string) => ['recover', path, '-o', out]],
] as const)('%s refuses', (_verb, args) => {
  it.each([
    ['empty', /./],
    ['binary', /./],
    ['other.log', /./],
    ['folder', /directory|folder/],
    ['nowhere', /no such file|not found|does not exist/i],
    ['good.db', /./],
  ])('%s', async (name, says) => {
    refused(await run(...args(at(name))), [2, 4], says);
  });

  it('a trace of a newer version, and names the version', async () => {
    refused(await run(...args(at('newer.gictrace'))), [4], /version|format/);
  });
});

describe('record and compare refuse', () => {
  const scenario = at('s.yaml');
  beforeAll(() => {
    writeFileSync(scenario, 'scenario: s\nmachine: { pes: 2 }\nsteps:\n  - online: [0, 7]\n');
    writeFileSync(at('good.yaml'), 'scenario: s\nmachine: { pes: 2 }\nsteps: [{ online: [0] }]\n');
    writeFileSync(at('trace.yaml'), readFileSync(trace));
  });
  it.each([
    [
      'a scenario that is wrong, with the place',
      ['record', scenario, '-o', out],
      /s\.yaml: line 4, column 17: .*PE 7/,
    ],
    ['the same to compare', ['compare', scenario], /s\.yaml: line 4, column 17: .*PE 7/],
    ['no file', ['record', at('none.yaml'), '-o', out], /none\.yaml: no such file/],
    [
      'a folder',
      ['record', at('folder'), '-o', out],
      /folder: is not a scenario: .*scenarios that ship: .*storm/,
    ],
    ['a trace for a scenario', ['record', at('trace.yaml'), '-o', out], /trace\.yaml: line 1/],
    [
      'a design that there is not',
      ['record', at('good.yaml'), '-o', out, '--on', 'nope'],
      /no design 'nope'.*designs: its/,
    ],
    [
      'a profile that there is not',
      ['compare', at('good.yaml'), '--on', 'its@nope'],
      /no profile 'nope'.*profiles: /,
    ],
    [
      'a place that cannot be written',
      ['record', at('good.yaml'), '-o', at('no/where')],
      /no such directory/,
    ],
  ])('%s', async (_name, args, says) => {
    refused(await run(...args), [2, 4], says);
  });
});

describe('query refuses', () => {
  it.each(['empty', 'binary', 'folder', 'nowhere', 'good.gictrace'])('%s', async (name) => {
    refused(await run('query', at(name), 'SELECT 1'), [2, 4], /./);
    expect(existsSync(at('nowhere'))).toBe(false);
  });

  it.each(['SELEC 1', 'SELECT 1; SELECT 2', '', "ATTACH 'x' AS y"])('%j', async (sql) => {
    refused(await run('query', db, sql), [2], /./);
  });
});

describe('usage', () => {
  it.each([
    [['frobnicate'], /frobnicate/],
    [['replay', trace, '--frobnicate'], /--frobnicate/],
    [['import', 'vcd', LOG, '-o', out], /vcd/],
    [['import', 'qemu', LOG], /--output/],
    [['replay', trace, '--on', 'silicon'], /silicon/],
    [['replay', trace, '--on', 'simulator@none'], /none/],
    [['replay', trace, '--on', 'simulator@toString'], /toString/],
    [['dump', trace, '--kind', 'nothing'], /nothing/],
    [['query', trace, '--ddl', 'oracle'], /--ddl takes clickhouse, spark, trino, not 'oracle'/],
    [['query', trace, '--ddl', 'spark'], /is not a dataset/],
    [['query', trace, 'SELECT 1', '--ddl', 'spark'], /--ddl takes neither SQL nor --module/],
    [['dump', trace, '--from', '-1'], /--from/],
    [['dump', trace, '--pe', '1e3'], /--pe/],
    [['import', 'qemu', LOG, '-o', out, '--pes', '0'], /--pes/],
    [['import', 'qemu', LOG, '-o', out, '--gic', '5'], /--gic/],
    [['query', db, 'SELECT 1', '--json', '--csv'], /--csv/],
    [['load', trace, '-o', join(out, 'x.db')], /out/],
    [['replay', trace, '-o', join(out, 'x')], /out/],
  ] as const)('%j', async (args, says) => {
    refused(await run(...args), [2], says);
  });
});
