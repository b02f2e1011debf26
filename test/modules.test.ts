// The SQL modules on scenarios of every design, against what the designs' own accounts say (`compare`), and on real
// recordings, against what is known of them.
import { DESIGNS } from '@gictrace/core/irqchip';
import { loadTraces, MODULES, QueryDatabase } from '@gictrace/query';
import { libraryPath, libraryScenarios, parseScenario, readScenario, TraceReader } from '@gictrace/recorder';
import { compareScenario, recordScenario } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

function loaded(out: string, ...paths: string[]): QueryDatabase {
  const readers = paths.map((path) => TraceReader.open(path));
  loadTraces(
    out,
    readers.map((reader, k) => ({
      name: `trace ${k + 1}`,
      header: reader.header,
      contentDigest: null,
      semanticDigest: null,
      batches: reader.batches(),
    })),
  );
  for (const reader of readers) reader.close();
  return new QueryDatabase(out);
}

function asker(db: QueryDatabase) {
  return (sql: string): (number | string | null)[][] =>
    [...db.ask(sql).rows].map((row) =>
      row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : (cell as number | string | null))),
    );
}

/** Designs on which nothing goes wrong in scenarios in which nobody does anything wrong. */
const SOUND = /^(its|platform-msi|per-device-msi|direct-lpi|mbi|gicv2m)$/;

describe.each(libraryScenarios())('%s', (name) => {
  const scenario = readScenario(libraryPath(name));
  // The views of messages, from which the modules are made, have nothing of a GICv5.
  const runs = compareScenario(scenario, undefined).runs.filter(
    ({ design }) => design.hardware.architecture !== 5,
  );

  it('on every design: the modules say what the account of the design says', () => {
    const traces = runs.map(({ design }) => {
      const trace = temp.path(`${name}.${design.name}.gictrace`);
      recordScenario(scenario, design, trace, { version: 'test', source: 'test' });
      return trace;
    });
    const db = loaded(temp.path('scenario.db'), ...traces);
    const ask = asker(db);
    const byTrace = (sql: string) => new Map(ask(sql).map(([trace, n]) => [Number(trace), Number(n)]));
    const count = (from: string) => byTrace(`SELECT trace, count(*) FROM ${from} GROUP BY trace`);
    const breaches = count("isolation WHERE verdict = 'breach'");
    const strange = count("isolation WHERE verdict IN ('shared', 'unknown')");
    const found = Object.fromEntries(
      ['lost', 'stranded', 'priority_inversion', 'isolation'].map((module) => [module, count(module)]),
    );
    const commands = byTrace('SELECT trace, sum(commands) FROM commands_per_operation GROUP BY trace');
    const operations = byTrace(
      'SELECT trace, sum(operations) FROM (SELECT DISTINCT trace, operation, operations FROM commands_per_operation) GROUP BY trace',
    );
    // Raised by nothing that a GIC could see: a driver that does nothing, a message to no frame.
    const silent = count(
      "operations o WHERE op IN ('fire', 'fire.multi', 'set_pending') AND NOT EXISTS (SELECT 1 FROM stimuli s WHERE s.trace = o.trace AND s.operation = o.record AND s.kind <> 'sysreg.read')",
    );
    runs.forEach(({ design, deliveries, costs }, k) => {
      const trace = k + 1;
      const at = `${name} on ${design.name}: `;
      expect(breaches.get(trace) ?? 0, `${at}breaches`).toBe(deliveries.unauthorised);
      expect(strange.get(trace) ?? 0, `${at}unknown writers`).toBe(0);
      if (!design.name.startsWith('hyperv')) {
        const lost = found.lost!.get(trace) ?? 0;
        if (deliveries.lost > (silent.get(trace) ?? 0)) expect(lost, `${at}lost`).toBeGreaterThan(0);
        if (deliveries.stranded > 0)
          expect(lost + (found.stranded!.get(trace) ?? 0), `${at}stranded`).toBeGreaterThan(0);
      }
      // The account leaves out what setting the driver up cost: the proxy of vPEs is a device that is mapped then.
      const setUp = /^vpe-(proxy|naive)/.test(design.name) ? 1 : 0;
      expect((commands.get(trace) ?? 0) - costs.commands, `${at}commands`).toBe(setUp);
      expect(operations.get(trace), `${at}operations`).toBe(scenario.operations.length);
      if (['fire', 'move'].includes(name) && SOUND.test(design.name))
        for (const [module, rows] of Object.entries(found))
          expect(rows.get(trace), `${at}${module}`).toBeUndefined();
    });
    db.close();
  });
});

