// Questions about many traces: which of them differ from the others, and what the traces with a label have in common.

import { NUMBERS, PHASE_DOC, percentiles, spans } from './latency.ts';
import { KEY, type Module } from './module.ts';

/** A trace is unusual if its median is farther from that of the fleet than this many median deviations. */
const DEVIATIONS = 5;
/** With fewer traces there is no usual one. */
const TRACES_MIN = 5;

export const FLEET_MODULES: readonly Module[] = [
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
