// Explains a difference to the user: the records around it on both sides, decoded, and what led to it. Determines which
// records those are; the reader fetches them in one pass.
import { RECORDS } from '@gictrace/core/record';
import type { Side } from './side.ts';

const QUEUE_WRITE = RECORDS['queue.write'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const HPPI = RECORDS.hppi.id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
/** Number of records of the stream to report before and after. */
const AROUND = 2;
/** How far to search for a neighbour in the same stream, or for the write of a command. */
const SEARCH_MAX = 20_000;
const SLICE_MAX = 8;

/** Places (on one side) of the records of the same stream around `i`, including `i`. */
export function around(side: Side, i: number): number[] {
  const walk = (step: 1 | -1) => {
    const out: number[] = [];
    for (let k = i + step, n = 0; k >= 0 && k < side.count && n < SEARCH_MAX; k += step, n++) {
      if (side.stream[k] !== side.stream[i]) continue;
      out.push(k);
      if (out.length === AROUND) break;
    }
    return out;
  };
  return [...walk(-1).reverse(), i, ...walk(1)];
}

/**
 * Where on the other side a record without a counterpart would be: at the counterpart of the nearest matched record
 * before it, of the same stream if one is near.
 */
export function wouldBe(from: Side, i: number, match: Int32Array): number {
  let any = -1;
  for (let k = i - 1, n = 0; k >= 0 && n < SEARCH_MAX; k--, n++) {
    if (match[k]! < 0) continue;
    if (from.stream[k] === from.stream[i]) return match[k]!;
    if (any < 0) any = match[k]!;
  }
  return any;
}

/**
 * What led to record `i`, nearest first: its cause and the cause of that; for a command the write of its slot; for an
 * acknowledge what the PE was signalled. Ends at a stimulus.
 */
export function slice(side: Side, i: number): number[] {
  const out: number[] = [];
  const add = (k: number) => {
    if (k >= 0 && k !== i && !out.includes(k) && out.length < SLICE_MAX) {
      out.push(k);
      follow(k);
    }
  };
  const follow = (k: number) => {
    if (side.kind[k] === ITS_COMMAND)
      add(
        back(k, (p) => side.kind[p] === QUEUE_WRITE && side.position[p]! % 128 === side.position[k]! % 128),
      );
    if (side.kind[k] === SYSREG_READ) add(back(k, (p) => side.kind[p] === HPPI && side.pe[p] === side.pe[k]));
    add(side.cause[k]!);
  };
  follow(i);
  return out;
}

function back(i: number, is: (k: number) => boolean): number {
  for (let k = i - 1, n = 0; k >= 0 && n < SEARCH_MAX; k--, n++) if (is(k)) return k;
  return -1;
}
