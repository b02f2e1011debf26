// What events were mapped to over time, and which interrupts were lost by this; and events that two traces map differently.
import { FIRST_TRACE, KEY, type Module } from './module.ts';

const life = (where: string): string =>
  `(CASE m.virtual WHEN 0 THEN (SELECT count(*) FROM t_interrupts i WHERE i.trace = m.trace AND i.INTID = m.INTID AND ${where}) ELSE (SELECT count(*) FROM t_vinterrupts i WHERE i.trace = m.trace AND i.vINTID = m.INTID AND i.vPEID IS NOT DISTINCT FROM m.vPEID AND ${where.replaceAll('i.moved_to IS NULL', 'i.moved IS DISTINCT FROM 1')}) END)`;

const LOST = life(
  "i.outcome = 'withdrawn' AND i.moved_to IS NULL AND i.withdrawn = m.to_stimulus AND m.ended_by LIKE i.withdrawn_by || '%'",
);
const LEFT = life(
  'i.pended <= m.to_stimulus AND (i.withdrawn IS NULL OR i.withdrawn > m.to_stimulus) AND (i.acknowledged IS NULL OR i.acknowledged > m.to_stimulus)',
);
const SHARED =
  "(SELECT group_concat(printf('%d 0x%x %d', o.its, o.DeviceID, o.EventID), ', ') FROM (SELECT DISTINCT its, DeviceID, EventID FROM t_mappings o WHERE o.trace = m.trace AND o.INTID = m.INTID AND o.virtual = m.virtual AND o.vPEID IS NOT DISTINCT FROM m.vPEID AND (o.its <> m.its OR o.DeviceID <> m.DeviceID OR o.EventID <> m.EventID) AND (m.to_record IS NULL OR o.from_record < m.to_record) AND (o.to_record IS NULL OR o.to_record > m.from_record) ORDER BY 1, 2, 3) o)";
const WITH_NEIGHBOURS =
  'SELECT *, lag(to_record) OVER w AS before_record, lag(INTID) OVER w AS before_INTID, lag(virtual) OVER w AS before_virtual, lag(pe) OVER w AS before_pe, lag(vPEID) OVER w AS before_vPEID, lead(from_record) OVER w AS after_record FROM t_mappings WINDOW w AS (PARTITION BY trace, its, DeviceID, EventID ORDER BY from_record, to_record NULLS LAST)';

const LAST =
  'SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY trace, its, DeviceID, EventID ORDER BY from_record DESC, to_record DESC NULLS FIRST) AS k FROM t_mappings) WHERE k = 1';

