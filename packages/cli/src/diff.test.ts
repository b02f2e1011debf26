// `gictrace diff` on a small recording: exit codes, each form of its answer, the database, and bad input.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECORDS, RecordBatch } from '@gictrace/core/record';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOG, run, scratch } from './run.test-support.ts';

const dir = scratch();
const a = join(dir, 'a.gictrace');
const b = join(dir, 'b.gictrace');
const later = join(dir, 'later.gictrace');
let deleted = -1;

/** Writes a trace anew: `edit` sees each record, and says whether it stays. */
function rewrite(to: string, edit: (batch: RecordBatch, i: number, record: number) => boolean): void {
  const reader = TraceReader.open(a);
  const writer = new TraceWriter(to, reader.header);
  const copy = new RecordBatch(1);
  for (const { batch, first } of reader.batches())
    for (let i = 0; i < batch.count; i++) {
      copy.clear();
      copy.copy(batch, i);
      if (edit(copy, 0, first + i)) writer.record(copy, 0);
    }
  writer.close();
  reader.close();
}

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', a)).code).toBe(0);
  rewrite(b, (batch, i, record) => {
    const goes = deleted < 0 && batch.kind[i] === RECORDS['mmio.write'].id;
    if (goes) deleted = record;
    return !goes;
  });
  rewrite(later, (batch, i, record) => {
    if (record >= 100) batch.timeNs[i]! += 5000;
    return true;
  });
});

describe('diff', () => {
  it('ends with 0 and says SAME of a trace and itself', async () => {
    const { code, out, err } = await run('diff', a, a);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^SAME\n/);
    expect(out).toContain('the same up to legal reordering and times');
  });

  it('ends with 1 and shows the one record that is gone, decoded, on both sides', async () => {
    const { code, out } = await run('diff', a, b);
    expect(code).toBe(1);
    expect(out).toMatch(/^DIFFERS: 1 difference/);
    expect(out).toContain('first deleted: mmio.write ');
    expect(out).toContain(`A > ${deleted} `);
    expect(out.match(/^ {2}B /gm)!.length).toBeGreaterThan(1);
  });

  it('answers JSON and Markdown', async () => {
    const { code, out } = await run('diff', a, b, '--json');
    expect(code).toBe(1);
    const diff = JSON.parse(out) as Record<string, unknown>;
    expect(diff).toMatchObject({
      same: false,
      counts: { deleted: 1, inserted: 0 },
      subjects: [{ differing: 1, classes: { deleted: 1 } }],
      examples: [{ class: 'deleted', a: { record: { record: deleted } }, b: { record: null } }],
      coarse: 0,
      renamed: null,
    });
    const markdown = (await run('diff', a, b, '--markdown')).out;
    expect(markdown).toMatch(/^\*\*DIFFERS: 1 difference\*\*/);
    expect(markdown).toContain('| deleted | 1 | only in A |');
  });

  it('--ignore lets times pass, counted', async () => {
    expect((await run('diff', a, later)).code).toBe(1);
    const { code, out } = await run('diff', a, later, '--ignore', 'timing');
    expect(code).toBe(0);
    expect(out).toMatch(/^SAME, except for 1 difference tolerated/);
    expect(out).toMatch(/1 {2}--ignore timing/);
  });

  it('--rules lets pass what a rule names', async () => {
    const rules = join(dir, 'rules.yaml');
    writeFileSync(
      rules,
      'rules:\n  - reason: the device is not there\n    class: deleted\n    kind: mmio.write\n',
    );
    const { code, out } = await run('diff', a, b, '--rules', rules);
    expect([code, out.includes('the device is not there')]).toEqual([0, true]);
  });

  it('-o keeps the alignment for SQL', async () => {
    const db = join(dir, 'diff.db');
    expect((await run('diff', a, b, '-o', db)).code).toBe(1);
    const { out } = await run('query', db, "SELECT a, b, class FROM align WHERE class <> 'same'", '--csv');
    expect(out).toBe(`a,b,class\r\n${deleted},,deleted\r\n`);
    const totals = await run(
      'query',
      db,
      "SELECT side, compared - (SELECT count(*) FROM align WHERE class = 'same') AS more FROM align_sides",
      '--csv',
    );
    expect(totals.out).toBe('side,more\r\nA,1\r\nB,0\r\n');
  });
});

describe('bad input', () => {
  it.each([
    [['diff', a], 2, /missing required argument/],
    [['diff', a, b, '--ignore', 'noise'], 2, /does not know 'noise'.*rules/],
    [['diff', a, b, '--rules', join(dir, 'none.yaml')], 2, /none\.yaml.*no such file/],
    [['diff', a, b, '--json', '--markdown'], 2, /exclude/],
    [['diff', a, b, '--keep', 'x'], 2, /--keep/],
    [['diff', a, join(dir, 'none.gictrace')], 4, /none\.gictrace: no such file/],
    [['diff', LOG, a], 4, /is not a gictrace trace/],
    [['diff', a, b, '-o', join(dir, 'no', 'such.db')], 2, /cannot be written/],
  ] as const)('%j ends with %i', async (args, code, message) => {
    const result = await run(...args);
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.err).toMatch(message);
    expect(result.err.trimEnd()).not.toContain('\n');
  });

  it('leaves no database behind', async () => {
    const db = join(dir, 'left.db');
    expect((await run('diff', a, join(dir, 'none.gictrace'), '-o', db)).code).toBe(4);
    expect([existsSync(db), existsSync(`${db}.partial`)]).toEqual([false, false]);
  });
});
