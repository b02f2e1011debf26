// What all verbs share: printing, and formatting numbers. This file must not know any verb.
import { printable } from './printable.ts';
import { hasColour, writeErr, writeOut } from './streams.ts';
import { painted } from './terminal/colour.ts';

export { VERSION, wholeNumber } from '@gictrace/core';

/** Prints to standard output, without control characters. */
export function print(text: string): void {
  const shown = printable(text);
  writeOut(`${hasColour() ? painted(shown) : shown}\n`);
}

/** Prints a note for people on standard error. */
export function note(text: string): void {
  writeErr(`${printable(text)}\n`);
}

/** Formats a number with thousands separators, the same in every locale. */
export function grouped(n: number): string {
  return `${n}`.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Aligned lines of count and name, in descending order of the count. */
export function countLines(counts: Readonly<Record<string, number>>, indent = '  '): string[] {
  const rows = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const width = Math.max(0, ...rows.map(([, n]) => grouped(n).length));
  return rows.map(([name, n]) => `${indent}${grouped(n).padStart(width)}  ${name}`);
}

/** JSON for programs: one line, with bigints as strings. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? `${member}` : member,
  );
}

/** Help of --force, which every verb that writes a file has. */
export const FORCE = 'replace an existing file that gictrace did not write';

export class InvalidOption extends Error {}
