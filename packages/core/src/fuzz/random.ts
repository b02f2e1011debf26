// A seeded generator of pseudo-random numbers (xorshift128, Marsaglia 2003): the same seed gives the same numbers
// everywhere.

export class Random {
  private x: number;
  private y = 362436069;
  private z = 521288629;
  private w = 88675123;

  /** Any 32-bit seed. */
  constructor(seed: number) {
    this.x = (seed ^ 0x9e37_79b9) >>> 0 || 1;
    for (let n = 0; n < 16; n++) this.word();
  }

  /** 32 bits. */
  word(): number {
    const t = (this.x ^ (this.x << 11)) >>> 0;
    this.x = this.y;
    this.y = this.z;
    this.z = this.w;
    this.w = (this.w ^ (this.w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return this.w;
  }

  /** A whole number from 0 to n − 1. */
  below(n: number): number {
    return this.word() % n;
  }

  /** True once in n. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<const T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
