// Logs of QEMU as people have them: lines in an unusual order, subsets of the trace events, logs that begin while the GIC
// is in use, several logs of one GIC. Imported, replayed, and with one number changed.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Checker } from '@gictrace/core/check';
import { importToTrace, sourceFacts, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const whole = (name: string) => gunzipSync(readFileSync(recording(`${name}.log.gz`))).toString('latin1');
const small = (name: string) => whole(`small/${name}`);

/** Imports texts, each as a log of its own, and replays what they make. */
async function verdictOf(...logs: readonly string[]) {
  const files = logs.map((log, n) => {
    const file = temp.path(`log${n}`);
    writeFileSync(file, log);
    return file;
  });
  const trace = temp.path('trace');
  const report = await importToTrace(files, trace, { version: 'test', force: true });
  return { report, verdict: replayTrace(trace, { version: 'test' }) };
}

/** What the checker finds in the trace that was made last. */
function findings(): string[] {
  const reader = TraceReader.open(temp.path('trace'));
  const checker = new Checker(reader.header.config, sourceFacts(reader.header));
  for (const { batch } of reader.batches()) checker.take(batch);
  reader.close();
  return checker.finish().map(({ rule }) => rule);
}

/** A log with the n-th place where `from` stands changed to `to`. */
function changed(log: string, from: string, to: string, n = 0): string {
  let at = -1;
  for (let k = 0; k <= n; k++) at = log.indexOf(from, at + 1);
  expect(at).toBeGreaterThanOrEqual(0);
  return log.slice(0, at) + to + log.slice(at + from.length);
}

describe('small logs, each with something that an importer can get wrong', () => {
  it.each([
    'all-events',
    'two-cwriter-writes',
    'cbaser-while-enabled',
    'lpi-disabled-then-inv',
    'pending-table-preset',
    'no-cpuif-events',
    'migration.src',
    'migration.dst',
    'migration-idle.src',
    'migration-idle.dst',
    'migration-nostamp.dst',
    'mid-run',
    'before-reset-prio0',
  ])('%s: the same, and nothing found', async (name) => {
    const { verdict } = await verdictOf(small(name));
    expect(verdict.first).toBeNull();
    expect(Object.values(verdict.compared).reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
    // The guest of one of them does what it may not do.
    expect(findings()).toEqual(name === 'cbaser-while-enabled' ? ['its-register-while-enabled'] : []);
  });

  it('two writes of GITS_CWRITER with nothing between them: each has its own commands', async () => {
    // One write moves to the other's commands, and the two no longer agree with the read pointer.
    const log = changed(
      small('two-cwriter-writes'),
      'offset 0x88 data 0xa0 size 8',
      'offset 0x88 data 0xc0 size 8',
    );
    expect((await verdictOf(log)).verdict.diverged).toBeGreaterThan(0);
  });

  it('an LPI that is pending and not signalled is disabled, until INV', async () => {
    const { verdict } = await verdictOf(small('lpi-disabled-then-inv'));
    expect(verdict.unknown['lpi-disabled-from-silence']).toBe(2);
  });

  it('LPIs of a pending table become pending by a rule that is counted; those that are never shown do not', async () => {
    const { verdict } = await verdictOf(small('pending-table-preset'));
    expect(verdict.unknown['lpi-pending-from-hppi']).toBe(3);
    const text = (await run('dump', temp.path('trace'))).out;
    expect(text).not.toContain('8230');
  });

  it('without hppi the order of acknowledges gives the order of priorities', async () => {
    const { verdict } = await verdictOf(small('no-cpuif-events'));
    expect(verdict.compared.hppi).toBeUndefined();
    expect(verdict.unknown['hppi: not shown by the source']).toBeGreaterThan(0);
    expect(verdict.unknown['lpi-config-from-acknowledge']).toBeGreaterThan(1);
  });
});

describe('a log that begins while the GIC is in use', () => {
  it('says so in import, info and every verdict', async () => {
    const log = temp.path('dst.log');
    const trace = temp.path('dst.gictrace');
    writeFileSync(log, small('migration.dst'));
    const says = 'begins in mid-life, while the GIC is in use';
    expect((await run('import', log, '-o', trace)).out).toContain(`the log ${says}`);
    expect((await run('info', trace)).out).toContain(`the source ${says}`);
    expect((await run('replay', trace)).out).toContain(`the source ${says}`);
    expect(JSON.parse((await run('replay', trace, '--json')).out)).toMatchObject({ start: 'mid-life' });
  });

  it('one number changed in what is known diverges', async () => {
    const log = small('migration.dst');
    for (const [from, to, n] of [
      ['ICC_IAR1 read cpu 0x0 value 0x200d', 'ICC_IAR1 read cpu 0x0 value 0x200c', 0],
      ['irq 8207 group 2 prio 144', 'irq 8206 group 2 prio 144', 0],
      ['irq 8207 group 2 prio 255', 'irq 8207 group 2 prio 144', 0],
      ['offset 0x90 data 0xe0', 'offset 0x90 data 0xc0', 0],
      ['pINTID 0x200f', 'pINTID 0x200e', 0],
      ['intid 0x200f ICID 0x2', 'intid 0x200e ICID 0x2', 1],
      ['offset 0x7: 0x3', 'offset 0x8: 0x3', 0],
    ] as const)
      expect(
        (await verdictOf(changed(log, from, to, n))).verdict.diverged,
        `${from} to ${to}`,
      ).toBeGreaterThan(0);
  });

  it('source and destination of a migration are one trace, with the seam as a record', async () => {
    for (const name of ['migration', 'migration-idle', 'migration-nostamp']) {
      const { verdict, report } = await verdictOf(small(`${name}.src`), small(`${name}.dst`));
      expect([name, verdict.diverged, report.start]).toEqual([name, 0, 'reset']);
      const reader = TraceReader.open(temp.path('trace'));
      expect(reader.footer!.kinds['source.seam']).toBe(1);
      expect(reader.footer!.kinds['state.known']).toBeUndefined();
      reader.close();
    }
  });

  it('threads begin again behind a seam, and one that shows by itself is a seam by a rule', async () => {
    const [src, dst] = [small('threads.src'), small('threads.dst')];
    expect((await verdictOf(src, dst)).verdict).toMatchObject({ diverged: 0 });
    const { verdict } = await verdictOf(src + dst);
    expect([verdict.diverged, verdict.unknown['seam-from-threads']]).toEqual([0, 1]);
    // One line that names another PE than its thread runs is no seam.
    const line = (thread: number, pe: number, t: number) =>
      `${thread}@5.${`${t}`.padStart(6, '0')}:gicv3_icc_pmr_write GICv3 ICC_PMR write cpu 0x${pe} value 0xf0\n`;
    const wrong = [line(100, 0, 1), line(101, 1, 2), line(100, 1, 3), line(100, 0, 4), line(101, 1, 5)].join(
      '',
    );
    expect((await verdictOf(wrong)).verdict.divergedBy['source.conflict']).toBe(1);
  });

  it('an INTID of 0 behind another one is a seam where that one is beyond doubt, and else a contradiction', async () => {
    const both = small('migration-idle.src') + small('migration-idle.dst');
    const { verdict } = await verdictOf(both);
    expect([verdict.diverged, verdict.unknown['seam-from-hppi']]).toEqual([0, 1]);
    const log = changed(small('all-events'), 'irq 0 group 0 prio 255', 'irq 1 group 0 prio 255');
    expect((await verdictOf(log)).verdict.divergedBy['source.conflict']).toBe(1);
  });
});

describe('one thread that runs several PEs', () => {
  it('attributes nothing, neither before nor behind the line that shows it', async () => {
    const read = (t: number) =>
      `7@5.${`${t}`.padStart(6, '0')}:gicv3_dist_read GICv3 distributor read: offset 0x4 data 0x37a0007 size 4 secure 0\n`;
    const name = (pe: number, t: number) =>
      `7@5.${`${t}`.padStart(6, '0')}:gicv3_icc_pmr_read GICv3 ICC_PMR read cpu 0x${pe} value 0x0\n`;
    const { verdict } = await verdictOf(name(0, 1) + read(2) + name(1, 3) + read(4) + name(0, 5) + read(6));
    expect(verdict.diverged).toBe(0);
    expect(verdict.unknown['pe-from-thread']).toBeUndefined();
    const alone = await verdictOf(read(1) + name(0, 2) + read(3));
    expect(alone.verdict.unknown['pe-from-thread']).toBe(2);
  });
});

/** Each class of trace events that a user may leave out. */
const SUBSETS: Readonly<Record<string, RegExp>> = {
  'no-cpuif': /^gicv3_cpuif_/,
  'no-cpuif_update': /^gicv3_cpuif_update /,
  'no-set_irqs': /^gicv3_cpuif_set_irqs /,
  'no-its_cmd': /^gicv3_its_cmd_/,
  'no-process_command': /^gicv3_its_process_command /,
  'no-dte': /^gicv3_its_dte_/,
  'no-cte': /^gicv3_its_cte_/,
  'no-ite': /^gicv3_its_ite_/,
  'no-send_sgi': /^gicv3_redist_send_sgi /,
  'no-generate_sgi': /^gicv3_icc_generate_sgi /,
  'no-dist': /^gicv3_dist_/,
  'no-redist': /^gicv3_redist_(read|write) /,
  'no-icc_pmr_igrpen': /^gicv3_icc_(pmr|igrpen)/,
  'no-its_rw': /^gicv3_its_(read|write) /,
  'no-icc': /^gicv3_icc_/,
  'no-icc_eoir': /^gicv3_icc_eoir_write /,
  'no-redist_write-icc_eoir': /^gicv3_(redist|icc_eoir)_write /,
  'no-its_cmd_int-icc_eoir-icc_igrpen': /^gicv3_(its_cmd_int|icc_eoir_write|icc_igrpen_write) /,
};

describe('a subset of the trace events', () => {
  it.each(Object.keys(SUBSETS))('%s: never diverged', async (name) => {
    const lines = small('all-events')
      .split('\n')
      .filter((line) => !SUBSETS[name]!.test(line));
    const { verdict } = await verdictOf(lines.join('\n'));
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
  });

  it('names the accesses that are missing, and how to record them', async () => {
    const lines = small('all-events')
      .split('\n')
      .filter((line) => !SUBSETS['no-dist']!.test(line));
    const log = temp.path('subset.log');
    writeFileSync(log, lines.join('\n'));
    const { out } = await run('import', log, '-o', temp.path('subset.gictrace'));
    expect(out).toContain('has no lines for GICD writes');
    expect(out).toContain("-trace 'gicv3_dist_*'");
  });
});

/** A log without the lines of some events. */
function without(log: string, ...events: readonly string[]): string {
  const dropped = new Set(events.map((event) => `gicv3_${event}`));
  return log
    .split('\n')
    .filter((line) => !dropped.has(line.split(' ', 1)[0]!))
    .join('\n');
}

describe('a subset of the trace events of Linux at EL2 with two Security states', () => {
  const log = small('linux-secure-el2-head');

  it.each([
    [['icc_dir_write'], ['deactivations']],
    [['icc_ctlr_write'], ['ICC_CTLR writes']],
    [
      ['icc_ctlr_write', 'icc_ctlr_read', 'icc_dir_write'],
      ['ICC_CTLR writes', 'deactivations'],
    ],
    [['icc_generate_sgi'], ['SGIs']],
    [
      ['icc_iar1_read', 'icc_eoir_write', 'cpuif_set_irqs'],
      ['acknowledges', 'ends'],
    ],
    [['dist_read'], []],
    // What is left of the accesses to ICC_PMR_EL1 says whether it is shifted.
    [['icc_pmr_read', 'icc_ap_write'], []],
  ])('without %j the same: %j are missing', async (events, missing) => {
    const { report, verdict } = await verdictOf(without(log, ...events));
    expect(verdict.first).toBeNull();
    expect(verdict.compared['mmio.read']).toBeGreaterThan(events[0] === 'dist_read' ? 60 : 100);
    // What follows from the lines that are missing is inferred, so that the rest is compared.
    expect(verdict.compared.hppi).toBeGreaterThan(1550);
    expect(findings()).toEqual([]);
    expect([...report.missing].sort()).toEqual([...missing].sort());
  });

  it.each([
    ['icc_dir_write', 'irq 30 group 2 prio 208', 'irq 30 group 2 prio 200', 3],
    ['icc_dir_write', 'irq 30 group 2 prio 208', 'irq 29 group 2 prio 208', 3],
    ['icc_dir_write', 'offset 0x4 data 0x37a0407', 'offset 0x4 data 0x37a0406', 1],
    ['icc_dir_write', 'ICC_IAR1 read cpu 0x0 value 0x1e', 'ICC_IAR1 read cpu 0x0 value 0x1d', 2],
    ['icc_ctlr_write', 'irq 30 group 2 prio 208', 'irq 30 group 0 prio 208', 3],
    ['icc_generate_sgi', 'irq 30 group 2 prio 208', 'irq 30 group 2 prio 216', 1],
    ['dist_read', 'irq 30 group 2 prio 208', 'irq 30 group 2 prio 216', 1],
    ['dist_read', 'setting FIQ 0 IRQ 1', 'setting FIQ 1 IRQ 0', 5],
  ] as const)('without %s a changed number diverges: %s is %s', async (event, from, to, n) => {
    const { verdict } = await verdictOf(changed(without(log, event), from, to, n));
    expect(verdict.diverged).toBeGreaterThan(0);
  });

  it('has two Security states by the priorities that are signalled, though GICD_TYPER was not read', async () => {
    const { report } = await verdictOf(without(log, 'dist_read'));
    expect(report.config.gicd.typer & 0x400).toBe(0x400);
    // LPIs as Redistributors support them.
    const noLpis = without(log, 'dist_read').replaceAll(/(offset 0x8 data 0x\w*)1( size 8)/g, '$10$2');
    const lpis = [report, (await verdictOf(noLpis)).report].map(({ config }) => config.gicd.typer & 0x2_0000);
    expect(lpis).toEqual([0x2_0000, 0]);
    // An interrupt of a GIC with one Security state has the priority that was written.
    const single = await verdictOf(without(small('all-events'), 'dist_read'));
    expect(single.report.config.gicd.typer & 0x400).toBe(0);
  });

  it('is the same cut anywhere in what an acknowledge did', async () => {
    const lines = log.split('\n');
    const at = lines.findLastIndex((line) => line.startsWith('gicv3_icc_iar1_read'));
    for (let length = at - 3; length <= at + 2; length++)
      expect((await verdictOf(lines.slice(0, length).join('\n'))).verdict.first).toBeNull();
  });

  it('of the ITS alone has the PEs that collections are mapped to', async () => {
    const its = log.split('\n').filter((line) => line.startsWith('gicv3_its_'));
    for (const lines of [its, its.filter((line) => !line.includes('_cte_'))]) {
      const { report, verdict } = await verdictOf(lines.join('\n'));
      expect(report.config.pes).toHaveLength(3);
      expect(report.provenance.pes).toBe('counted');
      expect([verdict.first, findings()]).toEqual([null, []]);
    }
  });
});

describe('a log whose first line is an input line that falls', () => {
  it('begins in mid-life', async () => {
    const fall = 'gicv3_redist_set_irq GICv3 redistributor 0x0 interrupt 27 level changed to 0';
    const { report, verdict } = await verdictOf(`${fall}\n${fall.replace('to 0', 'to 1')}\n`);
    expect([report.start, verdict.first]).toEqual(['mid-life', null]);
    // The same line twice contradicts itself.
    const again = await verdictOf(`${fall}\n${fall}\n`);
    expect(again.verdict.diverged).toBe(1);
  });
});

describe('a register of which nothing is learnt, read in mid-life', () => {
  const fall = 'gicv3_redist_set_irq GICv3 redistributor 0x0 interrupt 27 level changed to 0';
  const begin = [
    fall,
    fall.replace('to 0', 'to 1'),
    'gicv3_dist_read GICv3 distributor read: offset 0x0 data 0x37 size 4 secure 1',
    'gicv3_dist_read GICv3 distributor read: offset 0x4 data 0x37a0407 size 4 secure 1',
  ];
  const read = 'gicv3_dist_read GICv3 distributor read: offset 0xe08 data 0x3 size 4 secure 1';
  const write = (value: string) =>
    `gicv3_dist_write GICv3 distributor write: offset 0xe08 data ${value} size 4 secure 1`;

  it('is undecided until the log writes it, and compared from then on', async () => {
    const shown = await verdictOf([...begin, read, read].join('\n'));
    expect([shown.report.start, shown.verdict.first]).toEqual(['mid-life', null]);
    const same = await verdictOf([...begin, read, write('0x3'), read].join('\n'));
    expect(same.verdict.first).toBeNull();
    const other = await verdictOf([...begin, read, write('0x1'), read].join('\n'));
    expect([other.verdict.diverged, other.verdict.first?.line]).toEqual([1, 7]);
  });
});

describe('GICD_NSACR<n>, by which Non-secure software sees Secure interrupts', () => {
  const dist = (what: 'read' | 'write', offset: number, data: number, secure: 0 | 1) =>
    `gicv3_dist_${what} GICv3 distributor ${what}: offset 0x${offset.toString(16)} data 0x${data.toString(16)} size 4 secure ${secure}`;
  const begin = [
    'gicv3_redist_set_irq GICv3 redistributor 0x0 interrupt 27 level changed to 0',
    dist('read', 0, 0x37, 1),
    dist('read', 4, 0x37a0407, 1),
  ];
  const [SET, CLEAR, ACTIVE] = [0x204, 0x284, 0x304];
  const nsacr = (value: number) => dist('write', 0xe08, value, 1);
  const imported = (...lines: readonly string[]) => verdictOf([...begin, ...lines].join('\n'));
  /** Whether a Non-secure read of 1 reveals the group of SPI 32. */
  const isRevealed = async (register: number, ...before: readonly string[]) => {
    const { verdict } = await imported(...before, dist('read', register, 1, 0));
    expect(verdict.first).toBeNull();
    const { out } = await run('dump', temp.path('trace'));
    return / state\.known what group .* INTID 32 value 0x1 /.test(out);
  };

  it('is unknown until it is written: such a read reveals no group', async () => {
    for (const register of [SET, CLEAR, ACTIVE]) expect(await isRevealed(register)).toBe(false);
  });

  it('reveals none where it lets Non-secure software see the interrupt, and the group where it does not', async () => {
    for (const [register, least] of [
      [SET, 1],
      [CLEAR, 2],
      [ACTIVE, 2],
    ] as const)
      for (const value of [0, 1, 2, 3])
        expect([register, value, await isRevealed(register, nsacr(value))]).toEqual([
          register,
          value,
          value < least,
        ]);
  });

  it('decides whether such a read of a Secure interrupt is a divergence, once it is written', async () => {
    const log = whole('tfa-uboot-linux').trimEnd().split('\n');
    const late = log.slice(-4000);
    // SPIs 96 to 127, which the guest does not use.
    const all = 0xffff_ffff;
    const secure = [dist('write', 0x8c, 0, 1), dist('write', 0x30c, all, 1)];
    const both = (value: number) => [0xe18, 0xe1c].map((offset) => dist('write', offset, value, 1));
    const [read, end] = [dist('read', 0x30c, all, 0), dist('read', 0x8c, 0, 1)];
    for (const [lines, count] of [
      [[], 0],
      [both(0).slice(1), 0],
      [both(0), 1],
      [both(0xaaaa_aaaa), 0],
    ] as const) {
      const { report, verdict } = await verdictOf([...late, ...secure, ...lines, read, end].join('\n'));
      expect([report.start, report.missing, verdict.diverged]).toEqual(['mid-life', [], count]);
    }
  });
});

describe('what Non-secure software writes to Secure interrupts', () => {
  const access = (what: 'read' | 'write', offset: number, data: number, secure: 0 | 1, size = 4) =>
    `gicv3_dist_${what} GICv3 distributor ${what}: offset 0x${offset.toString(16)} data 0x${data.toString(16)} size ${size} secure ${secure}`;
  const late = whole('tfa-uboot-linux').trimEnd().split('\n').slice(-4000);
  const all = 0xffff_ffff;
  // SPIs 96 to 127, which the guest does not use: in Group 0, edge-triggered, their input lines low.
  const secure = [
    access('write', 0x8c, 0, 1),
    ...[0xc18, 0xc1c].map((offset) => access('write', offset, 0xaaaa_aaaa, 1)),
    ...Array.from({ length: 32 }, (_, n) =>
      [1, 0].map(
        (level) => `gicv3_dist_set_irq GICv3 distributor interrupt ${96 + n} level changed to ${level}`,
      ),
    ).flat(),
  ];
  const nsacr = (value: number) => [0xe18, 0xe1c].map((offset) => access('write', offset, value, 1));

  it.each([
    [
      'pending states',
      [access('write', 0x28c, all, 1), access('write', 0x20c, 1, 0)],
      access('read', 0x20c, 1, 1),
    ],
    [
      'a route',
      [access('write', 0x6300, 0, 1, 8), access('write', 0x6300, 1, 0, 8)],
      access('read', 0x6300, 1, 1, 8),
    ],
  ] as const)(
    '%s: takes effect if GICD_NSACR<n> says so, and may if it is unknown',
    async (_what, writes, read) => {
      for (const [before, count] of [
        [[], 0],
        [nsacr(0), 1],
        [nsacr(all), 0],
      ] as const) {
        const lines = [...late, ...secure, ...before, ...writes, read, access('read', 0x8c, 0, 1)];
        const { report, verdict } = await verdictOf(lines.join('\n'));
        expect([report.start, report.missing, verdict.diverged]).toEqual(['mid-life', [], count]);
      }
    },
  );
});

/** Windows of a recording: as a log that was attached late, and cut at its end. */
function windows(log: string, count: number, length: number): string[] {
  const lines = log.split('\n');
  let seed = 99;
  return Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    const from = Math.floor((seed / 2 ** 32) * lines.length);
    return lines.slice(from, from + length).join('\n');
  });
}

