// gictrace shell: SQL queries, interactively.
import { QueryDatabase } from '@gictrace/query';
import type { Command } from 'commander';
import { askApart } from '../shell/apart.ts';
import { ownTerminal, runShell } from '../shell/index.ts';

export function addShell(program: Command): void {
  program
    .command('shell')
    .summary('query a database interactively')
    .description(
      'Reads SQL queries from standard input, each ended by a semicolon, and prints the results. At a terminal it has completion (Tab) and a history that is kept between sessions. The database is opened read-only.',
    )
    .argument('<db>', 'a database that gictrace load, compare or diff made')
    .addHelpText(
      'after',
      '\nThe history is in $XDG_STATE_HOME/gictrace/history, or in $GICTRACE_HISTORY; set it to nothing to keep no history.\n\nExample:\n  gictrace shell boots.db\n',
    )
    .action(async (path: string) => {
      const db = new QueryDatabase(path);
      try {
        const apart = process.stdout.isTTY ? askApart(path) : undefined;
        await runShell(db, { ...ownTerminal(), apart });
      } finally {
        db.close();
      }
    });
}
