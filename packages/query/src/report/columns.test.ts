// Columns as the page unpacks them, distributions, sets of records: each against its plain meaning.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inflate, split, unpack } from '../../page/data.js';
import { Column, Packer } from './columns.ts';
import { Anchors } from './differences.ts';
import type { ReportFacts } from './facts.ts';
import { BOUNDS, bucketOf, Latencies } from './latency.ts';
import { Named } from './moments.ts';
import { page, pageData, script } from './page.ts';

const u32 = fc.oneof(fc.nat(3), fc.nat(300), fc.nat(70_000), fc.integer({ min: 0, max: 0xffff_ffff }));

describe('columns', () => {
  it('are unpacked as they were packed, table behind table', () => {
    fc.assert(
      fc.property(fc.array(fc.array(u32, { maxLength: 40 }), { minLength: 1, maxLength: 4 }), (lists) => {
        const packer = new Packer();
        const tables = lists.map((list) => {
          const column = new Column();
          for (const value of list) column.push(value);
          return packer.table({ a: column.all(), b: Uint32Array.from(list).sort() });
        });
        const bytes = new Uint8Array(packer.all());
        tables.forEach((table, k) => {
          const { a, b } = unpack(table, bytes);
          expect(Array.from(a!)).toEqual(lists[k]);
          expect(Array.from(b!)).toEqual(Array.from(Uint32Array.from(lists[k]!).sort()));
        });
      }),
    );
  });

  it('rising ones of large numbers take a byte for each', () => {
    const packer = new Packer();
    packer.table({ a: Uint32Array.from({ length: 1000 }, (_, i) => 3_000_000_000 + 50 * i) });
    expect(packer.all().length).toBeLessThanOrEqual(5000);
    const flat = new Packer();
    flat.table({ a: new Uint32Array(1000) });
    expect(flat.all().length).toBe(0);
  });

  it('go into the page and out of it', async () => {
    const facts = { version: '<b>&\u2028"', traces: [], diff: null } as unknown as ReportFacts;
    const { facts: read, columns } = split(await inflate(pageData(facts, Buffer.from([1, 2, 255]))));
    expect(read).toEqual(facts);
    expect(Array.from(columns)).toEqual([1, 2, 255]);
  });
});

describe('the page', () => {
  it('has nothing of a trace in its markup, and allows its own script only', () => {
    const facts = { version: '</script><img src=x onerror=alert(1)>', traces: [], diff: null };
    const text = [...page(facts as unknown as ReportFacts, Buffer.alloc(0))].join('');
    expect(text).not.toContain('onerror');
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text).toMatch(/default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/);
    expect(text).not.toMatch(/unsafe|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  });

  it('puts in text as text: no markup from strings anywhere in its script', () => {
    expect(script()).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/,
    );
  });
});

describe('distributions', () => {
  it('percentiles by nearest rank, and buckets that hold all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 5_000_000 }), { minLength: 1, maxLength: 200 }),
        fc.nat(3),
        (waits, untold) => {
          const latencies = new Latencies();
          for (const wait of waits) latencies.take('LPI', 'wait', 1000, 1000 + wait);
          for (let k = 0; k < untold; k++) latencies.take('LPI', 'wait', null, 5);
          const [of] = latencies.distributions();
          const sorted = waits.toSorted((a, b) => a - b);
          const rank = (p: number) => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
          expect(of).toMatchObject({
            count: waits.length,
            untold,
            negative: waits.filter((wait) => wait < 0).length,
            min: sorted[0],
            p50: rank(0.5),
            p90: rank(0.9),
            p99: rank(0.99),
            p999: rank(0.999),
            max: sorted.at(-1),
          });
          for (const [bound, n] of of!.buckets) {
            const next = BOUNDS[BOUNDS.indexOf(bound) + 1]!;
            expect(n).toBe(waits.filter((wait) => wait >= bound && wait < next).length);
          }
          const held = of!.buckets.reduce((sum, [, n]) => sum + n, 0);
          expect(held + of!.negative).toBe(waits.length);
        },
      ),
    );
  });

  it('bounds rise, and each is in its own bucket', () => {
    expect(BOUNDS.every((bound, k) => k === 0 || bound > BOUNDS[k - 1]!)).toBe(true);
    BOUNDS.forEach((bound, k) => {
      expect(bucketOf(bound)).toBe(k);
      if (k > 0) expect(bucketOf(bound - 0.5)).toBe(k - 1);
    });
  });

  it('the slowest are those, the earlier first among equals', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (waits) => {
        const latencies = new Latencies();
        waits.forEach((waitNs, record) => {
          latencies.offer({
            class: 'SPI',
            INTID: 32,
            pe: 0,
            cause: 'wire',
            pended: record,
            acknowledged: record,
            waitNs,
          });
        });
        const wanted = waits
          .map((wait, record) => [wait, record] as const)
          .sort(([a, i], [b, j]) => b - a || i - j)
          .slice(0, 10);
        expect(latencies.slowest().map((one) => [one.waitNs, one.pended])).toEqual(wanted);
      }),
    );
  });
});

it('named records have ranks', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500), { maxLength: 200 }), (records) => {
      const named = new Named(501);
      for (const record of records) named.add(record);
      named.close();
      for (let record = 0; record <= 500; record++) {
        expect(named.has(record)).toBe(records.includes(record));
        expect(named.rank(record)).toBe(records.filter((one) => one < record).length);
      }
    }),
    { numRuns: 50 },
  );
});

it('anchors are some of the pairs, rise on both sides, and are spread over all', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 300 }), (ofB) => {
      const anchors = new Anchors(16);
      ofB.forEach((b, a) => {
        anchors.offer(a, b);
      });
      const { a, b } = anchors.all();
      expect(a.length).toBeLessThan(16);
      a.forEach((record, k) => {
        expect(b[k]).toBe(ofB[record]);
        if (k > 0) expect(record > a[k - 1]! && b[k]! > b[k - 1]!).toBe(true);
      });
    }),
  );
  for (const n of [7, 15, 16, 100, 1000]) {
    const anchors = new Anchors(16);
    for (let k = 0; k < n; k++) anchors.offer(k, 3 * k);
    const { a } = anchors.all();
    expect(a.length).toBeGreaterThanOrEqual(Math.min(n, 8));
    const gaps = new Set(Array.from(a.subarray(1), (record, k) => record - a[k]!));
    expect(gaps.size).toBe(1);
    expect(n - a.at(-1)!).toBeLessThanOrEqual(2 * [...gaps][0]!);
  }
});
