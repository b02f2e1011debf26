// Walks all mapped events of an ITS through its tables in guest memory: the device table, then each device's interrupt
// translation table. Leaves no trace of its reads: emits nothing.
import { extract } from '../spec/index.ts';
import { LEVEL1_BYTES, LEVEL1_VALID, layoutOf, level2Address, TABLE_TYPES, tableOf } from './its-tables.ts';
import type { Machine } from './machine.ts';
import type { Ite } from './translate.ts';
import { EVENT_WORK } from './work-budget.ts';

/** What it costs to look at a first-level entry. */
const LEVEL1_WORK = 4;
const raw = new Uint32Array(8);

function fields(m: Machine, address: number, bytes: number): void {
  raw.fill(0);
  for (let at = 0; at < bytes; at += 4) raw[at >> 2] = m.state.memory.readWord(address + at);
}

/** A mapped device and its interrupt translation table. */
export interface MappedDevice {
  readonly deviceId: number;
  readonly ittAddress: number;
  readonly events: number;
}

/** The devices that an ITS has mapped, by DeviceID. */
export function mappedDevices(m: Machine, its: number): MappedDevice[] {
  const found: MappedDevice[] = [];
  eachDevice(m, its, (device) => found.push(device));
  return found;
}

/** Calls back for each device that an ITS has mapped, by DeviceID. Returns whether the whole device table is known. */
function eachDevice(m: Machine, its: number, visit: (device: MappedDevice) => void): boolean {
  const table = tableOf(m, its, TABLE_TYPES.devices);
  if (table === undefined || !table.valid) return true;
  const perPage = Math.floor(table.pageBytes / table.entryBytes);
  const scan = (base: number, first: number, entries: number) => {
    const seen = new Set<number>();
    const isKnown = m.state.memory.scan(base, entries * table.entryBytes, (offset) => {
      seen.add(Math.floor(offset / table.entryBytes));
    });
    m.budget.spend(EVENT_WORK * seen.size);
    for (const n of [...seen].sort((a, b) => a - b)) {
      fields(m, base + n * table.entryBytes, 8);
      const [valid, size, itt] = layoutOf(m).dte.fields.map(
        (field) =>
          extract(raw, 0, 0, field.lsb, field.width) * 2 ** (('shift' in field ? field.shift : 0) ?? 0),
      );
      if (valid) visit({ deviceId: first + n, ittAddress: itt!, events: 2 ** (size! + 1) });
    }
    return isKnown;
  };
  if (!table.indirect) return scan(table.base, 0, table.entries);
  const { memory } = m.state;
  const pages = Math.ceil(table.entries / perPage);
  m.budget.spend(LEVEL1_WORK * pages);
  let areKnown = true;
  for (let page = 0; page < pages; page++) {
    const entry = table.base + LEVEL1_BYTES * page;
    if (!memory.areKnown(entry, LEVEL1_BYTES)) areKnown = false;
    const high = memory.readWord(entry + 4);
    if ((high & LEVEL1_VALID) === 0) continue;
    const isKnown = scan(level2Address(memory.readWord(entry), high), page * perPage, perPage);
    areKnown &&= isKnown;
  }
  return areKnown;
}

/**
 * Calls back for each mapped event of a device, by EventID. The entry is reused after the call. Returns whether the whole
 * table is known.
 */
export function eachEvent(
  m: Machine,
  device: MappedDevice,
  visit: (eventId: number, ite: Readonly<Ite>) => void,
): boolean {
  const layout = layoutOf(m).ite;
  const seen = new Set<number>();
  const isKnown = m.state.memory.scan(device.ittAddress, device.events * layout.bytes, (offset) => {
    seen.add(Math.floor(offset / layout.bytes));
  });
  m.budget.spend(EVENT_WORK * seen.size);
  for (const eventId of [...seen].sort((a, b) => a - b)) {
    fields(m, device.ittAddress + eventId * layout.bytes, layout.bytes);
    const [valid, physical, intid, icid, vpeid, doorbell] = layout.fields.map((field) =>
      extract(raw, 0, field.lsb >> 6, field.lsb & 63, field.width),
    );
    if (valid)
      visit(eventId, {
        valid: 1,
        physical: physical!,
        intid: intid!,
        icid: icid!,
        vpeid: vpeid!,
        doorbell: doorbell!,
      });
  }
  return isKnown;
}

/** The LPIs that have an event, or undefined if the tables do not say that of all. */
export function mappedLpis(m: Machine): ReadonlySet<number> | undefined {
  const found = new Set<number>();
  const take = (_eventId: number, event: Readonly<Ite>) => {
    if (event.physical) found.add(event.intid);
  };
  for (let its = 0; its < m.state.itsCount; its++) {
    const devices: MappedDevice[] = [];
    if (!eachDevice(m, its, (device) => devices.push(device))) return undefined;
    for (const device of devices) if (!eachEvent(m, device, take)) return undefined;
  }
  return found;
}
