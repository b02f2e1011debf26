// The library of modules: documented as it is, each example is answered, and percentiles and counts are those of a plain
// calculation over the rows of `interrupts`.
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Cell, loadTraces, MODULES, QueryDatabase, sqlReference } from '../../index.ts';
import { generated } from '../../testing/generated.ts';
import { Recording, scratch } from '../../testing/synthetic.ts';

const folder = scratch();
afterAll(() => folder.dispose());

/** Loads traces and asks. */
function asked(sources: Parameters<typeof loadTraces>[1], ...sqls: string[]): Cell[][][] {
  const path = folder.path('asked.db');
  loadTraces(path, sources);
  const db = new QueryDatabase(path);
  try {
    return sqls.map((sql) =>
      [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell))),
    );
  } finally {
    db.close();
  }
}

describe('each module', () => {
  const path = folder.path('library.db');
  loadTraces(path, [
    generated('architecture', { architecture: 4, virtualLpis: '4.0' }, 1, 800).source,
    generated('qemu-virt', {}, 2, 800).source,
  ]);
  const db = new QueryDatabase(path);
  afterAll(() => db.close());

  it.each(MODULES.map((one) => [one.name, one] as const))(
    '%s has the columns that it documents',
    (name, module) => {
      expect(db.ask(`SELECT * FROM "${name}"`).columns).toEqual(Object.keys(module.columns));
      for (const doc of [module.doc, module.question, ...Object.values(module.columns)])
        expect(doc.trim().length).toBeGreaterThan(1);
      for (const _ of db.ask(`SELECT * FROM "${name}"`).rows);
    },
  );

  it.each(MODULES.map((one) => [one.name, one.example] as const))(
    '%s: its example is answered',
    (_name, example) => {
      expect(db.ask(example).columns.length).toBeGreaterThan(0);
      for (const _ of db.ask(example).rows);
    },
  );

  it('is in the reference', () => {
    const reference = sqlReference();
    for (const { name, doc, example } of MODULES) {
      expect(reference).toContain(`### ${name}\n\n${doc}`);
      expect(reference).toContain(example);
    }
  });
});

const PHASES: readonly (readonly [string, number, number])[] = [
  ['arbitration', 0, 1],
  ['response', 1, 2],
  ['queueing', 0, 2],
  ['service', 2, 3],
  ['deactivation', 3, 4],
];

describe('latency_percentiles', () => {
  /** Lives of one timer on one PE: five moments each, in nanoseconds from the one before. */
  const life = fc.tuple(...[1, 2, 3, 4].map(() => fc.integer({ min: 1, max: 1_000_000 })));

  it('are nearest ranks of the times that interrupts took', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(life, fc.boolean()), { minLength: 1, maxLength: 40 }), (lives) => {
        const r = new Recording().setUp(0);
        const expected: (number | null)[] = [];
        let now = 1_000_000;
        const at = (record: number, isTold: boolean) => {
          r.batch.timeNs[record] = isTold ? now : Number.NaN;
        };
        for (const [[wait, service, pause], isTold] of lives) {
          at(r.wire(0, 27, 1), true);
          now += wait!;
          at(r.sysreg('read', 0, 'ICC_IAR1_EL1', 27), isTold);
          at(r.wire(0, 27, 0), true);
          now += service!;
          at(r.sysreg('write', 0, 'ICC_EOIR1_EL1', 27), true);
          now += pause!;
          expected.push(isTold ? wait! : null);
        }
        const timed = expected.filter((one) => one !== null).sort((a, b) => a - b);
        // The least of the times that at least so many in a thousand do not exceed.
        const rank = (perMille: number) =>
          timed.find(
            (one) => 1000 * timed.filter((other) => other <= one).length >= perMille * timed.length,
          ) ?? null;
        const [rows] = asked(
          [r.source()],
          "SELECT n, untimed, p50_ns, p90_ns, p99_ns, p999_ns, max_ns FROM latency_percentiles WHERE phase = 'queueing'",
        );
        expect(rows).toEqual([
          [
            lives.length,
            lives.length - timed.length,
            rank(500),
            rank(900),
            rank(990),
            rank(999),
            timed.at(-1) ?? null,
          ],
        ]);
      }),
      { numRuns: 25 },
    );
  });

  it.each([1, 2, 3])('and the counts of lifecycle are those of interrupts, seed %i', (seed) => {
    const { source } = generated('architecture', {}, seed, 2500);
    const [lives, percentiles, counts] = asked(
      [source],
      'SELECT INTID, pe, pended, signalled, acknowledged, eoi, deactivated, pended_ns, signalled_ns, acknowledged_ns, eoi_ns, deactivated_ns, outcome, withdrawn_by, moved_to FROM interrupts',
      'SELECT INTID, pe, phase, n, untimed, max_ns FROM latency_percentiles WHERE vPEID IS NULL',
      "SELECT INTID, lives, pended, signalled, acknowledged, eoi, deactivated, complete, moved, deasserted, cleared, withdrawn_unknown, pending_at_end, active_at_end, no_eoi FROM lifecycle WHERE class NOT IN ('vLPI', 'list register')",
    );
    const expected = new Map<string, number[]>();
    for (const row of lives!)
      for (const [phase, from, to] of PHASES) {
        if (row[2 + from] === null || row[2 + to] === null) continue;
        const key = `${row[0]} ${row[1]} ${phase}`;
        const took =
          row[7 + from] === null || row[7 + to] === null
            ? Number.NaN
            : Number(row[7 + to]) - Number(row[7 + from]);
        expected.set(key, [...(expected.get(key) ?? []), took]);
      }
    const summary = (times: number[]) => {
      const timed = times.filter((one) => !Number.isNaN(one));
      return [times.length, times.length - timed.length, timed.length === 0 ? null : Math.max(...timed)];
    };
    expect(percentiles!.length).toBeGreaterThan(10);
    expect(
      new Map(percentiles!.map(([intid, pe, phase, ...rest]) => [`${intid} ${pe} ${phase}`, rest])),
    ).toEqual(new Map([...expected].map(([key, times]) => [key, summary(times)])));
    for (const [intid, total, pended, signalled, acknowledged, eoi, deactivated, ...ends] of counts!) {
      const own = lives!.filter(([of]) => of === intid);
      const seen = [2, 3, 4, 5, 6].map((k) => own.filter((row) => row[k] !== null).length);
      expect([total, pended, signalled, acknowledged, eoi, deactivated]).toEqual([own.length, ...seen]);
      expect(
        ends.reduce<number>((sum, one) => sum + Number(one), 0),
        `INTID ${intid}`,
      ).toBe(own.length);
    }
  });
});

