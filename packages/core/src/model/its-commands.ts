// What each ITS command does (IHI 0069, "ITS commands"). A handler returns the fault, or nothing; the queue turns that
// into an outcome and applies the policy. Reads and checks come before effects.
import { DROP_REASONS, NO_PE, RECORDS } from '../record/index.ts';
import { type CommandName, GITS, mask, operandOf, SPURIOUS } from '../spec/index.ts';
import { layoutOf } from './its-tables.ts';
import { invalidateVirtual, pendVirtual, VIRTUAL_COMMAND_HANDLERS } from './its-virtual-commands.ts';
import { eachEvent, mappedDevices } from './its-walk.ts';
import {
  clearLpiPending,
  invalidateAllLpis,
  invalidateLpi,
  isLpiWithheld,
  lpiInRange,
  lpisEnabled,
  moveAllLpis,
  moveLpi,
  readKeptConfig,
  readOnlyConfig,
  setLpiPending,
} from './lpi.ts';
import type { Machine } from './machine.ts';
import { at, idBits, isLpi, typerOf } from './operands.ts';
import {
  type Cte,
  collectionInRange,
  type Dte,
  deviceInRange,
  type Fault,
  type Ite,
  isMapped,
  lookUpEvent,
  readCte,
  readDte,
  writeCte,
  writeDte,
  writeIte,
} from './translate.ts';

const MSI_DROPPED = RECORDS['msi.dropped'].id;
const MSI_UNDECIDED = RECORDS['msi.undecided'].id;
const ITS_ENABLED = mask(GITS.GITS_CTLR, 'Enabled');
const MSI_TRANSLATED = RECORDS['msi.translated'].id;

/** Reused by every command: a command's lookups never outlive it. */
const dte: Dte = { valid: 0, size: 0, ittAddress: 0 };
const cte: Cte = { valid: 0, pe: 0 };
const cte2: Cte = { valid: 0, pe: 0 };
const ite: Ite = { valid: 0, physical: 0, intid: 0, icid: 0, vpeid: 0, doorbell: 0 };

/** An event that is mapped and has no target: no collection table has this ICID as long as it is smaller than 64 K entries. */
const ORPHANED: Ite = { valid: 1, physical: 1, intid: 0, icid: 0xffff, vpeid: 0, doorbell: SPURIOUS };

const deviceIdOf = at('INT', 'DeviceID');
const eventIdOf = at('INT', 'EventID');
const icidOf = at('MAPC', 'ICID');
const rdbaseOf = at('MAPC', 'RDbase');
const validOf = at('MAPC', 'V');
const sizeOf = at('MAPD', 'Size');
const ittOf = at('MAPD', 'ITT_addr');
const pintidOf = at('MAPTI', 'pINTID');
const rdbase1Of = at('MOVALL', 'RDbase1');
const rdbase2Of = at('MOVALL', 'RDbase2');

type Handler = (m: Machine, its: number, w: Uint32Array) => Fault | undefined;

/** Finds the PE of the physical event in `ite` (into `cte`), or returns the fault. */
function readTargetPe(m: Machine, its: number): Fault | undefined {
  if (m.profile.mapcOrphans && ite.icid === ORPHANED.icid) return 'UNMAPPED_COLLECTION';
  return readCte(m, its, ite.icid, cte);
}

/** Finds a physical event's entry and PE (in `dte`, `ite`, `cte`), or returns the fault. */
function lookUpPhysical(m: Machine, its: number, deviceId: number, eventId: number): Fault | undefined {
  const fault = lookUpEvent(m, its, deviceId, eventId, dte, ite);
  if (fault !== undefined) return fault;
  if (ite.physical === 0) return 'ID_IS_VIRTUAL';
  return readTargetPe(m, its);
}

