// The tables for SQL over what a report holds, with the names and columns of the database's views (docs/sql.md). Pure.
import { NONE } from './data.js';
import { grouped } from './format.js';
import { STEPS } from './model.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {number | bigint | string | null} Cell */
/**
 * @typedef {object} SqlTable
 * @property {string} name
 * @property {string} doc
 * @property {readonly string[]} columns
 * @property {number} rows
 * @property {(i: number) => Cell[]} row
 */

const PHYSICAL = STEPS.filter((step) => step !== 'doorbell');
const VIRTUAL = STEPS.filter((step) => step !== 'asserted' && step !== 'deactivated');
const orNull = (/** @type {number} */ n) => (n === NONE ? null : n);

/** By table of the report, the tables for SQL with its rows. @type {Readonly<Record<string, readonly string[]>>} */
const TABLES_OF = {
  lives: ['interrupts', 'vinterrupts'],
  commands: ['its_commands'],
  accesses: ['mmio', 'sysregs'],
};

/**
 * What the report leaves out of the traces, in so far as an answer may lack it.
 * @param {readonly Model[]} models
 * @param {string} sql
 * @returns {string[]}
 */
export function leftOutOf(models, sql) {
  return models.flatMap(({ facts: { window, leftOut } }, k) => {
    const of = models.length === 1 ? '' : ` of trace ${k + 1}`;
    const rows = Object.entries(leftOut).flatMap(([table, n]) => {
      const names = TABLES_OF[table] ?? [table];
      return names.some((name) => new RegExp(`\\b${name}\\b`, 'i').test(sql))
        ? [`without ${grouped(n)} rows of ${names.join(' and ')}${of}`]
        : [];
    });
    return window === null
      ? rows
      : [`only records ${grouped(window[0])} to ${grouped(window[1] - 1)}${of}`, ...rows];
  });
}

/** Texts, quoted names and comments. */
const QUOTED = /'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//g;

/** Whether SQL has a statement behind its first. @param {string} sql */
export function isSeveral(sql) {
  return /;[\s;]*[^\s;]/.test(sql.replace(QUOTED, (text) => (/^(?:--|\/\*)/.test(text) ? ' ' : 'x')));
}

/**
 * The tables of a report. Those of accesses are absent if the report was made without accesses.
 * @param {Model} model
 * @param {number} trace its number
 * @returns {SqlTable[]}
 */
