// Handles names that are only permuted between two runs of one guest: addresses, LPIs and DeviceIDs that an allocator
// gave out in another order. A first alignment ignores them; the pairs that it finds vote for which name of B is which
// of A; each name stands for at most one other. What the renaming does not explain remains a difference.
import { identifierAt, type Slot, slotsOf, valueAt } from '@gictrace/core/record';
import { deposit, type Identifier, LPI_FIRST } from '@gictrace/core/spec';
import type { Matching } from './match.ts';

export const SPACES = ['address', 'LPI', 'vLPI', 'DeviceID'] as const;
export type Space = (typeof SPACES)[number];

/** The name space of each identifier that an allocator gives out. All other names stay. */
const SPACE_OF: Readonly<Partial<Record<Identifier | 'address', number>>> = {
  address: SPACES.indexOf('address'),
  INTID: SPACES.indexOf('LPI'),
  vINTID: SPACES.indexOf('vLPI'),
  DeviceID: SPACES.indexOf('DeviceID'),
};
const LPIS: readonly number[] = [SPACES.indexOf('LPI'), SPACES.indexOf('vLPI')];

/** The name space of the name in a slot; undefined if it is not one that is given out. Of INTIDs, only LPIs are. */
function spaceAt(slot: Slot, words: Uint32Array): number | undefined {
  const identifier = identifierAt(slot, words);
  const space = identifier === undefined ? undefined : SPACE_OF[identifier];
  if (space === undefined) return undefined;
  const value = valueAt(slot, words);
  return value === 0 || (LPIS.includes(space) && value < LPI_FIRST) ? undefined : space;
}

/** What a renaming does to the names of a record. */
export interface Renaming {
  /** Replaces the names in (masked) words. */
  apply(kind: number, words: Uint32Array): void;
  /** The records come again from the first on. */
  restart?(): void;
}

/** Replaces each name by 1 and keeps the original. */
export class Blind implements Renaming {
  /** By record, in order: where its names end in {@link values}. */
  readonly ends: number[] = [];
  readonly values: number[] = [];
  readonly spaces: number[] = [];

  restart(): void {
    this.ends.length = this.values.length = this.spaces.length = 0;
  }

  apply(kind: number, words: Uint32Array): void {
    for (const slot of slotsOf(kind, words)) {
      const space = spaceAt(slot, words);
      if (space === undefined) continue;
      this.values.push(valueAt(slot, words));
      this.spaces.push(space);
      deposit(words, slot.at, 0, slot.lsb, slot.width, 1);
    }
    this.ends.push(this.values.length);
  }
}

/** Replaces names of B by those of A. */
export class Permutation implements Renaming {
  /** By name space: from B to A, without names that stay. */
  readonly maps: readonly ReadonlyMap<number, number>[];

  constructor(maps: readonly ReadonlyMap<number, number>[]) {
    this.maps = maps;
  }

  apply(kind: number, words: Uint32Array): void {
    for (const slot of slotsOf(kind, words)) {
      const space = spaceAt(slot, words);
      const to = space === undefined ? undefined : this.maps[space]!.get(valueAt(slot, words));
      if (to !== undefined) deposit(words, slot.at, 0, slot.lsb, slot.width, to / 2 ** slot.shift);
    }
  }
}

/**
 * The permutation that most pairs of a blind alignment vote for. `kept`: by record, its place among those that were
 * blinded.
 */
export function vote(
  a: Blind,
  b: Blind,
  { matchA }: Matching,
  keptA: Uint32Array,
  keptB: Uint32Array,
): Permutation {
  const votes = SPACES.map(() => new Map<string, { from: number; to: number; n: number }>());
  for (let i = 0; i < matchA.length; i++) {
    const j = matchA[i]!;
    if (j < 0) continue;
    const [p, q] = [keptA[i]!, keptB[j]!];
    const [startA, startB] = [p === 0 ? 0 : a.ends[p - 1]!, q === 0 ? 0 : b.ends[q - 1]!];
    const n = a.ends[p]! - startA;
    if (n !== b.ends[q]! - startB) continue;
    for (let k = 0; k < n; k++) {
      const [to, from] = [a.values[startA + k]!, b.values[startB + k]!];
      const own = votes[a.spaces[startA + k]!]!;
      const key = `${from} ${to}`;
      const entry = own.get(key);
      if (entry === undefined) own.set(key, { from, to, n: 1 });
      else entry.n++;
    }
  }
  return new Permutation(
    votes.map((own) => {
      const taken = new Set<number>();
      const map = new Map<number, number>();
      const order = [...own.values()].sort((x, y) => y.n - x.n || x.from - y.from || x.to - y.to);
      for (const { from, to } of order) {
        if (map.has(from) || taken.has(to)) continue;
        map.set(from, to);
        taken.add(to);
      }
      for (const [from, to] of [...map]) if (from === to) map.delete(from);
      return map;
    }),
  );
}
