// Myers' greedy shortest edit script, forward, with a limit on the edits. Within the limit the alignment is a longest
// common subsequence. Beyond it, the best path so far is taken and the search starts again behind it, so no input takes
// more than about (records × limit) steps. Pure.

/** The largest number of edits that one search follows; its history takes CAP² / 2 words. */
export const EDITS_MAX = 1024;
/** The number of edits in one search of a coarse alignment. */
const COARSE_EDITS = 256;
/** After this many equal records in a row a search may start again. */
const FIRM = 24;

const reach = new Int32Array(2 * EDITS_MAX + 3);
const history = new Int32Array(((EDITS_MAX + 1) * (EDITS_MAX + 2)) / 2);

/** A part of two sequences: `[a0, a1)` and `[b0, b1)`. */
export interface Part {
  readonly a0: number;
  readonly a1: number;
  readonly b0: number;
  readonly b1: number;
}

/**
 * Searches for a script of at most `cap` edits. Returns the number of edits, or -1 if it needs more; `reach` and
 * `history` then hold how far each diagonal got.
 */
function search(a: Uint32Array, b: Uint32Array, { a0, a1, b0, b1 }: Part, cap: number): number {
  const n = a1 - a0;
  const m = b1 - b0;
  const zero = EDITS_MAX + 1;
  reach[zero + 1] = 0;
  let at = 0;
  for (let d = 0; d <= cap; d++) {
    for (let k = -d; k <= d; k += 2) {
      let x =
        k === -d || (k !== d && reach[zero + k - 1]! < reach[zero + k + 1]!)
          ? reach[zero + k + 1]!
          : reach[zero + k - 1]! + 1;
      let y = x - k;
      if (x <= n && y <= m) {
        while (x < n && y < m && a[a0 + x] === b[b0 + y]) {
          x++;
          y++;
        }
      }
      reach[zero + k] = x;
      history[at++] = x;
      if (x >= n && y >= m) return d;
    }
  }
  return -1;
}

/** Where the history holds the furthest x after `d` edits on diagonal `k`. */
function past(d: number, k: number): number {
  return history[(d * (d + 1)) / 2 + ((k + d) >> 1)]!;
}

/** Walks back from the end of diagonal `k` after `d` edits and passes on the runs of equal records, last first. */
function walk(d: number, k: number, run: (x: number, y: number, length: number) => void): void {
  let x = past(d, k);
  for (; d > 0; d--) {
    const down = k === -d || (k !== d && past(d - 1, k - 1) < past(d - 1, k + 1));
    const from = down ? k + 1 : k - 1;
    const before = past(d - 1, from);
    const start = down ? before : before + 1;
    if (x > start) run(start, start - k, x - start);
    k = from;
    x = before;
  }
  if (x > 0) run(0, 0, x);
}

function put(match: Int32Array, part: Part, d: number, k: number, limit: number): void {
  walk(d, k, (x, y, length) => {
    for (let i = 0; i < length && x + i < limit; i++) match[part.a0 + x + i] = part.b0 + y + i;
  });
}

/**
 * Aligns a part exactly if at most `cap` edits suffice. Returns whether they did. Fills `match` from a's index to b's.
 */
export function alignExactly(
  a: Uint32Array,
  b: Uint32Array,
  part: Part,
  match: Int32Array,
  cap = EDITS_MAX,
): boolean {
  if (Math.abs(part.a1 - part.a0 - (part.b1 - part.b0)) > cap) return false;
  const d = search(a, b, part, cap);
  if (d < 0) return false;
  put(match, part, d, part.a1 - part.a0 - (part.b1 - part.b0), Number.POSITIVE_INFINITY);
  return true;
}

/**
 * Aligns a part piece by piece. Returns the number of records of both sides whose alignment is not proven to be the
 * best.
 */
export function alignCoarsely(a: Uint32Array, b: Uint32Array, part: Part, match: Int32Array): number {
  let { a0, b0 } = part;
  const { a1, b1 } = part;
  let coarse = 0;
  while (a0 < a1 && b0 < b1) {
    const rest = { a0, a1, b0, b1 };
    const d = search(a, b, rest, COARSE_EDITS);
    if (d >= 0) {
      put(match, rest, d, a1 - a0 - (b1 - b0), Number.POSITIVE_INFINITY);
      break;
    }
    // The diagonal that got furthest within both sides.
    let best = -1;
    let bestK = 0;
    for (let k = -COARSE_EDITS; k <= COARSE_EDITS; k += 2) {
      const x = past(COARSE_EDITS, k);
      if (x > a1 - a0 || x - k > b1 - b0) continue;
      if (2 * x - k > best) {
        best = 2 * x - k;
        bestK = k;
      }
    }
    if (best < 0) break;
    // Only up to its last firm run, if that is far enough for the cost to stay linear.
    let x = past(COARSE_EDITS, bestK);
    let y = x - bestK;
    let firm = false;
    walk(COARSE_EDITS, bestK, (fromX, fromY, length) => {
      if (firm || length < FIRM || fromX + fromY + 2 * length < COARSE_EDITS) return;
      firm = true;
      x = fromX + length;
      y = fromY + length;
    });
    put(match, rest, COARSE_EDITS, bestK, x);
    a0 += x;
    b0 += y;
    coarse += x + y;
  }
  return coarse;
}
