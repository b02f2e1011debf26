// The controls above the timelines: the axis, zoom, a record to go to, the visible range, and the legend.

import { CLASSES } from './classes.js';
import { el, swatch } from './dom.js';
import { duration, grouped, instant } from './format.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./model.js').Model} Model */

const AXIS_TEXTS = { time: 'time', record: 'record number', aligned: "A's records, B aligned" };

/**
 * @param {View} view
 * @param {readonly Model[]} models
 * @param {(trace: number, record: number) => void} go
 */
export function controls(view, models, go) {
  const where = el('output');
  const axis = el(
    'select',
    { 'aria-label': 'axis' },
    ...view.axes.map((name) => el('option', { value: name }, AXIS_TEXTS[name])),
  );
  const tell = () => {
    const { from, to } = view;
    axis.value = view.axis;
    const step = 10 ** Math.max(0, Math.floor(Math.log10((to - from) / 1000)));
    const near = (/** @type {number} */ ns) => instant(Math.round(ns / step) * step);
    where.textContent =
      view.axis === 'time'
        ? `${near(Math.max(from, view.min))} to ${near(Math.min(to, view.max))}, ${duration(to - from)} in sight`
        : `records ${grouped(Math.max(0, Math.round(from)))} to ${grouped(Math.round(to))}`;
  };
  view.listeners.push(tell);
  tell();
  axis.addEventListener('change', () => view.use(/** @type {import('./model.js').Axis} */ (axis.value)));
  const record = el('input', {
    type: 'text',
    inputmode: 'numeric',
    size: 10,
    placeholder: 'record',
    'aria-label': 'go to record',
  });
  const which = el(
    'select',
    { 'aria-label': 'of trace' },
    ...models.map((_, k) => el('option', { value: k }, 'AB'[k])),
  );
  const form = el(
    'form',
    { class: 'bar' },
    ...(models.length > 1 ? [which] : []),
    record,
    el('button', {}, 'go to record'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const n = Number(record.value.replaceAll(/[,\s]/g, ''));
    const k = models.length > 1 ? Number(which.value) : 0;
    const valid = record.value.trim() !== '' && Number.isInteger(n) && n >= 0 && n < models[k].facts.records;
    record.setCustomValidity(valid ? '' : `a record from 0 to ${models[k].facts.records - 1}`);
    if (valid) go(k, n);
    else record.reportValidity();
  });
  record.addEventListener('input', () => record.setCustomValidity(''));
  const button = (/** @type {string} */ text, /** @type {() => void} */ act) =>
    el('button', { type: 'button', onclick: act }, text);
  return el(
    'div',
    {},
    el(
      'div',
      { class: 'bar' },
      el('label', {}, 'axis ', axis),
      button('zoom in', () => view.zoom(0.4)),
      button('zoom out', () => view.zoom(2.5)),
      button('all', () => view.fit()),
      form,
      where,
    ),
    legend(view, models),
  );
}

/** @param {View} view @param {readonly Model[]} models */
function legend(view, models) {
  const classes = CLASSES.flatMap((name, k) =>
    models.some((model) => model.classOfLife.includes(k)) ? [{ name, colour: `class-${k}` }] : [],
  );
  const others = [
    ...(models.some((model) => model.msis.at.length > 0) ? [{ name: 'MSI', colour: 'msi' }] : []),
    ...(models.some((model) => model.commands.at.length > 0) ? [{ name: 'command', colour: 'command' }] : []),
    ...(models.some((model) => model.accesses.at.length > 0)
      ? [{ name: 'register access', colour: 'access' }]
      : []),
  ];
  return el(
    'div',
    { class: 'bar legend' },
    ...[...classes, ...others].map(({ name, colour }) => {
      const box = el('input', { type: 'checkbox', checked: true });
      box.addEventListener('change', () => {
        if (box.checked) view.hidden.delete(colour);
        else view.hidden.add(colour);
        view.changed();
      });
      return el('label', {}, box, swatch(colour), name);
    }),
  );
}
