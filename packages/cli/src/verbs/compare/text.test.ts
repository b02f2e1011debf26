// Tables of text fit the width that they are given, and say everything.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableLines, wrap } from './text.ts';

const word = fc.string({ unit: fc.constantFrom(...'abcdefgh-'), minLength: 1, maxLength: 30 });
const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '));

describe('text', () => {
  it('wraps without losing anything, whatever the width', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 8, max: 60 }), (all, width) => {
        const lines = wrap(all, width);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
        expect(lines.join('').replaceAll(' ', '')).toBe(all.replaceAll(' ', ''));
      }),
    );
  });

  it('makes tables of the width that there is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 6 }), (rows) => {
        const section = { title: 't', head: ['design', 'needs', 'why'], rows, numbers: false };
        for (const line of tableLines(section, 80)) expect(line.length).toBeLessThanOrEqual(80);
      }),
    );
  });
});
