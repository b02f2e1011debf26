// Each fault shows in what a GICv5 does: in its values and lines.
import { expect, it } from 'vitest';
import { RECORD_WORDS, RecordBatch } from '../record/index.ts';
import { Gicv5Draw } from './draw.ts';
import { gicv5Config } from './driver.test-support.ts';
import { Gicv5Machine } from './machine.ts';
import { GICV5_MUTATIONS, plantGicv5Mutation } from './mutations.ts';
import { gicv5Step } from './step.ts';

/** What a machine answers and shows to stimuli of a seed. */
function shown(seed: number, fault?: string): string[] {
  const machine = new Gicv5Machine(gicv5Config('qemu-11.1'));
  if (fault !== undefined) plantGicv5Mutation(machine, fault);
  const batch = new RecordBatch(4096);
  machine.sink = { batch, events: false, full: () => batch.clear() };
  const draw = new Gicv5Draw(seed, 2, 64);
  const one = new RecordBatch(1);
  const lines: string[] = [];
  for (let k = 0; k < 3000; k++) {
    one.clear();
    draw.next(one);
    gicv5Step(machine, one, 0);
    const records = Array.from({ length: batch.count }, (_, i) => [
      batch.kind[i],
      batch.pe[i],
      ...batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS),
    ]);
    lines.push(JSON.stringify([machine.low, machine.high, records]));
    batch.clear();
  }
  return lines;
}

it.each(Object.keys(GICV5_MUTATIONS))('%s', (fault) => {
  const found = [1, 2, 3, 4].some((seed) => {
    const [right, wrong] = [shown(seed), shown(seed, fault)];
    return right.some((line, k) => line !== wrong[k]);
  });
  expect(found).toBe(true);
});

it('an unknown fault is refused', () => {
  expect(() => plantGicv5Mutation(new Gicv5Machine(gicv5Config('qemu-11.1')), 'toString')).toThrow(
    "no fault 'toString' of a GICv5",
  );
});
