// A timeline of one trace on a canvas: an overview, an axis and lanes, with zoom, pan and selection by wheel, pointer
// and keys.
import { el } from './dom.js';
import { COLUMN, drawLane } from './draw.js';
import { HEAD, LANE, paintGrid, paintLabel, paintMarks, paintOverview } from './frame.js';
import { lanesOf } from './lanes.js';
import { columnEdges } from './lod.js';
import { listen } from './pointer.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./view.js').View} View */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {import('./draw.js').Hit} Hit */
/** @typedef {import('./model.js').RowKind} RowKind */
/** @typedef {{ kind: RowKind, row: number }} Choice */
/** @typedef {{ lane: Lane, y: number, hits: Hit[], dense: boolean }} Drawn */

export class Timeline {
  /**
   * @param {Model} model
   * @param {View} view
   * @param {(choice: Choice) => void} choose
   */
  constructor(model, view, choose) {
    this.model = model;
    this.view = view;
    this.choose = choose;
    const { lanes, overview } = lanesOf(model);
    this.roots = lanes;
    this.overview = overview;
    /** @type {Choice | null} */
    this.selected = null;
    /** Key of the lane that the keyboard acts on. @type {string | null} */
    this.current = null;
    /** Called when an item has been selected. @type {(() => void)[]} */
    this.chosen = [];
    this.frames = 0;
    this.waiting = false;
    /** Whether the wheel zooms without Ctrl. */
    this.held = false;
    /** @type {Drawn[]} */
    this.drawn = [];
    this.canvas = el('canvas', {
      tabindex: 0,
      role: 'img',
      'aria-label': `timeline of ${model.facts.name}: the tables below hold its numbers. Keys: arrows, + and -, 0, n and p, Enter`,
    });
    this.spacer = el('div');
    this.scroll = el('div', { class: 'lanes' }, this.canvas, this.spacer);
    this.tip = el('div', { class: 'tip', role: 'tooltip', hidden: true });
    this.element = el('div', {}, this.scroll, this.tip);
    view.listeners.push(() => this.draw());
    this.scroll.addEventListener('scroll', () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.scroll);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    listen(this);
  }

  /** The visible lanes of the tree, which are those whose parents are open. */
  get lanes() {
    /** @type {Lane[]} */
    const out = [];
    for (const lane of this.roots) {
      out.push(lane);
      if (this.view.open.has(lane.key)) out.push(...lane.children());
    }
    return out;
  }

  get left() {
    return this.scroll.clientWidth < 640 ? 132 : 196;
  }

  get width() {
    return Math.max(40, this.scroll.clientWidth - this.left - 12);
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    const { canvas, scroll, view, model, left, width } = this;
    const context = canvas.getContext('2d');
    if (context === null || scroll.clientWidth === 0) return;
    const lanes = this.lanes;
    const whole = HEAD + lanes.length * LANE + 4;
    const limit = Number.parseFloat(getComputedStyle(scroll).maxHeight) || 760;
    const tall = Math.min(whole, limit - 2);
    const ratio = devicePixelRatio;
    const wide = scroll.clientWidth;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(tall * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(tall * ratio);
      canvas.style.width = `${wide}px`;
      canvas.style.height = `${tall}px`;
    }
    this.spacer.style.height = `${whole - tall}px`;
    const style = getComputedStyle(document.documentElement);
    /** @type {Map<string, string>} */
    const colours = new Map();
    const colour = (/** @type {string} */ name) => {
      let value = colours.get(name);
      if (value === undefined) {
        value = style.getPropertyValue(`--${name}`).trim() || '#888';
        colours.set(name, value);
      }
      return value;
    };
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = colour('ground');
    context.fillRect(0, 0, wide, tall);
    const places = model.places[view.axis];
    const edges = new Uint32Array(Math.ceil(width / COLUMN) + 1);
    const { from, to } = view;
    // The last column may be partly outside the plot, because edges are those of whole columns.
    columnEdges(places, from, from + ((to - from) * (edges.length - 1) * COLUMN) / width, edges);
    /** @type {import('./draw.js').Scene} */
    const scene = {
      context,
      model,
      places,
      left,
      width,
      from,
      to,
      edges,
      colour,
      hidden: view.hidden,
      selected: this.selected,
    };
    this.scene = scene;
    paintGrid(view, scene, tall);
    this.drawn = [];
    const top = scroll.scrollTop;
    context.save();
    context.beginPath();
    context.rect(0, HEAD, wide, tall - HEAD);
    context.clip();
    lanes.forEach((lane, k) => {
      const y = HEAD + k * LANE - top;
      if (y + LANE < HEAD || y > tall) return;
      if (lane.key === this.current) {
        context.fillStyle = colour('raised');
        context.fillRect(0, y, wide, LANE);
      }
      context.fillStyle = colour('line');
      context.globalAlpha = lane.depth === 0 ? 1 : 0.45;
      context.fillRect(0, y, wide, 0.5);
      context.globalAlpha = 1;
      paintLabel(view, scene, lane, y);
      this.drawn.push({ lane, y, ...drawLane(scene, lane, y + 1, LANE - 2) });
    });
    context.restore();
    paintMarks(view, scene, tall);
    paintOverview(view, this.overview(), scene);
    this.frames++;
    canvas.dataset.frames = `${this.frames}`;
    canvas.dataset.lanes = `${lanes.length}`;
  }

