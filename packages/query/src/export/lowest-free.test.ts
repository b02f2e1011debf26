import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LowestFree } from './lowest-free.ts';

it('takes the lowest number that is free, whatever was freed before', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat({ max: 40 }), { nil: undefined }), { maxLength: 200 }), (steps) => {
      const numbers = new LowestFree();
      const taken = new Set<number>();
      for (const step of steps) {
        if (step !== undefined && taken.delete(step)) numbers.free(step);
        else {
          let lowest = 0;
          while (taken.has(lowest)) lowest++;
          expect(numbers.take()).toBe(lowest);
          taken.add(lowest);
        }
      }
    }),
  );
});
