// gictrace query: one SQL question to a database. A question in SQL is answered without the simulator and without the
// catalogue, which take longer to load than most answers.
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
    .summary('ask a database a question in SQL')
    .description(
      'Answers one SQL question, or with all rows of a module of the library (docs/sql.md); the database is opened read-only.',
    )
    .argument('<db>', 'a database that gictrace load, compare or diff made')
    .argument('[sql]', 'one SELECT')
    .option('--module <name>', 'a view or module instead of SQL')
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
        throw new GicTraceError('usage', 'query takes SQL or --module NAME, one of them');
      const { db, answer } = await asked(path, sql, options.module);
      try {
        const mode = options.json ? 'json' : options.csv ? 'csv' : 'table';
        writeAnswer(answer, mode, { write: (text) => void process.stdout.write(text), note });
      } finally {
        db.close();
      }
    });
}

/** The database that can answer, and its answer. */
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
