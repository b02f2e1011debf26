// Results as text: CSV by RFC 4180, and JSON that loses no digits. (The command line formats tables.)
import type { Answer, Cell } from './plain.ts';

function plain(cell: Cell): string {
  if (cell === null) return '';
  return cell instanceof Uint8Array ? `0x${Buffer.from(cell).toString('hex')}` : `${cell}`;
}

/** A cell as text for people. */
export function cellText(cell: Cell): string {
  return cell === null ? '-' : plain(cell);
}

/** A cell for JSON: integers as numbers if that is exact, otherwise as strings. */
export function cellJson(cell: Cell): number | string | null {
  if (typeof cell === 'bigint') return Number.isSafeInteger(Number(cell)) ? Number(cell) : `${cell}`;
  return cell === null || typeof cell === 'number' ? cell : plain(cell);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of CSV, with CR LF ends. */
export function* toCsv(answer: Answer): Generator<string> {
  yield `${answer.columns.map(quoted).join(',')}\r\n`;
  for (const row of answer.rows) yield `${row.map((cell) => quoted(plain(cell))).join(',')}\r\n`;
}

/** One JSON array of objects. */
export function* toJson(answer: Answer): Generator<string> {
  let first = true;
  yield '[';
  for (const row of answer.rows) {
    const object = Object.fromEntries(answer.columns.map((name, k) => [name, cellJson(row[k]!)]));
    yield `${first ? '\n' : ',\n'}${JSON.stringify(object)}`;
    first = false;
  }
  yield first ? ']\n' : '\n]\n';
}
