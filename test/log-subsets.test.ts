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