  /** @param {number} x @param {number} y */
  at(x, y) {
    const found = this.drawn.find((one) => y >= one.y && y < one.y + LANE);
    if (found === undefined || y < HEAD) return { found: undefined, hit: undefined };
    const near = found.hits.filter((hit) => x >= hit.x0 - 3 && x <= hit.x1 + 3);
    // What was drawn last is on top. A bar below the items counts only if the pointer is on it.
    const onStrip = y > found.y + LANE - 8;
    const isStrip = (/** @type {Hit} */ hit) => hit.of.kind === 'mappings' || hit.of.kind === 'residencies';
    const hit = near.findLast((one) => isStrip(one) === onStrip) ?? near.findLast((one) => isStrip(one));
    return { found, hit };
  }

  /** @param {number} x */
  placeOf(x) {
    return this.view.from + ((x - this.left) / this.width) * (this.view.to - this.view.from);
  }

  /** @param {number} x @param {number} y */
  click(x, y) {
    const { found, hit } = this.at(x, y);
    if (found === undefined) return;
    this.current = found.lane.key;
    if (x < this.left) this.toggle(found.lane);
    else if (hit !== undefined) this.select({ kind: hit.of.kind, row: hit.of.rows[hit.k] });
    else if (found.dense) this.view.zoom(0.25, this.placeOf(x));
    this.draw();
  }

  /** @param {Lane} lane */
  toggle(lane) {
    if (!lane.group) return;
    if (!this.view.open.delete(lane.key)) this.view.open.add(lane.key);
    this.view.changed();
  }

  /** @param {Choice} choice */
  select(choice) {
    this.selected = choice;
    this.view.mark = null;
    this.choose(choice);
    for (const tell of this.chosen) tell();
    this.draw();
  }

  /** @param {string} key */
  key(key) {
    const { view } = this;
    const lanes = this.lanes;
    const k = lanes.findIndex((lane) => lane.key === this.current);
    const go = (/** @type {number} */ to) => {
      const lane = lanes[Math.min(Math.max(to, 0), lanes.length - 1)];
      this.current = lane.key;
      const y = lanes.indexOf(lane) * LANE;
      const room = this.canvas.clientHeight - HEAD - LANE;
      if (y < this.scroll.scrollTop) this.scroll.scrollTop = y;
      else if (y > this.scroll.scrollTop + room) this.scroll.scrollTop = y - room;
      this.draw();
    };
    switch (key) {
      case 'ArrowLeft':
      case 'a':
        view.pan(-0.2);
        return true;
      case 'ArrowRight':
      case 'd':
        view.pan(0.2);
        return true;
      case '+':
      case '=':
      case 'w':
        view.zoom(0.6);
        return true;
      case '-':
      case 's':
        view.zoom(1 / 0.6);
        return true;
      case '0':
      case 'Home':
        view.fit();
        return true;
      case 'ArrowDown':
        go(k + 1);
        return true;
      case 'ArrowUp':
        go(k - 1);
        return true;
      case 'Enter':
      case ' ':
        if (k >= 0) this.toggle(lanes[k]);
        return true;
      case 'n':
      case 'p':
        if (k >= 0) this.step(lanes[k], key === 'n' ? 1 : -1);
        return true;
      default:
        return false;
    }
  }

  /**
   * Selects the next or previous item of a lane: from the selected one, or from the middle of the visible range.
   * @param {Lane} lane
   * @param {1 | -1} by
   */
  step(lane, by) {
    const places = this.model.places[this.view.axis];
    const items = lane
      .series()
      .filter((of) => !this.view.hidden.has(of.filter))
      .flatMap((of) =>
        Array.from(of.rows, (row, k) => ({
          kind: of.kind,
          row,
          first: of.span.first[k],
          last: of.span.last[k],
        })),
      )
      .sort((a, b) => a.first - b.first || a.row - b.row);
    const own = items.findIndex((one) => one.kind === this.selected?.kind && one.row === this.selected.row);
    const middle = (this.view.from + this.view.to) / 2;
    const next = items.findIndex((one) => places[one.first] >= middle);
    const to = own >= 0 ? own + by : by > 0 ? next : (next < 0 ? items.length : next) - 1;
    const item = items[to];
    if (item === undefined) return;
    this.select({ kind: item.kind, row: item.row });
    const [a, b] = [places[item.first], places[item.last]];
    if (a < this.view.from || b > this.view.to) {
      const half = Math.max((this.view.to - this.view.from) / 2, b - a);
      this.view.show((a + b) / 2 - half, (a + b) / 2 + half);
    }
  }
}
