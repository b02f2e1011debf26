// Finds the device and event of an LPI: those of the MSI that made it pending or, without an MSI, those that were mapped to
// it when it became pending, or when it was acknowledged if it is not known when it became pending.
import { LPI_FIRST } from '@gictrace/core/spec';
import type { Collector } from './collect.ts';
import { NONE } from './facts.ts';

/** Fills the column `event` of the lifetimes. Must be called before records become moments. */
export function attribute({ lives, msis, mappings }: Collector): void {
  const msiAt = msis.at.all();
  const msiEvent = msis.event.all();
  const byIntid = new Map<number, number[]>();
  for (let k = 0; k < mappings.intid.length; k++) {
    if (mappings.virtual.get(k) !== 0) continue;
    const intid = mappings.intid.get(k);
    const rows = byIntid.get(intid);
    if (rows === undefined) byIntid.set(intid, [k]);
    else rows.push(k);
  }
  const event = lives.event.all();
  for (let i = 0; i < event.length; i++) {
    const at = lives.pended.get(i) === NONE ? lives.acknowledged.get(i) : lives.pended.get(i);
    if (at === NONE || (lives.virtual.get(i) === 0 && lives.intid.get(i) < LPI_FIRST)) continue;
    const k = find(msiAt, at);
    if (k >= 0) event[i] = msiEvent[k]!;
    else if (lives.virtual.get(i) === 0) {
      const mapped = (byIntid.get(lives.intid.get(i)) ?? []).filter(
        (row) => mappings.from.get(row) <= at && at <= mappings.to.get(row),
      );
      // If two events are mapped to one LPI, it is unknown which of them it was.
      const events = new Set(mapped.map((row) => mappings.event.get(row)));
      if (events.size === 1) event[i] = [...events][0]!;
    }
  }
}

function find(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && sorted[low] === value ? low : -1;
}
