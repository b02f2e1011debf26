// The row log: whatever is put into it comes out of its blocks, on the other side of a copy to another thread.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RowBlock, RowLog, type RowReader, readBlock } from './row-log.ts';
import type { Sql } from './table.ts';

/** A table that keeps its rows; its values begin where the last row ended, as an inserter's do. */
class Kept implements RowReader {
  readonly width: number;
  readonly values: Sql[] = [];
  readonly deleted: [rows: number, from: number][] = [];

  constructor(width: number) {
    this.width = width;
  }

  get rows(): Sql[][] {
    return Array.from({ length: this.values.length / this.width }, (_, k) =>
      this.values.slice(k * this.width, (k + 1) * this.width),
    );
  }

  begin(): number {
    return this.values.length;
  }

  deleteFrom(key: number): void {
    this.deleted.push([this.rows.length, key]);
  }
}

const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 52),
);
const value: fc.Arbitrary<Sql> = fc.oneof(
  integer,
  fc.constant(null),
  fc.string({ maxLength: 5 }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.uint8Array({ maxLength: 20 }),
);
const WIDTHS = [1, 5, 22] as const;
const row = fc.integer({ min: 0, max: WIDTHS.length - 1 }).chain((table) =>
  fc.record({
    table: fc.constant(table),
    values: fc.array(value, { minLength: WIDTHS[table]!, maxLength: WIDTHS[table]! }),
  }),
);

/** Puts the rows as often as told into a log; answers what is read of its blocks, and how many there were. */
function through(rows: readonly { table: number; values: readonly Sql[] }[], times: number) {
  const readers = WIDTHS.map((width) => new Kept(width));
  let blocks = 0;
  const log = new RowLog({
    write(block: RowBlock) {
      blocks++;
      readBlock(structuredClone(block), readers);
      // What a log may not rely on: that the buffer still holds what was in it.
      new Uint8Array(block.buffer).fill(0xa5);
      return blocks % 2 === 0 ? block.buffer : new ArrayBuffer(block.buffer.byteLength);
    },
  });
  for (let n = 0; n < times; n++)
    for (const { table, values } of rows) {
      const at = log.begin(table, values.length);
      for (const [k, one] of values.entries()) log.value(at + k, one);
    }
  log.flush();
  return { readers, blocks };
}

test('rows come out as they were put in, in their order, over many blocks', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => {
      const { readers, blocks } = through(rows, 600);
      for (const [table, reader] of readers.entries()) {
        const own = rows.filter((one) => one.table === table).map(({ values }) => values);
        const all = Array.from({ length: 600 }, () => own).flat();
        expect(reader.rows).toEqual(all);
      }
      const cells = 600 * rows.reduce((sum, { values }) => sum + values.length + 1, 0);
      expect(blocks).toBeGreaterThanOrEqual(Math.ceil(cells / 2 ** 17));
    }),
    { numRuns: 15, seed: 1 },
  );
});

test('words of 32 and 64 bits are what SQLite stores of them', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.oneof(fc.nat(2 ** 32 - 1), fc.nat(2 ** 21)), (low, high) => {
      const reader = new Kept(2);
      const log = new RowLog({
        write(block) {
          readBlock(block, [reader]);
          return block.buffer;
        },
      });
      const at = log.begin(0, 2);
      log.word(at, low);
      log.doubleword(at + 1, low, high);
      log.flush();
      expect(reader.values[0]).toBe(low);
      expect(BigInt(reader.values[1] as number | bigint)).toBe(
        BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)),
      );
    }),
  );
});

test('rows are deleted of those that came before', () => {
  const readers = [new Kept(1), new Kept(1)];
  const log = new RowLog({
    write(block) {
      readBlock(block, readers);
      return block.buffer;
    },
  });
  log.value(log.begin(1, 1), 7);
  log.deleteFrom(1, 2 ** 41 + 3);
  log.deleteFrom(0, 5);
  log.value(log.begin(1, 1), 8);
  log.flush();
  expect(readers.map(({ deleted, values }) => [deleted, values])).toEqual([
    [[[0, 5]], []],
    [[[1, 2 ** 41 + 3]], [7, 8]],
  ]);
});

test('large texts do not pile up: a block is handed on', () => {
  const { blocks } = through(
    [
      { table: 0, values: ['x'.repeat(2 ** 19)] },
      { table: 0, values: ['y'.repeat(2 ** 19)] },
    ],
    4,
  );
  expect(blocks).toBeGreaterThan(2);
});
