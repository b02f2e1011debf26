// Tests that edits planted in a real trace are reported exactly: the class, the record, and nothing else.
import { fileURLToPath } from 'node:url';
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { importToTrace } from '@gictrace/recorder';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch } from '../testing/synthetic.ts';
import { type AlignRow, type Diff, type DiffClass, diffTraces } from './index.ts';
import {
  CLASS_OF,
  EDITS,
  type Edit,
  type Plant,
  plant,
  random,
  readWhole,
  type Whole,
  writeWhole,
} from './plant.test-support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const recording = (name: string) =>
  fileURLToPath(new URL(`../../../../test/recordings/${name}.log.gz`, import.meta.url));

let whole: Whole;
let part: Whole;
beforeAll(async () => {
  const path = temp.path('whole.gictrace');
  await importToTrace(recording('linux-gicv3-mrops'), path, { version: 'test' });
  whole = readWhole(path);
  part = readWhole(path, 30_000);
  writeWhole(temp.path('a.gictrace'), whole);
  writeWhole(temp.path('part.gictrace'), part);
}, 60_000);

const MMIO_READ = RECORDS['mmio.read'].id;
const knowledge = (kind: number) => kind === RECORDS['mem.known'].id || kind === RECORDS['mem.unknown'].id;

/** If repeats are compared, any record may be touched. */
const any = (batch: RecordBatch, i: number) => !knowledge(batch.kind[i]!);

/**
 * If repeats are left out, an edit of what is signalled or polled changes what counts as a repeat. Only stimuli away
 * from polls are edited then.
 */
function notFolded(batch: RecordBatch, i: number): boolean {
  const kind = batch.kind[i]!;
  if (knowledge(kind) || kind === MMIO_READ || kind === RECORDS['mem.write'].id) return false;
  if (kind >= RECORDS.hppi.id && kind <= RECORDS.maintenance.id) return false;
  for (let k = Math.max(0, i - 12); k < Math.min(batch.count, i + 12); k++)
    if (batch.kind[k] === MMIO_READ && batch.words[k * RECORD_WORDS] === FRAMES.indexOf('GITS')) return false;
  return true;
}

function compare(a: string, edited: Whole, keepRepeats: boolean): { diff: Diff; rows: AlignRow[] } {
  const b = temp.path('b.gictrace');
  writeWhole(b, edited);
  const rows: AlignRow[] = [];
  const diff = diffTraces(temp.path(a), b, {
    keepRepeats,
    row: (row) => {
      if (row.class !== 'same') rows.push(row);
    },
  });
  return { diff, rows };
}

/** Each planted edit has a row, and each row a planted edit. */
function expectExactly(rows: readonly AlignRow[], plants: readonly Plant[]): void {
  const open = new Set(rows);
  const missed: Plant[] = [];
  for (const one of plants) {
    const is = (row: AlignRow) =>
      row.class === CLASS_OF[one.edit] &&
      (one.a.length > 0 ? one.a.includes(row.a ?? -1) : one.b.includes(row.b ?? -1));
    const hit = [...open].find(is);
    if (hit === undefined) missed.push(one);
    else open.delete(hit);
  }
  expect({ missed, more: [...open] }).toEqual({ missed: [], more: [] });
}

describe('planted in a whole boot', () => {
  it('a thousand edits of six classes are found, each where it is, and nothing else', () => {
    const { edited, plants } = plant(whole, random(2), 1000, 150, any);
    expect(plants.length).toBeGreaterThan(900);
    for (const edit of EDITS) expect(plants.filter((one) => one.edit === edit).length).toBeGreaterThan(100);
    const { diff, rows } = compare('a.gictrace', edited, true);
    expectExactly(rows, plants);
    expect(diff).toMatchObject({ same: false, coarse: 0 });
    expect(diff.counts.same).toBe(diff.a.compared - rows.filter((row) => row.a !== null).length);
  });

  it('edits of stimuli are found where repeats are not compared', () => {
    const { edited, plants } = plant(whole, random(3), 500, 400, notFolded);
    expect(plants.length).toBeGreaterThan(200);
    expectExactly(compare('a.gictrace', edited, false).rows, plants);
  });

  it('ten deletions are ten differences', () => {
    const { edited, plants } = plant(part, random(4), 10, 150, any, ['delete']);
    expect(plants.length).toBe(10);
    const { diff } = compare('part.gictrace', edited, true);
    expect(diff.counts).toMatchObject({
      deleted: 10,
      inserted: 0,
      changed: 0,
      'reordered-legal': 0,
      'reordered-illegal': 0,
    });
  });
});

describe('any edits of a part', () => {
  it('are found exactly', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.subarray([...EDITS], { minLength: 1 }), (seed, edits) => {
        const { edited, plants } = plant(part, random(seed), 60, 150, any, edits);
        expectExactly(compare('part.gictrace', edited, true).rows, plants);
      }),
      { numRuns: 10, seed: 5 },
    );
  });

  it('the order digest changes with every edit but times and legal swaps', () => {
    const keeps: readonly Edit[] = ['legal swap', 'shift'];
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(...EDITS), (seed, edit) => {
        const { edited, plants } = plant(part, random(seed), 1 + (seed % 5), 150, any, [edit]);
        fc.pre(plants.length > 0);
        const { diff } = compare('part.gictrace', edited, true);
        const classes = Object.entries(diff.counts).filter(([name, n]) => n > 0 && name !== 'same');
        expect(classes.map(([name]) => name as DiffClass)).toEqual([CLASS_OF[edit]]);
        expect(diff.a.orderDigest === diff.b.orderDigest).toBe(keeps.includes(edit));
      }),
      { numRuns: 12, seed: 6 },
    );
  });
});
