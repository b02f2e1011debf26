// The ITS: from an event of a device to an LPI, by the device table and the device's translation table in guest memory. There
// is no command queue. An ITS may keep entries, valid or not, until software invalidates them.
import { DROP_REASONS, ITS_TABLES, NO_PE, RECORDS } from '../record/index.ts';
import { ADDRESSES } from '../spec/addresses.ts';
import { GICV5_TYPES, gicv5Intid, ITS } from '../spec/gicv5/index.ts';
import { type LpiEvent, lpiEvent, targetOf } from './interrupts.ts';
import type { Entry } from './its-state.ts';
import type { Gicv5Machine } from './machine.ts';

const TRANSLATED = RECORDS['msi.translated'].id;
const DROPPED = RECORDS['msi.dropped'].id;
const UNDECIDED = RECORDS['msi.undecided'].id;
const CACHED = RECORDS['its.cached'].id;
const FORGOTTEN = RECORDS['its.forgotten'].id;
const DTE = ITS_TABLES.indexOf('L2_DTE');
const ITTE = ITS_TABLES.indexOf('L2_ITTE');

type Reason = (typeof DROP_REASONS)[number];
/** An entry, why there is none, or that the source does not show what decides. */
type Found = Entry | Reason | 'undecided';

const ENABLED = 1;
const TWO_LEVEL = 0x1_0000;
const VALID = 1;
const ITTE_VALID = 0x8000_0000;
const ITTE_VIRTUAL = 0x4000_0000;
const ITTE_DAC = 0x3000_0000;

/** Bits of an index within a level-2 table, by L2SZ: 4, 16 or 64 KB of entries of 8 bytes. The reserved value acts as 0. */
const indexBits = (l2sz: number) => [9, 11, 13, 9][l2sz]!;
/** The address in bits 55:3 of an entry or a base register; bits 2:0 are something else. */
const addressOf = ([low, high]: Entry) => (high & 0xff_ffff) * 2 ** 32 + ((low & 0xffff_fff8) >>> 0);

function read(m: Gicv5Machine, address: number): Entry | 'table-unreadable' | 'undecided' {
  if (address + 8 > ADDRESSES) return 'table-unreadable';
  const { memory } = m.state;
  if (!memory.areKnown(address, 8)) return 'undecided';
  return [memory.readWord(address) >>> 0, memory.readWord(address + 4) >>> 0];
}

/** An entry of a table of one or two levels. `missing`: what it means that a level-1 entry is not valid. */
function readTable(
  m: Gicv5Machine,
  base: number,
  twoLevel: boolean,
  l2sz: number,
  index: number,
  missing: Reason,
  beyond: Reason,
): Found {
  if (!twoLevel) return read(m, base + 8 * index);
  const bits = indexBits(l2sz);
  const l1 = read(m, base + 8 * Math.floor(index / 2 ** bits));
  if (typeof l1 === 'string') return l1;
  if ((l1[0] & VALID) === 0) return missing;
  const within = index % 2 ** bits;
  // SPAN: the bits of the index for which the level-2 table has entries.
  if (within >= 2 ** Math.min(l1[1] >>> 28, bits)) return beyond;
  return read(m, addressOf(l1) + 8 * within);
}

/** The device table entry of a DeviceID, kept or read. */
function deviceEntry(m: Gicv5Machine, its: number, device: number): Found {
  const { its: state } = m.state;
  const kept = state.kept[its]!.devices.get(device);
  if (kept !== undefined) return kept;
  const cfgr = state.low(its, ITS.ITS_DT_CFGR);
  const idBits = Math.min(cfgr & 0x3f, m.state.config.its![its]!.idr[1]! & 0x3f, 32);
  if (device >= 2 ** idBits) return 'deviceid-out-of-range';
  const base = addressOf([state.low(its, ITS.ITS_DT_BASER), state.high(its, ITS.ITS_DT_BASER)]);
  const isTwoLevel = (cfgr & TWO_LEVEL) !== 0;
  const [missing, beyond] = ['device-unmapped', 'deviceid-out-of-range'] as const;
  const found = readTable(m, base, isTwoLevel, (cfgr >>> 6) & 3, device, missing, beyond);
  if (typeof found !== 'string') keep(m, its, DTE, device, 0, found);
  return found;
}

/** The translation table entry of an event, kept or read. */
function eventEntry(m: Gicv5Machine, its: number, device: number, event: number): Found {
  const kept = m.state.its.kept[its]!.events.get(device)?.get(event);
  if (kept !== undefined) return kept;
  const dte = deviceEntry(m, its, device);
  if (typeof dte === 'string') return dte;
  if ((dte[0] & VALID) === 0) return 'device-unmapped';
  const idBits = Math.min(dte[1] >>> 27, m.state.config.its![its]!.idr[2]! & 0x1f);
  if (event >= 2 ** idBits) return 'eventid-out-of-range';
  const isTwoLevel = (dte[1] & 0x0400_0000) !== 0;
  const [missing, beyond] = ['event-unmapped', 'eventid-out-of-range'] as const;
  const found = readTable(m, addressOf(dte), isTwoLevel, (dte[0] >>> 1) & 3, event, missing, beyond);
  if (typeof found !== 'string') keep(m, its, ITTE, device, event, found);
  return found;
}

