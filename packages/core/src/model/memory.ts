// Guest memory as the GIC sees it: sparse pages that exist once something is known about them, and for each
// byte whether its content is known. Unknown bytes read as zero and the reader is told. Knows nothing of GICs.

const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;

interface Page {
  readonly data: Uint8Array;
  /** One bit a byte. */
  readonly known: Uint8Array;
}

export class GuestMemory {
  /** Keyed by page number (address / 4096): a safe integer. */
  private pages = new Map<number, Page>();
  private lastNumber = -1;
  private lastPage: Page | undefined;

  private page(number: number, create: true): Page;
  private page(number: number, create: boolean): Page | undefined;
  private page(number: number, create: boolean): Page | undefined {
    if (number === this.lastNumber) return this.lastPage;
    let page = this.pages.get(number);
    if (page === undefined && create) {
      page = { data: new Uint8Array(PAGE_BYTES), known: new Uint8Array(PAGE_BYTES / 8) };
      this.pages.set(number, page);
    }
    if (page !== undefined) {
      this.lastNumber = number;
      this.lastPage = page;
    }
    return page;
  }

  /** The byte at a physical address; 0 where it is not known. */
  readByte(address: number): number {
    const page = this.page(Math.floor(address / PAGE_BYTES), false);
    return page === undefined ? 0 : page.data[address % PAGE_BYTES]!;
  }

  isKnown(address: number): boolean {
    const page = this.page(Math.floor(address / PAGE_BYTES), false);
    if (page === undefined) return false;
    const at = address % PAGE_BYTES;
    return ((page.known[at >> 3]! >> (at & 7)) & 1) === 1;
  }

  /** Whether all of `length` bytes are known. */
  areKnown(address: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (!this.isKnown(address + i)) return false;
    return true;
  }

  /** Whether any of `length` bytes is known. */
  anyKnown(address: number, length: number): boolean {
    const end = address + length;
    for (let at = address; at < end; ) {
      const number = Math.floor(at / PAGE_BYTES);
      const next = Math.min(end, (number + 1) * PAGE_BYTES);
      const page = this.page(number, false);
      if (page !== undefined) for (; at < next; at++) if (this.isKnown(at)) return true;
      at = next;
    }
    return false;
  }

  /** A little-endian 32-bit word. */
  readWord(address: number): number {
    return (
      (this.readByte(address) |
        (this.readByte(address + 1) << 8) |
        (this.readByte(address + 2) << 16) |
        (this.readByte(address + 3) << 24)) >>>
      0
    );
  }

  writeByte(address: number, value: number): void {
    const page = this.page(Math.floor(address / PAGE_BYTES), true);
    const at = address % PAGE_BYTES;
    page.data[at] = value;
    page.known[at >> 3]! |= 1 << (at & 7);
  }

  /** Writes `width` bytes (1, 2, 4 or 8), little-endian. */
  write(address: number, width: number, low: number, high: number): void {
    for (let i = 0; i < width; i++)
      this.writeByte(address + i, (i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4))) & 0xff);
  }

  /** Marks bytes as known to hold `byte`, or as unknown (they then read as zero). */
  mark(address: number, length: number, known: boolean, byte: number): void {
    let at = address;
    const end = address + length;
    while (at < end) {
      const number = Math.floor(at / PAGE_BYTES);
      const from = at % PAGE_BYTES;
      const to = Math.min(PAGE_BYTES, from + (end - at));
      const page = this.page(number, known);
      if (page !== undefined) {
        page.data.fill(known ? byte : 0, from, to);
        for (let i = from; i < to; ) {
          if ((i & 7) === 0 && to - i >= 8) {
            page.known[i >> 3] = known ? 0xff : 0;
            i += 8;
          } else {
            if (known) page.known[i >> 3]! |= 1 << (i & 7);
            else page.known[i >> 3]! &= ~(1 << (i & 7));
            i++;
          }
        }
      }
      at += to - from;
    }
  }

  /**
   * Calls `visit` with the offset and value of each non-zero byte in a range, ascending; answers whether the
   * whole range is known.
   */
  scan(address: number, length: number, visit: (offset: number, byte: number) => void): boolean {
    let allKnown = true;
    let at = address;
    const end = address + length;
    while (at < end) {
      const from = at % PAGE_BYTES;
      const to = Math.min(PAGE_BYTES, from + (end - at));
      const page = this.page(Math.floor(at / PAGE_BYTES), false);
      if (page === undefined) allKnown = false;
      else {
        for (let i = from; i < to; i++) {
          const byte = page.data[i]!;
          if (byte !== 0) visit(at - address + (i - from), byte);
          if (((page.known[i >> 3]! >> (i & 7)) & 1) === 0) allKnown = false;
        }
      }
      at += to - from;
    }
    return allKnown;
  }

  /** Pages in ascending order of address, for digests and snapshots: page number, data, known bits. */
  *entries(): Generator<[number, Uint8Array, Uint8Array]> {
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      const page = this.pages.get(number)!;
      yield [number, page.data, page.known];
    }
  }

  /** Replaces the content of page `number` (4,096 bytes and 512 bytes of known bits). */
  setPage(number: number, data: Uint8Array, known: Uint8Array): void {
    const page = this.page(number, true);
    page.data.set(data);
    page.known.set(known);
  }

  clear(): void {
    this.pages = new Map();
    this.lastNumber = -1;
    this.lastPage = undefined;
  }
}
