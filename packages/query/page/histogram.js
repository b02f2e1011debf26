// Draws distributions as histograms: counts in logarithmic buckets, with percentiles marked.
import { svg } from './dom.js';
import { duration, grouped } from './format.js';

/** @typedef {import('../src/report/facts.ts').Distribution} Distribution */

const WIDTH = 440;
const HEIGHT = 130;
const FOOT = 18;
const HEAD = 14;
/** Space for the highest count, and after the last bucket. */
const LEFT = 42;
const RIGHT = 10;
/** Lower bounds within a decade, the same as in src/report/latency.ts. */
const IN_DECADE = [1, 1.5, 2, 3, 5, 7];

/** The position of a duration in decades; 0 is 1 ns. @param {number} ns */
export const decades = (ns) => (ns <= 1 ? 0 : Math.log10(ns));

/** The lower bound of the next bucket. @param {number} bound */
export function after(bound) {
  if (bound === 0) return 1;
  if (bound === 1) return 10;
  const decade = 10 ** Math.floor(Math.log10(bound) + 1e-9);
  const next = IN_DECADE.find((step) => step * decade > bound * 1.0001);
  return (next ?? 10) * decade;
}

/**
 * @param {Distribution} of
 * @param {string} colour name of a colour of the style
 */
export function histogram(of, colour) {
  const { buckets } = of;
  const bounds = buckets.map(([bound]) => bound);
  const low = Math.floor(decades(Math.min(...bounds)));
  const high = Math.max(Math.ceil(decades(after(Math.max(...bounds)))), low + 1);
  const most = Math.max(...buckets.map(([, n]) => n));
  const x = (/** @type {number} */ ns) =>
    LEFT + ((decades(ns) - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const floor = HEIGHT - FOOT;
  const bars = buckets.map(([bound, n]) => {
    const [x0, x1] = [x(bound), x(after(bound))];
    const tall = Math.max(1, (n / most) * (floor - HEAD));
    return svg(
      'rect',
      {
        x: x0.toFixed(1),
        y: (floor - tall).toFixed(1),
        width: Math.max(1, x1 - x0 - 0.6).toFixed(1),
        height: tall.toFixed(1),
        class: colour,
      },
      svg('title', {}, `${duration(bound)} to ${duration(after(bound))}: ${grouped(n)}`),
    );
  });
  const axis = Array.from({ length: high - low + 1 }, (_, k) => low + k).flatMap((power) => [
    svg('line', { class: 'axis', x1: x(10 ** power), x2: x(10 ** power), y1: floor, y2: floor + 3 }),
    (high - low <= 7 || power % 2 === 0) && power < high + 1
      ? svg(
          'text',
          { x: x(10 ** power), y: HEIGHT - 4, 'text-anchor': power === high ? 'end' : 'middle' },
          duration(10 ** power),
        )
      : null,
  ]);
  const ranks = /** @type {const} */ ([
    ['p50', of.p50],
    ['p99', of.p99],
  ]).flatMap(([name, ns]) =>
    ns === null || ns <= 0
      ? []
      : [
          svg('line', { class: 'rank', x1: x(ns), x2: x(ns), y1: HEAD - 2, y2: floor }),
          svg(
            'text',
            {
              x: x(ns) + (name === 'p50' ? -3 : 3),
              y: HEAD - 4,
              'text-anchor': name === 'p50' ? 'end' : 'start',
            },
            name,
          ),
        ],
  );
  return svg(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': `${of.class} ${of.measure}: the table has its percentiles`,
    },
    svg('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: floor, y2: floor }),
    svg(
      'text',
      { x: LEFT - 4, y: HEAD + 4, 'text-anchor': 'end' },
      most >= 10000 ? `${Math.round(most / 1000)}k` : grouped(most),
    ),
    ...bars,
    ...axis,
    ...ranks,
  );
}
