// Paints what surrounds the lanes of a timeline: their labels, the axis with its grid, and the overview.
import { COLUMN, drawDensity } from './draw.js';
import { grouped, ticks, tickTime } from './format.js';
import { columnEdges } from './lod.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {import('./series.js').Series} Series */
/** @typedef {import('./draw.js').Scene} Scene */

/** Heights in pixels: of the overview, of the overview and the axis, of a lane. */
export const OVERVIEW = 34;
export const HEAD = OVERVIEW + 22;
export const LANE = 24;

/** @param {View} view @param {Scene} scene @param {Lane} lane @param {number} y */
export function paintLabel(view, { context, colour, left }, lane, y) {
  const x = 8 + lane.depth * 16;
  if (lane.group) {
    context.fillStyle = colour('soft');
    context.beginPath();
    if (view.open.has(lane.key)) {
      context.moveTo(x, y + 9);
      context.lineTo(x + 8, y + 9);
      context.lineTo(x + 4, y + 15);
    } else {
      context.moveTo(x + 1, y + 8);
      context.lineTo(x + 7, y + 12);
      context.lineTo(x + 1, y + 16);
    }
    context.fill();
  }
  context.fillStyle = colour(lane.depth === 0 ? 'text' : 'soft');
  context.font = `${lane.depth === 0 ? '600 ' : ''}12px system-ui, sans-serif`;
  const owner = /^pe\.(\d+)$/.exec(lane.key);
  let text = lane.label;
  const room = left - x - 18;
  while (text.length > 3 && context.measureText(text).width > room) text = `${text.slice(0, -2).trimEnd()}…`;
  context.fillText(text, x + 13, y + 16);
  // The colour that mappings to this PE and residencies on it have.
  if (owner !== null) {
    context.fillStyle = colour(`pe-${Number(owner[1]) % 8}`);
    context.fillRect(left - 14, y + 8, 8, 8);
  }
}

/** @param {View} view @param {Scene} scene @param {number} tall */
export function paintGrid(view, { context, colour, left, width, from, to }, tall) {
  const time = view.axis === 'time';
  const { step, at } = ticks(from, to, width / 110);
  context.font = '11px system-ui, sans-serif';
  for (const place of at) {
    const x = left + ((place - from) / (to - from)) * width;
    context.fillStyle = colour('line');
    context.fillRect(x, OVERVIEW, 0.5, tall);
    context.fillStyle = colour('soft');
    const text = time ? tickTime(place, step) : grouped(Math.round(place));
    if (x + context.measureText(text).width + 4 < left + width + 10)
      context.fillText(text, x + 4, OVERVIEW + 15);
  }
  context.fillStyle = colour('soft');
  context.fillText(time ? 'time' : view.axis === 'record' ? 'record' : 'record of A', 8, OVERVIEW + 15);
}

/** The selected range, and the marked moment. @param {View} view @param {Scene} scene @param {number} tall */
export function paintMarks(view, { context, colour, left, width, from, to, model }, tall) {
  const x = (/** @type {number} */ place) =>
    left + Math.min(Math.max((place - from) / (to - from), 0), 1) * width;
  if (view.range !== null) {
    const [a, b] = view.range.map(x);
    context.fillStyle = colour('accent');
    context.globalAlpha = 0.16;
    context.fillRect(a, OVERVIEW, b - a, tall - OVERVIEW);
    context.globalAlpha = 1;
    context.fillRect(a, OVERVIEW, 1, tall - OVERVIEW);
    context.fillRect(b, OVERVIEW, 1, tall - OVERVIEW);
  }
  const { mark } = view;
  if (mark === null || view.models[mark.trace] !== model) return;
  const place = model.places[view.axis][mark.moment];
  if (place < from || place > to) return;
  context.fillStyle = colour('selected');
  context.fillRect(x(place) - 1, OVERVIEW, 2, tall - OVERVIEW);
}

/** @param {View} view @param {Series[]} series @param {Scene} scene */
export function paintOverview(view, series, scene) {
  const { context, colour, left, width } = scene;
  const { min, max, from, to } = view;
  const edges = new Uint32Array(scene.edges.length);
  columnEdges(scene.places, min, min + ((max - min) * (edges.length - 1) * COLUMN) / width + 1e-6, edges);
  context.fillStyle = colour('raised');
  context.fillRect(0, 0, left + width + 12, OVERVIEW);
  context.fillStyle = colour('soft');
  context.font = '11px system-ui, sans-serif';
  context.fillText('all', 8, 20);
  const items = series.filter((one) => !view.hidden.has(one.filter));
  if (items.length > 0) drawDensity({ ...scene, edges, from: min, to: max }, items, 2, OVERVIEW - 4);
  const x = (/** @type {number} */ place) =>
    left + Math.min(Math.max((place - min) / (max - min), 0), 1) * width;
  context.fillStyle = colour('ground');
  context.globalAlpha = 0.72;
  context.fillRect(left, 0, x(from) - left, OVERVIEW);
  context.fillRect(x(to), 0, left + width - x(to), OVERVIEW);
  context.globalAlpha = 1;
  context.strokeStyle = colour('accent');
  context.lineWidth = 1;
  context.strokeRect(x(from) + 0.5, 0.5, Math.max(x(to) - x(from) - 1, 1), OVERVIEW - 1);
  context.fillStyle = colour('line');
  context.fillRect(0, HEAD - 0.5, left + width + 12, 0.5);
}
