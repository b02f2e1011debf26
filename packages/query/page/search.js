// Search: an interrupt, a device, a vPE, a record, a time, or a text of commands, findings and outcomes.
import { CLASSES, idOf } from './classes.js';
import { NONE } from './data.js';
import { el } from './dom.js';
import { grouped, hex, instant } from './format.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./timeline.js').Timeline} Timeline */
/** @typedef {import('./timeline.js').Choice} Choice */
/**
 * @typedef {object} Found
 * @property {string} text
 * @property {number} trace
 * @property {number} first Moments.
 * @property {number} last
 * @property {string[]} open Lanes to open.
 * @property {string | null} lane The lane for n and p.
 * @property {Choice | null} choice
 */

const FOUND_MAX = 12;
const UNITS = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 };
const NUMBER =
  /^(?:(intid|vintid|lpi|spi|ppi|sgi|record|line|device|deviceid|vpe|vpeid|pe|time)[\s:=]*)?(0x[\da-f]+|[\d,]*\.?\d+)\s*(ns|us|µs|ms|s)?$/i;

/** What a query finds. @param {readonly Timeline[]} timelines @param {string} query @returns {Found[]} */
export function search(timelines, query) {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return [];
  const [, kind, digits, unit] = NUMBER.exec(wanted) ?? [];
  const found = timelines.flatMap((timeline, k) =>
    digits === undefined
      ? byText(timeline, k, wanted)
      : byNumber(timeline, k, kind, Number(digits.replaceAll(',', '')), unit),
  );
  return found.slice(0, FOUND_MAX);
}

/**
 * @param {Timeline} timeline
 * @param {number} trace
 * @param {string | undefined} kind
 * @param {number} n
 * @param {string | undefined} unit
 * @returns {Found[]}
 */
function byNumber({ model }, trace, kind, n, unit) {
  const { facts, lives, msis, moments } = model;
  /** @type {Found[]} */
  const found = [];
  const any = kind === undefined && unit === undefined;
  if (unit !== undefined || kind === 'time') {
    const ns = n * (unit === undefined ? 1 : UNITS[/** @type {keyof typeof UNITS} */ (unit)]);
    const moment = model.timeNs.findIndex((at) => at >= ns);
    if (facts.timed && moment >= 0) found.push(plain(`time ${instant(ns)}`, trace, moment, moment));
    return found;
  }
  if (!Number.isInteger(n)) return found;
  if (any || /intid|lpi|spi|ppi|sgi/.test(kind ?? '')) found.push(...interrupts(model, trace, n));
  if (any || /device/.test(kind ?? ''))
    facts.events.forEach(([its, deviceId], event) => {
      const lane = `device.${its}.${deviceId}`;
      if (deviceId !== n || found.some((one) => one.lane === lane)) return;
      const row = msis.event.indexOf(event);
      const life = lives.event.indexOf(event);
      if (row < 0 && life < 0) return;
      const at = row >= 0 ? msis.at[row] : lives.first[life];
      found.push({
        text: `DeviceID ${hex(n)}${facts.itsCount > 1 ? `, ITS ${its}` : ''}`,
        trace,
        first: at,
        last: at,
        open: [lane],
        lane,
        choice: row >= 0 ? { kind: 'msis', row } : { kind: 'lives', row: life },
      });
    });
  if (any || /vpe/.test(kind ?? '')) {
    const row = Array.prototype.findIndex.call(lives.vpe, (vpe, i) => lives.virtual[i] === 1 && vpe === n);
    if (row >= 0)
      found.push({
        text: `vPE ${n}`,
        trace,
        first: lives.first[row],
        last: model.lastOf[row],
        open: [`vpe.${n}`],
        lane: `vpe.${n}`,
        choice: { kind: 'lives', row },
      });
  }
  if (kind === 'pe' && n < facts.affinities.length)
    found.push({ ...plain(`PE ${n}`, trace, 0, model.end), open: [`pe.${n}`], lane: `pe.${n}` });
  if ((any || kind === 'record') && n < facts.records) {
    const moment = model.momentOf(n);
    found.push(plain(`record ${grouped(n)}`, trace, moment, moment));
  }
  if (kind === 'line') {
    const moment = moments.line.findIndex((line) => line >= n);
    if (moment >= 0) found.push(plain(`line ${grouped(n)}`, trace, moment, moment));
  }
  return found;
}

