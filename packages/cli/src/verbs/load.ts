// gictrace load: traces into a database.
import { loadTraceFiles } from '@gictrace/query';
import type { Command } from 'commander';
import { FORCE, grouped, json, print } from '../context.ts';
import { Progress } from '../progress.ts';

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
        const summary = loadTraceFiles(options.output, paths, {
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
