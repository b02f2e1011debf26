// Opens the page's data and builds its sections.

import { nameDifferences } from './classes.js';
import { diffSection, diffText } from './compare.js';
import { controls } from './controls.js';
import { inflate, split, unpack } from './data.js';
import { detail } from './detail.js';
import { el, section } from './dom.js';
import { grouped } from './format.js';
import { listenEverywhere } from './keys.js';
import { keepLink } from './link.js';
import { logSection } from './log.js';
import { Model } from './model.js';
import { overlaySection } from './overlay.js';
import { rangeDetail } from './range.js';
import { searchBar } from './searchbar.js';
import { commandSection, latencySection, mappingSection } from './sections.js';
import { sourceFacts } from './source.js';
import { hasSql, sqlSection } from './sql.js';
import { Timeline } from './timeline.js';
import { findingSection, verdictSection, verdictText } from './verdict.js';
import { View } from './view.js';
import { whySection } from './why.js';

/** @typedef {import('./model.js').TraceFacts} TraceFacts */

const data = /** @type {HTMLElement} */ (document.getElementById('data'));
const root = /** @type {HTMLElement} */ (document.getElementById('report'));

const LEGEND =
  'Bars: thin while pending, half as high once signalled, full from acknowledge to EOI, light until deactivation. A red diamond is an error, a dropped message or the divergence; an amber one a warning, a withdrawal, a coalesced message or a doorbell.';

/** @param {string} tone @param {string} name @param {string} text */
const badge = (tone, name, text) => el('div', { class: `badge ${tone}` }, el('b', {}, name), text);

/** @param {TraceFacts} facts @param {string} name */
function verdictBadge(facts, name) {
  const { verdictWord: word } = facts;
  if (word === null) return badge('', `${name}NO VERDICT`, verdictText(facts));
  const tone = word === 'DIVERGED' ? 'bad' : word === 'SAME' ? 'good' : '';
  return badge(tone, `${name}${word}`, verdictText(facts));
}

/** @param {TraceFacts} facts @param {string} name */
function findingBadge(facts, name) {
  const of = (/** @type {string} */ severity) =>
    facts.findingCounts.filter((one) => one.severity === severity).reduce((sum, one) => sum + one.n, 0);
  const [errors, warnings, notes] = [of('error'), of('warning'), of('note')];
  const tone = errors > 0 ? 'bad' : warnings > 0 ? 'warn' : 'good';
  return badge(
    tone,
    `${name}checks`,
    errors + warnings + notes === 0
      ? 'nothing found'
      : `${grouped(errors)} errors, ${grouped(warnings)} warnings, ${grouped(notes)} notes`,
  );
}

