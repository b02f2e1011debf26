// The values of one column that wait for their row group, in typed arrays: a column of a million integers is no million
// objects. It knows no file format.
import { CELL_FORMS, type Cells, HIGH_WORD, LOW_WORD } from '../database/row-log.ts';
import type { Sql } from '../database/table.ts';

/** What the Parquet library takes as a column. */
export type ColumnData = Int32Array | (number | bigint | string | Uint8Array | null)[];

/** Takes the cells of a column. A row is at the same index in all columns of a table. */
export interface ColumnStore {
  put(row: number, cells: Cells, cell: number): void;
  /** The first `count` values, in an order if one is given. */
  data(count: number, order: Uint32Array | undefined): ColumnData;
  clear(): void;
}

const FIRST_ROWS = 256;

/** Integers below 2^53, other 64-bit integers, and nulls. */
export class IntegerStore implements ColumnStore {
  private values = new Float64Array(FIRST_ROWS);
  /** 1: the value is null. */
  private isNull = new Uint8Array(FIRST_ROWS);
  private nulls = 0;
  private areInt32 = true;
  private wide: Map<number, bigint> | undefined;
  private readonly minus: number;

  /** @param minus subtracted from each value */
  constructor(minus = 0) {
    this.minus = minus;
  }

  put(row: number, cells: Cells, cell: number): void {
    if (row >= this.values.length) this.grow(row);
    const form = cells.ints[2 * cell + HIGH_WORD]!;
    const low = cells.ints[2 * cell + LOW_WORD]!;
    if (form === CELL_FORMS.null) {
      this.isNull[row] = 1;
      this.nulls++;
    } else if (form === CELL_FORMS.other) {
      this.wide ??= new Map();
      this.wide.set(row, cells.others[low] as bigint);
    } else {
      const value = (form === CELL_FORMS.integer ? low : cells.floats[cell]!) - this.minus;
      this.values[row] = value;
      if (value !== (value | 0)) this.areInt32 = false;
    }
  }

  /** The value at a row, for sorting. */
  at(row: number): number {
    return this.values[row]!;
  }

  data(count: number, order: Uint32Array | undefined): ColumnData {
    if (this.nulls === count) return new Array<null>(count).fill(null);
    const isNarrow = this.areInt32 && this.wide === undefined;
    if (this.nulls > 0) return this.withNulls(count, order, isNarrow);
    const { values } = this;
    if (isNarrow) {
      const all = new Int32Array(count);
      if (order === undefined) for (let k = 0; k < count; k++) all[k] = values[k]!;
      else for (let k = 0; k < count; k++) all[k] = values[order[k]!]!;
      return all;
    }
    // An array of objects: each read of a BigInt64Array makes a new one.
    const all = new Array<bigint>(count);
    for (let k = 0; k < count; k++) {
      const row = order === undefined ? k : order[k]!;
      all[k] = this.wide?.get(row) ?? BigInt(values[row]!);
    }
    return all;
  }

  clear(): void {
    this.areInt32 = true;
    if (this.nulls > 0) this.isNull.fill(0);
    this.nulls = 0;
    this.wide = undefined;
  }

  private withNulls(count: number, order: Uint32Array | undefined, isNarrow: boolean): ColumnData {
    const { values, isNull, wide } = this;
    const all = new Array<number | bigint | null>(count);
    for (let k = 0; k < count; k++) {
      const row = order === undefined ? k : order[k]!;
      if (isNull[row] === 1) all[k] = null;
      else all[k] = isNarrow ? values[row]! : (wide?.get(row) ?? BigInt(values[row]!));
    }
    return all;
  }

  private grow(row: number): void {
    const rows = Math.max(2 * this.values.length, row + 1);
    const values = new Float64Array(rows);
    values.set(this.values);
    this.values = values;
    const isNull = new Uint8Array(rows);
    isNull.set(this.isNull);
    this.isNull = isNull;
  }
}

/** Texts, and bytes. */
export class OtherStore implements ColumnStore {
  private values: Sql[] = [];

  put(row: number, cells: Cells, cell: number): void {
    const isNull = cells.ints[2 * cell + HIGH_WORD] === CELL_FORMS.null;
    this.values[row] = isNull ? null : cells.others[cells.ints[2 * cell + LOW_WORD]!]!;
  }

  data(count: number, order: Uint32Array | undefined): ColumnData {
    const all = new Array<string | Uint8Array | null>(count);
    for (let k = 0; k < count; k++)
      all[k] = this.values[order === undefined ? k : order[k]!] as string | Uint8Array | null;
    return all;
  }

  clear(): void {
    this.values = [];
  }
}
