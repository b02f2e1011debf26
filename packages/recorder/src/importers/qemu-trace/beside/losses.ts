// Losses that two threads count: each says when it counted one for the first time, so that together they are in the order
// in which one thread would have counted them.
import { Losses } from '../../common/losses.ts';

/** A loss: what, how often, and how many groups of records had gone on when it was first counted. */
export type TimedLoss = readonly [what: string, count: number, groups: number];

export class TimedLosses extends Losses {
  /** Groups of records that have gone on. */
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
 * What an assembler and a learner have counted. What the assembler counts after so many groups it counts before the
 * learner takes the next one.
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
