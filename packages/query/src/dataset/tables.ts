// How the tables of a database of traces become tables of a dataset: the same names and columns, except that a row is keyed
// by its trace's partition and its record's number, where a database packs both into `id`.
import type { TypedTable } from '../database/table.ts';
import { DERIVED_TABLES, RECORDS_PER_TRACE } from '../sql/derived-tables.ts';
import { TABLES } from '../sql/schema.ts';
import type { ParquetColumn } from './parquet-table.ts';

/** Trace numbers start from 1, and an export loads one trace: this is where its keys start. */
const FIRST_KEY = RECORDS_PER_TRACE;

export interface DatasetTable {
  readonly name: string;
  /** Values in a row of the loader. */
  readonly width: number;
  /** `record`: it has a record number in place of `id`; `trace`: rows belong to a trace; `names`: to none. */
  readonly key: 'record' | 'trace' | 'names';
  readonly columns: readonly ParquetColumn[];
}

/** Tables of names, which all traces share. */
const NAMES: ReadonlySet<string> = new Set(
  (['checks', 'registers', 'sysregs', 'rules'] as const).map((name) => DERIVED_TABLES[name].table.name),
);
/** The states that gic_state starts from: a cache, which belongs to the trace's file. */
const LEFT_OUT = DERIVED_TABLES.states.table.name;

const TYPES = { integer: 'int64', small: 'int32', text: 'text', bytes: 'bytes' } as const;

function datasetTable({ name, columns, types }: TypedTable): DatasetTable {
  const names = columns.map((quoted) => quoted.slice(1, -1));
  const key = NAMES.has(name) ? 'names' : names[0] === 'id' ? 'record' : 'trace';
  const kept = names.flatMap((column, at): ParquetColumn[] => {
    const { type, nullable } = types[at]!;
    if (column === 'id') return [{ name: 'record', type: 'int64', nullable: false, at, minus: FIRST_KEY }];
    return column === 'trace' ? [] : [{ name: column, type: TYPES[type], nullable, at }];
  });
  return { name, width: names.length, key, columns: kept };
}

/** The tables of a dataset, by the numbers that the loader's rows have; undefined for a table that is left out. */
export const DATASET_TABLES: readonly (DatasetTable | undefined)[] = TABLES.map((table) =>
  table.name === LEFT_OUT ? undefined : datasetTable(table),
);
