// What a table of a database is, and how its declaration becomes DDL.
import type { Column, Columns } from './columns.ts';

/** Marks a database as ours (SQLite's application_id): "GICT". */
export const APPLICATION_ID = 0x47494354;
export const SCHEMA_VERSION = 5;

/** What a value of SQLite can be bound from. */
export type Sql = number | bigint | string | Uint8Array | null;

/** A table: plain data, which can be sent to another thread. */
export interface Table {
  readonly name: string;
  /** Names as SQL has them, in quotes where needed, in the order of a row's values. */
  readonly columns: readonly string[];
  readonly ddl: string;
}

const TYPES: Readonly<Record<Column['type'], string>> = { integer: 'INTEGER', text: 'TEXT', bytes: 'BLOB' };

/** A table with these columns. `primaryKey`: one column, or several with commas between. */
export function tableOf(name: string, columns: Columns, primaryKey?: string): Table {
  const list = Object.entries(columns).map(([column, { type, nullable }]) => {
    const key = column === primaryKey ? ' PRIMARY KEY' : nullable ? '' : ' NOT NULL';
    return `"${column}" ${TYPES[type]}${key}`;
  });
  if (primaryKey !== undefined && !Object.hasOwn(columns, primaryKey))
    list.push(`PRIMARY KEY (${primaryKey})`);
  return {
    name,
    columns: Object.keys(columns).map((column) => `"${column}"`),
    ddl: `CREATE TABLE ${name} (${list.join(', ')}) STRICT`,
  };
}