describe.each([
  'linux-gicv3-mrops',
  'linux-gicv3-spi-head',
  'linux-gicv4-kvm',
  'gicv3-active',
  'its-trigger',
])('windows of %s', (name) => {
  it('never diverge, and nothing is found in them that the whole log does not have', {
    timeout: 240_000,
  }, async () => {
    const known = new Set(name === 'its-trigger' ? ['command-error'] : []);
    for (const log of windows(whole(name), 6, 4000)) {
      if (!/gicv3_/.test(log)) continue;
      const { verdict } = await verdictOf(log);
      expect(verdict.first).toBeNull();
      expect(findings().filter((rule) => !known.has(rule))).toEqual([]);
    }
  });
});

it.each(['el3-with-truth-markers', 'el3-bare-metal'])(
  'ends of %s, with two Security states, never diverge: much of what decides is not in them',
  async (name) => {
    const lines = whole(name).trimEnd().split('\n');
    let compared = 0;
    for (let from = 28; from < 800; from += 27) {
      const { report, verdict } = await verdictOf(lines.slice(from).join('\n'));
      expect([from, report.start, verdict.first]).toEqual([from, 'mid-life', null]);
      for (const n of Object.values(verdict.compared)) compared += n;
    }
    expect(compared).toBeGreaterThan(3000);
  },
);

