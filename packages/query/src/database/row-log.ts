// Rows of several tables, one after another, in a buffer that can be passed to another thread: a header, and a cell of 64
// bits for each value. The code that fills it need not know how and where rows are inserted.
//
//   header   low word: number of the table; high word: 0 for a row, 1 to delete rows (one cell: the first key to delete)
//   cell     high word 0: the low word is a signed integer of 32 bits
//            high word -1: null
//            high word -2: the low word is an index into `others`
//            any other: the cell is a float64, whose high word is none of these unless it is NaN or subnormal
import type { Sql } from './table.ts';

const isLittleEndian = new Uint32Array(new Float64Array([1]).buffer)[0] === 0;
/** The positions of the low and the high word in a cell. */
const LOW = isLittleEndian ? 0 : 1;
const HIGH = 1 - LOW;
const DELETE = 1;
const NULL = -1;
const OTHER = -2;

/** Cells of a block, which has one megabyte. */
const CELLS = 2 ** 17;
/** About how many bytes of texts and blobs a block may have before it is passed on. */
const OTHER_BYTES_MAX = 2 ** 20;
/** The most cells of a row, including its header. */
const ROW_MAX = 64;

/** A part of a log, as it is passed on. */
export interface RowBlock {
  readonly buffer: ArrayBuffer;
  /** The number of cells in use. */
  readonly length: number;
  /** Values that are not numbers below 2^53. */
  readonly others: readonly Sql[];
}

/** Takes the blocks of a log. */
export interface RowSink {
  /** Takes a block and returns the buffer for the next one: the same buffer if it is no longer needed, or another. */
  write(block: RowBlock): ArrayBuffer;
}

/** The buffer of a block. */
export function blockBuffer(): ArrayBuffer {
  return new ArrayBuffer(CELLS * 8);
}

export class RowLog {
  private readonly sink: RowSink;
  private ints: Int32Array;
  private floats: Float64Array;
  private length = 0;
  private others: Sql[] = [];
  private otherBytes = 0;
  /** The index of each text in `others`. */
  private readonly texts = new Map<string, number>();

  constructor(sink: RowSink) {
    this.sink = sink;
    const buffer = blockBuffer();
    this.ints = new Int32Array(buffer);
    this.floats = new Float64Array(buffer);
  }

  /** Begins a row of `width` values, all of which the caller must store. Returns the cell of the first value. */
  begin(table: number, width: number): number {
    return this.header(table, 0, width);
  }

  /** Deletes earlier rows whose `id` is `from` or more. */
  deleteFrom(table: number, from: number): void {
    this.integer(this.header(table, DELETE, 1), from);
  }

  /** Stores an integer below 2^53. */
  integer(cell: number, value: number): void {
    if ((value | 0) === value) {
      this.ints[2 * cell + LOW] = value;
      this.ints[2 * cell + HIGH] = 0;
    } else this.floats[cell] = value;
  }

  nothing(cell: number): void {
    this.ints[2 * cell + HIGH] = NULL;
  }

  /** Stores an unsigned word of 32 bits. */
  word(cell: number, value: number): void {
    if (value < 0x8000_0000) {
      this.ints[2 * cell + LOW] = value;
      this.ints[2 * cell + HIGH] = 0;
    } else this.floats[cell] = value;
  }