describe('what a source lacks is null, and virtual interrupts are counted all the same', () => {
  const { source } = generated('architecture', { architecture: 4, virtualLpis: '4.0' }, 2, 2500);
  const lacking = (...missing: string[]): typeof source => ({
    ...source,
    header: { ...source.header, options: { missing } },
  });
  const COLUMNS = [
    'signalled',
    'acknowledged',
    'eoi',
    'deactivated',
    'complete',
    'moved',
    'deasserted',
  ].concat(['cleared', 'withdrawn_unknown', 'pending_at_end', 'active_at_end', 'no_eoi', 'coalesced']);
  const IS_PHYSICAL = "class NOT IN ('vLPI', 'list register')";
  const PHYSICAL = `SELECT ${COLUMNS.map((name) => `sum(${name})`).join(', ')} FROM lifecycle WHERE ${IS_PHYSICAL}`;
  const VIRTUAL = `SELECT * FROM lifecycle WHERE NOT ${IS_PHYSICAL} ORDER BY class, INTID, vPEID`;
  const OUTCOMES = (trace: number) =>
    `SELECT class = 'message' AS message, outcome, sum(n), count(delta) FROM outcomes_by_trace WHERE trace = ${trace} AND ${IS_PHYSICAL} GROUP BY 1, 2 ORDER BY 1, 2`;
  const COMMANDS = "SELECT op, n FROM commands_by_trace WHERE op <> 'unknown'";
  const [physical, virtual] = asked([source], PHYSICAL, VIRTUAL).map((rows) => rows as (number | null)[][]);

  it.each([
    [['acknowledges'], COLUMNS],
    [['ends'], ['eoi', 'deactivated', 'complete', 'active_at_end', 'no_eoi']],
    [['deactivations'], ['deactivated', 'complete', 'active_at_end']],
    [['MSIs'], ['coalesced']],
    [['commands'], []],
  ] as const)('%s', (missing, unknown: readonly string[]) => {
    const answers = asked([lacking(...missing)], PHYSICAL, VIRTUAL, COMMANDS);
    expect(physical![0]!.every((n) => n !== null)).toBe(true);
    expect(answers[0]).toEqual([physical![0]!.map((n, k) => (unknown.includes(COLUMNS[k]!) ? null : n))]);
    expect(virtual!.length).toBeGreaterThan(0);
    expect(answers[1]).toEqual(virtual);
    expect(answers[2]!.length).toBeGreaterThan(5);
    expect(answers[2]!.every(([, n]) => (n === null) === (missing[0] === 'commands'))).toBe(true);
  });

  it.each([
    [[], [16, 16]],
    [['acknowledges'], [1, 0]],
    [['MSIs'], [1, 0]],
  ] as const)('coalesced events of a source without %o', (missing, wanted) => {
    const [rows] = asked(
      [lacking(...missing)],
      'SELECT count(*), count(INTID) FROM coalesced WHERE virtual IS DISTINCT FROM 1',
    );
    expect(rows).toEqual([wanted]);
  });

  it.each([
    [['acknowledges'], /^0|^1 (pended|coalesced)$/],
    [['ends'], /^0 (complete|active at end|no EOI seen)$/],
    [['MSIs'], /^1/],
  ] as const)('outcomes beside those of another trace: %s', (missing, unknown) => {
    const [all, some] = asked([source, lacking(...missing)], OUTCOMES(1), OUTCOMES(2));
    expect(some!.some(([message, outcome]) => unknown.test(`${message} ${outcome}`))).toBe(true);
    expect(some!.map(([message, outcome, n, deltas]) => [message, outcome, n, Number(deltas) > 0])).toEqual(
      all!.map(([message, outcome, n]) =>
        unknown.test(`${message} ${outcome}`) ? [message, outcome, null, false] : [message, outcome, n, true],
      ),
    );
  });
});
