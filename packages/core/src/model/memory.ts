// Guest memory as the GIC sees it: for each byte, whether it is known, and its value. Long stretches of one byte value are
// extents; a page is stored separately once its bytes differ. Unknown bytes read as zero, and the reader can find out that
// they are unknown. This file knows nothing of GICs.
import { Extents } from './extents.ts';
import { PAGE_WORK, type WorkBudget } from './work-budget.ts';

const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;
/** Marks of at least this many whole pages (64 KiB) become extents. Shorter ones are stored as pages, which are faster. */
const EXTENT_PAGES = 16;

interface Page {
  readonly data: Uint8Array;
  /** The same bytes, four at a time, to find zeros. */
  readonly words: Uint32Array;
  /** One bit per byte. */
  readonly known: Uint8Array;
}

/** Consecutive pages, up to `behind` (not included), that are one stored page, or that are all filled with `byte`. */
interface Piece {
  readonly number: number;
  readonly behind: number;
  readonly page: Page | undefined;
  readonly byte: number;
}

/** The longest range that `ranges` returns, in pages: 1 GiB. */
const RANGE_PAGES = 2 ** 18;
/** The byte of a page that no extent covers. */
const UNKNOWN = -1;

function newPage(byte: number): Page {
  const data = new Uint8Array(PAGE_BYTES);
  const page = { data, words: new Uint32Array(data.buffer), known: new Uint8Array(PAGE_BYTES / 8) };
  if (byte !== UNKNOWN) {
    page.data.fill(byte);
    page.known.fill(0xff);
  }
  return page;
}

/** Read-only pages by the byte with which they are filled. */
const FILLED: (Page | undefined)[] = [];

function filled(byte: number): Page {
  FILLED[byte] ??= newPage(byte);
  return FILLED[byte];
}

export class GuestMemory {
  /** Keyed by page number (address / 4096): a safe integer. */
  private pages = new Map<number, Page>();
  private readonly extents = new Extents();
  /** What counts the pages that are stored and searched, if anything does. */
  budget: WorkBudget | undefined;
  private lastNumber = -1;
  private lastPage: Page | undefined;

  private page(number: number, create: true): Page;
  private page(number: number, create: boolean): Page | undefined;
  private page(number: number, create: boolean): Page | undefined {
    if (number === this.lastNumber) return this.lastPage;
    let page = this.pages.get(number);
    if (page === undefined) {
      const byte = this.extents.count === 0 ? UNKNOWN : this.extents.byteAt(number);
      // Reading must not change how the contents are stored, so a page of an extent is read through a shared filled page.
      if (!create) return byte === UNKNOWN ? undefined : filled(byte);
      page = newPage(byte);
      this.pages.set(number, page);
      this.budget?.pages(this.pages.size);
    }
    this.lastNumber = number;
    this.lastPage = page;
    return page;
  }