function keep(
  m: Gicv5Machine,
  its: number,
  table: number,
  device: number,
  event: number,
  entry: Entry,
): void {
  if (!m.profile.itsKeepsEntries) return;
  m.budget.held(m.state.its.size());
  m.emit(CACHED, NO_PE, its, table, device, event, entry[0], entry[1]);
}

/** An event of a device arrives at an ITS: a write to ITS_TRANSLATER, a wire of an IWB, or ITS_GEN_EVENTR. */
export function translate(m: Gicv5Machine, its: number, device: number, event: number, how: LpiEvent): void {
  const drop = (reason: Reason) => m.emit(DROPPED, NO_PE, its, device, event, DROP_REASONS.indexOf(reason));
  if ((m.state.its.low(its, ITS.ITS_CR0) & ENABLED) === 0) {
    drop('its-disabled');
    return;
  }
  const found = eventEntry(m, its, device, event);
  if (found === 'undecided') {
    m.emit(UNDECIDED, NO_PE, its, device, event);
    return;
  }
  if (typeof found === 'string') {
    drop(found);
    return;
  }
  const [low] = found;
  if ((low & ITTE_VALID) === 0) {
    drop('event-unmapped');
    return;
  }
  if ((low & (ITTE_VIRTUAL | ITTE_DAC)) !== 0) {
    // Virtual machines and other interrupt domains are not modelled.
    m.unsupported = true;
    return;
  }
  const intid = gicv5Intid(GICV5_TYPES.LPI, low & 0xff_ffff);
  const pe = targetOf(m, intid);
  if (pe === undefined) {
    drop('intid-out-of-range');
    return;
  }
  m.emit(TRANSLATED, pe, its, device, event, intid, 0);
  lpiEvent(m, intid, how);
}

/** A RES0 bit of the high word of ITS_READ_EVENT_DATAR, which is stored as 1 if the source does not contain what it would read. */
export const DATA_UNKNOWN = 0x4000_0000;

/** ITS_READ_EVENTR.R: what ITS_READ_EVENT_DATAR reads for the selected event. An event without a translation reads as 0. */
export function readEvent(m: Gicv5Machine, its: number): void {
  const { its: state } = m.state;
  const found = eventEntry(m, its, state.low(its, ITS.ITS_DIDR), state.low(its, ITS.ITS_EIDR));
  if (found === 'undecided') {
    m.changeIts(its, ITS.ITS_READ_EVENT_DATAR.offset, 0, DATA_UNKNOWN);
    return;
  }
  const [low, high] = typeof found === 'string' || (found[0] & ITTE_VALID) === 0 ? [0, 0] : found;
  const isVirtual = (low & ITTE_VIRTUAL) !== 0;
  m.changeIts(
    its,
    ITS.ITS_READ_EVENT_DATAR.offset,
    (low & 0x80ff_ffff) >>> 0,
    isVirtual ? ((high & 0xffff) | 0x8000_0000) >>> 0 : 0,
  );
}

/** ITS_INV_DEVICER: the selected device and its events, or with L1 all devices of its level-1 entry. */
export function invalidateDevices(m: Gicv5Machine, its: number, value: number): void {
  const { its: state } = m.state;
  const device = state.low(its, ITS.ITS_DIDR);
  const cfgr = state.low(its, ITS.ITS_DT_CFGR);
  const isWide = (value & 1) !== 0 && (cfgr & TWO_LEVEL) !== 0;
  const group = 2 ** indexBits((cfgr >>> 6) & 3);
  const concerns = (one: number) =>
    isWide ? Math.floor(one / group) === Math.floor(device / group) : one === device;
  const events = isWide ? Number.POSITIVE_INFINITY : 2 ** ((value >>> 1) & 0x1f);
  const { devices, events: translations } = state.kept[its]!;
  m.budget.spend(devices.size + translations.size);
  for (const one of [...devices.keys()]) if (concerns(one)) m.emit(FORGOTTEN, NO_PE, its, DTE, one, 0);
  for (const [one, of] of [...translations])
    if (concerns(one)) forgetEvents(m, its, one, of, (event) => event < events);
}

/** ITS_INV_EVENTR: the selected event, or with L1 all events of its level-1 entry. */
export function invalidateEvents(m: Gicv5Machine, its: number, value: number): void {
  const { its: state } = m.state;
  const device = state.low(its, ITS.ITS_DIDR);
  const event = state.low(its, ITS.ITS_EIDR);
  const group = (value & 1) !== 0 ? 2 ** indexBits((value >>> 1) & 3) : 1;
  const of = state.kept[its]!.events.get(device);
  if (of !== undefined)
    forgetEvents(m, its, device, of, (one) => Math.floor(one / group) === Math.floor(event / group));
}

function forgetEvents(
  m: Gicv5Machine,
  its: number,
  device: number,
  of: ReadonlyMap<number, Entry>,
  concerns: (event: number) => boolean,
): void {
  m.budget.spend(of.size);
  for (const event of [...of.keys()]) if (concerns(event)) m.emit(FORGOTTEN, NO_PE, its, ITTE, device, event);
}
