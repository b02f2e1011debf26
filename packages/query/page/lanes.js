// The lanes of a timeline: a tree of PEs, devices and their events, interrupts, vPEs and ITSs, each with the series that
// it draws. Series are made when a lane is first drawn.

import { CLASSES, classOf, idOf } from './classes.js';
import { NONE } from './data.js';
import { hex } from './format.js';
import {
  accessSeries,
  byKey,
  commandSeries,
  indices,
  lifeSeries,
  mappingSeries,
  markSeries,
  msiSeries,
  orUnknown,
  residencySeries,
  UNKNOWN,
} from './series.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./series.js').Series} Series */
/**
 * @typedef {object} Lane
 * @property {string} key The same for corresponding lanes of both traces.
 * @property {string} label
 * @property {number} depth
 * @property {() => Series[]} series The items.
 * @property {() => Series[]} strips Bars below the items.
 * @property {() => Lane[]} children
 * @property {boolean} group
 */

const LPI = 3;

/**
 * @template T
 * @param {() => T} make
 */
function once(make) {
  /** @type {{ value: T } | undefined} */
  let made;
  return () => (made ??= { value: make() }).value;
}

const nothing = () => [];

/**
 * @param {string} key
 * @param {string} label
 * @param {() => Series[]} items
 * @param {{ strips?: () => Series[], children?: () => Lane[], depth?: number }} more
 * @returns {Lane}
 */
function lane(key, label, items, { strips = nothing, children, depth = 0 } = {}) {
  return {
    key,
    label,
    depth,
    series: once(items),
    strips: once(strips),
    children: children === undefined ? nothing : once(children),
    group: children !== undefined,
  };
}

/**
 * A lane of lifetimes, and below it a lane for each INTID.
 * @param {Model} model
 * @param {string} key
 * @param {string} label
 * @param {ArrayLike<number>} rows
 * @param {(intid: number) => string} name
 * @param {() => Series[]} [strips]
 */
function byIntid(model, key, label, rows, name, strips = nothing) {
  const { intid } = model.lives;
  return lane(key, label, () => lifeSeries(model, rows), {
    strips,
    children: () =>
      [...byKey(rows, (i) => intid[i])].map(([of, some]) =>
        lane(`${key}.${of}`, name(of), () => lifeSeries(model, some), { depth: 1 }),
      ),
  });
}

/** @param {number} intid */
const physicalName = (intid) => `${CLASSES[classOf(intid)]} ${idOf(intid)}`;

/** @param {Model} model @returns {Lane[]} */
function markLanes(model) {
  const { facts, differences } = model;
  const differing = (differences.at?.length ?? 0) > 0;
  if (!differing && facts.findings.length === 0 && !facts.verdict?.first) return [];
  return [lane('marks', differing ? 'differences, findings' : 'findings', () => markSeries(model))];
}

/**
 * By device, then by event; mapped events without a message have a lane, too.
 * @param {Model} model
 * @returns {Lane[]}
 */
function deviceLanes(model) {
  const { facts, lives, msis, mappings } = model;
  const ofEvent = byKey(indices(model.count), (i) => lives.event[i]);
  const msisOf = byKey(indices(msis.at.length), (i) => msis.event[i]);
  const mappingsOf = byKey(indices(mappings.event.length), (i) => mappings.event[i]);
  /** @type {Map<string, number[]>} */
  const devices = new Map();
  const order = [...facts.events.keys()].sort((a, b) => {
    const [p, q] = [facts.events[a], facts.events[b]];
    return p[0] - q[0] || p[1] - q[1] || p[2] - q[2];
  });
  for (const event of order) {
    const [its, deviceId] = facts.events[event];
    const key = `device.${its}.${deviceId}`;
    const events = devices.get(key);
    if (events === undefined) devices.set(key, [event]);
    else events.push(event);
  }
  /** @param {number} event */
  const target = (event) => {
    const mapped = mappingsOf.get(event) ?? [];
    const intids = [...new Set(mapped.map((i) => mappings.intid[i]))];
    if (intids.length !== 1) return intids.length === 0 ? '' : ' → several';
    const name = mapped.some((i) => mappings.virtual[i]) ? 'vLPI' : 'LPI';
    return intids[0] === NONE ? '' : ` → ${name} ${intids[0]}`;
  };
  /** @param {number[]} events */
  const items = (events) => [
    ...lifeSeries(
      model,
      events.flatMap((event) => ofEvent.get(event) ?? []),
    ),
    ...msiSeries(
      model,
      events.flatMap((event) => msisOf.get(event) ?? []),
    ),
  ];
  return [...devices].map(([key, events]) => {
    const [its, deviceId] = facts.events[events[0]];
    const label = `DeviceID ${hex(deviceId)}${facts.itsCount > 1 ? `, ITS ${its}` : ''}`;
    return lane(key, label, () => items(events), {
      children: () =>
        events.map((event) => {
          const eventId = facts.events[event][2];
          return lane(`${key}.${eventId}`, `EventID ${eventId}${target(event)}`, () => items([event]), {
            strips: () => mappingSeries(model, mappingsOf.get(event) ?? []),
            depth: 1,
          });
        }),
    });
  });
}

