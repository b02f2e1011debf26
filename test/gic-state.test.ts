// gic_state on recordings: held against a straight run, against what the recording itself shows of registers and
// PEs, and against the mappings that follow from commands. Refusals where the trace is not what was loaded.
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { Machine, step } from '@gictrace/core/model';
import { STIMULI_BELOW } from '@gictrace/core/record';
import { loadTraces, QueryDatabase } from '@gictrace/query';
import { TraceReader } from '@gictrace/recorder';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stateRows } from '../packages/query/src/database/state/rows.ts';
import { allBatches, imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

function loaded(path: string, out: string): QueryDatabase {
  const reader = TraceReader.open(path);
  const { contentDigest } = reader.footer!;
  const { header } = reader;
  loadTraces(out, [
    { name: 'trace', path, header, contentDigest, semanticDigest: null, batches: reader.batches() },
  ]);
  reader.close();
  return new QueryDatabase(out);
}

describe.each(['linux-gicv3-spi-head', 'linux-gicv4-kvm'])('%s', (name) => {
  let trace: ReturnType<typeof allBatches>;
  let db: QueryDatabase;
  let total = 0;
  /** Records behind which the source has shown all that came of a stimulus. */
  const settled: number[] = [];
  beforeAll(async () => {
    const path = temp.path(`${name}.gictrace`);
    await imported(recording(`${name}.log.gz`), path);
    trace = allBatches(path);
    trace.reader.close();
    db = loaded(path, temp.path(`${name}.db`));
    for (const batch of trace.batches)
      for (let i = 0; i < batch.count; i++, total++)
        if (batch.kind[i]! < STIMULI_BELOW && total > 0) settled.push(total - 1);
  });
  afterAll(() => db?.close());
  const asked = (sql: string) => [...db.ask(sql).rows].map((row) => [...row]);
  const numbers = (sql: string) => asked(sql).map((row) => row.map(Number));

  it('is the state of a straight run, at any record', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: total - 1 }), (at) => {
        const machine = new Machine(trace.reader.header.config);
        let record = 0;
        for (const batch of trace.batches)
          for (let i = 0; i < batch.count && record <= at; i++, record++)
            if (batch.kind[i]! < STIMULI_BELOW) step(machine, batch, i);
        const straight = [...stateRows(machine)];
        expect(asked(`SELECT * FROM gic_state(1, ${at})`)).toEqual(straight);
      }),
      { numRuns: 15, seed: 1 },
    );
  });

  it('has the registers that the guest read next', () => {
    const reads = asked(
      "SELECT record, register, instance, value, frame FROM mmio WHERE direction = 'read' AND register IS NOT NULL AND width >= 4 ORDER BY record",
    );
    const stride = Math.max(1, Math.floor(reads.length / 150));
    let compared = 0;
    for (let k = 0; k < reads.length; k += stride) {
      const [record, register, instance, value, frame] = reads[k]!;
      const of = frame === 'GICD' ? 'IS NULL' : `= ${instance}`;
      const found = asked(
        `SELECT value FROM gic_state(1, ${Number(record) - 1}) WHERE kind = 'register' AND name = '${register}' AND instance ${of}`,
      );
      if (found.length !== 1) continue;
      const halves = [
        found[0]![0],
        BigInt.asUintN(32, found[0]![0] as bigint),
        BigInt.asUintN(64, found[0]![0] as bigint) >> 32n,
      ];
      expect(halves, `record ${record} ${register}`).toContain(value);
      compared++;
    }
    expect(compared).toBeGreaterThan(10);
  });

  it('has what the source last showed of each PE, and the mappings of the commands', () => {
    let shown = 0;
    let mapped = 0;
    for (let k = 1; k <= 25; k++) {
      const record = settled[Math.floor((settled.length * k) / 26)]!;
      for (const pe of trace.reader.header.config.pes.keys()) {
        const [last] = numbers(
          `SELECT INTID, priority, FIQ, IRQ FROM hppi WHERE pe = ${pe} AND record <= ${record} ORDER BY record DESC LIMIT 1`,
        );
        if (last === undefined) continue;
        const rows = asked(
          `SELECT name, value FROM gic_state(1, ${record}) WHERE kind = 'pe' AND instance = ${pe}`,
        );
        const values = new Map(rows.map(([what, value]) => [what, Number(value)]));
        expect(['hppi INTID', 'hppi priority', 'FIQ', 'IRQ'].map((what) => values.get(what))).toEqual(last);
        shown++;
      }
      const expected = asked(
        `SELECT 'DeviceID ' || gic_hex(DeviceID) || ' EventID ' || EventID, its, INTID FROM mappings WHERE from_record <= ${record} AND coalesce(to_record > ${record}, 1) ORDER BY 1`,
      );
      const rows = asked(
        `SELECT name, instance, value FROM gic_state(1, ${record}) WHERE kind = 'mapping' ORDER BY 1`,
      );
      expect(rows, `record ${record}`).toEqual(expected);
      mapped += rows.length;
    }
    expect(shown).toBeGreaterThan(20);
    if (name === 'linux-gicv4-kvm') expect(mapped).toBeGreaterThan(20);
  });

  it('may be asked for two records in one question', () => {
    const some = "('IRQ', 'ICC_PMR_EL1', 'GICR_WAKER', 'ICC_IGRPEN1_EL1')";
    const state = (record: number) =>
      `SELECT name, instance, value FROM gic_state(1, ${record}) WHERE name IN ${some}`;
    const changed = asked(`${state(total - 1)} EXCEPT ${state(0)}`);
    const before = new Map(asked(state(0)).map(([what, pe, value]) => [`${what} ${pe}`, value]));
    const differ = asked(state(total - 1)).filter(
      ([what, pe, value]) => before.get(`${what} ${pe}`) !== value,
    );
    expect(changed.sort()).toEqual(differ.sort());
    expect(differ.length).toBeGreaterThan(0);
    const joined = asked(
      `SELECT a.name, a.instance, a.value FROM gic_state(1, ${total - 1}) a JOIN gic_state(1, 0) b ON a.name IN ${some} AND a.name = b.name AND a.instance IS b.instance AND a.value <> b.value`,
    );
    const known = new Set(before.keys());
    expect(joined.sort()).toEqual(differ.filter(([what, pe]) => known.has(`${what} ${pe}`)).sort());
  });
});

