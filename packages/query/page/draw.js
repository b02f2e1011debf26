// Draws one lane of a timeline: single items if they are few, otherwise their density. Returns what was drawn where.
import { NONE } from './data.js';
import { countColumns, coverColumns, inSight, lowerBound, overlapping } from './lod.js';

/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {import('./series.js').Series} Series */
/** @typedef {import('./model.js').Model} Model */
/**
 * What was drawn from x0 to x1: row `k` of a series. A density has none.
 * @typedef {{ x0: number, x1: number, of: Series, k: number }} Hit
 */
/**
 * @typedef {object} Scene
 * @property {CanvasRenderingContext2D} context
 * @property {Model} model
 * @property {Float64Array} places
 * @property {number} left Where the plot begins.
 * @property {number} width Width of the plot.
 * @property {number} from
 * @property {number} to
 * @property {Uint32Array} edges Moments at the edges of columns of pixels.
 * @property {(name: string) => string} colour
 * @property {ReadonlySet<string>} hidden Filters whose series are not drawn.
 * @property {{ kind: string, row: number } | null} selected
 */

/** Width in pixels of a column of a density. */
export const COLUMN = 2;
/** Pixels that an item needs, on average, to be drawn by itself. */
const ROOM = 3;

/** Labels of the current lane. They are drawn last, so that no bar covers them. @type {{ text: string, x0: number, x1: number }[]} */
let labels = [];
let counts = new Uint32Array(0);
let covered = new Uint8Array(0);

/** @param {Scene} scene @param {number} moment */
const xOf = ({ places, left, width, from, to }, moment) =>
  left + ((places[moment] - from) / (to - from)) * width;

/**
 * @param {Scene} scene
 * @param {Lane} lane
 * @param {number} y
 * @param {number} height
 * @returns {{ hits: Hit[], dense: boolean }}
 */
export function drawLane(scene, lane, y, height) {
  const strips = lane.strips().filter((one) => !scene.hidden.has(one.filter));
  const items = lane.series().filter((one) => !scene.hidden.has(one.filter));
  const foot = strips.length > 0 ? 7 : 0;
  /** @type {Hit[]} */
  const hits = [];
  drawStrips(scene, strips, y + height - foot, foot - 1, hits);
  const dense = items.length > 0 && drawItems(scene, items, y + 1, height - foot - 2, hits);
  return { hits, dense };
}

/** @param {Scene} scene @param {Series[]} strips @param {number} y @param {number} height @param {Hit[]} hits */
function drawStrips(scene, strips, y, height, hits) {
  const { context, left, width } = scene;
  const [a, b] = inSight(scene.places, scene.from, scene.to);
  for (const of of strips) {
    const [low, high] = overlapping(of.span, a, b);
    context.fillStyle = scene.colour(of.colour);
    let drawn = -1;
    for (let k = low; k < high; k++) {
      const x0 = Math.max(left, xOf(scene, of.span.first[k]));
      const x1 = Math.min(left + width, Math.max(xOf(scene, of.span.last[k]), x0 + 1));
      if (x1 <= left || x1 <= drawn) continue;
      context.fillRect(x0, y, x1 - x0, height);
      drawn = x1;
      hits.push({ x0, x1, of, k });
    }
  }
}

/** @param {Scene} scene @param {Series[]} items @param {number} y @param {number} height @param {Hit[]} hits */
function drawItems(scene, items, y, height, hits) {
  const [a, b] = inSight(scene.places, scene.from, scene.to);
  const ranges = items.map((of) => overlapping(of.span, a, b));
  const n = ranges.reduce((sum, [low, high]) => sum + high - low, 0);
  if (n > scene.width / ROOM) {
    drawDensity(scene, items, y, height);
    return true;
  }
  labels = [];
  items.forEach((of, s) => {
    const [low, high] = ranges[s];
    for (let k = low; k < high; k++) {
      const x0 = xOf(scene, of.span.first[k]);
      const x1 = Math.max(xOf(scene, of.span.last[k]), x0 + 2);
      if (x1 < scene.left || x0 > scene.left + scene.width) continue;
      if (of.kind === 'lives') drawLife(scene, of, k, y, height);
      else drawMark(scene, of, x0, y, height);
      hits.push({ x0, x1, of, k });
      if (scene.selected?.kind === of.kind && scene.selected.row === of.rows[k]) {
        scene.context.strokeStyle = scene.colour('selected');
        scene.context.lineWidth = 2;
        scene.context.strokeRect(
          Math.max(x0, scene.left) - 2,
          y - 1,
          Math.min(x1, scene.left + scene.width) - Math.max(x0, scene.left) + 4,
          height + 2,
        );
      }
    }
  });
  for (const { text, x0, x1 } of labels) label(scene, text, x0, x1, y, height);
  return false;
}

/**
 * From pending to acknowledge a thin bar, half of it from when a line went up; to the EOI a full one; to deactivation one
 * that is lighter.
 * @param {Scene} scene
 * @param {Series} of
 * @param {number} k
 * @param {number} y
 * @param {number} height
 */
