// What operations cost in ITS commands, and how the traces of a database differ in them.
import { beside } from './lifecycle.ts';
import { KEY, lacks, type Module, traceOf } from './module.ts';

const OF_TRACES = `SELECT ${traceOf('id')} AS trace, op, count(*) AS n FROM t_commands GROUP BY 1, op`;

export const COST_MODULES: readonly Module[] = [
  {
    name: 'commands_per_operation',
    doc: 'ITS commands that operations cost, by kind of operation and by command. Traces that were recorded from a scenario contain operations. For other traces, commands are in rows without an operation; `gictrace compare TRACE -o DB` lifts the operations of such a trace, and its database has a view of the same name.',
    columns: {
      trace: KEY.trace,
      operation: 'kind of operation; `unknown` if the trace does not say which operation caused the commands',
      operations: 'number of operations of that kind in the trace; null for unknown',
      command: 'ITS command; null if operations of that kind sent none',
      commands: 'how many of these commands they sent',
      per_operation: 'average per operation; null for unknown',
      least: 'the fewest that one operation sent; null for unknown',
      most: 'the most that one operation sent; null for unknown',
    },
    sql: `WITH o AS MATERIALIZED (SELECT trace, record, op FROM operations), c AS MATERIALIZED (SELECT ${traceOf('id')} AS trace, operation, op AS command, count(*) AS n FROM t_commands GROUP BY 1, 2, 3), kinds AS (SELECT trace, op, count(*) AS operations FROM o GROUP BY trace, op), sums AS (SELECT o.trace, o.op, c.command, sum(c.n) AS commands, count(*) AS with_some, min(c.n) AS least, max(c.n) AS most FROM c JOIN o ON o.trace = c.trace AND o.record = c.operation GROUP BY o.trace, o.op, c.command) SELECT k.trace, k.op AS operation, k.operations, s.command, coalesce(s.commands, 0) AS commands, coalesce(s.commands, 0) * 1.0 / k.operations AS per_operation, iif(s.with_some = k.operations, s.least, 0) AS least, coalesce(s.most, 0) AS most FROM kinds k LEFT JOIN sums s ON s.trace = k.trace AND s.op = k.op UNION ALL SELECT trace, 'unknown', NULL, command, sum(n), NULL, NULL, NULL FROM c WHERE operation IS NULL GROUP BY trace, command`,
    question: 'How many commands does each kind of operation cost?',
    example:
      'SELECT trace, operation, min(operations) AS operations, sum(commands) AS commands, sum(per_operation) AS per_operation FROM commands_per_operation GROUP BY trace, operation ORDER BY trace, commands DESC',
  },
  {
    name: 'commands_by_trace',
    doc: 'The ITS commands that were executed, compared between each trace of the database and the first one.',
    columns: {
      trace: KEY.trace,
      op: 'command; `unknown`: a command that the source does not contain',
      n: 'how many; null if the source of the trace does not contain commands',
      first_n: 'how many in the first trace; null likewise',
      delta: 'difference; null if either is null',
    },
    sql: beside(OF_TRACES, ['op'], `e.op <> 'unknown' AND ${lacks('commands')}`),
    question: 'Of which commands did the other run need more?',
    example: 'SELECT * FROM commands_by_trace WHERE delta <> 0 ORDER BY abs(delta) DESC',
  },
];
