// Shows what replay and checks found in a trace.
import { el, facts as list, none, table } from './dom.js';
import { duration, grouped } from './format.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./sections.js').Jump} Jump */

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
      ['record', 'line', 'PE', 'check', 'found', 'lasted, if known', 'because of'],
      facts.findings.map((one) => [
        jump(one.record),
        one.line === null ? '' : grouped(one.line),
        one.pe === null ? '' : one.pe,
        one.rule,
        one.text,
        one.lastedNs === null ? '' : duration(one.lastedNs),
        one.related.map(({ record, text }) => `record ${record}: ${text}`).join('; '),
      ]),
      { right: [0, 1, 2], page: 20, caption: 'findings' },
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