function mapEvent(m: Machine, its: number, w: Uint32Array, pintid: number): Fault | undefined {
  const deviceId = operandOf(w, 0, deviceIdOf);
  const eventId = operandOf(w, 0, eventIdOf);
  const icid = operandOf(w, 0, icidOf);
  const fault = readDte(m, its, deviceId, dte);
  if (fault !== undefined) return fault;
  if (!collectionInRange(m, its, icid)) return 'COLLECTION_OOR';
  if (dte.valid === 0) return 'UNMAPPED_DEVICE';
  if (eventId >= 2 ** (dte.size + 1)) return 'ID_OOR';
  if (!isLpi(m, pintid)) return 'PHYSICALID_OOR';
  if (isMapped(m, dte, eventId)) {
    m.unpredictable('map-over-mapping', its, eventId);
    if (m.profile.mapOverMapping === 'ignored') return undefined;
  }
  ite.valid = 1;
  ite.physical = 1;
  ite.intid = pintid;
  ite.icid = icid;
  ite.vpeid = 0;
  ite.doorbell = SPURIOUS;
  writeIte(m, its, dte, eventId, ite);
  if (m.profile.lpiConfigWhenMapped && !isPendingAnywhere(m, pintid))
    // Without a target, the configuration is kept for the PE to which MAPC will map the collection.
    readOnlyConfig(m, readTargetPe(m, its) === undefined ? cte.pe : 0, pintid);
  return undefined;
}

function isPendingAnywhere(m: Machine, intid: number): boolean {
  return m.state.lpiPending.some((pending) => pending.has(intid));
}

/** Whether an ITS supports vLPIs (GITS_TYPER.Virtual). */
function supportsVirtual(m: Machine, its: number): boolean {
  return typerOf(m, its, 'Virtual') === 1;
}

/** INT, CLEAR and DISCARD: sets or clears the pending state of a mapped event. */
function pend(m: Machine, its: number, w: Uint32Array, set: boolean, isDiscard = false): Fault | undefined {
  const deviceId = operandOf(w, 0, deviceIdOf);
  const eventId = operandOf(w, 0, eventIdOf);
  const fault = lookUpEvent(m, its, deviceId, eventId, dte, ite);
  if (fault !== undefined) return fault;
  if (ite.physical === 0)
    return supportsVirtual(m, its)
      ? pendVirtual(m, its, ite, set, 'its-command', deviceId, eventId)
      : 'ITE_INVALID';
  const unmapped = readTargetPe(m, its);
  if (unmapped !== undefined)
    return set || isDiscard || m.profile.clearNeedsCollection ? unmapped : clearKept(m, ite.intid);
  const reason = !lpisEnabled(m, cte.pe)
    ? 'lpis-disabled'
    : !lpiInRange(m, cte.pe, ite.intid)
      ? 'intid-out-of-range'
      : undefined;
  if (reason !== undefined) {
    if (set) m.emit(MSI_DROPPED, NO_PE, its, deviceId, eventId, DROP_REASONS.indexOf(reason));
    return undefined;
  }
  if (set) setLpiPending(m, cte.pe, ite.intid, 'its-command');
  else if (isDiscard) discardPending(m, cte.pe, ite.intid);
  else clearLpiPending(m, cte.pe, ite.intid);
  return undefined;
}

/** Under this profile, mapping a device again or unmapping it drops its events along with their pending state. */
function dropEvents(m: Machine, its: number, deviceId: number): void {
  const device = mappedDevices(m, its).find((one) => one.deviceId === deviceId);
  if (device === undefined) return;
  eachEvent(m, device, (_eventId, event) => {
    m.budget.spend(m.state.peCount);
    if (event.physical) for (let pe = 0; pe < m.state.peCount; pe++) discardPending(m, pe, event.intid);
  });
  m.zeroMemory(device.ittAddress, device.events * layoutOf(m).ite.bytes);
}

/** The event of an LPI is no longer mapped. */
function discardPending(m: Machine, pe: number, intid: number): void {
  if (m.profile.discardKeepsPending && !isLpiWithheld(m, pe, intid)) return;
  clearLpiPending(m, pe, intid);
}