describe('refuses, in one line,', () => {
  const path = temp.path('a.gictrace');
  let db: QueryDatabase;
  const fresh = () => {
    db?.close();
    db = new QueryDatabase(temp.path('a.db'));
    return () => [...db.ask('SELECT * FROM gic_state(1, 10)').rows].length;
  };
  beforeAll(async () => {
    await imported(recording('its-trigger.log.gz'), path);
    await imported(recording('gicv3-active.log.gz'), temp.path('other.gictrace'));
    db = loaded(path, temp.path('a.db'));
  });
  afterAll(() => db?.close());

  it('a trace that is gone or another', () => {
    expect(fresh()()).toBeGreaterThan(100);
    renameSync(path, temp.path('away'));
    expect(fresh()).toThrow(/gic_state needs the trace that was loaded/);
    copyFileSync(temp.path('other.gictrace'), path);
    expect(fresh()).toThrow(/no longer here as it was/);
    rmSync(path);
    renameSync(temp.path('away'), path);
    expect(fresh()()).toBeGreaterThan(100);
  });

  it.each([
    ['gic_state(2, 0)', /there is no trace 2/],
    ['gic_state(1, 99999999)', /has records 0 to \d+, not 99999999/],
    ['gic_state(1, -1)', /has records 0 to \d+, not -1/],
    ["gic_state('x', 0)", /takes the number of a trace/],
    ['gic_state(1)', /takes the number of a trace/],
    ['gic_state', /takes the number of a trace/],
  ])('%s', (call, says) => {
    fresh();
    expect(() => [...db.ask(`SELECT * FROM ${call}`).rows]).toThrow(says);
  });

  it('a trace that was not loaded from a file', () => {
    const reader = TraceReader.open(path);
    loadTraces(temp.path('b.db'), [
      {
        name: 'b',
        header: reader.header,
        contentDigest: null,
        semanticDigest: null,
        batches: reader.batches(),
      },
    ]);
    reader.close();
    const other = new QueryDatabase(temp.path('b.db'));
    expect(() => [...other.ask('SELECT * FROM gic_state(1, 0)').rows]).toThrow(/was not loaded from a file/);
    other.close();
  });
});
