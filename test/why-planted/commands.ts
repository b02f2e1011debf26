// Faults in ITS commands.
import { KIND } from '@gictrace/core/record';
import { GITS, LPI_FIRST } from '@gictrace/core/spec';
import type { Recording } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import type { Kind } from './choose.ts';
import { askedLpi, mapc, mapd, pes, routed, routes } from './routes.ts';

/** A command more: queue.write and GITS_CWRITER cannot be inserted without moving all that follow; so one is changed. */
export const COMMANDS: Readonly<Record<string, Kind>> = {
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
