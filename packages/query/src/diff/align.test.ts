// The alignment is a longest common subsequence within its budget, always a common subsequence, and never quadratic.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Aligner, increasing } from './align.ts';
import { Hash64, Interner } from './hash.ts';

/** The length of a longest common subsequence, by the textbook table. */
function longestCommon(a: readonly number[], b: readonly number[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    for (const [j, y] of b.entries()) next.push(x === y ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
    row = next;
  }
  return row[b.length]!;
}

function check(a: Uint32Array, b: Uint32Array, match: Int32Array): number {
  let last = -1;
  let n = 0;
  match.forEach((j, i) => {
    if (j < 0) return;
    // Plain comparisons, because a million calls of expect() would be slow.
    if (j <= last || b[j] !== a[i]) throw new Error(`no common subsequence at ${i}: ${j} after ${last}`);
    last = j;
    n++;
  });
  return n;
}

describe('alignment', () => {
  it('of small sequences is a longest common subsequence', () => {
    const names = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 });
    fc.assert(
      fc.property(names, names, (a, b) => {
        const [p, q] = [Uint32Array.from(a), Uint32Array.from(b)];
        const { match, coarse } = new Aligner(6).align(p, q);
        expect(coarse).toBe(0);
        expect(check(p, q, match)).toBe(longestCommon(a, b));
      }),
      { numRuns: 1000 },
    );
  });

  it('of long periodic sequences with edits finds no more than were made', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.nat(4999), fc.integer({ min: 0, max: 99 })), { minLength: 1, maxLength: 30 }),
        (period, edits) => {
          const a = Array.from({ length: 5000 }, (_, k) => k % period);
          const b = [...a];
          for (const [at, value] of edits)
            if (value < 50) b.splice(at, 1, value);
            else b.splice(at, value % 2, ...(value % 3 === 0 ? [value] : []));
          const [p, q] = [Uint32Array.from(a), Uint32Array.from(b)];
          const matched = check(p, q, new Aligner(100).align(p, q).match);
          expect(a.length - matched).toBeLessThanOrEqual(edits.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('finds its way past a block that is longer than any budget', () => {
    const block = Uint32Array.from({ length: 20_000 }, (_, k) => k % 7);
    const tail = Uint32Array.from({ length: 3000 }, (_, k) => (k * k) % 11);
    const a = new Uint32Array([...tail, ...tail.map((x) => x + 11)]);
    const b = new Uint32Array([...tail, ...block, ...tail.map((x) => x + 11)]);
    expect(check(a, b, new Aligner(32).align(a, b).match)).toBe(a.length);
  });

  it.each([6, 1500])(
    'is not led astray by what is unique because edits took away its likes: %i edits',
    (edits) => {
      const base = Array.from({ length: 60_000 }, (_, k) => (k * k + (k >> 3)) % 97);
      const likes = [9000, 21_000, 33_000, 45_000];
      const with_ = (kept: number) =>
        base.map((name, k) => (likes.includes(k) ? (k === kept ? 99 : 98) : name));
      const a = Uint32Array.from(with_(9000));
      const b = Uint32Array.from(
        with_(45_000).filter((_, k) => edits < 100 || k % Math.floor(60_000 / edits) !== 7),
      );
      const { match } = new Aligner(100).align(a, b);
      // The records edited away, their four duplicates, and an edit or two where the coarse alignment starts again.
      expect(a.length - check(a, b, match)).toBeLessThanOrEqual(edits + 20);
    },
  );

  it('of unrelated sequences is quick and says that it is coarse', () => {
    const random = (seed: number) => {
      let s = seed;
      return Uint32Array.from({ length: 300_000 }, () => {
        s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
        return (s >>> 16) % 200;
      });
    };
    const [a, b] = [random(1), random(2)];
    const began = process.cpuUsage();
    const { match, coarse } = new Aligner(200).align(a, b);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(10_000);
    check(a, b, match);
    expect(coarse).toBeGreaterThan(100_000);
  });

  it('marks a longest increasing subsequence', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 12 }), (values) => {
        const keep = increasing(Int32Array.from(values));
        const kept = values.filter((_, k) => keep[k] === 1);
        expect(kept.every((value, k) => k === 0 || kept[k - 1]! < value)).toBe(true);
        let best = 0;
        for (let mask = 0; mask < 1 << values.length; mask++) {
          const some = values.filter((_, k) => (mask >> k) & 1);
          if (some.every((value, k) => k === 0 || some[k - 1]! < value)) best = Math.max(best, some.length);
        }
        expect(kept.length).toBe(best);
      }),
      { numRuns: 200 },
    );
  });
});

describe('hash', () => {
  it('names different words differently', () => {
    const names = new Interner(16);
    const hash = new Hash64();
    for (let k = 0; k < 200_000; k++) {
      hash.start(k & 3);
      hash.add(k >>> 2);
      hash.finish();
      if (names.idOf(hash.lo, hash.hi) !== k) throw new Error(`${k} has the hash of another`);
    }
  });
});
