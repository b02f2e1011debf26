// gictrace query: runs one SQL query. A query in SQL is answered without the simulator and the catalogue, which take
// longer to load than most queries take to run.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GicTraceError } from '@gictrace/core';
import { type Answer, PlainDatabase } from '@gictrace/query';
import { isFolder, statOf } from '@gictrace/recorder/input';
import type { Command } from 'commander';
import { note, wholeNumber } from '../context.ts';
import { printable } from '../printable.ts';
import { writeAnswer } from '../shell/print.ts';
import { hasColour, writeOut } from '../streams.ts';
import { headed } from '../terminal/colour.ts';

/** The command itself. */
const BIN = new URL('../../bin/gictrace.js', import.meta.url);

/** The beginning of a query, which is no path. */
const STATEMENT = /^\s*(select|with|values)\s/i;

interface QueryOptions {
  readonly module?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly line?: boolean;
  readonly timeout?: number;
  readonly ddl?: string;
}

export function addQuery(program: Command, exit: (code: number) => void): void {
  program
    .command('query')
    .summary('query a database in SQL')
    .description(
      'Runs one SQL query, or prints all rows of a view or of a module of the library (docs/sql.md). The database is opened read-only. A dataset of many traces (gictrace export --to parquet) is queried by DuckDB, with the same views.',
    )
    .argument('<db>', 'a database that gictrace load, compare or diff made, or the folder of a dataset')
    .argument('[sql]', 'one SELECT')
    .option('--module <name>', 'a view or module, instead of SQL')
    .option('--json', 'answer as JSON')
    .option('--csv', 'answer as CSV')
    .option('--line', 'print each cell on a line of its own')
    .option(
      '--ddl <engine>',
      'print how clickhouse, spark or trino declare the tables of a dataset, which is a folder or URL as they name it',
    )
    .option(
      '--timeout <seconds>',
      'end the query after this time (exit code 3)',
      wholeNumber('--timeout', 1, 86_400),
    )
    .addHelpText(
      'after',
      '\nExample:\n  gictrace query boots.db "SELECT op, count(*) FROM its_commands GROUP BY op"\n  gictrace query boots.db --module stranded\n',
    )
    .action(async (path: string, sql: string | undefined, options: QueryOptions): Promise<void> => {
      if ([options.json, options.csv, options.line].filter(Boolean).length > 1)
        throw new GicTraceError('usage', '--json, --csv and --line exclude each other');
      if (options.ddl !== undefined) {
        if (sql !== undefined || options.module !== undefined)
          throw new GicTraceError('usage', '--ddl takes neither SQL nor --module');
        writeOut((await import('./query-dataset.ts')).ddlOf(path, options.ddl));
        return;
      }
      if ((sql === undefined) === (options.module === undefined))
        throw new GicTraceError('usage', 'query takes either SQL or --module NAME');
      if (sql !== undefined && STATEMENT.test(path) && statOf(path) === undefined)
        throw new GicTraceError(
          'usage',
          'the database comes before the query',
          {},
          'gictrace query DB "SELECT …"',
        );
      if (options.timeout !== undefined) {
        exit(await askWithin(options.timeout, path, sql, options));
        return;
      }
      const { db, answer } = isDataset(path)
        ? await (await import('./query-dataset.ts')).askedOfDataset(path, sql, options.module)
        : await asked(path, sql, options.module);
      try {
        const mode = options.json ? 'json' : options.csv ? 'csv' : options.line ? 'line' : 'table';
        writeAnswer(answer, mode, {
          write: (text) => writeOut(printable(text)),
          ...(hasColour() ? { head: (text) => writeOut(headed(printable(text))) } : {}),
          note,
          width: process.stdout.isTTY ? process.stdout.columns : undefined,
        });
      } finally {
        db.close();
      }
    });
}

/** Whether a path is a folder, or a URL that DuckDB reads. */
function isDataset(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path) || isFolder(path);
}

/** The database that can answer the query, and its answer. */
async function asked(
  path: string,
  sql: string | undefined,
  module: string | undefined,
): Promise<{ db: PlainDatabase; answer: Answer }> {
  if (sql !== undefined) {
    const db = new PlainDatabase(path);
    try {
      return { db, answer: db.ask(sql) };
    } catch (error) {
      db.close();
      if (!(error instanceof GicTraceError && error.message.endsWith('no such table: gic_state')))
        throw error;
    }
  }
  const { moduleSql, QueryDatabase } = await import('./query-full.ts');
  const db = new QueryDatabase(path);
  try {
    return { db, answer: db.ask(sql ?? moduleSql(db, module!)) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Runs the query in a process of its own, which is ended when the time is over: SQLite does not return while it computes.
 * Returns the exit code of that process.
 */
async function askWithin(
  seconds: number,
  path: string,
  sql: string | undefined,
  { module, json, csv, line }: QueryOptions,
): Promise<number> {
  const words = [
    ...['--no-pager', `--color=${hasColour() ? 'always' : 'never'}`],
    ...(json ? ['--json'] : []),
    ...(csv ? ['--csv'] : []),
    ...(line ? ['--line'] : []),
    ...(module === undefined ? [] : [`--module=${module}`]),
    ...['--', path],
    ...(sql === undefined ? [] : [sql]),
  ];
  const child = spawn(process.execPath, [fileURLToPath(BIN), 'query', ...words], { stdio: 'inherit' });
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    child.kill('SIGKILL');
  }, 1000 * seconds);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  }).finally(() => clearTimeout(timer));
  if (isOver)
    throw new GicTraceError('backend', `the query took more than ${seconds} s and was ended`, { path });
  if (code === null) throw new GicTraceError('backend', 'the query was ended by a signal', { path });
  return code;
}
