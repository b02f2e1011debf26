// Distributions of how long interrupts waited and were served. They are exact and keep eight bytes per lifetime.
import {
  type Distribution,
  INTERRUPT_CLASSES,
  type InterruptClass,
  MEASURES,
  type Measure,
  type Slow,
} from './facts.ts';

/** How many of the slowest lifetimes of each class are kept. */
const SLOWEST_MAX = 10;
const STEPS_OF_A_DECADE = [10, 15, 20, 30, 50, 70] as const;

/** Lower bounds of the buckets in nanoseconds: 0, 1 ns, 10 ns, 15 ns, 20 ns … to beyond 10,000 s. */
export const BOUNDS: readonly number[] = [
  0,
  1,
  ...Array.from({ length: 12 }, (_, decade) => STEPS_OF_A_DECADE.map((step) => step * 10 ** decade)).flat(),
];

/** The bucket of a duration of 0 or more. */
export function bucketOf(ns: number): number {
  let low = 0;
  let high = BOUNDS.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (BOUNDS[middle]! <= ns) low = middle;
    else high = middle;
  }
  return low;
}

class Values {
  private values = new Float64Array(256);
  length = 0;
  untold = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Float64Array(this.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }

  sorted(): Float64Array {
    return this.values.slice(0, this.length).sort();
  }
}

export class Latencies {
  private readonly values = new Map<string, Values>();
  private readonly slow = new Map<InterruptClass, Slow[]>();

  /** Takes the times of two steps of a lifetime; null if the source does not contain a time. */
  take(of: InterruptClass, measure: Measure, from: number | null, to: number | null): void {
    const key = `${of} ${measure}`;
    let values = this.values.get(key);
    if (values === undefined) this.values.set(key, (values = new Values()));
    if (from === null || to === null) values.untold++;
    else values.push(to - from);
  }

  /** Offers a lifetime for the list of the slowest. */
  offer(one: Slow): void {
    let list = this.slow.get(one.class);
    if (list === undefined) this.slow.set(one.class, (list = []));
    if (list.length === SLOWEST_MAX && list[SLOWEST_MAX - 1]!.waitNs >= one.waitNs) return;
    // Among equal durations, the earlier lifetime comes first.
    const at = list.findIndex((other) => other.waitNs < one.waitNs);
    list.splice(at < 0 ? list.length : at, 0, one);
    if (list.length > SLOWEST_MAX) list.pop();
  }

  slowest(): Slow[] {
    return INTERRUPT_CLASSES.flatMap((name) => this.slow.get(name) ?? []);
  }

  distributions(): Distribution[] {
    const out: Distribution[] = [];
    for (const of of INTERRUPT_CLASSES)
      for (const measure of Object.keys(MEASURES) as Measure[]) {
        const values = this.values.get(`${of} ${measure}`);
        if (values !== undefined) out.push(distribution(of, measure, values.sorted(), values.untold));
      }
    return out;
  }
}

function distribution(
  of: InterruptClass,
  measure: Measure,
  sorted: Float64Array,
  untold: number,
): Distribution {
  const count = sorted.length;
  const rank = (p: number) => (count === 0 ? null : sorted[Math.max(0, Math.ceil(p * count) - 1)]!);
  const buckets = new Map<number, number>();
  let negative = 0;
  for (const value of sorted) {
    if (value < 0) negative++;
    else buckets.set(bucketOf(value), (buckets.get(bucketOf(value)) ?? 0) + 1);
  }
  return {
    class: of,
    measure,
    count,
    untold,
    negative,
    min: rank(0),
    p50: rank(0.5),
    p90: rank(0.9),
    p99: rank(0.99),
    p999: rank(0.999),
    max: rank(1),
    buckets: [...buckets].map(([bucket, n]) => [BOUNDS[bucket]!, n] as const),
  };
}
