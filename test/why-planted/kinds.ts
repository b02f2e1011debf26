// Faults of the kinds that people meet, planted at a random place into any recording: each chooses an interrupt that the
// recording delivers, plants one fault on its way, and answers the question that somebody would ask about it.
import { isStimulus, KIND, RecordBatch } from '@gictrace/core/record';
import { GICD, GICR, GITS, LPI_FIRST, SYSREGS } from '@gictrace/core/spec';
import type { WhyQuestion } from '@gictrace/query';
import { does, mmioWrite, type Recording, sysregWrite } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import type { Queued, Sent, Survey, Taken } from './survey.ts';

/** What somebody would ask; undefined if the recording contains nothing into which this fault can be planted. */
export type Kind = (t: Recording, s: Survey, r: Random) => WhyQuestion | undefined;

const bit = (intid: number) => (1 << (intid & 31)) >>> 0;
const word = (register: { readonly offset: number }, intid: number) => register.offset + 4 * (intid >> 5);
const isPpi = (intid: number) => intid >= 16 && intid < 32;
const isSpi = (intid: number) => intid >= 32 && intid < 1020;
const isSgi = (intid: number) => intid < 16;
const isLpi = (intid: number) => intid >= LPI_FIRST;
const FEW = 6;
/** GICD_TYPER.SecurityExtn. */
const SECURITY_EXTN = 1 << 10;

/** An interrupt that is acknowledged several times, and a place between two of its acknowledges. */
function choose(
  t: Recording,
  s: Survey,
  r: Random,
  fits: (intid: number) => boolean,
  few = FEW,
): { one: Taken; place: number; next: number } | undefined {
  const all = s.taken.filter(({ intid, acknowledges }) => fits(intid) && acknowledges.length >= few);
  if (all.length === 0) return undefined;
  const one = r.pick(all);
  const n = one.acknowledges.length;
  const k = Math.floor(n * 0.1) + r.below(Math.max(1, Math.floor(n * 0.75)));
  const next = Math.min(n - 1, k + 1);
  const from = one.acknowledges[k]!;
  const to = one.acknowledges[next]!;
  return { one, place: stimulusAt(t, from + 1 + r.below(Math.max(1, to - from))), next: to };
}

/** The first stimulus at or behind a place. */
function stimulusAt(t: Recording, place: number): number {
  let at = place;
  while (at < t.rows.length - 1 && !isStimulus(t.rows[at]!.kind)) at++;
  return at;
}

/** A write to a register of the interrupt's own frame, in the place of a store by its PE. */
function write(
  intid: number,
  pe: number,
  name: 'ICENABLER' | 'ICPENDR' | 'ISACTIVER' | 'IGROUPR' | 'IGRPMODR',
  value: number,
) {
  return intid < 32
    ? mmioWrite('GICR', pe, GICR[`GICR_${name}`].offset, 4, value)
    : mmioWrite('GICD', 0, word(GICD[`GICD_${name}`], intid), 4, value);
}

const asked = (one: Taken, r: Random): WhyQuestion =>
  one.intid < 32 && r.chance(0.6) ? { intid: one.intid, pe: one.pe } : { intid: one.intid };

/** Inserts what `make` makes before a place between two acknowledges of an interrupt. */
const inserted =
  (
    fits: (intid: number) => boolean,
    make: (one: Taken, r: Random, t: Recording) => RecordBatch | undefined,
  ): Kind =>
  (t, s, r) => {
    const found = choose(t, s, r, fits);
    if (found === undefined) return undefined;
    const batch = make(found.one, r, t);
    if (batch === undefined) return undefined;
    t.insert(found.place, batch);
    return asked(found.one, r);
  };
const sysreg = ({ encoding }: { readonly encoding: number }, values: readonly number[]): Kind =>
  inserted(
    () => true,
    ({ pe }, r) => sysregWrite(encoding, pe, r.pick(values)),
  );
const PEACEFUL = (intid: number) => !isSgi(intid);

// ---- LPIs ----------------------------------------------------------------------------------------------------

