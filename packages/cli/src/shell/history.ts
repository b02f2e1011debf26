// The history of the shell, kept between sessions in a file with one entry per line, the latest last. If it cannot be
// kept, the session continues without it.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Entries that are kept. */
export const ENTRIES_MAX = 1000;
/** Longer statements are not kept. */
const LENGTH_MAX = 10_000;

/** The path of the history: $GICTRACE_HISTORY, or as XDG says. Undefined, for no history, if $GICTRACE_HISTORY is empty. */
export function historyPath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.GICTRACE_HISTORY !== undefined)
    return env.GICTRACE_HISTORY === '' ? undefined : env.GICTRACE_HISTORY;
  // XDG says that a relative path must be ignored.
  const state = env.XDG_STATE_HOME?.startsWith('/')
    ? env.XDG_STATE_HOME
    : join(env.HOME ?? homedir(), '.local', 'state');
  return join(state, 'gictrace', 'history');
}

export class History {
  private readonly path: string | undefined;
  /** All entries, the latest last. */
  readonly entries: string[];

  constructor(path: string | undefined) {
    this.path = path;
    this.entries = this.read();
  }

  /** Keeps an entry of one line. An entry that repeats the one before it is not kept again. */
  add(entry: string): void {
    if (entry === '' || entry.includes('\n') || entry.length > LENGTH_MAX || this.entries.at(-1) === entry)
      return;
    this.entries.push(entry);
    if (this.entries.length > ENTRIES_MAX) this.entries.shift();
    this.keep((path) => appendFileSync(path, `${entry}\n`, { mode: 0o600 }));
  }

  /** Reads the file, cut to the entries that are kept. Other sessions may have added to it. */
  private read(): string[] {
    if (this.path === undefined) return [];
    let lines: string[];
    try {
      lines = readFileSync(this.path, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && line.length <= LENGTH_MAX);
    } catch {
      return [];
    }
    const kept = lines.slice(-ENTRIES_MAX);
    if (lines.length > 2 * ENTRIES_MAX)
      this.keep((path) => writeFileSync(path, `${kept.join('\n')}\n`, { mode: 0o600 }));
    return kept;
  }

  private keep(write: (path: string) => void): void {
    if (this.path === undefined) return;
    try {
      makeFolder(dirname(this.path));
      write(this.path);
    } catch {
      // The home folder may be read-only: the session continues without a history.
    }
  }
}

/** Makes a folder and its parents. Node's own recursion does not terminate if a folder cannot be made, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  mkdirSync(path, { mode: 0o700 });
}