/** Under this profile, the events of a collection that is unmapped have no target from here on. */
function orphan(m: Machine, its: number, icid: number): void {
  for (const device of mappedDevices(m, its))
    eachEvent(m, device, (eventId, event) => {
      if (!event.physical || event.icid !== icid) return;
      dte.valid = 1;
      dte.ittAddress = device.ittAddress;
      writeIte(m, its, dte, eventId, { ...ORPHANED, intid: event.intid });
    });
}

/** Under this profile, pending LPIs follow their collection to another PE. */
function followCollection(m: Machine, its: number, icid: number, pe: number): void {
  for (const device of mappedDevices(m, its))
    eachEvent(m, device, (_eventId, event) => {
      if (!event.physical || event.icid !== icid) return;
      m.budget.spend(m.state.peCount);
      for (let from = 0; from < m.state.peCount; from++) if (from !== pe) moveLpi(m, from, pe, event.intid);
    });
}

/** CLEAR of an event without a target: under this profile, the LPI is cleared where it is kept. */
function clearKept(m: Machine, intid: number): undefined {
  m.budget.spend(m.state.peCount);
  for (let pe = 0; pe < m.state.peCount; pe++) clearLpiPending(m, pe, intid);
}

/** Handlers by command. */
export const COMMAND_HANDLERS: { readonly [K in CommandName]: Handler } = {
  ...VIRTUAL_COMMAND_HANDLERS,
  MAPD: (m, its, w) => {
    const deviceId = operandOf(w, 0, deviceIdOf);
    dte.valid = operandOf(w, 0, validOf);
    dte.size = operandOf(w, 0, sizeOf);
    dte.ittAddress = operandOf(w, 0, ittOf);
    if (!deviceInRange(m, its, deviceId)) return 'DEVICE_OOR';
    if (dte.size > idBits(m, its) && (dte.valid || m.profile.unmapChecksSize)) return 'ITTSIZE_OOR';
    if (m.profile.mapdDropsEvents) dropEvents(m, its, deviceId);
    writeDte(m, its, deviceId, dte);
    return undefined;
  },
  MAPC: (m, its, w) => {
    const icid = operandOf(w, 0, icidOf);
    const valid = operandOf(w, 0, validOf);
    const pe = valid ? operandOf(w, 0, rdbaseOf) : 0;
    if (!collectionInRange(m, its, icid)) return 'COLLECTION_OOR';
    if (valid && pe >= m.state.peCount) return 'PROCNUM_OOR';
    if (m.profile.mapcMovesPending && valid) followCollection(m, its, icid, pe);
    if (m.profile.mapcOrphans && !valid) orphan(m, its, icid);
    writeCte(m, its, icid, valid, pe);
    return undefined;
  },
  MAPTI: (m, its, w) => mapEvent(m, its, w, operandOf(w, 0, pintidOf)),
  MAPI: (m, its, w) => mapEvent(m, its, w, operandOf(w, 0, eventIdOf)),
  MOVI: (m, its, w) => {
    const eventId = operandOf(w, 0, eventIdOf);
    const icid = operandOf(w, 0, icidOf);
    const fault = lookUpPhysical(m, its, operandOf(w, 0, deviceIdOf), eventId) ?? readCte(m, its, icid, cte2);
    if (fault !== undefined) return fault;
    if (cte.pe !== cte2.pe) moveLpi(m, cte.pe, cte2.pe, ite.intid);
    ite.icid = icid;
    writeIte(m, its, dte, eventId, ite);
    return undefined;
  },
  INT: (m, its, w) => pend(m, its, w, true),
  CLEAR: (m, its, w) => pend(m, its, w, false),
  DISCARD: (m, its, w) => {
    const fault = pend(m, its, w, false, true);
    if (fault !== undefined && !(fault === 'UNMAPPED_COLLECTION' && !m.profile.discardNeedsCollection))
      return fault;
    ite.valid = ite.physical = ite.intid = ite.icid = ite.vpeid = ite.doorbell = 0;
    writeIte(m, its, dte, operandOf(w, 0, eventIdOf), ite);
    return undefined;
  },
  INV: (m, its, w) => {
    const fault = lookUpEvent(m, its, operandOf(w, 0, deviceIdOf), operandOf(w, 0, eventIdOf), dte, ite);
    if (fault !== undefined) return fault;
    if (ite.physical === 0) return supportsVirtual(m, its) ? invalidateVirtual(m, its, ite) : 'ITE_INVALID';
    const unmapped = readTargetPe(m, its);
    if (unmapped !== undefined)
      return m.profile.lpiConfigWhenMapped ? readKeptConfig(m, ite.intid) : unmapped;
    invalidateLpi(m, cte.pe, ite.intid);
    return undefined;
  },
  INVALL: (m, its, w) => {
    if (m.profile.invallReachesAll) {
      m.budget.spend(m.state.peCount);
      for (let pe = 0; pe < m.state.peCount; pe++) invalidateAllLpis(m, pe);
      return undefined;
    }
    const fault = readCte(m, its, operandOf(w, 0, icidOf), cte);
    if (fault !== undefined) return fault;
    invalidateAllLpis(m, cte.pe);
    return undefined;
  },
  MOVALL: (m, _its, w) => {
    const from = operandOf(w, 0, rdbase1Of);
    const to = operandOf(w, 0, rdbase2Of);
    if (from >= m.state.peCount || to >= m.state.peCount) return 'PROCNUM_OOR';
    if (from !== to) moveAllLpis(m, from, to);
    return undefined;
  },
  // Every command completes before the next begins, so there is nothing to wait for.
  SYNC: () => undefined,
};

