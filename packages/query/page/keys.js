// Keys that work at once, wherever the reader is on the page, and the list of them.
import { el } from './dom.js';

/** @typedef {import('./timeline.js').Timeline} Timeline */

const KEYS = [
  ['← → or a d', 'move'],
  ['+ − or w s', 'zoom in, out'],
  ['0', 'show all'],
  ['↑ ↓', 'choose a lane, when the timeline has the focus'],
  ['Enter', 'open or close the lane, when the timeline has the focus'],
  ['n p', 'next and previous item of the lane'],
  ['/', 'search'],
  ['Escape', 'forget the selected range'],
  ['?', 'this list'],
  ['drag', 'move'],
  ['Shift and drag', 'select a range: its duration, and what is in it'],
  ['Ctrl and wheel', 'zoom; without Ctrl after a click into the timeline'],
  ['Shift and wheel', 'move'],
  ['double-click', 'zoom in; with Shift, out'],
];
/** Keys that are passed on from anywhere. Up, down and Enter belong to the page. */
const ANYWHERE = new Set(['ArrowLeft', 'ArrowRight', 'a', 'd', 'w', 's', '+', '=', '-', '0', 'n', 'p']);
const OWN = 'input, select, textarea, button, a, summary, canvas, dialog, [contenteditable]';

/**
 * @param {() => Timeline} active the timeline that was used last
 * @param {HTMLInputElement} field the field of the search
 * @param {() => void} forget forgets the selected range
 */
export function listenEverywhere(active, field, forget) {
  const help = el(
    'dialog',
    { class: 'keys', 'aria-label': 'keys' },
    el('h2', {}, 'Keys'),
    el('dl', {}, ...KEYS.flatMap(([key, what]) => [el('dt', {}, key), el('dd', {}, what)])),
    el('button', { type: 'button', onclick: () => help.close() }, 'close'),
  );
  document.body.append(help);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {Element} */ (event.target);
    const writing = target.closest('input, select, textarea, dialog') !== null;
    if (event.key === '?' && !writing) help.showModal();
    else if (event.key === '/' && !writing) field.focus();
    else if (event.key === 'Escape' && !writing) forget();
    else if (target.closest(OWN) === null && ANYWHERE.has(event.key)) active().key(event.key);
    else return;
    event.preventDefault();
  });
}
