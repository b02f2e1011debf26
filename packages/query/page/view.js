// What all timelines of a page have in common: the axis and its visible range, the open lanes, the hidden series.

/** @typedef {import('./model.js').Axis} Axis */
/** @typedef {import('./model.js').Model} Model */

export class View {
  /** @param {readonly Model[]} models */
  constructor(models) {
    this.models = models;
    const timed = models.every((model) => model.facts.timed);
    /** @type {Axis[]} */
    this.axes = [...(timed ? [/** @type {const} */ ('time')] : []), 'record'];
    if (models.length > 1) this.axes.push('aligned');
    /** @type {Axis} */
    this.axis = this.axes[0];
    /** Keys of lanes. @type {Set<string>} */
    this.open = new Set();
    /** Filters of series. @type {Set<string>} */
    this.hidden = new Set();
    /** @type {(() => void)[]} */
    this.listeners = [];
    /** What the list of each trace shows. @type {import('./log.js').ListFilter[]} */
    this.lists = models.map(() => ({ text: '', scope: 'all' }));
    /** The query that was asked last. */
    this.sql = '';
    /** The selected range, as places on the axis. @type {[number, number] | null} */
    this.range = null;
    /** A moment that is marked. @type {{ trace: number, moment: number } | null} */
    this.mark = null;
    this.min = 0;
    this.max = 1;
    this.from = 0;
    this.to = 1;
    this.use(this.axis);
  }

  changed() {
    for (const listener of this.listeners) listener();
  }

  /** @param {Axis} axis */
  use(axis) {
    this.axis = axis;
    this.range = null;
    const places = this.models.map((model) => model.places[axis]);
    this.min = Math.min(...places.map((one) => one[0] ?? 0));
    this.max = Math.max(...places.map((one) => one[one.length - 1] ?? 0), this.min + 1);
    this.fit();
  }

  fit() {
    const margin = (this.max - this.min) * 0.005;
    this.show(this.min - margin, this.max + margin);
  }

  /** @param {number} from @param {number} to */
  show(from, to) {
    const whole = (this.max - this.min) * 1.01;
    const least = this.axis === 'time' ? 20 : 4;
    const size = Math.min(Math.max(to - from, least), whole);
    const middle = (from + to) / 2;
    const margin = (this.max - this.min) * 0.005;
    const start = Math.min(Math.max(middle - size / 2, this.min - margin), this.max + margin - size);
    this.from = start;
    this.to = start + size;
    this.changed();
  }

  /** @param {number} factor below 1 zooms in @param {number} [at] */
  zoom(factor, at = (this.from + this.to) / 2) {
    this.show(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  /** @param {number} part of the visible range */
  pan(part) {
    const by = (this.to - this.from) * part;
    this.show(this.from + by, this.to + by);
  }

  /**
   * Makes a range of moments visible, with space around it.
   * @param {Model} model
   * @param {number} first
   * @param {number} last
   */
  focus(model, first, last) {
    const places = model.places[this.axis];
    const [a, b] = [places[first], places[last]];
    const room = Math.max((b - a) * 1.5, this.axis === 'time' ? 2000 : 12);
    this.show(a - room, b + room);
  }
}
