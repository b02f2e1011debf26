// Logs of QEMU with trace events left out, cut at any line, or both, chosen by a seed: whatever a user did not record,
// nothing diverges and nothing is found because of it. $GICTRACE_SUBSETS multiplies the number of tries.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Checker } from '@gictrace/core/check';
import { importToTrace, sourceFacts, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const MORE = Number(process.env.GICTRACE_SUBSETS ?? 1);
const linesOf = (name: string) =>
  gunzipSync(readFileSync(recording(`${name}.log.gz`)))
    .toString('latin1')
    .split('\n');
const eventOf = (line: string) => /(?:^|[:\s])(gicv3_\w+|plugin_ram_store)\b/.exec(line)?.[1] ?? '';

/** Imports and replays lines, and has them checked. */
async function judged(lines: readonly string[]) {
  const [file, trace] = [temp.path('log'), temp.path('trace')];
  writeFileSync(file, lines.join('\n'));
  const report = await importToTrace(file, trace, { version: 'test', force: true });
  const verdict = replayTrace(trace, { version: 'test' });
  const reader = TraceReader.open(trace);
  const checker = new Checker(reader.header.config, sourceFacts(reader.header));
  for (const { batch } of reader.batches()) checker.take(batch);
  reader.close();
  return { report, verdict, findings: [...new Set(checker.finish().map(({ rule }) => rule))] };
}

/** Numbers below a bound, from a seed. */
function random(seed: number): (below: number) => number {
  let x = Math.imul(seed, 2_654_435_761) >>> 0 || 1;
  return (below) => {
    x = (x ^ (x << 13)) >>> 0;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
    return x % below;
  };
}

interface Part {
  readonly dropped: ReadonlySet<string>;
  readonly from: number;
  readonly to: number;
}

/** A part of a log: without up to three events, cut, or both. */
function partOf(lines: readonly string[], events: readonly string[], below: (n: number) => number): Part {
  const how = below(3);
  const dropped = new Set<string>();
  if (how !== 0) for (let n = 1 + below(3); n > 0; n--) dropped.add(events[below(events.length)]!);
  if (how === 1) return { dropped, from: 0, to: lines.length };
  const from = below(lines.length);
  if (below(4) === 0) return { dropped, from: 0, to: from + 1 };
  return { dropped, from, to: below(3) === 0 ? from + 1 + below(lines.length - from) : lines.length };
}

describe('a part of a log', () => {
  it.each([
    ['its-trigger', 40],
    ['gicv3-active', 40],
    ['small/all-events', 60],
    ['small/migration.src', 60],
    ['small/two-cwriter-writes', 40],
    ['small/lpi-disabled-then-inv', 40],
    ['small/linux-secure-el2-head', 8],
  ] as const)('of %s: %d tries', async (name, tries) => {
    const lines = linesOf(name);
    const events = [...new Set(lines.map(eventOf))].filter(Boolean);
    const whole = new Set((await judged(lines)).findings);
    const below = random(1);
    for (let n = 0; n < tries * MORE; n++) {
      const { dropped, from, to } = partOf(lines, events, below);
      const kept = lines.slice(from, to).filter((line) => !dropped.has(eventOf(line)));
      if (!kept.some((line) => eventOf(line).startsWith('gicv3_'))) continue;
      const { verdict, findings } = await judged(kept);
      const where = `without ${[...dropped].sort().join(', ')}, lines ${from} to ${to}`;
      expect(verdict.first, where).toBeNull();
      expect(
        findings.filter((rule) => !whole.has(rule)),
        where,
      ).toEqual([]);
    }
  });
});

describe('a part of a log that needs a rule of its own', () => {
  it.each([
    ['the tail of a run that reboots', 'small/linux-reboot-its', [], 464, 1411],
    ['the same, another part', 'small/linux-reboot-its', [], 2026, 3684],
    ['a reboot without lines about messages', 'small/linux-reboot-its', ['its_translation_write'], 500, 3488],
    [
      'without writes to Redistributors',
      'small/linux-reboot-its',
      ['redist_write', 'its_cmd_movi', 'its_write'],
      0,
      3684,
    ],
    [
      'the same, without other lines',
      'small/linux-reboot-its',
      ['redist_write', 'its_ite_read', 'its_cmd_invall'],
      0,
      2315,
    ],
    ['a reset that a line shows behind a read', 'small/reboot', ['cpuif_virt_update'], 854, 1677],
    ['a loaded state', 'small/loadvm', [], 2870, 8052],
    ['a loaded state, and a line without what it did', 'small/loadvm', ['icc_eoir_write'], 5560, 6897],
    [
      'the same, without slots of commands',
      'small/reboot',
      ['cpuif_virt_update', 'its_process_command'],
      0,
      1677,
    ],
  ] as const)('%s', async (_what, name, dropped, from, to) => {
    const left = new Set(dropped.map((event) => `gicv3_${event}`));
    const kept = linesOf(name)
      .slice(from, to)
      .filter((line) => !left.has(eventOf(line)));
    const { verdict, findings } = await judged(kept);
    expect([verdict.first, findings]).toEqual([null, []]);
  });

  it('a loaded state explains what follows, and not a changed number', async () => {
    const kept = linesOf('small/loadvm').slice(2870, 8052);
    const at = kept.findIndex((line, n) => n > 3500 && / irq 8192 group 2 prio 255/.test(line));
    expect(at).toBe(3518);
    for (const [n, from, to] of [
      [at, 'irq 8192', 'irq 8194'],
      [at - 4, 'irq 27', 'irq 28'],
    ] as const) {
      expect(kept[n]).toContain(from);
      const { verdict } = await judged(kept.with(n, kept[n]!.replace(from, to)));
      expect(verdict.diverged, `line ${n}: ${to}`).toBeGreaterThan(0);
    }
  });

  const REGION =
    "memory_region_ops_read cpu 0 mr 0x555555555555 addr 0x800000c value 0x0 size 4 name 'gicv3_dist'";
  const reads = [
    "memory_region_ops_read cpu 0 mr 0x555555555555 addr 0x8000004 value 0x37a0007 size 4 name 'gicv3_dist'",
    'gicv3_dist_read GICv3 distributor read: offset 0x4 data 0x37a0007 size 4 secure 0',
  ].toReversed();

  it('a read of a reserved location, where lines about bad accesses are not traced', async () => {
    const { verdict } = await judged([...reads, REGION]);
    expect([verdict.first, verdict.compared['mmio.read']]).toEqual([null, 1]);
    expect(Object.values(verdict.unknown)).toEqual([1]);
  });

  it('where they are traced, an access that none is about is compared', async () => {
    const bad = [
      'gicv3_dist_badread GICv3 distributor read: offset 0x20 size 4 secure 0: error',
      "memory_region_ops_read cpu 0 mr 0x555555555555 addr 0x8000020 value 0x0 size 4 name 'gicv3_dist'",
    ];
    const { verdict } = await judged([...reads, ...bad, REGION]);
    expect([verdict.diverged, verdict.compared['mmio.read']]).toEqual([1, 3]);
  });

  it('a register that holds what the log has not written, and little else', async () => {
    const { verdict } = await judged([
      'gicv3_dist_read GICv3 distributor read: offset 0x4e8 data 0x80 size 4 secure 0',
      'gicv3_dist_write GICv3 distributor write: offset 0x4e8 data 0x8080 size 4 secure 0',
      'gicv3_dist_read GICv3 distributor read: offset 0x4e8 data 0x8080 size 4 secure 0',
    ]);
    expect(verdict.first).toBeNull();
    const wrong = await judged([
      'gicv3_dist_read GICv3 distributor read: offset 0x4e8 data 0x80 size 4 secure 0',
      'gicv3_dist_write GICv3 distributor write: offset 0x4e8 data 0x8080 size 4 secure 0',
      'gicv3_dist_read GICv3 distributor read: offset 0x4e8 data 0x8000 size 4 secure 0',
    ]);
    expect(wrong.verdict.diverged).toBeGreaterThan(0);
  });
});

describe('what a part of a log shows', () => {
  const log = linesOf('its-trigger');
  const without = (...events: readonly string[]) =>
    log.filter((line) => !events.includes(eventOf(line).replace('gicv3_', '')));
  const changed = (lines: readonly string[], from: string, to: string) => {
    const at = lines.findLastIndex((line) => line.includes(from));
    expect(at).toBeGreaterThanOrEqual(0);
    return lines.with(at, lines[at]!.replace(from, to));
  };

  it.each([
    [['its_ite_read'], 'irq 8195 group 2 prio 160', 'irq 8195 group 2 prio 176'],
    [
      ['its_cmd_inv', 'its_process_command'],
      'ICC_IAR1 read cpu 0x3 value 0x2003',
      'ICC_IAR1 read cpu 0x3 value 0x2004',
    ],
    [
      ['its_read'],
      'Interrupt Table read for ITTaddr 0x402c0000 EventID 0x14: valid 1 inttype 1 intid 0x2003',
      'Interrupt Table read for ITTaddr 0x402c0000 EventID 0x14: valid 1 inttype 1 intid 0x2004',
    ],
  ])('without %j, a changed number diverges: %s is %s', async (events, from, to) => {
    expect((await judged(without(...events))).verdict.first).toBeNull();
    expect((await judged(changed(without(...events), from, to))).verdict.diverged).toBeGreaterThan(0);
  });
});
