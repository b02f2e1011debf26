// gictrace load: loads traces into a database.
import { loadTraceFiles } from '@gictrace/query';
import type { Command } from 'commander';
import { FORCE, grouped, json, print, wholeNumber } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { Progress } from '../progress.ts';

export function addLoad(program: Command): void {
  program
    .command('load')
    .summary('load traces into an SQLite database')
    .description(
      'Makes a database of one or more traces, or adds traces to one with --append. Events that a trace does not contain are derived by the simulator. A database that has other traces is not replaced, except with --force.',
    )
    .argument('<trace...>', 'the traces')
    .requiredOption('-o, --output <db>', 'the database to write')
    .option('--append', 'add to the database that is there; traces that it has already are skipped')
    .option('--force', `${FORCE}, or a database that has other traces`)
    .option(
      '--threads <n>',
      '1, or 2 to insert rows in a second thread (default: 2 if there is a second processor and enough to do)',
      wholeNumber('--threads', 1, 2),
    )
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  gictrace load boot.gictrace other.gictrace -o boots.db\n  gictrace load tonight.gictrace --append -o boots.db\n',
    )
    .action(async (paths: string[], options: LoadVerbOptions) => {
      const progress = new Progress('records');
      try {
        const summary = await interruptible(() =>
          loadTraceFiles(options.output, paths, {
            force: options.force === true,
            append: options.append === true,
            ...(options.threads === undefined ? {} : { threads: options.threads }),
            progress: (records) => progress.update(records),
          }),
        );
        progress.end();
        const { there, ...loaded } = summary;
        const traces = `${grouped(loaded.traces)} trace${loaded.traces === 1 ? '' : 's'}`;
        const known = there.length === 0 ? '' : ` (${grouped(there.length)} there already)`;
        print(
          options.json
            ? json({ db: options.output, ...loaded, there })
            : `${options.output}: ${grouped(loaded.records)} records of ${traces}${known}, ${grouped(loaded.rows)} rows; query it with gictrace query ${options.output} "SELECT …"`,
        );
      } finally {
        progress.end();
      }
    });
}

interface LoadVerbOptions {
  readonly output: string;
  readonly append?: boolean;
  readonly force?: boolean;
  readonly threads?: 1 | 2;
  readonly json?: boolean;
}
