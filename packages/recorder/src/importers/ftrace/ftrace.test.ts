// Tests ftrace's text: what its lines contain is imported, whichever tool prints them; what they do not contain stays
// out, and is reported by name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { afterAll, describe, expect, it } from 'vitest';
import { importFtraceToTrace } from '../../import-trace.ts';
import { TraceReader } from '../../trace/index.ts';
import type { FtraceOptions } from './index.ts';
import { lostEvents, otherLine, parseLine } from './lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'gictrace-ftrace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function imported(text: string, options: FtraceOptions = {}) {
  const [log, out] = [join(folder, 'log'), join(folder, 'out')];
  writeFileSync(log, text);
  const report = await importFtraceToTrace(log, out, { version: 'test', ...options });
  const reader = TraceReader.open(out);
  reader.verify();
  const records: string[] = [];
  for (const { batch } of reader.batches())
    for (let i = 0; i < batch.count; i++) records.push(`${batch.line[i]}: ${recordText(batch, i)}`);
  reader.close();
  return { ...report, records, header: reader.header };
}

async function refused(text: string, options: FtraceOptions = {}): Promise<string> {
  try {
    await imported(text, options);
  } catch (error) {
    expect(error).toBeInstanceOf(GicTraceError);
    expect((error as GicTraceError).code).toBe('input');
    return (error as GicTraceError).line;
  }
  throw new Error('it was taken');
}

/** A kernel that probes its GIC, with two Redistributors and an ITS, as tracefs prints it. */
const HOST = `# tracer: nop
#
# entries-in-buffer/entries-written: 20/25   #P:2
#
#                                _-----=> irqs-off/BH-disabled
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
          <idle>-0       [000] d..1.     1.000000: rwmmio_read: gic_validate_dist_version+0x20/0x60 -> gic_validate_dist_version+0x20/0x60 width=32 addr=0xffff80000800ffe8
          <idle>-0       [000] d..1.     1.000001: rwmmio_post_read: gic_validate_dist_version+0x20/0x60 -> gic_validate_dist_version+0x20/0x60 width=32 val=0x3b addr=0xffff80000800ffe8
          <idle>-0       [000] d..1.     1.000002: rwmmio_read: gic_init_bases+0x90/0x5b0 -> gic_init_bases+0x90/0x5b0 width=32 addr=0xffff800008000004
          <idle>-0       [000] d..1.     1.000003: rwmmio_post_read: gic_init_bases+0x90/0x5b0 -> gic_init_bases+0x90/0x5b0 width=32 val=0x37a0007 addr=0xffff800008000004
          <idle>-0       [000] d..1.     1.000010: rwmmio_post_read: gic_iterate_rdists.constprop.0+0x40/0x170 -> gic_iterate_rdists.constprop.0+0x40/0x170 width=32 val=0x3b addr=0xffff80000830ffe8
          <idle>-0       [000] d..1.     1.000011: rwmmio_post_read: gic_iterate_rdists.constprop.0+0x6c/0x170 -> gic_iterate_rdists.constprop.0+0x6c/0x170 width=64 val=0x1000001 addr=0xffff800008300008
          <idle>-0       [000] d..1.     1.000012: rwmmio_post_read: gic_iterate_rdists.constprop.0+0x6c/0x170 -> gic_iterate_rdists.constprop.0+0x6c/0x170 width=64 val=0x101000111 addr=0xffff800008320008
          <idle>-0       [000] d..1.     1.000020: rwmmio_write: gic_dist_init+0x38/0x1a0 -> gic_dist_init+0x38/0x1a0 width=32 val=0x0 addr=0xffff800008000000
          <idle>-0       [000] d..1.     1.000021: rwmmio_post_write: gic_dist_init+0x38/0x1a0 -> gic_dist_init+0x38/0x1a0 width=32 val=0x0 addr=0xffff800008000000
   kworker/1:2-H-77      [001] d.h2.     1.000030: rwmmio_write: gic_poke_irq+0x58/0xa0 -> gic_unmask_irq+0x10/0x20 width=32 val=0x8 addr=0xffff800008330100
   kworker/1:2-H-77      [001] d.h2.     1.000031: rwmmio_read: readl+0x0/0x40 -> uart_read+0x10/0x20 [uart] width=32 addr=0xffff80000a000018
   kworker/1:2-H-77      [001] d.h2.     1.000032: irq_handler_entry: irq=11 handler=arch_timer
   kworker/1:2-H-77      [001] d.h2.     1.000033: ipi_raise: target_mask=00000000,00000001 (Function call interrupts)
CPU:1 [LOST 7 EVENTS]
   kworker/1:2-H-77      [001] d.h2.     1.000034: sched_switch: prev_comm=a ==> next_comm=b
          <idle>-0       [000] d..1.     1.000040: rwmmio_post_read: its_map_one+0x50/0x140 -> its_map_one+0x50/0x140 width=32 val=0x3b addr=0xffff80000840ffe8
          <idle>-0       [000] d..1.     1.000041: rwmmio_write: its_enable+0x50/0x140 -> its_enable+0x50/0x140 width=32 val=0x1 addr=0xffff800008400000
          <idle>-0       [000] d..1.     1.000042: rwmmio_read: its_enable+0x50/0x140 -> its_enable+0x50/0x140 width=32 addr=0xffff800008400000
`;

