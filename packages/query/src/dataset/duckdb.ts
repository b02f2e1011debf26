// Queries of a dataset by DuckDB: the same private tables, public views, modules and functions as in an SQLite database of
// traces, made when a query names them. DuckDB is an optional dependency, which is loaded here and nowhere else.
import { availableParallelism } from 'node:os';
import type * as duckdb from '@duckdb/node-api';
import { GicTraceError } from '@gictrace/core';
import { statOf } from '@gictrace/recorder/input';
import { SQL_FUNCTIONS } from '../database/functions.ts';
import type { Cell } from '../database/plain.ts';
import { isQuestion, onlyQueries } from '../database/statements.ts';
import { DERIVED_TABLES, RECORDS_PER_TRACE } from '../sql/derived-tables.ts';
import { MODULES } from '../sql/modules/index.ts';
import { VIEWS } from '../sql/views.ts';
import { isDataset } from './layout.ts';
import { DATASET_TABLES, type DatasetTable } from './tables.ts';

/** SQL that SQLite has and DuckDB lacks. With integer_division, `/` of integers is as in SQLite. */
const DIALECT = [
  'SET integer_division = true',
  'CREATE TEMP MACRO iif(condition, a, b) AS CASE WHEN condition THEN a ELSE b END',
  'CREATE TEMP MACRO percentile(x, p) AS quantile_cont(x, p / 100.0)',
];
/** The number of each trace, in the order of names. */
const NUMBERS = 'trace_numbers';
const TYPES = { int32: 'BIGINT', int64: 'BIGINT', text: 'VARCHAR', bytes: 'BLOB' } as const;
/** What may be a relation in a query of a user. In the views of gictrace, whose columns may have such names, only operands are. */
const WORDS = /([A-Za-z_]\w*)/g;
const OPERANDS = /\b(?:FROM|JOIN)\s+"?([A-Za-z_]\w*)/g;
const REMOTE = /^[a-z][a-z0-9+.-]*:\/\//i;

const tables: ReadonlyMap<string, DatasetTable> = new Map(
  DATASET_TABLES.flatMap((table) => (table === undefined ? [] : [[table.name, table] as const])),
);
const views: ReadonlyMap<string, string> = new Map(
  [...VIEWS, ...MODULES].map(({ name, sql }) => [name, sql] as const),
);

/** A result. Rows are arrays of cells as SQLite gives them: integers are bigints, and truth values are 0 and 1. */
export interface DatasetAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** The names of the views and modules of a dataset. */
export const DATASET_RELATIONS: readonly string[] = [...views.keys()];

/** A dataset that is open for queries. */
export class Dataset {
  private readonly connection: duckdb.DuckDBConnection;
  private readonly dir: string;
  private readonly made = new Set<string>();

  private constructor(connection: duckdb.DuckDBConnection, dir: string) {
    this.connection = connection;
    this.dir = dir;
  }

  /**
   * Opens the dataset in a folder, or at a URL that DuckDB can read.
   * @throws GicTraceError `input` if there is no dataset, `backend` if DuckDB is not installed.
   */
  static async open(dir: string): Promise<Dataset> {
    const isRemote = REMOTE.test(dir);
    if (!isRemote) checkFolder(dir);
    const api = await duckDb();
    const instance = await api.DuckDBInstance.create(':memory:', { threads: `${availableParallelism()}` });
    const connection = await instance.connect();
    const dataset = new Dataset(connection, dir.replace(/\/+$/, ''));
    try {
      for (const sql of DIALECT) await connection.run(sql);
      addFunctions(api, connection);
      await dataset.number();
      if (!isRemote) {
        await connection.run(`SET allowed_directories = [${literal(`${dataset.dir}/`)}]`);
        await connection.run('SET enable_external_access = false');
        await connection.run('SET lock_configuration = true');
      }
      return dataset;
    } catch (error) {
      dataset.close();
      throw dataset.fault(error);
    }
  }

  /**
   * Runs one query.
   * @throws GicTraceError `usage` for SQL that is wrong, that writes, or that is more than one statement.
   */
  async ask(sql: string): Promise<DatasetAnswer> {
    if (!isQuestion(sql)) throw onlyQueries();
    const { connection } = this;
    try {
      const statements = await connection.extractStatements(sql);
      if (statements.count !== 1) throw onlyQueries();
      await this.provide(sql);
      const reader = await connection.runAndReadAll(sql);
      return {
        columns: reader.columnNames(),
        rows: reader.getRows().map((row) => row.map(cell)),
      };
    } catch (error) {
      throw this.fault(error);
    }
  }

  /** Stops the query that runs now, which then fails. */
  interrupt(): void {
    this.connection.interrupt();
  }

  close(): void {
    this.connection.closeSync();
  }

  /** Numbers the traces. */
  private async number(): Promise<void> {
    const from = this.files(DERIVED_TABLES.traces.table.name, true);
    await this.connection.run(
      `CREATE TEMP TABLE ${NUMBERS} AS SELECT trace AS key, row_number() OVER (ORDER BY name, trace) AS number FROM ${from}`,
    );
  }

  private files(table: string, ofTraces: boolean): string {
    const pattern = ofTraces ? 'trace=*/*.parquet' : '*.parquet';
    const path = literal(`${this.dir}/table=${table}/${pattern}`);
    return ofTraces
      ? `read_parquet(${path}, hive_partitioning = true, hive_types_autocast = false)`
      : `read_parquet(${path}, hive_partitioning = false)`;
  }

