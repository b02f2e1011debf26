// Interrupts that wait: those that never get through, those that wait for interrupts of lower priority, and acknowledges
// that returned no interrupt.
import { docsOf } from '../../database/columns.ts';
import { SPURIOUS_COLUMNS } from '../../timeline/spurious.ts';
import {
  classOf,
  isSpiSql,
  KEY,
  lacks,
  type Module,
  NOT_RECORDED,
  traceOf,
  VIRTUAL_CLASS,
} from './module.ts';

/** Masking reasons that depend on what a PE's CPU interface presents. */
const OF_INTERFACE = [
  'group disabled at the PE',
  'priority mask',
  'running priority',
  'binary point',
  'behind',
  'signalled',
]
  .map((gate) => `'${gate}'`)
  .join(', ');
const recordedGate = (gate: string): string =>
  `CASE WHEN ${lacks('acknowledges', 'ICC_PMR writes', 'ICC_IGRPEN writes')} AND ${gate} IN (${OF_INTERFACE}) THEN '${NOT_RECORDED}' ELSE ${gate} END`;

const PENDING = `SELECT i.trace, ${classOf('i.INTID')} AS class, i.INTID, NULL AS vPEID, coalesce(w.pe, i.pe) AS pe, 'pending' AS state, i.cause AS raised_by, i.pended AS since, t.end_ns - i.pended_ns AS waited_ns, ${recordedGate("coalesce(w.gate, 'unknown')")} AS gate, w.from_record AS gate_since, w.priority, CASE WHEN ${lacks('ICC_PMR writes')} THEN NULL ELSE w.PMR END AS PMR, CASE WHEN ${lacks('acknowledges')} THEN NULL ELSE w.running END AS running, CASE WHEN ${lacks('acknowledges')} THEN NULL ELSE w.behind END AS behind FROM t_interrupts i JOIN t_traces t ON t.trace = i.trace LEFT JOIN t_waits w ON w.trace = i.trace AND w.INTID = i.INTID AND w.pended IS NOT DISTINCT FROM i.pended AND w.to_record IS NULL AND (${isSpiSql('i.INTID')} OR w.pe IS NOT DISTINCT FROM i.pe OR w.pe IS NULL) WHERE i.outcome = 'pending at end'`;
const ACTIVE = `SELECT i.trace, ${classOf('i.INTID')}, i.INTID, NULL, i.pe, 'active', i.cause, i.acknowledged, t.end_ns - i.acknowledged_ns, CASE WHEN i.eoi IS NULL THEN 'no EOI' ELSE 'no deactivation' END, coalesce(i.eoi, i.acknowledged), NULL, NULL, NULL, NULL FROM t_interrupts i JOIN t_traces t ON t.trace = i.trace WHERE i.outcome = 'active at end'`;
const RESIDENT = `(SELECT "valid" FROM k_vpe_resident r WHERE r.VPT_addr = v.VPT_addr AND ${traceOf('r.id')} = v.trace ORDER BY r.id DESC, r.seq DESC LIMIT 1)`;
const VIRTUAL = `SELECT v.trace, ${VIRTUAL_CLASS}, v.vINTID, v.vPEID, v.pe, CASE v.outcome WHEN 'pending at end' THEN 'pending' ELSE 'active' END, v.cause, coalesce(v.acknowledged, v.pended), t.end_ns - coalesce(v.acknowledged_ns, v.pended_ns), CASE WHEN v.outcome = 'active at end' THEN 'no EOI' WHEN ${RESIDENT} THEN 'unknown' ELSE 'vPE not resident' END, NULL, NULL, NULL, NULL, NULL FROM t_vinterrupts v JOIN t_traces t ON t.trace = v.trace WHERE v.outcome IN ('pending at end', 'active at end')`;

const SPURIOUS = docsOf(SPURIOUS_COLUMNS);
/** Of a source without acknowledges nobody knows what is active at its end. */
const ACTIVE_NOT_RECORDED = `SELECT t.trace, NULL, NULL, NULL, NULL, 'active', NULL, NULL, NULL, '${NOT_RECORDED}', NULL, NULL, NULL, NULL, NULL FROM t_traces t WHERE ${lacks('acknowledges')}`;

