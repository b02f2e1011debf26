// A trace of a few kilobytes cannot make designs work for minutes.
import { expect, it } from 'vitest';
import { DESIGNS } from '../designs.ts';
import type { Operation } from '../operation.ts';
import { Translation } from './run.ts';
import { WORK_BURST, Work } from './work.ts';

it('a burst, and a share with each operation that cannot be saved up', () => {
  const work = new Work(4);
  for (let n = 0; n < 1000; n++) work.operation();
  work.spend(WORK_BURST);
  expect(() => work.spend()).toThrow(/first 1000 operations need more than 80 accesses each/);
  const steady = new Work(4);
  for (let n = 0; n < 10_000; n++) {
    steady.operation();
    steady.spend(80);
  }
});

it('migrations of hundreds of PEs end with a limit, the first one does not', () => {
  const migrate: Operation = { op: 'migrate', without: 'nothing' };
  const run = new Translation(DESIGNS.mbi!, 512);
  run.take(migrate);
  expect(() => run.take(migrate)).toThrow(expect.objectContaining({ code: 'limit' }));
});

it('each PE reads what it is signalled after each operation, which a share pays for', () => {
  let reads = 0;
  // Reads that have no effect are made only where somebody watches.
  const run = new Translation(DESIGNS.its!, 64, { stimulus: () => void reads++ });
  for (let pe = 0; pe < 64; pe++) run.take({ op: 'pe.online', pe });
  run.take({ op: 'alloc', device: 8, count: 1 });
  for (let n = 0; n < 10_000; n++) run.take({ op: 'fire', device: 8, vector: 0 });
  expect(reads).toBeGreaterThan(64 * 10_000);
});