/** @param {Model} model @param {ArrayLike<number>} virtual virtual lifetimes @returns {Lane[]} */
function vpeLanes(model, virtual) {
  const { lives, residencies } = model;
  const livesOf = byKey(virtual, (i) => orUnknown(lives.vpe[i]));
  const residentOf = byKey(indices(residencies.pe.length), (i) => orUnknown(residencies.vpe[i]));
  return [...new Set([...livesOf.keys(), ...residentOf.keys()])]
    .sort((a, b) => a - b)
    .map((vpe) =>
      byIntid(
        model,
        `vpe.${vpe}`,
        vpe === UNKNOWN ? 'virtual, vPE unknown' : `vPE ${vpe}`,
        livesOf.get(vpe) ?? [],
        (intid) => `vINTID ${intid}`,
        () => residencySeries(model, residentOf.get(vpe) ?? []),
      ),
    );
}

/** @param {Model} model @returns {Lane[]} */
function commandLanes(model) {
  const { commands, facts } = model;
  return [...byKey(indices(commands.at.length), (i) => commands.its[i])].map(([its, rows]) =>
    lane(`its.${its}`, `ITS ${its} commands`, () => commandSeries(model, rows), {
      children: () =>
        [...byKey(rows, (i) => commands.op[i])].map(([op, some]) =>
          lane(`its.${its}.${facts.strings[op]}`, facts.strings[op], () => commandSeries(model, some), {
            depth: 1,
          }),
        ),
    }),
  );
}

/** In the order of their numbers: GICD_IPRIORITYR2 before GICD_IPRIORITYR10. */
const NAMES = new Intl.Collator('en', { numeric: true });

/** Accesses by frame, then by register. @param {Model} model @returns {Lane[]} */
function accessLanes(model) {
  const { accesses, facts } = model;
  const { strings } = facts;
  const byName = (/** @type {[number, number[]]} */ [a], /** @type {[number, number[]]} */ [b]) =>
    NAMES.compare(strings[a], strings[b]);
  const all = [...byKey(indices(accesses.at.length), (i) => accesses.frame[i])].sort(byName);
  return all.map(([frame, rows]) => {
    const name = strings[frame];
    const label = name === 'system registers' ? name : `${name} accesses`;
    return lane(`access.${name}`, label, () => accessSeries(model, rows), {
      children: () =>
        [...byKey(rows, (i) => accesses.register[i])].sort(byName).map(([register, some]) =>
          lane(`access.${name}.${strings[register]}`, strings[register], () => accessSeries(model, some), {
            depth: 1,
          }),
        ),
    });
  });
}

/** @param {Model} model */
export function lanesOf(model) {
  const { facts, lives } = model;
  const all = indices(model.count);
  const physical = all.filter((i) => !lives.virtual[i]);
  const virtual = all.filter((i) => lives.virtual[i]);
  const perPe = byKey(physical, (i) => lives.pe[i]);
  const stray = physical.filter((i) => model.classOfLife[i] === LPI && lives.event[i] === NONE);
  const ofClass = [...byKey(physical, (i) => model.classOfLife[i])].filter(([of]) => of !== LPI);
  const lanes = [
    ...markLanes(model),
    ...facts.affinities.map((_, pe) =>
      byIntid(model, `pe.${pe}`, `PE ${pe}`, perPe.get(pe) ?? [], physicalName),
    ),
    ...deviceLanes(model),
    ...(stray.length === 0
      ? []
      : [byIntid(model, `class.${LPI}`, 'LPIs of no known device', stray, physicalName)]),
    ...ofClass.map(([of, rows]) => byIntid(model, `class.${of}`, `${CLASSES[of]}s`, rows, physicalName)),
    ...vpeLanes(model, virtual),
    ...commandLanes(model),
    ...accessLanes(model),
  ];
  return { lanes, overview: once(() => lifeSeries(model, all)) };
}
