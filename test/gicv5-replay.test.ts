// Replay of logs of a QEMU with a GICv5: real boots of Linux replay without a difference, and one number that changes in a
// log makes one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { importGicv5ToTrace } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'gictrace-gicv5-replay-'));
afterAll(() => rmSync(dir, { recursive: true }));
const textOf = (name: string) =>
  gunzipSync(readFileSync(join(import.meta.dirname, 'recordings', name))).toString('latin1');
const LINUX = textOf('linux-gicv5-qemu-11.log.gz');

async function replayed(log: string, profile?: string) {
  const [input, trace] = [join(dir, 'in.log'), join(dir, 'out.gictrace')];
  writeFileSync(input, log);
  const { stats } = await importGicv5ToTrace(input, trace, { force: true });
  return { stats, verdict: replayTrace(trace, profile === undefined ? {} : { profile }) };
}

const count = (log: string, event: string) => log.split(` gicv5_${event} `).length - 1;

/** What must have been compared: every line of these events, once. */
const linesOf = (log: string) => ({
  'mmio.read': count(log, 'read'),
  'irs.hppi': count(log, 'irs_recalc_hppi'),
  'ppi.hppi': count(log, 'recalc_ppi_hppi'),
  'cpuif.signal': count(log, 'update_irq_fiq'),
  'irs.activated': count(log, 'activate'),
  'irs.deactivated': count(log, 'deactivate'),
});

describe('Linux 7.3 on QEMU 11.1 with a GICv5', () => {
  it('replays a boot with 2 PEs, with every line compared', async () => {
    const { verdict } = await replayed(LINUX);
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
    expect(verdict.compared).toMatchObject({ ...linesOf(LINUX), 'sysreg.read': count(LINUX, 'gicr_cdia') });
    expect(verdict.skipped).toEqual({});
  });

  it('replays the head of a boot with 4 PEs, from which nothing was built', async () => {
    const log = textOf('linux-gicv5-four-pes-head.log.gz');
    const { verdict } = await replayed(log);
    expect(verdict.first).toBeNull();
    expect(verdict.compared['irs.hppi']).toBe(count(log, 'irs_recalc_hppi'));
  });

  it('compares what the IRS does where the PEs cannot be told apart any more, and counts the rest', async () => {
    const log = textOf('linux-gicv5-eight-pes-head.log.gz');
    const { verdict, stats } = await replayed(log);
    expect(verdict.first).toBeNull();
    const { 'irs.hppi': presented, 'irs.activated': activated } = linesOf(log);
    expect(verdict.compared).toMatchObject({ 'irs.hppi': presented, 'irs.activated': activated });
    expect(stats.losses['steps behind which PEs cannot be told apart any more']).toBeGreaterThan(900);
    expect(verdict.unknown['depends on state that the source does not show']).toBeGreaterThan(1000);
  });

  it('finds a reset: the same boot twice', async () => {
    const again = LINUX.split('\n').filter((line) => !line.includes('common_realize'));
    const { verdict } = await replayed(`${LINUX.trimEnd()}\n${again.join('\n')}`);
    expect(verdict.first).toBeNull();
    expect(verdict.unknown['reset-from-registers']).toBe(1);
    expect(verdict.compared['irs.hppi']).toBe(2 * count(LINUX, 'irs_recalc_hppi'));
  });

  it('agrees with the architecture too: Linux meets none of the faults of QEMU', async () => {
    const { verdict } = await replayed(LINUX, 'gicv5-architecture');
    expect(verdict.first).toBeNull();
    expect(verdict.compared).toMatchObject(linesOf(LINUX));
  });

  it.each([
    ['SetPriority NonSecure LPI virtual:0 ID 9 prio 31', 'prio 30'],
    ['SetTarget NonSecure LPI virtual:0 ID 9 IAFFID 1', 'IAFFID 0'],
    ['SetEnabled NonSecure LPI virtual:0 ID 8 enabled 1', 'enabled 0'],
    ['SetPending NonSecure LPI virtual:0 ID 1 pending 1', 'pending 0'],
    ['Activate NonSecure LPI virtual:0 ID 9', 'ID 8'],
    ['Deactivate NonSecure LPI virtual:0 ID 9', 'ID 8'],
    ['CDIA acknowledge of interrupt 0x40000009', 'interrupt 0x40000008'],
    ['CDDI deactivating interrupt ID 0x40000009', 'ID 0x40000008'],
    ['IAFFID 1: new HPPI ID 0x40000009 prio 31', 'prio 30'],
    ['domain 1 new PPI HPPI id 0x2000001b prio 31', 'prio 255'],
    ['domain 2 new PPI HPPI id 0x0 prio 255', 'prio 254'],
    ['domain 1 new PPI HPPI id 0x0 prio 255', 'id 0x1 prio 255'],
    ['now IRQ 1 FIQ 0 NMI 0', 'FIQ 1 NMI 0'],
    ['SPI ID 4 asserted at level 1', 'level 0'],
    ['SPI ID 4 now level 1 pending 1 active 0', 'active 1'],
    ['IST now valid: base 0x43a00000 id_bits 24', 'id_bits 23'],
    ['config frame read: offset 0x144 data 0x7', 'data 0x5'],
    ['config frame write: offset 0x114 data 0x1', 'data 0x0'],
  ])('diverges if a number changes: %s → %s', async (found, changed) => {
    const at = LINUX.indexOf(found);
    expect(at).toBeGreaterThan(0);
    const end = at + found.length;
    const from = at + found.lastIndexOf(changed.split(' ')[0]!);
    // Enough of the log behind it that the change has an effect.
    const rest = LINUX.slice(end, end + 1_200_000);
    const log = LINUX.slice(0, from) + changed + rest;
    expect(log).not.toBe(LINUX.slice(0, end) + rest);
    const { verdict, stats } = await replayed(log.slice(0, log.lastIndexOf('\n')));
    expect(
      verdict.diverged + (stats.losses['lines of gicv5_ events that are not understood'] ?? 0),
    ).toBeGreaterThan(0);
  });
});
