// Prints the results of queries for people and for programs: as a table, as lines, as JSON or as CSV.
import { type Answer, type Cell, cellText, toCsv, toJson } from '@gictrace/query';
import Table from 'cli-table3';
import { grouped } from '../context.ts';

export const MODES = ['table', 'json', 'csv', 'line'] as const;
export type Mode = (typeof MODES)[number];
/** Where results, and notes for people, are written. */
export interface Output {
  write(text: string): void;
  /** Writes the head of a table, if it is to stand out. */
  readonly head?: (text: string) => void;
  note(text: string): void;
  /** Characters of a line, if results go to a terminal. */
  readonly width?: number | undefined;
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
  const rows: (readonly Cell[])[] = [];
  let count = 0;
  for (const row of answer.rows) if (++count <= ROWS_MAX) rows.push(row);
  const widths = widthsFor(answer.columns, rows, out.width);
  if (widths === undefined) {
    writeLines({ columns: answer.columns, rows }, out);
    out.note('the table is wider than the terminal: each cell has a line of its own');
  } else {
    const table = new Table({
      head: [...answer.columns],
      colAligns: answer.columns.map((_, k) => (isNumeric(rows, k) ? 'right' : 'left')),
      colWidths: widths,
      style: { head: [], border: [], compact: true },
    });
    for (const row of rows) table.push(row.map(cellText));
    const [border = '', head = '', ...more] = table.toString().split('\n');
    out.write(`${border}\n`);
    if (out.head === undefined) out.write(`${head}\n`);
    else {
      out.head(head);
      out.write('\n');
    }
    out.write(`${more.join('\n')}\n`);
  }
  if (count > ROWS_MAX)
    out.note(`${grouped(ROWS_MAX)} of ${grouped(count)} rows shown; CSV and JSON give all`);
}

/** Whether all values of a column are numbers, at least one. */
function isNumeric(rows: readonly (readonly Cell[])[], k: number): boolean {
  let some = false;
  for (const { [k]: cell } of rows) {
    if (cell === null) continue;
    if (typeof cell !== 'number' && typeof cell !== 'bigint') return false;
    some = true;
  }
  return some;
}

/** Characters of a border and of the blanks in a cell. */
const BORDER = 1;
const BLANKS = 2;
/** A column of text is not made narrower than this. */
const TEXT_MIN = 12;

/**
 * The width of each column, with its blanks: as wide as its content if the table fits into `limit` characters, otherwise
 * columns of text are cut. Undefined if the table does not fit even so.
 */
function widthsFor(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  limit = Number.POSITIVE_INFINITY,
): number[] | undefined {
  const widths = columns.map((name, k) =>
    rows.reduce((width, { [k]: cell = null }) => Math.max(width, cellText(cell).length), name.length),
  );
  const isText = columns.map((_, k) => !isNumeric(rows, k));
  let over = widths.reduce((sum, width) => sum + width + BLANKS + BORDER, BORDER) - limit;
  while (over > 0) {
    let widest = -1;
    for (const [k, width] of widths.entries())
      if (isText[k] && width > Math.max(TEXT_MIN, columns[k]!.length) && width > (widths[widest] ?? 0))
        widest = k;
    if (widest < 0) return undefined;
    const least = Math.max(TEXT_MIN, columns[widest]!.length);
    const cut = Math.min(over, widths[widest]! - least);
    widths[widest]! -= cut;
    over -= cut;
  }
  return widths.map((width) => width + BLANKS);
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
