// Finds where in a query SQLite found an error. Its message names a word, which often occurs in the query only once.
import { GicTraceError } from '@gictrace/core';

const NAMES = [
  /near "([^"]+)"/,
  /no such (?:column|table|function): (?:\w+\.)*(\w+)/,
  /ambiguous column name: (\S+)/,
];

/** The same error with line and column (1-based) if they are certain; any other error unchanged. */
export function placeOf(error: unknown, sql: string): unknown {
  if (!(error instanceof GicTraceError) || error.code !== 'usage') return error;
  const word = NAMES.map((pattern) => pattern.exec(error.message)?.[1]).find((one) => one !== undefined);
  if (word === undefined) return error;
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const isWord = /^\w+$/.test(word);
  const found = [...sql.matchAll(new RegExp(isWord ? `\\b${escaped}\\b` : escaped, 'g'))];
  if (found.length !== 1) return error;
  const before = sql.slice(0, found[0]!.index).split('\n');
  // Blank lines before a query are not counted.
  const first = before.findIndex((line) => line.trim() !== '');
  const line = first < 0 ? 1 : before.length - first;
  const column = before.at(-1)!.length + 1;
  const place = `${error.message} (line ${line}, column ${column})`;
  return new GicTraceError(error.code, place, error.place, error.hint);
}
