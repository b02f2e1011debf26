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
      'Makes a database of one or more traces. Events that a trace does not contain are derived by the simulator.',
    )
    .argument('<trace...>', 'the traces')
    .requiredOption('-o, --output <db>', 'the database to write')
    .option('--force', FORCE)
    .option(
      '--threads <n>',
      '1, or 2 to insert rows in a second thread (default: 2 if there is a second processor and enough to do)',
      wholeNumber('--threads', 1, 2),
    )
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace load boot.gictrace other.gictrace -o boots.db\n')
    .action(async (paths: string[], options: LoadVerbOptions) => {
      const progress = new Progress('records');
      try {
        const summary = await interruptible(() =>
          loadTraceFiles(options.output, paths, {
            force: options.force === true,
            ...(options.threads === undefined ? {} : { threads: options.threads }),
            progress: (records) => progress.update(records),
          }),
        );
        progress.end();
        print(
          options.json
            ? json({ db: options.output, ...summary })
            : `${options.output}: ${grouped(summary.records)} records of ${summary.traces} trace${summary.traces === 1 ? '' : 's'}, ${grouped(summary.rows)} rows; query it with gictrace query ${options.output} "SELECT …"`,
        );
      } finally {
        progress.end();
      }
    });
}

interface LoadVerbOptions {
  readonly output: string;
  readonly force?: boolean;
  readonly threads?: 1 | 2;
  readonly json?: boolean;
}
