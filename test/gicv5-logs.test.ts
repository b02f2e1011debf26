// Logs of a QEMU with a GICv5, and what is known about them from outside the logs: /proc/interrupts of the Linux guest, and
// the counts that the small guest was built with.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CONFLICTS, RECORD_FLAGS, recordName } from '@gictrace/core/record';
import { gicv5IntidText } from '@gictrace/core/spec';
import { importGicv5ToTrace, isGicv5, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'gictrace-gicv5-logs-'));
afterAll(() => rmSync(dir, { recursive: true }));
const recording = (name: string) => join(import.meta.dirname, 'recordings', name);
const LINUX = recording('linux-gicv5-qemu-11.log.gz');

interface Seen {
  readonly kind: string;
  readonly pe: number;
  readonly isDecided: boolean;
  readonly line: number;
  readonly words: readonly number[];
}

async function imported(
  log: string,
  options: { readonly pes?: number } = {},
): Promise<{ report: Awaited<ReturnType<typeof importGicv5ToTrace>>; seen: Seen[]; diverged: number }> {
  const out = join(dir, 'out.gictrace');
  const report = await importGicv5ToTrace(log, out, { ...options, force: true });
  const { diverged } = replayTrace(out);
  const reader = TraceReader.openAny(out);
  expect(isGicv5(reader)).toBe(true);
  const seen: Seen[] = [];
  for (const { batch } of reader.batches())
    for (let i = 0; i < batch.count; i++)
      seen.push({
        kind: recordName(batch.kind[i]!)!,
        pe: batch.pe[i]!,
        isDecided: (batch.flags[i]! & RECORD_FLAGS.peUndecided) === 0,
        line: batch.line[i]!,
        words: [...batch.words.subarray(12 * i, 12 * i + 8)],
      });
  reader.close();
  return { report, seen, diverged };
}
const textOf = (path: string) => gunzipSync(readFileSync(path)).toString('latin1');
function fileOf(text: string): string {
  const path = join(dir, 'in.log');
  writeFileSync(path, text);
  return path;
}
/** Acknowledges by interrupt and PE; those of which nothing decides the PE have `?`. */
function acknowledged(seen: readonly Seen[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, words, pe, isDecided } of seen) {
    if (kind !== 'sysreg.read') continue;
    const key = `${gicv5IntidText(words[1]!)} PE ${isDecided ? pe : '?'}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
const total = (counts: Record<string, number>, of: string) =>
  Object.entries(counts).reduce((sum, [name, n]) => sum + (name.startsWith(of) ? n : 0), 0);

describe('a boot of Linux on 2 PEs', async () => {
  const { report, seen, diverged } = await imported(LINUX);
  const kinds: Record<string, number> = {};
  for (const { kind } of seen) kinds[kind] = (kinds[kind] ?? 0) + 1;

  it('has a record for each line, and no line that fits no PE', () => {
    // The PEs that are only possible contradict nothing either.
    expect(diverged).toBe(0);
    expect(Object.keys(report.stats.losses)).toEqual(['PEs of steps that nothing decides']);
    const count = (event: string) => report.stats.events[`gicv5_${event}`]!;
    expect([kinds['sysreg.read'], count('gicr_cdia')]).toEqual([2197, 2197]);
    expect(kinds['ppi.hppi']).toBe(count('recalc_ppi_hppi'));
    expect(kinds['cpuif.signal']).toBe(count('update_irq_fiq'));
    expect(kinds['irs.hppi']).toBe(count('irs_recalc_hppi'));
    expect([kinds['irs.activated'], kinds['irs.deactivated']]).toEqual([566, 565]);
    expect(kinds['wire.set']).toBe(count('update_ppi_state') + count('spi'));
    expect(kinds['mmio.read']! + kinds['mmio.write']!).toBe(count('read') + count('write'));
    const ends = seen.filter(({ kind, words }) => kind === 'sysreg.write' && words[0] === 0x460f);
    expect(ends.length).toBe(2197);
    // Effects that no line explains: 84 writes to PPI registers, and 8 to ICC_CR0_EL1 or ICC_PCR_EL1.
    const unseen = seen.filter(({ kind }) => kind === 'cpuif.unseen').map(({ words }) => words[0]!);
    expect([unseen.filter((part) => part === 0).length, unseen.filter((part) => part === 1).length]).toEqual([
      84, 8,
    ]);
  });

  it('takes the identity from the log', () => {
    const { config, provenance, start } = report;
    expect([config.pes.length, config.irs[0]!.idr, start]).toEqual([
      2,
      [0x1c, 0x4f_0002, 0x3fb8, 0, 0, 0x100, 0x100, 0],
      'reset',
    ]);
    expect([provenance.pes, provenance['irs.idr2'], provenance['irs.idr3']]).toEqual([
      'log',
      'log',
      'default',
    ]);
  });

  it('agrees with /proc/interrupts: IPIs are LPIs, eight for each PE; the block device is SPI 4', () => {
    // The guest printed these, and went on for a moment: the log has a few more, and none less.
    const counts = acknowledged(seen);
    const printed: Record<string, number> = {
      'LPI 0 PE 0': 13,
      'LPI 1 PE 0': 223,
      'LPI 5 PE 0': 1,
      'LPI 8 PE 1': 23,
      'LPI 9 PE 1': 263,
    };
    for (const [name, n] of Object.entries(printed)) {
      expect(counts[name], name).toBeGreaterThanOrEqual(n);
      expect(counts[name], name).toBeLessThanOrEqual(n + 20);
    }
    expect(counts['SPI 4 PE 0']).toBe(6);
    // 818 on PE 0 and 802 on PE 1 at the last reading; which PE is open for most.
    expect(total(counts, 'PPI 27')).toBe(1631);
    expect(Object.keys(counts).filter((name) => /^(LPI|SPI).*\?/.test(name))).toEqual([]);
  });

  it('puts an access before the effects that QEMU printed before it', () => {
    const at = seen.findIndex(({ kind }) => kind === 'ist.changed');
    expect([seen[at - 1]!.kind, seen[at - 1]!.words.slice(0, 5)]).toEqual([
      'mmio.write',
      [3, 1, 0x180, 8, 0x43a0_0001],
    ]);
    expect(seen[at]!.words).toEqual([1, 1, 0x43a0_0000, 0, 24, 10, 4, 1]);
  });

  it('one changed number in a line of a PPI fits no PE', async () => {
    // The first timer interrupt is said to come at priority 30, and the second at 31 again.
    const changed = textOf(LINUX).replace('id 0x2000001b prio 31', 'id 0x2000001b prio 30');
    const { report: other } = await imported(fileOf(changed));
    expect(other.stats.losses['steps that fit no PE']).toBeGreaterThan(0);
  });
});

describe.each(['two', 'four'])(
  'PE 0 and PE 1 of %s take 5 and 9 timer interrupts at the same time',
  (pes) => {
    const log = recording(`small/gicv5-${pes}-pes.log.gz`);

    it('each acknowledge is that of the PE that took the exception', async () => {
      const { report, seen, diverged } = await imported(log);
      expect([report.stats.losses['steps that fit no PE'], diverged]).toEqual([undefined, 0]);
      const counts = acknowledged(seen);
      expect(total(counts, 'PPI 27')).toBe(14);
      expect(counts['PPI 27 PE 0']).toBe(5);
      expect(counts['PPI 27 PE 1']).toBe(9);
    });

    it('without the lines of the exceptions nothing is decided that they contradict', async () => {
      const { seen } = await imported(log);
      const truth = new Map(
        seen.filter(({ kind }) => kind === 'sysreg.read').map(({ line, pe }) => [line, pe]),
      );
      // Empty lines in place of the others: the numbers of lines stay.
      const bare = textOf(log).replace(/^.*Taking exception.*$/gm, '');
      const { report, seen: without, diverged } = await imported(fileOf(bare));
      expect([report.stats.losses['steps that fit no PE'], diverged]).toEqual([undefined, 0]);
      const taken = without.filter(({ kind }) => kind === 'sysreg.read');
      expect(taken.length).toBe(14);
      for (const { line, pe, isDecided } of taken)
        if (isDecided) expect(pe, `line ${line}`).toBe(truth.get(line));
    });
  },
);

it('a line that names a PE which the GIC lacks is a conflict; one far beyond the others is refused', async () => {
  const text = textOf(recording('small/gicv5-two-pes.log.gz'));
  const named = text.match(/IAFFID \d+: new HPPI/g)!;
  expect(named).toHaveLength(2);
  const { seen, diverged } = await imported(fileOf(text.replace(named[1]!, 'IAFFID 1023: new HPPI')));
  // The line, and the one after it, which is about the PPIs of the same PE.
  const conflict = [CONFLICTS.indexOf('pe'), 1023];
  const conflicts = seen
    .filter(({ kind }) => kind === 'source.conflict')
    .map(({ words }) => words.slice(0, 2));
  expect(conflicts).toEqual([conflict, conflict]);
  expect(diverged).toBeGreaterThan(0);
  // Where nothing says how many PEs there are, they are counted.
  const counted = text
    .split('\n')
    .filter((line) => !/gicv5_common_realize|gicv5_read/.test(line))
    .join('\n');
  await expect(imported(fileOf(counted))).resolves.toMatchObject({
    report: { config: { pes: { length: 2 } } },
  });
  const stray = counted.replace(named[1]!, 'IAFFID 300: new HPPI');
  await expect(imported(fileOf(stray))).rejects.toMatchObject({
    code: 'input',
    message: expect.stringMatching(/^a line names PE 300, /),
  });
});

it('a number of PEs that no GIC has is refused, and the hint helps', async () => {
  const text = textOf(recording('small/gicv5-two-pes.log.gz'));
  const damaged = fileOf(text.replace(/(IRS realized: IRS ID 0,) 2 CPUs/, '$1 60000 CPUs'));
  await expect(imported(damaged)).rejects.toMatchObject({
    code: 'input',
    message: expect.stringContaining('has 60000 PEs'),
    hint: 'give --pes with the number of PEs',
  });
  const { report, diverged } = await imported(damaged, { pes: 2 });
  expect([report.config.pes.length, diverged]).toEqual([2, 0]);
});

it('times that no record can hold, and dates that do not exist, are unknown and counted', async () => {
  const lines = textOf(recording('small/gicv5-two-pes.log.gz')).split('\n');
  const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z /;
  const to = (time: string, n: number) =>
    lines.map((line, i) => (i === n ? line.replace(stamp, time) : line)).join('\n');
  for (const [time, at, loss] of [
    ['1@9007199254740.397987:', 40, 'times more than 104 days'],
    ['9999-12-31T23:59:59.000000Z ', 40, 'times more than 104 days'],
    ['2026-13-45T99:99:99.000000Z ', 40, 'dates that do not exist'],
    ['2026-13-45T99:99:99.000000Z ', 0, 'dates that do not exist'],
  ] as const) {
    const { report, seen } = await imported(fileOf(to(time, at)));
    expect(Object.keys(report.stats.losses).filter((one) => /^(times|dates) /.test(one))).toEqual([
      expect.stringContaining(loss),
    ]);
    expect(seen.length).toBeGreaterThan(400);
  }
});

it('a log of nothing else is refused', async () => {
  const log = fileOf('Taking exception 5 [IRQ] on CPU 0\nboot\n');
  await expect(imported(log)).rejects.toMatchObject({
    code: 'input',
    message: 'has no line of a gicv5_ event',
  });
});
