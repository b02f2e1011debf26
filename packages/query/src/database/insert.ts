// Fast inserts: many rows a statement, one prepared statement a table.
import type Database from 'better-sqlite3';
import type { Sql, Table } from '../sql/schema.ts';

/** Values that one statement binds, about: SQLite's parser and binder take more time than rows above that. */
const VALUES = 600;

export class Inserter {
  private readonly many: Database.Statement;
  private readonly one: Database.Statement;
  private readonly width: number;
  private readonly capacity: number;
  readonly values: Sql[];
  private count = 0;
  rows = 0;

  constructor(db: Database.Database, table: Table) {
    this.width = table.columns.length;
    this.capacity = Math.max(1, Math.floor(VALUES / this.width));
    const one = `(${table.columns.map(() => '?').join(',')})`;
    const into = `INSERT INTO ${table.name} (${table.columns.join(',')}) VALUES `;
    this.one = db.prepare(into + one);
    this.many = db.prepare(into + Array.from({ length: this.capacity }, () => one).join(','));
    this.values = new Array<Sql>(this.capacity * this.width).fill(null);
  }

  /** Begins a row: the caller puts its values into {@link values} from here on, all of them, before the next. */
  begin(): number {
    if (this.count === this.capacity) {
      this.many.run(this.values);
      this.count = 0;
    }
    this.rows++;
    return this.count++ * this.width;
  }

  /** Adds a row; its values are copied. */
  add(row: readonly Sql[]): void {
    const at = this.begin();
    for (let k = 0; k < this.width; k++) this.values[at + k] = row[k]!;
  }

  flush(): void {
    if (this.count === this.capacity) this.many.run(this.values);
    else
      for (let i = 0; i < this.count; i++)
        this.one.run(this.values.slice(i * this.width, (i + 1) * this.width));
    this.count = 0;
  }
}
