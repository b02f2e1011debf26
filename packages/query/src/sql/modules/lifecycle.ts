// What became of interrupts: counts by interrupt, and the interrupts that nobody acknowledged.
import { DROP_REASONS } from '@gictrace/core/record';
import {
  classOf,
  doorbellOf,
  type Fact,
  FIRST_TRACE,
  idOf,
  isRaised,
  KEY,
  lacks,
  type Module,
  NOT_RECORDED,
  namedBy,
  recordOf,
  traceOf,
  unlessLacking,
  VIRTUAL_CLASS,
} from './module.ts';

/** Without acknowledges, what a PE took seems to be pending until something else ends it. */
const TAKEN: readonly Fact[] = ['acknowledges'];
const ENDED: readonly Fact[] = ['acknowledges', 'ends'];
const DEACTIVATED: readonly Fact[] = ['acknowledges', 'ends', 'deactivations'];

/** For each way in which lifetimes end, the condition for rows of t_interrupts or t_vinterrupts, and what it depends on. */
const ENDS = {
  complete: ["outcome = 'complete'", DEACTIVATED],
  moved: ["outcome = 'withdrawn' AND MOVED", TAKEN],
  deasserted: ["outcome = 'withdrawn' AND withdrawn_by = 'wire'", TAKEN],
  cleared: ["outcome = 'withdrawn' AND NOT MOVED AND withdrawn_by <> 'wire'", TAKEN],
  withdrawn_unknown: ["outcome = 'withdrawn' AND NOT MOVED AND withdrawn_by IS NULL", TAKEN],
  pending_at_end: ["outcome = 'pending at end'", TAKEN],
  active_at_end: ["outcome = 'active at end'", DEACTIVATED],
  no_eoi: ["outcome = 'no EOI seen'", ENDED],
} as const;

/** What a source lacks, it lacks of physical interrupts. */
type Guard = (facts: readonly Fact[], count: string) => string;
const always: Guard = (_, count) => count;

const endsOf = (moved: string, guard: Guard): string =>
  Object.entries(ENDS)
    .map(
      ([name, [where, facts]]) =>
        `${guard(facts, `count(*) FILTER (WHERE ${where.replaceAll('MOVED', moved)})`)} AS ${name}`,
    )
    .join(', ');
const seen = (guard: Guard): string =>
  [
    'count(pended) AS pended',
    `${guard(TAKEN, 'count(signalled)')} AS signalled`,
    `${guard(TAKEN, 'count(acknowledged)')} AS acknowledged`,
    `${guard(ENDED, 'count(eoi)')} AS eoi`,
  ].join(', ');

const COALESCED = `SELECT ${traceOf('id')} AS trace, INTID, count(*) AS coalesced FROM t_msis WHERE virtual = 0 AND outcome = 'coalesced' GROUP BY 1, 2`;
const lives = `SELECT l.*, ${unlessLacking(['acknowledges', 'MSIs'], 'coalesce(c.coalesced, 0)', 'l.trace')} AS coalesced FROM (SELECT trace, ${classOf('INTID')} AS class, INTID, NULL AS vPEID, count(*) AS lives, ${seen(unlessLacking)}, ${unlessLacking(DEACTIVATED, 'count(deactivated)')} AS deactivated, ${endsOf('moved_to IS NOT NULL', unlessLacking)} FROM t_interrupts GROUP BY trace, INTID) l LEFT JOIN (${COALESCED}) c ON c.trace = l.trace AND c.INTID = l.INTID UNION ALL SELECT trace, ${VIRTUAL_CLASS} AS class, vINTID, vPEID, count(*), ${seen(always)}, NULL, ${endsOf('moved = 1', always)}, NULL FROM t_vinterrupts GROUP BY trace, class, vINTID, vPEID`;

