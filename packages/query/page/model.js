// One trace of the page: its columns, the places of its moments on each axis, and the description of each row.
import { CLASSES, classOf, differenceName, idOf, intidText, known, VIRTUAL } from './classes.js';
import { NONE, unpack } from './data.js';
import { duration, grouped, hex, instant } from './format.js';
import { lowerBound } from './lod.js';

/** @typedef {import('./data.js').TraceFacts} TraceFacts */
/** @typedef {import('./data.js').Table} Table */
/** @typedef {'time' | 'record' | 'aligned'} Axis */
/** @typedef {'lives' | 'msis' | 'commands' | 'accesses' | 'mappings' | 'residencies' | 'differences' | 'findings' | 'divergence'} RowKind */

export const STEPS = [
  'asserted',
  'pended',
  'doorbell',
  'signalled',
  'acknowledged',
  'eoi',
  'deactivated',
  'withdrawn',
];
const STEP_TEXTS = [
  'asserted',
  'pending',
  'doorbell',
  'signalled',
  'acknowledged',
  'EOI',
  'deactivated',
  'withdrawn',
];

export class Model {
  /**
   * @param {TraceFacts} facts
   * @param {Uint8Array} bytes
   * @param {Readonly<Record<number, string>>} kindNames
   */
  constructor(facts, bytes, kindNames) {
    this.facts = facts;
    this.kindNames = kindNames;
    const empty = (/** @type {string} */ name) => facts.tables[name] ?? { rows: 0, columns: [] };
    const table = (/** @type {string} */ name) => unpack(empty(name), bytes);
    this.moments = table('moments');
    this.lives = table('lives');
    this.msis = table('msis');
    this.commands = table('commands');
    this.accesses = table('accesses');
    this.mappings = table('mappings');
    this.residencies = table('residencies');
    this.differences = table('differences');
    /** The number of lifetimes. */
    this.count = facts.tables.lives.rows;
    const { low, high, record } = this.moments;
    /** The place of each moment on the axis, in nanoseconds, or in records if the source contains no times. */
    this.timeNs = Float64Array.from(low, (value, i) => (high[i] * 2 ** 32 + value) * facts.unitNs);
    /** @type {Record<string, Float64Array>} */
    this.places = { time: this.timeNs, record: Float64Array.from(record) };
    this.end = record.length - 1;
    this.lastOf = new Uint32Array(this.count);
    this.classOfLife = new Uint8Array(this.count);
    const steps = STEPS.map((name) => this.lives[name]);
    for (let i = 0; i < this.count; i++) {
      let last = 0;
      for (const step of steps) if (step[i] > last) last = step[i];
      this.lastOf[i] = this.goesOn(i) ? this.end : this.lives.first[i] + last - 1;
      this.classOfLife[i] = this.lives.virtual[i] ? VIRTUAL : classOf(this.lives.intid[i]);
    }
  }

  /**
   * Places this trace's moments on the record axis of the other trace.
   * @param {Uint32Array} own
   * @param {Uint32Array} others
   */
  alignTo(own, others) {
    this.places.aligned = Float64Array.from(this.moments.record, (record) => {
      const k = lowerBound(own, record);
      if (own.length === 0) return record;
      if (k === own.length) return others[k - 1] + record - own[k - 1];
      if (k === 0) return others[0] + record - own[0];
      const part = (record - own[k - 1]) / (own[k] - own[k - 1]);
      return others[k - 1] + part * (others[k] - others[k - 1]);
    });
  }

  /** @param {number} i */
  goesOn(i) {
    return this.facts.strings[this.lives.outcome[i]].endsWith('at end');
  }

  /**
   * The moment of a step, or NONE.
   * @param {number} i
   * @param {number} step
   */
  step(i, step) {
    const value = this.lives[STEPS[step]][i];
    return value === 0 ? NONE : this.lives.first[i] + value - 1;
  }

  /**
   * The first moment at or after a record.
   * @param {number} record
   */
  momentOf(record) {
    return Math.min(lowerBound(this.moments.record, record), this.end);
  }

  /**
   * The time in the source, or NaN.
   * @param {number} moment
   */
  told(moment) {
    const { lateHigh, lateLow } = this.moments;
    if (!this.facts.timed || lateHigh[moment] === NONE) return Number.NaN;
    return this.timeNs[moment] - (lateHigh[moment] * 2 ** 32 + lateLow[moment]) * this.facts.unitNs;
  }

  /** @param {number} moment */
  whenText(moment) {
    const ns = this.told(moment);
    return Number.isNaN(ns) ? 'time unknown' : instant(ns);
  }

  /** @param {number} moment */
  placeText(moment) {
    const line = this.moments.line[moment];
    const at = this.told(moment);
    return `record ${grouped(this.moments.record[moment])}${line === 0 ? '' : `, line ${grouped(line)}`}${Number.isNaN(at) ? '' : `, ${instant(at)}`}`;
  }

  /** @param {number} event */
  eventText(event) {
    if (event === NONE) return 'unknown';
    const [its, deviceId, eventId] = this.facts.events[event];
    return `${this.facts.itsCount > 1 ? `ITS ${its} ` : ''}DeviceID ${hex(deviceId)} EventID ${hex(eventId)}`;
  }

  /** @param {number} i */
  lifeTitle(i) {
    const { intid, virtual, pe } = this.lives;
    const on = pe[i] === NONE ? '' : ` on PE ${pe[i]}`;
    return virtual[i] ? `vINTID ${intid[i]}${on}` : `${CLASSES[this.classOfLife[i]]} ${idOf(intid[i])}${on}`;
  }

