// SQLite's module, and the part of its interface that is used here. The types of the package differ from what it does in
// this part: members of structures have a $, pointers are numbers.
import sqlite3InitModule from '@sqlite.org/sqlite-wasm';

/** A structure in the module's memory. */
export interface Struct {
  readonly pointer: number;
  dispose(): void;
}
type Fields = Struct & Record<`$${string}`, number>;
type Methods = Readonly<Record<string, (...args: never[]) => number>>;

export interface IndexInfo extends Fields {
  nthConstraint(k: number): Record<`$${string}`, number>;
  nthConstraintUsage(k: number): Record<`$${string}`, number>;
}

export interface Sqlite3 {
  readonly capi: Readonly<Record<`SQLITE_${string}`, number>> & {
    readonly sqlite3_vfs: new (pointer?: number) => Fields;
    readonly sqlite3_io_methods: new () => Fields;
    readonly sqlite3_file: { readonly structInfo: { readonly sizeof: number } } & (new (
      pointer: number,
    ) => Fields);
    sqlite3_vfs_find(name: null): number;
    sqlite3_declare_vtab(db: number, sql: string): number;
    sqlite3_create_module(db: number, name: string, module: Struct, aux: number): number;
    sqlite3_values_to_js(argc: number, argv: number): unknown[];
    sqlite3_result_js(context: number, value: unknown): void;
    sqlite3_column_name(statement: number, k: number): string;
    sqlite3_prepare_v3(
      db: number,
      sql: number,
      length: number,
      flags: number,
      to: number,
      tail: number,
    ): number;
    sqlite3_finalize(statement: number): number;
    sqlite3_errmsg(db: number): string;
    sqlite3_js_rc_str(rc: number): string | undefined;
  };
  readonly wasm: {
    readonly exports: Readonly<Record<string, (...args: (number | bigint)[]) => number>>;
    heap8u(): Uint8Array;
    alloc(bytes: number): number;
    dealloc(pointer: number): void;
    allocCString(text: string): number;
    cstrToJs(pointer: number): string;
    cstrncpy(to: number, from: number, bytes: number): number;
    poke(to: number, value: number | bigint, type: 'i32' | 'i64'): void;
    peekPtr(at: number): number;
    scopedAllocPush(): unknown;
    scopedAllocPop(stack: unknown): void;
    scopedAllocPtr(): number;
    scopedAllocCString(text: string, withLength: true): [number, number];
  };
  readonly vfs: {
    installVfs(
      parts: Readonly<Record<'io' | 'vfs', { readonly struct: Struct; readonly methods: Methods }>>,
    ): void;
  };
  readonly vtab: {
    readonly xVtab: { create(to: number): Struct; dispose(pointer: number): void };
    readonly xCursor: { create(to: number): Struct; dispose(pointer: number): void };
    xRowid(to: number, row: number): void;
    xIndexInfo(pointer: number): IndexInfo;
    setupModule(options: { readonly methods: Methods; readonly catchExceptions: boolean }): Struct;
  };
  readonly oo1: {
    readonly DB: new (options: { filename: string; flags: string; vfs?: string }) => Connection;
  };
}

export interface Connection {
  readonly pointer: number;
  exec(sql: string): unknown;
  close(): void;
  createFunction(
    name: string,
    call: (context: number, ...args: never[]) => unknown,
    options: { readonly arity: number; readonly deterministic: boolean },
  ): unknown;
}

/** Starts SQLite from the bytes of its module. */
export async function startSqlite(module: Uint8Array<ArrayBuffer>): Promise<Sqlite3> {
  // The package fetches its module and takes it from nobody, so for this moment fetching gives it.
  const { fetch } = globalThis;
  globalThis.fetch = async () => new Response(module, { headers: { 'content-type': 'application/wasm' } });
  try {
    return (await (sqlite3InitModule as () => Promise<unknown>)()) as Sqlite3;
  } finally {
    globalThis.fetch = fetch;
  }
}
