// The text of a golden trace: folded, and nothing lost by it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Folded } from './text.ts';

function folded(lines: readonly string[]): string[] {
  const out = new Folded();
  for (const line of lines) out.take(line);
  out.flush();
  return out.lines;
}

/** What folded lines stand for. */
function unfolded(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const times = /^(.*) \((\d+) times\)$/.exec(line);
    if (times !== null) return Array<string>(Number(times[2])).fill(times[1]!);
    const range = /(\d+)\.\.(\d+)/.exec(line);
    if (range === null) return [line];
    const [text, from, to] = [range[0], Number(range[1]), Number(range[2])];
    return Array.from({ length: to - from + 1 }, (_, k) => line.replace(text, `${from + k}`));
  });
}

it('lines that count up, and lines that repeat, are one', () => {
  expect(folded(['a 1 b 7', 'a 2 b 7', 'a 3 b 7', 'a 3 b 7', 'a 3 b 8', 'x', 'x', 'y'])).toEqual([
    'a 1..3 b 7',
    'a 3 b 7..8',
    'x (2 times)',
    'y',
  ]);
  expect(folded(['a 0x1', 'a 0x2', 'a 1 1', 'a 2 2', 'a 9', 'a 10', 'a 12'])).toEqual([
    'a 0x1',
    'a 0x2',
    'a 1 1',
    'a 2 2',
    'a 9..10',
    'a 12',
  ]);
});

it('folding loses nothing', () => {
  const word = fc.constantFrom('a', 'b', '1', '2', '3', '4', '0x2');
  const line = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      expect(unfolded(folded(lines))).toEqual(lines);
    }),
    { numRuns: 500 },
  );
});
