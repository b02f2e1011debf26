// Asking: read-only for certain, faults on one line, functions that never fail, formats that lose nothing, and
// views whose documentation is what they are.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Answer,
  type Cell,
  cellText,
  EXAMPLES,
  FUNCTIONS,
  loadTraces,
  QueryDatabase,
  sqlReference,
  toCsv,
  toJson,
  VIEWS,
} from '../index.ts';
import { Recording, scratch } from '../testing/synthetic.ts';

const folder = scratch();
const path = folder.path('asked.db');
let db: QueryDatabase;
beforeAll(() => {
  const r = new Recording().setUp(0);
  r.wire(0, 27, 1);
  r.sysreg('read', 0, 'ICC_IAR1_EL1', 27);
  r.command('MAPTI', { DeviceID: 8, EventID: 2, pINTID: 8194 });
  loadTraces(path, [r.source()]);
  db = new QueryDatabase(path);
});
afterAll(() => {
  db.close();
  folder.dispose();
});

function fault(act: () => unknown): GicTraceError {
  try {
    act();
  } catch (error) {
    if (error instanceof GicTraceError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
const first = (sql: string) => [...db.ask(sql).rows][0]!;
const answerOf = (columns: string[], rows: Cell[][]): Answer => ({ columns, rows });

describe('read-only', () => {
  test.each([
    'DELETE FROM t_traces',
    'DELETE FROM t_traces RETURNING trace',
    'CREATE TEMP TABLE t(x)',
    'BEGIN',
    "ATTACH ':memory:' AS other",
    "/* now */ -- then\n ATTACH ':memory:' AS other",
    'PRAGMA query_only = OFF',
    '/**/PRAGMA query_only(0)',
    'PRAGMA user_version',
    'VACUUM',
  ])('%s is refused', (sql) => {
    expect(fault(() => [...db.ask(sql).rows]).code).toBe('usage');
  });

  test('VACUUM INTO writes no file', () => {
    const copy = folder.path('copy.db');
    expect(fault(() => [...db.ask(`/**/VACUUM INTO '${copy}'`).rows]).code).toBe('usage');
    expect(existsSync(copy)).toBe(false);
  });

  test.each([
    '',
    '-- nothing',
    'SELECT 1; SELECT 2',
    'SELEC 1',
    'SELECT * FROM nothing',
    'SELECT abs(-9223372036854775808)',
  ])('«%s» is one line of fault', (sql) => {
    const { code, line } = fault(() => [...db.ask(sql).rows]);
    expect(code).toBe('usage');
    expect(line).toMatch(/^SQL: [^\n]+$/);
  });

  test('SELECT, WITH, VALUES and EXPLAIN are answered', () => {
    for (const sql of ['SELECT 1', 'WITH x AS (SELECT 1) SELECT * FROM x', 'VALUES (1)', 'EXPLAIN SELECT 1'])
      expect([...db.ask(sql).rows].length).toBeGreaterThan(0);
  });
});

describe('files', () => {
  test('that are not there, not a database, or not ours', () => {
    const text = folder.path('text.db');
    writeFileSync(text, 'not a database '.repeat(20));
    const empty = folder.path('empty.db');
    writeFileSync(empty, '');
    for (const name of [folder.path('none.db'), text, empty, folder.path('')])
      expect(fault(() => new QueryDatabase(name))).toMatchObject({ code: 'input', place: { path: name } });
  });

  test('cut or damaged anywhere: a fault of the input, or an answer', () => {
    const whole = readFileSync(path);
    const at = fc.integer({ min: 0, max: whole.length - 1 });
    const damaged = folder.path('damaged.db');
    const ask = () => {
      const copy = new QueryDatabase(damaged);
      try {
        for (const view of VIEWS) for (const _ of copy.ask(`SELECT * FROM "${view.name}"`).rows);
      } finally {
        copy.close();
      }
    };
    const check = () => {
      try {
        ask();
      } catch (error) {
        expect(error).toBeInstanceOf(GicTraceError);
      }
    };
    fc.assert(
      fc.property(at, (size) => {
        writeFileSync(damaged, whole.subarray(0, size));
        expect(fault(ask).code).toBe('input');
      }),
      { numRuns: 20 },
    );
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 255 }), (place, mask) => {
        const bytes = Buffer.from(whole);
        bytes[place]! ^= mask;
        writeFileSync(damaged, bytes);
        check();
      }),
      { numRuns: 30 },
    );
  });

  test('a database of another version says so', () => {
    const bytes = Buffer.from(readFileSync(path));
    bytes.writeUInt32BE(99, 60);
    const other = folder.path('other.db');
    writeFileSync(other, bytes);
    expect(fault(() => new QueryDatabase(other)).line).toMatch(/version 99.*load the traces again/);
  });
});

