// The real recordings: imported, replayed without a divergence, and their known truths out of SQL.
import { readFileSync } from 'node:fs';
import { loadTraces, QueryDatabase } from '@gictrace/query';
import { importToTrace, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const imports = new Map<string, Promise<string>>();
/** The trace of a recording, imported by whichever test asks first: each test has to pass alone. */
function traceOf(name: string): Promise<string> {
  let trace = imports.get(name);
  if (trace === undefined) {
    const path = temp.path(`${name}.gictrace`);
    trace = imported(recording(`${name}.log.gz`), path).then(() => path);
    imports.set(name, trace);
  }
  return trace;
}

const LOGS = [
  'linux-gicv3-mrops',
  'linux-gicv3-plugin-head',
  'linux-gicv3-spi-head',
  'gicv3-active',
  'its-introspection',
  'its-trigger',
  'linux-gicv4-kvm',
  'linux-gicv3-qemu-11',
];

it('the profile is that of the QEMU that a log shows: another version diverges where it differs', async () => {
  const trace = temp.path('later.gictrace');
  const { config, provenance } = await imported(recording('linux-gicv3-qemu-11.log.gz'), trace);
  expect([config.profile, provenance.profile]).toEqual(['qemu-11.1', 'log']);
  const earlier = temp.path('earlier.gictrace');
  await importToTrace(recording('linux-gicv3-qemu-11.log.gz'), earlier, {
    version: 'test',
    profile: 'qemu-10.0',
  });
  const verdict = replayTrace(earlier, { version: 'test' });
  // GICD_TYPER2, which is read once.
  expect([verdict.diverged, verdict.first!.kind]).toEqual([1, 'mmio.read']);
  expect(verdict.first!.stimulus!.text).toContain('GICD_TYPER2');
});

describe.each(LOGS)('%s', (name) => {
  let trace: string;
  beforeAll(async () => {
    trace = await traceOf(name);
  });

  it('replays without a divergence, with every observable compared', () => {
    const verdict = replayTrace(trace, { version: 'test' });
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
    expect(verdict.skipped).toEqual({});
    expect(verdict.anomalies).toBe(0);
    const reader = TraceReader.open(trace);
    const kinds = reader.footer!.kinds;
    reader.close();
    for (const kind of [
      'mmio.read',
      'mmio.write',
      'sysreg.read',
      'hppi',
      'vhppi',
      'its.command',
      'dte.read',
      'cte.read',
      'ite.read',
      'sgi.sent',
      'maintenance',
      'vte.read',
      'vte.write',
    ])
      expect(verdict.compared[kind] ?? 0, kind).toBe(kinds[kind] ?? 0);
  });

  it('gives the same bytes each time: imported twice, re-recorded twice', async () => {
    const again = temp.path(`${name}.again`);
    const first = await imported(recording(`${name}.log.gz`), again);
    const reader = TraceReader.open(trace);
    expect(first.summary.contentDigest).toBe(reader.footer!.contentDigest);
    reader.close();
    const digests = ['a', 'b'].map((suffix) => {
      const out = temp.path(`${name}.${suffix}`);
      replayTrace(trace, { version: 'test', output: out });
      const replayed = TraceReader.open(out);
      replayed.close();
      return replayed.footer!.contentDigest;
    });
    expect(digests[0]).toBe(digests[1]);
    // A re-recorded trace replays to itself.
    const verdict = replayTrace(temp.path(`${name}.a`), { version: 'test', output: temp.path(`${name}.c`) });
    expect(verdict.diverged).toBe(0);
    expect(readFileSync(temp.path(`${name}.c`)).equals(readFileSync(temp.path(`${name}.a`)))).toBe(true);
  });
});

it('infers no LPI configuration where the log shows the stores', async () => {
  const verdict = replayTrace(await traceOf('linux-gicv3-plugin-head'), { version: 'test' });
  expect(Object.keys(verdict.unknown).filter((name) => name.startsWith('lpi-config'))).toEqual([]);
  expect(verdict.unknown['command-from-decode']).toBeUndefined();
});

describe('known truths of linux-gicv3-mrops, out of SQL', () => {
  let db: QueryDatabase;
  beforeAll(async () => {
    const path = temp.path('truths.db');
    const reader = TraceReader.open(await traceOf('linux-gicv3-mrops'));
    loadTraces(path, [
      {
        name: 'mrops',
        header: reader.header,
        contentDigest: reader.footer!.contentDigest,
        semanticDigest: reader.footer!.semanticDigest,
        batches: reader.batches(),
      },
    ]);
    reader.close();
    db = new QueryDatabase(path);
  });
  afterAll(() => db?.close());
  const one = (sql: string) =>
    [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));

  it('10,427 acknowledges, all of them lives of interrupts', () => {
    expect(
      one("SELECT count(*) FROM sysregs WHERE register = 'ICC_IAR1_EL1' AND direction = 'read'"),
    ).toEqual([[10_427]]);
    expect(one('SELECT count(*) FROM interrupts WHERE acknowledged IS NOT NULL')).toEqual([[10_427]]);
  });

  it('2,379 MSIs', () => {
    expect(one('SELECT count(*) FROM msis')).toEqual([[2379]]);
    expect(one('SELECT outcome, count(*) FROM msis GROUP BY outcome ORDER BY 1')).toEqual([
      ['coalesced', 2],
      ['pended', 2377],
    ]);
  });

  it('203 ITS commands by name', () => {
    expect(one('SELECT op, count(*) AS n FROM its_commands GROUP BY op ORDER BY n DESC, op')).toEqual([
      ['SYNC', 98],
      ['MOVI', 34],
      ['INV', 27],
      ['MAPTI', 16],
      ['DISCARD', 11],
      ['MAPD', 7],
      ['INVALL', 5],
      ['MAPC', 5],
    ]);
  });

  it('every MSI that pended an LPI was taken by the PE that it was sent to, or moved', () => {
    expect(
      one(
        "SELECT count(*) FROM msis m JOIN interrupts i ON i.trace = m.trace AND i.asserted = m.record AND i.INTID = m.INTID WHERE i.outcome <> 'complete' AND i.outcome <> 'withdrawn'",
      ),
    ).toEqual([[0]]);
  });
});