async function open() {
  const { facts, columns } = split(await inflate(data.textContent ?? ''));
  data.remove();
  const models = facts.traces.map((one) => new Model(one, columns, facts.kindNames));
  const two = models.length > 1;
  if (facts.diff !== null) nameDifferences(Object.keys(facts.diff.classes));
  if (two && facts.anchors !== null) {
    const { a, b } = unpack(facts.anchors, columns);
    models[0].places.aligned = models[0].places.record;
    models[1].alignTo(b, a);
  }
  const view = new View(models);
  const name = (/** @type {number} */ k) => (two ? `${'AB'[k]} ` : '');
  const details = el('div', { 'aria-live': 'polite' });
  const timelines = models.map(
    (model) => new Timeline(model, view, (choice) => details.replaceChildren(detail(model, view, choice))),
  );
  const range = el('div', { 'aria-live': 'polite' });
  let shownRange = '';
  view.listeners.push(() => {
    const key = `${view.axis} ${view.range}`;
    if (key === shownRange) return;
    shownRange = key;
    const content = rangeDetail(view);
    range.replaceChildren(...(content === null ? [] : [content]));
  });
  const bar = searchBar(view, timelines);
  const go = (/** @type {number} */ k, /** @type {number} */ first, last = first) => {
    const model = models[k];
    view.mark = { trace: k, moment: model.momentOf(first) };
    timelines[k].selected = null;
    details.replaceChildren();
    view.focus(model, model.momentOf(first), model.momentOf(last));
    timelines[k].element.scrollIntoView({ block: 'nearest' });
    timelines[k].canvas.focus({ preventScroll: true });
  };
  const jumps = models.map(
    (_, k) =>
      (/** @type {number} */ record, /** @type {number} */ last = record) =>
        el(
          'button',
          {
            type: 'button',
            class: 'link',
            onclick: () => go(k, record, last),
            title: 'show it in the timeline',
          },
          grouped(record),
        ),
  );
  /** One side, or two side by side. @param {(k: number) => Node} make */
  const sides = (make) =>
    two
      ? el(
          'div',
          { class: 'sides' },
          ...models.map((model, k) =>
            el('div', {}, el('h3', {}, `${'AB'[k]}: ${model.facts.name}`), make(k)),
          ),
        )
      : make(0);
  const asked = models.some((model) => model.facts.why.length > 0);
  const titles = [
    ['timeline', 'Timeline'],
    ...(facts.diff === null ? [] : [['difference', 'Difference']]),
    ...(asked ? [['why', 'Why']] : []),
    ['verdict', 'Verdict'],
    ['findings', 'Findings'],
    ['latency', 'Latency'],
    ['mappings', 'ITS mappings over time'],
    ['commands', 'Commands and messages'],
    ['log', 'Accesses and commands in order'],
    ...(hasSql() ? [['sql', 'SQL']] : []),
    ['source', 'Source'],
  ];
  const names = models.map((model) => model.facts.name);
  document.title = `${names.join(' : ')} – gictrace report`;
  root.replaceChildren(
    el('h1', {}, two ? `A ${names[0]} : B ${names[1]}` : names[0]),
    el(
      'div',
      { class: 'verdicts' },
      ...(facts.diff === null
        ? []
        : [
            badge(
              facts.diff.same ? 'good' : 'warn',
              facts.diff.same ? 'A and B are the SAME' : 'A and B DIFFER',
              diffText(facts.diff),
            ),
          ]),
      ...models.flatMap(({ facts: one }, k) => [verdictBadge(one, name(k)), findingBadge(one, name(k))]),
    ),
    el(
      'nav',
      { 'aria-label': 'sections' },
      ...titles.map(([id, title]) => el('a', { href: `#${id}` }, title)),
    ),
    section(
      'timeline',
      'Timeline',
      bar.element,
      controls(view, models, go),
      ...timelines.flatMap((one, k) => [two ? el('h3', {}, `${'AB'[k]}: ${names[k]}`) : null, one.element]),
      range,
      details,
      el(
        'p',
        { class: 'note' },
        `${models.every((model) => model.facts.timed) ? 'Times are those of the source.' : 'Not every trace contains times, so the axis is the record number.'} Drag to move, Shift and drag to select a range, Ctrl and wheel or + and − to zoom, / to search, n and p for the next and previous item of a lane; ? lists all keys. The address of the page changes with what is shown: a link to it shows the same. ${LEGEND}`,
      ),
    ),
    ...(facts.diff === null
      ? []
      : [section('difference', 'Difference', diffSection(facts.diff, jumps[0], jumps[1]))]),
    ...(asked
      ? [
          section(
            'why',
            'Why',
            sides((k) => whySection(models[k].facts.why, jumps[k])),
          ),
        ]
      : []),
    section(
      'verdict',
      'Verdict',
      sides((k) => verdictSection(models[k], jumps[k])),
    ),
    section(
      'findings',
      'Findings',
      sides((k) => findingSection(models[k], jumps[k])),
    ),
    section(
      'latency',
      'Latency',
      two ? overlaySection(models[0].facts.distributions, models[1].facts.distributions) : null,
      sides((k) => latencySection(models[k], jumps[k])),
    ),
    section(
      'mappings',
      'ITS mappings over time',
      sides((k) => mappingSection(models[k], jumps[k])),
    ),
    section(
      'commands',
      'Commands and messages',
      sides((k) => commandSection(models[k], jumps[k])),
    ),
    section(
      'log',
      'Accesses and commands in order',
      sides((k) => logSection(models[k], view, k, jumps[k])),
    ),
    ...(hasSql() ? [section('sql', 'SQL', sqlSection(models, columns, view, jumps))] : []),
    section(
      'source',
      'Source',
      sides((k) => sourceFacts(models[k])),
    ),
    el(
      'p',
      { class: 'note' },
      `Made by gictrace ${facts.version}. This page needs no network and sends nothing.`,
    ),
  );
  root.classList.toggle('two', two);
  for (const one of timelines) one.draw();
  const active = () => timelines.find((one) => one.canvas === document.activeElement) ?? timelines[0];
  listenEverywhere(active, bar.field, () => {
    view.range = null;
    view.changed();
  });
  keepLink(view, timelines, go);
  // For tests and the browser's console.
  Object.assign(globalThis, { gictraceReport: { facts, models, view, timelines } });
  document.documentElement.dataset.ready = 'yes';
}

open().catch((error) => {
  root.replaceChildren(
    el(
      'p',
      {},
      `This page cannot be opened: ${error instanceof Error ? error.message : error}. It needs a browser with DecompressionStream (2023 or later).`,
    ),
  );
  throw error;
});