/** @param {string} text @param {number} trace @param {number} first @param {number} last @returns {Found} */
const plain = (text, trace, first, last) => ({
  text,
  trace,
  first,
  last,
  open: [],
  lane: null,
  choice: null,
});

/** An interrupt on each PE. @param {import('./model.js').Model} model @param {number} trace @param {number} n @returns {Found[]} */
function interrupts(model, trace, n) {
  const { lives, lastOf, classOfLife } = model;
  /** @type {Map<string, { row: number, n: number, text: string }>} */
  const lanes = new Map();
  for (let i = 0; i < model.count; i++) {
    if (lives.intid[i] !== n && idOf(lives.intid[i]) !== n) continue;
    const virtual = lives.virtual[i] === 1;
    const owner = virtual ? lives.vpe[i] : lives.pe[i];
    if (owner === NONE) continue;
    const lane = `${virtual ? 'vpe' : 'pe'}.${owner}`;
    const seen = lanes.get(lane);
    if (seen !== undefined) seen.n++;
    else {
      const name = virtual ? `vINTID ${n} of vPE ${owner}` : `${CLASSES[classOfLife[i]]} ${n} on PE ${owner}`;
      lanes.set(lane, { row: i, n: 1, text: name });
    }
  }
  return [...lanes].map(([lane, { row, n: lifetimes, text }]) => ({
    text: `${text}: ${grouped(lifetimes)} ${lifetimes === 1 ? 'lifetime' : 'lifetimes'}`,
    trace,
    first: lives.first[row],
    last: lastOf[row],
    open: [lane],
    lane: `${lane}.${n}`,
    choice: /** @type {Choice} */ ({ kind: 'lives', row }),
  }));
}

/** @param {Timeline} timeline @param {number} trace @param {string} wanted @returns {Found[]} */
function byText({ model }, trace, wanted) {
  const { facts, commands, lives, lastOf, msis } = model;
  /** @type {Found[]} */
  const found = [];
  const has = facts.strings.map((text) => text.toLowerCase().includes(wanted));
  facts.findings.forEach(({ rule, text, record }, row) => {
    if (!`${rule} ${text}`.toLowerCase().includes(wanted)) return;
    const moment = model.momentOf(record);
    found.push({
      text: `${rule}: ${text}`,
      trace,
      first: moment,
      last: moment,
      open: [],
      lane: 'marks',
      choice: { kind: 'findings', row },
    });
  });
  for (let row = 0; row < commands.at.length && found.length < FOUND_MAX; row++)
    if (has[commands.text[row]] || has[commands.outcome[row]])
      found.push({
        text: facts.strings[commands.text[row]],
        trace,
        first: commands.at[row],
        last: commands.at[row],
        open: [],
        lane: `its.${commands.its[row]}`,
        choice: { kind: 'commands', row },
      });
  const { accesses } = model;
  const registers = new Set();
  for (let row = 0; row < accesses.at.length && found.length < FOUND_MAX; row++) {
    const register = accesses.register[row];
    if (!has[register] || registers.has(register)) continue;
    registers.add(register);
    const frame = `access.${facts.strings[accesses.frame[row]]}`;
    found.push({
      text: `accesses to ${facts.strings[register]}`,
      trace,
      first: accesses.at[row],
      last: accesses.at[row],
      open: [frame],
      lane: `${frame}.${facts.strings[register]}`,
      choice: { kind: 'accesses', row },
    });
  }
  for (let row = 0; row < msis.at.length && found.length < FOUND_MAX; row++)
    if (has[msis.outcome[row]])
      found.push({
        text: `MSI ${model.eventText(msis.event[row])}: ${facts.strings[msis.outcome[row]]}`,
        trace,
        first: msis.at[row],
        last: msis.at[row],
        open: [],
        lane: null,
        choice: { kind: 'msis', row },
      });
  for (let row = 0; row < model.count && found.length < FOUND_MAX; row++)
    if (has[lives.cause[row]] || has[lives.outcome[row]])
      found.push({
        text: `${model.lifeTitle(row)}: ${facts.strings[lives.cause[row]]}, ${facts.strings[lives.outcome[row]]}`,
        trace,
        first: lives.first[row],
        last: lastOf[row],
        open: [],
        lane: null,
        choice: { kind: 'lives', row },
      });
  return found;
}

/**
 * The field for a search, and what it finds.
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
