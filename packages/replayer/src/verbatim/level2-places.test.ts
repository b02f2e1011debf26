import { expect, it } from 'vitest';
import { LEVEL2_BYTES, Level2Count, Level2Places } from './level2-places.ts';

const FROM = 0x8000_0000;

it('a level-1 entry has one place while the table is valid', () => {
  const places = new Level2Places(FROM, FROM + 3 * LEVEL2_BYTES);
  expect([places.take(0x100), places.take(0x108), places.take(0x100)]).toEqual([
    FROM,
    FROM + LEVEL2_BYTES,
    undefined,
  ]);
  places.clear();
  expect(places.take(0x100)).toBe(FROM + 2 * LEVEL2_BYTES);
});

it('there are no more places than there is room', () => {
  const places = new Level2Places(FROM, FROM + 2 * LEVEL2_BYTES);
  places.take(0);
  places.take(8);
  expect(places.take(8)).toBeUndefined();
  expect(() => places.take(16)).toThrow(expect.objectContaining({ code: 'limit' }));
});

it('what a trace may need is counted by level-2 table, and again for another table', () => {
  const count = new Level2Count();
  for (const id of [0, 1, 255, 256, 0]) count.mapped(id);
  expect(count.bytes).toBe(2 * LEVEL2_BYTES);
  count.otherTable();
  count.mapped(0);
  expect(count.bytes).toBe(3 * LEVEL2_BYTES);
});
