// Named queries over a database of comparisons, each of them a view. They decide the claims of the mailing-list
// discussions.
import { COST_MODELS } from '@gictrace/core/irqchip';
import { LINUX_DOES } from './linux-does.ts';

interface RunQuery {
  readonly doc: string;
  readonly sql: string;
}

const each = (columns: string, from: string, where: string): string =>
  `SELECT r.design, r.scenario, ${columns} FROM ${from} x JOIN runs r USING (run) WHERE ${where} ORDER BY r.run, x.step`;

const COSTLESS =
  'x.commands + x.mmio_writes + x.table_bytes + x.message_rewrites + x.hypercalls + x.device_writes + x.instructions = 0';
const MESSAGE = 'x.message, x.device, x.vector, x.fired, x.settled, x.outcome';

const quoted = (text: string): string => `'${text}'`;
const LINUX_ROWS = LINUX_DOES.map(
  ({ design, op, asked, did, accessed }) =>
    `(${[design, op].map(quoted).join(', ')}, ${asked ?? 'NULL'}, ${[did, accessed].map(quoted).join(', ')})`,
).join(', ');

/** What an operation is worth by the cost model `guest`. */
const GUEST_NS = Object.entries(COST_MODELS.guest!.ns)
  .map(([cost, ns]) => `x.${cost} * ${ns}`)
  .join(' + ');

