// Shows what differs between the two traces: classes, subjects, and the first difference of each class with its
// context.

import { differenceColour } from './classes.js';
import { el, swatch, table } from './dom.js';
import { grouped } from './format.js';

/** @typedef {import('../src/report/facts.ts').DiffFacts} DiffFacts */
/** @typedef {import('../src/diff/result.ts').Half} Half */
/** @typedef {import('./sections.js').Jump} Jump */

/** @param {DiffFacts} diff */
export function diffText(diff) {
  const all = Object.entries(diff.counts)
    .filter(([name]) => name !== 'same' && name !== 'unknown')
    .reduce((sum, [, n]) => sum + n, diff.config.length);
  const passed = diff.tolerated.reduce((sum, one) => sum + one.n, 0);
  const rest = passed === 0 ? '' : `, ${grouped(passed)} tolerated`;
  return diff.same ? `no difference${rest}` : `${grouped(all - passed)} differences${rest}`;
}

/**
 * @param {string} name
 * @param {Half} half
 */
function context(name, { record, around, slice }) {
  if (around.length === 0) return el('pre', {}, `${name}: no such place`);
  return el(
    'pre',
    {},
    ...around.map((one) =>
      one.record === record?.record
        ? el('span', { class: 'here' }, `${name} > ${one.text}\n`)
        : `${name}   ${one.text}\n`,
    ),
    ...slice.map((one) => el('span', { class: 'because' }, `${name}     because of ${one.text}\n`)),
  );
}

/**
 * @param {DiffFacts} diff
 * @param {Jump} jumpA
 * @param {Jump} jumpB
 */
export function diffSection(diff, jumpA, jumpB) {
  const names = Object.keys(diff.classes);
  const differing = names.slice(1, -1);
  const reasons = [...new Set([...Object.keys(diff.a.left), ...Object.keys(diff.b.left)])].sort();
  const same = diff.a.orderDigest === diff.b.orderDigest;
  return el(
    'div',
    {},
    el(
      'p',
      {},
      `${diff.same ? 'SAME' : 'DIFFERS'}: ${diffText(diff)}. A: ${grouped(diff.a.compared)} of ${grouped(diff.a.records)} records compared; B: ${grouped(diff.b.compared)} of ${grouped(diff.b.records)}.`,
    ),
    el(
      'p',
      { class: 'note' },
      same
        ? `Order digest ${diff.a.orderDigest}: the same up to legal reordering and times.`
        : `Order digests ${diff.a.orderDigest} and ${diff.b.orderDigest}.`,
      diff.coarse > 0
        ? ` Coarse: ${grouped(diff.coarse)} records differ too much for an exact alignment; there may be fewer differences among them.`
        : null,
      diff.renamed === null
        ? null
        : ` Renamed: ${Object.entries(diff.renamed)
            .map(([space, n]) => `${grouped(n)} ${space}`)
            .join(', ')}.`,
    ),
    table(
      ['records', 'class', 'means'],
      names
        .filter((name) => diff.counts[/** @type {keyof typeof diff.counts} */ (name)] > 0)
        .map((name) => [
          grouped(diff.counts[/** @type {keyof typeof diff.counts} */ (name)]),
          el('span', {}, swatch(differenceColour(name)), ` ${name}`),
          diff.classes[name],
        ]),
      { right: [0] },
    ),
    diff.tolerated.length === 0
      ? null
      : table(
          ['tolerated', 'by'],
          diff.tolerated.map(({ by, n }) => [grouped(n), by]),
          { right: [0] },
        ),
    diff.config.length === 0
      ? null
      : table(
          ['configuration', 'A', 'B', 'tolerated by'],
          diff.config.map((one) => [one.field, one.a, one.b, one.tolerated ?? '']),
        ),
    diff.subjects.length === 0
      ? null
      : table(
          ['A', 'B', ...differing.map((name) => name.replace('reordered-', '')), 'what'],
          diff.subjects.map(({ subject, a, b, classes }) => [
            grouped(a),
            grouped(b),
            ...differing.map((name) => {
              const n = classes[/** @type {keyof typeof classes} */ (name)];
              return n === undefined ? '' : grouped(n);
            }),
            subject,
          ]),
          {
            right: [0, 1, ...differing.map((_, k) => k + 2)],
            page: 20,
            caption: 'by what they are about, first what one side has more of',
          },
        ),
    ...diff.examples.map((one) =>
      el(
        'div',
        {},
        el(
          'h3',
          {},
          `${one.class}: ${one.subject}${one.reason === '' ? '' : `, ${one.reason}`} `,
          ...(one.a.record === null ? [] : ['A ', jumpA(one.a.record.record), ' ']),
          ...(one.b.record === null ? [] : ['B ', jumpB(one.b.record.record)]),
        ),
        el('div', { class: 'sides' }, context('A', one.a), context('B', one.b)),
      ),
    ),
    reasons.length === 0
      ? null
      : table(
          ['A', 'B', 'not compared, because'],
          reasons.map((reason) => [
            grouped(diff.a.left[reason] ?? 0),
            grouped(diff.b.left[reason] ?? 0),
            reason,
          ]),
          { right: [0, 1] },
        ),
  );
}