  /** Stores a word of 64 bits, as a signed integer of SQLite. */
  doubleword(cell: number, low: number, high: number): void {
    if (high === 0) this.word(cell, low);
    else if (high < 0x20_0000) this.floats[cell] = high * 2 ** 32 + low;
    else this.other(cell, BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)), 8);
  }

  value(cell: number, value: Sql): void {
    if (value === null) this.nothing(cell);
    else if (typeof value === 'number') this.integer(cell, value);
    else if (typeof value === 'string') this.text(cell, value);
    else this.other(cell, value, typeof value === 'bigint' ? 8 : value.length);
  }

  /** Passes the current block on. */
  flush(): void {
    if (this.length === 0) return;
    const { length, others } = this;
    const buffer = this.sink.write({ buffer: this.ints.buffer as ArrayBuffer, length, others });
    if (buffer !== this.ints.buffer) {
      this.ints = new Int32Array(buffer);
      this.floats = new Float64Array(buffer);
    }
    this.length = 0;
    this.others = [];
    this.otherBytes = 0;
    this.texts.clear();
  }

  private header(table: number, what: number, width: number): number {
    if (this.length + ROW_MAX > CELLS || this.otherBytes > OTHER_BYTES_MAX) this.flush();
    const at = this.length;
    this.length = at + 1 + width;
    this.ints[2 * at + LOW] = table;
    this.ints[2 * at + HIGH] = what;
    return at + 1;
  }

  private text(cell: number, value: string): void {
    const at = this.texts.get(value);
    if (at === undefined) {
      this.texts.set(value, this.others.length);
      this.other(cell, value, 2 * value.length);
    } else this.refer(cell, at);
  }

  private other(cell: number, value: Sql, bytes: number): void {
    this.otherBytes += bytes;
    this.refer(cell, this.others.push(value) - 1);
  }

  private refer(cell: number, index: number): void {
    this.ints[2 * cell + LOW] = index;
    this.ints[2 * cell + HIGH] = OTHER;
  }
}

/** What a reader of blocks does with the rows of one table. */
export interface RowReader {
  readonly width: number;
  /** The values of some rows. A row begins at the index that {@link begin} returns. */
  readonly values: Sql[];
  begin(): number;
  deleteFrom(key: number): void;
}

/** A block as its cells, for readers that take them one by one. */
export interface Cells {
  /** The same memory twice: cell n is at 2n + LOW_WORD and 2n + HIGH_WORD of `ints`, and at n of `floats`. */
  readonly ints: Int32Array;
  readonly floats: Float64Array;
  readonly others: readonly Sql[];
}
export const LOW_WORD = LOW;
export const HIGH_WORD = HIGH;
/** The high words of cells that are no float64. */
export const CELL_FORMS = { integer: 0, null: NULL, other: OTHER } as const;

/** What such a reader does with the rows of one table. */
export interface CellReader {
  readonly width: number;
  /** Takes the row whose first value is in `cell`. */
  row(cells: Cells, cell: number): void;
  deleteFrom(key: number): void;
}

/** Passes each row of a block to the reader of its table. */
export function readBlock({ buffer, length, others }: RowBlock, readers: readonly RowReader[]): void {
  const ints = new Int32Array(buffer);
  const floats = new Float64Array(buffer);
  let cell = 0;
  while (cell < length) {
    const reader = readers[ints[2 * cell + LOW]!]!;
    const what = ints[2 * cell + HIGH]!;
    cell++;
    if (what === DELETE) {
      const key = ints[2 * cell + HIGH] === 0 ? ints[2 * cell + LOW]! : floats[cell]!;
      reader.deleteFrom(key);
      cell++;
      continue;
    }
    const { values, width } = reader;
    let to = reader.begin();
    for (const end = cell + width; cell < end; cell++, to++) {
      const high = ints[2 * cell + HIGH]!;
      if (high === 0) values[to] = ints[2 * cell + LOW]!;
      else if (high === NULL) values[to] = null;
      else if (high === OTHER) values[to] = others[ints[2 * cell + LOW]!]!;
      else values[to] = floats[cell]!;
    }
  }
}

/** Passes the cells of each row of a block to the reader of its table. */
export function readCells({ buffer, length, others }: RowBlock, readers: readonly CellReader[]): void {
  const ints = new Int32Array(buffer);
  const floats = new Float64Array(buffer);
  const cells: Cells = { ints, floats, others };
  for (let cell = 0; cell < length; ) {
    const reader = readers[ints[2 * cell + LOW]!]!;
    const isRow = ints[2 * cell + HIGH]! !== DELETE;
    cell++;
    if (isRow) {
      reader.row(cells, cell);
      cell += reader.width;
    } else {
      reader.deleteFrom(ints[2 * cell + HIGH] === 0 ? ints[2 * cell + LOW]! : floats[cell]!);
      cell++;
    }
  }
}
