// Losses that two threads count. Each thread notes when it first counted a loss, so that the combined losses are in the
// order in which a single thread would have counted them.
import { Losses } from '../../common/losses.ts';

/** A loss: what, how often, and how many groups of records had been handed on when it was first counted. */
export type TimedLoss = readonly [what: string, count: number, groups: number];

export class TimedLosses extends Losses {
  /** The number of groups of records handed on. */
  groups = 0;
  private readonly first = new Map<string, number>();

  override add(what: string, n = 1): void {
    const before = this.counts.get(what);
    if (before === undefined) this.first.set(what, this.groups);
    this.counts.set(what, (before ?? 0) + n);
  }

  get timed(): TimedLoss[] {
    return [...this.counts].map(([what, count]) => [what, count, this.first.get(what)!]);
  }
}

/**
 * Combines what an assembler and a learner have counted. What the assembler counts after a number of groups precedes
 * what the learner counts from the next group on.
 */
export function together(
  assembler: readonly TimedLoss[],
  learner: readonly TimedLoss[],
): Record<string, number> {
  const all = [
    ...assembler.map(([what, count, groups]) => ({ what, count, at: groups - 0.5 })),
    ...learner.map(([what, count, groups]) => ({ what, count, at: groups })),
  ].sort((a, b) => a.at - b.at);
  const losses = new Losses();
  for (const { what, count } of all) losses.add(what, count);
  return Object.fromEntries(losses.counts);
}
