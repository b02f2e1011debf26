// Delta debugging finds what matters, and nothing that does not.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shrink } from './shrink.ts';

it('leaves exactly the elements that are needed, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.uniqueArray(fc.nat(199), { minLength: 1, maxLength: 8 }),
      async (length, picks) => {
        const list = Array.from({ length }, (_, n) => n);
        const needed = [...new Set(picks.map((n) => n % length))].sort((a, b) => a - b);
        const fails = async (part: readonly number[]) => needed.every((n) => part.includes(n));
        const small = await shrink(list, fails, { testsMax: 10_000 });
        expect(small).toMatchObject({ list: needed, isMinimal: true });
        const coarse = await shrink(list, fails, { testsMax: 10_000, first: 9, divisor: 4 });
        expect(coarse).toMatchObject({ list: needed, isMinimal: true });
      },
    ),
  );
});

it('keeps to its number of tests, and to a list that fails', async () => {
  let tests = 0;
  const fails = async (part: readonly number[]) => {
    tests++;
    return part.includes(77) && part.length % 2 === 0;
  };
  const list = Array.from({ length: 100 }, (_, n) => n);
  const small = await shrink(list, fails, { testsMax: 30 });
  expect(tests).toBeLessThanOrEqual(30);
  expect(small.tests).toBe(tests);
  expect(small.list).toContain(77);
  expect(small.list.length % 2).toBe(0);
});

it('says how much of the list is as it was', async () => {
  const list = Array.from({ length: 64 }, (_, n) => n);
  let best: readonly number[] = list;
  const fails = async (part: readonly number[], unchanged: number) => {
    expect(part.slice(0, unchanged)).toEqual(best.slice(0, unchanged));
    const isGood = part.includes(5) && part.includes(40);
    if (isGood) best = part;
    return isGood;
  };
  expect((await shrink(list, fails, { testsMax: 1000 })).list).toEqual([5, 40]);
});