const lostInterrupt = `SELECT i.trace, i.withdrawn AS record, i.withdrawn_ns AS time_ns, ${classOf('i.INTID')} AS class, i.INTID, NULL AS vPEID, i.pe, m.DeviceID, m.EventID, i.cause AS raised_by, coalesce(i.asserted, i.pended) AS raised, CASE WHEN i.withdrawn_by IS NULL THEN 'unknown' WHEN i.withdrawn_by = 'gic.reset' THEN 'reset' WHEN i.withdrawn_by = 'DISCARD' THEN 'discarded' WHEN i.withdrawn_by IN ('MAPD', 'MAPC') THEN 'unmapped' WHEN i.withdrawn_by IN ('MOVI', 'MOVALL') THEN 'merged' ELSE 'cleared' END AS outcome, i.withdrawn_by AS lost_by, w.pe AS lost_by_pe, i.withdrawn_ns - i.pended_ns AS waited_ns FROM t_interrupts i LEFT JOIN t_msis m ON i.cause = 'msi' AND m.id = ${idOf('i.trace', 'i.asserted')} LEFT JOIN k_mmio_write w ON w.id = ${idOf('i.trace', 'i.withdrawn')} WHERE i.outcome = 'withdrawn' AND i.moved_to IS NULL AND i.withdrawn_by IS DISTINCT FROM 'wire'`;
const lostVirtual = `SELECT i.trace, i.withdrawn, i.withdrawn_ns, 'vLPI', i.vINTID, i.vPEID, i.pe, m.DeviceID, m.EventID, i.cause, i.pended, CASE WHEN i.withdrawn_by IS NULL THEN 'unknown' WHEN i.withdrawn_by = 'DISCARD' THEN 'discarded' WHEN i.withdrawn_by IN ('MAPD', 'VMAPP') THEN 'unmapped' WHEN i.withdrawn_by = 'VMOVI' THEN 'merged' ELSE 'cleared' END, i.withdrawn_by, w.pe, i.withdrawn_ns - i.pended_ns FROM t_vinterrupts i LEFT JOIN t_msis m ON i.cause = 'msi' AND m.id = ${idOf('i.trace', 'i.pended')} LEFT JOIN k_mmio_write w ON w.id = ${idOf('i.trace', 'i.withdrawn')} WHERE i.outcome = 'withdrawn' AND i.moved IS DISTINCT FROM 1`;
const dropped = `SELECT ${traceOf('id')}, ${recordOf('id')}, time_ns, NULL, INTID, NULL, pe, DeviceID, EventID, 'msi', ${recordOf('id')}, 'dropped', outcome, NULL, 0 FROM t_msis WHERE outcome NOT IN ('pended', 'coalesced')`;
const ignored = `SELECT ${traceOf('w.id')}, ${recordOf('w.id')}, w.time_ns, ${classOf(namedBy('w'))}, ${namedBy('w')}, NULL, iif(w.frame = 1, w.instance, NULL), NULL, NULL, 'msi', ${recordOf('w.id')}, 'dropped', ${doorbellOf('w')}, w.pe, 0 FROM k_mmio_write w WHERE ${doorbellOf('w')} IS NOT NULL AND NOT ${isRaised(traceOf('w.id'), namedBy('w'), recordOf('w.id'))}`;

/** INT is a message that software sends. The ITS refused it, or it had no effect. */
const refusedInt = `SELECT ${traceOf('id')}, ${recordOf('id')}, time_ns, NULL, NULL, NULL, NULL, DeviceID, EventID, 'its-command', ${recordOf('id')}, 'dropped', model_outcome, NULL, 0 FROM t_commands WHERE op = 'INT' AND model_outcome NOT IN ('EXECUTED', 'NOT_SHOWN', 'UNDECIDED')`;
const droppedInt = `SELECT ${traceOf('d.id')}, ${recordOf('d.id')}, d.time_ns, NULL, NULL, NULL, NULL, d.DeviceID, d.EventID, 'its-command', ${recordOf('d.id')}, 'dropped', CASE d.reason ${DROP_REASONS.map((reason, n) => `WHEN ${n} THEN '${reason}'`).join(' ')} END, NULL, 0 FROM k_msi_dropped d WHERE NOT EXISTS (SELECT 1 FROM k_msi_write w WHERE w.id = d.id)`;
/** What a check found to be lost: in a list register, or in a pending table that software said to be zero. */
const found = `SELECT trace, record, time_ns, CASE WHEN virtual = 1 THEN 'list register' ELSE ${classOf('INTID')} END, INTID, NULL, pe, NULL, NULL, CASE WHEN virtual = 1 THEN 'list-register' ELSE 'table' END, NULL, 'overwritten', "rule", NULL, NULL FROM t_findings WHERE INTID IS NOT NULL`;

/** A source without acknowledges or messages cannot say what was lost. */
const notRecorded = `SELECT t.trace, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '${NOT_RECORDED}', CASE WHEN NOT ${lacks('MSIs')} THEN 'no acknowledges' WHEN NOT ${lacks('acknowledges')} THEN 'no MSIs' ELSE 'no acknowledges, no MSIs' END, NULL, NULL FROM t_traces t WHERE ${lacks('acknowledges', 'MSIs')}`;

