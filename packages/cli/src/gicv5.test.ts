// What verbs do with a GICv5 that has no other test: golden cases of its logs, and faults that are planted for the fuzzer.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GICV5_MUTATIONS } from '@gictrace/core/gicv5';
import { expect, it } from 'vitest';
import { LOG as GICV3_LOG, run, scratch } from './run.test-support.ts';

// In CI golden files are not written, which is what is tried here; golden.test.ts tries the refusal.
delete process.env.CI;

const LOG = fileURLToPath(new URL('../../../test/recordings/small/gicv5-two-pes.log.gz', import.meta.url));

it('a log is a golden case, imported or replayed', async () => {
  const dir = join(scratch(), 'cases');
  mkdirSync(dir, { recursive: true });
  for (const name of ['imported', 'replayed']) cpSync(LOG, join(dir, `${name}.log.gz`));
  writeFileSync(join(dir, 'replayed.case.yaml'), 'on: simulator\n');
  expect((await run('golden', 'update', dir)).code).toBe(0);
  expect((await run('golden', 'check', dir)).code).toBe(0);
  expect(readFileSync(join(dir, 'replayed.golden.txt'), 'utf8')).toContain('GICR_CDIA');
  writeFileSync(join(dir, 'replayed.case.yaml'), 'on: simulator@gicv5-architecture\n');
  expect((await run('golden', 'check', dir)).code).toBe(1);
});

it('faults for the fuzzer are listed, and others refused', async () => {
  const { code, out } = await run('fuzz', '--gic', '5', '--on', 'qemu', '--plant', 'list');
  expect([
    code,
    out
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ]).toEqual([0, Object.keys(GICV5_MUTATIONS)]);
  const refused = await run('fuzz', '--gic', '5', '--on', 'qemu', '--plant', 'toString');
  expect([refused.code, refused.err]).toEqual([
    2,
    "gictrace: no fault 'toString' of a GICv5 (--plant list prints them)\n",
  ]);
});

/** Each command that takes an INTID, with the options that name it. */
const ASKING: readonly (readonly [string, (trace: string, intid: string) => string[]])[] = [
  ['why', (trace, intid) => ['why', trace, '--intid', intid]],
  ['dump', (trace, intid) => ['dump', trace, '--intid', intid]],
  ['step', (trace, intid) => ['step', trace, '--watch', intid]],
  ['minimize', (trace, intid) => ['minimize', trace, '--keep', `lost:${intid}`, '-o', `${trace}.small`]],
  ['report', (trace, intid) => ['report', trace, '--why', intid, '-o', `${trace}.html`]],
];

it.each([
  ['of GICv3', GICV3_LOG, 'PPI 27', 'PPI 27 is no interrupt of the trace: an INTID of GICv3 is a number'],
  ['of GICv5', LOG, '27', 'INTID 27 is no interrupt of the trace: an INTID of GICv5 has a type'],
])('an INTID that no trace %s can have is wrong usage for each command', async (_of, log, intid, says) => {
  const trace = join(scratch(), 'asked.gictrace');
  expect((await run('import', 'qemu', log, '-o', trace)).code).toBe(0);
  for (const [verb, args] of ASKING) {
    const { code, err, out } = await run(...args(trace, intid));
    expect([verb, code, out]).toEqual([verb, 2, '']);
    expect(err).toContain(says);
  }
});

it.each(ASKING)('%s refuses an ID of more than 24 bits', async (_verb, args) => {
  const trace = join(scratch(), 'asked.gictrace');
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
  const { code, err, out } = await run(...args(trace, 'LPI 16777216'));
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(/LPI 16777216/);
});
