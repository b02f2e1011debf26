// Questions about many traces: which of them differ from the others, and what the traces with a label have in common.

import { NUMBERS, PHASE_DOC, percentiles, spans } from './latency.ts';
import { KEY, type Module } from './module.ts';

/** A trace is unusual if its median is farther from that of the fleet than this many median deviations. */
const DEVIATIONS = 5;
/** With fewer traces there is no usual one. */
const TRACES_MIN = 5;

/**
 * With fewer traces on either side, the normal approximation is too rough. With five on both it gives 0.012 for sides that do
 * not overlap, of which the exact probability is 2 / 252.
 */
const SIDE_MIN = 5;

/** The probability of at least this |z| by chance, two-sided, after Hastings (Abramowitz and Stegun, 26.2.17). */
function chance(z: string): string {
  const t = `(1 / (1 + 0.2316419 * ${z}))`;
  const terms = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = terms.reduceRight((rest, term) => `${t} * (${term} + ${rest})`, '0');
  return `round(2 * 0.3989422804 * exp(-${z} * ${z} / 2) * (${sum}), 4)`;
}

/** The median of each phase in each trace that has times. */
const MEDIANS = `p AS MATERIALIZED (SELECT trace, class, phase, p50_ns FROM (${percentiles('trace, class, phase')}) WHERE p50_ns IS NOT NULL)`;

/** Two sides of a label, all traces of both in the order of their medians, with the traces that have the same median. */
const RANKED = `r AS (SELECT a.label, b.value AS baseline, a.value, p.class, p.phase, p.p50_ns, CASE WHEN l.value = a.value THEN 1 ELSE 0 END AS is_value, rank() OVER (PARTITION BY a.label, a.value, b.value, p.class, p.phase ORDER BY p.p50_ns) AS place, count(*) OVER (PARTITION BY a.label, a.value, b.value, p.class, p.phase, p.p50_ns) AS ties FROM v a JOIN v b ON b.label = a.label AND b.value <> a.value JOIN t_labels l ON l.label = a.label AND l.value IN (a.value, b.value) JOIN p ON p.trace = l.trace)`;

