// Search: an interrupt, a device, a vPE, a record, a time, or a text of commands, findings and outcomes. Pure.
import { CLASSES, idOf } from './classes.js';
import { NONE } from './data.js';
import { grouped, hex, instant } from './format.js';
import { orUnknown } from './series.js';

/** @typedef {{ model: import('./model.js').Model }} Searched The timeline of a trace. */
/** @typedef {{ kind: import('./model.js').RowKind, row: number }} Choice */
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

/** What a query finds. @param {readonly Searched[]} timelines @param {string} query @returns {Found[]} */
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
 * @param {Searched} timeline
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
  if (any || /intid|lpi|spi|ppi|sgi/.test(kind ?? '')) found.push(...interrupts(model, trace, n, kind));
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

/**
 * The keys of a lane with a lifetime, and of the one that contains it. An interrupt of no known PE has a lane in that of its
 * device or class.
 * @param {import('./model.js').Model} model
 * @param {number} i
 * @returns {[group: string, lane: string]}
 */
function laneOf({ facts, lives, classOfLife }, i) {
  const event = facts.events[lives.event[i]];
  if (lives.virtual[i] !== 1 && lives.pe[i] === NONE && event !== undefined)
    return [`device.${event[0]}.${event[1]}`, `device.${event.join('.')}`];
  const group =
    lives.virtual[i] === 1
      ? `vpe.${orUnknown(lives.vpe[i])}`
      : lives.pe[i] === NONE
        ? `class.${classOfLife[i]}`
        : `pe.${lives.pe[i]}`;
  return [group, `${group}.${lives.intid[i]}`];
}

/** The classes of a GICv5, in each of which IDs begin at 0. */
const TYPED = /^(?:ppi|spi|lpi)$/;

/**
 * An interrupt in each of its lanes.
 * @param {import('./model.js').Model} model
 * @param {number} trace
 * @param {number} n
 * @param {string | undefined} kind
 * @returns {Found[]}
 */
function interrupts(model, trace, n, kind = '') {
  const { lives, lastOf, classOfLife } = model;
  /** @type {Map<string, { row: number, n: number, group: string, text: string }>} */
  const lanes = new Map();
  for (let i = 0; i < model.count; i++) {
    const intid = lives.intid[i];
    if (intid !== n && idOf(intid) !== n) continue;
    const className = CLASSES[classOfLife[i]];
    if (idOf(intid) !== intid && TYPED.test(kind) && className.toLowerCase() !== kind) continue;
    const virtual = lives.virtual[i] === 1;
    const owner = virtual ? lives.vpe[i] : lives.pe[i];
    const [group, lane] = laneOf(model, i);
    const seen = lanes.get(lane);
    if (seen !== undefined) seen.n++;
    else {
      const unknown = owner === NONE ? `, ${virtual ? 'vPE' : 'PE'} unknown` : '';
      const text = virtual
        ? `vINTID ${intid}${unknown || ` of vPE ${owner}`}`
        : `${className} ${idOf(intid)}${unknown || ` on PE ${owner}`}`;
      lanes.set(lane, { row: i, n: 1, group, text });
    }
  }
  return [...lanes].map(([lane, { row, n: lifetimes, group, text }]) => ({
    text: `${text}: ${grouped(lifetimes)} ${lifetimes === 1 ? 'lifetime' : 'lifetimes'}`,
    trace,
    first: lives.first[row],
    last: lastOf[row],
    open: [group],
    lane,
    choice: /** @type {Choice} */ ({ kind: 'lives', row }),
  }));
}

/** @param {Searched} timeline @param {number} trace @param {string} wanted @returns {Found[]} */
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
