// What verbs do with a GICv5 that has no other test: golden cases of its logs, and faults that are planted for the fuzzer.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GICV5_MUTATIONS } from '@gictrace/core/gicv5';
import { expect, it } from 'vitest';
import { run, scratch } from './run.test-support.ts';

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
