// The scenarios that ship: each is recorded on every design, what was recorded replays, and a trace says what a
// scenario says.
import { readFileSync } from 'node:fs';
import { DESIGNS, type MigratedPart, operationAt } from '@gictrace/core/irqchip';
import { loadTraces, QueryDatabase } from '@gictrace/query';
import { libraryPath, libraryScenarios, readScenario, scenario, TraceReader } from '@gictrace/recorder';
import { compareScenario, compareTrace, recordScenario, replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const VERSION = { version: 'test', source: 'test' };
const names = libraryScenarios();

describe.each(names)('%s', (name) => {
  const scenario = readScenario(libraryPath(name));

  it('recorded on each design that it is for, replays the same', () => {
    const { runs } = compareScenario(scenario, undefined);
    expect(runs.length).toBeGreaterThanOrEqual(5);
    for (const { design } of runs) {
      const trace = temp.path(`${name}.${design.name}.gictrace`);
      recordScenario(scenario, design, trace, VERSION);
      const verdict = replayTrace(trace, { version: 'test' });
      expect(verdict.diverged, design.name).toBe(0);
      expect(verdict.records, design.name).toBeGreaterThan(scenario.operations.length);
    }
  });

  it('is the same bytes twice, and holds the operations', () => {
    const [one, two] = [temp.path('one.gictrace'), temp.path('two.gictrace')];
    for (const path of [one, two]) recordScenario(scenario, DESIGNS.mbi!, path, VERSION);
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
    const reader = TraceReader.open(one);
    const told: unknown[] = [];
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) told.push(operationAt(batch, i));
    reader.close();
    expect(told.filter((each) => each !== undefined)).toEqual(scenario.operations);
  });

  it('a trace of one design is compared on all the others as the scenario is', () => {
    const trace = temp.path(`${name}.own.gictrace`);
    recordScenario(scenario, DESIGNS['direct-lpi']!, trace, VERSION);
    const compared = compareTrace(trace, undefined);
    expect(compared.isLifted).toBe(false);
    const shown = (runs: typeof compared.runs) =>
      runs.map(({ design, costs, deliveries, leaked }) => [design.name, costs, deliveries, [...leaked]]);
    expect(shown(compared.runs)).toEqual(shown(compareScenario(scenario, undefined).runs));
  });
});

describe('the storm', () => {
  const { runs } = compareScenario(readScenario(libraryPath('storm')), undefined);
  const of = (name: string) => runs.find((one) => one.design.name === name)!;

  it('is the same storm for each design', () => {
    const asked = ({ deliveries: d }: (typeof runs)[number]) => d.fired + d.withheld;
    expect(new Set(runs.map(asked))).toEqual(new Set([76, 77]));
    // The root partition has no irq_set_irqchip_state, and MBI on ACPI has no vectors.
    expect(runs.filter((one) => asked(one) === 76).map((one) => one.design.name)).toEqual([
      'direct-lpi-invall',
      'mbi-acpi',
    ]);
  });
  it('is delivered by an ITS and by message-based SPIs, where devices are not isolated', () => {
    const right = { delivered: 77, spurious: 0, duplicated: 0, misrouted: 0, unmasked: 0 };
    expect(of('its').deliveries).toMatchObject({ ...right, unauthorised: 0 });
    expect(of('mbi').deliveries).toMatchObject({ ...right, unauthorised: 2 });
  });
  it('leaks where a column map comes after its LPIs', () => {
    expect([...of('its').leaked]).toEqual([['LPIs', 8]]);
    expect([...of('direct-lpi').leaked]).toEqual([]);
    // The second allocation is that of the IOMMU mapping of the first vector there.
    expect([...of('mbi').leaked]).toEqual([['SPIs', 1]]);
  });
});

