// The lanes of a timeline: a tree of PEs, devices and their events, interrupts, vPEs and ITSs, each with the series that
// it draws. Series are made when a lane is first drawn.
import { NONE } from './data.js';
import { hex } from './format.js';
import { span } from './lod.js';
import { CLASSES, classOf, differenceColour, differenceName, VIRTUAL } from './model.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').RowKind} RowKind */
/** @typedef {import('./lod.js').Span} Span */
/**
 * Rows of one table that look alike.
 * @typedef {object} Series
 * @property {RowKind} kind
 * @property {string} colour Name of a colour of the style.
 * @property {string} filter What of the legend hides it; empty: nothing does.
 * @property {string} name For tooltips.
 * @property {Uint32Array} rows
 * @property {Span} span
 */
/**
 * @typedef {object} Lane
 * @property {string} key The same for the same thing of both traces.
 * @property {string} label
 * @property {number} depth
 * @property {() => Series[]} series Items.
 * @property {() => Series[]} strips Stretches below the items.
 * @property {() => Lane[]} children
 * @property {boolean} group
 */

/**
 * @template T
 * @param {() => T} make
 */
function once(make) {
  /** @type {{ value: T } | undefined} */
  let made;
  return () => (made ??= { value: make() }).value;
}

/**
 * Rows by a number of theirs, in order; NONE: left out.
 * @param {ArrayLike<number>} rows
 * @param {(i: number) => number} keyOf
 * @returns {Map<number, number[]>}
 */
