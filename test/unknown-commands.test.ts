// Commands of an ITS that a source does not show: logs of QEMU and runs of a driver with lines taken out, accesses alone.
// Nothing diverges and nothing is found because of them; they are counted; and a number changed in what is known diverges.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { VERSION } from '@gictrace/core';
import { Checker } from '@gictrace/core/check';
import { Guest } from '@gictrace/core/conformance';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { KIND, RecordBatch } from '@gictrace/core/record';
import { ITS_ERRORS } from '@gictrace/core/spec';
import { importJsonlToTrace, importToTrace, sourceFacts, TraceReader, TraceWriter } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const PPI = 27;
const LPI = 8192;
const UNKNOWN = 'ITS commands that the source does not show';
const COMMANDS = /gicv3_its_(process_command|cmd_)/;
const TABLES = /gicv3_its_[dci]te_/;
const STORES = /plugin_ram_store/;

const whole = (name: string) => gunzipSync(readFileSync(recording(`${name}.log.gz`))).toString('latin1');

/** A log without the lines that match any of the patterns. */
const without = (log: string, ...patterns: readonly RegExp[]) =>
  log
    .split('\n')
    .filter((line) => !patterns.some((pattern) => pattern.test(line)))
    .join('\n');

/** The trace at this path: its verdict, and what the checker says. */
function judged(path: string) {
  const reader = TraceReader.open(path);
  const checker = new Checker(reader.header.config, sourceFacts(reader.header));
  for (const { batch } of reader.batches()) checker.take(batch);
  reader.close();
  const findings = checker.finish().map(({ rule }) => rule);
  return { verdict: replayTrace(path), findings, unknownCommands: checker.unknownCommands };
}

/** Imports a log, and judges what it makes. */
async function ofLog(log: string) {
  const [file, trace] = [temp.path('log'), temp.path('trace')];
  writeFileSync(file, log);
  const report = await importToTrace(file, trace, { force: true });
  return { ...judged(trace), report };
}

interface Line {
  readonly kind?: string;
  readonly [field: string]: unknown;
}

/** A scenario as JSON lines of stimuli and observables. What a host restores in a migration is among the stimuli. */
async function scenarioLines(name: string, design = 'its'): Promise<Line[]> {
  const trace = temp.path(`${name}.${design}`.replaceAll('@', '-'));
  expect((await run('record', name, '-o', trace, '--on', design)).code).toBe(0);
  return linesOf(trace);
}

/** What a guest does, as JSON lines of stimuli and observables. */
function guestLines(act: (guest: Guest) => void): Promise<Line[]> {
  const trace = temp.path('guest');
  const config = configOf('architecture', PLAIN, 2);
  const guest = new Guest(config);
  const writer = new TraceWriter(
    trace,
    {
      writer: { name: 'gictrace', version: VERSION },
      config,
      clock: { name: 'none', unitNs: 1 },
      source: { kind: 'scenario', name: 'guest', provenance: {} },
      losses: [],
      seed: null,
      options: {},
    },
    { force: true },
  );
  const effect = new RecordBatch(1);
  guest.tap = (stimulus) => {
    writer.record(stimulus, 0);
    for (const { kind, pe, words } of guest.seen) {
      effect.clear();
      effect.push(KIND[kind], pe, Number.NaN);
      effect.words.set(words);
      writer.record(effect, 0);
    }
  };
  act(guest);
  writer.close({});
  return linesOf(trace);
}

/** A trace as JSON lines of stimuli and observables. */
async function linesOf(trace: string): Promise<Line[]> {
  const { out } = await run('dump', trace, '--json', '--header');
  const EVENTS =
    /^(op|mem\.(written|marked)|reg|lpi|irq|msi\.[td]|vlpi|vmsi|vpe|doorbell|memory|behaviour|wire\.changed)/;
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.kind === undefined || !EVENTS.test(line.kind))
    .map(({ caused_by: _cause, ...line }) => line);
}

