// gictrace load, query and shell: SQL over traces.

import { basename, resolve } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { type LoadSource, loadTraces, QueryDatabase, relationsOf } from '@gictrace/query';
import { TraceReader } from '@gictrace/recorder';
import type { Command } from 'commander';
import { FORCE, grouped, json, note, Progress, print } from '../context.ts';
import { runShell } from '../shell/index.ts';
import { writeAnswer } from '../shell/print.ts';

export function addLoad(program: Command): void {
  program
    .command('load')
    .summary('load traces into an SQLite database')
    .description(
      'Makes a database of one or more traces. Events that a trace does not hold are derived by the simulator.',
    )
    .argument('<trace...>', 'the traces')
    .requiredOption('-o, --output <db>', 'the database to write')
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace load boot.gictrace other.gictrace -o boots.db\n')
    .action((paths: string[], options: { output: string; force?: boolean; json?: boolean }) => {
      const progress = new Progress('records');
      try {
        const summary = loadTraces(options.output, sources(paths), {
          inputs: paths,
          force: options.force === true,
          progress: (records) => progress.update(records),
        });
        progress.end();
        print(
          options.json
            ? json({ db: options.output, ...summary })
            : `${options.output}: ${grouped(summary.records)} records of ${summary.traces} trace${summary.traces === 1 ? '' : 's'}, ${grouped(summary.rows)} rows; ask with gictrace query ${options.output} "SELECT …"`,
        );
      } finally {
        progress.end();
      }
    });
}

function* sources(paths: readonly string[]): Generator<LoadSource> {
  // A bad trace is found before the first is loaded.
  for (const path of paths) TraceReader.open(path).close();
  for (const path of paths) {
    const reader = TraceReader.open(path);
    try {
      yield {
        name: basename(path),
        path: resolve(path),
        header: reader.header,
        contentDigest: reader.footer?.contentDigest ?? null,
        semanticDigest: reader.footer?.semanticDigest ?? null,
        batches: reader.batches(),
      };
    } finally {
      reader.close();
    }
  }
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
    .action((path: string, sql: string | undefined, options: QueryOptions) => {
      if (options.json && options.csv)
        throw new GicTraceError('usage', '--json and --csv exclude each other');
      if ((sql === undefined) === (options.module === undefined))
        throw new GicTraceError('usage', 'query takes SQL or --module NAME, one of them');
      const db = new QueryDatabase(path);
      try {
        const answer = db.ask(sql ?? moduleSql(db, options.module!));
        const mode = options.json ? 'json' : options.csv ? 'csv' : 'table';
        writeAnswer(answer, mode, { write: (text) => void process.stdout.write(text), note });
      } finally {
        db.close();
      }
    });
}

interface QueryOptions {
  readonly module?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** All of a view or module that this database has. */
function moduleSql(db: QueryDatabase, name: string): string {
  const relations = relationsOf(db);
  if (!relations.some((one) => one.name === name)) {
    const modules = relations.filter((one) => one.kind === 'module').map((one) => one.name);
    throw new GicTraceError(
      'usage',
      `this database has no module '${name}'`,
      {},
      `it has ${modules.join(', ')}`,
    );
  }
  return `SELECT * FROM "${name}"`;
}

export function addShell(program: Command): void {
  program
    .command('shell')
    .summary('ask a database questions interactively')
    .description(
      'Reads SQL from standard input, a question ended by ;, and prints the answers; at a terminal with completion (Tab) and a history that is kept. The database is opened read-only.',
    )
    .argument('<db>', 'a database that gictrace load, compare or diff made')
    .addHelpText(
      'after',
      '\nThe history is in $XDG_STATE_HOME/gictrace/history, or in $GICTRACE_HISTORY; set that to nothing to keep none.\n\nExample:\n  gictrace shell boots.db\n',
    )
    .action(async (path: string) => {
      const db = new QueryDatabase(path);
      try {
        await runShell(db);
      } finally {
        db.close();
      }
    });
}
