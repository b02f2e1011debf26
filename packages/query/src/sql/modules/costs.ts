// What operations cost in ITS commands, and how the traces of a database differ in them.
import { beside } from './lifecycle.ts';
import { KEY, type Module, traceOf } from './module.ts';

const OF_TRACES = `SELECT ${traceOf('id')} AS trace, op, count(*) AS n FROM t_commands GROUP BY 1, op`;

export const COST_MODULES: readonly Module[] = [
  {
    name: 'commands_per_operation',
    doc: 'ITS commands that operations cost, by kind of operation and by command. Traces that were recorded from a scenario hold operations; of others each command is in a row without one: `gictrace compare TRACE -o DB` lifts their operations, into a view of this name in a database of comparisons.',
    columns: {
      trace: KEY.trace,
      operation: 'kind of operation; `unknown`: the trace does not tell to which the commands are due',
      operations: 'operations of that kind in the trace; null for unknown',
      command: 'ITS command; null: operations of that kind sent none',
      commands: 'how many they sent',
      per_operation: 'on average; null for unknown',
      least: 'fewest that one of them sent; null for unknown',
      most: 'most that one of them sent; null for unknown',
    },
    sql: `WITH o AS MATERIALIZED (SELECT trace, record, op FROM operations), c AS MATERIALIZED (SELECT ${traceOf('id')} AS trace, operation, op AS command, count(*) AS n FROM t_commands GROUP BY 1, 2, 3), kinds AS (SELECT trace, op, count(*) AS operations FROM o GROUP BY trace, op), sums AS (SELECT o.trace, o.op, c.command, sum(c.n) AS commands, count(*) AS with_some, min(c.n) AS least, max(c.n) AS most FROM c JOIN o ON o.trace = c.trace AND o.record = c.operation GROUP BY o.trace, o.op, c.command) SELECT k.trace, k.op AS operation, k.operations, s.command, coalesce(s.commands, 0) AS commands, coalesce(s.commands, 0) * 1.0 / k.operations AS per_operation, iif(s.with_some = k.operations, s.least, 0) AS least, coalesce(s.most, 0) AS most FROM kinds k LEFT JOIN sums s ON s.trace = k.trace AND s.op = k.op UNION ALL SELECT trace, 'unknown', NULL, command, sum(n), NULL, NULL, NULL FROM c WHERE operation IS NULL GROUP BY trace, command`,
    question: 'How many commands does each kind of operation cost?',
    example:
      'SELECT trace, operation, operations, sum(commands) AS commands, sum(per_operation) AS per_operation FROM commands_per_operation GROUP BY trace, operation ORDER BY trace, commands DESC',
  },
  {
    name: 'commands_by_trace',
    doc: 'ITS commands that were executed, with the traces of a database beside the first of them.',
    columns: {
      trace: KEY.trace,
      op: 'command',
      n: 'how many',
      first_n: 'how many in the first trace',
      delta: 'difference',
    },
    sql: beside(OF_TRACES, ['op']),
    question: 'Which commands did the other run need more of?',
    example: 'SELECT * FROM commands_by_trace WHERE delta <> 0 ORDER BY abs(delta) DESC',
  },
];
