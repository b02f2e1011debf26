// Traces of a GICv5 in SQL and in other tools' formats. What QEMU's log says of PEs is known by lines of exceptions (`-d int`):
// without them a row may know less, and nothing else.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type Cell,
  Dataset,
  exportToDataset,
  exportTrace,
  loadTraceFiles,
  QueryDatabase,
  reportTraces,
} from '@gictrace/query';
import { importGicv5ToTrace } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lanesOf } from '../packages/query/page/lanes.js';
import { search } from '../packages/query/page/search.js';
import { readReport } from './report-data.ts';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const recording = (name: string) => join(import.meta.dirname, 'recordings', `${name}.log.gz`);

/** A database of a log, of which lines can be left out. */
async function database(name: string, keep?: (line: string) => boolean): Promise<QueryDatabase> {
  const log = temp.path(`${basename(name)}.log`);
  const text = gunzipSync(readFileSync(recording(name))).toString('latin1');
  writeFileSync(log, keep === undefined ? text : text.split('\n').filter(keep).join('\n'), 'latin1');
  const trace = temp.path(`${basename(name)}${keep === undefined ? '' : '-less'}.gictrace`);
  await importGicv5ToTrace(log, trace, { force: true });
  const path = `${trace}.db`;
  await loadTraceFiles(path, [trace], { force: true, threads: 1 });
  return new QueryDatabase(path);
}
const rows = (db: { ask(sql: string): { rows: Iterable<readonly Cell[]> } }, sql: string) =>
  [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));

const isEvent = (line: string) => line.includes('gicv5_');
const COLUMNS = [
  ...['pe', 'cause', 'asserted_ns', 'pended_ns', 'signalled_ns', 'eoi_ns'],
  ...['deactivated_ns', 'outcome', 'latency_ns', 'service_ns'],
];

describe.each([
  { log: 'linux-gicv5-three-pes-int-head', lifetimes: 432, values: 3084, withPe: 99, pendings: 231 },
  { log: 'small/gicv5-four-pes', lifetimes: 14, values: 78, withPe: 0, pendings: 3 },
])('interrupts of $log', ({ log, lifetimes, values, withPe, pendings }) => {
  it('have, where the PEs are not printed, the same values or none', async () => {
    const [all, less] = [await database(log), await database(log, isEvent)];
    const sql = `SELECT INTID, acknowledged_ns, ${COLUMNS.join(', ')} FROM interrupts WHERE acknowledged_ns IS NOT NULL`;
    const truth = new Map(rows(all, sql).map((row) => [`${row[0]} ${row[1]}`, row.slice(2)]));
    const known: Record<string, number> = {};
    const wrong: unknown[] = [];
    const found = rows(less, sql);
    for (const row of found) {
      const true_ = truth.get(`${row[0]} ${row[1]}`);
      expect(true_, `${row}`).toBeDefined();
      for (const [k, name] of COLUMNS.entries()) {
        const [is, was] = [row[k + 2], true_![k]];
        if (is === null || was === null) continue;
        known[name] = (known[name] ?? 0) + 1;
        if (is !== was) wrong.push({ row, true_ });
      }
    }
    expect(wrong).toEqual([]);
    expect(found).toHaveLength(lifetimes);
    expect(truth.size).toBe(lifetimes);
    expect([known.pe ?? 0, known.pended_ns]).toEqual([withPe, pendings]);
    expect(Object.values(known).reduce((x, y) => x + y)).toBe(values);
    all.close();
    less.close();
  });
});

