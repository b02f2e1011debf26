// Two distributions of one kind, of the two traces, as lines over each other: the share of lifetimes in each bucket.
import { el, none, svg, table } from './dom.js';
import { duration, grouped } from './format.js';
import { after, decades } from './histogram.js';

/** @typedef {import('../src/report/facts.ts').Distribution} Distribution */

const WIDTH = 440;
const HEIGHT = 150;
const FOOT = 18;
const HEAD = 8;
const LEFT = 42;
const RIGHT = 10;

/** The sum of a distribution's buckets. @param {Distribution} of */
const timed = (of) => of.buckets.reduce((sum, [, n]) => sum + n, 0);

/** @param {readonly Distribution[]} pair of A and of B */
function chart(pair) {
  const bounds = pair.flatMap((of) => of.buckets.map(([bound]) => bound));
  const low = Math.floor(decades(Math.min(...bounds)));
  const high = Math.max(Math.ceil(decades(after(Math.max(...bounds)))), low + 1);
  const shares = pair.map((of) => new Map(of.buckets.map(([bound, n]) => [bound, n / timed(of)])));
  const most = Math.max(...shares.flatMap((share) => [...share.values()]));
  const x = (/** @type {number} */ ns) =>
    LEFT + ((decades(ns) - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const floor = HEIGHT - FOOT;
  const y = (/** @type {number} */ share) => floor - (share / most) * (floor - HEAD);
  const lines = shares.map((share, k) => {
    const points = [];
    for (let bound = Math.min(...bounds); bound <= 1.0001 * Math.max(...bounds); bound = after(bound)) {
      const level = y(share.get(nearest(share, bound)) ?? 0).toFixed(1);
      points.push(`${x(bound).toFixed(1)},${level}`, `${x(after(bound)).toFixed(1)},${level}`);
    }
    return svg('polyline', { points: points.join(' '), class: `trace-${'ab'[k]}` });
  });
  const axis = Array.from({ length: high - low + 1 }, (_, k) => low + k).flatMap((power) => [
    svg('line', { class: 'axis', x1: x(10 ** power), x2: x(10 ** power), y1: floor, y2: floor + 3 }),
    high - low <= 7 || power % 2 === 0
      ? svg(
          'text',
          { x: x(10 ** power), y: HEIGHT - 4, 'text-anchor': power === high ? 'end' : 'middle' },
          duration(10 ** power),
        )
      : null,
  ]);
  return svg(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': `${pair[0].class} ${pair[0].measure} of A and B: the table has their percentiles`,
    },
    svg('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: floor, y2: floor }),
    svg('text', { x: LEFT - 4, y: HEAD + 8, 'text-anchor': 'end' }, `${(100 * most).toFixed(0)} %`),
    ...lines,
    ...axis,
  );
}

/** The key of a bucket: bounds are computed, and may differ in their last bit. @param {Map<number, number>} share @param {number} bound */
function nearest(share, bound) {
  for (const one of share.keys()) if (Math.abs(one - bound) <= 1e-4 * bound) return one;
  return bound;
}

/** How much later B is. @param {number | null} a @param {number | null} b */
function change(a, b) {
  if (a === null || b === null || a <= 0) return '';
  const percent = (100 * (b - a)) / a;
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(percent > -10 && percent < 10 ? 1 : 0)} %`;
}

/**
 * What both traces have, over each other.
 * @param {readonly Distribution[]} a
 * @param {readonly Distribution[]} b
 */
export function overlaySection(a, b) {
  const pairs = a.flatMap((one) => {
    const other = b.find((of) => of.class === one.class && of.measure === one.measure);
    return other === undefined || timed(one) === 0 || timed(other) === 0 ? [] : [[one, other]];
  });
  if (pairs.length === 0) return none('No class has latencies in both traces.');
  const ns = (/** @type {number | null} */ one) => (one === null ? 'unknown' : duration(one));
  return el(
    'div',
    {},
    el(
      'p',
      { class: 'note' },
      el('span', { class: 'key trace-a' }, 'A'),
      ' and ',
      el('span', { class: 'key trace-b' }, 'B'),
      ': the share of the lifetimes of each trace that have both times, by how long they took.',
    ),
    table(
      ['class', 'what', 'A', 'B', 'p50 A', 'p50 B', 'change', 'p99 A', 'p99 B', 'change'],
      pairs.map(([one, other]) => [
        one.class,
        one.measure,
        grouped(timed(one)),
        grouped(timed(other)),
        ns(one.p50),
        ns(other.p50),
        change(one.p50, other.p50),
        ns(one.p99),
        ns(other.p99),
        change(one.p99, other.p99),
      ]),
      { right: [2, 3, 4, 5, 6, 7, 8, 9] },
    ),
    el(
      'div',
      { class: 'charts' },
      ...pairs.map((pair) =>
        el('div', {}, el('h3', {}, `${pair[0].class}: ${pair[0].measure}`), chart(pair)),
      ),
    ),
  );
}
