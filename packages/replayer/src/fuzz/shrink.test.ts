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
        expect((await shrink(list, fails, 10_000)).list).toEqual(needed);
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
  const small = await shrink(list, fails, 30);
  expect(tests).toBeLessThanOrEqual(30);
  expect(small.tests).toBe(tests);
  expect(small.list).toContain(77);
  expect(small.list.length % 2).toBe(0);
});