/** Events that are mapped to an LPI, with the commands that say where they go and the messages that come behind. */
interface Route {
  readonly mapti: Queued;
  readonly sent: Sent;
  readonly intid: number;
}
function routes(s: Survey, few = 3): Route[] {
  return s.commands
    .filter(({ name }) => name === 'MAPTI' || name === 'MAPI')
    .flatMap((mapti) => {
      const { DeviceID, EventID, pINTID } = mapti.operands;
      const sent = s.messages.find((one) => one.device === DeviceID && one.event === EventID);
      if (sent === undefined) return [];
      const until =
        s.commands.find(
          ({ place, name, operands }) =>
            place > mapti.place &&
            ((name === 'DISCARD' && operands.DeviceID === DeviceID && operands.EventID === EventID) ||
              (name === 'MAPD' && operands.DeviceID === DeviceID)),
        )?.place ?? Number.POSITIVE_INFINITY;
      const places = sent.places.filter((place) => place > mapti.place && place < until);
      return places.length < few
        ? []
        : [{ mapti, sent: { ...sent, places }, intid: mapti.name === 'MAPI' ? EventID! : pINTID! }];
    });
}
const askedLpi = (route: Route, r: Random): WhyQuestion =>
  r.chance(0.5)
    ? { intid: route.intid }
    : { device: route.sent.device, ...(r.chance(0.7) ? { event: route.sent.event } : {}) };

const routed =
  (plant: (t: Recording, s: Survey, r: Random, route: Route) => boolean): Kind =>
  (t, s, r) => {
    const all = routes(s);
    if (all.length === 0) return undefined;
    const route = r.pick(all);
    return plant(t, s, r, route) ? askedLpi(route, r) : undefined;
  };

/** The last command that fits before the first message of a route. */
function before(s: Survey, route: Route, fits: (command: Queued) => boolean): Queued | undefined {
  return s.commands.findLast((command) => command.place < route.sent.places[0]! && fits(command));
}
const mapc = (s: Survey, route: Route) =>
  before(s, route, ({ name, operands }) => name === 'MAPC' && operands.ICID === route.mapti.operands.ICID);
const mapd = (s: Survey, route: Route) =>
  before(
    s,
    route,
    ({ name, operands, place }) =>
      name === 'MAPD' && operands.DeviceID === route.sent.device && place < route.mapti.place,
  );
/** A place before one of the later messages of a route. */
const amid = (t: Recording, r: Random, route: Route) => {
  const { places } = route.sent;
  const k = 1 + r.below(Math.max(1, Math.floor(places.length * 0.8) - 1));
  return { place: stimulusAt(t, places[Math.min(k, places.length - 1)]!), k };
};
const pes = (t: Recording) => t.config.pes.length;

export function store(address: number, width: number, value: number, pe = 0): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND['mem.write'], pe, Number.NaN);
  batch.words.set([address >>> 0, Math.floor(address / 2 ** 32), width, value >>> 0, 0]);
  return batch;
}

