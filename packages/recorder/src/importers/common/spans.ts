// A set of addresses, kept as the smallest number of ranges.

export class Spans {
  /** The ranges [from, to), in ascending order, neither overlapping nor adjacent. */
  private readonly from: number[] = [];
  private readonly to: number[] = [];

  /** The number of ranges that begin at or before an address. */
  private upTo(address: number): number {
    let low = 0;
    let high = this.from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.from[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get isEmpty(): boolean {
    return this.from.length === 0;
  }

  /** Adds `length` addresses. */
  add(address: number, length: number): void {
    if (length <= 0) return;
    let first = this.upTo(address);
    if (first > 0 && this.to[first - 1]! >= address) first--;
    const last = this.upTo(address + length);
    const joined = last > first;
    const from = joined ? Math.min(address, this.from[first]!) : address;
    const to = joined ? Math.max(address + length, this.to[last - 1]!) : address + length;
    this.from.splice(first, last - first, from);
    this.to.splice(first, last - first, to);
  }

  has(address: number): boolean {
    const at = this.upTo(address) - 1;
    return at >= 0 && address < this.to[at]!;
  }

  /** The number of ranges. */
  get count(): number {
    return this.from.length;
  }
}
