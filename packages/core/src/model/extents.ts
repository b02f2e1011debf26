// Long stretches of guest memory that contain one byte value, as ranges of whole pages: a stretch of gigabytes takes one
// entry. This file knows nothing of GICs, nor of the pages that are stored one by one.

/** All bytes of pages `from` to `to` (not included) are `byte`. */
interface Extent {
  readonly from: number;
  readonly to: number;
  readonly byte: number;
}

export class Extents {
  /** In ascending order. No extent is empty, and adjacent extents have different bytes. */
  private list: Extent[] = [];

  get count(): number {
    return this.list.length;
  }

  /** The byte with which page `page` is filled; -1 if no extent covers it. */
  byteAt(page: number): number {
    const at = this.firstEndingAfter(page);
    const extent = this.list[at];
    return extent !== undefined && extent.from <= page ? extent.byte : -1;
  }

  /** The byte with which `page` is filled (-1 if no extent covers it), and the first page behind it where that changes. */
  runAt(page: number): { readonly byte: number; readonly behind: number } {
    const extent = this.list[this.firstEndingAfter(page)];
    if (extent === undefined) return { byte: -1, behind: Number.POSITIVE_INFINITY };
    return extent.from <= page ? { byte: extent.byte, behind: extent.to } : { byte: -1, behind: extent.from };
  }

  /** Fills pages with `byte`. With -1, no extent covers them any more. */
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

  /** Three numbers per extent: the first page, the page behind the last, the byte. */
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
