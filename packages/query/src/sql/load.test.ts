// Loading: what rows a trace becomes, lives and MSIs where source and simulator differ, and what a fault leaves.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DROP_REASONS, NO_PE, RECORD_FLAGS } from '@gictrace/core/record';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type LoadSource, loadTraces, QueryDatabase } from '../index.ts';
import { Recording, scratch } from '../testing/synthetic.ts';

const folder = scratch();
afterAll(() => folder.dispose());
let files = 0;

/** Loads and asks; integers as numbers. */
function answers(sources: LoadSource[], ...questions: string[]): unknown[][][] {
  const path = folder.path(`${files++}.db`);
  loadTraces(path, sources);
  const db = new QueryDatabase(path);
  try {
    return questions.map((sql) =>
      [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell))),
    );
  } finally {
    db.close();
  }
}
const answer = (recording: Recording, sql: string) => answers([recording.source()], sql)[0]!;

describe('records', () => {
  test('each keeps its number, PE, time and register', () => {
    const r = new Recording();
    r.mmio('read', 1, 'GICD', 0x6108, 5n, 8);
    r.mmio('write', 0, 'GICR', 0x1_0100, 6);
    r.sysreg('write', 1, 'ICC_PMR_EL1', 0xf0);
    const [mmio, sysregs] = answers(
      [r.source()],
      'SELECT trace, record, time_ns, pe, frame, instance, register, offset, width, value, direction FROM mmio ORDER BY record',
      'SELECT record, pe, register, value, direction FROM sysregs',
    );
    expect(mmio).toEqual([
      [1, 0, 1000, 1, 'GICD', 0, 'GICD_IROUTER33', 0x6108, 8, 5, 'read'],
      [1, 1, 2000, 0, 'GICR', 0, 'GICR_ISENABLER0', 0x1_0100, 4, 6, 'write'],
    ]);
    expect(sysregs).toEqual([[2, 1, 'ICC_PMR_EL1', 0xf0, 'write']]);
  });

  test('64 bits survive', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 40 }),
        (values) => {
          const r = new Recording();
          for (const value of values) r.mmio('read', 0, 'GITS', 8, value, 8);
          const rows = answer(r, 'SELECT gic_hex(value) FROM mmio ORDER BY record');
          expect(rows).toEqual(values.map((value) => [`0x${value.toString(16)}`]));
        },
      ),
      { numRuns: 10 },
    );
  });

  test('64 bits survive where numbers end and where the sign begins', () => {
    const edges = [2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 2n].flatMap((edge) => [
      edge - 1n,
      edge,
      edge + 1n,
    ]);
    const r = new Recording();
    for (const value of edges) r.mmio('read', 0, 'GITS', 8, value, 8);
    const rows = answer(r, 'SELECT gic_hex(value) FROM mmio ORDER BY record');
    expect(rows).toEqual(edges.map((value) => [`0x${value.toString(16)}`]));
  });

  test('what is not told is null; a fraction of a nanosecond is rounded', () => {
    const r = new Recording(0.4);
    r.add('mem.unknown', NO_PE, { address: 0x4000_0000, length: 4 });
    r.batch.timeNs[0] = Number.NaN;
    r.add('mem.unknown', NO_PE);
    r.add('mem.unknown', NO_PE);
    const rows = answer(r, 'SELECT time_ns, pe, line, rule FROM stimuli ORDER BY record');
    expect(rows).toEqual([
      [null, null, null, null],
      [1, null, null, null],
      [1, null, null, null],
    ]);
  });

  test('a value that the source does not tell is null', () => {
    const r = new Recording();
    r.mmio('read', 0, 'GICD', 4, 0);
    r.batch.flags[0] = RECORD_FLAGS.valueUnknown;
    r.sysreg('read', 0, 'ICC_PMR_EL1', 0, RECORD_FLAGS.valueUnknown);
    const values = answers([r.source()], 'SELECT value FROM mmio', 'SELECT value FROM sysregs');
    expect(values).toEqual([[[null]], [[null]]]);
  });

  test('more records of a kind than one statement takes', () => {
    const r = new Recording();
    const levels = Array.from({ length: 333 }, (_, k) => (k & 1) as 0 | 1);
    for (const level of levels) r.wire(0, 27, level);
    const rows = answer(r, 'SELECT id % 1099511627776, level FROM k_wire_set ORDER BY id');
    expect(rows).toEqual(levels.map((level, k) => [k, level]));
  });

  test('several traces keep apart, and rows of every table are found again', () => {
    const one = new Recording();
    one.wire(0, 27, 1);
    const two = new Recording();
    two.wire(0, 27, 1);
    two.wire(0, 27, 0);
    const [traces, stimuli] = answers(
      [one.source('one'), two.source('two')],
      'SELECT trace, name, records, events FROM traces',
      'SELECT trace, record, kind FROM stimuli ORDER BY trace, record',
    );
    expect(traces).toEqual([
      [1, 'one', 1, 'simulated'],
      [2, 'two', 2, 'simulated'],
    ]);
    expect(stimuli).toEqual([
      [1, 0, 'wire.set'],
      [2, 0, 'wire.set'],
      [2, 1, 'wire.set'],
    ]);
  });

  test('a trace that holds events shows those and no derived ones, from its first record on', () => {
    const r = new Recording();
    r.wire(0, 27, 1);
    r.wire(0, 27, 0);
    r.add('lpi.configured', 0, { INTID: 8200, config: 0xa1, known: 1 });
    const [events, traces] = answers(
      [r.source()],
      'SELECT record, seq, kind, INTID, fields FROM events',
      'SELECT events FROM traces',
    );
    expect(events).toEqual([[1, 0, 'lpi.configured', 8200, 'INTID 8200, config 161, known 1']]);
    expect(traces).toEqual([['recorded']]);
  });
});

