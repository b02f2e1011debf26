// Bit fields and addresses in 64-bit words, which are kept as pairs of 32-bit words, low word first. It knows no register
// and no command.

/** Powers of two: V8 calls a function for `2 ** n`, and ITS entries and commands have many fields. */
const POWERS = Float64Array.from({ length: 64 }, (_, n) => 2 ** n);

/** Reads `width` (1 to 52) bits at `lsb` of doubleword `dw`, in the 32-bit words that begin at `words[at]`. */
export function extract(words: Uint32Array, at: number, dw: number, lsb: number, width: number): number {
  const low = words[at + 2 * dw]!;
  const high = words[at + 2 * dw + 1]!;
  if (lsb >= 32) return width === 32 ? high : (high >>> (lsb - 32)) & (POWERS[width]! - 1);
  if (lsb + width <= 32) return width === 32 ? low : (low >>> lsb) & (POWERS[width]! - 1);
  const fromHigh = lsb + width - 32;
  const highPart = fromHigh === 32 ? high : high & (POWERS[fromHigh]! - 1);
  return highPart * POWERS[32 - lsb]! + (low >>> lsb);
}

/** An address, below 2^52, from its two 32-bit words. */
export function address(low: number, high: number): number {
  return high * 0x1_0000_0000 + low;
}

/** Writes the low `width` bits of `value` at `lsb` of doubleword `dw`. */
export function deposit(
  words: Uint32Array,
  at: number,
  dw: number,
  lsb: number,
  width: number,
  value: number,
): void {
  for (let bit = 0; bit < width; ) {
    const position = lsb + bit;
    const index = at + 2 * dw + (position >= 32 ? 1 : 0);
    const inWord = position & 31;
    const take = Math.min(width - bit, 32 - inWord);
    const mask = take === 32 ? 0xffff_ffff : POWERS[take]! - 1;
    const part = Math.floor(value / POWERS[bit]!) % POWERS[take]!;
    words[index] = (words[index]! & ~((mask << inWord) >>> 0)) | ((part << inWord) >>> 0);
    bit += take;
  }
}