/** Imports JSON lines, without kinds of observables that the header then does not name, and judges what they make. */
async function ofLines(lines: readonly Line[], kinds: readonly string[] = []) {
  const [file, trace] = [temp.path('lines'), temp.path('trace')];
  const seen = new Set(lines.map(({ kind }) => kind));
  const shows = [
    ...['hppi', 'vhppi', 'maintenance', 'its.command', 'sgi.sent'],
    ...['dte', 'cte', 'ite', 'vte'].flatMap((table) => [`${table}.read`, `${table}.write`]),
  ].filter((kind) => !kinds.includes(kind));
  expect(kinds.some((kind) => seen.has(kind)) || kinds.length === 0).toBe(true);
  const text = lines
    .filter(({ kind }) => kind === undefined || !kinds.includes(kind))
    .map((line) => JSON.stringify(line.kind === undefined && kinds.length > 0 ? { ...line, shows } : line));
  writeFileSync(file, `${text.join('\n')}\n`);
  await importJsonlToTrace(file, trace, { force: true });
  return judged(trace);
}

/** Lines without a part of the commands in the queue, and how many those are. */
function stripped(lines: readonly Line[], part: number, seed: number) {
  let x = seed;
  let count = 0;
  const rest = lines.filter(({ kind }) => {
    if (kind !== 'queue.write') return true;
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    if (x / 2 ** 32 >= part) return true;
    count++;
    return false;
  });
  return { rest, count };
}

describe('a log of QEMU without the lines about commands', () => {
  it.each(['all-events', 'two-cwriter-writes', 'lpi-disabled-then-inv', 'no-cpuif-events'])(
    '%s: the same, nothing found, each command counted',
    async (name) => {
      const log = whole(`small/${name}`);
      const executed = log.match(/process_command/g)!.length;
      for (const patterns of [[COMMANDS], [COMMANDS, TABLES]]) {
        const { verdict, findings, unknownCommands, report } = await ofLog(without(log, ...patterns));
        expect(verdict.first).toBeNull();
        expect(verdict.unknown[UNKNOWN]).toBe(executed);
        expect([findings, unknownCommands]).toEqual([[], executed]);
        expect(report.missing).toEqual(['commands']);
      }
    },
  );

  it('a boot of Linux: what does not hang on them is compared as before', async () => {
    const log = whole('linux-gicv3-plugin-head');
    const all = await ofLog(log);
    const stored = await ofLog(without(log, COMMANDS));
    expect([stored.verdict.diverged, stored.verdict.unknown[UNKNOWN]]).toEqual([0, undefined]);
    const bare = await ofLog(without(log, COMMANDS, STORES));
    expect(bare.verdict.first).toBeNull();
    expect([bare.findings, bare.unknownCommands]).toEqual([[], 16]);
    expect(bare.verdict.unknown[UNKNOWN]).toBe(16);
    for (const kind of ['sysreg.read', 'mmio.read'])
      expect(bare.verdict.compared[kind]).toBe(all.verdict.compared[kind]);
    expect(bare.verdict.compared.hppi).toBeGreaterThan(0.99 * all.verdict.compared.hppi!);
  });

  it('of some kinds of operands: from the tables where they are shown, else unknown, and not operands of zero', async () => {
    const log = without(whole('its-trigger'), /gicv3_its_cmd_mapti/);
    const executed = whole('its-trigger').match(/gicv3_its_cmd_mapti/g)!.length;
    const tables = await ofLog(log);
    expect([tables.verdict.diverged, tables.verdict.unknown[UNKNOWN]]).toEqual([0, undefined]);
    const bare = await ofLog(without(log, TABLES));
    expect([bare.verdict.diverged, bare.verdict.unknown[UNKNOWN]]).toEqual([0, executed]);
    expect((await run('dump', temp.path('trace'))).out).not.toMatch(/queue\.write .*pINTID 0x0\b/);
  });

  it.each([
    ['the first', 0x5],
    ['the last', 0x6],
  ])('%s of two commands that one write has executed', async (_which, slot) => {
    const lines = whole('small/all-events').split('\n');
    const at = lines.findIndex((line) => line.includes(`processing command at offset 0x${slot}:`));
    for (const patterns of [[], [TABLES]]) {
      const log = without(lines.toSpliced(at, 2).join('\n'), ...patterns);
      const { verdict, findings, unknownCommands } = await ofLog(log);
      expect([verdict.first, findings, unknownCommands]).toEqual([null, [], 1]);
      expect(verdict.compared['its.command']).toBe(6);
    }
  });

  it('a slot that was shown in an earlier round of the queue is unknown in the next one', async () => {
    const lines = whole('its-trigger').split('\n');
    // The last command, which a write of its own has executed: its lines are missing.
    const last = lines.findLastIndex((line) => line.includes('process_command'));
    const end = lines.findIndex((line, n) => n > last && /its_write.* 0x88 /.test(line));
    const kept = lines.filter((line, n) => n < last || n > end || !COMMANDS.test(line));
    const { verdict, unknownCommands } = await ofLog(kept.join('\n'));
    expect([verdict.diverged, unknownCommands]).toEqual([
      0,
      lines.slice(last, end).filter((line) => line.includes('process_command')).length,
    ]);
  });

  it('one number changed in what is known diverges', async () => {
    const log = without(whole('small/all-events'), COMMANDS, TABLES);
    const change = (from: string, to: string) => {
      expect(log).toContain(from);
      return log.replace(from, to);
    };
    for (const [from, to] of [['offset 0x90 data 0xe0', 'offset 0x90 data 0xc0']] as const)
      expect((await ofLog(change(from, to))).verdict.diverged, `${from} to ${to}`).toBeGreaterThan(0);
  });
});

