// What became of the messages to the ITSs of a GICv5, whose translations are in memory.
import { readFileSync, writeFileSync } from 'node:fs';
import { exportTrace, loadTraceFiles, QueryDatabase, reportTraces } from '@gictrace/query';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { readReport } from './report-data.ts';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** The trace of a scenario with the design of Linux's driver. */
async function recorded(scenario: string): Promise<string> {
  const trace = temp.path(`${scenario}.gictrace`);
  expect((await run('record', scenario, '--on', 'gicv5-its', '-o', trace, '--force')).code).toBe(0);
  return trace;
}
/** Asks a database of a trace. */
async function asking(trace: string, ...sqls: string[]): Promise<unknown[][][]> {
  const path = `${trace}.db`;
  await loadTraceFiles(path, [trace], { force: true, threads: 1 });
  const db = new QueryDatabase(path);
  try {
    return sqls.map((sql) =>
      [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell))),
    );
  } finally {
    db.close();
  }
}

describe('messages to a GICv5', () => {
  it('make an LPI pending, or come while it is pending', async () => {
    const [counts, pended, begun, coalesced, whilePending, translated, all] = await asking(
      await recorded('storm'),
      'SELECT outcome, count(*) FROM msis GROUP BY 1 ORDER BY 1',
      "SELECT record, INTID, time_ns FROM msis WHERE outcome = 'pended' ORDER BY 1",
      "SELECT asserted, INTID, asserted_ns FROM interrupts WHERE cause = 'msi' ORDER BY 1",
      "SELECT record FROM msis WHERE outcome = 'coalesced' ORDER BY 1",
      'SELECT m.record FROM msis m JOIN interrupts i ON i.INTID = m.INTID AND i.pended < m.record AND i.acknowledged > m.record ORDER BY 1',
      "SELECT record, INTID, pe FROM events WHERE kind = 'msi.translated' ORDER BY 1",
      'SELECT record, INTID, pe FROM msis ORDER BY 1',
    );
    expect(counts).toEqual([
      ['coalesced', 2],
      ['pended', 76],
    ]);
    expect(pended).toEqual(begun);
    expect(coalesced).toEqual(whilePending);
    expect(all).toEqual(translated);
  });

  it('of an event that is not mapped are dropped and lost', async () => {
    const [messages, lost] = await asking(
      await recorded('isolation'),
      'SELECT INTID, virtual, pe, outcome FROM msis',
      'SELECT raised_by, outcome, lost_by FROM lost',
    );
    expect(messages).toEqual([[null, null, null, 'event-unmapped']]);
    expect(lost).toEqual([['msi', 'dropped', 'event-unmapped']]);
  });

  it('have no outcome where the tables are not in the source', async () => {
    const lines = temp.path('storm.jsonl');
    exportTrace(await recorded('storm'), 'jsonl', lines);
    const without = temp.path('without.jsonl');
    const kept = readFileSync(lines, 'utf8')
      .split('\n')
      .filter((line) => !/"kind":"mem\.(?:write|known)"/.test(line));
    writeFileSync(without, kept.join('\n'));
    const trace = temp.path('without.gictrace');
    expect((await run('import', 'jsonl', without, '-o', trace)).code).toBe(0);
    const [messages] = await asking(trace, 'SELECT INTID, pe, outcome, count(*) FROM msis GROUP BY 1, 2, 3');
    expect(messages).toEqual([[null, null, null, 78]]);
  });

  it('are counted by class and device', async () => {
    const trace = await recorded('storm');
    const [lives, outcomes, its, mappings] = await asking(
      trace,
      'SELECT class, sum(lives), sum(coalesced) FROM lifecycle GROUP BY 1',
      "SELECT outcome, n FROM outcomes_by_trace WHERE class = 'message' ORDER BY 1",
      'SELECT its FROM traces',
      'SELECT count(*) FROM mappings',
    );
    expect(lives).toEqual([['LPI', 77, 2]]);
    expect(outcomes).toEqual([
      ['coalesced', 2],
      ['pended', 76],
    ]);
    expect([its, mappings]).toEqual([[[1]], [[0]]]);
    const page = temp.path('storm.html');
    reportTraces([trace], page, { version: 'test', force: true });
    const { facts, models } = await readReport(page);
    expect(facts.traces[0]!.itsCount).toBe(1);
    expect(models[0]!.msis.at).toHaveLength(78);
    expect(exportTrace(trace, 'perfetto', temp.path('p')).wrote).toMatchObject({ msis: 78, flows: 76 });
  });

  it('that are spoofed raise no interrupt that is known to be of another device', async () => {
    const [spoofed] = await asking(
      await recorded('storm'),
      'SELECT i.verdict, m.outcome, i.writer = m.DeviceID, i.owner <> m.DeviceID FROM isolation i JOIN msis m ON m.record = i.record',
    );
    expect(spoofed).toEqual(Array(2).fill(['unknown', 'pended', 1, 1]));
  });
});
