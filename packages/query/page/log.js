// The list of accesses to registers and of ITS commands, in the order of the trace, with a filter. Only the rows of one page
// are elements, so that a million rows cost no more than a hundred.
import { NONE } from './data.js';
import { el, none, table } from './dom.js';
import { grouped } from './format.js';
import { filterLog, logOrder } from './listing.js';
import { lowerBound } from './lod.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./view.js').View} View */
/** @typedef {import('./sections.js').Jump} Jump */
/**
 * Which rows are listed.
 * @typedef {object} ListFilter
 * @property {string} text Words that a row must have, all of them.
 * @property {'all' | 'sight' | 'range'} scope
 */

const PAGE = 100;
const SCOPES = /** @type {const} */ ({
  all: 'the whole trace',
  sight: 'what is in sight',
  range: 'the selected range',
});
const HEAD = ['record', 'time', 'PE or ITS', 'what', 'register or command', 'value or outcome'];

/**
 * @param {Model} model
 * @param {View} view
 * @param {number} k number of the trace
 * @param {Jump} jump
 */
export function logSection(model, view, k, jump) {
  const { accesses, commands, facts, moments } = model;
  const n = accesses.at.length;
  if (n + commands.at.length === 0) return none('The page has no access to a register and no ITS command.');
  const order = logOrder(model);
  /** @param {number} code */
  const cells = (code) => {
    const i = code < n ? code : code - n;
    const at = code < n ? accesses.at[i] : commands.at[i];
    const place = [jump(moments.record[at]), facts.timed ? model.whenText(at) : ''];
    return code < n
      ? [
          ...place,
          accesses.pe[i] === NONE ? '' : `PE ${accesses.pe[i]}`,
          facts.strings[accesses.how[i]],
          `${facts.strings[accesses.register[i]]}${instanceText(i)}`,
          model.accessValue(i) ?? 'unknown',
        ]
      : [
          ...place,
          `ITS ${commands.its[i]}`,
          'command',
          facts.strings[commands.text[i]],
          facts.strings[commands.outcome[i]],
        ];
  };
  /** Whose register it is, where the frame exists more than once. @param {number} i */
  const instanceText = (i) => {
    const frame = facts.strings[accesses.frame[i]];
    if (frame === 'GICR') return ` of PE ${accesses.instance[i]}`;
    return frame === 'GITS' && facts.itsCount > 1 ? ` of ITS ${accesses.instance[i]}` : '';
  };
  const filter = view.lists[k];
  const field = el('input', {
    type: 'search',
    size: 34,
    placeholder: 'filter: write GICD_CTLR, PE0 ICC_IAR1_EL1, MAPTI …',
    'aria-label': 'filter accesses and commands',
  });
  const scope = el(
    'select',
    { 'aria-label': 'which part' },
    ...Object.entries(SCOPES).map(([value, text]) => el('option', { value }, text)),
  );
  const where = el('output', { 'aria-live': 'polite' });
  const rows = el('div');
  let from = 0;
  /** @type {Uint32Array} */
  let listed = order;
  const show = () => {
    const part = Array.from(listed.subarray(from, from + PAGE));
    const last = from + part.length;
    where.textContent =
      part.length === 0 ? 'none' : `${grouped(from + 1)} to ${grouped(last)} of ${grouped(listed.length)}`;
    before.disabled = from === 0;
    after.disabled = last >= listed.length;
    rows.replaceChildren(
      part.length === 0
        ? none('Nothing has all these words.')
        : table(HEAD, part.map(cells), { right: [0, 1, 5], page: PAGE }),
    );
  };
  const turn = (/** @type {number} */ to) => {
    from = Math.max(0, to);
    show();
  };
  const before = el('button', { type: 'button', onclick: () => turn(from - PAGE) }, 'before');
  const after = el('button', { type: 'button', onclick: () => turn(from + PAGE) }, 'next');
  /** What the list was last made of. */
  let made = '';
  const fill = () => {
    const places = model.places[view.axis];
    const [a, b] =
      filter.scope === 'sight'
        ? [view.from, view.to]
        : filter.scope === 'range'
          ? (view.range ?? [0, -1])
          : [];
    const [first, last] =
      a === undefined || b === undefined
        ? [0, moments.record.length]
        : [lowerBound(places, a), lowerBound(places, b)];
    field.value = filter.text;
    scope.value = filter.scope;
    const key = `${filter.text}\n${first} ${last}`;
    if (key === made) return;
    made = key;
    listed = filterLog(model, order, filter.text, first, last);
    turn(0);
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  // While the view moves, the list waits: it is not what the reader looks at.
  view.listeners.push(() => {
    clearTimeout(timer);
    timer = setTimeout(fill, 150);
  });
  field.addEventListener('input', () => {
    filter.text = field.value;
    view.changed();
  });
  scope.addEventListener('change', () => {
    filter.scope = /** @type {ListFilter['scope']} */ (scope.value);
    view.changed();
  });
  fill();
  return el('div', {}, el('div', { class: 'bar' }, field, scope, before, after, where), rows);
}
