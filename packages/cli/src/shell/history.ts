// What was asked before, kept between sessions: a line an entry, the latest last. That it cannot be kept stops nobody.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Entries that are kept. */
export const ENTRIES_MAX = 1000;
/** Longer statements are not kept. */
const LENGTH_MAX = 10_000;

/** Where history is kept: $GICTRACE_HISTORY, or by XDG; undefined: nowhere, where that is empty. */
export function historyPath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.GICTRACE_HISTORY !== undefined)
    return env.GICTRACE_HISTORY === '' ? undefined : env.GICTRACE_HISTORY;
  // By XDG a relative path is to be ignored.
  const state = env.XDG_STATE_HOME?.startsWith('/')
    ? env.XDG_STATE_HOME
    : join(env.HOME ?? homedir(), '.local', 'state');
  return join(state, 'gictrace', 'history');
}

export class History {
  private readonly path: string | undefined;
  /** The latest last. */
  readonly entries: string[];

  constructor(path: string | undefined) {
    this.path = path;
    this.entries = this.read();
  }

  /** Keeps an entry of one line; the same twice in a row is one. */
  add(entry: string): void {
    if (entry === '' || entry.includes('\n') || entry.length > LENGTH_MAX || this.entries.at(-1) === entry)
      return;
    this.entries.push(entry);
    if (this.entries.length > ENTRIES_MAX) this.entries.shift();
    this.keep((path) => appendFileSync(path, `${entry}\n`, { mode: 0o600 }));
  }

  /** The file, cut to what is kept; other sessions may have added to it. */
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
      // A home that cannot be written to: the session goes on without.
    }
  }
}

/** Makes a folder and those above it. Node's own recursion does not end where a folder takes no others, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  mkdirSync(path, { mode: 0o700 });
}
