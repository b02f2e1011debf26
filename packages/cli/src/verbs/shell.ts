// gictrace shell: SQL questions, interactively.
import { QueryDatabase } from '@gictrace/query';
import type { Command } from 'commander';
import { runShell } from '../shell/index.ts';

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
