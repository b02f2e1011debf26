// Translates events: device → interrupt translation entry → collection → PE (IHI 0069, "ITS translation"). Each step emits
// the entry that it read and returns what is wrong, as a fault of spec/its-error.
import { NO_PE, RECORDS } from '../record/index.ts';
import type { ITS_FAULTS } from '../spec/index.ts';
import {
  entryAddress,
  layoutOf,
  NOWHERE,
  readEntry,
  TABLE_TYPES,
  tableOf,
  writeEntry,
} from './its-tables.ts';
import type { Machine } from './machine.ts';

/** What is wrong with a look-up. `NOT_SHOWN`: the contents of an entry that it needs are unknown. */
export type Fault = keyof typeof ITS_FAULTS | 'NOT_SHOWN';

export interface Dte {
  valid: number;
  size: number;
  ittAddress: number;
}
export interface Cte {
  valid: number;
  pe: number;
}
export interface Ite {
  valid: number;
  physical: number;
  intid: number;
  icid: number;
  vpeid: number;
  doorbell: number;
}

const DTE_READ = RECORDS['dte.read'].id;
const DTE_WRITE = RECORDS['dte.write'].id;
const CTE_READ = RECORDS['cte.read'].id;
const CTE_WRITE = RECORDS['cte.write'].id;
const ITE_READ = RECORDS['ite.read'].id;
const ITE_WRITE = RECORDS['ite.write'].id;

const values: number[] = [];
const words = new Uint32Array(12);

function put(at: number, address: number): void {
  words[at] = address >>> 0;
  words[at + 1] = Math.floor(address / 2 ** 32);
}

function emitDte(m: Machine, kind: number, its: number, deviceId: number, dte: Dte): void {
  words[0] = its;
  words[1] = deviceId;
  words[2] = dte.valid;
  words[3] = dte.size;
  put(4, dte.ittAddress);
  m.emitWords(kind, NO_PE, words, 0, 6);
}

function emitIte(m: Machine, kind: number, its: number, ittAddress: number, eventId: number, ite: Ite): void {
  words[0] = its;
  put(1, ittAddress);
  words[3] = eventId;
  words[4] = ite.valid;
  words[5] = ite.physical;
  words[6] = ite.intid;
  words[7] = ite.icid;
  words[8] = ite.vpeid;
  words[9] = ite.doorbell;
  m.emitWords(kind, NO_PE, words, 0, 10);
}

/**
 * Reads a device's entry. If the table has no such entry, returns `DEVICE_OOR` without reading memory. If the contents of
 * the entry are unknown, returns `NOT_SHOWN` and emits no event for the entry.
 */
export function readDte(m: Machine, its: number, deviceId: number, dte: Dte): Fault | undefined {
  const table = tableOf(m, its, TABLE_TYPES.devices);
  if (table === undefined || deviceId >= table.entries) return 'DEVICE_OOR';
  const address = entryAddress(m, its, table, deviceId);
  if (address === NOWHERE) dte.valid = dte.size = dte.ittAddress = 0;
  else {
    if (address < 0 || !readEntry(m, 'dte', its, deviceId, address, layoutOf(m).dte, values))
      return 'NOT_SHOWN';
    dte.valid = values[0]!;
    dte.size = values[1]!;
    dte.ittAddress = values[2]!;
  }
  emitDte(m, DTE_READ, its, deviceId, dte);
  return undefined;
}

/** Writes a device's entry. The caller has checked that the table has it. */
export function writeDte(m: Machine, its: number, deviceId: number, dte: Dte): void {
  const table = tableOf(m, its, TABLE_TYPES.devices)!;
  emitDte(m, DTE_WRITE, its, deviceId, dte);
  const address = entryAddress(m, its, table, deviceId);
  if (address >= 0)
    writeEntry(m, address, layoutOf(m).dte, dte.valid ? [1, dte.size, dte.ittAddress] : [0, 0, 0]);
}

