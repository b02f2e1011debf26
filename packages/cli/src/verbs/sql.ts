// gictrace load, query and shell: SQL over traces.

import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { GicTraceError } from '@gictrace/core';
import {
  type Answer,
  cellText,
  EXAMPLES,
  FUNCTIONS,
  type LoadSource,
  loadTraces,
  QueryDatabase,
  TABLE_FUNCTIONS,
  toCsv,
  toJson,
  VIEWS,
} from '@gictrace/query';
import { TraceReader } from '@gictrace/recorder';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { grouped, json, note, Progress, print } from '../context.ts';

const ROWS_MAX = 2000;

export function addLoad(program: Command): void {
  program
    .command('load')
    .summary('load traces into an SQLite database')
    .description(
      'Makes a database of one or more traces. Events that a trace does not hold are derived by the simulator.',
    )
    .argument('<trace...>', 'the traces')
    .requiredOption('-o, --output <db>', 'the database to write')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace load boot.gictrace other.gictrace -o boots.db\n')
    .action((paths: string[], options: { output: string; json?: boolean }) => {
      const progress = new Progress('records');
      try {
        const summary = loadTraces(options.output, sources(paths), {
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

/** An answer as a table; says so if it is cut. */
export function printTable(answer: Answer): void {
  const table = new Table({ head: [...answer.columns], style: { head: [], border: [], compact: true } });
  let rows = 0;
  for (const row of answer.rows) {
    if (++rows <= ROWS_MAX) table.push(row.map(cellText));
  }
  print(table.toString());
  if (rows > ROWS_MAX) note(`${grouped(ROWS_MAX)} of ${grouped(rows)} rows shown; --csv and --json give all`);
}

export function addQuery(program: Command): void {
  program
    .command('query')
    .summary('ask a database a question in SQL')
    .description('Answers one SQL question; the database is opened read-only.')
    .argument('<db>', 'a database that gictrace load made')
    .argument('<sql>', 'one SELECT')
    .option('--json', 'answer as JSON')
    .option('--csv', 'answer as CSV')
    .addHelpText(
      'after',
      '\nExample:\n  gictrace query boots.db "SELECT op, count(*) FROM its_commands GROUP BY op"\n',
    )
    .action((path: string, sql: string, options: { json?: boolean; csv?: boolean }) => {
      if (options.json && options.csv)
        throw new GicTraceError('usage', '--json and --csv exclude each other');
      const db = new QueryDatabase(path);
      try {
        const answer = db.ask(sql);
        if (options.json) for (const text of toJson(answer)) process.stdout.write(text);
        else if (options.csv) for (const text of toCsv(answer)) process.stdout.write(text);
        else printTable(answer);
      } finally {
        db.close();
      }
    });
}

const HELP = `.views            the views
.columns VIEW     the columns of a view
.functions        functions for SQL
.examples         questions, as SQL
.quit             leave
A question may take several lines; ; ends it.`;

export function addShell(program: Command): void {
  program
    .command('shell')
    .summary('ask a database questions interactively')
    .description('Reads SQL from standard input, a question ended by ;, and prints the answers.')
    .argument('<db>', 'a database that gictrace load made')
    .addHelpText('after', '\nExample:\n  gictrace shell boots.db\n')
    .action(async (path: string) => {
      const db = new QueryDatabase(path);
      const interactive = process.stdin.isTTY === true;
      const lines = createInterface({
        input: process.stdin,
        output: interactive ? process.stdout : undefined,
        terminal: interactive,
        prompt: 'gictrace> ',
      } as Parameters<typeof createInterface>[0]);
      let pending = '';
      let failed = false;
      try {
        if (interactive) {
          print('.help lists the commands');
          lines.prompt();
        }
        for await (const line of lines) {
          const text = line.trim();
          if (pending === '' && text.startsWith('.')) {
            if (text === '.quit' || text === '.exit') break;
            if (!command(text)) failed = true;
          } else if (text !== '') {
            pending += `${line}\n`;
            if (text.endsWith(';')) {
              failed = !answer(db, pending) || failed;
              pending = '';
            }
          }
          if (interactive) {
            lines.setPrompt(pending === '' ? 'gictrace> ' : '     ...> ');
            lines.prompt();
          }
        }
        if (pending.trim() !== '') failed = !answer(db, pending) || failed;
      } finally {
        lines.close();
        db.close();
      }
      // For scripts: a wrong question shows in the exit code.
      if (failed && !interactive)
        throw new GicTraceError('usage', 'some of what was asked could not be answered');
    });
}

function command(text: string): boolean {
  const [name, argument] = text.split(/\s+/, 2);
  if (name === '.help') print(HELP);
  else if (name === '.views') for (const view of VIEWS) print(`${view.name.padEnd(14)} ${view.doc}`);
  else if (name === '.functions') {
    for (const [call, doc] of Object.entries(FUNCTIONS)) print(`${call.padEnd(34)} ${doc}`);
    for (const [call, { doc, columns }] of Object.entries(TABLE_FUNCTIONS))
      print(`${call.padEnd(34)} ${doc} Rows: ${Object.keys(columns).join(', ')}`);
  } else if (name === '.examples')
    for (const example of EXAMPLES) print(`-- ${example.question}\n${example.sql};\n`);
  else if (name === '.columns') {
    const view = VIEWS.find((candidate) => candidate.name === argument);
    if (view === undefined) {
      note(`there is no view '${argument ?? ''}'; .views lists them`);
      return false;
    }
    for (const [column, doc] of Object.entries(view.columns)) print(`${column.padEnd(18)} ${doc}`);
  } else {
    note(`there is no command '${name}'; .help lists them`);
    return false;
  }
  return true;
}

function answer(db: QueryDatabase, sql: string): boolean {
  try {
    printTable(db.ask(sql));
    return true;
  } catch (error) {
    if (!(error instanceof GicTraceError)) throw error;
    note(error.line);
    return false;
  }
}
