// Text from a file that may be hostile, as it can be printed to a terminal: without control characters, which could move the
// cursor, set the title or hide text, and without the characters that reverse the direction of what follows.

/** Control characters except tabs, newlines and the line ends of CSV, and the bidirectional formatting characters of Unicode. */
const UNPRINTABLE = /(?![\t\n]|\r\n)\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const LINE_MAX = 2000;

function escaped(c: string): string {
  const code = c.charCodeAt(0);
  return code < 0x80
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The text with an escape, such as \x1b or \u202e, in place of each such character. JSON has no control characters below
 * U+0080 in it, and there \u202e is that character. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** A message on one line. The middle of one that is longer than a screen is left out: its end may be a hint. */
export function printableLine(text: string): string {
  const line = printable(text).replace(/[\t\n]/g, escaped);
  if (line.length <= LINE_MAX) return line;
  const half = LINE_MAX >> 1;
  return `${line.slice(0, half)}… (${line.length - 2 * half} characters) …${line.slice(-half)}`;
}
