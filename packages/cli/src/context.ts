// What every verb needs of its surroundings: where to print, and how to show progress. Knows no verb.

import { readFileSync } from 'node:fs';
import { SingleBar } from 'cli-progress';

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Prints to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A note for people on standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Numbers with thousands marked, the same in every locale. */
export function grouped(n: number): string {
  return `${n}`.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

const SHOW_AFTER_MS = 1000;

/** Progress on standard error: nothing in the first second, nothing at all where it is no terminal. */
export class Progress {
  private readonly unit: string;
  private readonly total: number;
  private readonly began = performance.now();
  private bar: SingleBar | undefined;

  constructor(unit: string, total = 0) {
    this.unit = unit;
    this.total = total;
  }

  update(done: number): void {
    if (!process.stderr.isTTY || performance.now() - this.began < SHOW_AFTER_MS) return;
    if (this.bar === undefined) {
      const format = this.total > 0 ? `{bar} {percentage}% {value} ${this.unit}` : `{value} ${this.unit}`;
      this.bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true });
      this.bar.start(this.total, done);
    }
    this.bar.update(done);
  }

  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}

/** Aligned lines of name and count, most first. */
export function countLines(counts: Readonly<Record<string, number>>, indent = '  '): string[] {
  const rows = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const width = Math.max(0, ...rows.map(([, n]) => grouped(n).length));
  return rows.map(([name, n]) => `${indent}${grouped(n).padStart(width)}  ${name}`);
}

/** JSON for machines: one line, bigints as strings. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? `${member}` : member,
  );
}

/** An option's whole number within a range; throws a message that names the option. */
export function wholeNumber(name: string, low: number, high: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || n < low || n > high)
      throw new InvalidOption(`${name} takes a whole number from ${low} to ${high}, not '${text}'`);
    return n;
  };
}

/** Help of --force, which every verb that writes a file has. */
export const FORCE = 'replace an existing file that gictrace did not write';

export class InvalidOption extends Error {}
