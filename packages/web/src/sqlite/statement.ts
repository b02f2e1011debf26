// A prepared statement, with the methods of better-sqlite3 that gictrace uses.

import { Buffer } from 'buffer';
import type { Sqlite3 } from './module.ts';

export type Value = number | bigint | string | Uint8Array | null;

const [INTEGER, FLOAT, TEXT, BLOB] = [1, 2, 3, 4];
const [ROW, DONE] = [100, 101];
/** SQLITE_TRANSIENT: SQLite copies what is bound. */
const TRANSIENT = -1;

export interface Owner {
  readonly sqlite3: Sqlite3;
  readonly pointer: number;
  safeIntegers: boolean;
  /** The error of a connection after a function has returned `rc`. */
  error(rc: number): unknown;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Statement {
  readonly reader: boolean;
  readonly readonly: boolean;
  private readonly owner: Owner;
  private readonly pointer: number;
  private readonly x: Sqlite3['wasm']['exports'];
  private isRaw = false;
  private isSafe: boolean;

  constructor(owner: Owner, pointer: number) {
    this.owner = owner;
    this.pointer = pointer;
    this.x = owner.sqlite3.wasm.exports;
    this.reader = this.x.sqlite3_column_count!(pointer) > 0;
    this.readonly = this.x.sqlite3_stmt_readonly!(pointer) !== 0;
    this.isSafe = owner.safeIntegers;
  }

  raw(on = true): this {
    this.isRaw = on;
    return this;
  }

  safeIntegers(on = true): this {
    this.isSafe = on;
    return this;
  }

  columns(): { readonly name: string }[] {
    const { capi } = this.owner.sqlite3;
    const count = this.x.sqlite3_column_count!(this.pointer);
    return Array.from({ length: count }, (_, k) => ({
      name: capi.sqlite3_column_name(this.pointer, k),
    }));
  }

  run(...values: readonly Value[]): { readonly changes: number } {
    this.bind(values);
    this.step();
    this.reset();
    return { changes: this.x.sqlite3_changes!(this.owner.pointer) };
  }

  get(...values: readonly Value[]): unknown {
    for (const row of this.iterate(...values)) return row;
    return undefined;
  }

  all(...values: readonly Value[]): unknown[] {
    return [...this.iterate(...values)];
  }

  *iterate(...values: readonly Value[]): Generator<unknown> {
    this.bind(values);
    const names = this.columns().map(({ name }) => name);
    try {
      while (this.step()) {
        const row = names.map((_, k) => this.cell(k));
        yield this.isRaw ? row : Object.fromEntries(names.map((name, k) => [name, row[k]]));
      }
    } finally {
      this.reset();
    }
  }

  /** Whether there is a row. */
  private step(): boolean {
    const rc = this.x.sqlite3_step!(this.pointer);
    if (rc === ROW) return true;
    if (rc === DONE) return false;
    const error = this.owner.error(rc);
    this.reset();
    throw error;
  }

  private reset(): void {
    this.x.sqlite3_reset!(this.pointer);
  }

  private cell(k: number): Value {
    const { x, pointer } = this;
    switch (x.sqlite3_column_type!(pointer, k)) {
      case INTEGER: {
        const value = x.sqlite3_column_int64!(pointer, k) as unknown as bigint;
        return this.isSafe ? value : Number(value);
      }
      case FLOAT:
        return x.sqlite3_column_double!(pointer, k);
      case TEXT: {
        const at = x.sqlite3_column_text!(pointer, k);
        return decoder.decode(this.heap(at, x.sqlite3_column_bytes!(pointer, k)));
      }
      case BLOB: {
        const at = x.sqlite3_column_blob!(pointer, k);
        return Buffer.from(this.heap(at, x.sqlite3_column_bytes!(pointer, k)));
      }
      default:
        return null;
    }
  }

  private heap(at: number, count: number): Uint8Array {
    return this.owner.sqlite3.wasm.heap8u().subarray(at, at + count);
  }

  private bind(values: readonly Value[]): void {
    const { x, pointer } = this;
    for (let k = 0; k < values.length; ) {
      const value = values[k++]!;
      let rc: number;
      if (value === null) rc = x.sqlite3_bind_null!(pointer, k);
      else if (typeof value === 'number')
        rc =
          (value | 0) === value
            ? x.sqlite3_bind_int!(pointer, k, value)
            : x.sqlite3_bind_double!(pointer, k, value);
      else if (typeof value === 'bigint') rc = x.sqlite3_bind_int64!(pointer, k, value);
      else if (typeof value === 'string') rc = this.bindBytes('sqlite3_bind_text', k, encoder.encode(value));
      else rc = this.bindBytes('sqlite3_bind_blob', k, value);
      if (rc !== 0) throw this.owner.error(rc);
    }
  }

  private bindBytes(how: 'sqlite3_bind_text' | 'sqlite3_bind_blob', k: number, bytes: Uint8Array): number {
    const { wasm } = this.owner.sqlite3;
    const at = wasm.alloc(Math.max(1, bytes.length));
    wasm.heap8u().set(bytes, at);
    const rc = this.x[how]!(this.pointer, k, at, bytes.length, TRANSIENT);
    wasm.dealloc(at);
    return rc;
  }
}