const OUTCOMES = `SELECT trace, ${classOf('INTID')} AS class, CASE WHEN moved_to IS NOT NULL THEN 'moved' WHEN withdrawn_by = 'wire' THEN 'deasserted' WHEN outcome = 'withdrawn' AND withdrawn_by IS NOT NULL THEN 'cleared' ELSE outcome END AS outcome, count(*) AS n FROM t_interrupts GROUP BY 1, 2, 3 UNION ALL SELECT trace, ${VIRTUAL_CLASS}, CASE WHEN moved = 1 THEN 'moved' WHEN outcome = 'withdrawn' AND withdrawn_by IS NOT NULL THEN 'cleared' ELSE outcome END, count(*) FROM t_vinterrupts GROUP BY 1, 2, 3 UNION ALL SELECT ${traceOf('id')}, 'message', coalesce(CASE WHEN outcome IN ('pended', 'coalesced') THEN outcome ELSE 'dropped: ' || outcome END, 'unknown'), count(*) FROM t_msis GROUP BY 1, 3`;
/** Whether the source of trace `t` does not contain how often this class ended so (`e`). */
const OUTCOME_UNKNOWN = `CASE WHEN e.class IN ('vLPI', 'list register') THEN FALSE WHEN e.class = 'message' THEN ${lacks('MSIs')} OR (e.outcome IN ('pended', 'coalesced') AND ${lacks('acknowledges')}) WHEN e.outcome IN ('complete', 'active at end') THEN ${lacks(...DEACTIVATED)} WHEN e.outcome = 'no EOI seen' THEN ${lacks(...ENDED)} ELSE ${lacks('acknowledges')} END`;

/** Traces of which it is not known which messages were coalesced: without acknowledges, all later ones seem to be. */
const LACKING = `SELECT t.trace FROM t_traces t WHERE ${lacks('acknowledges', 'MSIs')}`;