describe('a trace of a scenario', () => {
  const its = temp.path('storm.gictrace');

  it('has each record name its operation, in SQL too', () => {
    const scenario = readScenario(libraryPath('storm'));
    recordScenario(scenario, DESIGNS.its!, its, VERSION);
    const reader = TraceReader.open(its);
    const { header, footer } = reader;
    const path = temp.path('storm.db');
    loadTraces(path, [
      {
        name: 'storm',
        header,
        contentDigest: footer!.contentDigest,
        semanticDigest: footer!.semanticDigest,
        batches: reader.batches(),
      },
    ]);
    reader.close();
    const db = new QueryDatabase(path);
    const rows = (sql: string) => [...db.ask(sql).rows];
    expect(rows('SELECT count(*) FROM operations')).toEqual([[BigInt(scenario.operations.length)]]);
    expect(rows('SELECT count(*) FROM stimuli WHERE operation IS NULL')).toEqual([[0n]]);
    // A move to another PE is two commands, and each is put into the queue once.
    const moves = scenario.operations.filter((each) => each.op === 'set_affinity').length;
    expect(
      rows(
        "SELECT count(*) FROM operations o JOIN stimuli s ON s.operation = o.record WHERE o.op = 'set_affinity' AND s.kind = 'queue.write'",
      ),
    ).toEqual([[BigInt(2 * moves)]]);
    db.close();
  });

  it('lifted all the same, sends what the driver sent', () => {
    const lifted = compareTrace(its, ['its'], { lift: true });
    expect(lifted.isLifted).toBe(true);
    const { commands, accesses } = lifted.alignments.get('its')!;
    expect([commands.first, accesses.first]).toEqual([null, null]);
    expect(commands.recorded).toBe(78);
  });

  it('keeps its operations when it is recorded again by a replay', () => {
    const again = temp.path('again.gictrace');
    replayTrace(its, { version: 'test', output: again });
    const twice = temp.path('twice.gictrace');
    replayTrace(again, { version: 'test', output: twice });
    expect(readFileSync(again).equals(readFileSync(twice))).toBe(true);
    const [one, two] = [its, again].map((path) => compareTrace(path, ['direct-lpi']).runs[0]!.costs);
    expect(two).toEqual(one);
  });

  it('contains what a migration did', () => {
    const reader = TraceReader.open(its);
    expect(reader.header.losses).toEqual([]);
    expect(reader.footer!.kinds['gic.reset']).toBe(1);
    reader.close();
    expect(replayTrace(its, { version: 'test' }).diverged).toBe(0);
  });
});

describe('a migration with a message on its way', () => {
  const steps = (without: MigratedPart) =>
    scenario(`${without} left behind`, { pes: 2 })
      .device('nic', { id: 8, vectors: 2 })
      .online(0, 1)
      .alloc('nic')
      .activate('nic/0', 0)
      .activate('nic/1', 1)
      .unmask('nic/0')
      .unmask('nic/1')
      .busy([1], 2)
      .fire('nic/1')
      .migrate(without)
      .fire('nic/0')
      .build();
  const lost = (without: MigratedPart, design = 'its') => {
    const trace = temp.path('migration.gictrace');
    recordScenario(steps(without), DESIGNS[design]!, trace, VERSION);
    expect(replayTrace(trace, { version: 'test' }).diverged).toBe(0);
    const db = temp.path('migration.db');
    const reader = TraceReader.open(trace);
    const { contentDigest, semanticDigest } = reader.footer!;
    const { header } = reader;
    loadTraces(db, [{ name: 'it', header, contentDigest, semanticDigest, batches: reader.batches() }]);
    reader.close();
    const query = new QueryDatabase(db);
    const rows = [...query.ask('SELECT INTID, outcome, lost_by FROM lost ORDER BY record').rows];
    query.close();
    return rows.map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));
  };

  it('loses nothing if all is carried: lifetimes go on', () => {
    for (const design of ['its', 'direct-lpi', 'mbi']) expect(lost('nothing', design), design).toEqual([]);
  });

  it('shows in SQL what was pending, and what is lost since', () => {
    expect(lost('ITS')).toEqual([[null, 'dropped', 'its-disabled']]);
    expect(lost('Redistributors')).toEqual([
      [8193, 'reset', 'gic.reset'],
      [8192, 'dropped', 'lpis-disabled'],
    ]);
    expect(lost('memory')).toEqual([
      [8193, 'reset', 'gic.reset'],
      [null, 'dropped', 'device-unmapped'],
    ]);
  });
});
