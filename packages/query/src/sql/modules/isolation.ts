// Whether messages of one device raised interrupts of another.
import { classOf, doorbellOf, isRaised, KEY, type Module, namedBy, recordOf, traceOf } from './module.ts';

const inForce = (o: string, id: string): string =>
  `${o}.from_record <= ${recordOf(id)} AND (${o}.to_record IS NULL OR ${o}.to_record > ${recordOf(id)})`;
const sameOperation = (w: string): string =>
  `${traceOf(`${w}.id`)} = ${traceOf('f.id')} AND ${w}.operation = ${recordOf('f.id')}`;

const FORGED_MESSAGES = `SELECT ${traceOf('m.id')} AS trace, ${recordOf('m.id')} AS record, 'message' AS path, f."by" AS writer, f.device AS owner, m.INTID, m.virtual, CASE WHEN m.outcome IS NULL AND m.INTID IS NULL THEN 'unknown' WHEN m.INTID IS NOT NULL AND (m.DeviceID = f.device OR EXISTS (SELECT 1 FROM t_mappings o WHERE o.trace = ${traceOf('m.id')} AND o.INTID = m.INTID AND o.virtual = m.virtual AND o.DeviceID = f.device AND ${inForce('o', 'm.id')})) THEN 'breach' WHEN m.INTID IS NOT NULL AND t.architecture = 5 THEN 'unknown' ELSE 'contained' END AS verdict FROM k_op_forge f JOIN k_msi_write w ON ${sameOperation('w')} JOIN t_msis m ON m.id = w.id JOIN t_traces t ON t.trace = ${traceOf('m.id')}`;
const FORGED_WRITES = `SELECT ${traceOf('w.id')}, ${recordOf('w.id')}, ${doorbellOf('w')}, f."by", f.device, ${namedBy('w')}, 0, iif(${isRaised(traceOf('w.id'), namedBy('w'), recordOf('w.id'))}, 'breach', 'contained') FROM k_op_forge f JOIN k_mmio_write w ON ${sameOperation('w')} WHERE w.pe IS NULL AND ${doorbellOf('w')} IS NOT NULL`;
/** A frame outside the GIC that turns messages into changes of input lines. */
const FORGED_WIRES = `SELECT ${traceOf('w.id')}, ${recordOf('w.id')}, 'wire', f."by", f.device, w.INTID, 0, iif(${isRaised(traceOf('w.id'), 'w.INTID', recordOf('w.id'))}, 'breach', 'contained') FROM k_op_forge f JOIN k_wire_set w ON ${sameOperation('w')} WHERE w.level = 1`;
const UNKNOWN_WRITES = `SELECT ${traceOf('w.id')}, ${recordOf('w.id')}, ${doorbellOf('w')}, NULL, NULL, ${namedBy('w')}, 0, 'unknown' FROM k_mmio_write w WHERE w.pe IS NULL AND w.operation IS NULL AND ${doorbellOf('w')} IS NOT NULL`;
/** Interrupts that several devices share, with the record at which each device had it first. */
const HAD =
  'SELECT trace, its, DeviceID, EventID, INTID, virtual, vPEID, min(from_record) AS since FROM t_mappings WHERE INTID IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7';
const SHARED = `SELECT ${traceOf('m.id')}, ${recordOf('m.id')}, 'message', m.DeviceID, o.DeviceID, m.INTID, m.virtual, 'shared' FROM (SELECT DISTINCT a.trace, a.its, a.DeviceID, a.EventID, a.INTID, a.virtual, a.vPEID, a.since FROM had a JOIN had b ON b.trace = a.trace AND b.INTID = a.INTID AND b.virtual = a.virtual AND b.vPEID IS NOT DISTINCT FROM a.vPEID AND (b.its <> a.its OR b.DeviceID <> a.DeviceID)) own JOIN t_msis m ON ${traceOf('m.id')} = own.trace AND m.its = own.its AND m.DeviceID = own.DeviceID AND m.EventID = own.EventID AND m.INTID = own.INTID AND m.virtual = own.virtual JOIN t_mappings mine ON mine.trace = own.trace AND mine.its = own.its AND mine.DeviceID = own.DeviceID AND mine.EventID = own.EventID AND mine.INTID = own.INTID AND mine.virtual = own.virtual AND mine.vPEID IS NOT DISTINCT FROM own.vPEID AND ${inForce('mine', 'm.id')} JOIN t_mappings o ON o.trace = own.trace AND o.INTID = own.INTID AND o.virtual = own.virtual AND o.vPEID IS NOT DISTINCT FROM own.vPEID AND (o.its <> own.its OR o.DeviceID <> own.DeviceID) AND ${inForce('o', 'm.id')} JOIN had h ON h.trace = o.trace AND h.its = o.its AND h.DeviceID = o.DeviceID AND h.EventID = o.EventID AND h.INTID = o.INTID AND h.virtual = o.virtual AND h.vPEID IS NOT DISTINCT FROM o.vPEID AND h.since < own.since`;

export const ISOLATION_MODULES: readonly Module[] = [
  {
    name: 'isolation',
    doc: 'Messages that were not sent by the device whose interrupt they name, or for which the sender is unknown. If all devices send only their own messages, and the trace contains the senders, there are no rows.',
    columns: {
      trace: KEY.trace,
      record: 'record of the message',
      path: '`message`: through an ITS; `wire`: a frame outside the GIC turned the message into a change of an input line; otherwise the register that was written',
      writer: 'DeviceID of the device that sent it; null if unknown',
      owner: 'DeviceID of the device whose interrupt it is; null if unknown',
      class: KEY.class,
      INTID: 'interrupt that it named; null if it named none',
      verdict:
        '`breach`: it raised an interrupt of another device; `contained`: it was meant to, but did not; `shared`: the devices share the interrupt, and the owner had it first; `unknown`: a register was written by a device, but the trace does not say by which one; or the interrupt is one of a GICv5, whose mappings are in memory',
    },
    sql: `WITH had AS MATERIALIZED (${HAD}) SELECT trace, record, path, writer, owner, iif(virtual, 'vLPI', ${classOf('INTID')}) AS class, INTID, verdict FROM (${FORGED_MESSAGES} UNION ALL ${FORGED_WRITES} UNION ALL ${FORGED_WIRES} UNION ALL ${UNKNOWN_WRITES} UNION ALL ${SHARED})`,
    question: 'Did a device raise an interrupt of another one?',
    example:
      'SELECT trace, verdict, path, writer, owner, INTID, count(*) AS n, min(record) AS first FROM isolation GROUP BY trace, verdict, path, writer, owner, INTID',
  },
];
