// Designs that allocate SPIs, held against Linux on machines without an ITS: what its GICv3 driver does to the Distributor for
// each SPI, with a GICv2m frame, with GICv3-MBI, and with input lines.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Design, Operation } from '@gictrace/core/irqchip';
import { compareTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const logOf = (name: string) => gunzipSync(readFileSync(recording(name))).toString();

/** Imports a log that is given as text. */
async function traceOf(name: string, text: string): Promise<string> {
  const log = temp.path(`${name}.log`);
  writeFileSync(log, text);
  const trace = temp.path(`${name}.gictrace`);
  await imported(log, trace);
  return trace;
}

/** What `compare` prints, as one line. */
async function printed(trace: string, designs: string): Promise<{ code: number; out: string }> {
  const { code, out, err } = await run('compare', trace, '--on', designs);
  return { code, out: `${out} ${err}`.replaceAll(/\s+/g, ' ') };
}

function compared(trace: string, names: readonly string[] = ['gicv2m', 'mbi']) {
  const operations: Operation[] = [];
  const answer = compareTrace(trace, names, {
    observe: (design: Design) =>
      design.name === names[0] ? { operation: (_n, o) => operations.push(o) } : {},
  });
  return { ...answer, operations };
}

/** Accesses of 6.1, 6.12 and 7.3 to the Distributor for 10 messages and 3 lines: the same in number and, for each SPI, in order. */
const ACCESSES = {
  'GICD_CTLR read': 44,
  'GICD_ICENABLER write': 44,
  'GICD_ICFGR read': 20,
  'GICD_ICFGR write': 10,
  'GICD_IROUTER write': 43,
  'GICD_ISENABLER read': 43,
  'GICD_ISENABLER write': 52,
};

describe('Linux with message-based SPIs', () => {
  it.each(
    ['6.1', '6.12', '7.3'].flatMap((version) => [
      [version, 'gicv2m'],
      [version, 'mbi'],
    ]),
  )('%s, %s: for each SPI the same accesses in the same order', async (version, how) => {
    const trace = await traceOf(`${version}-${how}`, logOf(`small/linux-${version}-${how}.log.gz`));
    const { alignments, lift, operations, runs } = compared(trace);
    expect([...lift.unlifted]).toEqual([]);
    // A frame and the alias of GICD_SETSPI_NSR raise SPIs by lines, so nothing tells which of the two designs it was.
    const [[name, alignment]] = [...alignments] as [[string, NonNullable<ReturnType<typeof alignments.get>>]];
    expect(name).toBe('gicv2m');
    expect(alignment.accesses).toEqual({ recorded: 256, sent: 256, same: 256, first: null });
    expect(Object.fromEntries([...alignment.registers].map(([what, { sent }]) => [what, sent]))).toEqual(
      ACCESSES,
    );
    // Queues of virtio-blk and NVMe are managed: routed, then enabled. What is requested or moved otherwise is not.
    const started = operations.filter((o) => o.op === 'activate');
    expect(started.map((o) => o.managed === true).filter(Boolean)).toHaveLength(8);
    expect(started).toHaveLength(13);
    for (const { deliveries: d } of runs)
      expect([d.fired - d.delivered, d.lost, d.spurious]).toEqual([0, 0, 0]);
    const mbi = compared(trace, ['mbi']).alignments.get('mbi')!;
    expect(mbi.accesses).toEqual(alignment.accesses);
  });
});

describe('a recording that differs', () => {
  const log = logOf('small/linux-6.12-gicv2m.log.gz').split('\n');
  /** The second of the lines that contain `text`, and the line of the same access that follows or goes before. */
  const without = (text: RegExp) => {
    const at = log.flatMap((line, n) => (text.test(line) ? [n] : []));
    return log.filter((_, n) => !at.slice(-2).includes(n)).join('\n');
  };

  it.each([
    ['a wait for RWP', /(offset 0x0|addr 0x8000000) .*0x53\b/],
    ['a route', /(offset 0x6280|addr 0x8006280) /],
    ['an enable', /(offset 0x108|addr 0x8000108) .*0x10000\b/],
  ])('%s that the kernel does not make is a difference, and exit code 1', async (what, text) => {
    const trace = await traceOf(what.replaceAll(' ', '-'), without(text));
    const { alignments } = compared(trace);
    expect(alignments.get('gicv2m')!.accesses.first).not.toBeNull();
    const { code, out } = await printed(trace, 'gicv2m');
    expect(code).toBe(1);
    expect(out).toMatch(
      /accesses to the Distributor for SPIs, \d+ recorded; (they differ:|equal .* the order differs)/,
    );
  });

  it('is no difference if nothing differs', async () => {
    const trace = await traceOf('as-it-is', log.join('\n'));
    const { code, out } = await printed(trace, 'gicv2m,its');
    expect(code).toBe(0);
    expect(out).toContain(
      'gicv2m: 256 accesses to the Distributor for SPIs, 256 recorded; equal for each register, in the same order',
    );
    expect(out).toContain('GICD_ICFGR read, no write follows (15)');
  });
});

it('Linux with input lines alone: the same, but for the trigger', async () => {
  const trace = temp.path('lines.gictrace');
  await imported(recording('linux-gicv3-spi-head.log.gz'), trace);
  const { alignments } = compared(trace);
  const { accesses, registers } = alignments.get('gicv2m')!;
  expect(accesses.first).toBeNull();
  expect(accesses.same).toBeGreaterThan(20);
  expect([...registers.keys()].filter((what) => what.startsWith('GICD_ICFGR'))).toEqual([]);
});

it('software that enables several SPIs by one write is not Linux, and holds no design', async () => {
  const trace = temp.path('bare.gictrace');
  await imported(recording('el3-bare-metal.log.gz'), trace);
  expect([...compared(trace).alignments]).toEqual([]);
});

it('a log that begins in mid-life is compared, and held against no design', async () => {
  const log = logOf('small/linux-6.12-gicv2m.log.gz').split('\n');
  const trace = await traceOf('middle', log.slice(400).join('\n'));
  const { alignments, operations, runs } = compared(trace, ['gicv2m']);
  expect(operations.filter(({ op }) => op === 'activate')).toHaveLength(13);
  expect(runs.map(({ deliveries: { fired, delivered } }) => [fired, delivered])).toEqual([[147, 147]]);
  expect([...alignments]).toEqual([]);
  const { code, out } = await printed(trace, 'gicv2m');
  expect(code).toBe(0);
  expect(out).toContain('gicv2m works');
  expect(out).not.toMatch(/accesses to the Distributor for SPIs/);
});
