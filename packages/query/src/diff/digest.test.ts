// Tests the order digest: the same for all legal interleavings of a trace, and a different one for every illegal swap.
import { fileURLToPath } from 'node:url';
import { RecordBatch } from '@gictrace/core/record';
import { importToTrace } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch } from '../testing/synthetic.ts';
import { CLASS_NAMES } from './classes.ts';
import { classify } from './classify.ts';
import { orderDigest } from './digest.ts';
import { Footprints } from './footprints.ts';
import { Normaliser } from './normaliser.ts';
import { Oracle, random, readWhole, type Whole } from './plant.test-support.ts';
import { Side } from './side.ts';
import { Names } from './subject.ts';

const temp = scratch();
afterAll(() => temp.dispose());

let whole: Whole;
beforeAll(async () => {
  const log = fileURLToPath(new URL('../../../../test/recordings/linux-gicv3-mrops.log.gz', import.meta.url));
  await importToTrace(log, temp.path('a.gictrace'), { version: 'test' });
  whole = readWhole(temp.path('a.gictrace'));
}, 60_000);

/** `n` records from `from` on that PEs, devices and the ITS made concurrently. */
function slice(from: number, n: number): RecordBatch {
  const out = new RecordBatch(n);
  // Without records of what is known of memory, which are not compared and would move all places.
  for (let i = from; i < whole.batch.count && !out.full; i++)
    if (whole.batch.kind[i] !== 6 && whole.batch.kind[i] !== 7) out.copy(whole.batch, i);
  return out;
}

function inOrder(batch: RecordBatch, order: readonly number[]): RecordBatch {
  const out = new RecordBatch(order.length);
  for (const i of order) out.copy(batch, i);
  return out;
}

const names = new Names();
const sideOf = (batch: RecordBatch, footprints: Footprints): Side => {
  const side = new Side(batch.count);
  new Normaliser(side, names, footprints, { keepRepeats: true, events: false }).take(batch, 0);
  side.compact();
  return side;
};
const digestOf = (batch: RecordBatch) => {
  const footprints = new Footprints(whole.header.config, { told: true, commands: true });
  return orderDigest(sideOf(batch, footprints), footprints);
};

const N = 160;

describe('legal interleavings', () => {
  // Where the boot's messages arrive, where the PEs start, and a part of its normal operation.
  it.each([44_100, 3000, 100_000, 180_000])('a thousand of records %i on have one digest', (from) => {
    const next = random(from);
    const digests = new Set<string>();
    let order = Array.from({ length: N }, (_, k) => k);
    const batch = slice(from, N);
    const orders = new Set<string>();
    let swapped = 0;
    for (let round = 0; round < 250; round++) {
      for (let tries = 0; tries < 6; tries++) {
        const k = next(N - 1);
        const now = inOrder(batch, order);
        const oracle = new Oracle(whole.header.config, now);
        if (oracle.dependent(k, k + 1) || !oracle.causesStay(k)) continue;
        order = [...order];
        [order[k], order[k + 1]] = [order[k + 1]!, order[k]!];
        swapped++;
      }
      orders.add(order.join());
      digests.add(digestOf(inOrder(batch, order)));
    }
    expect(digests.size).toBe(1);
    expect(swapped).toBeGreaterThan(100);
    expect(orders.size).toBeGreaterThan(60);
    // The comparison does not call any of it illegal either.
    const footprints = new Footprints(whole.header.config, { told: true, commands: true });
    const [a, b] = [sideOf(batch, footprints), sideOf(inOrder(batch, order), footprints)];
    const { classA } = classify(a, b, names.streams.length, footprints);
    const found = new Map<string, number>();
    for (const name of classA) found.set(CLASS_NAMES[name]!, (found.get(CLASS_NAMES[name]!) ?? 0) + 1);
    expect([...found.keys()].filter((name) => !['same', 'timing', 'reordered-legal'].includes(name))).toEqual(
      [],
    );
    expect(found.get('reordered-legal')).toBeGreaterThan(0);
  });
});

describe('illegal swaps', () => {
  it('each of a thousand changes the digest', () => {
    const next = random(9);
    let swaps = 0;
    const kept: number[] = [];
    while (swaps < 1000) {
      const from = next(whole.batch.count - 24);
      const batch = slice(from, 24);
      const oracle = new Oracle(whole.header.config, batch);
      const before = digestOf(batch);
      const { lo, hi } = sideOf(batch, new Footprints(whole.header.config, { told: true, commands: true }));
      for (let k = 0; k + 1 < batch.count && swaps < 1000; k++) {
        // Two records that are the same when compared, so that there is nothing to swap.
        if (!oracle.dependent(k, k + 1) || (lo[k] === lo[k + 1] && hi[k] === hi[k + 1])) continue;
        const order = Array.from({ length: batch.count }, (_, i) => (i === k ? k + 1 : i === k + 1 ? k : i));
        swaps++;
        if (digestOf(inOrder(batch, order)) === before) kept.push(k);
      }
    }
    expect(kept).toEqual([]);
  });
});