  /** The byte at a physical address; 0 if it is unknown. */
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
    for (let done = 0; done < length; ) {
      const from = (address + done) % PAGE_BYTES;
      const to = Math.min(PAGE_BYTES, from + length - done);
      const page = this.page(Math.floor((address + done) / PAGE_BYTES), false);
      if (page === undefined) return false;
      const { known } = page;
      for (let i = from; i < to; i++) {
        // Eight bytes at a time if all of them are known.
        if ((i & 7) === 0 && to - i >= 8 && known[i >> 3] === 0xff) i += 7;
        else if (((known[i >> 3]! >> (i & 7)) & 1) === 0) return false;
      }
      done += to - from;
    }
    return true;
  }

  /** Whether any of `length` bytes is known. */
  anyKnown(address: number, length: number): boolean {
    const end = address + length;
    for (const { number, page, byte } of this.pieces(address, end)) {
      if (page === undefined) {
        if (byte !== UNKNOWN) return true;
        continue;
      }
      this.budget?.spend(PAGE_WORK);
      const { known } = page;
      const start = number * PAGE_BYTES;
      const to = Math.min(PAGE_BYTES, end - start);
      for (let i = Math.max(0, address - start); i < to; i++) {
        // Skip eight bytes at a time if none of them is known.
        if ((i & 7) === 0 && known[i >> 3] === 0) i += 7;
        else if ((known[i >> 3]! >> (i & 7)) & 1) return true;
      }
    }
    return false;
  }

  /** A little-endian 32-bit word. */
  readWord(address: number): number {
    const at = address % PAGE_BYTES;
    if (at <= PAGE_BYTES - 4) {
      const page = this.page(Math.floor(address / PAGE_BYTES), false);
      if (page === undefined) return 0;
      const { data } = page;
      return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
    }
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
    const end = address + length;
    const first = Math.ceil(address / PAGE_BYTES);
    const behind = Math.floor(end / PAGE_BYTES);
    if (behind - first < EXTENT_PAGES) {
      this.markPages(address, end, known, byte);
      return;
    }
    this.markPages(address, first * PAGE_BYTES, known, byte);
    this.dropPages(first, behind);
    this.extents.fill(first, behind, known ? byte : UNKNOWN);
    this.markPages(behind * PAGE_BYTES, end, known, byte);
  }

  private markPages(address: number, end: number, known: boolean, byte: number): void {
    let at = address;
    while (at < end) {
      const number = Math.floor(at / PAGE_BYTES);
      const from = at % PAGE_BYTES;
      const to = Math.min(PAGE_BYTES, from + (end - at));
      // If an extent covers the page, the page is split off so that it can be written.
      const page = this.page(number, known || this.extents.byteAt(number) !== UNKNOWN);
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

  /** Drops the stored pages from `first` to `behind` (not included). */
  private dropPages(first: number, behind: number): void {
    this.lastNumber = -1;
    this.lastPage = undefined;
    if (behind - first < this.pages.size) for (let n = first; n < behind; n++) this.pages.delete(n);
    else for (const n of [...this.pages.keys()]) if (n >= first && n < behind) this.pages.delete(n);
  }

  /**
   * Calls `visit` with the offset and value of each non-zero byte in a range, in ascending order. Returns whether the
   * whole range is known.
   */
  scan(address: number, length: number, visit: (offset: number, byte: number) => void): boolean {
    let allKnown = true;
    const end = address + length;
    for (const { number, behind, page, byte } of this.pieces(address, end)) {
      const start = number * PAGE_BYTES;
      const from = Math.max(address, start);
      const to = Math.min(end, behind * PAGE_BYTES);
      if (page === undefined) {
        if (byte === UNKNOWN) allKnown = false;
        else if (byte !== 0) {
          this.budget?.spend(to - from);
          for (let at = from; at < to; at++) visit(at - address, byte);
        }
        continue;
      }
      this.budget?.spend(PAGE_WORK);
      const { data, words, known } = page;
      for (let i = from - start; i < to - start; i++) {
        // Eight bytes at a time if all of them are known zeros, as nearly all of a pending table are.
        if ((i & 7) === 0 && to - start - i >= 8 && known[i >> 3] === 0xff)
          if (words[i >> 2] === 0 && words[(i >> 2) + 1] === 0) {
            i += 7;
            continue;
          }
        const value = data[i]!;
        if (value !== 0) visit(start + i - address, value);
        if (((known[i >> 3]! >> (i & 7)) & 1) === 0) allKnown = false;
      }
    }
    return allKnown;
  }

  /**
   * The pages of a range of addresses, in ascending order: a page that is stored, or as many as possible that are not, with
   * the byte that fills them. The work depends on what is stored and not on the length of the range.
   */
  private *pieces(address: number, end: number): Generator<Piece> {
    let number = Math.floor(address / PAGE_BYTES);
    const last = Math.ceil(end / PAGE_BYTES);
    if (number >= last) return;
    const stored = this.storedWithin(number, last);
    for (let k = 0; number < last; ) {
      const next = stored[k] ?? last;
      if (next === number) {
        yield { number, behind: number + 1, page: this.pages.get(number), byte: UNKNOWN };
        number++;
        k++;
        continue;
      }
      const { byte, behind } = this.extents.runAt(number);
      const to = Math.min(next, behind);
      yield { number, behind: to, page: undefined, byte };
      number = to;
    }
  }

  /** The numbers of stored pages from `first` to `behind` (not included), ascending. */
  private storedWithin(first: number, behind: number): number[] {
    const found: number[] = [];
    if (behind - first <= this.pages.size) {
      for (let n = first; n < behind; n++) if (this.pages.has(n)) found.push(n);
      return found;
    }
    this.budget?.spend(this.pages.size);
    for (const n of this.pages.keys()) if (n >= first && n < behind) found.push(n);
    return found.sort((a, b) => a - b);
  }

  /** Long stretches of one byte, for snapshots: first page, page behind the last and byte of each, ascending. */
  stretches(): readonly number[] {
    return this.extents.save();
  }

  /** Restores what `stretches` returned. Must be called before the pages are restored. */
  setStretches(numbers: readonly number[]): void {
    for (let i = 0; i < numbers.length; i += 3)
      this.extents.fill(numbers[i]!, numbers[i + 1]!, numbers[i + 2]!);
  }

  /** Pages in ascending order of address, for digests and snapshots: page number, data, known bits. */
  *entries(): Generator<[number, Uint8Array, Uint8Array]> {
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      const page = this.pages.get(number)!;
      yield [number, page.data, page.known];
    }
  }

  /** Ranges of whole pages that contain known bytes, in ascending order and at most 1 GiB long. */
  ranges(): readonly { readonly address: number; readonly length: number }[] {
    const spans = [...this.pages.keys()].map((page) => [page, page + 1] as const);
    const numbers = this.stretches();
    for (let i = 0; i < numbers.length; i += 3) spans.push([numbers[i]!, numbers[i + 1]!]);
    spans.sort((a, b) => a[0] - b[0]);
    const found: { address: number; length: number }[] = [];
    for (const [from, to] of spans)
      for (let at = from; at < to; ) {
        const last = found.at(-1);
        const behind = last === undefined ? -1 : (last.address + last.length) / PAGE_BYTES;
        const room = last === undefined ? 0 : RANGE_PAGES - last.length / PAGE_BYTES;
        if (at < behind) at = behind;
        else if (at === behind && room > 0) {
          const pages = Math.min(to - at, room);
          last!.length += pages * PAGE_BYTES;
          at += pages;
        } else {
          const pages = Math.min(to - at, RANGE_PAGES);
          found.push({ address: at * PAGE_BYTES, length: pages * PAGE_BYTES });
          at += pages;
        }
      }
    return found;
  }

  /** Replaces the content of page `number` (4,096 bytes and 512 bytes of known bits). */
  setPage(number: number, data: Uint8Array, known: Uint8Array): void {
    const page = this.page(number, true);
    page.data.set(data);
    page.known.set(known);
  }

  clear(): void {
    this.pages = new Map();
    this.extents.clear();
    this.lastNumber = -1;
    this.lastPage = undefined;
  }
}
