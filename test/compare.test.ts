// Designs on what a real kernel did: its own are the same commands in the same order, others are what they are.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Operation } from '@gictrace/core/irqchip';
import { QueryDatabase } from '@gictrace/query';
import { importFtraceToTrace } from '@gictrace/recorder';
import { type Compared, compareTrace } from '@gictrace/replayer';
import { main } from 'gictrace';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const MROPS = temp.path('linux-gicv3-mrops.gictrace');
const KVM = temp.path('linux-gicv4-kvm.gictrace');
beforeAll(async () => {
  await imported(recording('linux-gicv3-mrops.log.gz'), MROPS);
  await imported(recording('linux-gicv4-kvm.log.gz'), KVM);
});

const run = (compared: Compared, name: string) => compared.runs.find((one) => one.design.name === name)!;

/** Runs a command line; answers what it printed. */
async function printed(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += text;
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      err += text;
      return true;
    }),
  ];
  try {
    return { code: await main(args), out, err };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe('a real boot (4 PEs, 2,379 MSIs, 34 moves)', () => {
  it('sends the same commands as Linux in the same order, SYNC included', () => {
    const { commands, accesses, registers, notShown } = compareTrace(MROPS, ['its']).alignments.get('its')!;
    expect(commands).toEqual({ recorded: 203, sent: 203, same: 203, first: null });
    // QEMU does not print these operands.
    expect([...notShown]).toEqual([
      ['RDbase of SYNC', 98],
      ['ICID of INVALL', 5],
    ]);
    expect(accesses).toEqual({ recorded: 585, sent: 585, same: 585, first: null });
    expect(registers.get('GITS_CREADR read')).toEqual({ recorded: 413, sent: 413 });
    expect(registers.get('GITS_CWRITER write')).toEqual({ recorded: 106, sent: 106 });
  });

  it('costs what it cost Linux: 105 posts and 12 writes, 413 reads of GITS_CREADR and 36 others', () => {
    const { costs, probe } = run(compareTrace(MROPS, ['its']), 'its');
    expect(costs).toMatchObject({ mmio_writes: 105 + 12, commands: 203, queue_bytes: 32 * 203, polls: 105 });
    // For each of 4 PEs 2 reads and 3 written registers, read back; then GITS_TYPER, GICR_TYPER, GICR_CTLR.
    expect(costs.mmio_reads).toBe(413 + 36);
    expect(probe.mmio_writes).toBe(8 + 3 + 2 + 3);
  });

  it('delivers, loses and misroutes as each design does, if devices never stop', () => {
    const compared = compareTrace(MROPS, undefined, { inFlightMax: Number.POSITIVE_INFINITY });
    expect([...compared.lift.unlifted]).toEqual([]);
    // An SPI that is not edge-triggered comes back for ever, and starves the others.
    const storm = run(compared, 'hyperv-spi-no-edge').deliveries;
    expect(storm.spurious).toBeGreaterThan(100_000);
    const others = compared.runs.filter(({ design }) => design.name !== 'hyperv-spi-no-edge');
    const told = others.map(({ design, deliveries: d }) => [
      design.name,
      d.delivered,
      d.lost,
      d.unsent,
      d.spurious,
      d.misrouted,
      d.stranded,
    ]);
    expect(told).toEqual([
      ['its', 2379, 0, 0, 0, 0, 0],
      ['pre-its', 2379, 0, 0, 0, 0, 0],
      ['platform-msi', 2379, 0, 0, 0, 0, 0],
      // Nobody enables the LPI: it is pending until its event is discarded.
      ['dev-msi', 0, 1781, 0, 0, 0, 598],
      ['per-device-msi', 2379, 0, 0, 0, 0, 0],
      ['virtual-its', 0, 0, 2379, 0, 0, 0],
      ['virtual-its-unpatched', 0, 0, 2379, 0, 0, 0],
      ['virtual-its-hosted', 2379, 0, 0, 0, 0, 0],
      ['direct-lpi-rfc', 0, 2379, 0, 0, 0, 0],
      ['direct-lpi-rfc-intid', 2379, 0, 0, 0, 373, 0],
      ['direct-lpi', 2379, 0, 0, 34, 0, 0],
      ['direct-lpi-lossy', 2379, 0, 0, 0, 0, 0],
      ['direct-lpi-invall', 2379, 0, 0, 0, 373, 0],
      ['mbi', 2379, 0, 0, 0, 0, 0],
      ['mbi-acpi', 0, 0, 2379, 0, 0, 0],
      ['gicv2m', 2379, 0, 0, 0, 0, 0],
      ['hyperv-spi', 2379, 0, 0, 0, 0, 0],
      ['hyperv-spi-5.17', 2379, 0, 0, 0, 0, 0],
      ['hyperv-spi-first-zero', 2379, 0, 0, 0, 0, 0],
      ['hyperv-spi-round-robin', 2379, 0, 0, 0, 0, 0],
      ['hyperv-spi-unsigned', 2379, 0, 0, 0, 0, 0],
      ['gicv5-its', 2379, 0, 0, 0, 0, 0],
      ['gicv5-setlpi', 2379, 0, 0, 0, 0, 0],
      ['gicv5-spi', 2379, 0, 0, 0, 0, 0],
    ]);
    // Where the loop is closed, only the designs that lose messages differ.
    const closed = compareTrace(MROPS, ['its', 'dev-msi', 'direct-lpi']);
    for (const { design, deliveries: d } of closed.runs) {
      expect(d.fired + d.withheld, design.name).toBe(2379);
      expect(d.withheld > 2000, design.name).toBe(design.name === 'dev-msi');
    }
    expect(closed.judged.map(({ judgement: j }) => [j.verdict, j.operation, j.undelivered])).toEqual([
      ['works', null, 0],
      ['cannot', 15, run(closed, 'dev-msi').deliveries.fired],
      ['works', null, 0],
    ]);
    expect(run(compared, 'direct-lpi').costs.message_rewrites).toBe(34);
    expect(run(compared, 'its').costs.message_rewrites).toBe(0);
  });
});

it('sends and accesses the same as Linux 7.3 on QEMU 11, with PEs that go offline and come back', async () => {
  const trace = temp.path('linux-gicv3-qemu-11.gictrace');
  await imported(recording('linux-gicv3-qemu-11.log.gz'), trace);
  const { commands, accesses } = compareTrace(trace, ['its']).alignments.get('its')!;
  expect(commands).toEqual({ recorded: 109, sent: 109, same: 109, first: null });
  expect(accesses).toEqual({ recorded: 346, sent: 346, same: 346, first: null });
});

describe('a machine that reboots', () => {
  const lifted = (trace: string) => {
    const operations: Operation[] = [];
    const compared = compareTrace(trace, ['its'], {
      observe: () => ({ operation: (_n, o) => operations.push(o) }),
    });
    return { operations, compared };
  };

  it('has its driver set up at each boot, as Linux’s is', async () => {
    const trace = temp.path('reboots.gictrace');
    await imported(recording('small/linux-reboot-its.log.gz'), trace);
    const { operations, compared } = lifted(trace);
    const { commands, accesses } = compared.alignments.get('its')!;
    expect(commands).toEqual({ recorded: 77, sent: 77, same: 77, first: null });
    expect(accesses).toEqual({ recorded: 413, sent: 413, same: 413, first: null });
    expect(operations.filter(({ op }) => op === 'probe')).toEqual(
      Array(3).fill({ op: 'probe', reset: true }),
    );
  });

  it('does not reboot when a state is loaded; a collection is of the PE that it is mapped to', async () => {
    const trace = temp.path('loadvm.gictrace');
    await imported(recording('small/loadvm-11.log.gz'), trace);
    const { operations } = lifted(trace);
    expect(operations.filter(({ op }) => op === 'probe')).toEqual([]);
    // This guest maps collection 3 to PE 0.
    const activated = operations.filter((o) => o.op === 'activate');
    expect(activated.length).toBeGreaterThan(0);
    expect(activated.filter((o) => o.pe > 1)).toEqual([]);
  });
});

it('no design is held against commands if no device of the recording is one of the ITS', async () => {
  const trace = temp.path('its-spis.gictrace');
  await imported(recording('small/linux-7.2-its-spis.log.gz'), trace);
  const compared = compareTrace(trace, ['its']);
  expect(compared.lift.inferred.get('device: an SPI is a device of one vector')).toBe(3);
  expect(compared.alignments.size).toBe(0);
});

describe('a Linux guest of a real KVM, whose Redistributors have GICR_INVLPIR', () => {
  const traceOf = async (name: string) => {
    const trace = temp.path(`${name}.gictrace`);
    await importFtraceToTrace(recording(`ftrace/${name}.txt.xz`), trace, {});
    return trace;
  };

  it('sends and accesses the same, without INV', async () => {
    const compared = compareTrace(await traceOf('kq-linux'), ['its', 'its@architecture']);
    const { commands, accesses, registers } = compared.alignments.get('its')!;
    expect(commands).toEqual({ recorded: 15, sent: 15, same: 15, first: null });
    expect(accesses).toEqual({ recorded: 99, sent: 99, same: 99, first: null });
    expect(registers.get('GICR_INVLPIR write')).toEqual({ recorded: 3, sent: 3 });
    expect(compared.judged[0]!.judgement.verdict).toBe('works');
    // A profile that the user chose stays: without GICR_CTLR.IR, Linux sends INV and SYNC for each of the three.
    expect(compared.runs.map(({ costs }) => costs.commands)).toEqual([15, 21]);
  });

  it('is not held against commands that the source does not show', async () => {
    const { alignments, lift } = compareTrace(await traceOf('linux-doc'), ['its']);
    expect(lift.unlifted.get('commands that the trace does not show')).toBe(15);
    expect(alignments.size).toBe(0);
  });
});

describe('a real boot with KVM and GICv4 (2 vPEs)', () => {
  it('sends the same commands as Linux, and makes the same accesses', () => {
    const { alignments, lift } = compareTrace(KVM, ['vpe-proxy']);
    expect([...alignments.keys()]).toEqual(['vpe-proxy']);
    const { commands, accesses, registers } = alignments.get('vpe-proxy')!;
    expect(commands).toEqual({ recorded: 534, sent: 534, same: 534, first: null });
    expect([accesses.recorded, accesses.sent]).toEqual([1827, 1827]);
    for (const [name, { recorded, sent }] of registers) expect(sent, name).toBe(recorded);
    expect(registers.get('GITS_CREADR read')!.sent).toBe(1078);
    expect(registers.get('GICR_VPENDBASER read')!.sent).toBe(162);
    expect([...lift.unlifted]).toEqual([]);
  });

  it('clears the doorbell on every entry, and costs 2 commands there and at each INV', () => {
    const { operations, costsBy } = run(compareTrace(KVM, ['vpe-proxy']), 'vpe-proxy');
    expect(operations.get('vpe.schedule')).toBe(77);
    expect(operations.get('doorbell.clear')).toBe(77);
    expect(operations.get('doorbell.mask')).toBe(20);
    expect(operations.get('doorbell.unmask')).toBe(20);
    expect(costsBy.get('doorbell.clear')!.commands).toBe(2 * 77);
    expect(costsBy.get('doorbell.mask')!.commands).toBe(2 * 20);
    expect(costsBy.get('doorbell.unmask')!.commands).toBe(2 * 20);
  });

  it('delivers the vLPIs of the recording by every design, and takes its doorbells', () => {
    const { runs } = compareTrace(KVM, ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-naive', 'vpe-direct', 'vpe-v41']);
    for (const { design, deliveries: d } of runs)
      expect([d.fired, d.delivered, d.doorbells, d.spurious, d.unwoken], design.name).toEqual([
        2389, 2389, 1, 0, 0,
      ]);
  });

  it('compares the designs that were asked for, and no other', () => {
    const { alignments, runs } = compareTrace(KVM, ['vpe-proxy', 'mbi']);
    expect([...alignments.keys()]).toEqual(['vpe-proxy']);
    expect(runs.map((one) => one.design.name)).toEqual(['vpe-proxy', 'mbi']);
  });

  it('tells of each number which ones', async () => {
    const db = temp.path('runs.db');
    const answer = await printed(
      'compare',
      KVM,
      '--on',
      'its,direct-lpi-rfc-intid,vpe-proxy',
      '-o',
      db,
      '--json',
    );
    expect(answer.code).toBe(0);
    const told = JSON.parse(answer.out) as {
      runs: { design: string; costs: { commands: number }; deliveries: { fired: number } }[];
    };
    const query = new QueryDatabase(db);
    const rows = (sql: string) =>
      [...query.ask(sql).rows].map((row) =>
        row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)),
      );
    const totals = told.runs.map((one) => [one.design, one.costs.commands, one.deliveries.fired]);
    expect(rows('SELECT design, commands, fired FROM runs ORDER BY run')).toEqual(totals);
    expect(
      rows(`SELECT design, (SELECT count(*) FROM run_commands c WHERE c.run = runs.run AND step >= 0),
        (SELECT count(*) FROM run_messages m WHERE m.run = runs.run) FROM runs ORDER BY run`),
    ).toEqual(totals);
    expect(
      rows(`SELECT count(*), sum(r.misrouted) / 1 FROM run_faults f JOIN runs r USING (run)
        WHERE r.design = 'direct-lpi-rfc-intid' AND f.fault = 'misrouted' GROUP BY r.run`)[0]![0],
    ).toBe(run(compareTrace(KVM, ['direct-lpi-rfc-intid']), 'direct-lpi-rfc-intid').deliveries.misrouted);
    query.close();
  });
});