export const LIFECYCLE_MODULES: readonly Module[] = [
  {
    name: 'lifecycle',
    doc: 'The lifetimes of each interrupt: how many reached each moment, and how they ended. A count is null if the source does not contain what it counts.',
    columns: {
      trace: KEY.trace,
      class: KEY.class,
      INTID: KEY.INTID,
      vPEID: KEY.vPEID,
      lives:
        'number of lifetimes, as in interrupts and vinterrupts: the sum of the columns from complete to no_eoi, where none of them is null',
      pended: 'lifetimes that were seen to become pending',
      signalled: 'lifetimes for which an interrupt line was asserted',
      acknowledged: 'lifetimes that a PE acknowledged',
      eoi: 'lifetimes with a priority drop',
      deactivated: 'lifetimes that were deactivated; null for virtual interrupts',
      complete: 'lifetimes that ended as they should',
      moved:
        'lifetimes that ended because the interrupt moved to another PE or vPE, where another lifetime continues',
      deasserted: 'lifetimes that ended because the input line was deasserted before a PE acknowledged them',
      cleared: 'lifetimes that ended because software cleared the pending state: see lost',
      withdrawn_unknown: 'lifetimes that ceased to be pending for an unknown reason',
      pending_at_end: 'lifetimes that are pending at the end of the trace: see stranded',
      active_at_end: 'lifetimes that are active at the end of the trace: see stranded',
      no_eoi: 'interrupts that were acknowledged again without an EOI in between',
      coalesced:
        'messages for it that came while it was pending, and therefore began no lifetime of their own; null for virtual interrupts',
    },
    sql: lives,
    question: 'Which interrupts did not all end as they should?',
    example:
      'SELECT * FROM lifecycle WHERE complete < lives ORDER BY lives - complete DESC, trace, class, INTID LIMIT 10',
  },
  {
    name: 'lost',
    doc: 'Interrupts that were raised but that no PE and no virtual machine ever acknowledged: each message that was dropped, sent by a device or by INT, each interrupt whose pending state was cleared, and each that was pending in a list register or a pending table that software overwrote. Software sometimes clears it on purpose, for example a doorbell whose vPE runs again. Not included are input lines that were deasserted again (lifecycle, `deasserted`), messages that came while their interrupt was pending (coalesced), and interrupts that are pending at the end (stranded).',
    columns: {
      trace: KEY.trace,
      record: 'record at which it was lost; null if the source does not contain it',
      time_ns: 'time of that',
      class: `${KEY.class}; null for a message that was not translated`,
      INTID: KEY.INTID,
      vPEID: KEY.vPEID,
      pe: KEY.pe,
      DeviceID: 'DeviceID of the message; null if it was not a message',
      EventID: 'EventID of the message',
      raised_by: 'what had made it pending, as in interrupts',
      raised: 'record of that; null if it was not seen',
      outcome:
        '`dropped`: the message had no effect; `discarded`: a DISCARD of its event; `unmapped`: its device, collection or vPE was unmapped; `merged`: it was moved to a PE on which it was already pending, or to which it could not go; `cleared`: CLEAR, or a register; `reset`: it was pending when the GIC was reset, and was not restored; `overwritten`: it was pending in a list register that was overwritten, or in a pending table that was said to be zero; `unknown`; `not recorded`: the source lacks what would reveal losses, and `lost_by` says what: there may be others than these',
      lost_by:
        'why it was dropped; the ITS command; the check that found it; the register that was written, or whose write had no effect',
      lost_by_pe: 'PE that wrote the register, or that caused the command to be executed; null if unknown',
      waited_ns: 'how long it had been pending; null if unknown',
    },
    sql: `${lostInterrupt} UNION ALL ${lostVirtual} UNION ALL ${dropped} UNION ALL ${ignored} UNION ALL ${refusedInt} UNION ALL ${droppedInt} UNION ALL ${found} UNION ALL ${notRecorded}`,
    question: 'What was lost, and by what?',
    example:
      'SELECT trace, class, raised_by, outcome, lost_by, count(*) AS n, min(record) AS first FROM lost GROUP BY trace, class, raised_by, outcome, lost_by ORDER BY n DESC',
  },
  {
    name: 'coalesced',
    doc: 'Events whose messages came while their interrupt was already pending: two messages, one acknowledge. The architecture allows this. A row without an INTID says that the source does not contain the acknowledges or messages on which that depends.',
    columns: {
      trace: KEY.trace,
      its: 'ITS',
      DeviceID: 'DeviceID',
      EventID: 'EventID',
      INTID: 'LPI, or vINTID',
      virtual: '1: a virtual interrupt',
      messages: 'messages that were translated to it',
      coalesced: 'messages among these that came while it was pending',
      first: 'record of the first of these',
    },
    sql: `SELECT ${traceOf('id')} AS trace, its, DeviceID, EventID, INTID, virtual, count(*) AS messages, count(*) FILTER (WHERE outcome = 'coalesced') AS coalesced, min(CASE WHEN outcome = 'coalesced' THEN ${recordOf('id')} END) AS first FROM t_msis WHERE INTID IS NOT NULL GROUP BY 1, its, DeviceID, EventID, INTID, virtual HAVING coalesced > 0 AND NOT (virtual = 0 AND trace IN (${LACKING})) UNION ALL SELECT trace, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM (${LACKING})`,
    question: 'Which devices send faster than they are served?',
    example: 'SELECT DeviceID, EventID, messages, coalesced FROM coalesced ORDER BY coalesced DESC',
  },
  {
    name: 'outcomes_by_trace',
    doc: 'How lifetimes and messages ended, compared between each trace of the database and the first one.',
    columns: {
      trace: KEY.trace,
      class: `${KEY.class}; message: an MSI`,
      outcome:
        'as in interrupts, with `withdrawn` split as in lifecycle into moved, deasserted and cleared; for messages as in msis',
      n: 'how many; null if the source of the trace does not contain what it depends on, as in lifecycle',
      first_n: 'how many in the first trace; null likewise',
      delta: 'difference; null if either is null',
    },
    sql: beside(OUTCOMES, ['class', 'outcome'], OUTCOME_UNKNOWN),
    question: 'What ended differently than in the first run?',
    example: 'SELECT * FROM outcomes_by_trace WHERE delta <> 0 ORDER BY abs(delta) DESC',
  },
];

/**
 * Compares the counts `n` of every trace with those of the first one, including zeros. `unknown`: the condition, for row `t` of
 * t_traces and the keys in `e`, under which the source does not contain what is counted.
 */
export function beside(counts: string, keys: readonly string[], unknown = 'FALSE'): string {
  const list = keys.join(', ');
  const isSame = keys.map((name) => `c.${name} IS NOT DISTINCT FROM e.${name}`).join(' AND ');
  return `WITH c AS MATERIALIZED (${counts}), every AS (SELECT DISTINCT ${list} FROM c), b AS MATERIALIZED (SELECT t.trace, ${keys.map((name) => `e.${name}`).join(', ')}, CASE WHEN ${unknown} THEN NULL ELSE coalesce(c.n, 0) END AS n FROM t_traces t CROSS JOIN every e LEFT JOIN c ON c.trace = t.trace AND ${isSame}) SELECT e.trace, ${keys.map((name) => `e.${name}`).join(', ')}, e.n, c.n AS first_n, e.n - c.n AS delta FROM b e LEFT JOIN b c ON c.trace = ${FIRST_TRACE} AND ${isSame} ORDER BY ${keys.map((name) => `e.${name}`).join(', ')}, e.trace`;
}
