// A query of the shell in a process of its own, so that Ctrl-C ends the query and not the session.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AskApart } from './session.ts';

const BIN = fileURLToPath(new URL('../../bin/gictrace.js', import.meta.url));
/** The exit code of a process that says itself that it was interrupted. */
const INTERRUPTED = 130;

/** Asks a database by `gictrace query`, at the terminal of this process. */
export function askApart(path: string): AskApart {
  return (sql, mode, fd) => {
    // The terminal sends SIGINT to both processes. It is meant for the query.
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    try {
      const words = ['query', ...(mode === 'table' ? [] : [`--${mode}`]), '--', path, sql];
      const { status, signal } = spawnSync(process.execPath, [BIN, ...words], {
        stdio: ['ignore', fd ?? 'inherit', 'inherit'],
      });
      if (signal === 'SIGINT' || status === INTERRUPTED) return 'interrupted';
      return status === 0 ? 'done' : 'failed';
    } finally {
      process.removeListener('SIGINT', ignore);
    }
  };
}