/** Whether the device table has an entry for this DeviceID. */
export function deviceInRange(m: Machine, its: number, deviceId: number): boolean {
  const table = tableOf(m, its, TABLE_TYPES.devices);
  return table !== undefined && deviceId < table.entries;
}

/** Whether the collection table has an entry for this ICID. */
export function collectionInRange(m: Machine, its: number, icid: number): boolean {
  const table = tableOf(m, its, TABLE_TYPES.collections);
  return table !== undefined && icid < table.entries;
}

/** Reads a collection's entry, with its PE. Returns what is wrong, if anything. */
export function readCte(m: Machine, its: number, icid: number, cte: Cte): Fault | undefined {
  if (!collectionInRange(m, its, icid)) return 'COLLECTION_OOR';
  const address = entryAddress(m, its, tableOf(m, its, TABLE_TYPES.collections)!, icid);
  if (address === NOWHERE) cte.valid = cte.pe = 0;
  else {
    if (address < 0 || !readEntry(m, 'cte', its, icid, address, layoutOf(m).cte, values)) return 'NOT_SHOWN';
    cte.valid = values[0]!;
    cte.pe = values[1]!;
  }
  m.emit(CTE_READ, NO_PE, its, icid, cte.valid, cte.pe);
  return cte.valid === 0 || cte.pe >= m.state.peCount ? 'UNMAPPED_COLLECTION' : undefined;
}

/** Writes a collection's entry. The caller has checked that the table has it. */
export function writeCte(m: Machine, its: number, icid: number, valid: number, pe: number): void {
  m.emit(CTE_WRITE, NO_PE, its, icid, valid, pe);
  const address = entryAddress(m, its, tableOf(m, its, TABLE_TYPES.collections)!, icid);
  if (address >= 0) writeEntry(m, address, layoutOf(m).cte, valid ? [1, pe] : [0, 0]);
}

/** Reads the entry of an event within the range of a mapped device. `NOT_SHOWN` means the same as for a device's entry. */
function readIte(m: Machine, its: number, dte: Dte, eventId: number, ite: Ite): Fault | undefined {
  const layout = layoutOf(m).ite;
  if (!readEntry(m, 'ite', its, eventId, dte.ittAddress + eventId * layout.bytes, layout, values))
    return 'NOT_SHOWN';
  ite.valid = values[0]!;
  ite.physical = values[1]!;
  ite.intid = values[2]!;
  ite.icid = values[3]!;
  ite.vpeid = values[4]!;
  ite.doorbell = values[5]!;
  emitIte(m, ITE_READ, its, dte.ittAddress, eventId, ite);
  return ite.valid === 0 ? 'UNMAPPED_INTERRUPT' : undefined;
}

export function writeIte(m: Machine, its: number, dte: Dte, eventId: number, ite: Ite): void {
  const layout = layoutOf(m).ite;
  emitIte(m, ITE_WRITE, its, dte.ittAddress, eventId, ite);
  const { physical, intid, icid, vpeid, doorbell } = ite;
  writeEntry(
    m,
    dte.ittAddress + eventId * layout.bytes,
    layout,
    ite.valid ? [1, physical, intid, icid, vpeid, doorbell] : [0, 0, 0, 0, 0, 0],
  );
}

/** Whether an event of a mapped device has a valid entry. Emits nothing. */
export function isMapped(m: Machine, dte: Dte, eventId: number): boolean {
  const layout = layoutOf(m).ite;
  return (m.state.memory.readByte(dte.ittAddress + eventId * layout.bytes) & 1) === 1;
}

/** Finds the valid entry of an event of a device. Returns what is wrong, if anything. */
export function lookUpEvent(
  m: Machine,
  its: number,
  deviceId: number,
  eventId: number,
  dte: Dte,
  ite: Ite,
): Fault | undefined {
  const fault = readDte(m, its, deviceId, dte);
  if (fault !== undefined) return fault;
  if (dte.valid === 0) return 'UNMAPPED_DEVICE';
  if (eventId >= 2 ** (dte.size + 1)) return 'ID_OOR';
  return readIte(m, its, dte, eventId, ite);
}