describe('gictrace compare', () => {
  it('tells the same twice, byte for byte', async () => {
    const args = ['compare', KVM, '--on', 'its,mbi,vpe-proxy,vpe-v41'];
    const [one, two] = [await printed(...args), await printed(...args)];
    expect(one.out).toBe(two.out);
    expect(one.out).toContain('vpe-proxy: 534 of 534 recorded commands sent again, in order; none else');
  });

  it('draws Markdown', async () => {
    const { out } = await printed('compare', MROPS, '--on', 'its,mbi', '--markdown');
    expect(out).toContain('| operation | its | mbi |');
    expect(out).toContain('| its | works |');
    expect(out).toContain('| set_affinity × 34 | 1 W 4 R 2 Q | 3 W 2 R |');
  });

  it('names the designs where one is wrong', async () => {
    const { code, err } = await printed('compare', MROPS, '--on', 'its,nonsense');
    expect(code).toBe(2);
    expect(err).toMatch(/^gictrace: there is no design 'nonsense'.*designs: its, pre-its/);
    expect(err.trimEnd()).not.toContain('\n');
  });

  it('says that a trace without devices holds nothing to compare, and leaves no database', async () => {
    const scenario = temp.path('idle.yaml');
    writeFileSync(scenario, 'scenario: idle\nmachine: { pes: 1 }\ndevices: {}\nsteps:\n  - probe: true\n');
    const active = temp.path('idle.gictrace');
    expect(await printed('record', scenario, '-o', active, '--on', 'its')).toMatchObject({ code: 0 });
    const db = temp.path('none.db');
    const { code, err } = await printed('compare', active, '--lift', '-o', db);
    expect(code).toBe(2);
    expect(err).toContain('holds no operation of a device or a vPE');
    expect(() => readFileSync(db)).toThrow('ENOENT');
  });
});