describe('what is planted on purpose', () => {
  const run = (scenario: string, design: string) => {
    const trace = temp.path('planted.gictrace');
    const read = readScenario(libraryPath(scenario));
    const of = compareScenario(read, [design]).runs[0]!.design;
    recordScenario(read, of, trace, { version: 'test', source: 'test' });
    return loaded(temp.path('planted.db'), trace);
  };

  it('a doorbell that is discarded with its slot: lost, orphaned, and its vPE waits for ever', () => {
    const db = run('lost-doorbell', 'vpe-proxy');
    const ask = asker(db);
    expect(ask('SELECT class, raised_by, outcome, lost_by FROM lost')).toEqual([
      ['LPI', 'doorbell', 'discarded', 'DISCARD'],
    ]);
    expect(ask('SELECT class, state, gate FROM stranded')).toEqual([['vLPI', 'pending', 'vPE not resident']]);
    expect(ask('SELECT ended_by, lost FROM mapping_history WHERE lost > 0')).toEqual([['DISCARD', 1]]);
    // A PE that is busy masks by ICC_PMR_EL1: what is cleared meanwhile was never signalled, and no acknowledge misses it.
    expect(ask("SELECT why, gone_by FROM spurious WHERE why <> 'nothing signalled'")).toEqual([]);
    db.close();
  });

  it.each([
    ['unknown', '  - { vpe_schedule: 0, pe: 0 }\n  - { busy: [0], steps: 9 }\n'],
    ['vPE not resident', ''],
  ])('a vLPI that is pending at the end: %s', (gate, meanwhile) => {
    const read = parseScenario(
      `scenario: a vLPI at the end\nmachine: { pes: 1 }\ndevices: { b: { id: 16, vectors: 1 } }\nsteps:\n  - online: [0]\n  - { vpe_map: 0, pe: 0 }\n  - alloc: b\n  - { vlpi_map: b/0, vpe: 0 }\n${meanwhile}  - fire: b/0\n`,
      's.yaml',
    );
    const trace = temp.path('pending.gictrace');
    recordScenario(read, DESIGNS['vpe-v41']!, trace, { version: 'test', source: 'test' });
    const db = loaded(temp.path('pending.db'), trace);
    expect(asker(db)('SELECT class, vPEID, state, gate FROM stranded')).toEqual([
      ['vLPI', 0, 'pending', gate],
    ]);
    db.close();
  });

  it('a pending LPI that moves is not lost; one that a driver clears at its old place is', () => {
    const its = run('pending-move', 'its');
    expect(asker(its)('SELECT moved, complete FROM lifecycle')).toEqual([[1, 1]]);
    expect(asker(its)("SELECT change, before_pe, pe FROM mapping_history WHERE change <> 'mapped'")).toEqual([
      ['moved', 0, 1],
    ]);
    its.close();
    const lossy = run('pending-move', 'direct-lpi-lossy');
    expect(asker(lossy)('SELECT outcome, lost_by FROM lost')).toEqual([['cleared', 'GICR_CLRLPIR']]);
    lossy.close();
  });

  it('one device raises the interrupt of another where nothing tells devices apart', () => {
    const db = run('isolation', 'mbi');
    expect(asker(db)('SELECT verdict, path, writer, owner FROM isolation')).toEqual([
      ['breach', 'GICD_SETSPI_NSR', 8, 16],
    ]);
    db.close();
  });
});

