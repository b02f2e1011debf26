// The series of a trace, of which lanes consist: rows of one table that look alike, by class, outcome or PE.

import { CLASSES, differenceColour, differenceName } from './classes.js';
import { NONE } from './data.js';
import { span } from './lod.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').RowKind} RowKind */
/** @typedef {import('./lod.js').Span} Span */
/** @typedef {ArrayLike<number>} Rows */
/**
 * @typedef {object} Series
 * @property {RowKind} kind
 * @property {string} colour Name of a colour in the style sheet.
 * @property {string} filter The filter in the legend that hides it; empty if none does.
 * @property {string} name For tooltips.
 * @property {Uint32Array} rows
 * @property {Span} span
 */

/** The key of rows whose key is unknown. */
export const UNKNOWN = 0xffff_fffe;
/** @type {Readonly<Record<string, string>>} */
const FILTERS = { msis: 'msi', commands: 'command', accesses: 'access' };

/** @param {number} n */
export const indices = (n) => Uint32Array.from({ length: n }, (_, i) => i);
/** @param {number} n */
export const orUnknown = (n) => (n === NONE ? UNKNOWN : n);

/**
 * Rows by key, in the order of the keys; rows with key NONE are left out.
 * @param {Rows} rows
 * @param {(i: number) => number} keyOf
 * @returns {Map<number, number[]>}
 */
export function byKey(rows, keyOf) {
  /** @type {Map<number, number[]>} */
  const out = new Map();
  for (let k = 0; k < rows.length; k++) {
    const key = keyOf(rows[k]);
    if (key === NONE) continue;
    const list = out.get(key);
    if (list === undefined) out.set(key, [rows[k]]);
    else list.push(rows[k]);
  }
  return new Map([...out].sort(([a], [b]) => a - b));
}

/**
 * @param {RowKind} kind
 * @param {string} colour
 * @param {string} name
 * @param {Rows} rows
 * @param {(i: number) => number} first
 * @param {(i: number) => number} last
 * @returns {Series}
 */
function series(kind, colour, name, rows, first, last = first) {
  const sorted = Uint32Array.from(rows);
  // Most tables are in order, and sorting a million rows takes longer than a frame.
  if (sorted.some((row, k) => k > 0 && first(sorted[k - 1]) > first(row)))
    sorted.sort((a, b) => first(a) - first(b) || a - b);
  return {
    kind,
    colour,
    filter: kind === 'lives' ? colour : (FILTERS[kind] ?? ''),
    name,
    rows: sorted,
    span: span(
      sorted.map((i) => first(i)),
      sorted.map((i) => last(i)),
    ),
  };
}

/** Lifetimes by class. @param {Model} model @param {Rows} rows */
export function lifeSeries({ lives, classOfLife, lastOf }, rows) {
  return [...byKey(rows, (i) => classOfLife[i])].map(([of, some]) =>
    series(
      'lives',
      `class-${of}`,
      CLASSES[of],
      some,
      (i) => lives.first[i],
      (i) => lastOf[i],
    ),
  );
}

/** MSIs by outcome. @param {Model} model @param {Rows} rows */
export function msiSeries({ msis, facts }, rows) {
  return [...byKey(rows, (i) => msis.outcome[i])].map(([outcome, some]) => {
    const text = facts.strings[outcome];
    const colour =
      text === 'pended' ? 'msi' : text === 'coalesced' ? 'warn' : text === 'unknown' ? 'muted' : 'bad';
    return series('msis', colour, `MSI ${text}`, some, (i) => msis.at[i]);
  });
}

/** Mappings by PE. @param {Model} model @param {Rows} rows */
export function mappingSeries({ mappings, end }, rows) {
  return [...byKey(rows, (i) => orUnknown(mappings.pe[i]))].map(([pe, some]) =>
    series(
      'mappings',
      pe === UNKNOWN ? 'muted' : `pe-${pe % 8}`,
      pe === UNKNOWN ? 'mapped' : `PE ${pe}`,
      some,
      (i) => mappings.from[i],
      (i) => Math.min(mappings.to[i], end),
    ),
  );
}

/** Residencies by PE. @param {Model} model @param {Rows} rows */
export function residencySeries({ residencies, end }, rows) {
  return [...byKey(rows, (i) => residencies.pe[i])].map(([pe, some]) =>
    series(
      'residencies',
      `pe-${pe % 8}`,
      `resident on PE ${pe}`,
      some,
      (i) => residencies.from[i],
      (i) => Math.min(residencies.to[i], end),
    ),
  );
}

/** Commands, and those that ended in an error. @param {Model} model @param {Rows} rows */
export function commandSeries({ commands, facts }, rows) {
  const fine = (/** @type {number} */ i) =>
    ['EXECUTED', 'unknown'].includes(facts.strings[commands.outcome[i]]);
  return [...byKey(rows, (i) => (fine(i) ? 0 : 1))].map(([failed, some]) =>
    series(
      'commands',
      failed ? 'bad' : 'command',
      failed ? 'command in error' : 'command',
      some,
      (i) => commands.at[i],
    ),
  );
}

/** Accesses to registers: reads, and writes. @param {Model} model @param {Rows} rows */
export function accessSeries({ accesses, facts }, rows) {
  const isWrite = facts.strings.map((text) => (text === 'write' ? 1 : 0));
  return [...byKey(rows, (i) => isWrite[accesses.how[i]])].map(([writes, some]) =>
    series(
      'accesses',
      writes ? 'access-write' : 'access',
      writes ? 'write' : 'read',
      some,
      (i) => accesses.at[i],
    ),
  );
}

/** The divergence, the differences and the findings. @param {Model} model */
export function markSeries(model) {
  const { facts, differences } = model;
  const first = facts.verdict?.first;
  const differing = byKey(indices(differences.at?.length ?? 0), (i) => differences.class[i]);
  const severities = /** @type {const} */ ([
    ['error', 'bad'],
    ['warning', 'warn'],
    ['note', 'muted'],
  ]);
  return [
    ...[...differing].map(([of, some]) =>
      series(
        'differences',
        differenceColour(differenceName(of)),
        differenceName(of),
        some,
        (i) => differences.at[i],
      ),
    ),
    ...severities.map(([severity, colour]) =>
      series(
        'findings',
        colour,
        severity,
        facts.findings.flatMap((one, i) => (one.severity === severity ? [i] : [])),
        (i) => model.momentOf(facts.findings[i].record),
      ),
    ),
    ...(first
      ? [series('divergence', 'bad', 'first divergence', [0], () => model.momentOf(first.record))]
      : []),
  ].filter((one) => one.rows.length > 0);
}
