// A timeline of one trace on a canvas: an overview, an axis, lanes; zoom, pan, selection by wheel, pointer and keys.
import { el } from './dom.js';
import { COLUMN, countAt, drawDensity, drawLane } from './draw.js';
import { grouped, ticks, tickTime } from './format.js';
import { lanesOf } from './lanes.js';
import { columnEdges } from './lod.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./view.js').View} View */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {import('./draw.js').Hit} Hit */
/** @typedef {import('./model.js').RowKind} RowKind */
/** @typedef {{ kind: RowKind, row: number }} Choice */
/** @typedef {{ lane: Lane, y: number, hits: Hit[], dense: boolean }} Drawn */

const OVERVIEW = 34;
const AXIS = 22;
const HEAD = OVERVIEW + AXIS;
const LANE = 24;

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
    /** Key of the lane that keys act on. @type {string | null} */
    this.current = null;
    this.frames = 0;
    this.waiting = false;
    /** Whether a wheel zooms without Ctrl. */
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
    this.listen();
  }

  /** Lanes in sight of the tree: those whose parents are open. */
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
    // The last column may be half out of sight: edges are whole columns.
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
    this.paintGrid(scene, tall);
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
      this.paintLabel(scene, lane, y);
      this.drawn.push({ lane, y, ...drawLane(scene, lane, y + 1, LANE - 2) });
    });
    context.restore();
    this.paintOverview(scene);
    this.frames++;
    canvas.dataset.frames = `${this.frames}`;
    canvas.dataset.lanes = `${lanes.length}`;
  }

  /** @param {import('./draw.js').Scene} scene @param {Lane} lane @param {number} y */
  paintLabel({ context, colour, left }, lane, y) {
    const x = 8 + lane.depth * 16;
    if (lane.group) {
      context.fillStyle = colour('soft');
      context.beginPath();
      if (this.view.open.has(lane.key)) {
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
    while (text.length > 3 && context.measureText(text).width > room)
      text = `${text.slice(0, -2).trimEnd()}…`;
    context.fillText(text, x + 13, y + 16);
    // The colour that mappings and residency have by it.
    if (owner !== null) {
      context.fillStyle = colour(`pe-${Number(owner[1]) % 8}`);
      context.fillRect(left - 14, y + 8, 8, 8);
    }
  }

  /** @param {import('./draw.js').Scene} scene @param {number} tall */
  paintGrid({ context, colour, left, width, from, to }, tall) {
    const time = this.view.axis === 'time';
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
    context.fillText(
      time ? 'time' : this.view.axis === 'record' ? 'record' : 'record of A',
      8,
      OVERVIEW + 15,
    );
  }

  /** @param {import('./draw.js').Scene} scene */
  paintOverview(scene) {
    const { context, colour, left, width } = scene;
    const { min, max, from, to } = this.view;
    const edges = new Uint32Array(scene.edges.length);
    columnEdges(scene.places, min, min + ((max - min) * (edges.length - 1) * COLUMN) / width + 1e-6, edges);
    context.fillStyle = colour('raised');
    context.fillRect(0, 0, left + width + 12, OVERVIEW);
    context.fillStyle = colour('soft');
    context.font = '11px system-ui, sans-serif';
    context.fillText('all', 8, 20);
    const items = this.overview().filter((one) => !this.view.hidden.has(one.filter));
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

  /** @param {number} x @param {number} y */
  at(x, y) {
    const found = this.drawn.find((one) => y >= one.y && y < one.y + LANE);
    if (found === undefined || y < HEAD) return { found: undefined, hit: undefined };
    const near = found.hits.filter((hit) => x >= hit.x0 - 3 && x <= hit.x1 + 3);
    // The last drawn is on top; a stretch below the items only where the pointer is on it.
    const onStrip = y > found.y + LANE - 8;
    const isStrip = (/** @type {Hit} */ hit) => hit.of.kind === 'mappings' || hit.of.kind === 'residencies';
    const hit = near.findLast((one) => isStrip(one) === onStrip) ?? near.findLast((one) => isStrip(one));
    return { found, hit };
  }

  /** @param {number} x */
  placeOf(x) {
    return this.view.from + ((x - this.left) / this.width) * (this.view.to - this.view.from);
  }

  listen() {
    const { canvas, view } = this;
    canvas.addEventListener('focus', () => (this.held = true));
    canvas.addEventListener('blur', () => (this.held = false));
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (event.offsetX < this.left) return;
        if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          event.preventDefault();
          view.pan((event.deltaX || event.deltaY) / 1200);
        } else if (event.ctrlKey || event.metaKey || this.held) {
          event.preventDefault();
          view.zoom(Math.exp(Math.min(Math.max(event.deltaY, -240), 240) / 400), this.placeOf(event.offsetX));
        }
      },
      { passive: false },
    );
    /** @type {{ x: number, from: number, to: number, moved: boolean, overview: boolean } | null} */
    let grip = null;
    const toOverview = (/** @type {number} */ x) => {
      const middle = view.min + ((x - this.left) / this.width) * (view.max - view.min);
      const half = (view.to - view.from) / 2;
      view.show(middle - half, middle + half);
    };
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      const overview = event.offsetY < OVERVIEW;
      grip = { x: event.offsetX, from: view.from, to: view.to, moved: false, overview };
      if (overview && event.offsetX >= this.left) toOverview(event.offsetX);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (grip === null) {
        this.hover(event);
        return;
      }
      this.tip.hidden = true;
      if (Math.abs(event.offsetX - grip.x) > 3) grip.moved = true;
      if (!grip.moved || grip.x < this.left) return;
      if (grip.overview) toOverview(event.offsetX);
      else {
        const by = ((grip.x - event.offsetX) / this.width) * (grip.to - grip.from);
        view.show(grip.from + by, grip.to + by);
      }
    });
    canvas.addEventListener('pointerup', (event) => {
      if (grip !== null && !grip.moved && !grip.overview) this.click(event.offsetX, event.offsetY);
      grip = null;
    });
    canvas.addEventListener('pointerleave', () => (this.tip.hidden = true));
    canvas.addEventListener('dblclick', (event) => {
      if (event.offsetX >= this.left) view.zoom(event.shiftKey ? 4 : 0.25, this.placeOf(event.offsetX));
    });
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.key(event.key)) event.preventDefault();
    });
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
    this.choose(choice);
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
   * Selects the next or previous item of a lane: from the selected one, else from the middle of what is in sight.
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

  /** @param {PointerEvent} event */
  hover(event) {
    const { tip, model } = this;
    const { found, hit } = this.at(event.offsetX, event.offsetY);
    if (found === undefined || (event.offsetX < this.left && !found.lane.group)) {
      tip.hidden = true;
      return;
    }
    if (event.offsetX < this.left) tip.replaceChildren(`${found.lane.label}: click to open or close`);
    else if (hit !== undefined) {
      const { title, rows, steps } = model.describe(hit.of.kind, hit.of.rows[hit.k]);
      tip.replaceChildren(
        el('b', {}, title),
        ...rows.map(([name, value]) => el('div', {}, `${name}: ${value}`)),
        ...steps.map(({ name, moment }) => el('div', {}, `${name}: ${model.placeText(moment)}`)),
      );
    } else if (found.dense && this.scene) {
      const x = this.left + Math.floor((event.offsetX - this.left) / COLUMN) * COLUMN;
      const counts = countAt(this.scene, found.lane, x, x + COLUMN);
      if (counts.length === 0) {
        tip.hidden = true;
        return;
      }
      const n = counts.reduce((sum, one) => sum + one.n, 0);
      tip.replaceChildren(
        el('b', {}, `${grouped(n)} begin here`),
        ...counts.map((one) => el('div', {}, `${grouped(one.n)} ${one.name}`)),
        el('div', {}, 'click to zoom'),
      );
    } else {
      tip.hidden = true;
      return;
    }
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 6))}px`;
    tip.style.top = `${event.clientY + 16 + height > innerHeight ? Math.max(4, event.clientY - height - 12) : event.clientY + 16}px`;
  }
}
