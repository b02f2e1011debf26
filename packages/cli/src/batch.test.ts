// gictrace batch: one process for each file, one exit code, results for CI and for SQL.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECORDS, RecordBatch } from '@gictrace/core/record';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { beforeAll, expect, it } from 'vitest';
import { LOG, run, scratch } from './run.test-support.ts';

const dir = scratch();
const at = (name: string) => join(dir, name);
const list = at('list.txt');

/** A copy of a trace in which a PE acknowledged another interrupt. */
function changed(from: string, to: string): void {
  const reader = TraceReader.open(from);
  const writer = new TraceWriter(to, reader.header);
  let isDone = false;
  for (const { batch } of reader.batches())
    for (let i = 0; i < batch.count; i++) {
      const copy = new RecordBatch(1);
      copy.copy(batch, i);
      if (!isDone && copy.kind[0] === RECORDS['sysreg.read'].id && copy.words[1]! >= 8192) {
        copy.words[1]!++;
        isDone = true;
      }
      writer.append(copy);
    }
  writer.close();
  reader.close();
}

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', at('good.gictrace'))).code).toBe(0);
  changed(at('good.gictrace'), at('other.gictrace'));
  writeFileSync(at('bad.gictrace'), 'not a trace');
  writeFileSync(list, '# three traces\ngood.gictrace\n\nother.gictrace\n  bad.gictrace\n');
});

it('counts one file as one', async () => {
  writeFileSync(at('one'), 'good.gictrace\n');
  expect((await run('batch', at('one'), '--', 'info')).out).toBe(
    '1 file: 1 with exit code 0, 0 with 1, 0 with another\n',
  );
});

it('runs a verb for each file, and answers with the highest exit code; JUnit and Parquet have all', async () => {
  const junit = at('out.xml');
  const parquet = at('out.parquet');
  const { code, out } = await run('batch', list, '--junit', junit, '--parquet', parquet, '--', 'replay');
  expect(code).toBe(4);
  expect(out).toMatch(/other\.gictrace: exit 1: DIVERGED/);
  expect(out).toMatch(/bad\.gictrace: exit 4: .*is not a gictrace trace/);
  expect(out).toMatch(/3 files: 1 with exit code 0, 1 with 1, 1 with another\n$/);
  const xml = readFileSync(junit, 'utf8');
  expect(xml).toMatch(/<testsuite name="gictrace replay" tests="3" failures="1" errors="1"/);
  expect(xml.match(/<testcase classname="replay" name="[^"]*good\.gictrace" time="[\d.]+"\/>/g)).toHaveLength(
    1,
  );
  expect(xml).toMatch(/<failure type="exit 1" message="DIVERGED/);
  expect(xml).toMatch(/<error type="exit 4"/);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  const rows = await connection.runAndReadAll(
    `SELECT path, command, exit, outcome, seconds > 0, output <> '' FROM '${parquet}' ORDER BY exit`,
  );
  expect(rows.getRows()).toEqual([
    [at('good.gictrace'), 'replay', 0, 'passed', true, true],
    [at('other.gictrace'), 'replay', 1, 'found', true, true],
    [at('bad.gictrace'), 'replay', 4, 'failed', true, true],
  ]);
});

it('places the file and its name in the arguments', async () => {
  writeFileSync(at('one.txt'), `${at('good.gictrace')}\n`);
  const { code, out } = await run(
    ...['batch', at('one.txt'), '--json', '--', 'export', '{}', '--to', 'jsonl', '-o', at('{name}.jsonl')],
  );
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    verb: 'export',
    results: [{ path: at('good.gictrace'), exit: 0, outcome: 'passed' }],
  });
  expect(existsSync(at('good.jsonl'))).toBe(true);
});

it.each([
  ['an unknown verb', [list, '--', 'replya'], /batch cannot run 'replya'/],
  ['itself', [list, '--', 'batch', list], /batch cannot run 'batch'/],
  ['no list', [at('nowhere.txt'), '--', 'info'], /no such file/],
  [
    'an output that is one of its files',
    [list, '--junit', at('good.gictrace'), '--', 'info'],
    /is the input/,
  ],
])('%s is refused', async (_what, args, message) => {
  const { code, err } = await run('batch', ...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});