export function sqlTables(model, trace) {
  const { facts, moments, lives, msis, commands, mappings, accesses, residencies } = model;
  const { strings, events } = facts;
  const text = (/** @type {number} */ n) => (n === NONE ? null : strings[n]);
  /** What the source does not contain is called unknown in the page, and null in SQL. */
  const shown = (/** @type {number} */ n) => (strings[n] === 'unknown' ? null : strings[n]);
  const record = (/** @type {number} */ moment) => (moment === NONE ? null : moments.record[moment]);
  const time = (/** @type {number} */ moment) => {
    if (moment === NONE) return null;
    const ns = model.told(moment);
    return Number.isNaN(ns) ? null : ns;
  };
  const between = (/** @type {number} */ i, /** @type {string} */ from, /** @type {string} */ to) => {
    const ns = model.between(i, STEPS.indexOf(from), STEPS.indexOf(to));
    return ns === null || Number.isNaN(ns) ? null : ns;
  };
  const event = (/** @type {number} */ k) => (k === NONE ? [null, null, null] : [...events[k]]);
  const all = Array.from(lives.intid.keys());
  const lifetimes = (/** @type {0 | 1} */ virtual) => {
    const rows = all.filter((i) => lives.virtual[i] === virtual);
    const steps = virtual ? VIRTUAL : PHYSICAL;
    return {
      columns: [
        ...['trace', virtual ? 'vINTID' : 'INTID', ...(virtual ? ['vPEID'] : []), 'pe', 'cause'],
        ...['outcome', 'its', 'DeviceID', 'EventID'],
        ...[...steps, ...steps.map((step) => `${step}_ns`), 'latency_ns', 'service_ns'],
      ],
      rows: rows.length,
      /** @param {number} k @returns {Cell[]} */
      row(k) {
        const i = rows[k];
        const at = steps.map((step) => model.step(i, STEPS.indexOf(step)));
        return [
          ...[trace, lives.intid[i], ...(virtual ? [orNull(lives.vpe[i])] : []), orNull(lives.pe[i])],
          ...[text(lives.cause[i]), text(lives.outcome[i]), ...event(lives.event[i])],
          ...[...at.map(record), ...at.map(time)],
          ...[between(i, 'pended', 'acknowledged'), between(i, 'acknowledged', 'eoi')],
        ];
      },
    };
  };
  const ofFrame = Array.from(accesses.at.keys()).filter((i) => accesses.instance[i] !== NONE);
  const ofSystem = Array.from(accesses.at.keys()).filter((i) => accesses.instance[i] === NONE);
  /** A reserved location has no register; one that is accessed in part has its bits behind its name. */
  const register = (/** @type {number} */ i) => {
    const name = strings[accesses.register[i]];
    return name.includes('+0x') ? null : name.replace(/\[\d+:\d+\]$/, '');
  };
  const direction = (/** @type {number} */ i) => strings[accesses.how[i]].replace(/,.*/, '');
  const value = (/** @type {number} */ i) => {
    if (model.accessValue(i) === null) return null;
    const { low, high } = accesses;
    return high[i] < 2 ** 20
      ? high[i] * 2 ** 32 + low[i]
      : BigInt.asIntN(64, (BigInt(high[i]) << 32n) | BigInt(low[i]));
  };
  /** @type {SqlTable[]} */
  const ofAccesses = [
    {
      name: 'mmio',
      doc: 'accesses to register frames',
      columns: [
        ...['trace', 'record', 'time_ns', 'pe', 'frame', 'instance', 'register', 'value', 'direction'],
      ],
      rows: ofFrame.length,
      row(k) {
        const i = ofFrame[k];
        const at = accesses.at[i];
        return [
          ...[trace, record(at), time(at), orNull(accesses.pe[i]), text(accesses.frame[i])],
          ...[accesses.instance[i], register(i), value(i), direction(i)],
        ];
      },
    },
    {
      name: 'sysregs',
      doc: 'accesses to system registers',
      columns: ['trace', 'record', 'time_ns', 'pe', 'register', 'value', 'direction'],
      rows: ofSystem.length,
      row(k) {
        const i = ofSystem[k];
        const at = accesses.at[i];
        return [trace, record(at), time(at), orNull(accesses.pe[i]), register(i), value(i), direction(i)];
      },
    },
  ];
  return [
    { name: 'interrupts', doc: 'lifetimes of interrupts', ...lifetimes(0) },
    { name: 'vinterrupts', doc: 'lifetimes of virtual interrupts', ...lifetimes(1) },
    {
      name: 'msis',
      doc: 'messages of devices',
      columns: [
        ...['trace', 'record', 'time_ns', 'its', 'DeviceID', 'EventID', 'INTID', 'virtual', 'pe', 'outcome'],
      ],
      rows: msis.at.length,
      row: (i) => [
        ...[trace, record(msis.at[i]), time(msis.at[i]), ...event(msis.event[i])],
        ...[orNull(msis.intid[i]), orNull(msis.virtual[i]), orNull(msis.pe[i]), shown(msis.outcome[i])],
      ],
    },
    {
      name: 'its_commands',
      doc: 'commands that the ITSs executed; command has the operands',
      columns: ['trace', 'record', 'time_ns', 'its', 'slot', 'op', 'command', 'outcome'],
      rows: commands.at.length,
      row: (i) => [
        ...[trace, record(commands.at[i]), time(commands.at[i]), commands.its[i], commands.slot[i]],
        ...[text(commands.op[i]), text(commands.text[i]), shown(commands.outcome[i])],
      ],
    },
    {
      name: 'mappings',
      doc: 'what each event was mapped to over time',
      columns: [
        ...['trace', 'its', 'DeviceID', 'EventID', 'INTID', 'virtual', 'ICID', 'vPEID', 'pe'],
        ...['from_record', 'to_record', 'from_ns', 'to_ns', 'made_by', 'ended_by'],
      ],
      rows: mappings.event.length,
      row: (i) => [
        ...[trace, ...event(mappings.event[i]), orNull(mappings.intid[i]), mappings.virtual[i]],
        ...[orNull(mappings.icid[i]), orNull(mappings.vpe[i]), orNull(mappings.pe[i])],
        ...[record(mappings.from[i]), record(mappings.to[i]), time(mappings.from[i]), time(mappings.to[i])],
        ...[text(mappings.by[i]), text(mappings.endedBy[i])],
      ],
    },
    ...(facts.accesses ? ofAccesses : []),
    {
      name: 'residencies',
      doc: 'where vPEs were resident',
      columns: ['trace', 'pe', 'vPEID', 'VPT_addr', 'from_record', 'to_record', 'from_ns', 'to_ns'],
      rows: residencies.pe.length,
      row: (i) => [
        ...[trace, residencies.pe[i], orNull(residencies.vpe[i]), text(residencies.table[i])],
        ...[record(residencies.from[i]), record(residencies.to[i])],
        ...[time(residencies.from[i]), time(residencies.to[i])],
      ],
    },
    {
      name: 'findings',
      doc: 'software errors that cause no visible failure',
      columns: ['trace', 'rule', 'severity', 'record', 'line', 'pe', 'text', 'lasted_ns'],
      rows: facts.findings.length,
      row(i) {
        const one = facts.findings[i];
        return [trace, one.rule, one.severity, one.record, one.line, one.pe, one.text, one.lastedNs];
      },
    },
    {
      name: 'traces',
      doc: 'the traces of the report',
      columns: ['trace', 'name', 'records', 'profile', 'content_digest'],
      rows: 1,
      row: () => [trace, facts.name, facts.records, facts.profile, facts.contentDigest],
    },
  ];
}
