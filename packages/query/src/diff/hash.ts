// A 64-bit hash of 32-bit words in two lanes, and small numbers as names for hashes. Not cryptographic: it
// distinguishes records of traces (among 2^20 different ones, two collide with a probability of 2^-25), but does not
// resist deliberate collisions.

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;
const C3 = 0x85ebca6b | 0;
const C4 = 0xc2b2ae35 | 0;
const C5 = 0x27d4eb2f;

/** Spreads the bits of a 32-bit word over the whole word. One to one. */
export function spread(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), C3);
  h = Math.imul(h ^ (h >>> 13), C4);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Takes words one by one; `lo` and `hi` hold the hash after {@link finish}. Reused, so that nothing is allocated. */
export class Hash64 {
  lo = 0;
  hi = 0;
  private n = 0;

  start(seed: number): void {
    this.lo = Math.imul(seed ^ 0x9e3779b9, C1);
    this.hi = Math.imul(seed + 0x7f4a7c15, C5);
    this.n = 0;
  }

  add(word: number): void {
    let a = Math.imul(word, C1);
    a = Math.imul((a << 15) | (a >>> 17), C2);
    const lo = this.lo ^ a;
    this.lo = (Math.imul((lo << 13) | (lo >>> 19), 5) + 0xe6546b64) | 0;
    let b = Math.imul(word ^ 0x5bd1e995, C4);
    b = Math.imul((b << 17) | (b >>> 15), C5);
    const hi = this.hi ^ b;
    this.hi = (Math.imul((hi << 19) | (hi >>> 13), 5) + 0x38495ab5 + this.lo) | 0;
    this.n++;
  }

  finish(): void {
    const lo = spread(this.lo ^ this.n);
    const hi = spread(this.hi ^ lo);
    this.lo = spread(lo + Math.imul(hi, 3));
    this.hi = hi;
  }
}

/** Names 64-bit hashes by numbers from 0 in order of appearance: an open-addressing table that grows. */
export class Interner {
  private slots: Int32Array;
  private los: Uint32Array;
  private his: Uint32Array;
  private mask: number;
  count = 0;

  constructor(expected = 1024) {
    let size = 1024;
    while (size < expected * 2) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    this.los = new Uint32Array(size >> 1);
    this.his = new Uint32Array(size >> 1);
  }

  /** The number of a hash; a new one if it does not have one yet. */
  idOf(lo: number, hi: number): number {
    lo >>>= 0;
    hi >>>= 0;
    let slot = (lo ^ Math.imul(hi, C1)) & this.mask;
    for (;;) {
      const id = this.slots[slot]!;
      if (id < 0) break;
      if (this.los[id] === lo && this.his[id] === hi) return id;
      slot = (slot + 1) & this.mask;
    }
    if (this.count === this.los.length) {
      this.grow();
      return this.idOf(lo, hi);
    }
    const id = this.count++;
    this.los[id] = lo;
    this.his[id] = hi;
    this.slots[slot] = id;
    return id;
  }

  private grow(): void {
    const size = this.slots.length * 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    const grown = (from: Uint32Array) => {
      const to = new Uint32Array(size >> 1);
      to.set(from);
      return to;
    };
    this.los = grown(this.los);
    this.his = grown(this.his);
    for (let id = 0; id < this.count; id++) {
      let slot = (this.los[id]! ^ Math.imul(this.his[id]!, C1)) & this.mask;
      while (this.slots[slot]! >= 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = id;
    }
  }
}
