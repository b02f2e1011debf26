// Tables fit the terminal, and numbers can be compared by eye.
import { describe, expect, it } from 'vitest';
import { writeAnswer } from './print.ts';

function shown(columns: string[], rows: (string | number | bigint | null)[][], width?: number) {
  let text = '';
  const notes: string[] = [];
  const out = {
    write: (more: string) => void (text += more),
    note: (line: string) => void notes.push(line),
    width,
  };
  writeAnswer({ columns, rows }, 'table', out);
  return { lines: text.trimEnd().split('\n'), notes };
}

const COLUMNS = ['INTID', 'cause', 'latency_ns'];
const ROWS = [
  [8202n, 'a cause that takes many words to say in full', 12n],
  [27n, 'wire', null],
  [8203n, 'msi', 123_456n],
];

describe('a table', () => {
  it('aligns numbers at the right, texts at the left', () => {
    const { lines } = shown(COLUMNS, ROWS);
    expect(lines[3]).toBe('│  8202 │ a cause that takes many words to say in full │         12 │');
    expect(lines[4]).toBe('│    27 │ wire                                         │          - │');
  });

  it.each([40, 50, 80])('is no wider than a terminal of %i, and loses no number', (width) => {
    const { lines, notes } = shown(COLUMNS, ROWS, width);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    expect(lines.join('\n')).toContain('123456');
    expect(lines.join('\n').includes('…')).toBe(width < 68);
    expect(notes).toEqual([]);
  });

  it('of which not even the numbers fit is printed as lines, and a note says so', () => {
    const { lines, notes } = shown(COLUMNS, ROWS, 20);
    expect(lines[0]).toBe('     INTID = 8202');
    expect(notes).toEqual([expect.stringMatching(/wider than the terminal/)]);
  });
});