describe('known truths of linux-gicv4-kvm, out of SQL', () => {
  let db: QueryDatabase;
  beforeAll(async () => {
    const path = temp.path('gicv4.db');
    const reader = TraceReader.open(await traceOf('linux-gicv4-kvm'));
    loadTraces(path, [
      {
        name: 'gicv4',
        header: reader.header,
        contentDigest: reader.footer!.contentDigest,
        semanticDigest: reader.footer!.semanticDigest,
        batches: reader.batches(),
      },
    ]);
    reader.close();
    db = new QueryDatabase(path);
  });
  afterAll(() => db?.close());
  const one = (sql: string) =>
    [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));

  it('on the proxy device 77 CLEAR and 40 INV needed only 2 MAPTI and 2 DISCARD', () => {
    expect(
      one('SELECT op, count(*) FROM its_commands WHERE DeviceID = 65535 GROUP BY op ORDER BY op'),
    ).toEqual([
      ['CLEAR', 77],
      ['DISCARD', 2],
      ['INV', 40],
      ['MAPD', 1],
      ['MAPTI', 2],
      ['MOVI', 11],
    ]);
  });

  it('every virtual interrupt that a virtual machine took is a life, by list register or as a vLPI', () => {
    const [[reads]] = one(
      "SELECT count(*) FROM sysregs WHERE register LIKE 'ICV_IAR%' AND value <> 1023",
    ) as [[number]];
    expect(reads).toBeGreaterThan(0);
    expect(one('SELECT count(*) FROM vinterrupts WHERE acknowledged IS NOT NULL')).toEqual([[reads]]);
  });

  it('a doorbell rang for every vLPI whose vPE was not resident and that has one', () => {
    expect(
      one(
        "SELECT count(*) FROM events WHERE kind = 'doorbell.rung' AND record NOT IN (SELECT pended FROM vinterrupts WHERE resident = 0)",
      ),
    ).toEqual([[0]]);
  });
});
