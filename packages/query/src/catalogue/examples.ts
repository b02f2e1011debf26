// Example queries: common questions about interrupt traces, in SQL.

export interface Example {
  readonly name: string;
  readonly question: string;
  readonly sql: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: 'commands',
    question: 'How many of each ITS command?',
    sql: 'SELECT op, count(*) AS n FROM its_commands GROUP BY op ORDER BY n DESC, op',
  },
  {
    name: 'acknowledges',
    question: 'Which interrupts did each PE take, and how often?',
    sql: 'SELECT INTID, pe, count(*) AS taken FROM interrupts WHERE acknowledged IS NOT NULL GROUP BY INTID, pe ORDER BY taken DESC, INTID, pe LIMIT 10',
  },
  {
    name: 'msi-latency',
    question: 'From MSI to acknowledge, by device (microseconds)?',
    sql: `SELECT m.DeviceID, count(*) AS msis, round(median(i.latency_ns) / 1000.0, 1) AS p50_us, round(percentile(i.latency_ns, 99) / 1000.0, 1) AS p99_us
FROM msis m JOIN interrupts i ON i.trace = m.trace AND i.asserted = m.record
WHERE i.latency_ns IS NOT NULL GROUP BY m.DeviceID ORDER BY m.DeviceID`,
  },
  {
    name: 'moves',
    question: 'Which events moved between PEs?',
    sql: "SELECT DeviceID, EventID, min(INTID) AS INTID, group_concat(pe, ' > ' ORDER BY from_record) AS pes, count(*) - 1 AS moves FROM mappings GROUP BY trace, its, DeviceID, EventID HAVING moves > 0 ORDER BY moves DESC, DeviceID, EventID LIMIT 10",
  },
  {
    name: 'coalesced',
    question: 'What became of the MSIs?',
    sql: 'SELECT outcome, count(*) AS n FROM msis GROUP BY outcome ORDER BY n DESC',
  },
  {
    name: 'slowest',
    question: 'Which interrupts waited longest?',
    sql: 'SELECT INTID, pe, cause, pended, acknowledged, round(latency_ns / 1000.0, 1) AS latency_us FROM interrupts WHERE latency_ns IS NOT NULL ORDER BY latency_ns DESC, pended LIMIT 5',
  },
  {
    name: 'vlpi-latency',
    question: 'From MSI to the virtual machine, by whether its vPE was resident (microseconds)?',
    sql: `SELECT resident, count(*) AS n, count(doorbell) AS doorbells, round(median(latency_ns) / 1000.0, 1) AS p50_us, round(percentile(latency_ns, 99) / 1000.0, 1) AS p99_us
FROM vinterrupts WHERE cause = 'msi' GROUP BY resident ORDER BY resident`,
  },
  {
    name: 'findings',
    question: 'Which software errors were found, and how often?',
    sql: 'SELECT severity, rule, count(*) AS n, min(record) AS first FROM findings GROUP BY severity, rule ORDER BY n DESC',
  },
  {
    name: 'unfinished',
    question: 'How did the lifetimes of interrupts end?',
    sql: 'SELECT outcome, count(*) AS n FROM interrupts GROUP BY outcome ORDER BY n DESC',
  },
];
