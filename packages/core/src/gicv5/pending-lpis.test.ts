import { describe, expect, it } from 'vitest';
import { PendingLpis } from './pending-lpis.ts';

const order = (lpis: PendingLpis) => [...lpis.table].filter((id) => id >= 0);

describe('PendingLpis', () => {
  it('visits entries by their hash, which is 11 times the ID modulo 7 in the smallest table', () => {
    const lpis = new PendingLpis();
    for (const id of [8, 9, 10]) lpis.add(id);
    // 88 % 7 = 4, 99 % 7 = 1, 110 % 7 = 5.
    expect(order(lpis)).toEqual([9, 8, 10]);
  });

  it('treats the hashes 0 and 1 as 2, so that 0, 1 and 2 begin at the same slot', () => {
    const lpis = new PendingLpis();
    for (const id of [0, 1, 2]) lpis.add(id);
    // 22 % 7 = 1; then one and two slots on.
    expect([...lpis.table]).toEqual([-1, 0, 1, -1, 2, -1, -1, -1]);
  });

  it('grows when 15 of 16 slots are taken, and to twice what a third more entries need', () => {
    const lpis = new PendingLpis();
    const lengths = Array.from({ length: 32 }, (_, id) => {
      lpis.add(id);
      return lpis.table.length;
    });
    expect([7, 8, 15, 16, 30, 31].map((n) => lengths[n - 1])).toEqual([8, 16, 16, 32, 32, 64]);
    for (let id = 31; id >= 0; id--) lpis.remove(id);
    expect(lpis.table.length).toBe(8);
  });

  it('keeps the traces of what was removed when it is cleared without entries, and not otherwise', () => {
    const used = () => {
      const lpis = new PendingLpis();
      lpis.add(2);
      lpis.remove(2);
      return lpis;
    };
    const [empty, not] = [used(), used()];
    empty.clear();
    not.add(7);
    not.clear();
    expect([[...empty.table].includes(-2), [...not.table].includes(-2)]).toEqual([true, false]);
  });

  it('is a set, whatever is added and removed', () => {
    const lpis = new PendingLpis();
    const set = new Set<number>();
    let x = 1;
    const next = (below: number) => {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return (x >>> 0) % below;
    };
    for (let n = 0; n < 20_000; n++) {
      const id = next(n % 1000 < 500 ? 300 : 2 ** 24);
      if (next(5) < (n % 2000 < 1000 ? 3 : 2)) {
        lpis.add(id);
        set.add(id);
      } else {
        const one = next(2) === 0 ? id : ([...set][0] ?? id);
        lpis.remove(one);
        set.delete(one);
      }
      if (n % 97 === 0) expect(order(lpis).sort((a, b) => a - b)).toEqual([...set].sort((a, b) => a - b));
    }
    expect(lpis.size).toBe(set.size);
    const copy = new PendingLpis();
    copy.restore(Int32Array.from(lpis.save()));
    expect([...copy.table]).toEqual([...lpis.table]);
    lpis.removeEach();
    expect([lpis.size, order(lpis)]).toEqual([0, []]);
  });
});
