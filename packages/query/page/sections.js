// The sections below the timeline: plain tables of one trace. Every number of the page is in one of them.

import { CLASSES, intidText, known } from './classes.js';
import { NONE } from './data.js';
import { el, none, table } from './dom.js';
import { duration, grouped, hex } from './format.js';
import { histogram } from './histogram.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {(record: number, last?: number) => Node} Jump A record as a link to its place in the timeline. */

const optional = (/** @type {number | null} */ ns) => (ns === null ? 'unknown' : duration(ns));

/** @param {Model} model @param {Jump} jump */
export function latencySection({ facts }, jump) {
  const head = [
    'class',
    'what',
    'lives',
    'min',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'max',
    'time unknown',
    'negative',
  ];
  const rows = facts.distributions.map((of) => [
    of.class,
    of.measure,
    grouped(of.count),
    ...[of.min, of.p50, of.p90, of.p99, of.p999, of.max].map((ns) => (of.count === 0 ? '' : optional(ns))),
    grouped(of.untold),
    grouped(of.negative),
  ]);
  const charts = facts.distributions.filter((of) => of.buckets.length > 0);
  return el(
    'div',
    {},
    el(
      'p',
      { class: 'note' },
      'wait: from pending to acknowledge. service: from acknowledge to EOI. Computed from the times in the source; percentiles by nearest rank over all lifetimes, drawn or not. Negative: host threads of the source raced.',
    ),
    rows.length === 0
      ? none('No interrupt was acknowledged.')
      : table(head, rows, { right: [2, 3, 4, 5, 6, 7, 8, 9, 10] }),
    el(
      'div',
      { class: 'charts' },
      ...charts.map((of) =>
        el(
          'div',
          {},
          el('h3', {}, `${of.class}: ${of.measure}`),
          histogram(of, `class-${CLASSES.indexOf(of.class)}`),
        ),
      ),
    ),
    el('h3', {}, 'The slowest of each class'),
    facts.slowest.length === 0
      ? none('No wait has both its times.')
      : table(
          ['class', 'INTID', 'PE', 'cause', 'waited', 'pending at record', 'acknowledged at record'],
          facts.slowest.map((one) => [
            one.class,
            intidText(one.INTID),
            one.pe === null ? 'unknown' : one.pe,
            one.cause,
            duration(one.waitNs),
            jump(one.pended, one.acknowledged),
            jump(one.acknowledged),
          ]),
          { right: [1, 2, 4, 5, 6], page: 100 },
        ),
    el('h3', {}, 'What became of interrupts'),
    facts.lives.length === 0
      ? none('There was none.')
      : table(
          ['interrupts', 'class', 'outcome'],
          facts.lives.map((one) => [grouped(one.n), one.class, one.outcome]),
          { right: [0] },
        ),
  );
}

/** @param {Model} model @param {Jump} jump */
export function commandSection({ facts, commands, moments }, jump) {
  const { strings } = facts;
  const failed = Array.from(commands.at.keys()).filter(
    (i) => !['EXECUTED', 'unknown'].includes(strings[commands.outcome[i]]),
  );
  return el(
    'div',
    {},
    el('h3', {}, 'ITS commands'),
    facts.commands.length === 0
      ? none('No ITS command was executed.')
      : table(
          ['commands', 'command', 'outcome'],
          facts.commands.map((one) => [grouped(one.n), one.op, one.outcome]),
          { right: [0] },
        ),
    failed.length === 0
      ? null
      : table(
          ['record', 'ITS', 'slot', 'command', 'outcome'],
          failed.map((i) => [
            jump(moments.record[commands.at[i]]),
            commands.its[i],
            commands.slot[i],
            strings[commands.text[i]],
            strings[commands.outcome[i]],
          ]),
          { right: [0, 1, 2], caption: 'Commands in error' },
        ),
    el('h3', {}, 'Messages of devices'),
    facts.msis.length === 0
      ? none('No device wrote GITS_TRANSLATER.')
      : table(
          ['MSIs', 'outcome'],
          facts.msis.map(([outcome, n]) => [grouped(n), outcome]),
          { right: [0] },
        ),
  );
}

/** @param {Model} model @param {Jump} jump */
export function mappingSection(model, jump) {
  const { facts, mappings, moments } = model;
  const order = Array.from(mappings.event.keys());
  if (order.length === 0) return none('No command mapped an event.');
  const key = (/** @type {number} */ i) => facts.events[mappings.event[i]];
  order.sort((a, b) => {
    const [p, q] = [key(a), key(b)];
    return p[0] - q[0] || p[1] - q[1] || p[2] - q[2] || mappings.from[a] - mappings.from[b];
  });
  const moves = order.filter((i) =>
    ['MOVI', 'VMOVI', 'VMOVP', 'MAPC', 'VMAPP'].includes(facts.strings[mappings.by[i]]),
  ).length;
  return el(
    'div',
    {},
    el(
      'p',
      {},
      `${grouped(new Set(mappings.event).size)} events, ${grouped(order.length)} mappings, ${grouped(moves)} of them by a move. In the timeline each event has its mappings below its interrupts, in the colour of the PE.`,
    ),
    table(
      [
        'ITS',
        'DeviceID',
        'EventID',
        'INTID',
        'ICID or vPEID',
        'PE',
        'from record',
        'made by',
        'to record',
        'ended by',
      ],
      order.map((i) => {
        const [its, deviceId, eventId] = key(i);
        const { to, endedBy } = mappings;
        return [
          its,
          hex(deviceId),
          hex(eventId),
          `${mappings.virtual[i] ? 'v' : ''}${known(mappings.intid[i])}`,
          mappings.virtual[i] ? `vPE ${known(mappings.vpe[i])}` : `ICID ${known(mappings.icid[i])}`,
          mappings.pe[i] === NONE ? 'none or unknown' : mappings.pe[i],
          jump(moments.record[mappings.from[i]]),
          facts.strings[mappings.by[i]],
          to[i] === NONE ? '' : jump(moments.record[to[i]]),
          endedBy[i] === NONE ? 'holds at the end' : facts.strings[endedBy[i]],
        ];
      }),
      { right: [0, 1, 2, 3, 5, 6, 8], page: 40, caption: 'mappings' },
    ),
  );
}
