// Marks as unknown what an ITS's tables in guest memory hold after a command that is unknown, or that depends on an
// unknown table entry. Which LPIs are pending, and what Redistributors have cached about them, keep their last value in
// the model; code that learns from a source (recorder/importers/common/learn) tracks that these are unknown, too.
import { NO_PE, RECORDS } from '../record/index.ts';
import { type CommandName, operandOf } from '../spec/index.ts';
import {
  entryAddress,
  LEVEL1_BYTES,
  LEVEL1_VALID,
  layoutOf,
  level2Address,
  readEntry,
  TABLE_TYPES,
  tableOf,
} from './its-tables.ts';
import { mappedDevices } from './its-walk.ts';
import type { Machine } from './machine.ts';
import { at } from './operands.ts';
import { EVENT_WORK } from './work-budget.ts';

const MEM_MARKED = RECORDS['mem.marked'].id;
/** Commands that write the entry of an event. */
const WRITES_EVENT: ReadonlySet<CommandName> = new Set([
  'MAPTI',
  'MAPI',
  'MOVI',
  'DISCARD',
  'VMAPTI',
  'VMAPI',
  'VMOVI',
] as const);
const deviceIdOf = at('INT', 'DeviceID');
const eventIdOf = at('INT', 'EventID');
const values: number[] = [];

/** From here on it is unknown what memory holds there. */
function forget(m: Machine, address: number, length: number): void {
  if (m.state.memory.anyKnown(address, length))
    m.emit(MEM_MARKED, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), length, 0, 0);
}

/** An ITS executed an unknown command, which may have written any entry of any of its tables. */
export function forgetMappings(m: Machine, its: number): void {
  const { memory } = m.state;
  // Goes through the device table to the tables of events, before the device table itself becomes unknown.
  for (const { ittAddress, events } of mappedDevices(m, its))
    forget(m, ittAddress, events * layoutOf(m).ite.bytes);
  for (const type of Object.values(TABLE_TYPES)) {
    const table = tableOf(m, its, type);
    if (table === undefined || !table.valid) continue;
    const { base, entries, entryBytes, pageBytes } = table;
    if (!table.indirect) forget(m, base, entries * entryBytes);
    else {
      // Only software writes the first level; no command does.
      const perPage = Math.floor(pageBytes / entryBytes);
      m.budget.spend((EVENT_WORK * entries) / perPage);
      for (let page = 0; page * perPage < entries; page++) {
        const entry = base + LEVEL1_BYTES * page;
        const high = memory.readWord(entry + 4);
        if ((high & LEVEL1_VALID) !== 0) forget(m, level2Address(memory.readWord(entry), high), pageBytes);
      }
    }
  }
}

/**
 * An ITS executed a command that may or may not have been refused, so it is also unknown whether it wrote its event's
 * entry.
 */
export function forgetEvent(m: Machine, its: number, name: CommandName, w: Uint32Array): void {
  if (!WRITES_EVENT.has(name)) return;
  const table = tableOf(m, its, TABLE_TYPES.devices);
  const deviceId = operandOf(w, 0, deviceIdOf);
  if (table === undefined || deviceId >= table.entries) return;
  const { witness } = m;
  m.witness = undefined;
  const address = entryAddress(m, its, table, deviceId);
  const isKnown = address >= 0 && readEntry(m, 'dte', its, deviceId, address, layoutOf(m).dte, values);
  m.witness = witness;
  const eventId = operandOf(w, 0, eventIdOf);
  const [valid, size, ittAddress] = values;
  if (!isKnown || !valid || eventId >= 2 ** (size! + 1)) return;
  const { bytes } = layoutOf(m).ite;
  forget(m, ittAddress! + eventId * bytes, bytes);
}