export const MAPPING_MODULES: readonly Module[] = [
  {
    name: 'mapping_history',
    doc: 'The mappings of events over time: how each mapping was made, what the event was mapped to before, whether another event has the same interrupt, and whether a pending interrupt was lost or left behind when the mapping ended.',
    columns: {
      trace: KEY.trace,
      its: 'ITS',
      DeviceID: 'DeviceID',
      EventID: 'EventID',
      INTID: 'LPI, or vINTID; null if the source does not contain it',
      virtual: '1: a virtual interrupt',
      ICID: 'collection; null if virtual',
      vPEID: 'vPE; null if physical',
      pe: 'PE of the collection or of the vPE; null while it is unmapped',
      from_record: 'record of the command that made the mapping',
      to_record: 'record of the command that ended it; null if it still exists at the end',
      from_ns: 'time',
      to_ns: 'time',
      change:
        '`mapped`: the event had no mapping; `remapped`: a MAP command for an event that was mapped; `moved`: MOVI, VMOVI or VMOVP; `collection moved`: MAPC; `vPE moved`: VMAPP',
      before_pe: 'PE of the mapping before, if that was changed; otherwise null',
      before_INTID: 'interrupt of the mapping before; otherwise null',
      made_by: 'command',
      ended_by: 'command',
      lost: 'pending interrupts that were cleared by the command that ended the mapping',
      left_pending:
        'interrupts that were still pending after the end, if no other mapping of the event followed: orphans, which no command for this event can reach',
      shared_with:
        'other events that had the same interrupt at the time, as `ITS DeviceID EventID`; null if none. Their interrupts cannot be distinguished',
    },
    sql: `SELECT trace, its, DeviceID, EventID, INTID, virtual, ICID, vPEID, pe, from_record, to_record, from_ns, to_ns, CASE WHEN before_record IS DISTINCT FROM from_record THEN 'mapped' WHEN made_by IN ('MAPTI', 'MAPI', 'VMAPTI', 'VMAPI') THEN 'remapped' WHEN made_by = 'MAPC' THEN 'collection moved' WHEN made_by = 'VMAPP' THEN 'vPE moved' ELSE 'moved' END AS change, CASE WHEN before_record = from_record THEN before_pe END AS before_pe, CASE WHEN before_record = from_record THEN before_INTID END AS before_INTID, made_by, ended_by, CASE WHEN to_record IS NULL THEN 0 ELSE ${LOST} END AS lost, CASE WHEN to_record IS NULL OR after_record = to_record THEN 0 ELSE ${LEFT} END AS left_pending, ${SHARED} AS shared_with FROM (${WITH_NEIGHBOURS}) m ORDER BY trace, its, DeviceID, EventID, from_record`,
    question: 'Which mappings ended while their interrupt was pending, or shared it?',
    example:
      'SELECT trace, DeviceID, EventID, INTID, from_record, to_record, ended_by, lost, left_pending, shared_with FROM mapping_history WHERE lost + left_pending > 0 OR shared_with IS NOT NULL',
  },
  {
    name: 'mapping_differences',
    doc: 'Events whose last mapping in a trace differs from that in the first trace of the database.',
    columns: {
      trace: KEY.trace,
      its: 'ITS',
      DeviceID: 'DeviceID',
      EventID: 'EventID',
      difference:
        '`only here`, `only in the first`, or what differs: INTID, virtual, ICID, vPEID, pe, in force at the end',
      INTID: 'LPI, or vINTID',
      pe: 'PE',
      in_force: '1 if the mapping still exists at the end',
      first_INTID: 'LPI, or vINTID in the first trace',
      first_pe: 'PE there',
      first_in_force: '1 if the mapping still exists at the end of the first trace',
    },
    sql: `WITH l AS MATERIALIZED (${LAST}), keys AS (SELECT DISTINCT its, DeviceID, EventID FROM l), d AS (SELECT t.trace, k.its, k.DeviceID, k.EventID, CASE WHEN h.k IS NULL AND f.k IS NULL THEN NULL WHEN f.k IS NULL THEN 'only here' WHEN h.k IS NULL THEN 'only in the first' ELSE nullif(ltrim(iif(h.INTID IS NOT DISTINCT FROM f.INTID, '', ', INTID') || iif(h.virtual = f.virtual, '', ', virtual') || iif(h.ICID IS NOT DISTINCT FROM f.ICID, '', ', ICID') || iif(h.vPEID IS NOT DISTINCT FROM f.vPEID, '', ', vPEID') || iif(h.pe IS NOT DISTINCT FROM f.pe, '', ', pe') || iif((h.to_record IS NULL) = (f.to_record IS NULL), '', ', in force at the end'), ', '), '') END AS difference, h.INTID, h.pe, iif(h.k IS NULL, NULL, h.to_record IS NULL) AS in_force, f.INTID AS first_INTID, f.pe AS first_pe, iif(f.k IS NULL, NULL, f.to_record IS NULL) AS first_in_force FROM t_traces t CROSS JOIN keys k LEFT JOIN l h ON h.trace = t.trace AND h.its = k.its AND h.DeviceID = k.DeviceID AND h.EventID = k.EventID LEFT JOIN l f ON f.trace = ${FIRST_TRACE} AND f.its = k.its AND f.DeviceID = k.DeviceID AND f.EventID = k.EventID WHERE t.trace <> ${FIRST_TRACE}) SELECT * FROM d WHERE difference IS NOT NULL ORDER BY trace, its, DeviceID, EventID`,
    question: 'Which events are mapped differently than in the first run?',
    example:
      'SELECT trace, DeviceID, EventID, difference, INTID, first_INTID, pe, first_pe FROM mapping_differences',
  },
];
