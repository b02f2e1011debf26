// The range that the reader selects: how long it is, and what begins in it.
import { CLASSES } from './classes.js';
import { el, table } from './dom.js';
import { duration, grouped, instant } from './format.js';
import { lowerBound } from './lod.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./model.js').Model} Model */

/** What begins in a range of a trace. @param {Model} model @param {View} view @param {readonly [number, number]} range */
export function contentOf(model, view, [from, to]) {
  const places = model.places[view.axis];
  const [a, b] = [lowerBound(places, from), lowerBound(places, to)];
  const within = (/** @type {number} */ moment) => moment >= a && moment < b;
  /** @type {Map<string, { n: number, waits: number[] }>} */
  const classes = new Map();
  for (let i = 0; i < model.count; i++) {
    if (!within(model.lives.first[i])) continue;
    const name = CLASSES[model.classOfLife[i]];
    const of = classes.get(name) ?? { n: 0, waits: [] };
    classes.set(name, of);
    of.n++;
    const wait = model.between(i, 1, 4);
    if (wait !== null && !Number.isNaN(wait)) of.waits.push(wait);
  }
  const count = (/** @type {ArrayLike<number>} */ at) => Array.prototype.filter.call(at, within).length;
  const others = [
    { name: 'MSI', n: count(model.msis.at) },
    { name: 'command', n: count(model.commands.at) },
    { name: 'register access', n: count(model.accesses.at) },
  ].filter(({ n }) => n > 0);
  return [
    ...[...classes].sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, of]) => ({ name, ...of })),
    ...others.map((of) => ({ ...of, waits: [] })),
  ];
}

/** @param {View} view */
export function rangeDetail(view) {
  const { range, models } = view;
  if (range === null) return null;
  const [from, to] = range;
  const title =
    view.axis === 'time'
      ? `${duration(to - from)}: from ${instant(from)} to ${instant(to)}`
      : `${grouped(Math.round(to - from))} records: from ${grouped(Math.round(from))} to ${grouped(Math.round(to))}`;
  const rows = models.flatMap((model, k) =>
    contentOf(model, view, range).map(({ name, n, waits }) => [
      ...(models.length > 1 ? ['AB'[k]] : []),
      name,
      grouped(n),
      waits.length === 0 ? '' : duration(waits.reduce((sum, ns) => sum + ns, 0) / waits.length),
      waits.length === 0 ? '' : duration(waits.reduce((most, ns) => Math.max(most, ns), 0)),
    ]),
  );
  const head = [
    ...(models.length > 1 ? ['trace'] : []),
    'begins in the range',
    'count',
    'mean wait',
    'longest wait',
  ];
  return el(
    'div',
    { class: 'detail range' },
    el('h3', {}, title),
    rows.length === 0
      ? el('p', { class: 'note' }, 'nothing begins in it')
      : table(head, rows, { right: [head.length - 3, head.length - 2, head.length - 1] }),
    el(
      'div',
      { class: 'bar' },
      el('button', { type: 'button', onclick: () => view.show(from, to) }, 'zoom to it'),
    ),
  );
}