describe('interrupts', () => {
  const LIFE =
    'SELECT INTID, pe, cause, outcome, asserted, pended, signalled, acknowledged, eoi, deactivated, latency_ns, service_ns FROM interrupts ORDER BY pended, acknowledged';

  test('a level PPI that stays up lives twice', () => {
    const r = new Recording().setUp(1);
    const up = r.wire(1, 27, 1);
    const iar = r.sysreg('read', 1, 'ICC_IAR1_EL1', 27);
    const eoi = r.sysreg('write', 1, 'ICC_EOIR1_EL1', 27);
    r.wire(1, 27, 0);
    expect(answer(r, LIFE)).toEqual([
      [27, 1, 'wire', 'complete', up, up, up, iar, eoi, eoi, 1000, 1000],
      [27, 1, 'still asserted', 'withdrawn', null, eoi, eoi, null, null, null, null, null],
    ]);
  });

  test('what goes on at the end is said to go on', () => {
    const r = new Recording().setUp(0).setUp(1);
    r.wire(0, 27, 1);
    r.sysreg('read', 0, 'ICC_IAR1_EL1', 27);
    r.wire(1, 27, 1);
    const rows = answer(r, 'SELECT pe, outcome FROM interrupts ORDER BY pe');
    expect(rows).toEqual([
      [0, 'active at end'],
      [1, 'pending at end'],
    ]);
  });

  test('the source outranks the simulator: what it shows acknowledged was', () => {
    const r = new Recording();
    const iar = r.sysreg('read', 0, 'ICC_IAR1_EL1', 8212);
    const eoi = r.sysreg('write', 0, 'ICC_EOIR1_EL1', 8212);
    expect(answer(r, LIFE)).toEqual([
      [8212, 0, 'unknown', 'complete', null, null, null, iar, eoi, null, null, 1000],
    ]);
  });

  test('the source outranks the simulator: what it shows not acknowledged was not', () => {
    const r = new Recording().setUp(0);
    r.wire(0, 27, 1);
    r.sysreg('read', 0, 'ICC_IAR1_EL1', 1023);
    const rows = answer(r, 'SELECT count(*) FROM interrupts WHERE acknowledged IS NOT NULL');
    expect(rows).toEqual([[0]]);
  });

  test('a value that the source does not tell leaves it to the simulator', () => {
    const r = new Recording().setUp(0);
    r.wire(0, 27, 1);
    const iar = r.sysreg('read', 0, 'ICC_IAR1_EL1', 0, RECORD_FLAGS.valueUnknown);
    expect(answer(r, 'SELECT INTID, acknowledged FROM interrupts')).toEqual([[27, iar]]);
  });
});

