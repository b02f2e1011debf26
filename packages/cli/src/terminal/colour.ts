// The colours of what is printed for people: which words and lines have which, declared once for all verbs. Does not know
// whether there are colours (screen.ts).
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const GOOD: Style = ['bold', 'green'];
const BAD: Style = ['bold', 'red'];
const DOUBTFUL: Style = ['bold', 'yellow'];

/** What begins a line, and its style. */
const PALETTE: readonly (readonly [RegExp, Style])[] = [
  // Verdicts.
  [/^(SAME|CLEAN)(?=:)/gm, GOOD],
  [/^(DIVERGED|DIFFERS|FOUND)(?=:)/gm, BAD],
  [/^(NOTHING COMPARED|NOWHERE)(?=:)/gm, DOUBTFUL],
  // Findings of check, and cases of golden.
  [/^(error|failed|differs)(?= +\S)/gm, BAD],
  [/^(warning|missing|obsolete)(?= +\S)/gm, DOUBTFUL],
  // The way of why.
  [/^ {2}ok(?= )/gm, GOOD],
  [/^ {2}NO(?= )/gm, BAD],
  // The record of a place where two traces differ.
  [/^ {2}[AB] > .*$/gm, 'bold'],
  [/^ {2}recorded: .*$/gm, 'green'],
  [/^ {2}replayed: .*$/gm, 'red'],
  // Headings: a line that ends in a colon, and the head of a table over its rule.
  [/^[a-z][^\n{}"]*:$/gm, 'bold'],
  [/^.+(?=\n─+(?: +─+)*$)/gm, 'bold'],
];

/** Text of lines, which has no control characters, with colours. */
export function painted(text: string): string {
  return PALETTE.reduce((sofar, [what, style]) => sofar.replace(what, (found) => styled(style, found)), text);
}

/** The head of a table. */
export function headed(text: string): string {
  return styled('bold', text);
}

/** Whether there are colours is decided already. */
function styled(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}