describe('two runs in one database', () => {
  it('differ in what the designs do', () => {
    const scenario = readScenario(libraryPath('move'));
    const { runs } = compareScenario(scenario, ['its', 'direct-lpi']);
    const paths = runs.map((one) => {
      const path = temp.path(`two.${one.design.name}.gictrace`);
      recordScenario(scenario, one.design, path, { version: 'test', source: 'test' });
      return path;
    });
    const db = loaded(temp.path('two.db'), ...paths);
    const ask = asker(db);
    const commands = ask('SELECT op, count(*) FROM its_commands WHERE trace = 1 GROUP BY op ORDER BY op');
    expect(commands.length).toBeGreaterThan(3);
    expect(
      ask(
        'SELECT op, first_n FROM commands_by_trace WHERE trace = 2 AND n = 0 AND delta = -first_n ORDER BY op',
      ),
    ).toEqual(commands);
    expect(ask('SELECT count(*) FROM commands_by_trace WHERE trace = 1 AND delta <> 0')).toEqual([[0]]);
    // Each kind of operation, and each command: how many each operation sent, counted one by one.
    const operations = ask('SELECT record, op FROM operations WHERE trace = 1');
    const sent = ask('SELECT operation, op FROM its_commands WHERE trace = 1');
    for (const [kind, n, command, total, average, least, most] of ask(
      'SELECT operation, operations, command, commands, per_operation, least, most FROM commands_per_operation WHERE trace = 1 AND command IS NOT NULL',
    )) {
      const each = operations
        .filter(([, op]) => op === kind)
        .map(([record]) => sent.filter(([of, op]) => of === record && op === command).length);
      const sum = each.reduce((a, b) => a + b, 0);
      const expected = [each.length, sum, sum / each.length, Math.min(...each), Math.max(...each)];
      expect([n, total, average, least, most], `${kind}: ${command}`).toEqual(expected);
    }
    const events = ask('SELECT DISTINCT DeviceID, EventID FROM mappings WHERE trace = 1 ORDER BY 1, 2');
    expect(
      ask(
        "SELECT DeviceID, EventID FROM mapping_differences WHERE difference = 'only in the first' ORDER BY 1, 2",
      ),
    ).toEqual(events);
    expect(
      ask("SELECT count(*) FROM register_differences WHERE register = 'GITS_CTLR' AND value IS NULL"),
    ).toEqual([[1]]);
    db.close();
  });

  it('are the same where they are the same', () => {
    const scenario = readScenario(libraryPath('storm'));
    const path = temp.path('same.gictrace');
    recordScenario(scenario, compareScenario(scenario, ['its']).runs[0]!.design, path, {
      version: 'test',
      source: 'test',
    });
    const db = loaded(temp.path('same.db'), path, path);
    const ask = asker(db);
    for (const name of ['mapping_differences', 'register_differences'])
      expect(ask(`SELECT count(*) FROM ${name}`), name).toEqual([[0]]);
    for (const name of ['commands_by_trace', 'outcomes_by_trace']) {
      expect(Number(ask(`SELECT count(*) FROM ${name}`)[0]![0]), name).toBeGreaterThan(0);
      expect(ask(`SELECT count(*) FROM ${name} WHERE n <> first_n OR delta <> 0`), name).toEqual([[0]]);
    }
    expect(ask('SELECT count(*) FROM latency_by_trace WHERE n <> first_n OR first_n IS NULL')).toEqual([[0]]);
    db.close();
  });
});

describe('linux-gicv4-kvm', () => {
  it('is as it is known to be', async () => {
    const path = temp.path('kvm.gictrace');
    await imported(recording('linux-gicv4-kvm.log.gz'), path);
    const db = loaded(temp.path('kvm.db'), path);
    const ask = asker(db);
    // Every acknowledge that the source shows to have returned an interrupt, and no other.
    const taken = ask(
      "SELECT value & 0xffffff AS INTID, count(*) FROM sysregs WHERE register = 'ICC_IAR1_EL1' AND direction = 'read' AND value & 0xffffff < 1020 OR value & 0xffffff >= 8192 AND register = 'ICC_IAR1_EL1' GROUP BY 1 ORDER BY 1",
    );
    expect(
      ask(
        "SELECT INTID, acknowledged FROM lifecycle WHERE class NOT IN ('vLPI', 'list register') AND acknowledged > 0 ORDER BY INTID",
      ),
    ).toEqual(taken);
    const special = ask(
      "SELECT count(*) FROM sysregs WHERE register LIKE 'ICC_IAR%' AND direction = 'read' AND value & 0xffffff BETWEEN 1020 AND 1023",
    );
    expect(ask('SELECT count(*) FROM spurious')).toEqual(special);
    // All of Linux's interrupts have one priority, and its devices keep to their own.
    for (const name of ['priority_inversion', 'isolation'])
      expect(ask(`SELECT count(*) FROM ${name}`)).toEqual([[0]]);
    // Whatever is lost is a doorbell that Linux clears on purpose.
    expect(ask("SELECT count(*) FROM lost WHERE lost_by <> 'CLEAR' OR lost_by IS NULL")).toEqual([[0]]);
    for (const { name } of MODULES) {
      const began = performance.now();
      for (const _ of db.ask(`SELECT * FROM ${name}`).rows);
      expect(performance.now() - began, name).toBeLessThan(10_000);
    }
    db.close();
  });
});
