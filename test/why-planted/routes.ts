// The choice of an event that is mapped to an LPI, with the commands that say where its messages go.
import { KIND, RecordBatch } from '@gictrace/core/record';
import type { WhyQuestion } from '@gictrace/query';
import type { Recording } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import { type Kind, stimulusAt } from './choose.ts';
import type { Queued, Sent, Survey } from './survey.ts';

/** Events that are mapped to an LPI, with the commands that say where they go and the messages that come behind. */
export interface Route {
  readonly mapti: Queued;
  readonly sent: Sent;
  readonly intid: number;
}
export function routes(s: Survey, few = 3): Route[] {
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
export const askedLpi = (route: Route, r: Random): WhyQuestion =>
  r.chance(0.5)
    ? { intid: route.intid }
    : { device: route.sent.device, ...(r.chance(0.7) ? { event: route.sent.event } : {}) };

export const routed =
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
export const mapc = (s: Survey, route: Route) =>
  before(s, route, ({ name, operands }) => name === 'MAPC' && operands.ICID === route.mapti.operands.ICID);
export const mapd = (s: Survey, route: Route) =>
  before(
    s,
    route,
    ({ name, operands, place }) =>
      name === 'MAPD' && operands.DeviceID === route.sent.device && place < route.mapti.place,
  );
/** A place before one of the later messages of a route. */
export const amid = (t: Recording, r: Random, route: Route) => {
  const { places } = route.sent;
  const k = 1 + r.below(Math.max(1, Math.floor(places.length * 0.8) - 1));
  return { place: stimulusAt(t, places[Math.min(k, places.length - 1)]!), k };
};
export const pes = (t: Recording) => t.config.pes.length;

export function store(address: number, width: number, value: number, pe = 0): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND['mem.write'], pe, Number.NaN);
  batch.words.set([address >>> 0, Math.floor(address / 2 ** 32), width, value >>> 0, 0]);
  return batch;
}