describe('of a host', () => {
  it('finds the frames by the probes of the kernel, and tells each access once', async () => {
    const { records, config, provenance, header } = await imported(HOST);
    expect(records.map((text) => text.replace(/ \(assumed: pe-from-cpu\)/, ''))).toEqual([
      '9: +0.000001000s PE0 GICD_PIDR2 -> 0x3b',
      '11: +0.000003000s PE0 GICD_TYPER -> 0x37a0007 {ITLinesNumber=7 LPIS IDbits=16 A3V No1N}',
      '12: +0.000010000s PE0 GICR[0] GICR_PIDR2 -> 0x3b',
      '13: +0.000011000s PE0 GICR[0] GICR_TYPER -> 0x1000001 {PLPIS CommonLPIAff=1}',
      '14: +0.000012000s PE0 GICR[1] GICR_TYPER -> 0x101000111 {PLPIS Last Processor_Number=1 CommonLPIAff=1 Aff0=1}',
      '15: +0.000020000s PE0 GICD_CTLR <- 0x0',
      '17: +0.000030000s PE1 GICR[1] GICR_ISENABLER0 <- 0x8 {INTID 3}',
      '19: +0.000032000s host.irq.entry cpu 1 irq 11 INTID 1023',
      '20: +0.000033000s host.ipi.raise cpu 1 targets 0x1 reason Function call interrupts',
      '21: +? source.lost cpu 1 count 7',
      '21: +? gic.reset by unknown (unknown: state-after-loss)',
      '23: +0.000040000s PE0 GITS[0] GITS_PIDR2 -> 0x3b',
      '24: +0.000041000s PE0 GITS[0] GITS_CTLR <- 0x1 {Enabled}',
      '25: +0.000042000s PE0 GITS[0] GITS_CTLR -> ?',
    ]);
    expect(config.profile).toBe('architecture');
    expect(config.pes).toEqual([{ affinity: 0 }, { affinity: 1 }]);
    expect(config.its).toHaveLength(1);
    expect(config.gicd.typer).toBe(0x37a_0007);
    // The addresses are virtual, so the physical addresses of the frames are not in the log.
    expect(provenance['addresses.gicd']).toBe('default');
    expect(header.source.kind).toBe('ftrace');
  });

  it('counts what it leaves out by name', async () => {
    const { stats } = await imported(HOST);
    expect(stats.losses).toEqual({
      'events that the ring buffer lost': 12,
      'event sched_switch': 1,
      'rwmmio: an access to no known frame of the GIC': 1,
    });
    expect(stats.events.rwmmio_post_read).toBe(6);
  });

  it('says the same of what trace-cmd report prints, and of kernels that name one caller', async () => {
    const other = HOST.split('\n')
      .filter((line) => !line.startsWith('#') && !line.startsWith('CPU:'))
      .map((line) =>
        line
          .replace(/ \[(\d+)\] [^ ]+ +/, ' [$1]   ')
          .replace(/: (rwmmio_\w+): \S+ -> /, ':   $1:   ')
          .replace(' val=0x0 ', ' val=0 '),
      );
    const one = await imported(HOST);
    const two = await imported(['cpus=2', ...other].join('\r\n'));
    // The lines about lost events are left out of the other text.
    const without = (records: string[]) =>
      records
        .map((text) => text.replace(/^\d+: /, ''))
        .filter((text) => !/source\.lost|gic\.reset/.test(text));
    expect(without(two.records)).toEqual(without(one.records));
    expect(two.config).toEqual(one.config);
  });

  it('says where the frames are if the text does not', async () => {
    const late = HOST.split('\n').slice(14).join('\n');
    expect(await refused(late.replaceAll('its_map_one', 'other'))).toMatch(
      /does not show where the frames of the GIC are \(give --gicd, --gicr and --gits/,
    );
    const { records } = await imported(late, {
      gicd: 0xffff_8000_0800_0000n,
      gicr: [{ base: 0xffff_8000_0830_0000n, count: 2 }],
      gits: [0xffff_8000_0840_0000n],
    });
    expect(records.filter((text) => /GIC[DRT]|GITS/.test(text))).toHaveLength(5);
    expect(records.join()).toContain('GICR[1]');
  });

  it('gives a GICv4 Redistributor its stride, and refuses a PE that was not counted', async () => {
    const v4 = HOST.replaceAll('val=0x1000001 ', 'val=0x1000003 ')
      .replaceAll('ffff800008320', 'ffff800008340')
      .replaceAll('ffff800008330', 'ffff800008350');
    const { records } = await imported(v4);
    expect(records[4]).toContain('GICR[1] GICR_TYPER');
    expect(records[6]).toContain('GICR[1] GICR_ISENABLER0');
    expect(await refused(HOST, { pes: 1 })).toMatch(/PE 1 appears, but 1 PEs were counted.*--pes 2/);
  });
});

/** Lines of a host whose Distributor is at 0x1000000000000, by CPU. */
const lines = (...list: readonly (readonly [cpu: number, task: string, event: string, text: string])[]) =>
  list
    .map(
      ([cpu, task, event, text], k) => ` ${task} [00${cpu}] d..1. 1.00000${k}: ${event}: f+0x1/0x2 ${text}`,
    )
    .join('\n');
const BASE = { gicd: 0x1_0000_0000_0000n, pes: 2 };
const at = (offset: number) => `addr=0x${(BASE.gicd + BigInt(offset)).toString(16)}`;

describe('accesses told in part', () => {
  it('a write that is told after it was made only is one too', async () => {
    const write = `width=32 val=0x1 ${at(0)}`;
    const { records } = await imported(
      lines(
        [0, 'a-1', 'rwmmio_write', write],
        [0, 'a-1', 'rwmmio_post_write', write],
        [0, 'a-1', 'rwmmio_post_write', write],
      ),
      BASE,
    );
    expect(records.map((text) => text.slice(0, 2))).toEqual(['1:', '3:']);
  });

  it('idle tasks of two CPUs are two threads', async () => {
    const read = `width=32 ${at(4)}`;
    const { records } = await imported(
      lines(
        [0, '<idle>-0', 'rwmmio_read', read],
        [1, '<idle>-0', 'rwmmio_read', read],
        [0, '<idle>-0', 'rwmmio_post_read', `width=32 val=0x7 ${at(4)}`],
      ),
      BASE,
    );
    expect(records).toEqual([
      expect.stringMatching(/^3: .* PE0 GICD_TYPER -> 0x7/),
      expect.stringMatching(/^2: .* PE1 GICD_TYPER -> \?/),
    ]);
  });

  it('reads without values are not kept for ever', async () => {
    const list = Array.from(
      { length: 9 },
      (_, k) => [0, 'a-1', 'rwmmio_read', `width=32 ${at(0x80 + 4 * k)}`] as const,
    );
    const { records } = await imported(
      lines(...list, [0, 'a-1', 'rwmmio_write', `width=8 val=0x1ff ${at(0x420)}`]),
      BASE,
    );
    expect(records).toHaveLength(10);
    expect(records[0]).toMatch(/^1: .*GICD_IGROUPR0 -> \?/);
    expect(records[1]).toMatch(/^10: .*GICD_IPRIORITYR8\S* <- 0xff/);
  });

  it('what is no GICv3 or GICv4 is no frame; behind the last Redistributor there is none', async () => {
    expect(await refused(HOST.replaceAll('val=0x3b', 'val=0x2b'))).toMatch(/does not show where the frames/);
    const more = `${HOST} sh-9 [001] d..1. 1.000050: rwmmio_write: f+0x1/0x2 width=32 val=0x1 addr=0xffff800008340014\n`;
    const { stats } = await imported(more);
    expect(stats.losses['rwmmio: an access to no known frame of the GIC']).toBe(2);
  });
});

/** A guest, as tracefs prints KVM's events. */
const GUEST = `
       CPU 0/KVM-1201    [003] .....   100.000001: kvm_mmio: mmio unsatisfied-read len 4 gpa 0x8000004 val 0x0
       CPU 0/KVM-1201    [003] .....   100.000002: kvm_mmio: mmio read len 4 gpa 0x8000004 val 0x37a0007
       CPU 1/KVM-1202    [002] .....   100.000003: kvm_mmio: mmio write len 4 gpa 0x80c0014 val 0x0
       CPU 1/KVM-1202    [002] .....   100.000004: kvm_mmio: mmio write len 4 gpa 0x9000000 val 0x41
          vhost-1-1300   [001] .....   100.000005: vgic_update_irq_pending: VCPU: 0, IRQ 36, level: 1
       CPU 1/KVM-1202    [002] .....   100.000006: vgic_update_irq_pending: VCPU: 1, IRQ 27, level: 1
          worker-1300    [001] .....   100.000007: kvm_mmio: mmio read len 8 gpa 0x80a0008 val 0x100000000
       CPU 0/KVM-1201    [003] .....   100.000008: rwmmio_write: a+0x1/0x2 -> b+0x1/0x2 width=32 val=0x1 addr=0xffff800008000000
       CPU 0/KVM-1201    [003] .....   100.000009: kvm_mmio: mmio sideways len 4 gpa 0x8000004 val 0x1
       CPU 0/KVM-1201    [003] .....   100.000010: kvm_exit: HSR_EC: 0x0024
`;
const GUEST_OPTIONS = { gicd: 0x800_0000n, gicr: [{ base: 0x80a_0000n, count: 2 }] };

describe('of a guest', () => {
  it('has accesses of vCPUs, and the inputs that KVM is told of', async () => {
    const { records, config, provenance, stats } = await imported(GUEST, GUEST_OPTIONS);
    expect(records).toEqual([
      '3: +0.000001000s PE0 GICD_TYPER -> 0x37a0007 {ITLinesNumber=7 LPIS IDbits=16 A3V No1N} (inferred: pe-from-vcpu-thread)',
      '4: +0.000002000s PE1 GICR[1] GICR_WAKER <- 0x0 (inferred: pe-from-vcpu-thread)',
      '6: +0.000004000s PE? wire.set INTID 36 level yes',
      '7: +0.000005000s PE1 wire.set INTID 27 level yes',
      '8: +0.000006000s PE? GICR[0] GICR_TYPER -> 0x100000000 {Aff0=1}',
    ]);
    expect([config.profile, config.addresses.gicd, config.addresses.gicr[1]]).toEqual([
      'kvm',
      0x800_0000,
      0x80c_0000,
    ]);
    expect(provenance['addresses.gicd']).toBe('option');
    expect(stats.losses).toEqual({
      'kvm_mmio: an access to no known frame of the GIC': 1,
      "rwmmio_write: of the host's GIC, and the trace is of the guest's": 1,
      'kvm_mmio: cut or malformed': 1,
      'kvm_exit: cut or malformed': 1,
    });
  });

  it('is another GIC than the host has: one of them at a time', async () => {
    const both = GUEST + HOST;
    const first = await imported(both, GUEST_OPTIONS);
    expect(Object.keys(first.stats.losses).join()).toContain(
      "of the host's GIC, and the trace is of the guest's",
    );
    const host = await imported(both, { of: 'host' });
    expect(host.records.filter((text) => /PE\d GI/.test(text))).toHaveLength(11);
    expect(host.records.join()).not.toContain('wire.set');
  });
});

describe('lines', () => {
  it.each([
    [
      'a-b c-12 [003] d..1. 5.123456: ev: x',
      { comm: 'a-b c', pid: 12, cpu: 3, event: 'ev', nanos: 123_456_000 },
    ],
    ['<idle>-0 (-----) [000] 5.123456789: ev:', { comm: '<idle>', pid: 0, nanos: 123_456_789, text: '' }],
    ['sh-9 ( 12) [001] d.h. 5.000000: ev: a: b', { pid: 9, cpu: 1, text: 'a: b' }],
    ['sh-9 [001] 123456789: ev: a', { seconds: Number.NaN }],
  ] as const)('%j', (line, parts) => expect(parseLine(line)).toMatchObject(parts));

  it('that are no events', () => {
    for (const line of [
      '',
      '# tracer: nop',
      'cpus=4',
      'CPU 3 is empty',
      'CPU:3 [LOST 12 EVENTS]',
      'version = 6',
    ])
      expect([parseLine(line), otherLine(line)]).toEqual([undefined, 'around']);
    expect(otherLine('gicv3_dist_write x')).toBe('unknown');
    expect(lostEvents('CPU:3 [12 EVENTS DROPPED]')).toEqual({ cpu: 3, count: 12, isBefore: false });
    expect(lostEvents('# entries-in-buffer/entries-written: 10/25   #P:4')).toEqual({
      cpu: -1,
      count: 15,
      isBefore: true,
    });
  });
});

it.each([
  ['', /is empty/],
  ['hello\nworld\n', /has no line of an ftrace event/],
  ['10053@1.2:gicv3_dist_write GICv3 distributor write: offset 0x84\n', /has no line of an ftrace event/],
  ['sh-9 [001] 5.000000: sched_switch: a\n', /has no access to a GIC/],
])('%j is refused', async (text, says) => expect(await refused(text)).toMatch(says));

it('memory beyond 52 bits that a probe prints is left out, and counted', async () => {
  const { records, stats } = await imported(
    [
      ' CPU 0/KVM-1 [000] d..1 1.000000: rdguest: (f+0x1 <- kvm_read_guest) kvm=0x1 gpa=0xffffffffffffffff len=8 d0=0x1 ret=0x0',
      ' CPU 0/KVM-1 [000] d..1 1.000001: rdguest: (f+0x1 <- kvm_read_guest) kvm=0x1 gpa=0x40000000 len=1 d0=0x1c2 ret=0x0',
      ' CPU 0/KVM-1 [000] d..1 1.000002: vgic_update_irq_pending: VCPU: 0, IRQ 27, level: 1',
    ].join('\n'),
  );
  expect(stats.losses).toEqual({ 'rdguest: memory beyond the physical addresses of 52 bits': 1 });
  expect(records[0]).toContain(
    'mem.known address 0x40000000 length 1 byte 0xc2 (inferred: memory-read-by-kvm)',
  );
});
