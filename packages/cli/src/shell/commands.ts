// The dot-commands, each with its argument, its help and its action. They change how results are printed, never a database.
import { closeSync, openSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import { FUNCTIONS, type Question, type Relation, TABLE_FUNCTIONS } from '@gictrace/query';
import { MODES, type Mode } from './print.ts';

/** The part of a session that the commands can see. */
export interface Settings {
  readonly relations: readonly Relation[];
  readonly questions: readonly Question[];
  mode: Mode;
  timer: boolean;
  /** The open file to which results are written, if not the terminal. */
  output: { readonly path: string; readonly fd: number } | undefined;
  readonly print: (line: string) => void;
  readonly ask: (sql: string) => void;
}

interface Command {
  /** The argument, as the help prints it. */
  readonly takes: string;
  readonly help: string;
  /** The values that the argument can have; null if it is a file. */
  readonly arguments: (settings: Pick<Settings, 'relations' | 'questions'>) => readonly string[] | null;
  readonly run: (argument: string, settings: Settings) => void;
}

const none = (): readonly string[] => [];
const usage = (message: string, hint: string) => new GicTraceError('usage', message, {}, hint);

export const COMMANDS: Readonly<Record<string, Command>> = {
  '.views': {
    takes: '',
    help: 'the views',
    arguments: none,
    run: (_, settings) => list('view', settings),
  },
  '.modules': {
    takes: '',
    help: 'lists the library of modules: views that answer whole questions',
    arguments: none,
    run: (_, settings) => list('module', settings),
  },
  '.columns': {
    takes: 'VIEW',
    help: 'lists the columns of a view or module',
    arguments: ({ relations }) => relations.map(({ name }) => name),
    run: (argument, { relations, print }) => {
      const relation = relations.find(({ name }) => name === argument.toLowerCase());
      if (relation === undefined)
        throw usage(`there is no view '${argument}'`, '.views and .modules list them');
      for (const [column, doc] of Object.entries(relation.columns))
        print(`${column.padEnd(18)} ${doc}`.trimEnd());
    },
  },
  '.functions': {
    takes: '',
    help: 'lists functions for SQL',
    arguments: none,
    run: (_, { print }) => {
      for (const [call, doc] of Object.entries(FUNCTIONS)) print(`${call.padEnd(34)} ${doc}`);
      for (const [call, { doc, columns }] of Object.entries(TABLE_FUNCTIONS))
        print(`${call.padEnd(34)} ${doc} Rows: ${Object.keys(columns).join(', ')}`);
    },
  },
  '.examples': {
    takes: '[N]',
    help: 'lists example queries; with a number or name, runs one of them',
    arguments: ({ questions }) => questions.map(({ name }) => name),
    run: example,
  },
  '.mode': {
    takes: MODES.join('|'),
    help: 'sets how results are printed',
    arguments: () => MODES,
    run: (argument, settings) => {
      const mode = MODES.find((one) => one === argument);
      if (argument === '') settings.print(settings.mode);
      else if (mode === undefined) throw usage(`there is no mode '${argument}'`, MODES.join(', '));
      else settings.mode = mode;
    },
  },
  '.output': {
    takes: '[FILE]',
    help: 'writes results to a new file from now on; without FILE, to the terminal again',
    arguments: () => null,
    run: redirect,
  },
  '.timer': {
    takes: 'on|off',
    help: 'prints how long queries took',
    arguments: () => ['on', 'off'],
    run: (argument, settings) => {
      if (argument !== 'on' && argument !== 'off')
        throw usage(`.timer is on or off, not '${argument}'`, '.timer on');
      settings.timer = argument === 'on';
    },
  },
  '.help': {
    takes: '',
    help: 'this',
    arguments: none,
    run: (_, { print }) => {
      for (const [name, { takes, help }] of Object.entries(COMMANDS))
        print(`${`${name} ${takes}`.padEnd(28)} ${help}`);
      print(`${'.quit'.padEnd(28)} leaves the shell, like .exit and Ctrl-D`);
      print(
        'A query may take several lines; a semicolon ends it. Tab completes, Ctrl-R searches, Ctrl-C discards a line.',
      );
    },
  },
};
/** Commands that end a session. */
export const LEAVE: readonly string[] = ['.quit', '.exit'];

/**
 * Runs a dot-command.
 * @throws GicTraceError `usage` for an unknown command, or an argument that it does not take.
 */
export function runCommand(text: string, settings: Settings): void {
  const [, name = '', argument = ''] = /^(\S+)\s*(.*)$/.exec(text)!;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw usage(`there is no command '${name}'`, '.help lists them');
  if (command.takes === '' && argument !== '') throw usage(`${name} takes no argument`, name);
  command.run(argument.trim(), settings);
}

function list(kind: Relation['kind'], { relations, print }: Settings): void {
  const own = relations.filter((one) => one.kind === kind);
  const width = Math.max(14, ...own.map(({ name }) => name.length));
  for (const { name, doc } of own)
    print(`${name.padEnd(width)} ${doc.split('. ', 1)[0]!.replace(/\.$/, '')}.`);
}

function example(argument: string, { questions, print, ask }: Settings): void {
  if (argument === '') {
    questions.forEach(({ name, question, sql }, k) => {
      print(`-- ${k + 1} ${name}: ${question}\n${sql};\n`);
    });
    return;
  }
  const one = /^\d+$/.test(argument)
    ? questions[Number(argument) - 1]
    : questions.find(({ name }) => name === argument);
  if (one === undefined)
    throw usage(
      `there is no example '${argument}'`,
      `.examples lists ${questions.length}, with their numbers`,
    );
  print(`-- ${one.question}\n${one.sql};`);
  ask(one.sql);
}

function redirect(path: string, settings: Settings): void {
  if (settings.output !== undefined) closeSync(settings.output.fd);
  settings.output = undefined;
  if (path === '' || path === 'stdout') return;
  let fd: number;
  try {
    // The flag x: an existing file, which may be the database itself, is not overwritten.
    fd = openSync(path, 'wx');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'exists already' : code === 'ENOENT' ? 'no such directory' : message;
    throw new GicTraceError('usage', `cannot be written: ${why}`, { path }, 'name a new file');
  }
  settings.output = { path, fd };
}
