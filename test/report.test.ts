// Reports of recordings, read as the page reads them: every row is held against the views of the database, every time
// against the records.
import { readFileSync } from 'node:fs';
import { answerLines, diffTraces, loadTraces, QueryDatabase, reportTraces, why } from '@gictrace/query';
import { TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filterLog, logOrder } from '../packages/query/page/listing.js';
import { lowerBound } from '../packages/query/page/lod.js';
import { sqlTables } from '../packages/query/page/sqltables.js';
import { NONE, STEPS } from '../packages/query/src/report/facts.ts';
import { type ReadReport, readReport } from './report-data.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

type Row = (number | string | null)[];
const byText = (rows: Row[]) => rows.map((row) => row.join(' ')).sort();
const orNull = (n: number) => (n === NONE ? null : n);
const golden = (name: string) => `goldens/scenarios/${name}.golden.gictrace`;

describe.each(['its-trigger', 'linux-gicv3-plugin-head', 'linux-gicv4-kvm'])('%s', (name) => {
  const path = temp.path(`${name}.gictrace`);
  const page = temp.path(`${name}.html`);
  let report: ReadReport;
  let db: QueryDatabase;
  let summary: ReturnType<typeof reportTraces>;
  const options = {
    version: 'test',
    verdict: (trace: string) => replayTrace(trace, { version: 'test' }),
  };

  beforeAll(async () => {
    await imported(recording(`${name}.log.gz`), path);
    const reader = TraceReader.open(path);
    const file = temp.path(`${name}.db`);
    loadTraces(file, [
      {
        name,
        header: reader.header,
        contentDigest: null,
        semanticDigest: null,
        batches: reader.batches(),
      },
    ]);
    reader.close();
    db = new QueryDatabase(file);
    summary = reportTraces([path], page, options);
    report = await readReport(page);
  }, 120_000);
  afterAll(() => db?.close());

  const rows = (sql: string): Row[] =>
    [...db.ask(sql).rows].map((row) =>
      row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : (cell as Row[number]))),
    );
  const model = () => report.models[0]!;
  const recordOf = (moment: number) => (moment === NONE ? null : model().moments.record![moment]!);

  it('says why, as gictrace why does, and names its records', async () => {
    const page = temp.path(`${name}-why.html`);
    const [[intid], [device]] = [
      rows('SELECT INTID FROM interrupts GROUP BY INTID ORDER BY count(*) DESC LIMIT 1')[0]!,
      rows('SELECT coalesce(min(DeviceID), 99) FROM mappings')[0]!,
    ] as [[number], [number]];
    const asked = [{ intid }, { device }];
    reportTraces([path], page, { version: 'test', why: asked });
    const reader = TraceReader.open(path);
    const source = {
      config: reader.header.config,
      records: reader.records,
      batches: (from?: number) => reader.batches(from),
    };
    const answers = asked.map((question) => why(source, question));
    reader.close();
    const { models } = await readReport(page);
    const { facts, moments } = models[0]!;
    expect(facts.why.map(({ subject, headline }) => `${subject}: ${headline}`)).toEqual(
      answers.map((one) => answerLines(one)[0]),
    );
    const named = new Set(moments.record);
    for (const [k, { way, cause }] of facts.why.entries()) {
      expect(way.map(({ stage, state, record }) => [stage, state, record])).toEqual(
        answers[k]!.way.map(({ stage, state, at }) => [stage, state, at?.record ?? null]),
      );
      expect(cause?.record).toBe(answers[k]!.finding?.cause?.record);
      for (const { record } of way) if (record !== null) expect(named.has(record)).toBe(true);
      if (cause !== null) expect(named.has(cause.record)).toBe(true);
    }
    expect(facts.why[0]!.way.length).toBeGreaterThan(2);
    expect(model().facts.why).toEqual([]);
  });

  it('lives are the rows of interrupts and vinterrupts', () => {
    const { lives, facts } = model();
    const own = Array.from(
      { length: model().count },
      (_, i): Row => [
        lives.virtual![i]!,
        lives.intid![i]!,
        orNull(lives.pe![i]!),
        facts.strings[lives.cause![i]!]!,
        ...STEPS.map((_step, k) => recordOf(model().step(i, k))),
        facts.strings[lives.outcome![i]!]!,
      ],
    );
    const wanted = rows(
      `SELECT 0, INTID, pe, coalesce(cause, 'unknown'), asserted, pended, NULL, signalled, acknowledged, eoi, deactivated, withdrawn, outcome FROM interrupts
       UNION ALL SELECT 1, vINTID, pe, coalesce(cause, 'unknown'), NULL, pended, doorbell, signalled, acknowledged, eoi, NULL, withdrawn, outcome FROM vinterrupts`,
    );
    expect(byText(own)).toEqual(byText(wanted));
    expect(summary.wrote.lives).toBe(wanted.length);
    expect(facts.lives.reduce((sum, one) => sum + one.n, 0)).toBe(wanted.length);
  });

  it('times are those that the records tell, and never go back where they are shown', () => {
    const { moments, timeNs } = model();
    const told = new Map<number, number>();
    const lines = new Map<number, number>();
    const reader = TraceReader.open(path);
    for (const { batch, first } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        told.set(first + i, batch.timeNs[i]!);
        lines.set(first + i, batch.line[i]!);
      }
    reader.close();
    moments.record!.forEach((record, k) => {
      expect(model().told(k)).toBe(told.get(record));
      expect(moments.line![k]).toBe(lines.get(record));
      if (k > 0) expect(timeNs[k]! >= timeNs[k - 1]! && record > moments.record![k - 1]!).toBe(true);
    });
    expect(moments.record!.at(-1)).toBe(report.facts.traces[0]!.records - 1);
  });

  it('MSIs, commands and mappings are the rows of their views', () => {
    const { msis, commands, mappings, facts } = model();
    const event = (k: number): number[] => [...facts.events[k]!];
    const string = (k: number) => (k === NONE ? null : facts.strings[k]!);
    expect(
      byText(
        Array.from(
          msis.at!,
          (at, i): Row => [
            ...[recordOf(at), ...event(msis.event![i]!), orNull(msis.intid![i]!), orNull(msis.virtual![i]!)],
            ...[orNull(msis.pe![i]!), string(msis.outcome![i]!)],
          ],
        ),
      ),
    ).toEqual(
      byText(
        rows(
          "SELECT record, its, DeviceID, EventID, INTID, virtual, CASE WHEN pe < 0 THEN NULL ELSE pe END, coalesce(outcome, 'unknown') FROM msis",
        ),
      ),
    );
    expect(
      byText(
        Array.from(
          commands.at!,
          (at, i): Row => [
            ...[recordOf(at), commands.its![i]!, commands.slot![i]!],
            ...[string(commands.op![i]!), string(commands.outcome![i]!)],
          ],
        ),
      ),
    ).toEqual(byText(rows("SELECT record, its, slot, op, coalesce(outcome, 'unknown') FROM its_commands")));
    expect(
      byText(
        Array.from(
          mappings.event!,
          (of, i): Row => [
            ...[
              ...event(of),
              ...[mappings.intid!, mappings.virtual!, mappings.icid!, mappings.vpe!, mappings.pe!].map(
                (column) => orNull(column[i]!),
              ),
            ],
            ...[
              recordOf(mappings.from![i]!),
              recordOf(mappings.to![i]!),
              string(mappings.by![i]!),
              string(mappings.endedBy![i]!),
            ],
          ],
        ),
      ),
    ).toEqual(
      byText(
        rows(
          'SELECT its, DeviceID, EventID, INTID, virtual, ICID, vPEID, pe, from_record, to_record, made_by, ended_by FROM mappings',
        ),
      ),
    );
    const counted = facts.commands.map((one): Row => [one.op, one.outcome, one.n]);
    expect(byText(counted)).toEqual(
      byText(rows("SELECT op, coalesce(outcome, 'unknown'), count(*) FROM its_commands GROUP BY 1, 2")),
    );
  });

  it('accesses are the rows of mmio and sysregs, with their values', () => {
    const { accesses, facts } = model();
    const string = (k: number) => facts.strings[k]!;
    const own = Array.from(accesses.at!, (at, i): Row => {
      const how = string(accesses.how![i]!);
      const value = model().accessValue(i);
      expect(value === null).toBe(how === 'read, value unknown');
      const frame = string(accesses.frame![i]!);
      // The name has the bits if not all of the register is accessed; a reserved location has an offset.
      const register = string(accesses.register![i]!).replace(/\[\d+:\d+\]$/, '');
      return [
        recordOf(at),
        orNull(accesses.pe![i]!),
        how.replace(/,.*/, ''),
        frame === 'system registers' ? null : frame,
        orNull(accesses.instance![i]!),
        register.includes('+0x') ? null : register,
        value,
      ];
    });
    expect(byText(own)).toEqual(
      byText(
        rows(
          `SELECT record, pe, direction, frame, instance, register, gic_hex(value) FROM mmio
          UNION ALL SELECT record, pe, direction, NULL, NULL, register, gic_hex(value) FROM sysregs`,
        ),
      ),
    );
  });

  it('the list of accesses and commands has all of them in order, and those with all words of its filter', () => {
    const own = model();
    const { accesses, commands, facts } = own;
    const n = accesses.at!.length;
    const order = logOrder(own);
    const moments = Array.from(order, (code) => (code < n ? accesses.at![code]! : commands.at![code - n]!));
    expect(new Set(order).size).toBe(n + commands.at!.length);
    expect(moments).toEqual(moments.toSorted((a, b) => a - b));
    const texts = Array.from(order, (code) =>
      code < n
        ? [accesses.register, accesses.how, accesses.frame]
            .map((column) => facts.strings[column![code]!])
            .join(' ')
        : `command ${facts.strings[commands.text![code - n]!]} ${facts.strings[commands.outcome![code - n]!]}`,
    );
    const third = Math.floor(own.end / 3);
    for (const [text, pattern] of [
      ['', /^/],
      ['GICD', /GICD/],
      ['write gicr', /GICR.* write|write.*GICR/],
      ['MAPTI', /MAPTI/],
      ['command', /^command/],
      ['no such word', /^(?!)/],
    ] as const)
      for (const [from, to] of [
        [0, own.end + 1],
        [third, 2 * third],
      ] as const)
        expect(Array.from(filterLog(own, order, text, from, to))).toEqual(
          Array.from(order).filter(
            (_, k) => pattern.test(texts[k]!) && moments[k]! >= from && moments[k]! < to,
          ),
        );
    const some = Array.from(order).find((code) => code < n && own.accessValue(code) !== null);
    if (some === undefined) return;
    const value = own.accessValue(some)!;
    expect(Array.from(filterLog(own, order, value, 0, own.end + 1))).toEqual(
      Array.from(order).filter(
        (code, k) => texts[k]!.toLowerCase().includes(value) || (code < n && own.accessValue(code) === value),
      ),
    );
  });

  it('the tables for SQL have the rows of the views of a database', () => {
    /** Columns that the page has beside those of the view. */
    const OWN: Readonly<Record<string, readonly string[]>> = {
      interrupts: ['its', 'DeviceID', 'EventID'],
      vinterrupts: ['its', 'DeviceID', 'EventID', 'service_ns'],
      its_commands: ['command'],
    };
    const tables = sqlTables(model(), 1).filter(({ name }) => !['residencies', 'traces'].includes(name));
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'interrupts',
        'vinterrupts',
        'msis',
        'its_commands',
        'mmio',
        'sysregs',
        'findings',
      ]),
    );
    for (const { name, columns, rows: count, row } of tables) {
      const common = columns.filter((column) => !OWN[name]?.includes(column));
      const own = Array.from({ length: count }, (_, i) => {
        const cells = row(i);
        expect(cells).toHaveLength(columns.length);
        return common.map((column) => cells[columns.indexOf(column)]);
      });
      // A message to a vPE that is not resident has PE -1 in the database, and none in the page.
      const asked = common.map((column) =>
        name === 'msis' && column === 'pe' ? 'CASE WHEN pe < 0 THEN NULL ELSE pe END' : column,
      );
      const wanted = [...db.ask(`SELECT ${asked.join(', ')} FROM ${name}`).rows];
      expect(own.map((cells) => cells.join(' ')).sort(), name).toEqual(
        wanted.map((cells) => cells.join(' ')).sort(),
      );
    }
  });

  it('distributions are those of latency_ns and service_ns', () => {
    const { distributions } = report.facts.traces[0]!;
    const classes: Readonly<Record<string, string>> = {
      SGI: 'interrupts WHERE INTID < 16',
      PPI: 'interrupts WHERE INTID BETWEEN 16 AND 31',
      SPI: 'interrupts WHERE INTID BETWEEN 32 AND 1019',
      LPI: 'interrupts WHERE INTID >= 8192',
    };
    let tested = 0;
    for (const [of, from] of Object.entries(classes))
      for (const [measure, column] of [
        ['wait', 'latency_ns'],
        ['service', 'service_ns'],
      ] as const) {
        const values = rows(`SELECT ${column} FROM ${from} AND ${column} IS NOT NULL`)
          .map(([ns]) => ns as number)
          .sort((a, b) => a - b);
        const found = distributions.find((one) => one.class === of && one.measure === measure);
        expect(found?.count ?? 0).toBe(values.length);
        if (values.length === 0) continue;
        tested++;
        const rank = (p: number) => values[Math.max(0, Math.ceil(p * values.length) - 1)];
        expect(found).toMatchObject({ min: values[0], p50: rank(0.5), p99: rank(0.99), max: values.at(-1) });
      }
    expect(tested).toBeGreaterThan(name === 'its-trigger' ? -1 : 2);
  });

  it('an LPI that a message pended is of the event of that message', () => {
    const { lives, facts } = model();
    const messages = new Map(
      rows('SELECT record, its, DeviceID, EventID FROM msis').map(([at, ...of]) => [at, of.join()]),
    );
    let found = 0;
    for (let i = 0; i < model().count; i++) {
      const pended = recordOf(model().step(i, 1));
      if (facts.strings[lives.cause![i]!] !== 'msi') continue;
      found++;
      expect(facts.events[lives.event![i]!]?.join()).toBe(messages.get(pended));
    }
    expect(found).toBe(
      rows(
        "SELECT (SELECT count(*) FROM interrupts WHERE cause = 'msi') + (SELECT count(*) FROM vinterrupts WHERE cause = 'msi')",
      )[0]![0],
    );
  });

  it('the verdict is that of a replay, findings those of the database', () => {
    const [facts] = report.facts.traces;
    expect(facts!.verdict).toEqual(JSON.parse(JSON.stringify(options.verdict(path))));
    expect(facts!.findings.map((one): Row => [one.rule, one.record])).toEqual(
      rows('SELECT rule, record FROM findings ORDER BY record, rule'),
    );
  });

  it('the same trace gives the same bytes, without a machine path', () => {
    const again = temp.path(`${name}.again.html`);
    reportTraces([path], again, options);
    expect(readFileSync(again).equals(readFileSync(page))).toBe(true);
    expect(JSON.stringify(report.facts)).not.toContain(temp.path(''));
  });

  it('a window or a bound leaves out details, counts them and nothing else', async () => {
    const all = report.facts.traces[0]!;
    const part = temp.path(`${name}.part.html`);
    // Exactly where a life begins: it is not of the window.
    const { lives, moments } = model();
    const to = moments.record![lives.first![Math.floor(model().count / 2)]!]!;
    const from = Math.floor(to / 2);
    reportTraces([path], part, { ...options, from, to });
    const { facts, models } = await readReport(part);
    expect(facts.traces[0]).toMatchObject({
      window: [from, to],
      lives: all.lives,
      distributions: all.distributions,
    });
    const own = models[0]!;
    for (let i = 0; i < own.count; i++) {
      const last = own.goesOn(i) ? all.records : own.moments.record![own.lastOf[i]!]!;
      expect(own.moments.record![own.lives.first![i]!]! < to && last >= from).toBe(true);
    }
    const bounded = temp.path(`${name}.bounded.html`);
    const { leftOut, wrote } = reportTraces([path], bounded, { ...options, rowsMax: 2 });
    expect(wrote.accesses! + (leftOut.accesses ?? 0)).toBe(summary.wrote.accesses);
    expect(wrote.lives! + (leftOut.lives ?? 0)).toBe(summary.wrote.lives);
    expect(wrote.lives).toBe(Math.min(2, summary.wrote.lives!));
    expect((await readReport(bounded)).facts.traces[0]!.lives).toEqual(all.lives);
  });
});

