// How the tables of a dataset are declared in other engines, from the same declarations as the files.
import { DATASET_TABLES, type DatasetTable } from './tables.ts';

export const DDL_ENGINES = ['clickhouse', 'spark', 'trino'] as const;
export type DdlEngine = (typeof DDL_ENGINES)[number];

const TYPES = {
  clickhouse: { int32: 'Int32', int64: 'Int64', text: 'String', bytes: 'String' },
  spark: { int32: 'INT', int64: 'BIGINT', text: 'STRING', bytes: 'BINARY' },
  trino: { int32: 'INTEGER', int64: 'BIGINT', text: 'VARCHAR', bytes: 'VARBINARY' },
} as const;
/** The column of the partition. */
const TRACE = 'trace';

/** A name between the quotes of the engine, since some names are words of SQL. */
const quoted = (engine: DdlEngine, name: string) => (engine === 'trino' ? `"${name}"` : `\`${name}\``);
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

function columnsOf(engine: DdlEngine, { columns }: DatasetTable): string[] {
  return columns.map(({ name, type, nullable }) => {
    const sql = TYPES[engine][type];
    const full = engine === 'clickhouse' && nullable ? `Nullable(${sql})` : sql;
    return `${quoted(engine, name)} ${full}`;
  });
}

function declaration(engine: DdlEngine, table: DatasetTable, place: string): string {
  const { name, key } = table;
  const folder = `${place}/table=${name}`;
  const isPartitioned = key !== 'names';
  const list = (columns: readonly string[]) => columns.map((column) => `  ${column}`).join(',\n');
  const columns = columnsOf(engine, table);
  const partition = `${quoted(engine, TRACE)} ${TYPES[engine].text}`;
  switch (engine) {
    case 'clickhouse': {
      const files = `${folder}/${isPartitioned ? 'trace=*/rows' : 'names'}.parquet`;
      const reader = /^https?:/.test(place) ? 's3' : 'file';
      const structure = literal(columns.join(', '));
      const trace = isPartitioned ? "extract(_path, 'trace=([0-9a-f]+)') AS `trace`, " : '';
      return `CREATE VIEW ${quoted(engine, name)} AS SELECT ${trace}* FROM ${reader}(${literal(files)}, 'Parquet', ${structure});`;
    }
    case 'spark': {
      const head = `CREATE TABLE ${quoted(engine, name)} (\n${list(isPartitioned ? [...columns, partition] : columns)}\n) USING PARQUET`;
      if (!isPartitioned) return `${head} LOCATION ${literal(folder)};`;
      return `${head} PARTITIONED BY (${quoted(engine, TRACE)}) LOCATION ${literal(folder)};\nMSCK REPAIR TABLE ${quoted(engine, name)};`;
    }
    case 'trino': {
      const head = `CREATE TABLE ${quoted(engine, name)} (\n${list(isPartitioned ? [...columns, partition] : columns)}\n)`;
      const with_ = [`external_location = ${literal(folder)}`, "format = 'PARQUET'"];
      if (!isPartitioned) return `${head} WITH (${with_.join(', ')});`;
      return `${head} WITH (${with_.join(', ')}, partitioned_by = ARRAY['${TRACE}']);\nCALL system.sync_partition_metadata(current_schema, ${literal(name)}, 'ADD');`;
    }
  }
}

/** The names of all tables of a dataset. */
export const DATASET_TABLE_NAMES: readonly string[] = DATASET_TABLES.flatMap((table) =>
  table === undefined ? [] : [table.name],
);

/**
 * Statements that declare tables of the dataset at `place`, a folder or URL as the engine names it.
 * @param names of the tables
 */
export function datasetDdl(engine: DdlEngine, place: string, names: readonly string[]): string {
  const wanted = new Set(names);
  return DATASET_TABLES.flatMap((table) =>
    table === undefined || !wanted.has(table.name)
      ? []
      : [declaration(engine, table, place.replace(/\/+$/, ''))],
  ).join('\n');
}
