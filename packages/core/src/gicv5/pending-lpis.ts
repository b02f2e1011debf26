// The set of pending LPIs, in the order in which an implementation goes through them. Among interrupts of one priority it is
// IMPLEMENTATION DEFINED which is signalled; QEMU takes the first that it meets in a hash table of GLib, so this is such a
// table: open addressing with triangular probing, tombstones, and growing and shrinking as GLib does. That order depends on
// what was inserted and removed before, and is therefore part of the state.

/** Prime below each power of two, from 2^0: the modulus of a table of that size. */
const PRIMES = [
  1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071, 262139, 524287,
  1048573, 2097143, 4194301, 8388593, 16777213, 33554393,
];
const LEAST_SHIFT = 3;
const FREE = -1;
const TOMBSTONE = -2;
/** The table grows or shrinks to the next power of two above this many times its entries. */
const ROOM = 1.333;

/** The bits that a number takes. */
const bitsOf = (n: number) => 32 - Math.clz32(n);
/** GLib keeps the hashes 0 and 1 for itself. */
const hashOf = (id: number) => Math.max(id, 2);

export class PendingLpis {
  private slots = new Int32Array(1 << LEAST_SHIFT).fill(FREE);
  private modulus = PRIMES[LEAST_SHIFT]!;
  /** Entries, and entries with tombstones. */
  private entries = 0;
  private occupied = 0;

  get size(): number {
    return this.entries;
  }

  has(id: number): boolean {
    return this.slots[this.slotOf(id)] === id;
  }

  add(id: number): void {
    const slot = this.slotOf(id);
    const old = this.slots[slot]!;
    if (old === id) return;
    this.slots[slot] = id;
    this.entries++;
    if (old !== FREE) return;
    this.occupied++;
    this.resizeIfNeeded();
  }

  remove(id: number): void {
    const slot = this.slotOf(id);
    if (this.slots[slot] !== id) return;
    this.slots[slot] = TOMBSTONE;
    this.entries--;
    this.resizeIfNeeded();
  }

  /** Removes the entries one by one and resizes once, as if each had been visited. */
  removeEach(): void {
    if (this.entries === 0) return;
    for (let slot = 0; slot < this.slots.length; slot++)
      if (this.slots[slot]! >= 0) this.slots[slot] = TOMBSTONE;
    this.entries = 0;
    this.resizeIfNeeded();
  }

  /** Forgets all entries at once: the table is as it was at first, unless it had no entry. */
  clear(): void {
    if (this.entries === 0) return;
    this.restart();
  }

  /** A new table. */
  restart(): void {
    this.slots = new Int32Array(1 << LEAST_SHIFT).fill(FREE);
    this.modulus = PRIMES[LEAST_SHIFT]!;
    this.entries = 0;
    this.occupied = 0;
  }

  /** The slots, in the order in which the entries are visited: an LPI, or below 0. */
  get table(): Int32Array {
    return this.slots;
  }

  save(): number[] {
    return [this.slots.length, this.entries, this.occupied, ...this.slots];
  }

  restore(words: Int32Array): void {
    this.slots = words.slice(3);
    this.modulus = PRIMES[bitsOf(words[0]!) - 1]!;
    this.entries = words[1]!;
    this.occupied = words[2]!;
  }

  private home(id: number): number {
    return Math.imul(hashOf(id), 11) % this.modulus;
  }

  /** The slot of an LPI; if it has none, the one that it would get. */
  private slotOf(id: number): number {
    const { slots } = this;
    let slot = this.home(id);
    let reusable = -1;
    for (let step = 1; slots[slot] !== FREE; step++) {
      if (slots[slot] === id) return slot;
      if (slots[slot] === TOMBSTONE && reusable < 0) reusable = slot;
      slot = (slot + step) & (slots.length - 1);
    }
    return reusable >= 0 ? reusable : slot;
  }

  private resizeIfNeeded(): void {
    const { length } = this.slots;
    const isSparse = length > this.entries * 4 && length > 1 << LEAST_SHIFT;
    if (isSparse || length <= this.occupied + Math.floor(this.occupied / 16)) this.resize();
  }

  /**
   * Puts the entries into a table of another size. GLib does this in place: from the first slot on, each entry goes to its
   * new slot and drives out the entry that is still there, which goes on in the same way.
   */
  private resize(): void {
    const old = this.slots;
    const shift = Math.max(LEAST_SHIFT, bitsOf(Math.floor(this.entries * ROOM)));
    const slots = new Int32Array(Math.max(old.length, 1 << shift)).fill(FREE);
    slots.set(old);
    this.modulus = PRIMES[shift]!;
    const placed = new Uint8Array(slots.length);
    for (let from = 0; from < old.length; from++) {
      let id = slots[from]!;
      if (id < 0) {
        slots[from] = FREE;
        continue;
      }
      if (placed[from]) continue;
      slots[from] = FREE;
      while (id >= 0) {
        let slot = this.home(id);
        for (let step = 1; placed[slot]; step++) slot = (slot + step) & ((1 << shift) - 1);
        placed[slot] = 1;
        const driven = slots[slot]!;
        slots[slot] = id;
        id = driven;
      }
    }
    this.slots = slots.slice(0, 1 << shift);
    this.occupied = this.entries;
  }
}
