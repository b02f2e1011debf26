// The section about the source of a trace: its facts, what the source does not contain, and what rules inferred.
import { el, facts as list, none, table } from './dom.js';
import { grouped } from './format.js';

/** @typedef {import('./model.js').Model} Model */

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
      ['clock', facts.timed ? facts.clock : 'the source contains no times'],
      [
        'GIC',
        `GICv${facts.architecture}, ${facts.affinities.length} PE${facts.affinities.length === 1 ? '' : 's'}, ${facts.itsCount === 0 && facts.architecture === 5 ? '' : `${facts.itsCount} ITS, `}profile ${facts.profile}`,
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
          ? [['without a time', `${grouped(facts.untimed)} records: placed at the time of the record before`]]
          : []
      ),
      .../** @type {[string, string][]} */ (
        facts.late > 0
          ? [
              [
                'earlier time than one before',
                `${grouped(facts.late)} records: placed at the latest time before; tables and details have the time in the source`,
              ],
            ]
          : []
      ),
      ['content digest', facts.contentDigest],
      ['semantic digest', facts.semanticDigest],
    ]),
    el('h3', {}, 'Not in the source'),
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