/** The `WHERE` clauses select what is asked for; each row has the operation at which it happened. */
export const RUN_QUERIES: Readonly<Record<string, RunQuery>> = {
  isolation_breaches: {
    doc: 'Handlers of a device that ran because another device spoofed its message.',
    sql: each('x.step, x.pe, x.INTID, x.device, x.vector', 'run_faults', "x.fault = 'unauthorised'"),
  },
  misrouted_handlers: {
    doc: 'Handlers that ran on another PE than the affinity says.',
    sql: each('x.step, x.pe, x.INTID, x.device, x.vector', 'run_faults', "x.fault = 'misrouted'"),
  },
  masked_handlers: {
    doc: 'Handlers that ran while their vector was masked.',
    sql: each('x.step, x.pe, x.INTID, x.device, x.vector', 'run_faults', "x.fault = 'unmasked'"),
  },
  needless_handlers: {
    doc: 'Handlers that ran without a message, or twice for one.',
    sql: each(
      'x.step, x.fault, x.pe, x.INTID, x.device, x.vector',
      'run_faults',
      "x.fault IN ('spurious', 'duplicated')",
    ),
  },
  needless_or_unauthorised_handlers: {
    doc: 'Handlers that ran without a message of their device, or because another device spoofed it.',
    sql: each(
      'x.step, x.fault, x.pe, x.INTID, x.device, x.vector',
      'run_faults',
      "x.fault IN ('spurious', 'unauthorised')",
    ),
  },
  undelivered_messages: {
    doc: 'Messages that reached no handler: lost, stranded, or never sent.',
    sql: `SELECT r.design, r.scenario, ${MESSAGE} FROM run_messages x JOIN runs r USING (run) WHERE x.outcome IN ('lost', 'stranded', 'unsent') ORDER BY r.run, x.message`,
  },
  unsent_messages: {
    doc: 'Messages for which a device had no address.',
    sql: `SELECT r.design, r.scenario, ${MESSAGE} FROM run_messages x JOIN runs r USING (run) WHERE x.outcome = 'unsent' ORDER BY r.run, x.message`,
  },
  pending_left_behind: {
    doc: 'Moves of an interrupt that was pending, after which it is not pending on the new PE, or is still pending on another one.',
    sql: each(
      'x.step, x.device, x.vector, x.pe, x.pending_after, x.pending_elsewhere',
      'run_operations',
      "x.op = 'set_affinity' AND x.result = 'done' AND x.pending_before = 1 AND (x.pending_after = 0 OR x.pending_elsewhere > 0)",
    ),
  },
  nothing_done: {
    doc: 'Calls of irq_set_irqchip_state that succeeded, after which the interrupt is not as requested: not pending on its PE, or still pending anywhere.',
    sql: each(
      'x.step, x.device, x.vector, x.pending_asked',
      'run_operations',
      "x.op = 'set_pending' AND x.result = 'done' AND (x.pending_after <> x.pending_asked OR (x.pending_asked = 0 AND x.pending_elsewhere > 0))",
    ),
  },
  moves_told_to_nobody: {
    doc: 'Changes of affinity that succeeded although no hardware, host or device was informed.',
    sql: each(
      'x.step, x.device, x.vector, x.pe',
      'run_operations',
      `x.op = 'set_affinity' AND x.result = 'done' AND ${COSTLESS}`,
    ),
  },
  unawaited_invalidations: {
    doc: 'Changes of a configuration without waiting until the GIC reads it: neither SYNC nor GICR_SYNCR was used.',
    sql: each(
      'x.step, x.op, x.device, x.vector',
      'run_operations',
      "x.op IN ('mask', 'unmask') AND x.result = 'done' AND x.table_bytes > 0 AND x.syncs = 0 AND x.polls = 0",
    ),
  },
  unawaited_changes: {
    doc: 'Masks and unmasks after which nothing waited until the GIC uses the new configuration: neither SYNC nor GICR_SYNCR for an LPI; not GICD_CTLR.RWP for an SPI that is disabled.',
    sql: each(
      'x.step, x.op, x.device, x.vector',
      'run_operations',
      "x.result = 'done' AND x.syncs = 0 AND x.polls = 0 AND ((x.op IN ('mask', 'unmask') AND x.table_bytes > 0) OR (x.op = 'mask' AND x.mmio_writes > 0))",
    ),
  },
  messages_rewritten_on_a_move: {
    doc: 'Changes of affinity that gave the device another message.',
    sql: each(
      'x.step, x.device, x.vector, x.pe',
      'run_operations',
      "x.op = 'set_affinity' AND x.result = 'done' AND x.message_rewrites > 0",
    ),
  },
  trusted_without_isolation: {
    doc: 'Handlers of a device that ran because another device spoofed its message, although the domain says that it isolates devices.',
    sql: `SELECT r.design, r.scenario, x.step, x.pe, x.INTID, x.device, x.vector FROM run_faults x JOIN runs r USING (run) JOIN run_verdicts v USING (run) WHERE x.fault = 'unauthorised' AND v.says_isolated = 1 ORDER BY r.run, x.step`,
  },
  unlike_linux: {
    doc: 'Operations for which a design sent other commands or made other accesses than Linux does, or which it refused; for Direct LPI without an ITS, than its patches or their review.',
    sql: `WITH linux (design, op, asked, did, accessed) AS (VALUES ${LINUX_ROWS}) SELECT r.design, r.scenario, x.step, x.op, x.did, x.accessed, x.result FROM run_operations x JOIN runs r USING (run) WHERE EXISTS (SELECT 1 FROM linux l WHERE l.op = x.op AND r.design LIKE l.design) AND x.result NOT LIKE 'failed%' AND x.result NOT LIKE 'exhausted%' AND (x.result <> 'done' OR NOT EXISTS (SELECT 1 FROM linux l WHERE l.op = x.op AND r.design LIKE l.design AND (l.asked IS NULL OR l.asked = x.pending_asked) AND coalesce(x.did, '') LIKE l.did AND coalesce(x.accessed, '') LIKE l.accessed)) ORDER BY r.run, x.step`,
  },
  vlpis_not_taken: {
    doc: 'Messages of vLPIs that did not reach their guest, and guests that something else than a doorbell woke.',
    sql: `SELECT r.design, r.scenario, ${MESSAGE} FROM run_messages x JOIN runs r USING (run) WHERE r.serves = 'vpes' AND x.outcome <> 'delivered' UNION ALL SELECT r.design, r.scenario, NULL, x.device, x.vector, x.step, NULL, x.fault FROM run_faults x JOIN runs r USING (run) WHERE r.serves = 'vpes'`,
  },
  wrong_handlers: {
    doc: 'Handlers that ran without a message, twice for one, or on another PE than the affinity says; and messages that reached none.',
    sql: `SELECT r.design, r.scenario, x.step, x.fault, x.device, x.vector FROM run_faults x JOIN runs r USING (run) UNION ALL SELECT r.design, r.scenario, x.settled, x.outcome, x.device, x.vector FROM run_messages x JOIN runs r USING (run) WHERE x.outcome <> 'delivered'`,
  },
  costly_invalidations: {
    doc: 'Invalidations of a doorbell that cost more than two commands.',
    sql: each(
      'x.step, x.vpe, x.commands',
      'run_operations',
      "x.op = 'doorbell.invalidate' AND x.commands > 2",
    ),
  },
  operation_times: {
    doc: `Mean time of each kind of operation that was done, in nanoseconds by the cost model \`guest\`, beside that of one hypercall (${COST_MODELS.guest!.ns.hypercalls} ns).`,
    sql: `SELECT r.design, r.scenario, x.op, count(*) AS n, avg(${GUEST_NS}) AS ns, ${COST_MODELS.guest!.ns.hypercalls} AS hypercall_ns FROM run_operations x JOIN runs r USING (run) WHERE x.result = 'done' GROUP BY r.run, x.op ORDER BY r.run, min(x.step)`,
  },
  refused_operations: {
    doc: 'Operations that a design does not support, with the reason.',
    sql: each(
      'x.step, x.op, x.device, x.vector, x.vpe, x.result',
      'run_operations',
      "x.result LIKE 'unsupported%'",
    ),
  },
  exhausted_operations: {
    doc: 'Operations that failed because the design ran out of vectors or tables.',
    sql: each(
      'x.step, x.op, x.device, x.vpe, x.count, x.result',
      'run_operations',
      "x.result LIKE 'exhausted%'",
    ),
  },
  commands_per_operation: {
    doc: 'ITS commands that each kind of operation cost, by command; null if operations of that kind sent none.',
    sql: 'SELECT r.design, r.scenario, o.op AS operation, o.operations, c.op AS command, coalesce(c.commands, 0) AS commands, coalesce(c.commands, 0) * 1.0 / o.operations AS per_operation FROM runs r JOIN (SELECT run, op, count(*) AS operations FROM run_operations GROUP BY run, op) o USING (run) LEFT JOIN (SELECT c.run, p.op AS operation, c.op, count(*) AS commands FROM run_commands c JOIN run_operations p ON p.run = c.run AND p.step = c.step GROUP BY c.run, p.op, c.op) c ON c.run = r.run AND c.operation = o.op ORDER BY r.run, o.op, c.op',
  },
  leaks: {
    doc: 'What failed operations allocated and did not free.',
    sql: each('x.step, x.what, x.n', 'run_leaks', '1'),
  },
  more_than_asked_for: {
    doc: 'LPIs or SPIs that are allocated in excess of the vectors that were requested.',
    sql: `SELECT r.design, r.scenario, a.asked, h.n AS held FROM runs r JOIN (SELECT run, sum("count") AS asked FROM run_operations WHERE op = 'alloc' AND result = 'done' GROUP BY run) a USING (run) JOIN run_held h USING (run) WHERE h.what IN ('LPIs', 'SPIs') AND h.n > a.asked ORDER BY r.run`,
  },
  room: {
    doc: 'Vectors that were granted.',
    sql: `SELECT r.design, r.scenario, sum(x."count") AS vectors FROM run_operations x JOIN runs r USING (run) WHERE x.op = 'alloc' AND x.result = 'done' GROUP BY r.run ORDER BY r.run`,
  },
  costs_of_operations: {
    doc: 'Mean costs of each kind of operation that was done.',
    sql: `SELECT r.design, r.scenario, x.op, count(*) AS n, avg(x.commands) AS commands, avg(x.mmio_writes) AS mmio_writes, avg(x.mmio_reads) AS mmio_reads, avg(x.table_bytes) AS table_bytes, avg(x.message_rewrites) AS message_rewrites, avg(x.hypercalls) AS hypercalls, avg(x.device_writes) AS device_writes FROM run_operations x JOIN runs r USING (run) WHERE x.result = 'done' GROUP BY r.run, x.op ORDER BY r.run, min(x.step)`,
  },
  unwoken_vpes: {
    doc: 'Blocked vPEs with a pending vLPI that no doorbell woke: they are still asleep, or something else woke them.',
    sql: `SELECT r.design, r.scenario, x.step, x.device, x.vector FROM run_faults x JOIN runs r USING (run) WHERE x.fault = 'unwoken' UNION ALL SELECT r.design, r.scenario, x.settled, x.device, x.vector FROM run_messages x JOIN runs r USING (run) WHERE x.outcome = 'stranded' AND r.serves = 'vpes'`,
  },
  lost_in_migration: {
    doc: 'Migrations that left a part behind, with messages that were lost, stranded or not sent in the run, and handlers that ran without a message.',
    sql: `SELECT r.design, r.scenario, c.left_behind, r.lost, r.stranded, r.unsent, r.spurious FROM runs r JOIN (SELECT DISTINCT run, left_behind FROM run_carried) c USING (run) WHERE r.lost + r.stranded + r.unsent + r.spurious > 0 ORDER BY r.run`,
  },
};