function drawLife(scene, of, k, y, height) {
  const { context, model, left, width } = scene;
  const i = of.rows[k];
  const right = left + width;
  const clip = (/** @type {number} */ x) => Math.min(Math.max(x, left), right);
  const x = (/** @type {number} */ moment) => clip(xOf(scene, moment));
  const bar = (
    /** @type {number} */ x0,
    /** @type {number} */ x1,
    /** @type {number} */ top,
    /** @type {number} */ tall,
    alpha = 1,
  ) => {
    context.globalAlpha = alpha;
    context.fillRect(x0, top, Math.max(x1 - x0, 1), tall);
    context.globalAlpha = 1;
  };
  context.fillStyle = scene.colour(of.colour);
  const middle = y + height / 2;
  const [asserted, pended, , signalled, acknowledged, eoi, deactivated, withdrawn] = [
    0, 1, 2, 3, 4, 5, 6, 7,
  ].map((s) => model.step(i, s));
  const began = pended !== NONE ? pended : asserted;
  const end = x(of.span.last[k]);
  const taken = acknowledged !== NONE ? x(acknowledged) : end;
  if (began !== NONE) bar(x(began), taken, middle - 1.5, 3, 0.7);
  if (signalled !== NONE) bar(x(signalled), taken, middle - height / 4, height / 2, 0.45);
  if (acknowledged !== NONE) {
    const served = eoi !== NONE ? x(eoi) : model.goesOn(i) ? end : x(acknowledged);
    bar(taken, served, y, height);
    if (deactivated !== NONE && deactivated !== eoi) bar(served, x(deactivated), y + 1, height - 2, 0.5);
    labels.push({ text: model.lifeTitle(i), x0: taken, x1: served });
  }
  if (withdrawn !== NONE) {
    context.fillStyle = scene.colour('warn');
    context.fillRect(x(withdrawn) - 1, y + 1, 2, height - 2);
  }
  const doorbell = model.step(i, 2);
  if (doorbell !== NONE) {
    context.fillStyle = scene.colour('warn');
    diamond(context, x(doorbell), middle, Math.min(4, height / 2));
  }
  if (model.goesOn(i) && end >= right - 1) {
    context.beginPath();
    context.moveTo(right, middle - 4);
    context.lineTo(right + 5, middle);
    context.lineTo(right, middle + 4);
    context.fill();
  }
}

/** @param {Scene} scene @param {string} text @param {number} x0 @param {number} x1 @param {number} y @param {number} height */
function label(scene, text, x0, x1, y, height) {
  const { context } = scene;
  if (x1 - x0 < 40 || height < 10) return;
  context.font = '11px system-ui, sans-serif';
  if (context.measureText(text).width > x1 - x0 - 6) return;
  context.fillStyle = scene.colour('ground');
  context.fillText(text, x0 + 3, y + height / 2 + 4);
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} size */
function diamond(context, x, y, size) {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.fill();
}

/** @param {Scene} scene @param {Series} of @param {number} x @param {number} y @param {number} height */
function drawMark(scene, of, x, y, height) {
  const { context } = scene;
  context.fillStyle = scene.colour(of.colour);
  if (of.colour === 'msi') {
    // The lifetime of the interrupt that it made pending begins here.
    context.beginPath();
    context.moveTo(x - 3, y);
    context.lineTo(x + 3, y);
    context.lineTo(x, y + 5);
    context.fill();
  } else if (of.kind === 'accesses' || (of.kind === 'commands' && of.colour !== 'bad'))
    context.fillRect(x - 0.75, y + 2, 1.5, height - 4);
  else diamond(context, x, y + height / 2, Math.min(5, height / 2));
}

/**
 * Draws how many items begin in each column, stacked by colour, on a logarithmic scale, and below that the columns
 * that an item covers.
 * @param {Scene} scene
 * @param {Series[]} items
 * @param {number} y
 * @param {number} height
 */
export function drawDensity(scene, items, y, height) {
  const { context, edges, left } = scene;
  const n = edges.length - 1;
  if (counts.length < n * items.length) counts = new Uint32Array(n * items.length);
  if (covered.length < n) covered = new Uint8Array(n);
  const totals = new Uint32Array(n);
  let most = 0;
  const cover = new Uint8Array(n);
  items.forEach((of, s) => {
    const own = counts.subarray(s * n, s * n + n);
    countColumns(of.span, edges, own);
    coverColumns(of.span, edges, covered);
    for (let c = 0; c < n; c++) {
      totals[c] += own[c];
      if (covered[c]) cover[c] = s + 1;
    }
  });
  for (const total of totals) if (total > most) most = total;
  const scale = (height - 2) / Math.log1p(most);
  items.forEach((of, s) => {
    context.fillStyle = scene.colour(of.colour);
    context.globalAlpha = 0.4;
    for (let c = 0; c < n; c++)
      if (cover[c] === s + 1) context.fillRect(left + c * COLUMN, y + height - 2, COLUMN, 2);
    context.globalAlpha = 1;
    for (let c = 0; c < n; c++) {
      const own = counts[s * n + c];
      if (own === 0) continue;
      let below = 0;
      for (let t = 0; t < s; t++) below += counts[t * n + c];
      const tall = Math.max(2, scale * Math.log1p(totals[c]));
      const bottom = y + height - 1 - (below / totals[c]) * tall;
      context.fillRect(
        left + c * COLUMN,
        bottom - Math.max(1, (own / totals[c]) * tall),
        COLUMN,
        Math.max(1, (own / totals[c]) * tall),
      );
    }
  });
}

/**
 * The number of items of each series that begin from x0 to x1, which a density shows there.
 * @param {Scene} scene
 * @param {Lane} lane
 * @param {number} x0
 * @param {number} x1
 */
export function countAt(scene, lane, x0, x1) {
  const place = (/** @type {number} */ x) =>
    scene.from + ((x - scene.left) / scene.width) * (scene.to - scene.from);
  const edges = Uint32Array.of(lowerBound(scene.places, place(x0)), lowerBound(scene.places, place(x1)));
  const own = new Uint32Array(1);
  return lane
    .series()
    .filter((of) => !scene.hidden.has(of.filter))
    .map((of) => {
      countColumns(of.span, edges, own);
      return { name: of.name, n: own[0] };
    })
    .filter(({ n }) => n > 0);
}