describe('a boot of Linux', () => {
  let db: QueryDatabase;
  const trace = temp.path('linux-gicv5-qemu-11.gictrace');
  beforeAll(async () => {
    db = await database('linux-gicv5-qemu-11');
  });
  afterAll(() => db.close());

  it('has the interrupts of /proc/interrupts, by type', () => {
    expect(
      rows(
        db,
        `SELECT gic_intid(INTID), cause, count(*), sum(latency_ns IS NOT NULL) FROM interrupts
         WHERE acknowledged IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1`,
      ),
    ).toEqual([
      ['PPI 27', 'wire', 1631, 595],
      ['LPI 9', 'software', 272, 272],
      ['LPI 1', 'software', 242, 242],
      ['LPI 8', 'software', 31, 31],
      ['LPI 0', 'software', 13, 13],
      ['SPI 4', 'wire', 6, 6],
      ['LPI 10', 'software', 1, 1],
      ['LPI 5', 'software', 1, 1],
    ]);
  });

  it('has the class of each interrupt by the type in its INTID', () => {
    expect(rows(db, 'SELECT class, gic_intid(INTID) FROM lifecycle ORDER BY INTID')).toEqual([
      ['PPI', 'PPI 27'],
      ...[0, 1, 5, 8, 9, 10].map((id) => ['LPI', `LPI ${id}`]),
      ['SPI', 'SPI 4'],
    ]);
  });

  it('says of no PE what the log leaves undecided', () => {
    const undecided = `SELECT DISTINCT record FROM stimuli WHERE flags & 32 AND kind = 'sysreg.read'`;
    expect(
      rows(db, `SELECT count(*) FROM interrupts WHERE pe IS NOT NULL AND acknowledged IN (${undecided})`),
    ).toEqual([[0]]);
    expect(rows(db, `SELECT count(*) FROM (${undecided})`)).toEqual([[1537]]);
    expect(
      rows(db, "SELECT pe, count(*) FROM interrupts WHERE gic_intid(INTID) = 'LPI 9' GROUP BY 1"),
    ).toEqual([[1, 272]]);
  });

  it('has waits with their reasons, accesses and instructions by name, and the state at a record', () => {
    expect(
      rows(db, 'SELECT gate, count(*) > 0 FROM waits WHERE pe IS NOT NULL GROUP BY 1').map(([gate]) => gate),
    ).toEqual(['active', 'behind', 'running priority', 'unknown']);
    expect(
      rows(db, "SELECT register, count(*) FROM sysregs WHERE direction = 'write' GROUP BY 1 ORDER BY 1"),
    ).toContainEqual(['GIC_CDEOI', 2197]);
    expect(
      rows(db, "SELECT frame, register, gic_hex(value) FROM mmio WHERE register = 'IRS_IST_BASER'"),
    ).toContainEqual(['IRS', 'IRS_IST_BASER', '0x43a00001']);
    const state = rows(db, "SELECT name, text FROM gic_state(1, 40000) WHERE name IN ('SPI 1', 'IRS_CR0')");
    expect(state).toEqual([
      ['SPI 1', 'enabled HM Edge priority 31 IAFFID 0'],
      ['IRS_CR0', 'IRSEN IDLE'],
    ]);
  });

  it('is searched in a report: what is found has a lane', async () => {
    const path = temp.path('searched.html');
    reportTraces([trace], path, { version: 'test', force: true });
    const { models } = await readReport(path);
    const model = models[0]!;
    const { lanes } = lanesOf(model);
    const found = (query: string) =>
      search([{ model }], query).filter(({ choice }) => choice?.kind === 'lives');
    const queries = new Set(Array.from(model.lives.intid, (intid) => intid));
    expect(queries.size).toBe(8);
    for (const intid of queries) {
      const hits = found(`${intid}`);
      expect(hits.length, `${intid}`).toBeGreaterThan(0);
      for (const { open, lane, choice } of hits) {
        const group = lanes.find(({ key }) => key === open[0]);
        expect(group?.children().map(({ key }) => key)).toContain(lane);
        expect(model.lives.intid[choice!.row]).toBe(intid);
      }
    }
    // The log leaves open which PEs took most of the timer's interrupts.
    expect(found('ppi 27').map(({ text }) => text.replace(/:.*/, ''))).toEqual([
      'PPI 27, PE unknown',
      'PPI 27 on PE 0',
      'PPI 27 on PE 1',
    ]);
    expect(found('spi 27')).toEqual([]);
  });

  it('is the same in a dataset', async () => {
    const dir = temp.path('dataset');
    await exportToDataset(dir, trace);
    const dataset = await Dataset.open(dir);
    const sql =
      'SELECT INTID, pe, pended, acknowledged, eoi, outcome FROM interrupts WHERE acknowledged IS NOT NULL ORDER BY INTID, acknowledged';
    const answer = await dataset.ask(sql);
    const found: unknown[] = [];
    for await (const row of answer.rows)
      found.push(row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));
    expect(found).toEqual(rows(db, sql));
    dataset.close();
  });

  it('goes to Perfetto, to waveform viewers and to a page', () => {
    const perfetto = exportTrace(trace, 'perfetto', temp.path('p'));
    expect(perfetto.wrote).toMatchObject({ slices: 2197, unfinished: 0 });
    expect(readFileSync(temp.path('p')).includes('PPI 27')).toBe(true);
    exportTrace(trace, 'vcd', temp.path('v'));
    const vcd = readFileSync(temp.path('v'), 'latin1');
    expect(vcd).toContain(' irs_hppi_INTID [31:0] $end');
    expect(vcd).toContain(' SPI4 $end');
    const report = reportTraces([trace], temp.path('r'));
    expect(report.wrote).toMatchObject({ lives: 2199 });
  });
});
