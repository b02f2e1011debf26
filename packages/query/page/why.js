// Shows why an interrupt arrived or did not: its way from stage to stage, what blocked it, and the answer in words.
import { el } from './dom.js';

/** @typedef {import('../src/report/facts.ts').WhyFacts} WhyFacts */
/** @typedef {import('./sections.js').Jump} Jump */

/** What is said of a stage, beside its colour. @type {Readonly<Record<WhyFacts['way'][number]['state'], string>>} */
const STATES = {
  passed: 'passed',
  open: 'open',
  blocked: 'BLOCKED',
  'not reached': 'not reached',
  'not in the source': 'not in the source',
};

/**
 * The picture of a way: a list, from the source of the interrupt to its end.
 * @param {Pick<WhyFacts, 'way' | 'cause'>} why
 * @param {Jump} jump
 */
export function wayPicture({ way, cause }, jump) {
  const blocked = way.findLastIndex(({ state }) => state === 'blocked');
  return el(
    'ol',
    { class: 'way' },
    ...way.map(({ stage, state, record, text }, k) =>
      el(
        'li',
        { class: state.replaceAll(' ', '-') },
        el('b', {}, stage),
        el('span', { class: 'state' }, STATES[state]),
        record === null ? null : el('span', {}, 'record ', jump(record)),
        text === '' ? null : el('span', { class: 'what' }, text),
        k !== blocked || cause === null
          ? null
          : el('div', { class: 'cause' }, 'record ', jump(cause.record), ` ${cause.text} (${cause.why})`),
      ),
    ),
  );
}

/** @param {readonly WhyFacts[]} all @param {Jump} jump */
export function whySection(all, jump) {
  return el(
    'div',
    {},
    ...all.flatMap((why) => [
      el('h3', {}, `${why.subject}: ${why.headline}`),
      el('pre', { class: 'answer' }, why.lines.join('\n')),
      why.way.length === 0 ? el('div') : wayPicture(why, jump),
    ]),
  );
}
