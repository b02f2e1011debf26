// A sheet as text that fits a terminal: cells wrap, and tables of numbers that are too wide are divided.
import { print } from '../../context.ts';
import type { Section, Sheet } from './sheet.ts';

const GAP = 2;
/** Columns of text are not made narrower than this. */
const NARROW = 8;

/** Wraps text at spaces, and words that are longer than a line anywhere. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    // A word with hyphens that does not fit into a line of its own begins where there is room.
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    while (word.length > width) {
      if (line !== '') lines.push(line);
      line = '';
      const hyphen = word.lastIndexOf('-', width - 1);
      const at = hyphen > 0 ? hyphen + 1 : width;
      lines.push(word.slice(0, at));
      word = word.slice(at);
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? (lines.length === 0 ? [''] : lines) : [...lines, line];
}

const longestWord = (text: string): number => Math.max(...text.split(/ |(?<=-)/).map((word) => word.length));

/** Widths of columns that fit: the widest one that can be narrower becomes so, first without breaking words. */
function widthsOf({ head, rows }: Pick<Section, 'head' | 'rows'>, width: number): number[] {
  const columns = head.map((name, k) => [name, ...rows.map((row) => row[k]!)]);
  const widths = columns.map((cells) => Math.max(...cells.map((cell) => cell.length)));
  const words = columns.map((cells) => Math.max(...cells.map(longestWord)));
  for (const least of [words, words.map(() => NARROW)])
    for (;;) {
      const total = widths.reduce((sum, n) => sum + n, 0) + GAP * (widths.length - 1);
      const can = widths.map((n, k) => (n > least[k]! ? n : 0));
      const widest = can.indexOf(Math.max(...can));
      if (total <= width || can[widest] === 0) break;
      widths[widest]!--;
    }
  return widths;
}

/** Divides a table of numbers whose columns do not fit side by side. */
function divided(section: Section, width: number): Section[] {
  if (!section.numbers) return [section];
  const natural = section.head.map((name, k) => {
    // The name of a column may wrap, a number may not.
    const names =
      k === 0
        ? section.rows.map((row) => Math.min(row[0]!.length, 22))
        : name.split(/[ _]/).map((w) => w.length);
    return Math.max(...names, ...(k === 0 ? [] : section.rows.map((row) => Math.min(row[k]!.length, 14))));
  });
  const parts: number[][] = [[]];
  let used = natural[0]!;
  for (let k = 1; k < natural.length; k++) {
    if (used + GAP + natural[k]! > width && parts.at(-1)!.length > 0) {
      parts.push([]);
      used = natural[0]!;
    }
    parts.at(-1)!.push(k);
    used += GAP + natural[k]!;
  }
  return parts.map((part, n) => {
    const cut = (row: readonly string[]) => [row[0]!, ...part.map((k) => row[k]!)];
    return {
      ...section,
      title: n === 0 ? section.title : `${section.title} (continued)`,
      head: cut(section.head),
      rows: section.rows.map(cut),
    };
  });
}

/** The lines of one table. */
export function tableLines(section: Section, width: number): string[] {
  const head = section.head.map((name) => name.replaceAll('_', ' '));
  const widths = widthsOf({ head, rows: section.rows }, width);
  const line = (cells: readonly string[]): string[] => {
    const wrapped = cells.map((cell, k) => wrap(cell, widths[k]!));
    return Array.from({ length: Math.max(...wrapped.map((list) => list.length)) }, (_, n) =>
      wrapped
        .map((list, k) => {
          const text = list[n] ?? '';
          return section.numbers && k > 0 ? text.padStart(widths[k]!) : text.padEnd(widths[k]!);
        })
        .join(' '.repeat(GAP))
        .trimEnd(),
    );
  };
  return [
    ...line(head),
    widths.map((n) => '─'.repeat(n)).join(' '.repeat(GAP)),
    ...section.rows.flatMap(line),
  ];
}

/** The columns of the terminal, or 80. */
export const terminalWidth = (): number => process.stdout.columns ?? (Number(process.env.COLUMNS) || 80);

export function printSheet({ lines, sections, notes }: Sheet, width: number): void {
  for (const text of lines) for (const line of wrap(text, width)) print(line);
  for (const section of sections.flatMap((one) => divided(one, width))) {
    print('');
    for (const line of wrap(section.title, width)) print(line);
    for (const line of tableLines(section, width)) print(line);
  }
  print('');
  for (const text of notes) for (const line of wrap(text, width)) print(line);
}

export function printMarkdown({ lines, sections, notes }: Sheet): void {
  const cells = (row: readonly string[]) =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  for (const text of lines) print(text);
  for (const { title, head, rows, numbers } of sections) {
    print(`\n## ${title}\n`);
    print(cells(head.map((name) => name.replaceAll('_', ' '))));
    print(cells(head.map((_, k) => (numbers && k > 0 ? '---:' : '---'))));
    for (const row of rows) print(cells(row));
  }
  print('');
  for (const text of notes) print(`- ${text}`);
}
