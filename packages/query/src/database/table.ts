// The declaration of a database table, and its DDL.
import type { Column, Columns } from './columns.ts';

/** SQLite's application_id of databases that gictrace makes: "GICT". */
export const APPLICATION_ID = 0x47494354;
export const SCHEMA_VERSION = 7;

/** A value that can be bound in SQLite. */
export type Sql = number | bigint | string | Uint8Array | null;

/** A table, as plain data that can be sent to another thread. */
export interface Table {
  readonly name: string;
  /** Names as in SQL, quoted if necessary, in the order of a row's values. */
  readonly columns: readonly string[];
  readonly ddl: string;
}
export type ColumnType = Pick<Column, 'type' | 'nullable'>;
/** A table whose columns have declarations. */
export interface TypedTable extends Table {
  /** The type of each column, and whether it may be null. */
  readonly types: readonly ColumnType[];
}

const TYPES: Readonly<Record<Column['type'], string>> = {
  integer: 'INTEGER',
  small: 'INTEGER',
  text: 'TEXT',
  bytes: 'BLOB',
};

/** A table with these columns. `primaryKey` is one column, or several separated by commas. */
export function tableOf(name: string, columns: Columns, primaryKey?: string): TypedTable {
  const list = Object.entries(columns).map(([column, { type, nullable }]) => {
    const key = column === primaryKey ? ' PRIMARY KEY' : nullable ? '' : ' NOT NULL';
    return `"${column}" ${TYPES[type]}${key}`;
  });
  if (primaryKey !== undefined && !Object.hasOwn(columns, primaryKey))
    list.push(`PRIMARY KEY (${primaryKey})`);
  return {
    name,
    columns: Object.keys(columns).map((column) => `"${column}"`),
    types: Object.values(columns).map(({ type, nullable }) => ({ type, nullable })),
    ddl: `CREATE TABLE ${name} (${list.join(', ')}) STRICT`,
  };
}
