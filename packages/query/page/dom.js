// Creates elements from data; text is never parsed as HTML. Knows nothing about traces.

/** @typedef {string | number | Node | null | undefined} Child */
/** @typedef {Record<string, string | number | boolean | EventListener>} Attributes */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes] `on…`: a listener; a boolean: present or not
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  dress(node, attributes, children);
  return node;
}

/**
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  dress(node, attributes, children);
  return node;
}

/**
 * @param {Element} node
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (value !== false) node.setAttribute(name, value === true ? '' : `${value}`);
  }
  for (const child of children) {
    if (child === null || child === undefined) continue;
    node.append(child instanceof Node ? child : `${child}`);
  }
}

/**
 * A table; columns in `right` are right-aligned. A long table shows one page at a time and has a filter.
 * @param {readonly string[]} head
 * @param {readonly (readonly Child[])[]} rows
 * @param {{ right?: readonly number[], caption?: string, page?: number }} [options]
 */
export function table(head, rows, { right = [], caption, page = 100 } = {}) {
  const cell = (/** @type {Child} */ child, /** @type {number} */ k, /** @type {'td' | 'th'} */ tag) =>
    el(tag, right.includes(k) ? { class: 'n' } : {}, child);
  const body = el('tbody');
  const whole = el(
    'table',
    {},
    caption === undefined ? null : el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...head.map((name, k) => cell(name, k, 'th')))),
    body,
  );
  const scroll = el('div', { class: 'scroll' }, whole);
  /** @param {readonly (readonly Child[])[]} some */
  const show = (some) =>
    body.replaceChildren(...some.map((row) => el('tr', {}, ...row.map((child, k) => cell(child, k, 'td')))));
  if (rows.length <= page) {
    show(rows);
    return el('div', { class: 'table' }, scroll);
  }
  let from = 0;
  let filtered = rows;
  const text = (/** @type {readonly Child[]} */ row) =>
    row
      .map((one) => (one instanceof Node ? one.textContent : `${one ?? ''}`))
      .join(' ')
      .toLowerCase();
  const where = el('output');
  const turn = (/** @type {number} */ to) => {
    from = Math.max(0, Math.min(to, Math.floor(Math.max(0, filtered.length - 1) / page) * page));
    show(filtered.slice(from, from + page));
    const last = Math.min(from + page, filtered.length);
    where.textContent = filtered.length === 0 ? 'none' : `${from + 1} to ${last} of ${filtered.length}`;
    before.disabled = from === 0;
    after.disabled = last >= filtered.length;
  };
  const before = el('button', { type: 'button', onclick: () => turn(from - page) }, 'before');
  const after = el('button', { type: 'button', onclick: () => turn(from + page) }, 'next');
  const filter = el('input', {
    type: 'search',
    placeholder: 'filter',
    'aria-label': `filter ${caption ?? 'rows'}`,
  });
  filter.addEventListener('input', () => {
    const wanted = filter.value.toLowerCase();
    filtered = wanted === '' ? rows : rows.filter((row) => text(row).includes(wanted));
    turn(0);
  });
  turn(0);
  return el('div', { class: 'table' }, scroll, el('div', { class: 'pages' }, before, after, where, filter));
}

/**
 * @param {string} id
 * @param {string} title
 * @param {...Child} children
 */
export function section(id, title, ...children) {
  return el('section', { id }, el('h2', {}, title), ...children);
}

/**
 * Names and values, one pair below the other.
 * @param {readonly (readonly [string, Child])[]} rows
 */
export function facts(rows) {
  return el('dl', {}, ...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

/** A spot in a colour of the style sheet. @param {string} colour */
export function swatch(colour) {
  const spot = el('span', { class: 'swatch' });
  spot.style.background = `var(--${colour})`;
  return spot;
}

/** The text shown instead of an empty table. @param {string} text */
export const none = (text) => el('p', { class: 'note' }, text);
