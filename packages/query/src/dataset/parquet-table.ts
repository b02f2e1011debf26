// Writes the rows of one table to a Parquet file: rows are collected in columns, which are written as a row group when there
// are enough rows. It knows no layout of a dataset and no trace.
import { OutputFile, type Ownership } from '@gictrace/recorder/output';
import { ByteWriter, ParquetWriter, type Writer } from 'hyparquet-writer';
import type { CellReader, Cells } from '../database/row-log.ts';
import { type ColumnStore, IntegerStore, OtherStore } from './column-store.ts';

/** Rows of a row group. */
const GROUP_ROWS = 65_536;
const CREATED_BY = 'gictrace';

const PARQUET: Ownership = {
  what: 'a Parquet file',
  recognises: (head) => head.toString('latin1', 0, 4) === 'PAR1',
};

/** A column of a Parquet file, and where its values are in a row. */
export interface ParquetColumn {
  readonly name: string;
  /** `int32`: every value fits; `int64`: any integer. */
  readonly type: 'int32' | 'int64' | 'text' | 'bytes';
  readonly nullable: boolean;
  /** The index of the value in a row. */
  readonly at: number;
  /** Subtracted from each value: the start of the trace's keys, so that the column has record numbers. */
  readonly minus?: number;
}

const TYPES = {
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  bytes: { type: 'BYTE_ARRAY' },
} as const;

interface OpenFile {
  readonly out: OutputFile;
  readonly parquet: ParquetWriter;
  readonly writer: Drain;
}

export class ParquetTable implements CellReader {
  readonly width: number;
  /** Rows so far. */
  rows = 0;
  private readonly path: () => string;
  private readonly columns: readonly ParquetColumn[];
  private readonly stores: readonly ColumnStore[];
  /** The column by which the rows of a group are sorted. */
  private readonly key: IntegerStore | undefined;
  private count = 0;
  private file: OpenFile | undefined;

  /**
   * @param width values in a row
   * @param path called when the file is created
   */
  constructor(width: number, columns: readonly ParquetColumn[], path: () => string) {
    this.width = width;
    this.columns = columns;
    this.path = path;
    this.stores = columns.map(({ type, minus }) =>
      type === 'int32' || type === 'int64' ? new IntegerStore(minus) : new OtherStore(),
    );
    const key = columns.findIndex(({ name }) => name === 'record');
    this.key = key < 0 || columns[key]!.nullable ? undefined : (this.stores[key] as IntegerStore);
  }

  /** Values that wait to be written. */
  get waiting(): number {
    return this.count * this.width;
  }

  row(cells: Cells, cell: number): void {
    if (this.count === GROUP_ROWS) this.flush();
    const { stores, columns, count } = this;
    for (let k = 0; k < stores.length; k++) stores[k]!.put(count, cells, cell + columns[k]!.at);
    this.count++;
    this.rows++;
  }

  /** The loader deletes rows only from the start of a trace on, and a file has one trace: all rows go. */
  deleteFrom(): void {
    this.discard();
    this.clear();
    this.rows = 0;
  }

  /** Writes the rows that wait as a row group. */
  flush(): void {
    if (this.count === 0) return;
    this.file ??= this.create();
    const order = this.order();
    this.file.parquet.write({
      rowGroupSize: GROUP_ROWS,
      // One page for each column of a row group.
      pageSize: 0,
      columnData: this.columns.map(({ name, type }, k) => {
        const data = this.stores[k]!.data(this.count, order) as unknown[];
        return {
          name,
          data,
          ...(type === 'int32' || type === 'int64' ? { encoding: 'DELTA_BINARY_PACKED' as const } : {}),
          // Readers skip row groups by these; in other columns, the range of a row group excludes next to nothing.
          statistics: name === 'record',
        };
      }),
    });
    this.file.writer.drain();
    this.clear();
  }

  /**
   * Writes the end of the file and gives it its name. Returns its path, or undefined if there are no rows. The caller makes
   * it durable.
   */
  commit(): string | undefined {
    this.flush();
    if (this.file === undefined) return undefined;
    const { out, parquet, writer } = this.file;
    parquet.finish();
    writer.drain();
    out.commitUnsynced();
    this.file = undefined;
    return out.path;
  }

  discard(): void {
    this.file?.out.discard();
    this.file = undefined;
  }

  private clear(): void {
    for (const store of this.stores) store.clear();
    this.count = 0;
  }

  private create(): OpenFile {
    const out = new OutputFile(this.path(), PARQUET);
    const writer = new Drain(out);
    const schema = [
      { name: 'root', num_children: this.columns.length },
      ...this.columns.map(({ name, type, nullable }) => ({
        name,
        repetition_type: nullable ? ('OPTIONAL' as const) : ('REQUIRED' as const),
        ...TYPES[type],
      })),
    ];
    return { out, writer, parquet: new ParquetWriter({ writer, schema, createdBy: CREATED_BY }) };
  }

  /** The order in which the rows that wait are written; undefined if it is that in which they came. */
  private order(): Uint32Array | undefined {
    const { key, count } = this;
    if (key === undefined) return undefined;
    let row = 1;
    while (row < count && key.at(row - 1) <= key.at(row)) row++;
    if (row >= count) return undefined;
    return Uint32Array.from({ length: count }, (_, k) => k).sort((a, b) => key.at(a) - key.at(b) || a - b);
  }
}

/** A writer of the Parquet library that passes its bytes on to an output. */
class Drain extends ByteWriter implements Writer {
  private readonly out: OutputFile;

  constructor(out: OutputFile) {
    super(1 << 16);
    this.out = out;
  }

  drain(): void {
    this.out.write(new Uint8Array(this.buffer, 0, this.index));
    this.index = 0;
  }
}
