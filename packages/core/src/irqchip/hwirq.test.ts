// hwirq at its limits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEVICES, DevIds, hwirqOf, VECTORS_A_DEVICE } from './hwirq.ts';

describe('hwirq', () => {
  it('is different for each vector of each device within its limits', () => {
    const devId = fc.nat(DEVICES - 1);
    const index = fc.nat(VECTORS_A_DEVICE - 1);
    fc.assert(
      fc.property(devId, index, devId, index, (a, i, b, j) => {
        expect(hwirqOf(a, i) === hwirqOf(b, j)).toBe(a === b && i === j);
      }),
    );
  });

  it('of the 2,049th vector of a device is that of the first of the next', () => {
    expect(hwirqOf(6, VECTORS_A_DEVICE - 1)).not.toBe(hwirqOf(7, 0));
    expect(hwirqOf(6, VECTORS_A_DEVICE)).toBe(hwirqOf(7, 0));
  });

  it('of device 2^21 is that of device 0', () => {
    expect(hwirqOf(DEVICES, 5)).toBe(hwirqOf(0, 5));
  });
});

describe('numbers of devices', () => {
  it('are the lowest that are free, and end', () => {
    const ids = new DevIds();
    expect([ids.take(), ids.take(), ids.take()]).toEqual([0, 1, 2]);
    ids.give(1);
    ids.give(0);
    expect([ids.take(), ids.take(), ids.take()]).toEqual([0, 1, 3]);
    for (let n = 4; n < DEVICES; n++) ids.take();
    expect(ids.take()).toBe(-1);
  });
});