describe('two traces', () => {
  const [a, b] = [golden('lost-doorbell/vpe-naive'), golden('lost-doorbell/vpe-proxy')];
  const page = temp.path('two.html');
  let report: ReadReport;
  beforeAll(async () => {
    expect(reportTraces([a, b], page, { version: 'test' }).same).toBe(false);
    report = await readReport(page);
  });

  it('have the comparison of diff, without times of this machine', () => {
    const { readMs: _read, alignMs: _align, ...diff } = diffTraces(a, b);
    const { classes: _classes, ...own } = report.facts.diff!;
    expect(own).toEqual({
      ...diff,
      a: { ...diff.a, path: 'vpe-naive.golden.gictrace' },
      b: { ...diff.b, path: 'vpe-proxy.golden.gictrace' },
    });
  });

  it('have a mark at each record that differs', () => {
    const names = Object.keys(report.facts.diff!.classes);
    for (const [k, model] of report.models.entries()) {
      const wanted: string[] = [];
      diffTraces(a, b, {
        row: (row) => {
          const record = k === 0 ? row.a : row.b;
          if (record !== null && row.class !== 'same' && row.class !== 'unknown')
            wanted.push(`${record} ${row.class} ${row.subject.text}`);
        },
      });
      const { at, class: of, subject } = model.differences;
      const own = Array.from(
        at!,
        (moment, i) =>
          `${model.moments.record![moment]} ${names[of![i]!]} ${model.facts.strings[subject![i]!]}`,
      );
      expect(own.sort()).toEqual(wanted.sort());
      expect(own.length).toBeGreaterThan(0);
    }
  });

  it('are aligned by pairs of equal records, which rise on both sides', () => {
    const pairs = new Map<number, number>();
    diffTraces(a, b, {
      row: (row) => {
        if (row.class === 'same') pairs.set(row.a!, row.b!);
      },
    });
    const { a: ofA, b: ofB } = report.anchors!;
    expect(ofA!.length).toBeGreaterThan(pairs.size / 2);
    const model = report.models[1]!;
    model.alignTo(ofB!, ofA!);
    const places = model.places.aligned!;
    places.forEach((place, k) => {
      expect(k === 0 || place >= places[k - 1]!).toBe(true);
    });
    ofA!.forEach((record, k) => {
      expect(ofB![k]).toBe(pairs.get(record));
      expect(k === 0 || (record > ofA![k - 1]! && ofB![k]! > ofB![k - 1]!)).toBe(true);
      const moment = lowerBound(model.moments.record!, ofB![k]!);
      if (model.moments.record![moment] === ofB![k]) expect(places[moment]).toBe(record);
    });
  });

  it('that are the same are said to be', async () => {
    const same = temp.path('same.html');
    expect(reportTraces([a, a], same, { version: 'test' }).same).toBe(true);
    const { facts, models } = await readReport(same);
    expect(facts.diff!.same).toBe(true);
    expect(models[0]!.differences.at).toHaveLength(0);
  });
});
