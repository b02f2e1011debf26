// The field for a search, and what it finds.
import { el } from './dom.js';
import { search } from './search.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./timeline.js').Timeline} Timeline */
/** @typedef {import('./search.js').Found} Found */

/**
 * @param {View} view
 * @param {readonly Timeline[]} timelines
 */
export function searchBar(view, timelines) {
  const field = el('input', {
    type: 'search',
    size: 52,
    placeholder: 'search: 8193, device 0x10, record 832, 1.5 ms, MAPTI, GICD_CTLR …',
    'aria-label': 'search for an INTID, a device, a vPE, a register, a record, a time or a text',
  });
  const list = el('ul', { class: 'found', 'aria-live': 'polite' });
  /** @param {Found} one */
  const show = ({ trace, first, last, open, lane, choice }) => {
    const timeline = timelines[trace];
    for (const key of open) view.open.add(key);
    if (lane !== null) timeline.current = lane;
    if (choice !== null) timeline.select(choice);
    else view.mark = { trace, moment: first };
    view.focus(timeline.model, first, last);
    timeline.canvas.focus({ preventScroll: true });
  };
  /** @type {Found[]} */
  let found = [];
  const look = () => {
    found = search(timelines, field.value);
    const named = (/** @type {Found} */ one) =>
      `${timelines.length > 1 ? `${'AB'[one.trace]}: ` : ''}${one.text}`;
    list.replaceChildren(
      ...(found.length === 0 && field.value.trim() !== ''
        ? [el('li', { class: 'note' }, 'nothing found')]
        : []),
      ...found.map((one) =>
        el('li', {}, el('button', { type: 'button', class: 'link', onclick: () => show(one) }, named(one))),
      ),
    );
  };
  field.addEventListener('input', look);
  const form = el('form', { class: 'bar', role: 'search' }, field, el('button', {}, 'find'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    look();
    if (found.length > 0) show(found[0]);
  });
  return { element: el('div', {}, form, list), field };
}
