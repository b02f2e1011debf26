// Faults in the tables of LPIs, and in what says where these tables are.
import type { RecordBatch } from '@gictrace/core/record';
import { GICR, GITS, LPI_FIRST } from '@gictrace/core/spec';
import { mmioWrite, type Recording } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import { type Kind, stimulusAt } from './choose.ts';
import { amid, mapc, type Route, routed, store } from './routes.ts';
import type { Survey } from './survey.ts';

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

export const LPIS: Readonly<Record<string, Kind>> = {
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
