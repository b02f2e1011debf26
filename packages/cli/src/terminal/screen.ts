// What standard output is: whether it has colours, which characters it can show, and whether a pager may be put before it.
// Decided once for a command line, from its options and the environment. Does not write anything.
import { GicTraceError } from '@gictrace/core';
import { mayWrite } from '../named-files.ts';

/** What is known of standard output. */
export interface Screen {
  readonly hasColour: boolean;
  /** It is a terminal whose locale has no UTF-8. */
  readonly isAscii: boolean;
  /** The answer is for people, and may be longer than the terminal. */
  readonly mayPage: boolean;
}

/** Not a terminal: what is printed is the same everywhere. */
export const NO_SCREEN: Screen = { hasColour: false, isAscii: false, mayPage: false };

const WHEN = ['auto', 'always', 'never'] as const;
type When = (typeof WHEN)[number];

/** Options that every verb has. */
export interface CommonOptions {
  readonly isDebug: boolean;
  readonly colour: When;
  readonly pager: boolean;
}

/**
 * Takes the common options out of a command line. They are accepted anywhere before `--`, because people append them to a
 * command that has just run.
 * @throws GicTraceError `usage` for a `--color` that is none.
 */
export function commonOptions(args: readonly string[]): {
  readonly own: readonly string[];
  readonly common: CommonOptions;
} {
  const end = args.indexOf('--');
  const own: string[] = [];
  let [isDebug, colour, pager]: [boolean, When, boolean] = [false, 'auto', true];
  for (const [at, word] of args.entries()) {
    if (end >= 0 && at >= end) own.push(word);
    else if (word === '--debug') isDebug = true;
    else if (word === '--no-pager') pager = false;
    else if (word === '--no-color') colour = 'never';
    else if (word === '--color') colour = 'always';
    else if (word.startsWith('--color=')) colour = whenOf(word.slice('--color='.length));
    else own.push(word);
  }
  return { own, common: { isDebug, colour, pager } };
}

function whenOf(text: string): When {
  const found = WHEN.find((when) => when === text);
  if (found !== undefined) return found;
  throw new GicTraceError('usage', `--color takes ${WHEN.join(', ')}, not '${text}'`);
}

type Environment = Readonly<Record<string, string | undefined>>;
const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';

/** The screen of a command line, whose own words are `own`. */
export function screenOf(
  own: readonly string[],
  { colour, pager }: CommonOptions,
  isTerminal: boolean,
  env: Environment,
): Screen {
  const isDumb = env.TERM === 'dumb';
  return {
    hasColour: colour === 'auto' ? environmentHasColour(isTerminal && !isDumb, env) : colour === 'always',
    isAscii: isTerminal && !isUtf8(env),
    mayPage: isTerminal && !isDumb && pager && isLong(own),
  };
}

/** As in Node: FORCE_COLOR decides before NO_COLOR, which decides before what the terminal can do. */
function environmentHasColour(byTerminal: boolean, { FORCE_COLOR, NO_COLOR }: Environment): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return byTerminal && !isSet(NO_COLOR);
}

/** POSIX: the first of these that is set and not empty is the locale of characters; without any it is "C". */
function isUtf8({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  return /utf-?8/i.test([LC_ALL, LC_CTYPE, LANG].find(isSet) ?? '');
}

/** Verbs that print an answer and end. The others report while they work, take keys, or start programs that print. */
const ANSWERING: ReadonlySet<string> = new Set([
  ...['info', 'dump', 'replay', 'check', 'why', 'diff', 'compare', 'claims', 'query'],
  ...['scenarios', 'backends'],
]);
/** For programs; and a query that has a limit of time would have it for the reader, too. */
const NOT_PAGED = /^--(json|csv|timeout)\b/;

/** Whether a command line prints what people read. While an output is open, signals are for it (interrupt.ts). */
function isLong(own: readonly string[]): boolean {
  return ANSWERING.has(own[0] ?? '') && !mayWrite(own) && !own.some((word) => NOT_PAGED.test(word));
}

/** The characters that we print and ASCII lacks. A cell of a table keeps its width. */
const IN_ASCII: readonly (readonly [RegExp, string])[] = [
  [/[─–−]/g, '-'],
  [/│/g, '|'],
  [/[┌┬┐├┼┤└┴┘]/g, '+'],
  [/×/g, 'x'],
  [/·/g, '.'],
  [/µ/g, 'u'],
  [/²/g, '2'],
  [/’/g, "'"],
  [/…(?= *\|)/g, '~'],
  [/…/g, '...'],
  [/→/g, '->'],
  [/≥/g, '>='],
];

/** The text for a terminal whose locale has no UTF-8. */
export function asciiOf(text: string): string {
  return IN_ASCII.reduce((sofar, [from, to]) => sofar.replace(from, to), text);
}
