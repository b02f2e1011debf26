// What matters in the difference of two traces, before single records: how long interrupts took, what became of them and of
// messages, commands, mappings, findings. Each trace is followed by itself; nothing is aligned.
import { TraceReader } from '@gictrace/recorder';
import { Collector } from '../report/collect.ts';
import type { Counts } from '../report/counts.ts';
import type { Distribution } from '../report/facts.ts';

export interface OverviewRow {
  readonly topic: 'latency' | 'interrupts' | 'messages' | 'commands' | 'mappings' | 'findings';
  readonly what: string;
  /** A count, or nanoseconds; null if the source has no times. */
  readonly a: number | null;
  readonly b: number | null;
  readonly unit: 'ns' | 'count';
  /**
   * For latencies, whether the distributions differ by more than chance: a two-sample Kolmogorov-Smirnov test at the 1 %
   * level, on the counts of buckets. It takes lifetimes as independent of each other. Null for counts.
   */
  readonly isBeyondChance: boolean | null;
}

/** The factor of the Kolmogorov-Smirnov test for a level of 1 %. */
const KS_1_PERCENT = 1.63;

function collected(path: string, progress: (records: number) => void): Collector {
  const reader = TraceReader.openAny(path);
  try {
    // No details are kept.
    const collector = new Collector(reader.records, { from: 0, to: 0, rowsMax: 0, accesses: false });
    collector.follow({
      name: path,
      timed: true,
      header: reader.header,
      *batches() {
        for (const one of reader.batches()) {
          yield one;
          progress(one.batch.count);
        }
      },
    });
    return collector;
  } finally {
    reader.close();
  }
}

/** Whether two distributions differ by more than chance. */
export function isBeyondChance(
  a: readonly (readonly [bound: number, n: number])[],
  b: readonly (readonly [bound: number, n: number])[],
): boolean {
  const sum = (of: typeof a) => of.reduce((total, [, n]) => total + n, 0);
  const [n, m] = [sum(a), sum(b)];
  if (n === 0 || m === 0) return false;
  const [inA, inB] = [new Map(a), new Map(b)];
  const bounds = [...new Set([...inA.keys(), ...inB.keys()])].sort((p, q) => p - q);
  let [belowA, belowB, most] = [0, 0, 0];
  for (const bound of bounds) {
    belowA += inA.get(bound) ?? 0;
    belowB += inB.get(bound) ?? 0;
    most = Math.max(most, Math.abs(belowA / n - belowB / m));
  }
  return most > KS_1_PERCENT * Math.sqrt((n + m) / (n * m));
}

function* latencies(a: readonly Distribution[], b: readonly Distribution[]): Generator<OverviewRow> {
  for (const one of a) {
    const other = b.find((of) => of.class === one.class && of.measure === one.measure);
    if (other === undefined || one.buckets.length === 0 || other.buckets.length === 0) continue;
    const beyond = isBeyondChance(one.buckets, other.buckets);
    for (const rank of ['p50', 'p99'] as const)
      yield {
        topic: 'latency',
        what: `${one.class} ${one.measure} ${rank}`,
        a: one[rank],
        b: other[rank],
        unit: 'ns',
        isBeyondChance: beyond,
      };
  }
}

type Names = Iterable<readonly [what: string, n: number]>;
// Most sources do not contain the outcomes of commands.
const named = (counts: Counts): Names =>
  counts.all().map(({ a, b, n }) => [b === '' || b === 'unknown' ? a : `${a} ${b}`, n]);

/** The counts that differ, the largest difference first. */
function counted(topic: OverviewRow['topic'], a: Names, b: Names): OverviewRow[] {
  const counts = new Map<string, [number, number]>();
  for (const [side, of] of [a, b].entries())
    for (const [what, n] of of) {
      const pair = counts.get(what) ?? [0, 0];
      pair[side as 0 | 1] = n;
      counts.set(what, pair);
    }
  return [...counts]
    .filter(([, [p, q]]) => p !== q)
    .sort(([, [p, q]], [, [r, s]]) => Math.abs(s - r) - Math.abs(q - p))
    .map(([what, [p, q]]) => ({ topic, what, a: p, b: q, unit: 'count', isBeyondChance: null }));
}

/**
 * What matters in the difference of two traces, the weightiest first.
 * @throws GicTraceError `trace` for a bad trace.
 */
export function overview(
  a: string,
  b: string,
  progress: (records: number) => void = () => undefined,
): OverviewRow[] {
  const [p, q] = [collected(a, progress), collected(b, progress)];
  const timed = [...latencies(p.latencies.distributions(), q.latencies.distributions())];
  return [
    ...counted('findings', p.findingCounts, q.findingCounts),
    ...timed.filter((row) => row.isBeyondChance),
    ...counted('messages', named(p.msisBy), named(q.msisBy)),
    ...counted('interrupts', named(p.livesBy), named(q.livesBy)),
    ...counted('commands', named(p.commandsBy), named(q.commandsBy)),
    ...counted('mappings', named(p.mappingsBy), named(q.mappingsBy)),
    ...timed.filter((row) => !row.isBeyondChance),
  ];
}