function byKey(rows, keyOf) {
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

const none = () => [];
/** @type {Readonly<Record<string, string>>} */
const FILTERS = { msis: 'msi', commands: 'command' };

/** @param {Model} model */
export function lanesOf(model) {
  const { facts, lives, msis, commands, mappings, residencies, differences } = model;
  /**
   * @param {RowKind} kind
   * @param {string} colour
   * @param {string} name
   * @param {ArrayLike<number>} rows
   * @param {(i: number) => number} first
   * @param {(i: number) => number} [last]
   * @returns {Series}
   */
  const series = (kind, colour, name, rows, first, last = first) => {
    const sorted = Uint32Array.from(rows).sort((a, b) => first(a) - first(b) || a - b);
    return {
      kind,
      colour,
      filter: kind === 'lives' ? colour : (FILTERS[kind] ?? ''),
      name,
      rows: sorted,
      span: span(
        sorted.map(first),
        sorted.map((i) => last(i)),
      ),
    };
  };
  /** @param {ArrayLike<number>} rows lives */
  const livesSeries = (rows) =>
    [...byKey(rows, (i) => model.classOfLife[i])].map(([of, some]) =>
      series(
        'lives',
        `class-${of}`,
        CLASSES[of],
        some,
        (i) => lives.first[i],
        (i) => model.lastOf[i],
      ),
    );
  /** @param {ArrayLike<number>} rows MSIs */
  const msiSeries = (rows) =>
    [...byKey(rows, (i) => msis.outcome[i])].map(([outcome, some]) => {
      const text = facts.strings[outcome];
      const colour =
        text === 'pended' ? 'msi' : text === 'coalesced' ? 'warn' : text === 'unknown' ? 'muted' : 'bad';
      return series('msis', colour, `MSI ${text}`, some, (i) => msis.at[i]);
    });
  const endOf = (/** @type {number} */ to) => (to === NONE ? model.end : to);
  /** @param {ArrayLike<number>} rows */
  const mappingSeries = (rows) =>
    [...byKey(rows, (i) => (mappings.pe[i] === NONE ? 0xffff : mappings.pe[i]))].map(([pe, some]) =>
      series(
        'mappings',
        pe === 0xffff ? 'muted' : `pe-${pe % 8}`,
        pe === 0xffff ? 'mapped' : `PE ${pe}`,
        some,
        (i) => mappings.from[i],
        (i) => endOf(mappings.to[i]),
      ),
    );
  /** @param {ArrayLike<number>} rows @param {(i: number) => string} colour @param {(i: number) => string} name */
  const residencySeries = (rows, colour, name) =>
    [...byKey(rows, (i) => (residencies.vpe[i] === NONE ? 0xffff : residencies.vpe[i]))].map(([, some]) =>
      series(
        'residencies',
        colour(some[0]),
        name(some[0]),
        some,
        (i) => residencies.from[i],
        (i) => endOf(residencies.to[i]),
      ),
    );
  /**
   * @param {string} key
   * @param {string} label
   * @param {number} depth
   * @param {() => Series[]} items
   * @param {{ strips?: () => Series[], children?: () => Lane[] }} [more]
   * @returns {Lane}
   */
  const lane = (key, label, depth, items, { strips = none, children } = {}) => ({
    key,
    label,
    depth,
    series: once(items),
    strips: once(strips),
    children: children === undefined ? none : once(children),
    group: children !== undefined,
  });
  const all = Uint32Array.from({ length: model.count }, (_, i) => i);
  const physical = all.filter((i) => !lives.virtual[i]);
  const virtual = all.filter((i) => lives.virtual[i]);
  const indices = (/** @type {number} */ n) => Uint32Array.from({ length: n }, (_, i) => i);
  /** @type {Lane[]} */
  const out = [];

  const marks = once(() =>
    [
      ...(facts.verdict?.first
        ? [
            series('divergence', 'bad', 'first divergence', [0], () =>
              model.momentOf(facts.verdict?.first?.record ?? 0),
            ),
          ]
        : []),
      ...[...byKey(indices(differences.at?.length ?? 0), (i) => differences.class[i])].map(([of, some]) =>
        series(
          'differences',
          differenceColour(differenceName(of)),
          differenceName(of),
          some,
          (i) => differences.at[i],
        ),
      ),
      ...['error', 'warning', 'note'].map((severity) =>
        series(
          'findings',
          severity === 'error' ? 'bad' : severity === 'warning' ? 'warn' : 'muted',
          severity,
          facts.findings.flatMap((one, i) => (one.severity === severity ? [i] : [])),
          (i) => model.momentOf(facts.findings[i].record),
        ),
      ),
    ].filter((one) => one.rows.length > 0),
  );
  if (facts.findings.length > 0 || facts.verdict?.first || (differences.at?.length ?? 0) > 0)
    out.push(lane('marks', differences.at === undefined ? 'findings' : 'differences, findings', 0, marks));

  const perPe = byKey(physical, (i) => lives.pe[i]);
  for (const pe of facts.affinities.keys()) {
    const rows = perPe.get(pe) ?? [];
    out.push(
      lane(`pe.${pe}`, `PE ${pe}`, 0, () => livesSeries(rows), {
        children: () =>
          [...byKey(rows, (i) => lives.intid[i])].map(([intid, some]) =>
            lane(`pe.${pe}.${intid}`, `${CLASSES[classOf(intid)]} ${intid}`, 1, () => livesSeries(some)),
          ),
      }),
    );
  }

  // By device, then by event; mapped events without a message have a lane too.
  const ofEvent = byKey(all, (i) => lives.event[i]);
  const msisOf = byKey(indices(msis.at.length), (i) => msis.event[i]);
  const mappingsOf = byKey(indices(mappings.event.length), (i) => mappings.event[i]);
  /** @type {Map<string, number[]>} */
  const devices = new Map();
  for (const [event, [its, deviceId]] of facts.events.entries()) {
    const key = `${its}.${deviceId}`;
    devices.set(key, [...(devices.get(key) ?? []), event]);
  }
  const rowsOf = (/** @type {Map<number, number[]>} */ of, /** @type {number[]} */ events) =>
    events.flatMap((event) => of.get(event) ?? []);
  const named = [...devices].map(([, events]) => {
    const [its, deviceId] = facts.events[events[0]];
    events.sort((a, b) => facts.events[a][2] - facts.events[b][2]);
    return { its, deviceId, events };
  });
  named.sort((a, b) => a.its - b.its || a.deviceId - b.deviceId);
  for (const { its, deviceId, events } of named) {
    const key = `device.${its}.${deviceId}`;
    out.push(
      lane(
        key,
        `DeviceID ${hex(deviceId)}${facts.itsCount > 1 ? `, ITS ${its}` : ''}`,
        0,
        () => [...livesSeries(rowsOf(ofEvent, events)), ...msiSeries(rowsOf(msisOf, events))],
        {
          children: () =>
            events.map((event) => {
              const mapped = mappingsOf.get(event) ?? [];
              const intids = [...new Set(mapped.map((i) => mappings.intid[i]))];
              const name = mapped.some((i) => mappings.virtual[i]) ? 'vLPI' : 'LPI';
              const to =
                intids.length === 1 && intids[0] !== NONE
                  ? ` → ${name} ${intids[0]}`
                  : intids.length > 1
                    ? ' → several'
                    : '';
              return lane(
                `${key}.${facts.events[event][2]}`,
                `EventID ${facts.events[event][2]}${to}`,
                1,
                () => [...livesSeries(ofEvent.get(event) ?? []), ...msiSeries(msisOf.get(event) ?? [])],
                { strips: () => mappingSeries(mapped) },
              );
            }),
        },
      ),
    );
  }

  const stray = physical.filter((i) => lives.intid[i] >= 8192 && lives.event[i] === NONE);
  for (const [of, rows] of [
    ...(stray.length > 0 ? [/** @type {const} */ ([3, stray])] : []),
    ...[...byKey(physical, (i) => model.classOfLife[i])].filter(([one]) => one !== 3),
  ]) {
    const name = of === 3 ? 'LPIs of no known device' : `${CLASSES[of]}s`;
    out.push(
      lane(`class.${of}`, name, 0, () => livesSeries(rows), {
        children: () =>
          [...byKey(rows, (i) => lives.intid[i])].map(([intid, some]) =>
            lane(`class.${of}.${intid}`, `${CLASSES[of]} ${intid}`, 1, () => livesSeries(some)),
          ),
      }),
    );
  }

  const vpes = new Set([...virtual.map((i) => lives.vpe[i]), ...residencies.vpe]);
  for (const vpe of [...vpes].sort((a, b) => a - b)) {
    const rows = virtual.filter((i) => lives.vpe[i] === vpe);
    const resident = indices(residencies.pe.length).filter((i) => residencies.vpe[i] === vpe);
    out.push(
      lane(`vpe.${vpe}`, vpe === NONE ? 'virtual, vPE unknown' : `vPE ${vpe}`, 0, () => livesSeries(rows), {
        strips: () =>
          [...byKey(resident, (i) => residencies.pe[i])].flatMap(([pe, some]) =>
            residencySeries(
              some,
              () => `pe-${pe % 8}`,
              () => `resident on PE ${pe}`,
            ),
          ),
        children: () =>
          [...byKey(rows, (i) => lives.intid[i])].map(([intid, some]) =>
            lane(`vpe.${vpe}.${intid}`, `vINTID ${intid}`, 1, () => livesSeries(some)),
          ),
      }),
    );
  }

  for (const [its, rows] of byKey(indices(commands.at.length), (i) => commands.its[i])) {
    /** @param {ArrayLike<number>} some */
    const items = (some) => {
      const fine = (/** @type {number} */ i) =>
        ['EXECUTED', 'unknown'].includes(facts.strings[commands.outcome[i]]);
      const list = Array.from(some);
      return [
        series('commands', 'command', 'command', list.filter(fine), (i) => commands.at[i]),
        series(
          'commands',
          'bad',
          'command in error',
          list.filter((i) => !fine(i)),
          (i) => commands.at[i],
        ),
      ].filter((one) => one.rows.length > 0);
    };
    out.push(
      lane(`its.${its}`, `ITS ${its} commands`, 0, () => items(rows), {
        children: () =>
          [...byKey(rows, (i) => commands.op[i])].map(([op, some]) =>
            lane(`its.${its}.${facts.strings[op]}`, facts.strings[op], 1, () => items(some)),
          ),
      }),
    );
  }
  const overview = once(() => livesSeries(all));
  return { lanes: out, overview, virtual: VIRTUAL };
}
