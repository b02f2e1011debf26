// Groups the records of two sides by stream, and maps parts of the whole to parts of each stream. Pure.
import type { Part } from './myers.ts';
import type { Side } from './side.ts';

export interface ByStream {
  /**
   * The records of each stream, one after the other. Those of stream s are from `starts[s]` to before `starts[s + 1]`.
   */
  readonly order: Uint32Array;
  readonly starts: Uint32Array;
}

/** Leaves out records that are matched with one of another stream. */
export function byStream(side: Side, other: Side, match: Int32Array, streams: number): ByStream {
  const starts = new Uint32Array(streams + 1);
  const kept = new Uint8Array(side.count);
  for (let i = 0; i < side.count; i++) {
    const to = match[i]!;
    if (to >= 0 && other.stream[to] !== side.stream[i]) continue;
    kept[i] = 1;
    starts[side.stream[i]! + 1]!++;
  }
  for (let s = 0; s < streams; s++) starts[s + 1] = starts[s + 1]! + starts[s]!;
  const next = starts.slice();
  const order = new Uint32Array(starts[streams]!);
  for (let i = 0; i < side.count; i++) if (kept[i] === 1) order[next[side.stream[i]!]!++] = i;
  return { order, starts };
}

/** By record of a side: its place in its stream, or -1. */
function places({ count }: Side, { order, starts }: ByStream, streams: number): Int32Array {
  const place = new Int32Array(count).fill(-1);
  for (let s = 0; s < streams; s++)
    for (let k = starts[s]!; k < starts[s + 1]!; k++) place[order[k]!] = k - starts[s]!;
  return place;
}

/** By stream: its first and last place among the records `from` to `to`. */
function extents(side: Side, place: Int32Array, from: number, to: number): Map<number, [number, number]> {
  const found = new Map<number, [number, number]>();
  for (let i = from; i < to; i++) {
    if (place[i]! < 0) continue;
    const extent = found.get(side.stream[i]!);
    if (extent === undefined) found.set(side.stream[i]!, [place[i]!, place[i]! + 1]);
    else extent[1] = place[i]! + 1;
  }
  return found;
}

/** Maps parts of the whole sides to parts of each stream. */
export function streamParts(
  a: Side,
  b: Side,
  ofA: ByStream,
  ofB: ByStream,
  parts: readonly Part[],
  streams: number,
): Part[][] {
  const out: Part[][] = Array.from({ length: streams }, () => []);
  if (parts.length === 0) return out;
  const placeA = places(a, ofA, streams);
  const placeB = places(b, ofB, streams);
  for (const { a0, a1, b0, b1 } of parts) {
    const inB = extents(b, placeB, b0, b1);
    for (const [s, [from, to]] of extents(a, placeA, a0, a1)) {
      const other = inB.get(s);
      if (other !== undefined) out[s]!.push({ a0: from, a1: to, b0: other[0], b1: other[1] });
    }
  }
  return out;
}