/** A command more: queue.write and GITS_CWRITER cannot be inserted without moving all that follow; so one is changed. */
const COMMANDS: Readonly<Record<string, Kind>> = {
  'MAPTI left out': routed((t, _s, _r, { mapti }) => {
    t.command(mapti.place, 'SYNC');
    return true;
  }),
  'MAPTI with another EventID': routed((t, _s, r, { mapti }) => {
    t.command(mapti.place, mapti.name as 'MAPTI', {
      EventID: (mapti.operands.EventID! ^ (r.chance(0.5) ? 1 : 8)) & 0x1f,
    });
    return true;
  }),
  'MAPTI with another DeviceID': routed((t, s, r, { mapti }) => {
    const others = [...new Set(s.messages.map(({ device }) => device))].filter(
      (device) => device !== mapti.operands.DeviceID,
    );
    t.command(mapti.place, mapti.name as 'MAPTI', {
      DeviceID: others.length > 0 && r.chance(0.5) ? r.pick(others) : mapti.operands.DeviceID! ^ 1,
    });
    return true;
  }),
  'MAPTI with another INTID': routed((t, s, r, { mapti }) => {
    if (mapti.name !== 'MAPTI') return false;
    const others = s.commands
      .filter(({ name }) => name === 'MAPTI')
      .map(({ operands }) => operands.pINTID!)
      .filter((intid) => intid !== mapti.operands.pINTID);
    t.command(mapti.place, 'MAPTI', {
      pINTID: r.pick([...others.slice(0, 3), mapti.operands.pINTID! + 100, 40, 70_000]),
    });
    return true;
  }),
  'MAPTI with an unmapped collection': routed((t, s, r, { mapti }) => {
    const used = new Set(
      s.commands.filter(({ name }) => name === 'MAPC').map(({ operands }) => operands.ICID),
    );
    const ICID = [5, 9, 13, 200].find((one) => !used.has(one) && r.chance(0.7)) ?? 300;
    if (used.has(ICID)) return false;
    t.command(mapti.place, mapti.name as 'MAPTI', { ICID });
    return true;
  }),
  'MAPC unmaps': routed((t, s, _r, route) => {
    const command = mapc(s, route);
    if (command === undefined || command.operands.V === 0) return false;
    t.command(command.place, 'MAPC', { V: 0 });
    return true;
  }),
  'MAPC left out': routed((t, s, _r, route) => {
    const command = mapc(s, route);
    if (command === undefined || command.operands.V === 0) return false;
    t.command(command.place, 'SYNC');
    return true;
  }),
  'MAPC to another PE': routed((t, s, r, route) => {
    const command = mapc(s, route);
    if (command === undefined || command.operands.V === 0 || pes(t) < 2) return false;
    t.command(command.place, 'MAPC', {
      RDbase: (command.operands.RDbase! + 1 + r.below(pes(t) - 1)) % pes(t),
    });
    return true;
  }),
  'MAPD left out': routed((t, s, _r, route) => {
    const command = mapd(s, route);
    if (command === undefined || command.operands.V === 0) return false;
    t.command(command.place, 'SYNC');
    return true;
  }),
  'MAPD unmaps': routed((t, s, _r, route) => {
    const command = mapd(s, route);
    if (command === undefined || command.operands.V === 0) return false;
    t.command(command.place, 'MAPD', { V: 0 });
    return true;
  }),
  'MAPD with too few EventIDs': routed((t, s, _r, route) => {
    const command = mapd(s, route);
    if (command === undefined || command.operands.V === 0 || route.sent.event < 2) return false;
    t.command(command.place, 'MAPD', { Size: 0 });
    return true;
  }),
  'MOVI to an unmapped collection': movi(() => 77),
  'MOVI to another PE': movi((t, r, icid) => (icid + 1 + r.below(Math.max(1, pes(t) - 1))) % pes(t)),
  'DISCARD in the place of another command': routed((t, s, r, route) => {
    const between = s.commands.filter(
      ({ name, place }) =>
        name === 'SYNC' && place > route.sent.places[0]! && place < route.sent.places.at(-1)!,
    );
    if (between.length === 0) return false;
    t.command(r.pick(between).place, 'DISCARD', {
      DeviceID: route.sent.device,
      EventID: route.sent.event,
    });
    return true;
  }),
  'INV left out': routed((t, s, _r, route) => {
    const inv = s.commands.find(
      ({ name, place, operands }) =>
        name === 'INV' &&
        place > route.mapti.place &&
        operands.DeviceID === route.sent.device &&
        operands.EventID === route.sent.event,
    );
    // What decides is in the trace only if the store to the configuration table is.
    if (inv === undefined) return false;
    const byte = s.configTable + route.intid - LPI_FIRST;
    const isStored = t.rows.findLastIndex(
      (row, k) =>
        k < inv.place &&
        row.kind === KIND['mem.write'] &&
        row.word(0) <= byte &&
        row.word(0) + row.word(2) > byte &&
        k > route.mapti.place - 2000,
    );
    if (isStored < 0) return false;
    t.command(inv.place, 'SYNC');
    t.rows[isStored]!.isPlanted = true;
    return true;
  }),
  'INV of another event': routed((t, s, _r, route) => {
    const inv = s.commands.find(
      ({ name, place, operands }) =>
        name === 'INV' &&
        place > route.mapti.place &&
        operands.DeviceID === route.sent.device &&
        operands.EventID === route.sent.event,
    );
    const byte = s.configTable + route.intid - LPI_FIRST;
    if (inv === undefined) return false;
    const isStored = t.rows.findLastIndex(
      (row, k) =>
        k < inv.place &&
        row.kind === KIND['mem.write'] &&
        row.word(0) <= byte &&
        row.word(0) + row.word(2) > byte,
    );
    if (isStored < 0) return false;
    t.command(inv.place, 'INV', { EventID: route.sent.event ^ 1 });
    t.rows[isStored]!.isPlanted = true;
    return true;
  }),
  'the write of GITS_CWRITER for a MAPTI left out, and those behind': routed((t, s, _r, route) => {
    const writes = s.writes
      .get(`GITS ${GITS.GITS_CWRITER.offset} 0`)
      ?.filter((place) => place > route.mapti.place);
    if (writes === undefined || writes.length === 0) return false;
    for (const place of writes.toReversed()) t.rows.splice(place, 1);
    t.rows[route.mapti.place]!.isPlanted = true;
    const last = s.writes
      .get(`GITS ${GITS.GITS_CWRITER.offset} 0`)!
      .findLast((place) => place < route.mapti.place);
    if (last !== undefined) t.rows[last]!.isPlanted = true;
    return true;
  }),
};