  /** Makes the tables and views that a query names, and those that these are made from. A name in a text costs only time. */
  private async provide(sql: string, names = WORDS): Promise<void> {
    for (const match of sql.matchAll(names)) {
      const name = match[1]!.toLowerCase();
      if (this.made.has(name)) continue;
      const table = tables.get(name);
      const view = views.get(name);
      if (table === undefined && view === undefined) continue;
      if (view !== undefined) await this.provide(view, OPERANDS);
      await this.connection.run(
        `CREATE TEMP VIEW "${name}" AS ${table === undefined ? view : await this.select(table)}`,
      );
      this.made.add(name);
    }
  }

  /** The rows of a table, with the columns that it has in a database. */
  private async select({ name, key, columns }: DatasetTable): Promise<string> {
    const own = columns.filter((column) => !(key === 'record' && column.name === 'record'));
    if (!(await this.has(name))) {
      const front = key === 'record' ? ['id'] : key === 'trace' ? ['trace'] : [];
      const list = [
        ...front.map((column) => `NULL::BIGINT AS ${column}`),
        ...own.map((column) => `NULL::${TYPES[column.type]} AS "${column.name}"`),
      ];
      return `SELECT ${list.join(', ')} WHERE false`;
    }
    const list = own.map(({ name: column, type }) =>
      type === 'int32' ? `p."${column}"::BIGINT AS "${column}"` : `p."${column}"`,
    );
    if (key === 'names') return `SELECT ${list.join(', ')} FROM ${this.files(name, false)} p`;
    const front = key === 'record' ? `n.number * ${RECORDS_PER_TRACE} + p.record AS id` : 'n.number AS trace';
    return `SELECT ${[front, ...list].join(', ')} FROM ${this.files(name, true)} p JOIN ${NUMBERS} n ON n.key = p.trace`;
  }

  /** Whether any trace has rows of a table. */
  private async has(table: string): Promise<boolean> {
    if (!REMOTE.test(this.dir)) return statOf(`${this.dir}/table=${table}`) !== undefined;
    const found = await this.connection.runAndReadAll(
      `SELECT 1 FROM glob(${literal(`${this.dir}/table=${table}/**`)}) LIMIT 1`,
    );
    return found.getRows().length > 0;
  }

  /** DuckDB's message on one line. */
  private fault(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof GicTraceError) return error;
    const line = error.message.split('\n')[0]!.trim();
    if (/^(IO|HTTP) Error: No files found/.test(line))
      return new GicTraceError(
        'input',
        'is a dataset without traces',
        { path: this.dir },
        'add some: gictrace export --to parquet DIR TRACE…',
      );
    // A damaged file ends in the exceptions of the libraries that read it, too ("Invalid", "INTERNAL").
    if (/^(IO|HTTP|Invalid Input|Invalid|Serialization|INTERNAL) Error/.test(line))
      return new GicTraceError('input', line, { path: this.dir }, 'export the damaged traces again');
    if (
      /^(Parser|Binder|Catalog|Conversion|Permission|Invalid Configuration|Not implemented|INTERRUPT|Out of Range) Error/.test(
        line,
      )
    )
      return new GicTraceError(
        'usage',
        `SQL: ${line}`,
        {},
        /^Catalog Error: Table/.test(line)
          ? `the views are those of docs/sql.md: ${VIEWS.map(({ name }) => name).join(', ')}`
          : undefined,
      );
    return new GicTraceError('backend', `DuckDB: ${line}`, { path: this.dir });
  }
}

async function duckDb(): Promise<typeof duckdb> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new GicTraceError(
      'backend',
      `DuckDB, which queries datasets, cannot be loaded: ${(error as Error).message.split('\n')[0]}`,
      {},
      'install it: npm install @duckdb/node-api',
    );
  }
}

function checkFolder(dir: string): void {
  const found = statOf(dir);
  if (found?.isDirectory() && isDataset(dir)) return;
  throw new GicTraceError(
    'input',
    found === undefined ? 'no such folder' : 'is not a dataset of gictrace',
    { path: dir },
    'make one with gictrace export --to parquet DIR TRACE…',
  );
}

/** Registers gic_hex and the others. */
function addFunctions(api: typeof duckdb, connection: duckdb.DuckDBConnection): void {
  for (const [name, { parameters, result }] of Object.entries(SQL_FUNCTIONS)) {
    const scalar = api.DuckDBScalarFunction.create({
      name,
      returnType: api.VARCHAR,
      parameterTypes: [],
      varArgsType: api.ANY,
      specialHandling: true,
      mainFunction: (_info, input, output) => {
        const vectors = Array.from({ length: input.columnCount }, (_, k) => column(input, k));
        for (let row = 0; row < input.rowCount; row++) {
          const values = vectors.map((vector) => vector?.getItem(row) ?? null);
          output.setItem(row, parameters.includes(values.length) ? result(...values.map(argument)) : null);
        }
        output.flush();
      },
    });
    connection.registerScalarFunction(scalar);
  }
}

/** The values of an argument; undefined for the literal NULL, which has no type and which the library does not read. */
function column(input: duckdb.DuckDBDataChunk, k: number): duckdb.DuckDBVector | undefined {
  try {
    return input.getColumnVector(k);
  } catch {
    return undefined;
  }
}

/** An argument as SQLite passes it: integers as bigints. */
function argument(value: unknown): unknown {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

/** A value of DuckDB as a cell. */
function cell(value: duckdb.DuckDBValue): Cell {
  if (value === null || typeof value === 'bigint' || typeof value === 'string') return value;
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if ('bytes' in value && value.bytes instanceof Uint8Array) return value.bytes;
  if ('scale' in value && typeof (value as { toDouble?: unknown }).toDouble === 'function')
    return (value as unknown as { toDouble(): number }).toDouble();
  return String(value);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