describe('the format of a log', () => {
  const log = () => {
    const path = temp.path('format.log');
    writeFileSync(path, `a line of a guest's console\n${small('all-events')}`);
    return path;
  };

  it('is found by its lines', async () => {
    const [qemu, lines, again] = [temp.path('q'), temp.path('lines.jsonl'), temp.path('j')];
    expect((await run('import', log(), '-o', qemu)).code).toBe(0);
    writeFileSync(lines, (await run('dump', qemu, '--json', '--header')).out);
    expect(await run('import', lines, '-o', again)).toMatchObject({ code: 0, err: '' });
    const ftrace = temp.path('ftrace');
    writeFileSync(
      ftrace,
      '# tracer: nop\n  CPU 0/KVM-12 [000] d..1. 1.000001: vgic_update_irq_pending: VCPU: 0, IRQ 27, level: 1\n',
    );
    expect((await run('import', ftrace, '-o', temp.path('f'))).code).toBe(0);
  });

  it('that is none is said in one line, with what was seen and what formats there are', async () => {
    const path = temp.path('none');
    writeFileSync(path, 'what is this?\n');
    const { code, err } = await run('import', path, '-o', temp.path('n'));
    expect(code).toBe(2);
    expect(err).toMatch(
      /^gictrace: [^\n]*begins with "what is this\?"[^\n]*formats: qemu[^\n]*ftrace[^\n]*jsonl[^\n]*\n$/,
    );
  });

  it('takes one log unless it is of QEMU', async () => {
    const { code, err } = await run('import', 'jsonl', 'a', 'b', '-o', temp.path('n'));
    expect([code, err]).toEqual([2, expect.stringMatching(/2 logs are given, but jsonl takes one/)]);
  });
});