function movi(to: (t: Recording, r: Random, icid: number) => number): Kind {
  return (t, s, r) => {
    const all = routes(s, 1).flatMap((route) =>
      s.commands
        .filter(
          ({ name, operands, place }) =>
            name === 'MOVI' &&
            operands.DeviceID === route.sent.device &&
            operands.EventID === route.sent.event &&
            place > route.mapti.place &&
            route.sent.places.some((one) => one > place),
        )
        .map((command) => ({ route, command })),
    );
    if (all.length === 0) return undefined;
    const { route, command } = r.pick(all);
    const ICID = to(t, r, command.operands.ICID!);
    if (ICID === command.operands.ICID) return undefined;
    t.command(command.place, 'MOVI', { ICID });
    return askedLpi(route, r);
  };
}

/** A field of the last write to a register before the first message of a route. */
const registerOf = (
  frame: 'GICR' | 'GITS',
  offset: number,
  change: (low: number, high: number, r: Random) => readonly [number, number] | undefined,
  whole = true,
): Kind =>
  routed((t, s, r, route) => {
    const target = mapc(s, route)?.operands.RDbase ?? 0;
    const instance = frame === 'GICR' ? target : route.sent.its;
    const places = (s.writes.get(`${frame} ${offset} ${instance}`) ?? []).filter(
      (place) => place < (whole ? route.mapti.place : route.sent.places[0]!),
    );
    const place = places.at(-1);
    if (place === undefined) return false;
    const row = t.rows[place]!;
    const changed = change(row.word(4), row.word(5), r);
    if (changed === undefined) return false;
    row.set(4, ...changed);
    return true;
  });

const BASER_TYPE = (high: number) => (high >>> 24) & 7;
function baser(type: number, change: (low: number, high: number) => readonly [number, number]): Kind {
  return routed((t, s, _r, route) => {
    for (let n = 0; n < 8; n++) {
      const places = (s.writes.get(`GITS ${GITS.GITS_BASER.offset + 8 * n} ${route.sent.its}`) ?? []).filter(
        (place) => place < route.mapti.place,
      );
      const place = places.at(-1);
      if (place === undefined) continue;
      const row = t.rows[place]!;
      // Linux writes the type that it read, and QEMU has devices in BASER0 and collections in BASER1.
      if ((BASER_TYPE(row.word(5)) || [1, 4, 2][n]) !== type || !(row.word(5) >>> 31)) continue;
      row.set(4, ...change(row.word(4), row.word(5)));
      return true;
    }
    return false;
  });
}

const amidMessages = (
  make: (route: Route, r: Random, t: Recording, s: Survey) => RecordBatch | undefined,
): Kind =>
  routed((t, s, r, route) => {
    const batch = make(route, r, t, s);
    if (batch === undefined) return false;
    t.insert(amid(t, r, route).place, batch);
    return true;
  });