describe('a run of a driver, its stores to the command queue taken out', () => {
  const TABLE_KINDS = ['dte.read', 'dte.write', 'cte.read', 'cte.write', 'ite.read', 'ite.write'];

  it.each([
    ['storm', 'its'],
    ['pending-move', 'its@qemu-virt'],
    ['offline', 'its@kvm'],
    ['doorbell-move', 'vpe-proxy'],
    ['doorbell-move', 'vpe-v41'],
  ])('%s on %s: the same, nothing found, each command counted', async (scenario, design) => {
    const lines = await scenarioLines(scenario, design);
    // The first seed of the storm is the test below.
    const first = scenario === 'storm' ? 5 : 3;
    for (const kinds of [[], [...TABLE_KINDS, 'its.command'], ['hppi', ...TABLE_KINDS, 'its.command']])
      for (const [part, seed] of [
        [0.2, first],
        [0.6, 5],
        [1, 1],
      ] as const) {
        const { rest, count } = stripped(lines, part, seed);
        const { verdict, findings, unknownCommands } = await ofLines(rest, kinds);
        const where = `${kinds.length} kinds, part ${part}`;
        expect(verdict.first, where).toBeNull();
        expect([findings, unknownCommands, verdict.unknown[UNKNOWN] ?? 0], where).toEqual([[], count, count]);
      }
  });

  // An unknown command has changed whether the LPI is pending on PE 0; a MOVI that is shown then moves it to PE 1, whose
  // silence says that it was not pending.
  it('a pending state that is doubtful on one PE and moved to another by a command that is shown', async () => {
    const { rest } = stripped(await scenarioLines('storm'), 0.2, 3);
    expect((await ofLines(rest)).verdict.first).toBeNull();
  });

  // An unknown command has made the LPI pending on PE 1, and the ITS refuses to move it to a collection that is not mapped.
  it('a pending state that is doubtful stays where it is if its MOVI is refused', async () => {
    const lines = await guestLines((g) => {
      g.enable().its();
      g.configure(LPI, 0xa1);
      g.map(1, 0, LPI, 1);
      // Another interrupt is signalled instead of the LPI.
      g.gicr(1, 'GICR_IPRIORITYR', 0x10, PPI);
      g.wire(PPI, true, 1);
      g.command('INT', { DeviceID: 1, EventID: 0 });
      expect(g.command('MOVI', { DeviceID: 1, EventID: 0, ICID: 9 })).toBe(
        ITS_ERRORS.MOVI_UNMAPPED_COLLECTION,
      );
      g.wire(PPI, false, 1);
      expect(g.read(1, 'ICC_IAR1_EL1')).toBe(LPI);
    });
    const stores = lines.flatMap(({ kind }, n) => (kind === 'queue.write' ? [n] : []));
    const { verdict, findings, unknownCommands } = await ofLines(lines.toSpliced(stores.at(-2)!, 1));
    expect([verdict.first, findings, unknownCommands]).toEqual([null, ['command-error'], 1]);
    expect(verdict.compared['sysreg.read']).toBe(1);
  });

  it('with all stores nothing is unknown, and nothing is put among the records', async () => {
    const lines = await scenarioLines('storm');
    const { verdict } = await ofLines(lines);
    expect(Object.keys(verdict.unknown)).toEqual([]);
    expect(verdict.records).toBe(lines.length - 1);
  });

  it('one number changed in what is known diverges', async () => {
    const { rest } = stripped(await scenarioLines('storm'), 0.3, 3);
    expect((await ofLines(rest)).verdict.first).toBeNull();
    const changed = (which: (line: Line) => boolean, change: (line: Line) => Line, n = 0) => {
      const at = rest.flatMap((line, i) => (which(line) ? [i] : []));
      expect(at.length).toBeGreaterThan(n);
      return rest.map((line, i) => (i === at.at(n) ? change(line) : line));
    };
    const sameEntry = (a: Line, b: Line) =>
      a.kind === 'ite.read' && b.kind === 'ite.read' && a.ITT_addr === b.ITT_addr && a.EventID === b.EventID;
    const read = rest.findIndex((line, i) => {
      const before = rest.slice(0, i).findLastIndex((one) => sameEntry(one, line));
      return before >= 0 && !rest.slice(before, i).some(({ offset }) => Number(offset) === 0x88);
    });
    expect(read).toBeGreaterThan(0);
    for (const [name, lines] of Object.entries({
      'the slot of a command': changed(
        (line) => line.kind === 'its.command',
        (line) => ({ ...line, index: (line.index as number) + 1 }),
        20,
      ),
      'the LPI of an entry that has been read before, and no command executed since': rest.map((line, i) =>
        i === read ? { ...line, INTID: (line.INTID as number) + 1 } : line,
      ),
      'an acknowledge': changed(
        (line) => line.kind === 'sysreg.read' && Number(line.value) >= 8192,
        (line) => ({ ...line, value: `0x${(Number(line.value) + 7).toString(16)}` }),
        30,
      ),
      'the interrupt that a PE is signalled': changed(
        (line) => line.kind === 'hppi' && Number(line.INTID) >= 8192,
        (line) => ({ ...line, priority: (line.priority as number) ^ 0x50 }),
        // The last one ends the log, perhaps in the middle of what another stimulus did.
        -2,
      ),
    }))
      expect((await ofLines(lines)).verdict.diverged, name).toBeGreaterThan(0);
  });
});

