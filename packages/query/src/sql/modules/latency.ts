// How long interrupts wait and how long they are handled: percentiles for each phase of their lifetimes.
import { classOf, FIRST_TRACE, KEY, type Module, VIRTUAL_CLASS } from './module.ts';

/** For each phase, the two moments that bound it, and a description. */
const PHASES = {
  arbitration: ['pended', 'signalled', 'from becoming pending until an interrupt line is asserted for it'],
  response: ['signalled', 'acknowledged', 'from the assertion of the line to the acknowledge'],
  queueing: ['pended', 'acknowledged', 'from becoming pending to the acknowledge'],
  service: ['acknowledged', 'eoi', 'from the acknowledge to the priority drop'],
  deactivation: ['eoi', 'deactivated', 'from the priority drop to the deactivation (not LPIs)'],
} as const;
const VIRTUAL_PHASES = ['arbitration', 'response', 'queueing', 'service'] as const;
/** For each column, the numerator and denominator of its rank. */
const PERCENTILES = { p50_ns: [1, 2], p90_ns: [9, 10], p99_ns: [99, 100], p999_ns: [999, 1000] } as const;

export function spans(): string {
  const of = (
    phase: keyof typeof PHASES,
    table: string,
    className: string,
    intid: string,
    vpeid: string,
  ): string => {
    const [from, to] = PHASES[phase];
    return `SELECT trace, ${className} AS class, ${intid} AS INTID, ${vpeid} AS vPEID, pe, '${phase}' AS phase, ${to}_ns - ${from}_ns AS ns FROM ${table} WHERE ${from} IS NOT NULL AND ${to} IS NOT NULL`;
  };
  return [
    ...(Object.keys(PHASES) as (keyof typeof PHASES)[]).map((phase) =>
      of(phase, 't_interrupts', classOf('INTID'), 'INTID', 'NULL'),
    ),
    ...VIRTUAL_PHASES.map((phase) => of(phase, 't_vinterrupts', VIRTUAL_CLASS, 'vINTID', 'vPEID')),
  ].join(' UNION ALL ');
}

/** Percentiles by the columns `by`, by nearest rank, so that each is a time that one interrupt really took. */
export function percentiles(by: string, from = spans()): string {
  const at = Object.entries(PERCENTILES).map(
    ([name, [over, under]]) =>
      `max(CASE WHEN k = (timed * ${over} + ${under - 1}) / ${under} THEN ns END) AS ${name}`,
  );
  return `SELECT ${by}, count(*) AS n, count(*) - count(ns) AS untimed, ${at.join(', ')}, max(ns) AS max_ns FROM (SELECT *, row_number() OVER (PARTITION BY ${by} ORDER BY ns NULLS LAST) AS k, count(ns) OVER (PARTITION BY ${by}) AS timed FROM (${from})) GROUP BY ${by}`;
}

export const NUMBERS = {
  n: 'interrupts for which both ends of the phase were seen',
  untimed:
    'interrupts among these for which the source does not contain both times; they are not in the percentiles',
  p50_ns:
    'median: the shortest time that at least half of the timed interrupts did not exceed; null if none is timed',
  p90_ns: 'nine of ten did not exceed it',
  p99_ns: '99 of 100 did not exceed it',
  p999_ns: '999 of 1,000 did not exceed it',
  max_ns: 'the longest',
} as const;
export const PHASE_DOC = Object.entries(PHASES)
  .map(([name, [, , doc]]) => `\`${name}\`: ${doc}`)
  .join('; ');

export const LATENCY_MODULES: readonly Module[] = [
  {
    name: 'latency_percentiles',
    doc: 'How long each phase of the lifetimes of interrupts took, by interrupt and PE. Percentiles are by nearest rank, so each is the time of one interrupt.',
    columns: {
      trace: KEY.trace,
      class: KEY.class,
      INTID: KEY.INTID,
      vPEID: KEY.vPEID,
      pe: KEY.pe,
      phase: PHASE_DOC,
      ...NUMBERS,
    },
    sql: percentiles('trace, class, INTID, vPEID, pe, phase'),
    question: 'Which interrupts wait longest for their PE, at the 99th percentile?',
    example:
      "SELECT class, INTID, pe, n, p50_ns, p99_ns, max_ns FROM latency_percentiles WHERE phase = 'queueing' ORDER BY p99_ns DESC, class, INTID, pe LIMIT 10",
  },
  {
    name: 'latency_by_trace',
    doc: 'The same by interrupt, for all PEs together, compared between each trace of the database and the first one.',
    columns: {
      trace: KEY.trace,
      class: KEY.class,
      INTID: KEY.INTID,
      phase: PHASE_DOC,
      n: NUMBERS.n,
      untimed: NUMBERS.untimed,
      p50_ns: NUMBERS.p50_ns,
      p99_ns: NUMBERS.p99_ns,
      first_n: 'n in the first trace; null if it has none there',
      first_p50_ns: 'p50_ns in the first trace',
      first_p99_ns: 'p99_ns in the first trace',
      delta_p50_ns: 'p50_ns minus that of the first trace',
      delta_p99_ns: 'p99_ns minus that of the first trace',
    },
    sql: `WITH p AS MATERIALIZED (${percentiles('trace, class, INTID, phase')}) SELECT p.trace, p.class, p.INTID, p.phase, p.n, p.untimed, p.p50_ns, p.p99_ns, f.n AS first_n, f.p50_ns AS first_p50_ns, f.p99_ns AS first_p99_ns, p.p50_ns - f.p50_ns AS delta_p50_ns, p.p99_ns - f.p99_ns AS delta_p99_ns FROM p LEFT JOIN p f ON f.trace = ${FIRST_TRACE} AND f.class = p.class AND f.INTID = p.INTID AND f.phase = p.phase ORDER BY p.class, p.INTID, p.phase, p.trace`,
    question: 'Which interrupts became slower since the first run?',
    example:
      "SELECT trace, class, INTID, first_p50_ns, p50_ns, delta_p50_ns FROM latency_by_trace WHERE phase = 'queueing' AND delta_p50_ns > 0 ORDER BY delta_p50_ns DESC, trace, class, INTID LIMIT 10",
  },
];