const LPIS: Readonly<Record<string, Kind>> = {
  'device table not valid': baser(1, (low, high) => [low, (high & 0x7fff_ffff) >>> 0]),
  'collection table not valid': baser(4, (low, high) => [low, (high & 0x7fff_ffff) >>> 0]),
  'device table too small': baser(1, (low, high) => [(low & ~0xff) >>> 0, (high & ~0x4000_0000) >>> 0]),
  'GICR_PROPBASER.IDbits too small': registerOf('GICR', GICR.GICR_PROPBASER.offset, (low, high, r) => [
    ((low & ~31) | r.pick([0, 8, 12])) >>> 0,
    high,
  ]),
  'EnableLPIs never set': registerOf('GICR', GICR.GICR_CTLR.offset, (low, high) =>
    low & 1 ? [(low & ~1) >>> 0, high] : undefined,
  ),
  'EnableLPIs cleared': amidMessages((route, _r, _t, s) =>
    mmioWrite('GICR', mapc(s, route)?.operands.RDbase ?? 0, GICR.GICR_CTLR.offset, 4, 0),
  ),
  'the ITS disabled': amidMessages(({ sent }) => mmioWrite('GITS', sent.its, GITS.GITS_CTLR.offset, 4, 0)),
  'the LPI masked in memory and invalidated': routed((t, s, r, route) => {
    if (s.configTable < 0) return false;
    const sync = s.commands.find(
      ({ name, place }) =>
        name === 'SYNC' && place > route.sent.places[0]! && place < route.sent.places.at(-1)!,
    );
    if (sync === undefined) return false;
    t.command(sync.place, 'INV', { DeviceID: route.sent.device, EventID: route.sent.event });
    t.insert(sync.place, store(s.configTable + route.intid - LPI_FIRST, 1, r.pick([0xa0, 0xa2])));
    return true;
  }),
  'the LPI given a priority that is masked': routed((t, s, _r, route) => {
    if (s.configTable < 0) return false;
    const sync = s.commands.find(
      ({ name, place }) =>
        name === 'SYNC' && place > route.sent.places[0]! && place < route.sent.places.at(-1)!,
    );
    if (sync === undefined) return false;
    t.command(sync.place, 'INV', { DeviceID: route.sent.device, EventID: route.sent.event });
    t.insert(sync.place, store(s.configTable + route.intid - LPI_FIRST, 1, 0xff));
    return true;
  }),
  'PTZ over an LPI that is pending': routed((t, s, r, route) => {
    const pe = mapc(s, route)?.operands.RDbase ?? 0;
    const bases = s.writes.get(`GICR ${GICR.GICR_PENDBASER.offset} ${pe}`);
    if (bases === undefined) return false;
    const last = t.rows[bases.at(-1)!]!;
    const { k } = amid(t, r, route);
    const at = stimulusAt(t, route.sent.places[k]! + 1);
    const own = mmioWrite('GICR', pe, GICR.GICR_PENDBASER.offset, 8, last.word(4));
    own.words[5] = (last.word(5) | 0x4000_0000) >>> 0;
    t.insert(at, mmioWrite('GICR', pe, GICR.GICR_CTLR.offset, 4, 1));
    t.insert(at, own);
    t.insert(at, mmioWrite('GICR', pe, GICR.GICR_CTLR.offset, 4, 0));
    return true;
  }),
};

// ---- the Distributor, the Redistributors and the CPU interfaces ----------------------------------------------

