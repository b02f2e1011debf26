// Decides what a timeline draws at each zoom level: single items of a series if they are few, otherwise how many begin
// in each column of pixels and which columns an item covers. Pure. Positions are moments, which are in order on every
// axis.

/**
 * Items in the order in which they begin, from moment `first` to moment `last`.
 * @typedef {object} Span
 * @property {Uint32Array} first
 * @property {Uint32Array} last
 * @property {Uint32Array} reach The greatest `last` of this and all earlier items.
 * @property {Uint32Array} from The first moment of each of the disjoint ranges that the items cover, in order.
 * @property {Uint32Array} to The last moment of each range.
 */

/**
 * The first index of `sorted` from `low` below `high` whose value is at least `value`; otherwise `high`.
 * @param {Uint32Array | Float64Array} sorted
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @returns {number}
 */
export function lowerBound(sorted, value, low = 0, high = sorted.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The moments from `from` to `to`, inclusive: the first, and the one after the last.
 * @param {Float64Array} places ascending: where each moment is
 * @param {number} from
 * @param {number} to
 * @returns {[first: number, behind: number]}
 */
export function inSight(places, from, to) {
  const first = lowerBound(places, from);
  let low = first;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] <= to) low = middle + 1;
    else high = middle;
  }
  return [first, low];
}

/**
 * @param {Uint32Array} first ascending
 * @param {Uint32Array} last
 * @returns {Span}
 */
export function span(first, last) {
  const reach = new Uint32Array(first.length);
  /** @type {number[]} */
  const from = [];
  /** @type {number[]} */
  const to = [];
  let far = 0;
  for (let i = 0; i < first.length; i++) {
    const open = from.length - 1;
    if (open >= 0 && first[i] <= to[open]) to[open] = Math.max(to[open], last[i]);
    else {
      from.push(first[i]);
      to.push(last[i]);
    }
    reach[i] = far = Math.max(far, last[i]);
  }
  return { first, last, reach, from: Uint32Array.from(from), to: Uint32Array.from(to) };
}

/**
 * A range of items that includes all those that overlap the moments `from` to before `to`.
 * @param {Span} of
 * @param {number} from
 * @param {number} to
 * @returns {[low: number, high: number]}
 */
export function overlapping(of, from, to) {
  const high = lowerBound(of.first, to);
  return [Math.min(lowerBound(of.reach, from), high), high];
}

/**
 * How many items begin in each column; `edges` has one more entry than there are columns.
 * @param {Span} of
 * @param {Uint32Array} edges ascending
 * @param {Uint32Array} counts
 */
export function countColumns(of, edges, counts) {
  const { first } = of;
  let at = lowerBound(first, edges[0]);
  for (let column = 0; column + 1 < edges.length; column++) {
    const edge = edges[column + 1];
    // Usually few items begin in a column, so look nearby before searching.
    let high = at;
    for (let step = 1; high < first.length && first[high] < edge; step *= 2) high += step;
    const end = high === at ? at : lowerBound(first, edge, at, Math.min(high, first.length));
    counts[column] = end - at;
    at = end;
  }
}

/**
 * Which columns an item covers, at least in part: the item begins before the column's end and ends at or after its
 * start.
 * @param {Span} of
 * @param {Uint32Array} edges ascending
 * @param {Uint8Array} covered
 */
export function coverColumns(of, edges, covered) {
  let k = lowerBound(of.to, edges[0]);
  for (let column = 0; column + 1 < edges.length; column++) {
    while (k < of.to.length && of.to[k] < edges[column]) k++;
    covered[column] = k < of.from.length && of.from[k] < edges[column + 1] ? 1 : 0;
  }
}

/**
 * The moment at each edge of a column: the first one that is not before the edge.
 * @param {Float64Array} places ascending: where each moment is
 * @param {number} from
 * @param {number} to
 * @param {Uint32Array} edges filled
 */
export function columnEdges(places, from, to, edges) {
  const n = edges.length - 1;
  let at = 0;
  for (let k = 0; k <= n; k++) edges[k] = at = lowerBound(places, from + ((to - from) * k) / n, at);
}
