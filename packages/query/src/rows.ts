// Insertion of rows in bulk: several rows a statement, parameters in one reused array. Knows SQL, not traces.

export type SqlValue = number | bigint | string | null;

/** Runs one INSERT with its parameters; the array is reused afterwards. */
export type Insert = (sql: string, parameters: readonly SqlValue[]) => void;

/** Parameters a statement: SQLite admits 32,766, and beyond a few hundred nothing is gained. */
const PARAMETERS_MAX = 800;

/** Collects the rows of one table of one trace and inserts them many at a time. */
export class RowSink {
  /** Parameters of the rows that wait; a caller fills from where {@link row} says. */
  readonly buffer: SqlValue[];
  rows = 0;
  private used = 0;
  private readonly width: number;
  private readonly insert: Insert;
  private readonly head: string;
  private readonly tuple: string;
  private readonly full: string;

  /** `trace` is the trace's id, the same in each row; `columns` are the others. */
  constructor(insert: Insert, table: string, columns: readonly string[], trace: number) {
    const perStatement = Math.max(1, Math.floor(PARAMETERS_MAX / columns.length));
    this.width = columns.length;
    this.insert = insert;
    this.head = `INSERT INTO ${table} (trace, ${columns.map((name) => `"${name}"`).join(', ')}) VALUES `;
    this.tuple = `(${trace}${', ?'.repeat(columns.length)})`;
    this.full = this.head + new Array<string>(perStatement).fill(this.tuple).join(', ');
    this.buffer = new Array<SqlValue>(perStatement * columns.length).fill(null);
  }

  /** Makes room for a row and answers where in `buffer` its first column goes. All columns must be filled. */
  row(): number {
    if (this.used === this.buffer.length) {
      this.insert(this.full, this.buffer);
      this.used = 0;
    }
    const at = this.used;
    this.used += this.width;
    this.rows++;
    return at;
  }

  /** Adds a row given whole. */
  add(values: readonly SqlValue[]): void {
    const at = this.row();
    for (let k = 0; k < this.width; k++) this.buffer[at + k] = values[k]!;
  }

  /** Inserts the rows that still wait. */
  finish(): void {
    const one = this.head + this.tuple;
    for (let at = 0; at < this.used; at += this.width) this.insert(one, this.buffer.slice(at, at + this.width));
    this.used = 0;
  }
}