const ANY: Readonly<Record<string, Kind>> = {
  'a PPI masked': inserted(isPpi, ({ intid, pe }) => write(intid, pe, 'ICENABLER', bit(intid))),
  'an SGI masked': inserted(isSgi, ({ intid, pe }) => write(intid, pe, 'ICENABLER', bit(intid))),
  'an SPI masked': inserted(isSpi, ({ intid, pe }) => write(intid, pe, 'ICENABLER', bit(intid))),
  'all SPIs of a register masked': inserted(isSpi, ({ intid, pe }) =>
    write(intid, pe, 'ICENABLER', 0xffff_ffff),
  ),
  'the priority mask lowered': sysreg(SYSREGS.ICC_PMR_EL1, [0, 0x10, 0x40, 0x80]),
  'Group 1 disabled at the PE': sysreg(SYSREGS.ICC_IGRPEN1_EL1, [0]),
  'an interrupt put into Group 0': inserted(PEACEFUL, ({ intid, pe }) =>
    isLpi(intid) ? undefined : write(intid, pe, 'IGROUPR', ~bit(intid)),
  ),
  'GICD_CTLR disables the groups': inserted(
    () => true,
    (_one, r) => mmioWrite('GICD', 0, GICD.GICD_CTLR.offset, 4, r.pick([0, 0x50, 0x10])),
  ),
  'the PE put to sleep': (t, s, r) => {
    // With two Security states, Linux does not wake its PEs itself.
    if (t.config.gicd.typer & SECURITY_EXTN) return undefined;
    t.config = { ...t.config, profile: 'architecture' };
    return inserted(
      () => true,
      ({ pe }) => mmioWrite('GICR', pe, GICR.GICR_WAKER.offset, 4, 2),
    )(t, s, r);
  },
  'a masked priority': inserted(PEACEFUL, ({ intid, pe }, r) => {
    if (isLpi(intid)) return undefined;
    const value = r.pick([0xf8, 0xff, 0xf0]);
    return intid < 32
      ? mmioWrite('GICR', pe, GICR.GICR_IPRIORITYR.offset + intid, 1, value)
      : mmioWrite('GICD', 0, GICD.GICD_IPRIORITYR.offset + intid, 1, value);
  }),
  'a masked priority, written as a word': inserted(PEACEFUL, ({ intid, pe }) => {
    if (isLpi(intid)) return undefined;
    const at = intid & ~3;
    return intid < 32
      ? mmioWrite('GICR', pe, GICR.GICR_IPRIORITYR.offset + at, 4, 0xf8f8f8f8)
      : mmioWrite('GICD', 0, GICD.GICD_IPRIORITYR.offset + at, 4, 0xf8f8f8f8);
  }),
  'an SPI routed to another PE': inserted(isSpi, ({ intid, pe }, r, t) => {
    if (pes(t) < 2) return undefined;
    return mmioWrite(
      'GICD',
      0,
      GICD.GICD_IROUTER.offset + 8 * (intid - 32),
      8,
      (pe + 1 + r.below(pes(t) - 1)) % pes(t),
    );
  }),
  'an SPI routed to no PE': inserted(isSpi, ({ intid }, r) =>
    mmioWrite('GICD', 0, GICD.GICD_IROUTER.offset + 8 * (intid - 32), 8, r.pick([0x700, 0x100, 0x20000])),
  ),
  'an interrupt made active': inserted(PEACEFUL, ({ intid, pe }) =>
    isLpi(intid) ? undefined : write(intid, pe, 'ISACTIVER', bit(intid)),
  ),
  'EOIs no longer deactivate': (t, s, r) => {
    const found = choose(t, s, r, (intid) => !isLpi(intid) && !isSgi(intid));
    if (found === undefined) return undefined;
    t.insert(found.place, sysregWrite(SYSREGS.ICC_CTLR_EL1.encoding, found.one.pe, 2));
    return asked(found.one, r);
  },
  'an EOI left out': (t, s, r) => {
    const found = choose(t, s, r, () => true);
    if (found === undefined) return undefined;
    const { one, next } = found;
    const end = t.find(does('end', one.intid, one.pe), 0, next);
    if (end - next > 2000) return undefined;
    t.remove(end, next);
    return asked(one, r);
  },
  'an EOI left out, and the question is about another interrupt of the PE': (t, s, r) => {
    const found = choose(t, s, r, () => true);
    if (found === undefined) return undefined;
    const { one, next } = found;
    const end = t.find(does('end', one.intid, one.pe), 0, next);
    if (end - next > 2000) return undefined;
    const others = s.taken.filter(
      ({ intid, pe, acknowledges }) =>
        pe === one.pe && intid !== one.intid && acknowledges.some((place) => place > end),
    );
    if (others.length === 0) return undefined;
    t.remove(end, next);
    const other = r.pick(others);
    return other.intid < 32 ? { intid: other.intid, pe: other.pe } : { intid: other.intid };
  },
  'an EOI of another INTID': (t, s, r) => {
    const found = choose(t, s, r, () => true);
    if (found === undefined) return undefined;
    const { one, next } = found;
    const end = t.find(does('end', one.intid, one.pe), 0, next);
    if (end - next > 2000) return undefined;
    t.rows[end]!.set(1, 1023);
    t.rows[next]!.isPlanted = true;
    return asked(one, r);
  },
  'a pending interrupt cleared': (t, s, r) => {
    const found = choose(t, s, r, (intid) => isSgi(intid));
    if (found === undefined) return undefined;
    t.insert(found.next, write(found.one.intid, found.one.pe, 'ICPENDR', bit(found.one.intid)));
    return { intid: found.one.intid, pe: found.one.pe };
  },
  'an SGI with another target': (t, s, r) => {
    const places = [...s.sysregs]
      .filter(([key]) => key.startsWith(`${SYSREGS.ICC_SGI1R_EL1.encoding} `))
      .flatMap(([, list]) => list);
    if (places.length < 5) return undefined;
    const place = r.pick(places);
    const row = t.rows[place]!;
    const intid = (row.word(1) >>> 24) & 15;
    if (r.chance(0.5)) row.set(1, ((row.word(1) & 0xffff_0000) | 0x8000) >>> 0);
    else row.set(2, 7);
    return { intid };
  },
  'an enable left out': (t, s, r) => {
    const found = choose(t, s, r, (intid) => !isLpi(intid) && !isSgi(intid), 2);
    if (found === undefined) return undefined;
    const { one } = found;
    const isSet = (place: number) => (t.rows[place]!.word(4) & bit(one.intid)) !== 0;
    const key =
      one.intid < 32
        ? `GICR ${GICR.GICR_ISENABLER.offset} ${one.pe}`
        : `GICD ${word(GICD.GICD_ISENABLER, one.intid)} 0`;
    const places = (s.writes.get(key) ?? []).filter((place) => place < one.acknowledges[0]! && isSet(place));
    if (places.length !== 1) return undefined;
    const row = t.rows[places[0]!]!;
    row.set(4, (row.word(4) & ~bit(one.intid)) >>> 0);
    return asked(one, r);
  },
  'a bit of GICD_ISENABLER in the place of its neighbour': (t, s, r) => {
    const found = choose(t, s, r, isSpi, 2);
    if (found === undefined) return undefined;
    const { one } = found;
    const places = (s.writes.get(`GICD ${word(GICD.GICD_ISENABLER, one.intid)} 0`) ?? []).filter(
      (place) => place < one.acknowledges[0]! && (t.rows[place]!.word(4) & bit(one.intid)) !== 0,
    );
    if (places.length !== 1) return undefined;
    t.rows[places[0]!]!.set(4, bit(one.intid ^ 1));
    return asked(one, r);
  },
  'the wrong IROUTER while the driver sets it up': (t, s, r) => {
    const found = choose(t, s, r, isSpi, 2);
    if (found === undefined) return undefined;
    const { one } = found;
    const places = (s.writes.get(`GICD ${GICD.GICD_IROUTER.offset + 8 * (one.intid - 32)} 0`) ?? []).filter(
      (place) => place < one.acknowledges[0]!,
    );
    if (places.length === 0) return undefined;
    t.rows[places.at(-1)!]!.set(4, r.pick([0x100, 0x300, 0x0f]), 0);
    return asked(one, r);
  },
  'ICC_IGRPEN1_EL1 never set': (t, s, r) => {
    const found = choose(t, s, r, PEACEFUL);
    if (found === undefined) return undefined;
    const places = s.sysregs.get(`${SYSREGS.ICC_IGRPEN1_EL1.encoding} ${found.one.pe}`);
    if (places?.length !== 1) return undefined;
    t.rows[places[0]!]!.set(1, 0);
    return { intid: found.one.intid, pe: found.one.pe };
  },
  'ICC_PMR_EL1 never raised': (t, s, r) => {
    const found = choose(t, s, r, PEACEFUL);
    if (found === undefined) return undefined;
    const places = s.sysregs.get(`${SYSREGS.ICC_PMR_EL1.encoding} ${found.one.pe}`);
    if (places?.length !== 1) return undefined;
    t.rows[places[0]!]!.set(1, 0);
    return { intid: found.one.intid, pe: found.one.pe };
  },
  'GICD_CTLR never enables Group 1': (t, s, r) => {
    const found = choose(t, s, r, PEACEFUL);
    if (found === undefined) return undefined;
    const places = (s.writes.get(`GICD ${GICD.GICD_CTLR.offset} 0`) ?? []).filter(
      (place) => (t.rows[place]!.word(4) & 2) !== 0,
    );
    if (places.length !== 1) return undefined;
    t.rows[places[0]!]!.set(4, t.rows[places[0]!]!.word(4) & ~2);
    return asked(found.one, r);
  },
};

export const KINDS: Readonly<Record<string, Kind>> = { ...ANY, ...COMMANDS, ...LPIS };
