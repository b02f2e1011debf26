// The shell at a terminal, with completion and history, and the same shell reading queries from a pipe.
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { GicTraceError } from '@gictrace/core';
import { FUNCTIONS, type QueryDatabase, TABLE_FUNCTIONS } from '@gictrace/query';
import { printable } from '../printable.ts';
import { hasColour, shownText } from '../streams.ts';
import { headed } from '../terminal/colour.ts';
import { COMMANDS, LEAVE } from './commands.ts';
import { complete, type Vocabulary } from './complete.ts';
import { ENTRIES_MAX, History, historyPath } from './history.ts';
import type { Output } from './print.ts';
import { type AskApart, Session } from './session.ts';

const PROMPT = 'gictrace> ';
const MORE = '     ...> ';

/** What the shell reads from and writes to. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly isInteractive: boolean;
  /** The file of the history; undefined if none is kept. */
  readonly history?: string | undefined;
  readonly note: (text: string) => void;
  /** Runs queries in processes of their own, if they can write to this terminal. */
  readonly apart?: AskApart | undefined;
}

/** The terminal of this process. */
export function ownTerminal(): Terminal {
  return {
    input: process.stdin,
    output: process.stdout,
    isInteractive: process.stdin.isTTY === true,
    history: historyPath(),
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/**
 * Answers queries until the input ends. @returns when the session is over
 * @throws GicTraceError `usage` if the input is not a terminal and one of the queries could not be answered.
 */
export async function runShell(db: QueryDatabase, terminal: Terminal = ownTerminal()): Promise<void> {
  const out: Output = {
    write: (text) => void terminal.output.write(shownText(printable(text))),
    ...(hasColour()
      ? { head: (text) => void terminal.output.write(headed(shownText(printable(text)))) }
      : {}),
    note: (text) => terminal.note(printable(text)),
    get width() {
      const { isTTY, columns } = terminal.output as Partial<NodeJS.WriteStream>;
      return isTTY ? columns : undefined;
    },
  };
  const session = new Session(db, out, terminal.isInteractive ? terminal.apart : undefined);
  if (terminal.isInteractive) return interactive(session, terminal);
  const lines = createInterface({ input: terminal.input, terminal: false });
  try {
    for await (const line of lines) if (session.take(line) === undefined) break;
    session.end();
  } finally {
    lines.close();
  }
  // For scripts, a query that failed must show in the exit code.
  if (session.failed) throw new GicTraceError('usage', 'some of the queries could not be answered');
}

function interactive(session: Session, terminal: Terminal): Promise<void> {
  const history = new History(terminal.history);
  const vocabulary = vocabularyOf(session);
  const lines: Interface = createInterface({
    input: terminal.input,
    output: terminal.output,
    terminal: true,
    prompt: PROMPT,
    history: [...history.entries].reverse(),
    historySize: ENTRIES_MAX,
    completer: (line: string) => complete(line, vocabulary, session.pending, lines.line.slice(lines.cursor)),
  });
  const recall = recallOf(lines);
  const ask = () => {
    lines.setPrompt(session.pending === '' ? PROMPT : MORE);
    lines.prompt();
  };
  terminal.output.write('.help lists the commands, Tab completes\n');
  ask();
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const entries = interruptibly(terminal.input, () => session.take(line));
      if (entries === undefined) return lines.close();
      for (const entry of entries) history.add(entry);
      // A statement of several lines is recalled as a whole.
      if (session.pending === '') recall(history.entries);
      ask();
    });
    lines.on('SIGINT', () => {
      const isIdle = lines.line === '' && session.pending === '';
      session.drop();
      recall(history.entries);
      // Ctrl-E and Ctrl-U delete the rest of the line.
      lines.write(null, { ctrl: true, name: 'e' });
      lines.write(null, { ctrl: true, name: 'u' });
      terminal.output.write(isIdle ? '\n.quit or Ctrl-D leaves\n' : '^C\n');
      ask();
    });
    lines.on('close', () => {
      session.drop();
      session.end();
      terminal.output.write('\n');
      resolve();
    });
  });
}

/**
 * Does work during which Ctrl-C sends SIGINT, as it does elsewhere: readline, which reads the terminal in raw mode, would not
 * see the key before the answer is there.
 */
function interruptibly<T>(input: NodeJS.ReadableStream, work: () => T): T {
  const { setRawMode } = input as Partial<NodeJS.ReadStream>;
  setRawMode?.call(input, false);
  try {
    return work();
  } finally {
    setRawMode?.call(input, true);
  }
}

/** Sets the entries that the arrows and Ctrl-R find. They are readline's own list, to which it adds each line. */
function recallOf(lines: Interface): (entries: readonly string[]) => void {
  let own = (lines as unknown as { history?: string[] }).history;
  lines.on('history', (list: string[]) => {
    own = list;
  });
  return (entries) => own?.splice(0, own.length, ...[...entries].reverse());
}

function vocabularyOf({ settings }: Session): Vocabulary {
  const name = (call: string) => call.slice(0, call.indexOf('('));
  const commands = Object.entries(COMMANDS).map(
    ([command, one]) => [command, one.arguments(settings)] as const,
  );
  return {
    relations: settings.relations,
    functions: [...new Set(Object.keys(FUNCTIONS).map(name))],
    tableFunctions: Object.keys(TABLE_FUNCTIONS).map(name),
    commands: Object.fromEntries([...commands, ...LEAVE.map((command) => [command, []] as const)]),
    files,
  };
}

/** Files and folders whose path begins with a prefix. */
function files(prefix: string): string[] {
  const folder = prefix.endsWith('/') || prefix === '' ? prefix || '.' : dirname(prefix);
  const start = prefix.endsWith('/') ? '' : basename(prefix);
  const lead = prefix.slice(0, prefix.length - start.length);
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.name.startsWith(start))
      .map((entry) => `${lead}${entry.name}${entry.isDirectory() ? '/' : ''}`);
  } catch {
    return [];
  }
}
