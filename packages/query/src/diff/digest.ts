// A digest of everything that was done and observed that does not change under legal reordering: the sum of each
// record's hash together with what the record depends on. Two traces have the same digest if their records are the
// same, their dependent pairs are in the same order and their observables have the same causes. Not cryptographic.
// Pure.
import { MODES_MAX } from './dependence.ts';
import type { Footprints } from './footprints.ts';
import { Hash64, spread } from './hash.ts';
import type { Side } from './side.ts';

/**
 * Returns 32 hex digits. A record's hash includes, for each resource that it touches, the sum of the hashes of all
 * earlier records that touch it in a conflicting mode, and the hash of its cause. It therefore covers everything that
 * had to happen before the record, and nothing else. The digest is the sum over all records.
 */
export function orderDigest(side: Side, footprints: Footprints): string {
  const size = footprints.types.length * MODES_MAX;
  const sumLo = new Uint32Array(size);
  const sumHi = new Uint32Array(size);
  const ownLo = new Uint32Array(side.count);
  const hash = new Hash64();
  const total = new Uint32Array(4);
  let start = 0;
  for (let i = 0; i < side.count; i++) {
    hash.start(side.hi[i]!);
    hash.add(side.lo[i]!);
    const cause = side.cause[i]!;
    hash.add(cause < 0 ? 0 : ownLo[cause]!);
    const end = side.footprintEnd[i]!;
    for (let f = start; f < end; f++) {
      const touched = side.footprint[f]!;
      const base = touched - (touched % MODES_MAX);
      let lo = 0;
      let hi = 0;
      let modes = footprints.conflictsOf(touched);
      for (let mode = 0; modes !== 0; mode++, modes >>= 1) {
        if ((modes & 1) === 0) continue;
        lo = (lo + sumLo[base + mode]!) | 0;
        hi = (hi + sumHi[base + mode]!) | 0;
      }
      hash.add(lo);
      hash.add(hi);
    }
    hash.finish();
    for (let f = start; f < end; f++) {
      const touched = side.footprint[f]!;
      sumLo[touched]! += hash.lo;
      sumHi[touched]! += hash.hi;
    }
    start = end;
    ownLo[i] = hash.lo;
    total[0]! += hash.lo;
    total[1]! += hash.hi;
    total[2]! += spread(hash.lo ^ 0x2545f491);
    total[3]! += spread(hash.hi + hash.lo);
  }
  return [...total].map((word) => word.toString(16).padStart(8, '0')).join('');
}