export const WAITING_MODULES: readonly Module[] = [
  {
    name: 'stranded',
    doc: 'Interrupts that are pending or active at the end of the trace, each with its masking reason. An interrupt that is `signalled`, or that has been active for a short time, is not an error, because every trace ends somewhere. Interrupts that waited long but got through are in waits.',
    columns: {
      trace: KEY.trace,
      class: KEY.class,
      INTID: KEY.INTID,
      vPEID: KEY.vPEID,
      pe: KEY.pe,
      state: '`pending`, or `active`: acknowledged and not ended',
      raised_by: 'what had made it pending, as in interrupts',
      since: 'record at which this state began; null if it was not seen',
      waited_ns: 'time from there to the end of the trace; null if unknown',
      gate: 'masking reason, as in waits; for an active interrupt `no EOI` or `no deactivation`; for a virtual interrupt `vPE not resident`, or `unknown` because the reason in the virtual machine is unknown; `not recorded`: the source does not contain the accesses to the CPU interface on which it depends. A row without an INTID says that the source does not contain which interrupts are active',
      gate_since: 'record after which that reason applies',
      priority: 'its priority, 0 (highest) to 255; null if unknown',
      PMR: 'ICC_PMR of the PE',
      running: 'running priority of the PE; 255 if idle',
      behind: 'the interrupt for which it waits, for the reason `behind`',
    },
    sql: `${PENDING} UNION ALL ${ACTIVE} UNION ALL ${VIRTUAL} UNION ALL ${ACTIVE_NOT_RECORDED}`,
    question: 'What never got through, and what blocked it?',
    example:
      'SELECT trace, class, INTID, pe, state, since, waited_ns, gate FROM stranded ORDER BY waited_ns DESC',
  },
  {
    name: 'priority_inversion',
    doc: 'Intervals in which an interrupt that a PE could take waited while the PE handled one of lower priority: from acknowledge to priority drop. Not included are interrupts that are disabled, whose group is disabled, or whose priority is unknown.',
    columns: {
      trace: KEY.trace,
      pe: KEY.pe,
      INTID: 'the interrupt that waited',
      priority: 'its priority, 0 (highest) to 255',
      handled: 'the interrupt that the PE handled',
      handled_priority: 'its priority, which is a greater number',
      from_record: 'record after which this began',
      to_record:
        'record after which this ended, or continued for another reason; null if it had not ended at the end of the trace',
      from_ns: 'time',
      to_ns: 'time',
      lasted_ns: 'how long; null if unknown',
      reason:
        '`not taken`: its interrupt line was asserted, but the PE did not acknowledge it (it masks interrupts); `behind`: the same, for an interrupt of still higher priority; `binary point`: its group priority is not higher; `priority mask`: ICC_PMR; `running priority`: the PE runs at another priority than that of what it acknowledged last (priorities dropped out of order, or written)',
      running: 'running priority of the PE',
      PMR: 'ICC_PMR of the PE',
    },
    sql: `SELECT trace, pe, INTID, priority, handled, handled_priority, from_record, to_record, from_ns, to_ns, to_ns - from_ns AS lasted_ns, CASE gate WHEN 'signalled' THEN 'not taken' ELSE gate END AS reason, running, PMR FROM t_waits WHERE priority < handled_priority AND gate IN ('signalled', 'behind', 'binary point', 'priority mask', 'running priority')`,
    question: 'Which interrupts waited for interrupts of lower priority, and why?',
    example:
      'SELECT trace, pe, INTID, handled, reason, count(*) AS n, max(lasted_ns) AS max_ns FROM priority_inversion GROUP BY trace, pe, INTID, handled, reason ORDER BY max_ns DESC',
  },
  {
    name: 'spurious',
    doc: 'Acknowledges that returned no interrupt (1020 to 1023), and what had become of the interrupt that the PE was signalled last.',
    columns: {
      trace: KEY.trace,
      ...SPURIOUS,
      why: `${SPURIOUS.why}; \`not recorded\`: the source does not contain acknowledges`,
    },
    sql: `SELECT trace, ${Object.keys(SPURIOUS).join(', ')} FROM t_spurious UNION ALL SELECT t.trace, ${Object.keys(
      SPURIOUS,
    )
      .map((name) => (name === 'why' ? `'${NOT_RECORDED}'` : 'NULL'))
      .join(', ')} FROM t_traces t WHERE ${lacks('acknowledges')}`,
    question: 'How many acknowledges of each PE returned no interrupt, and why?',
    example:
      "SELECT trace, pe, why, count(*) AS n, min(record) AS first FROM spurious WHERE why <> 'nothing signalled' GROUP BY trace, pe, why ORDER BY n DESC",
  },
];