describe('functions', () => {
  test('gic_hex is unsigned, exact and padded', () => {
    expect(first('SELECT gic_hex(-1), gic_hex(9007199254740993), gic_hex(5, 8), gic_hex(0)')).toEqual([
      '0xffffffffffffffff',
      '0x20000000000001',
      '0x00000005',
      '0x0',
    ]);
  });

  test('registers, system registers and commands by name', () => {
    expect(
      first("SELECT gic_register('GICD', 4), gic_register('GICR', 0x10100), gic_register('GICD', 0xfff0)"),
    ).toEqual(['GICD_TYPER', 'GICR_ISENABLER0', 'GICD_CIDR0']);
    expect(first("SELECT gic_decode('GICD', 0, 0x13), gic_sysreg_decode('ICC_IAR1_EL1', 27)")).toEqual([
      expect.stringContaining('EnableGrp0'),
      'INTID=27',
    ]);
    expect(first('SELECT gic_command(dw0, dw1, dw2, dw3) FROM k_its_command')).toEqual([
      'MAPTI DeviceID 0x8 EventID 0x2 pINTID 8194 ICID 0x0',
    ]);
    expect(first('SELECT gic_sysreg(register) FROM k_sysreg_read')).toEqual(['ICC_IAR1_EL1']);
  });

  test('a name that is no system register has no fields', () => {
    expect(first("SELECT gic_sysreg_decode('toString', 1), gic_sysreg_decode('GICD_CTLR', 1)")).toEqual([
      null,
      null,
    ]);
  });

  test('whatever they are given, they answer', () => {
    const argument = fc.oneof(
      fc.constantFrom('NULL', "x'00ff'", '9e999', '-9e999', "'toString'", "'GICD'", "'0x'", '1e300'),
      fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }).map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x.toExponential()),
    );
    const arity = {
      gic_hex: 2,
      gic_register: 2,
      gic_decode: 3,
      gic_intid: 1,
      gic_sysreg: 1,
      gic_sysreg_decode: 2,
      gic_command: 4,
    };
    const documented = Object.keys(FUNCTIONS).map((call) => call.slice(0, call.indexOf('(')));
    expect(Object.keys(arity).sort()).toEqual(documented.sort());
    const call = fc
      .constantFrom(...Object.entries(arity))
      .chain(([name, n]) =>
        fc.array(argument, { minLength: n, maxLength: n }).map((a) => `${name}(${a.join(', ')})`),
      );
    fc.assert(
      fc.property(call, (sql) => {
        const value = first(`SELECT ${sql}`)[0];
        expect(value === null || typeof value === 'string').toBe(true);
      }),
    );
  });
});

describe('formats', () => {
  const cell: fc.Arbitrary<Cell> = fc.oneof(
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.string(),
    fc.constantFrom('a,b', 'say "x"', 'two\r\nlines', ''),
  );
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.tuple(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: width, maxLength: width }),
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 5 }),
      ),
    );

  test('CSV can be read back (RFC 4180)', () => {
    fc.assert(
      fc.property(table, ([columns, rows]) => {
        const text = [...toCsv(answerOf(columns, rows))].join('');
        const expected = [
          columns,
          ...rows.map((row) => row.map((value) => (value === null ? '' : `${value}`))),
        ];
        expect(readCsv(text)).toEqual(expected);
      }),
    );
  });

  test('JSON is valid and loses no digit', () => {
    fc.assert(
      fc.property(table, ([columns, rows]) => {
        const read = JSON.parse([...toJson(answerOf(columns, rows))].join('')) as Record<string, unknown>[];
        expect(
          read.map((row) => columns.map((name) => (row[name] === null ? null : `${row[name]}`))),
        ).toEqual(rows.map((row) => row.map((value) => (value === null ? null : `${value}`))));
      }),
    );
    expect([...toJson(answerOf(['n'], [[2n ** 53n + 1n], [7n]]))].join('')).toBe(
      '[\n{"n":"9007199254740993"},\n{"n":7}\n]\n',
    );
  });

  test('a null and a blob have a text', () => {
    expect([cellText(null), cellText(Uint8Array.of(0, 255))]).toEqual(['-', '0x00ff']);
  });
});

describe('views', () => {
  test('document exactly the columns that they have', () => {
    for (const view of VIEWS)
      expect([view.name, ...db.ask(`SELECT * FROM "${view.name}"`).columns]).toEqual([
        view.name,
        ...Object.keys(view.columns),
      ]);
  });

  test('keep the names and columns that people were promised', () => {
    const promised = {
      traces: 'trace',
      stimuli: 'trace record time_ns pe kind line rule',
      mmio: 'trace record time_ns pe frame instance register offset width value direction',
      sysregs: 'trace record time_ns pe register value direction',
      its_commands: 'trace record time_ns its op DeviceID EventID pINTID vINTID ICID RDbase vPEID outcome',
      msis: 'trace record time_ns its DeviceID EventID INTID pe outcome',
      events: 'trace record time_ns pe kind INTID',
      hppi: 'trace record time_ns pe INTID',
      interrupts: 'trace INTID pe asserted pended signalled acknowledged eoi deactivated latency_ns',
      mappings: 'trace its DeviceID EventID INTID ICID pe from_record to_record',
    };
    for (const [view, columns] of Object.entries(promised))
      expect(db.ask(`SELECT ${columns.split(' ').join(', ')} FROM ${view}`).columns).toHaveLength(
        columns.split(' ').length,
      );
  });

  test('and examples are answered, and are in the reference', () => {
    const reference = sqlReference();
    for (const { name } of VIEWS) expect(reference).toContain(`## ${name}\n`);
    for (const { sql } of EXAMPLES) {
      expect(() => [...db.ask(sql).rows]).not.toThrow();
      expect(reference).toContain(sql);
    }
  });
});

/** A reader of RFC 4180 that shares nothing with the writer. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  let row: string[] = [];
  for (let m = field.exec(text); m !== null; m = field.exec(text)) {
    row.push(m[1] === undefined ? m[2]! : m[1].replaceAll('""', '"'));
    if (m[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
    if (field.lastIndex === text.length) break;
  }
  return rows;
}
