// Shows everything about the item that is selected in a timeline.
import { el, table } from './dom.js';
import { duration, grouped, instant } from './format.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./view.js').View} View */
/** @typedef {import('./timeline.js').Choice} Choice */

/**
 * @param {Model} model
 * @param {View} view
 * @param {Choice} choice
 */
export function detail(model, view, { kind, row }) {
  const { title, rows, steps } = model.describe(kind, row);
  const { record, line } = model.moments;
  let before = Number.NaN;
  const cells = steps
    .map((step) => ({ ...step, told: model.told(step.moment) }))
    .sort((a, b) => a.moment - b.moment)
    .map(({ name, moment, told }) => {
      const since = told - before;
      before = told;
      return [
        name,
        grouped(record[moment]),
        model.kindNames[model.moments.kind[moment]] ?? 'unknown',
        line[moment] === 0 ? '' : grouped(line[moment]),
        Number.isNaN(told) ? 'unknown' : instant(told),
        Number.isNaN(since) ? '' : `+${duration(since)}`,
      ];
    });
  const moments = steps.map((step) => step.moment);
  const zoom = () => view.focus(model, Math.min(...moments), Math.max(...moments));
  return el(
    'div',
    { class: 'detail' },
    el('h3', {}, title),
    el('p', {}, rows.map(([name, value]) => `${name} ${value}`).join(' · ')),
    table(['step', 'record', 'kind', 'line', 'time', 'since the step before'], cells, {
      right: [1, 3, 4, 5],
    }),
    el('div', { class: 'bar' }, el('button', { type: 'button', onclick: zoom }, 'zoom to it')),
  );
}