describe('a source of accesses alone', () => {
  const ACCESSES = new Set([
    'mmio.read',
    'mmio.write',
    'sysreg.read',
    'sysreg.write',
    'msi.write',
    'wire.set',
    'pe.reset',
    'gic.reset',
    'state.known',
  ]);

  it('has no command, and none that does not exist', async () => {
    const lines = await scenarioLines('storm');
    const executed = lines.filter(({ kind }) => kind === 'its.command').length;
    const [file, trace] = [temp.path('lines'), temp.path('trace')];
    const text = lines
      .filter(({ kind }) => kind === undefined || ACCESSES.has(kind))
      .map((line) => JSON.stringify(line.kind === undefined ? { ...line, shows: [] } : line));
    writeFileSync(file, text.join('\n'));
    await importJsonlToTrace(file, trace, { force: true });
    const { verdict, findings, unknownCommands } = judged(trace);
    expect([verdict.first, findings, unknownCommands]).toEqual([null, [], executed]);
    expect(verdict.compared['sysreg.read']).toBeGreaterThan(100);
    expect((await run('check', trace)).out).toMatch(
      new RegExp(`^CLEAN: .*\n${executed}  ITS commands that the source does not show: [^\n]*\n$`),
    );
    expect((await run('replay', trace)).out).toContain(`${executed}  ${UNKNOWN}\n`);
    // As JSON lines and back: the same records, to which nothing is added.
    const { out } = await run('dump', trace, '--json', '--header');
    writeFileSync(file, out);
    await importJsonlToTrace(file, temp.path('again'), { force: true });
    expect((await run('dump', temp.path('again'), '--json', '--header')).out === out).toBe(true);
  });
});

