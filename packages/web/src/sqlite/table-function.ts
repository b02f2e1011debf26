// Table-valued functions written in JavaScript, declared as for better-sqlite3.
import type { Sqlite3 } from './module.ts';
import type { Value } from './statement.ts';

export interface TableFunction {
  readonly columns: readonly string[];
  readonly parameters: readonly string[];
  readonly rows: (...args: Value[]) => Iterable<readonly Value[]>;
}

interface Cursor {
  rows: Iterator<readonly Value[]>;
  row: IteratorResult<readonly Value[]>;
  args: readonly Value[];
  number: number;
}

const COST_WITHOUT = 1e9;

/** Registers a table function with a connection. What its rows throw is passed to `failed`, and fails the statement. */
export function addTableFunction(
  sqlite3: Sqlite3,
  db: number,
  name: string,
  { columns, parameters, rows }: TableFunction,
  failed: (error: unknown) => void,
): void {
  const { capi, vtab } = sqlite3;
  const cursors = new Map<number, Cursor>();
  const attempt = (work: () => void): number => {
    try {
      work();
      return 0;
    } catch (error) {
      failed(error);
      return capi.SQLITE_ERROR;
    }
  };
  const methods = {
    xConnect(pDb: number, _aux: number, _argc: number, _argv: number, out: number): number {
      const list = [...columns, ...parameters.map((one) => `${one} HIDDEN`)].join(', ');
      const rc = capi.sqlite3_declare_vtab(pDb, `CREATE TABLE x(${list})`);
      if (rc === 0) vtab.xVtab.create(out);
      return rc;
    },
    xDisconnect(table: number): number {
      vtab.xVtab.dispose(table);
      return 0;
    },
    xOpen(_table: number, out: number): number {
      const cursor = vtab.xCursor.create(out);
      cursors.set(cursor.pointer, {
        rows: [].values(),
        row: { done: true, value: [] },
        args: [],
        number: 0,
      });
      return 0;
    },
    xClose(pointer: number): number {
      cursors.delete(pointer);
      vtab.xCursor.dispose(pointer);
      return 0;
    },
    /** Parameters are passed in their order; the number of the index says which of them are there. */
    xBestIndex(_table: number, infoPointer: number): number {
      const info = vtab.xIndexInfo(infoPointer);
      const at: number[] = [];
      let isUsable = true;
      for (let k = 0; k < info.$nConstraint; k++) {
        const { $iColumn, $op, $usable } = info.nthConstraint(k);
        const parameter = $iColumn! - columns.length;
        if (parameter < 0 || $op !== capi.SQLITE_INDEX_CONSTRAINT_EQ) continue;
        if ($usable) at[parameter] = k;
        else isUsable = false;
      }
      let given = 0;
      let next = 1;
      for (let parameter = 0; parameter < parameters.length; parameter++) {
        const k = at[parameter];
        if (k === undefined) continue;
        given |= 1 << parameter;
        const usage = info.nthConstraintUsage(k);
        usage.$argvIndex = next++;
        usage.$omit = 1;
      }
      info.$idxNum = given;
      info.$estimatedCost = given === 0 ? COST_WITHOUT : 1;
      info.dispose();
      return isUsable ? 0 : capi.SQLITE_CONSTRAINT;
    },
    xFilter(pointer: number, given: number, _text: never, argc: number, argv: number): number {
      return attempt(() => {
        const cursor = cursors.get(pointer)!;
        const values = capi.sqlite3_values_to_js(argc, argv) as Value[];
        cursor.args = parameters.map((_, k) => (given & (1 << k) ? (values.shift() ?? null) : null));
        cursor.rows = rows(...cursor.args)[Symbol.iterator]();
        cursor.row = cursor.rows.next();
        cursor.number = 0;
      });
    },
    xNext(pointer: number): number {
      return attempt(() => {
        const cursor = cursors.get(pointer)!;
        cursor.row = cursor.rows.next();
        cursor.number++;
      });
    },
    xEof: (pointer: number): number => (cursors.get(pointer)!.row.done ? 1 : 0),
    xColumn(pointer: number, context: number, column: number): number {
      const { row, args } = cursors.get(pointer)!;
      const value = column < columns.length ? row.value[column] : args[column - columns.length];
      capi.sqlite3_result_js(context, value ?? null);
      return 0;
    },
    xRowid(pointer: number, out: number): number {
      vtab.xRowid(out, cursors.get(pointer)!.number);
      return 0;
    },
  };
  const module = vtab.setupModule({ methods: methods, catchExceptions: false });
  const rc = capi.sqlite3_create_module(db, name, module, 0);
  if (rc !== 0) throw new Error(`SQLite does not take the table function ${name}`);
}
