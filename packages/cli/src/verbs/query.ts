// gictrace query: runs one SQL query. A query in SQL is answered without the simulator and the catalogue, which take
// longer to load than most queries take to run.
import { statSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import { type Answer, PlainDatabase } from '@gictrace/query';
import type { Command } from 'commander';
import { note } from '../context.ts';
import { writeAnswer } from '../shell/print.ts';

interface QueryOptions {
  readonly module?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export function addQuery(program: Command): void {
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
    .addHelpText(
      'after',
      '\nExample:\n  gictrace query boots.db "SELECT op, count(*) FROM its_commands GROUP BY op"\n  gictrace query boots.db --module stranded\n',
    )
    .action(async (path: string, sql: string | undefined, options: QueryOptions) => {
      if (options.json && options.csv)
        throw new GicTraceError('usage', '--json and --csv exclude each other');
      if ((sql === undefined) === (options.module === undefined))
        throw new GicTraceError('usage', 'query takes either SQL or --module NAME');
      const { db, answer } = isFolder(path)
        ? await (await import('./query-dataset.ts')).askedOfDataset(path, sql, options.module)
        : await asked(path, sql, options.module);
      try {
        const mode = options.json ? 'json' : options.csv ? 'csv' : 'table';
        writeAnswer(answer, mode, {
          write: (text) => void process.stdout.write(text),
          note,
          width: process.stdout.isTTY ? process.stdout.columns : undefined,
        });
      } finally {
        db.close();
      }
    });
}

/** Whether a path is a folder, or a URL that DuckDB reads. */
function isFolder(path: string): boolean {
  return (
    /^[a-z][a-z0-9+.-]+:\/\//i.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  );
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
