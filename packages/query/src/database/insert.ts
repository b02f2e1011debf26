// Fast inserts: many rows a statement, one prepared statement a table. Knows better-sqlite3 and nothing of traces.
import type Database from 'better-sqlite3';
import type { RowReader } from './row-log.ts';
import type { Sql, Table } from './table.ts';

/** Values that one statement binds, about: SQLite's parser and binder take more time than rows above that. */
const VALUES = 600;

/** Puts rows into one table. Prepares nothing before the first row: most tables of a database stay empty. */
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

  /** Begins a row: the caller puts its values into {@link values} from here on, in order and all, before the next. */
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
    // As arguments: better-sqlite3 takes half as long again to bind an array, whose elements it looks up one by one.
    this.many.run(...this.values);
    this.count = 0;
  }

  /** A statement that inserts so many rows. */
  private statement(rows: number): Database.Statement {
    const { name, columns } = this.table;
    const row = `(${columns.map(() => '?').join(',')})`;
    return this.db.prepare(
      `INSERT INTO ${name} (${columns.join(',')}) VALUES ${Array(rows).fill(row).join(',')}`,
    );
  }
}
