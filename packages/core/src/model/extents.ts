// What is known of long stretches of guest memory without holding their bytes: ranges of whole pages, each filled with
// one byte. A mark of gigabytes costs one entry. Knows nothing of GICs, nor of the pages that are held one by one.

/** Pages `from` to `to` (not included) hold `byte` throughout. */
interface Extent {
  readonly from: number;
  readonly to: number;
  readonly byte: number;
}

export class Extents {
  /** Ascending, none empty, none touching another with the same byte. */
  private list: Extent[] = [];

  get count(): number {
    return this.list.length;
  }

  /** The byte that page `page` is filled with; -1 where no extent covers it. */
  byteAt(page: number): number {
    const at = this.firstEndingAfter(page);
    const extent = this.list[at];
    return extent !== undefined && extent.from <= page ? extent.byte : -1;
  }

  /** Fills pages with `byte`; -1: nothing is known of them by an extent any more. */
  fill(from: number, to: number, byte: number): void {
    if (from >= to) return;
    const first = this.firstEndingAfter(from - 1);
    let last = first;
    while (last < this.list.length && this.list[last]!.from <= to) last++;
    let start = from;
    let end = to;
    const pieces: Extent[] = [];
    for (const one of this.list.slice(first, last)) {
      if (one.byte === byte) {
        start = Math.min(start, one.from);
        end = Math.max(end, one.to);
        continue;
      }
      if (one.from < from) pieces.push({ ...one, to: Math.min(one.to, from) });
      if (one.to > to) pieces.push({ ...one, from: Math.max(one.from, to) });
    }
    if (byte >= 0) pieces.push({ from: start, to: end, byte });
    pieces.sort((a, b) => a.from - b.from);
    this.list.splice(first, last - first, ...pieces);
  }

  /** Three numbers an extent: first page, page behind the last, byte. */
  save(): number[] {
    return this.list.flatMap(({ from, to, byte }) => [from, to, byte]);
  }

  clear(): void {
    this.list = [];
  }

  /** Index of the first extent that ends after `page`. */
  private firstEndingAfter(page: number): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle]!.to > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
