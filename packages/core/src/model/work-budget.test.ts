// The budget of work: a few records that name huge tables end in a named limit, soon and in little memory; what a real GIC
// can be made to do does not.
import { describe, expect, it } from 'vitest';
import { configOf, PLAIN } from '../profile/index.ts';
import { FRAMES, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { GICR } from '../spec/index.ts';
import { Follow, FollowObserver } from './follow.ts';
import { Machine } from './machine.ts';
import { GuestMemory } from './memory.ts';
import { WorkBudget } from './work-budget.ts';

const config = configOf('architecture', PLAIN);
/** Records as words: the name of the kind and its first words. */
type Step = readonly [keyof typeof RECORDS, ...number[]];

function batchOf(steps: readonly Step[]): RecordBatch {
  const batch = new RecordBatch(steps.length);
  for (const [name, ...words] of steps) {
    const i = batch.push(RECORDS[name].id, 0, Number.NaN);
    batch.words.set(words, i * RECORD_WORDS);
  }
  return batch;
}

function run(steps: readonly Step[], gic = config): Machine {
  const follow = new Follow(new Machine(gic), new FollowObserver());
  follow.take(batchOf(steps), 100);
  return follow.machine;
}

const write = (
  register: 'GICR_CTLR' | 'GICR_PROPBASER' | 'GICR_PENDBASER',
  width: number,
  low: number,
): Step => ['mmio.write', ...[FRAMES.indexOf('GICR'), 0, GICR[register].offset, width, low, 0]];

describe('LPIs', () => {
  const TABLE = 0x4000_0000;
  const tables = (bits: number): Step[] => [
    ['mem.known', TABLE, 0, 2 ** 25, 0xff],
    write('GICR_PROPBASER', 8, (TABLE | (bits - 1)) >>> 0),
    write('GICR_PENDBASER', 8, TABLE),
    write('GICR_CTLR', 4, 1),
  ];
  const wide = { ...config, gicd: { ...config.gicd, typer: config.gicd.typer | (31 << 19) } };

  it('as many as 16 bits of INTID name are pending at once', () => {
    expect(run(tables(16)).state.lpiPending[0]!.size).toBe(2 ** 16 - 8192);
  });

  it('16 million are a limit, with the record that asks for them', () => {
    const started = performance.now();
    expect(() => run(tables(24), wide)).toThrow(
      expect.objectContaining({ code: 'limit', place: { record: 103 } }),
    );
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

it('a stimulus adds to what may be spent, but never without an end', () => {
  const budget = new WorkBudget();
  budget.spend(2 ** 24);
  expect(() => budget.spend(1)).toThrow(/16,777,216 steps/);
  for (let n = 0; n < 10_000; n++) budget.begin();
  expect(() => budget.spend(2 ** 24 + 1)).toThrow(expect.objectContaining({ code: 'limit' }));
});

it('stores into millions of pages are a limit', () => {
  const memory = new GuestMemory();
  memory.budget = new WorkBudget();
  const fill = (pages: number) => {
    for (let n = 0; n < pages; n++) memory.writeByte(2 * 4096 * n, 1);
  };
  expect(() => fill(2 ** 15 + 1)).toThrow(/32,768 different pages/);
});

it('a search through 48 GiB of memory costs what is stored there', () => {
  const memory = new GuestMemory();
  memory.budget = new WorkBudget();
  const far = 12 * 2 ** 32;
  memory.writeByte(far - 5, 7);
  memory.mark(2 ** 32, 2 ** 32 - 1, true, 0);
  const found: [number, number][] = [];
  for (let n = 0; n < 100; n++) {
    found.length = 0;
    expect(memory.scan(0, far, (offset, byte) => found.push([offset, byte]))).toBe(false);
    expect(memory.anyKnown(2 ** 33, far - 2 ** 33)).toBe(true);
    expect(memory.anyKnown(2 ** 33, far - 5 - 2 ** 33)).toBe(false);
  }
  expect(found).toEqual([[far - 5, 7]]);
  expect(memory.scan(2 ** 32, 2 ** 32 - 1, () => found.push([0, 0]))).toBe(true);
});
