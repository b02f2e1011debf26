// Where in a question SQLite found the fault that it tells: it names a word, and often that is there once.
import { GicTraceError } from '@gictrace/core';

const NAMES = [
  /near "([^"]+)"/,
  /no such (?:column|table|function): (?:\w+\.)*(\w+)/,
  /ambiguous column name: (\S+)/,
];

/** The same fault with line and column (1-based), where they are certain; any other error as it is. */
export function placeOf(error: unknown, sql: string): unknown {
  if (!(error instanceof GicTraceError) || error.code !== 'usage') return error;
  const word = NAMES.map((pattern) => pattern.exec(error.message)?.[1]).find((one) => one !== undefined);
  if (word === undefined) return error;
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const isWord = /^\w+$/.test(word);
  const found = [...sql.matchAll(new RegExp(isWord ? `\\b${escaped}\\b` : escaped, 'g'))];
  if (found.length !== 1) return error;
  const before = sql.slice(0, found[0]!.index).split('\n');
  // Blank lines before a question are not counted.
  const first = before.findIndex((line) => line.trim() !== '');
  const line = first < 0 ? 1 : before.length - first;
  const column = before.at(-1)!.length + 1;
  const place = `${error.message} (line ${line}, column ${column})`;
  return new GicTraceError(error.code, place, error.place, error.hint);
}