const DROPPED_BY: Partial<Record<Fault, (typeof DROP_REASONS)[number]>> = {
  DEVICE_OOR: 'deviceid-out-of-range',
  UNMAPPED_DEVICE: 'device-unmapped',
  ID_OOR: 'eventid-out-of-range',
  UNMAPPED_INTERRUPT: 'event-unmapped',
  UNMAPPED_COLLECTION: 'collection-unmapped',
  COLLECTION_OOR: 'collection-unmapped',
  ITE_INVALID: 'event-unmapped',
  VCPU_OOR: 'vpe-unmapped',
  ITEVCPU_INVALID: 'vpe-unmapped',
  VIRTUALID_OOR: 'vintid-out-of-range',
};

/**
 * Finds where a mapped event goes: to a collection's PE (put into `cte`), or to a vLPI, which becomes pending at once.
 */
function readTarget(m: Machine, its: number, deviceId: number, eventId: number): Fault | undefined {
  if (ite.physical === 1) return readTargetPe(m, its);
  return supportsVirtual(m, its) ? pendVirtual(m, its, ite, true, 'msi', deviceId, eventId) : 'ITE_INVALID';
}

/** A device's MSI: a write to GITS_TRANSLATER with its DeviceID (IHI 0069, "GITS_TRANSLATER"). */
export function translateMsi(m: Machine, its: number, deviceId: number, eventId: number): void {
  const drop = (reason: (typeof DROP_REASONS)[number]) =>
    m.emit(MSI_DROPPED, NO_PE, its, deviceId, eventId, DROP_REASONS.indexOf(reason));
  if (its >= m.state.itsCount || (m.state.gitsCtlr[its]! & ITS_ENABLED) === 0) return drop('its-disabled');
  const fault = lookUpEvent(m, its, deviceId, eventId, dte, ite) ?? readTarget(m, its, deviceId, eventId);
  if (fault === 'NOT_SHOWN') return m.emit(MSI_UNDECIDED, NO_PE, its, deviceId, eventId);
  if (fault !== undefined) return drop(DROPPED_BY[fault] ?? 'table-unreadable');
  if (ite.physical === 0) return;
  if (!lpisEnabled(m, cte.pe)) return drop('lpis-disabled');
  if (!lpiInRange(m, cte.pe, ite.intid)) return drop('intid-out-of-range');
  const pe = cte.pe;
  m.emit(MSI_TRANSLATED, pe, its, deviceId, eventId, ite.intid, ite.icid);
  setLpiPending(m, pe, ite.intid, 'msi');
}