describe('msis', () => {
  const MSI = 'SELECT DeviceID, EventID, INTID, virtual, pe, outcome FROM msis';
  const msi = { its: 0, DeviceID: 0x10, EventID: 3, width: 4 };

  test('the simulator tells why one was dropped', () => {
    const r = new Recording();
    r.add('msi.write', NO_PE, msi);
    const [[row]] = answers([r.source()], MSI) as [[unknown[]]];
    expect(row.slice(0, 5)).toEqual([0x10, 3, null, null, null]);
    expect(DROP_REASONS).toContain(row[5]);
  });

  test('a table entry that the source shows outranks it, and nothing is invented', () => {
    const r = new Recording();
    const entry = { its: 0, EventID: 3, valid: 1, INTID: 8201, ICID: 1 };
    r.add('msi.write', NO_PE, msi);
    r.add('ite.read', NO_PE, { ...entry, inttype: 1 });
    r.add('msi.write', NO_PE, msi);
    r.add('ite.read', NO_PE, { ...entry, inttype: 0, INTID: 8192, vPEID: 1 });
    r.add('msi.write', NO_PE, msi);
    r.add('ite.read', NO_PE, { ...entry, valid: 0 });
    r.add('msi.write', NO_PE, msi);
    r.add('dte.read', NO_PE, { its: 0, DeviceID: 0x10, valid: 0 });
    expect(answer(r, `${MSI} ORDER BY record`)).toEqual([
      [0x10, 3, 8201, 0, null, null],
      [0x10, 3, 8192, 1, null, null],
      [0x10, 3, null, null, null, 'event-unmapped'],
      [0x10, 3, null, null, null, 'device-unmapped'],
    ]);
  });

  test('entries of another event, or after the next stimulus, say nothing of it', () => {
    const r = new Recording();
    r.add('msi.write', NO_PE, msi);
    r.add('ite.read', NO_PE, { its: 0, EventID: 4, valid: 1, inttype: 1, INTID: 8201 });
    r.wire(0, 27, 1);
    r.add('ite.read', NO_PE, { its: 0, EventID: 3, valid: 1, inttype: 1, INTID: 8201 });
    expect(answer(r, 'SELECT INTID FROM msis')).toEqual([[null]]);
  });
});

describe('its_commands', () => {
  test('operands that the source does not show, and outcomes it does not tell, are null', () => {
    const r = new Recording();
    r.command('MAPTI', { DeviceID: 8, EventID: 2, pINTID: 8194, ICID: 1 }, { shown: 0b0111, index: 5 });
    r.command('SYNC', { RDbase: 1 }, { shown: 0 });
    r.batch.flags[1] = RECORD_FLAGS.valueUnknown;
    expect(
      answer(
        r,
        'SELECT record, its, slot, op, DeviceID, EventID, pINTID, ICID, RDbase, outcome FROM its_commands ORDER BY record',
      ),
    ).toEqual([
      [0, 0, 5, 'MAPTI', 8, 2, 8194, null, null, 'EXECUTED'],
      [1, 0, 0, 'SYNC', null, null, null, null, null, null],
    ]);
  });

  test('a command that was refused maps nothing', () => {
    const r = new Recording();
    r.command('MAPTI', { DeviceID: 8, EventID: 2, pINTID: 8194 }, { outcome: 0x010a01 });
    expect(answer(r, 'SELECT count(*) FROM mappings')).toEqual([[0]]);
  });
});

describe('faults', () => {
  test('one on the way leaves the database that was there, and nothing half-made', () => {
    const path = folder.path('kept.db');
    const r = new Recording();
    r.wire(0, 27, 1);
    loadTraces(path, [r.source()]);
    const before = readFileSync(path);
    const broken: LoadSource = {
      ...r.source(),
      batches: (function* () {
        yield { batch: r.batch, first: 0 };
        throw new Error('torn');
      })(),
    };
    expect(() => loadTraces(path, [broken])).toThrow('torn');
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  test("a file that is not ours is not replaced, nor is a folder; a folder that is not there is the caller's", () => {
    const foreign = folder.path('letter.txt');
    writeFileSync(foreign, 'Dear reader, '.repeat(20));
    for (const path of [foreign, folder.path(''), folder.path('no/such/folder.db')])
      expect(() => loadTraces(path, [])).toThrow(
        expect.objectContaining({ name: 'GicTraceError', code: 'usage' }),
      );
    expect(readFileSync(foreign, 'utf8')).toMatch(/^Dear reader/);
  });
});
