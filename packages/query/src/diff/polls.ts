// Compares the reads of polling loops that are left out, which are all but the last. If two loops are equally long,
// each read of one is compared with that of the other after all. Pure: knows sides.
import type { Matching } from './match.ts';
import type { Side } from './side.ts';

/** The records of both traces that are left out and yet differ. */
export interface DifferingPolls {
  readonly a: ReadonlySet<number>;
  readonly b: ReadonlySet<number>;
}

/** Compares loops whose last reads are counterparts; undefined if nothing differs. */
export function differingPolls(a: Side, b: Side, { matchA, changedA }: Matching): DifferingPolls | undefined {
  const ofA = new Set<number>();
  const ofB = new Set<number>();
  for (const [i, polls] of a.polls) {
    const j = matchA[i]! >= 0 ? matchA[i]! : changedA[i]!;
    const others = j < 0 ? undefined : b.polls.get(j);
    if (others === undefined || others.length !== polls.length) continue;
    const shift = b.position[j]! - a.position[i]!;
    polls.forEach((poll, k) => {
      const other = others[k]!;
      const isSame = poll.lo === other.lo && poll.hi === other.hi && other.position - poll.position === shift;
      if (isSame) return;
      ofA.add(poll.record);
      ofB.add(other.record);
    });
  }
  return ofA.size === 0 ? undefined : { a: ofA, b: ofB };
}
