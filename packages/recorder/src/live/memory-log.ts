// Writes the contents of guest memory as lines into the log, which the importer reads like lines of QEMU. For memory that
// software changes, it remembers what it has written and writes only changes. It knows nothing of GICs.

/** How many equal bytes make a range of their own. */
const RUN_BYTES = 16;
const PAGE_BYTES = 4096;
const WIDTHS = [8, 4, 2, 1] as const;

export interface Memory {
  /** The current contents of memory; `undefined` if it cannot be read. */
  read(address: number, length: number): Buffer | undefined;
}

export interface MemoryLogCounts {
  /** Bytes that were read. */
  bytesRead: number;
  /** Lines that were written about memory. */
  lines: number;
  /** Attempts to read memory that cannot be read. */
  unreadable: number;
}

const hex = (value: number | bigint) => `0x${value.toString(16)}`;

/** The end of the run of equal bytes that begins at `from`. */
function runEnd(bytes: Buffer, from: number): number {
  const byte = bytes[from];
  let to = from + 1;
  while (to < bytes.length && bytes[to] === byte) to++;
  return to;
}

export class MemoryLog {
  private readonly memory: Memory;
  private readonly out: (line: string) => void;
  /** By address: the contents that were written last. */
  private readonly shown = new Map<number, Buffer>();
  readonly told: MemoryLogCounts = { bytesRead: 0, lines: 0, unreadable: 0 };
  /** What precedes the event's name in the line that caused memory to be read: its time, and perhaps its thread. */
  stamp = '';

  constructor(memory: Memory, out: (line: string) => void) {
    this.memory = memory;
    this.out = out;
  }

  private say(text: string): void {
    this.told.lines++;
    this.out(`${this.stamp}${text}\n`);
  }

  read(address: number, length: number): Buffer | undefined {
    this.told.bytesRead += length;
    const bytes = this.memory.read(address, length);
    if (bytes === undefined) this.told.unreadable++;
    return bytes;
  }

  /** Writes the contents of a range, whatever was written before. */
  whole(address: number, length: number): Buffer | undefined {
    if (length <= 0) return undefined;
    const bytes = this.read(address, length);
    if (bytes === undefined) return undefined;
    this.say(`gictrace_ram_unknown pa ${hex(address)} length ${hex(length)}`);
    this.runs(address, bytes);
    return bytes;
  }

  /** Writes ranges of equal bytes, and the bytes between them. */
  private runs(address: number, bytes: Buffer): void {
    let from = 0;
    for (let at = 0; at < bytes.length; ) {
      const to = runEnd(bytes, at);
      if (to - at >= RUN_BYTES || (at === 0 && to === bytes.length)) {
        this.words(address, bytes, from, at);
        this.say(`gictrace_ram_known pa ${hex(address + at)} length ${hex(to - at)} byte ${hex(bytes[at]!)}`);
        from = to;
      }
      at = to;
    }
    this.words(address, bytes, from, bytes.length);
  }

  private words(address: number, bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const width = WIDTHS.find((each) => (address + at) % each === 0 && at + each <= to)!;
      this.word(address + at, bytes, at, width);
      at += width;
    }
  }

  private word(address: number, bytes: Buffer, at: number, width: number): void {
    const value = width === 8 ? bytes.readBigUInt64LE(at) : bytes.readUIntLE(at, width);
    this.say(`gictrace_ram_store pa ${hex(address)} size ${width} value ${hex(value)}`);
  }

  /**
   * Writes a range that software changes now and then: all of it at first, then only changes, in units of `unit` bytes.
   * Returns the offsets of the changes; `undefined` if the whole range was written, or if it cannot be read.
   */
  changes(address: number, length: number, unit: 1 | 8): readonly number[] | undefined {
    const before = this.shown.get(address);
    if (before?.length !== length) {
      const bytes = this.whole(address, length);
      if (bytes !== undefined) this.shown.set(address, bytes);
      return undefined;
    }
    const now = this.read(address, length);
    if (now === undefined) return undefined;
    const changed: number[] = [];
    for (let page = 0; page < length; page += PAGE_BYTES) {
      const end = Math.min(length, page + PAGE_BYTES);
      if (now.compare(before, page, end, page, end) === 0) continue;
      for (let at = page; at + unit <= end; at += unit)
        if (now.compare(before, at, at + unit, at, at + unit) !== 0) changed.push(at);
    }
    if (changed.length === 0) return changed;
    if (unit === 8) for (const at of changed) this.word(address + at, now, at, unit);
    else this.changedBytes(address, now, changed);
    this.shown.set(address, now);
    return changed;
  }

  /** Writes single bytes separately, and many adjacent bytes that are equal now as one range. */
  private changedBytes(address: number, now: Buffer, changed: readonly number[]): void {
    for (let k = 0; k < changed.length; ) {
      const from = changed[k]!;
      let n = 1;
      while (changed[k + n] === from + n && now[from + n] === now[from]) n++;
      if (n >= RUN_BYTES) {
        this.say(`gictrace_ram_unknown pa ${hex(address + from)} length ${hex(n)}`);
        this.say(`gictrace_ram_known pa ${hex(address + from)} length ${hex(n)} byte ${hex(now[from]!)}`);
      } else for (let i = 0; i < n; i++) this.word(address + from + i, now, from + i, 1);
      k += n;
    }
  }

  /** Forgets what was written about a range. */
  forget(address: number): void {
    this.shown.delete(address);
  }

  /** Writes a slot of a command queue and returns its words. */
  command(address: number): Uint32Array | undefined {
    const bytes = this.read(address, 32);
    if (bytes === undefined) return undefined;
    const values = [0, 8, 16, 24].map((at) => hex(bytes.readBigUInt64LE(at)));
    this.say(`gictrace_queue pa ${hex(address)} holds ${values.join(' ')}`);
    return Uint32Array.from({ length: 8 }, (_, k) => bytes.readUInt32LE(4 * k));
  }
}
