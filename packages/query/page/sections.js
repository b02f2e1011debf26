// The sections below the timeline: plain tables of one trace. Every number is in a table.
import { NONE } from './data.js';
import { el, facts as list, table } from './dom.js';
import { duration, grouped, hex } from './format.js';
import { histogram } from './histogram.js';
import { CLASSES, known } from './model.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {(record: number, last?: number) => Node} Jump A record as a link to its place in the timeline. */

const none = (/** @type {string} */ text) => el('p', { class: 'note' }, text);
const optional = (/** @type {number | null} */ ns) => (ns === null ? 'unknown' : duration(ns));

/** @param {Model} model */
export function sourceFacts({ facts }) {
  const affinity = (/** @type {number} */ packed) =>
    [24, 16, 8, 0].map((bit) => (packed >>> bit) & 255).join('.');
  const affinities = facts.affinities.map(affinity);
  const span =
    facts.window === null
      ? 'all records'
      : `records ${grouped(facts.window[0])} to ${grouped(facts.window[1] - 1)} (--from, --to)`;
  const left = Object.entries(facts.leftOut).map(([name, n]) => `${grouped(n)} rows of ${name}`);
  return el(
    'div',
    {},
    list([
      ['trace', facts.name],
      ['records', grouped(facts.records)],
      ['source', `${facts.source.name} (${facts.source.kind})`],
      ['written by', facts.writer],
      ['clock', facts.timed ? facts.clock : 'the source tells no times'],
      [
        'GIC',
        `GICv${facts.architecture}, ${facts.affinities.length} PE${facts.affinities.length === 1 ? '' : 's'}, ${facts.itsCount} ITS, profile ${facts.profile}`,
      ],
      [
        'affinities',
        affinities.length > 8 ? `${affinities.slice(0, 8).join(', ')}, …` : affinities.join(', '),
      ],
      [
        'details',
        left.length === 0
          ? span
          : `${span}; counted and not drawn, since there are too many: ${left.join(', ')}`,
      ],
      .../** @type {[string, string][]} */ (facts.seed === null ? [] : [['seed', facts.seed]]),
      .../** @type {[string, string][]} */ (
        facts.untimed > 0
          ? [['without a time', `${grouped(facts.untimed)} records: shown at the time of the record before`]]
          : []
      ),
      .../** @type {[string, string][]} */ (
        facts.late > 0
          ? [
              [
                'earlier time than one before',
                `${grouped(facts.late)} records: shown at the latest time before; tables and details have the time that the source tells`,
              ],
            ]
          : []
      ),
      ['content digest', facts.contentDigest],
      ['semantic digest', facts.semanticDigest],
    ]),
    el('h3', {}, 'Not told by the source'),
    facts.losses.length === 0
      ? none('The trace declares no loss.')
      : table(
          ['what', 'how often'],
          facts.losses.map(({ what, count }) => [what, count === null ? 'unknown' : grouped(count)]),
          { right: [1] },
        ),
    el('h3', {}, 'Filled by rules'),
    facts.rules.length === 0
      ? none('Every record is as the source shows it.')
      : table(
          ['records', 'rule', 'class', 'what it does'],
          facts.rules.map((rule) => [grouped(rule.n), rule.name, rule.class, rule.doc]),
          { right: [0] },
        ),
    el('h3', {}, 'Records by kind'),
    table(
      ['records', 'kind'],
      facts.kinds.map(([name, n]) => [grouped(n), name]),
      { right: [0] },
    ),
    el('h3', {}, 'Where the configuration comes from'),
    table(
      ['part', 'from'],
      facts.source.provenance.map(([name, from]) => [name, from]),
    ),
  );
}

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
    'time not told',
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
      'wait: from pending to acknowledge. service: from acknowledge to EOI. From the times that the source tells; percentiles by nearest rank over all lives, drawn or not. Negative: threads of the source raced.',
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
            one.INTID,
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

/** @param {Model} model @param {Jump} jump */
export function findingSection({ facts }, jump) {
  if (facts.findingCounts.length === 0) return none('The checks of gictrace check found nothing.');
  const shown = facts.findings.length;
  const all = facts.findingCounts.reduce((sum, one) => sum + one.n, 0);
  return el(
    'div',
    {},
    table(
      ['findings', 'severity', 'check', 'what is wrong'],
      facts.findingCounts.map((one) => [grouped(one.n), one.severity, one.rule, one.doc]),
      { right: [0] },
    ),
    shown < all
      ? none(
          `The first of each check are below: ${grouped(shown)} of ${grouped(all)}. gictrace check has all.`,
        )
      : null,
    table(
      ['record', 'line', 'PE', 'check', 'found', 'lasted', 'because of'],
      facts.findings.map((one) => [
        jump(one.record),
        one.line === null ? '' : grouped(one.line),
        one.pe === null ? '' : one.pe,
        one.rule,
        one.text,
        one.lastedNs === null ? 'unknown' : duration(one.lastedNs),
        one.related.map(({ record, text }) => `record ${record}: ${text}`).join('; '),
      ]),
      { right: [0, 1, 2], page: 40, caption: 'findings' },
    ),
  );
}

/** @param {Model} model @param {Jump} jump */
export function verdictSection({ facts }, jump) {
  const { verdict } = facts;
  if (verdict === null) return none('The trace was not replayed (--no-replay).');
  const counts = (/** @type {Readonly<Record<string, number>>} */ of, /** @type {string} */ name) => {
    const rows = Object.entries(of).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return rows.length === 0
      ? null
      : table(
          [name, 'what'],
          rows.map(([what, n]) => [grouped(n), what]),
          { right: [0] },
        );
  };
  const { first, firstAnomaly } = verdict;
  return el(
    'div',
    {},
    el('p', {}, verdictText(facts)),
    first === null
      ? null
      : el(
          'div',
          {},
          el(
            'h3',
            {},
            'First divergence: record ',
            jump(first.record),
            `${first.line === null ? '' : `, line ${grouped(first.line)} of the source`} (${first.kind})`,
          ),
          list([
            ['recorded', first.recorded],
            ['replayed', first.replayed],
            [
              'stimulus',
              first.stimulus === null ? 'none' : `record ${first.stimulus.record}: ${first.stimulus.text}`,
            ],
            .../** @type {[string, string][]} */ (
              first.suspect === null
                ? []
                : [['suspect', `record ${first.suspect.record}: ${first.suspect.text}`]]
            ),
          ]),
          first.events.length === 0
            ? null
            : el('pre', {}, `what the simulator did:\n${first.events.join('\n')}`),
          first.before.length === 0 ? null : el('pre', {}, `records before:\n${first.before.join('\n')}`),
        ),
    firstAnomaly === null
      ? null
      : el(
          'p',
          {},
          `The guest against the rules of the architecture: ${grouped(verdict.anomalies)}, first at record `,
          jump(firstAnomaly.record),
          `: ${firstAnomaly.text}`,
        ),
    el(
      'div',
      { class: 'sides' },
      counts(verdict.compared, 'compared'),
      counts(verdict.divergedBy, 'diverged'),
      counts(verdict.unknown, 'not shown by the source'),
      counts(verdict.skipped, 'skipped'),
      counts(verdict.tolerated, 'allowed'),
    ),
  );
}

/** @param {import('./model.js').TraceFacts} facts */
export function verdictText({ verdict }) {
  if (verdict === null) return 'not replayed';
  const compared = Object.values(verdict.compared).reduce((a, b) => a + b, 0);
  return `${grouped(verdict.records)} records replayed on the simulator, ${grouped(compared)} comparisons, ${grouped(verdict.diverged)} diverged`;
}
