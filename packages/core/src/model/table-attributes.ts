// Memory attributes in the registers that give tables their addresses, as an implementation stores them that supports only
// some: it takes the nearest that it supports, and software reads that back.

/** Shareability: 1 Inner, 2 Outer. Cacheability: 0 and 1 non-cacheable, 3 Read-allocate Write-back. */
const OUTER_SHAREABLE = 2;
const INNER_SHAREABLE = 1;
const NON_CACHEABLE = 1;
const READ_ALLOCATE_WRITE_BACK = 3;
const SAME_AS_INNER = 0;
/** GITS_BASER<n>.Page_Size: 64 KB. */
const PAGES_OF_64_KB = 2;

/** Where the inner and the outer cacheability are, as the number of their lowest bit in the low or the high word. */
interface Places {
  readonly inner: { readonly high: boolean; readonly lsb: number };
  readonly outerLsb: number;
}
const OF_REDISTRIBUTOR: Places = { inner: { high: false, lsb: 7 }, outerLsb: 24 };
const OF_ITS: Places = { inner: { high: true, lsb: 27 }, outerLsb: 21 };

const words: [number, number] = [0, 0];

function field(word: number, lsb: number, bits: number): number {
  return (word >>> lsb) & (2 ** bits - 1);
}
function put(word: number, lsb: number, bits: number, value: number): number {
  return ((word & ~((2 ** bits - 1) << lsb)) | (value << lsb)) >>> 0;
}

/** Outer Shareable becomes Inner Shareable, Non-cacheable becomes cacheable, and outer attributes follow the inner ones. */
function supported(low: number, high: number, { inner, outerLsb }: Places): [number, number] {
  words[0] = low;
  words[1] = high;
  if (field(low, 10, 2) === OUTER_SHAREABLE) words[0] = put(low, 10, 2, INNER_SHAREABLE);
  const at = inner.high ? 1 : 0;
  if (field(words[at], inner.lsb, 3) <= NON_CACHEABLE)
    words[at] = put(words[at], inner.lsb, 3, READ_ALLOCATE_WRITE_BACK);
  if (field(words[1], outerLsb, 3) > NON_CACHEABLE) words[1] = put(words[1], outerLsb, 3, SAME_AS_INNER);
  return words;
}

/** GICR_PROPBASER and GICR_PENDBASER: low and high word. The result is valid until the next call. */
export function redistributorTable(low: number, high: number): readonly [number, number] {
  return supported(low, high, OF_REDISTRIBUTOR);
}

/** GITS_BASER<n>: low and high word. Pages are of 64 KB. The result is valid until the next call. */
export function itsTable(low: number, high: number): readonly [number, number] {
  const found = supported(low, high, OF_ITS);
  found[0] = put(found[0], 8, 2, PAGES_OF_64_KB);
  return found;
}

/** GITS_CBASER: low and high word. The queue is aligned to 64 KB. The result is valid until the next call. */
export function commandQueue(low: number, high: number): readonly [number, number] {
  const found = supported(low, high, OF_ITS);
  found[0] = (found[0] & ~0xf000) >>> 0;
  return found;
}