  /**
   * The description of a row: a title, names and values.
   * @param {RowKind} kind
   * @param {number} i
   * @returns {{ title: string, rows: [string, string][], steps: { name: string, moment: number }[] }}
   */
  describe(kind, i) {
    const { facts } = this;
    const { strings } = facts;
    switch (kind) {
      case 'lives': {
        const { cause, outcome, event, vpe, virtual, intid, pe } = this.lives;
        const steps = STEP_TEXTS.map((name, k) => ({ name, moment: this.step(i, k) })).filter(
          ({ moment }) => moment !== NONE,
        );
        const wait = this.between(i, 1, 4);
        const service = this.between(i, 4, 5);
        return {
          title: this.lifeTitle(i),
          rows: [
            [virtual[i] ? 'vINTID' : 'INTID', intidText(intid[i])],
            ['PE', known(pe[i])],
            .../** @type {[string, string][]} */ (virtual[i] ? [['vPEID', known(vpe[i])]] : []),
            .../** @type {[string, string][]} */ (
              event[i] === NONE ? [] : [['from', this.eventText(event[i])]]
            ),
            ['cause', strings[cause[i]]],
            ['outcome', strings[outcome[i]]],
            .../** @type {[string, string][]} */ (wait === null ? [] : [['waited', duration(wait)]]),
            .../** @type {[string, string][]} */ (service === null ? [] : [['served', duration(service)]]),
          ],
          steps,
        };
      }
      case 'msis': {
        const { at, event, intid, virtual, pe, outcome } = this.msis;
        return {
          title: `MSI ${this.eventText(event[i])}`,
          rows: [
            [virtual[i] === 1 ? 'vINTID' : 'INTID', known(intid[i])],
            ['PE', known(pe[i])],
            ['outcome', strings[outcome[i]]],
          ],
          steps: [{ name: 'GITS_TRANSLATER written', moment: at[i] }],
        };
      }
      case 'commands': {
        const { at, its, slot, text, outcome } = this.commands;
        return {
          title: strings[text[i]],
          rows: [
            ['ITS', `${its[i]}`],
            ['slot', `${slot[i]}`],
            ['outcome', strings[outcome[i]]],
          ],
          steps: [{ name: 'executed', moment: at[i] }],
        };
      }
      case 'accesses': {
        const { at, pe, how, frame, instance, register } = this.accesses;
        const value = this.accessValue(i);
        return {
          title: `${strings[register[i]]} ${strings[how[i]]}`,
          rows: [
            ['PE', pe[i] === NONE ? 'none' : `${pe[i]}`],
            ['in', `${strings[frame[i]]}${instance[i] === NONE ? '' : ` ${instance[i]}`}`],
            ['value', value ?? 'unknown'],
          ],
          steps: [{ name: 'accessed', moment: at[i] }],
        };
      }
      case 'mappings': {
        const { event, intid, virtual, icid, vpe, pe, from, to, by, endedBy } = this.mappings;
        return {
          title: `${this.eventText(event[i])} → ${virtual[i] ? 'vINTID' : 'LPI'} ${known(intid[i])}`,
          rows: [
            virtual[i] ? ['vPEID', known(vpe[i])] : ['ICID', known(icid[i])],
            ['PE', pe[i] === NONE ? 'none or unknown' : `${pe[i]}`],
            ['made by', strings[by[i]]],
            ['ended by', endedBy[i] === NONE ? 'holds at the end' : strings[endedBy[i]]],
          ],
          steps: [
            { name: 'from', moment: from[i] },
            ...(to[i] === NONE ? [] : [{ name: 'to', moment: to[i] }]),
          ],
        };
      }
      case 'residencies': {
        const { pe, vpe, table, from, to } = this.residencies;
        return {
          title: `vPE ${known(vpe[i])} resident on PE ${pe[i]}`,
          rows: [['VPT_addr', strings[table[i]]]],
          steps: [
            { name: 'from', moment: from[i] },
            ...(to[i] === NONE ? [] : [{ name: 'to', moment: to[i] }]),
          ],
        };
      }
      case 'findings': {
        const one = facts.findings[i];
        return {
          title: `${one.severity} ${one.rule}`,
          rows: [
            ['PE', one.pe === null ? 'none' : `${one.pe}`],
            ['text', one.text],
          ],
          steps: [
            { name: 'found', moment: this.momentOf(one.record) },
            ...one.related.map(({ record, text }) => ({ name: text, moment: this.momentOf(record) })),
          ],
        };
      }
      case 'divergence': {
        const first = /** @type {NonNullable<NonNullable<TraceFacts['verdict']>['first']>} */ (
          facts.verdict?.first
        );
        return {
          title: `first divergence: ${first.kind}`,
          rows: [
            ['recorded', first.recorded],
            ['replayed', first.replayed],
          ],
          steps: [{ name: 'diverged', moment: this.momentOf(first.record) }],
        };
      }
      case 'differences': {
        const { at, subject } = this.differences;
        return {
          title: `difference: ${differenceName(this.differences.class[i])}`,
          rows: [['about', strings[subject[i]]]],
          steps: [{ name: 'differs', moment: at[i] }],
        };
      }
    }
  }

  /**
   * The value that an access wrote or returned, in hex; null if the source does not contain it.
   * @param {number} i
   */
  accessValue(i) {
    const { low, high, how } = this.accesses;
    if (this.facts.strings[how[i]].endsWith('unknown')) return null;
    return high[i] === 0 ? hex(low[i]) : `${hex(high[i])}${low[i].toString(16).padStart(8, '0')}`;
  }

  /**
   * Nanoseconds between two steps of a lifetime; NaN if unknown; null if not both steps were seen.
   * @param {number} i
   * @param {number} a
   * @param {number} b
   */
  between(i, a, b) {
    const [from, to] = [this.step(i, a), this.step(i, b)];
    return from === NONE || to === NONE ? null : this.told(to) - this.told(from);
  }
}
