// Prints the results of queries for people and for programs: as a table, as lines, as JSON or as CSV.
import { type Answer, cellText, toCsv, toJson } from '@gictrace/query';
import Table from 'cli-table3';
import { grouped } from '../context.ts';

export const MODES = ['table', 'json', 'csv', 'line'] as const;
export type Mode = (typeof MODES)[number];
/** Where results, and notes for people, are written. */
export interface Output {
  write(text: string): void;
  note(text: string): void;
}

const ROWS_MAX = 2000;

/** Writes a result in a mode. If a table is cut, a note says so. */
export function writeAnswer(answer: Answer, mode: Mode, out: Output): void {
  if (mode === 'json') for (const text of toJson(answer)) out.write(text);
  else if (mode === 'csv') for (const text of toCsv(answer)) out.write(text);
  else if (mode === 'line') writeLines(answer, out);
  else writeTable(answer, out);
}

function writeTable(answer: Answer, out: Output): void {
  const table = new Table({ head: [...answer.columns], style: { head: [], border: [], compact: true } });
  let rows = 0;
  for (const row of answer.rows) {
    if (++rows <= ROWS_MAX) table.push(row.map(cellText));
  }
  out.write(`${table.toString()}\n`);
  if (rows > ROWS_MAX) out.note(`${grouped(ROWS_MAX)} of ${grouped(rows)} rows shown; CSV and JSON give all`);
}

/** Writes one line per cell, and an empty line between rows. */
function writeLines(answer: Answer, out: Output): void {
  const width = Math.max(0, ...answer.columns.map((name) => name.length));
  let isFirst = true;
  for (const row of answer.rows) {
    const lines = row.map((cell, k) => `${answer.columns[k]!.padStart(width)} = ${cellText(cell)}\n`);
    out.write(`${isFirst ? '' : '\n'}${lines.join('')}`);
    isFirst = false;
  }
}