export const FLEET_MODULES: readonly Module[] = [
  {
    name: 'regressions',
    doc: `For each label, the traces with one value beside those with another, the baseline: whether a phase of the lifetimes of interrupts takes longer, or shorter, than chance explains. What is compared is the median of each trace, since the interrupts of one boot are not independent of each other: the Mann-Whitney test, with the correction for ties and the normal approximation. There are no rows with fewer than ${SIDE_MIN} traces on either side, and each pair of values has a row in both directions.`,
    columns: {
      label: 'name of the label (`gictrace import --label NAME=VALUE`)',
      baseline: 'value of the label on one side',
      value: 'its value on the other side',
      class: KEY.class,
      phase: PHASE_DOC,
      baseline_traces: 'traces with the baseline that have such interrupts',
      traces: 'traces with the value that have such interrupts',
      baseline_ns: 'the median of the medians of the baseline',
      p50_ns: 'the median of the medians of the value',
      change: 'p50_ns minus baseline_ns as a share of baseline_ns, in percent',
      z: 'how far the ranks are from what chance makes likely, in standard deviations; positive: slower',
      p: 'probability of such a difference, in either direction, if the label had no influence',
      tests: 'rows for these two values: with many of them, a small p happens by chance',
      p_adjusted: 'p times tests, at most 1 (Bonferroni): below 0.05 is evidence even after so many tests',
    },
    sql: `WITH ${MEDIANS}, v AS (SELECT DISTINCT label, value FROM t_labels), ${RANKED}, s AS (SELECT label, baseline, value, class, phase, sum(is_value) AS n, sum(1 - is_value) AS m, sum(is_value * (place + (ties - 1) / 2.0)) AS ranks, sum(1.0 * ties * ties - 1) AS tied, median(CASE WHEN is_value = 1 THEN p50_ns END) AS p50_ns, median(CASE WHEN is_value = 0 THEN p50_ns END) AS baseline_ns FROM r GROUP BY label, baseline, value, class, phase), u AS (SELECT *, ranks - n * (n + 1) / 2.0 - n * m / 2.0 AS off, n * m / 12.0 * (n + m + 1 - tied / (1.0 * (n + m) * (n + m - 1))) AS spread FROM s WHERE n >= ${SIDE_MIN} AND m >= ${SIDE_MIN}), z AS (SELECT *, CASE WHEN spread <= 0 OR abs(off) <= 0.5 THEN 0.0 ELSE (abs(off) - 0.5) / sqrt(spread) END AS far FROM u), t AS (SELECT *, CASE WHEN far = 0 THEN 1.0 ELSE ${chance('far')} END AS chance, count(*) OVER (PARTITION BY label, baseline, value) AS tests FROM z) SELECT label, baseline, value, class, phase, CAST(m AS INTEGER) AS baseline_traces, CAST(n AS INTEGER) AS traces, baseline_ns, p50_ns, CASE WHEN baseline_ns > 0 THEN round(100.0 * (p50_ns - baseline_ns) / baseline_ns, 1) END AS change, round(CASE WHEN off < 0 THEN -far ELSE far END, 2) AS z, chance AS p, tests, CASE WHEN chance * tests > 1 THEN 1.0 ELSE round(chance * tests, 4) END AS p_adjusted FROM t ORDER BY label, baseline, value, class, phase`,
    question: 'Which phases are slower than with the baseline, by more than chance?',
    example:
      "SELECT label, value, class, phase, baseline_ns, p50_ns, change, p_adjusted FROM regressions WHERE z > 0 AND p_adjusted < 0.05 AND label = 'kernel' AND baseline = '6.11' ORDER BY z DESC, class, phase",
  },
  {
    name: 'latency_trend',
    doc: `Whether a phase of the lifetimes of interrupts takes longer from trace to trace: the rank correlation (Spearman) of the median of each trace with a label whose values are all whole numbers, such as a build number or a date (20261130). There are no rows with fewer than ${2 * SIDE_MIN} traces.`,
    columns: {
      label: 'name of the label',
      class: KEY.class,
      phase: PHASE_DOC,
      traces: 'traces that have the label and such interrupts',
      from_value: 'the least value',
      to_value: 'the greatest value',
      rho: 'rank correlation, from -1 (always faster) to 1 (always slower); null if all values or all medians are the same',
      p: 'probability of such a correlation, in either direction, if there were none; null as rho',
      slope_ns:
        'nanoseconds that the median grows by for each step of 1 of the label, by least squares; null as rho',
    },
    sql: `WITH ${MEDIANS}, l AS (SELECT label, trace, CASE WHEN trim(value, '0123456789') = '' THEN CAST(value AS BIGINT) END AS x FROM t_labels WHERE label NOT IN (SELECT label FROM t_labels WHERE trim(value, '0123456789') <> '' OR value = '' OR length(value) > 15)), j AS (SELECT l.label, p.class, p.phase, l.x, p.p50_ns AS y, rank() OVER (PARTITION BY l.label, p.class, p.phase ORDER BY l.x) + (count(*) OVER (PARTITION BY l.label, p.class, p.phase, l.x) - 1) / 2.0 AS rx, rank() OVER (PARTITION BY l.label, p.class, p.phase ORDER BY p.p50_ns) + (count(*) OVER (PARTITION BY l.label, p.class, p.phase, p.p50_ns) - 1) / 2.0 AS ry, avg(1.0 * l.x) OVER (PARTITION BY l.label, p.class, p.phase) AS mx, avg(1.0 * p.p50_ns) OVER (PARTITION BY l.label, p.class, p.phase) AS my, count(*) OVER (PARTITION BY l.label, p.class, p.phase) AS n FROM l JOIN p ON p.trace = l.trace), s AS (SELECT label, class, phase, count(*) AS n, min(x) AS from_value, max(x) AS to_value, sum((rx - (n + 1) / 2.0) * (ry - (n + 1) / 2.0)) AS both_ranks, sum((rx - (n + 1) / 2.0) * (rx - (n + 1) / 2.0)) AS x_ranks, sum((ry - (n + 1) / 2.0) * (ry - (n + 1) / 2.0)) AS y_ranks, sum((x - mx) * (y - my)) AS both_values, sum((x - mx) * (x - mx)) AS x_values FROM j GROUP BY label, class, phase), c AS (SELECT *, CASE WHEN x_ranks > 0 AND y_ranks > 0 THEN both_ranks / sqrt(x_ranks * y_ranks) END AS rho FROM s WHERE n >= ${2 * SIDE_MIN}), z AS (SELECT *, abs(rho) * sqrt(n - 1.0) AS far FROM c) SELECT label, class, phase, n AS traces, from_value, to_value, round(rho, 3) AS rho, CASE WHEN rho IS NULL THEN NULL WHEN far = 0 THEN 1.0 ELSE ${chance('far')} END AS p, CASE WHEN rho IS NOT NULL THEN round(both_values / x_values, 3) END AS slope_ns FROM z ORDER BY label, class, phase`,
    question: 'Do interrupts become slower from build to build?',
    example:
      "SELECT class, phase, traces, from_value, to_value, rho, p, slope_ns FROM latency_trend WHERE label = 'build' AND p < 0.01 ORDER BY p, class, phase",
  },
  {
    name: 'latency_by_label',
    doc: "How long each phase of the lifetimes of interrupts took in all traces that have a label, by the label's value: kernels, versions of QEMU or of firmware beside each other. Percentiles are by nearest rank over the interrupts of all those traces.",
    columns: {
      label: 'name of the label (`gictrace import --label NAME=VALUE`)',
      value: 'its value',
      class: KEY.class,
      phase: PHASE_DOC,
      ...NUMBERS,
    },
    sql: percentiles(
      'label, value, class, phase',
      `SELECT l.label, l.value, s.class, s.phase, s.ns FROM (${spans()}) s JOIN t_labels l ON l.trace = s.trace`,
    ),
    question: 'Do interrupts wait longer with some kernel?',
    example:
      "SELECT value, class, n, p50_ns, p99_ns FROM latency_by_label WHERE label = 'kernel' AND phase = 'queueing' ORDER BY class, value",
  },
  {
    name: 'unusual_traces',
    doc: `Traces whose interrupts took unusually long or short: the median of a phase differs from the median of all traces' medians by more than ${DEVIATIONS} times the median of such differences. There are no rows with fewer than ${TRACES_MIN} traces, or if at least half of the traces have the same median.`,
    columns: {
      trace: KEY.trace,
      name: 'file name of the trace',
      class: KEY.class,
      phase: PHASE_DOC,
      n: NUMBERS.n,
      p50_ns: NUMBERS.p50_ns,
      traces: 'traces that have such interrupts',
      usual_ns: 'the median of the medians of these traces',
      deviation_ns: 'the median of their distances from it',
    },
    sql: `WITH p AS MATERIALIZED (${percentiles('trace, class, phase')}), m AS MATERIALIZED (SELECT class, phase, count(*) AS traces, median(p50_ns) AS usual_ns FROM p WHERE p50_ns IS NOT NULL GROUP BY class, phase), d AS MATERIALIZED (SELECT p.class, p.phase, median(abs(p.p50_ns - m.usual_ns)) AS deviation_ns FROM p JOIN m ON m.class = p.class AND m.phase = p.phase WHERE p.p50_ns IS NOT NULL GROUP BY p.class, p.phase) SELECT p.trace, t.name, p.class, p.phase, p.n, p.p50_ns, m.traces, m.usual_ns, d.deviation_ns FROM p JOIN m ON m.class = p.class AND m.phase = p.phase JOIN d ON d.class = p.class AND d.phase = p.phase JOIN t_traces t ON t.trace = p.trace WHERE m.traces >= ${TRACES_MIN} AND d.deviation_ns > 0 AND abs(p.p50_ns - m.usual_ns) > ${DEVIATIONS} * d.deviation_ns ORDER BY p.class, p.phase, p.trace`,
    question: 'Which traces are slower or faster than the others?',
    example:
      "SELECT name, class, p50_ns, usual_ns FROM unusual_traces WHERE phase = 'queueing' ORDER BY abs(p50_ns - usual_ns) DESC, trace, class LIMIT 10",
  },
  {
    name: 'findings_by_trace',
    doc: 'For each rule of gictrace check that found something: in how many traces, how often, and in which trace first. Traces are in the order of their numbers.',
    columns: {
      rule: 'rule (see docs/check.md)',
      severity: 'error, warning or note',
      traces: 'traces with a finding',
      findings: 'findings in them',
      first_trace: 'the first of these traces',
      last_trace: 'the last of them',
    },
    sql: 'SELECT rule, severity, count(DISTINCT trace) AS traces, count(*) AS findings, min(trace) AS first_trace, max(trace) AS last_trace FROM t_findings GROUP BY rule, severity ORDER BY traces DESC, rule',
    question: 'Since which trace is there a finding?',
    example:
      'SELECT f.rule, f.traces, t.name AS first FROM findings_by_trace f JOIN traces t ON t.trace = f.first_trace ORDER BY f.traces DESC, f.rule',
  },
];
