// SQLite as WebAssembly with the methods of better-sqlite3 that gictrace uses; it takes that package's place in the page.
import { type Connection, type Sqlite3, startSqlite } from './module.ts';
import { type Owner, Statement } from './statement.ts';
import { addTableFunction, type TableFunction } from './table-function.ts';
import { installVfs, VFS } from './vfs.ts';

let sqlite3: Sqlite3 | undefined;

/** Must be called, with the module of sqlite-wasm, before the first database is opened. */
export async function readySqlite(module: Uint8Array<ArrayBuffer>): Promise<void> {
  sqlite3 = await startSqlite(module);
  installVfs(sqlite3);
}

/** An error of SQLite, with the name of its code. */
export class SqliteError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = 'SqliteError';
    this.code = code;
  }
}

interface Options {
  readonly readonly?: boolean;
  readonly fileMustExist?: boolean;
}

class Database implements Owner {
  static readonly SqliteError = SqliteError;
  readonly sqlite3: Sqlite3;
  readonly pointer: number;
  safeIntegers = false;
  private readonly db: Connection;
  private readonly statements: number[] = [];
  private thrown: { readonly error: unknown } | undefined;

  constructor(path: string, { readonly = false, fileMustExist = readonly }: Options = {}) {
    if (sqlite3 === undefined) throw new Error('SQLite is not ready');
    this.sqlite3 = sqlite3;
    const flags = readonly ? 'r' : fileMustExist ? 'w' : 'cw';
    try {
      this.db = new sqlite3.oo1.DB({ filename: path, flags, ...(path === ':memory:' ? {} : { vfs: VFS }) });
    } catch (error) {
      throw this.converted(error);
    }
    this.pointer = this.db.pointer;
  }

  /** Runs a pragma. With `simple`, its first value is returned. */
  pragma(text: string, { simple = false } = {}): unknown {
    const statement = this.prepare(`PRAGMA ${text}`).raw().safeIntegers(false);
    const rows = statement.all() as unknown[][];
    return simple ? rows[0]?.[0] : rows;
  }

  exec(sql: string): this {
    try {
      this.db.exec(sql);
    } catch (error) {
      throw this.converted(error);
    }
    return this;
  }

  /** @throws RangeError if there is no statement, or more than one. */
  prepare(sql: string): Statement {
    const { capi, wasm } = this.sqlite3;
    const stack = wasm.scopedAllocPush();
    try {
      const [text, length] = wasm.scopedAllocCString(sql, true);
      const statement = wasm.scopedAllocPtr();
      const tail = wasm.scopedAllocPtr();
      const rc = capi.sqlite3_prepare_v3(this.pointer, text, length, 0, statement, tail);
      if (rc !== 0) throw this.error(rc);
      const pointer = wasm.peekPtr(statement);
      if (pointer === 0) throw new RangeError('The supplied SQL string contains no statements');
      const rest = wasm.cstrToJs(wasm.peekPtr(tail)) ?? '';
      if (rest.replace(/--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|[\s;]/g, '') !== '') {
        capi.sqlite3_finalize(pointer);
        throw new RangeError('The supplied SQL string contains more than one statement');
      }
      this.statements.push(pointer);
      return new Statement(this, pointer);
    } finally {
      wasm.scopedAllocPop(stack);
    }
  }

  defaultSafeIntegers(on = true): this {
    this.safeIntegers = on;
    return this;
  }

  function(name: string, _options: object, call: (...args: never[]) => unknown): this {
    this.db.createFunction(name, (_context, ...args: never[]) => call(...args), {
      arity: call.length,
      deterministic: true,
    });
    return this;
  }

  table(name: string, declared: TableFunction): this {
    addTableFunction(this.sqlite3, this.pointer, name, declared, (error) => {
      this.thrown ??= { error };
    });
    return this;
  }

  close(): void {
    for (const statement of this.statements.splice(0)) this.sqlite3.capi.sqlite3_finalize(statement);
    this.db.close();
  }

  error(rc: number): unknown {
    const { thrown } = this;
    this.thrown = undefined;
    if (thrown !== undefined) return thrown.error;
    const { capi } = this.sqlite3;
    const code = capi.sqlite3_js_rc_str(rc) ?? `SQLITE_${rc}`;
    return new SqliteError(capi.sqlite3_errmsg(this.pointer) ?? code, code);
  }

  private converted(error: unknown): unknown {
    const { resultCode, message } = error as Error & { resultCode?: number };
    if (resultCode === undefined) return error;
    return new SqliteError(
      message,
      this.sqlite3.capi.sqlite3_js_rc_str(resultCode) ?? `SQLITE_${resultCode}`,
    );
  }
}

// biome-ignore lint/style/noDefaultExport: better-sqlite3 has its class there
export default Database;