it('ftrace: what a kernel has an ITS execute is unknown, and so is how far it has got; not that it is at a command', async () => {
  const [GICD, GICR, GITS] = [0x800_0000, 0x80a_0000, 0x808_0000];
  const ftrace = (creadr: string) =>
    [
      ['post_read', GICD + 0xffe8, 32, '3b'],
      ['post_read', GICR + 0xffe8, 32, '3b'],
      ['post_read', GICR + 8, 64, '11'],
      ['write', GITS + 0x100, 64, '8107000048000207'],
      ['write', GITS + 0x108, 64, '8407000048100200'],
      ['write', GITS + 0x80, 64, '8000000048400003'],
      ['write', GITS, 32, '1'],
      ['write', GITS + 0x88, 64, '60'],
      ['post_read', GITS + 0x90, 64, creadr],
      ['write', GITS + 0x88, 64, '80'],
      ['post_read', GITS + 0x88, 64, '80'],
    ]
      .map(
        ([event, address, width, value], n) =>
          `  kworker/0:1-7     [000] d..1.     1.0000${10 + n}: rwmmio_${event}: f+0x0/0x10 -> f+0x0/0x10 width=${width} val=0x${value} addr=0x${address!.toString(16)}`,
      )
      .join('\n');
  for (const [creadr, diverged] of [
    ['60', 0],
    ['20', 0],
    ['21', 0],
    // ftrace may have lost a write of GITS_CWRITER; it cannot have invented a pointer between two commands.
    ['80', 0],
    ['28', 1],
  ] as const) {
    const [file, trace] = [temp.path('ftrace'), temp.path('trace')];
    writeFileSync(file, ftrace(creadr));
    const where = [
      '--gicd',
      `0x${GICD.toString(16)}`,
      '--gicr',
      `0x${GICR.toString(16)}:1`,
      '--gits',
      `0x${GITS.toString(16)}`,
      '--start',
      'reset',
    ];
    expect((await run('import', 'ftrace', file, '-o', trace, '--force', ...where)).err).toBe('');
    const { verdict, findings, unknownCommands } = judged(trace);
    expect([creadr, verdict.diverged, findings, unknownCommands]).toEqual([creadr, diverged, [], 4]);
  }
});

describe('what comes after the import', () => {
  const trace = temp.path('bare');
  const stripLog = async () => {
    const file = temp.path('bare.log');
    writeFileSync(file, without(whole('its-trigger'), COMMANDS, TABLES));
    await importToTrace(file, trace, { force: true });
    return judged(trace).unknownCommands;
  };

  it('SQL: a row for each unknown command, mappings end with one, and no message is said to be dropped', async () => {
    const executed = await stripLog();
    expect(executed).toBe(17);
    const database = temp.path('bare.db');
    expect((await run('load', trace, '-o', database)).code).toBe(0);
    const rows = async (sql: string) =>
      JSON.parse((await run('query', database, sql, '--json')).out) as unknown;
    expect(
      await rows(
        'SELECT op, outcome, count(*) AS n, count(DISTINCT slot) AS slots FROM its_commands GROUP BY 1, 2',
      ),
    ).toEqual([{ op: 'unknown', outcome: 'NOT_SHOWN', n: executed, slots: executed }]);
    expect(await rows('SELECT count(*) AS n FROM mappings')).toEqual([{ n: 0 }]);
    expect(await rows('SELECT count(*) AS n FROM findings')).toEqual([{ n: 0 }]);
    expect(await rows('SELECT count(*) AS n FROM msis WHERE outcome IS NOT NULL')).toEqual([{ n: 0 }]);
  });

  it('a backend other than the simulator is not given such a trace, by name and with 3', async () => {
    await stripLog();
    const adapter = fileURLToPath(new URL('../examples/adapters/node/adapter.mjs', import.meta.url));
    // State that the source shows after the fact is refused before; here is a trace without any.
    const file = temp.path('first.log');
    const log = without(whole('its-trigger'), COMMANDS, TABLES).split('\n');
    writeFileSync(
      file,
      log.slice(0, log.findIndex((line) => /its_write.* 0x88 data 0x[1-9]/.test(line)) + 1).join('\n'),
    );
    const first = temp.path('first');
    await importToTrace(file, first, { force: true });
    const { code, err } = await run('replay', first, '--on', `exec:${process.execPath} '${adapter}'`);
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(
        /ITS commands that its source does not show \(\d+, the first executed by record \d+\)/,
      ),
    ]);
  });
});
