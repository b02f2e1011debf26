// The level of detail of the page against brute force: no item is lost or counted twice at any zoom.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  columnEdges,
  countColumns,
  coverColumns,
  inSight,
  lowerBound,
  overlapping,
  span,
} from '../../page/lod.js';

const MOMENTS = 60;

/** Places of moments, items between them, and a stretch in sight with its columns. */
const scenes = fc
  .record({
    gaps: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: MOMENTS, maxLength: MOMENTS }),
    items: fc.array(fc.tuple(fc.nat(MOMENTS - 1), fc.nat(12)), { maxLength: 80 }),
    from: fc.integer({ min: -20, max: 200 }),
    size: fc.integer({ min: 1, max: 260 }),
    columns: fc.integer({ min: 1, max: 50 }),
  })
  .map(({ gaps, items, from, size, columns }) => {
    let at = 0;
    const places = Float64Array.from(gaps, (gap) => (at += gap));
    const sorted = items
      .map(([first, length]) => [first, Math.min(first + length, MOMENTS - 1)] as const)
      .sort(([a], [b]) => a - b);
    const of = span(
      Uint32Array.from(sorted, ([first]) => first),
      Uint32Array.from(sorted, ([, last]) => last),
    );
    const edges = new Uint32Array(columns + 1);
    columnEdges(places, from, from + size, edges);
    const edge = (c: number) => from + (size * c) / columns;
    return { places, sorted, of, edges, edge, from, to: from + size, columns };
  });

describe('level of detail', () => {
  it('counts of columns are those of a search over all, and sum up', () => {
    fc.assert(
      fc.property(scenes, ({ places, sorted, of, edges, edge, from, to, columns }) => {
        const counts = new Uint32Array(columns);
        countColumns(of, edges, counts);
        for (let c = 0; c < columns; c++)
          expect(counts[c]).toBe(
            sorted.filter(([first]) => places[first]! >= edge(c) && places[first]! < edge(c + 1)).length,
          );
        const inSight = sorted.filter(([first]) => places[first]! >= from && places[first]! < to).length;
        expect(counts.reduce((a, b) => a + b, 0)).toBe(inSight);
      }),
      { numRuns: 1000 },
    );
  });

  it('a column is covered where an item begins before its end and ends at its start or behind', () => {
    fc.assert(
      fc.property(scenes, ({ places, sorted, of, edges, edge, columns }) => {
        const covered = new Uint8Array(columns);
        coverColumns(of, edges, covered);
        for (let c = 0; c < columns; c++)
          expect(covered[c] === 1).toBe(
            sorted.some(([first, last]) => places[first]! < edge(c + 1) && places[last]! >= edge(c)),
          );
      }),
      { numRuns: 1000 },
    );
  });

  it('every item that is in sight is among those that are drawn', () => {
    fc.assert(
      fc.property(scenes, ({ places, sorted, of, from, to }) => {
        const [a, b] = inSight(places, from, to);
        const [low, high] = overlapping(of, a, b);
        sorted.forEach(([first, last], k) => {
          if (places[first]! <= to && places[last]! >= from) expect(k >= low && k < high).toBe(true);
        });
        // Nor are all drawn always: what began and ended before is left out.
        for (let k = 0; k < low; k++) expect(places[sorted[k]![1]]!).toBeLessThan(from);
        for (let k = high; k < sorted.length; k++) expect(places[sorted[k]![0]]!).toBeGreaterThan(to);
      }),
      { numRuns: 1000 },
    );
  });

  it('the lower bound is that of a search over all', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), fc.nat(31), (list, value) => {
        const sorted = Uint32Array.from(list).sort();
        const at = sorted.findIndex((one) => one >= value);
        expect(lowerBound(sorted, value)).toBe(at < 0 ? sorted.length : at);
      }),
    );
  });
});
