// Fast inserts: many rows per statement, one prepared statement per table. It knows better-sqlite3 and nothing of traces.
import type Database from 'better-sqlite3';
import type { RowReader } from './row-log.ts';
import type { Sql, Table } from './table.ts';

/** About how many values one statement binds. With more, SQLite's parser and binder take more time than the rows save. */
const VALUES = 600;

/** Inserts rows into one table. It prepares nothing before the first row, because most tables of a database stay empty. */
export class Inserter implements RowReader {
  readonly width: number;
  readonly values: Sql[];
  rows = 0;
  private readonly db: Database.Database;
  private readonly table: Table;
  private readonly capacity: number;
  private many: Database.Statement | undefined;
  private count = 0;

  constructor(db: Database.Database, table: Table) {
    this.db = db;
    this.table = table;
    this.width = table.columns.length;
    this.capacity = Math.max(1, Math.floor(VALUES / this.width));
    this.values = [];
  }

  /** Begins a row. The caller then stores all its values in {@link values}, in order, before the next row. */
  begin(): number {
    if (this.count === this.capacity) this.insertAll();
    this.rows++;
    return this.count++ * this.width;
  }

  /** Adds a row; its values are copied. */
  add(row: readonly Sql[]): void {
    const at = this.begin();
    for (let k = 0; k < this.width; k++) this.values[at + k] = row[k]!;
  }

  /** Deletes the rows whose `id` is `key` or more. */
  deleteFrom(key: number): void {
    this.flush();
    this.rows -= this.db.prepare(`DELETE FROM ${this.table.name} WHERE id >= ?`).run(key).changes;
  }

  flush(): void {
    if (this.count === this.capacity) this.insertAll();
    else if (this.count > 0) {
      this.statement(this.count).run(...this.values.slice(0, this.count * this.width));
      this.count = 0;
    }
  }

  private insertAll(): void {
    this.many ??= this.statement(this.capacity);
    // Values are passed as arguments, because better-sqlite3 takes half as long again to bind the elements of an array.
    this.many.run(...this.values);
    this.count = 0;
  }

  /** A statement that inserts this many rows. */
  private statement(rows: number): Database.Statement {
    const { name, columns } = this.table;
    const row = `(${columns.map(() => '?').join(',')})`;
    return this.db.prepare(
      `INSERT INTO ${name} (${columns.join(',')}) VALUES ${Array(rows).fill(row).join(',')}`,
    );
  }
}
