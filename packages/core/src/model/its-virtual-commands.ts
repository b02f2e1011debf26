// What each GICv4 command of an ITS does (IHI 0069, "ITS commands"), and what happens to an event that is mapped to a
// vLPI. A handler returns the fault, or nothing. Reads and checks come before effects.
import { NO_PE, RECORDS } from '../record/index.ts';
import { type CommandName, operandOf, SPURIOUS, VSGI_COUNT } from '../spec/index.ts';
import { invalidateLpi } from './lpi.ts';
import type { Machine } from './machine.ts';
import { at, idBits, isLpi, typerOf } from './operands.ts';
import { type Dte, type Fault, type Ite, isMapped, lookUpEvent, readDte, writeIte } from './translate.ts';
import {
  clearVlpiPending,
  invalidateVlpis,
  moveVlpi,
  ringDoorbell,
  signalVlpi,
  type VpePlace,
  vlpiEnabled,
} from './vlpi.ts';
import { itsVpeTable, newVpe, readVpe, type Vpe, vmappByVersion41, writeVpe } from './vpe-table.ts';

const VMSI_TRANSLATED = RECORDS['vmsi.translated'].id;

/** Reused by every command: a command's lookups never outlive it. */
const dte: Dte = { valid: 0, size: 0, ittAddress: 0 };
const ite: Ite = { valid: 0, physical: 0, intid: 0, icid: 0, vpeid: 0, doorbell: 0 };
const vpe = newVpe();
const vpe2 = newVpe();

const deviceIdOf = at('VMAPTI', 'DeviceID');
const eventIdOf = at('VMAPTI', 'EventID');
const vpeidOf = at('VMAPTI', 'vPEID');
const vintidOf = at('VMAPTI', 'vINTID');
const mapDoorbellOf = at('VMAPTI', 'Dbell_pINTID');
const mapiDoorbellOf = at('VMAPI', 'Dbell_pINTID');
const moveDoorbellOf = at('VMOVI', 'Dbell_pINTID');
const doorbellChangesOf = at('VMOVI', 'D');
const rdbaseOf = at('VMAPP', 'RDbase');
const validOf = at('VMAPP', 'V');
const vptAddressOf = at('VMAPP', 'VPT_addr');
const vptSizeOf = at('VMAPP', 'VPT_size');
const ptzOf = at('VMAPP', 'PTZ');
const vconfOf = at('VMAPP', 'VCONF_addr');
const defaultDoorbellOf = at('VMAPP', 'Default_Doorbell_pINTID');
const moveRdbaseOf = at('VMOVP', 'RDbase');
const moveDbOf = at('VMOVP', 'DB');
const moveDefaultOf = at('VMOVP', 'Default_Doorbell_pINTID');
const sgiOf = at('VSGI', 'vINTID');
const sgiPriorityOf = at('VSGI', 'Priority');
const sgiGroupOf = at('VSGI', 'G');
const sgiClearOf = at('VSGI', 'C');
const sgiEnableOf = at('VSGI', 'E');

/** An individual doorbell is an LPI, or 1023 for none. */
function isDoorbell(m: Machine, intid: number): boolean {
  return intid === SPURIOUS || isLpi(m, intid);
}

function lookUpVpe(m: Machine, its: number, vpeid: number, into: Vpe): Fault | undefined {
  return readVpe(m, its, vpeid, into, itsVpeTable(m, its));
}

/** The fault for an event whose vPE is invalid. */
function ofEvent(fault: Fault): Fault {
  return fault === 'VCPU_INVALID' ? 'ITEVCPU_INVALID' : fault;
}

function inRange(m: Machine, vintid: number, size: number): boolean {
  return isLpi(m, vintid) && vintid < 2 ** (size + 1);
}

/** Rings the default doorbell of a vPE that requested it, for an enabled interrupt. */
function ringDefault(m: Machine, of: Vpe, vintid: number): void {
  if (of.ring === 0 || of.doorbell === SPURIOUS) return;
  const enabled = vintid < VSGI_COUNT ? (of.sgi[vintid]! & 1) !== 0 : vlpiEnabled(m, of.configTable, vintid);
  if (enabled) ringDoorbell(m, { pe: of.pe, table: of.table, doorbell: of.doorbell }, vintid);
}

/** Sets or clears the pending state of the vLPI that an event is mapped to. */
export function pendVirtual(
  m: Machine,
  its: number,
  event: Readonly<Ite>,
  level: boolean,
  cause: 'msi' | 'its-command',
  deviceId: number,
  eventId: number,
): Fault | undefined {
  const fault = lookUpVpe(m, its, event.vpeid, vpe);
  if (fault !== undefined) return ofEvent(fault);
  if (!inRange(m, event.intid, vpe.size)) return 'VIRTUALID_OOR';
  if (cause === 'msi') m.emit(VMSI_TRANSLATED, vpe.pe, its, deviceId, eventId, event.intid, event.vpeid);
  const place: VpePlace = { pe: vpe.pe, table: vpe.table, doorbell: event.doorbell };
  const away = signalVlpi(m, place, event.intid, level, cause);
  if (level && away) ringDefault(m, vpe, event.intid);
  return undefined;
}

/** INV of an event that is mapped to a vLPI. */
export function invalidateVirtual(m: Machine, its: number, event: Readonly<Ite>): Fault | undefined {
  const fault = lookUpVpe(m, its, event.vpeid, vpe);
  if (fault !== undefined) return ofEvent(fault);
  if (!inRange(m, event.intid, vpe.size)) return 'VIRTUALID_OOR';
  invalidateVlpis(m, vpe.pe, vpe.table, event.intid);
  return undefined;
}

function mapVirtual(
  m: Machine,
  its: number,
  w: Uint32Array,
  vintid: number,
  doorbell: number,
): Fault | undefined {
  const deviceId = operandOf(w, 0, deviceIdOf);
  const eventId = operandOf(w, 0, eventIdOf);
  const vpeid = operandOf(w, 0, vpeidOf);
  const fault = readDte(m, its, deviceId, dte);
  if (fault !== undefined) return fault;
  if (dte.valid === 0) return 'UNMAPPED_DEVICE';
  if (eventId >= 2 ** (dte.size + 1)) return 'ID_OOR';
  if (!isLpi(m, vintid)) return 'VIRTUALID_OOR';
  if (!isDoorbell(m, doorbell)) return 'PHYSICALID_OOR';
  const table = itsVpeTable(m, its);
  if (table === undefined || vpeid >= table.entries) return 'VCPU_OOR';
  if (isMapped(m, dte, eventId)) {
    m.unpredictable('map-over-mapping', its, eventId);
    if (m.profile.mapOverMapping === 'ignored') return undefined;
  }
  ite.valid = 1;
  ite.physical = 0;
  ite.intid = vintid;
  ite.icid = 0;
  ite.vpeid = vpeid;
  ite.doorbell = doorbell;
  writeIte(m, its, dte, eventId, ite);
  return undefined;
}

/** The ITSs that a VMOVP affects: all of them if GITS_TYPER.VMOVP says that one command is enough for all. */
function moved(m: Machine, its: number): readonly number[] {
  const one = typerOf(m, its, 'VMOVP') === 1;
  if (!one) return [its];
  return m.state.config.its.flatMap((_, n) => (typerOf(m, n, 'Virtual') ? [n] : []));
}

/** VMAPP says by PTZ that the virtual pending table is zero. If it is not, what was pending in it is lost. */
function takeAsZero(m: Machine, its: number, vpeid: number, of: Vpe): void {
  const bytes = 2 ** (of.size + 1) / 8;
  const { memory } = m.state;
  const pending: number[] = [];
  memory.scan(of.table, bytes, (offset, byte) => {
    if (!memory.isKnown(of.table + offset)) return;
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) pending.push(8 * offset + bit);
  });
  if (pending.length > 0) m.unpredictable('virtual-pending-table-not-zero', its, vpeid);
  for (const vintid of pending) clearVlpiPending(m, NO_PE, of.table, vintid);
  m.zeroMemory(of.table, bytes);
}

type Handler = (m: Machine, its: number, w: Uint32Array) => Fault | undefined;

export const VIRTUAL_COMMAND_HANDLERS = {
  VMAPP: (m, its, w) => {
    const vpeid = operandOf(w, 0, vpeidOf);
    vpe.valid = operandOf(w, 0, validOf);
    vpe.pe = operandOf(w, 0, rdbaseOf);
    vpe.size = operandOf(w, 0, vptSizeOf);
    vpe.table = operandOf(w, 0, vptAddressOf);
    const full = vmappByVersion41(m, its);
    vpe.configTable = full ? operandOf(w, 0, vconfOf) : 0;
    vpe.doorbell = full ? operandOf(w, 0, defaultDoorbellOf) : SPURIOUS;
    vpe.ring = 0;
    vpe.sgi.fill(0);
    if (vpe.size > idBits(m, its)) return 'VPTSIZE_OOR';
    if (vpe.valid && vpe.pe >= m.state.peCount) return 'PROCNUM_OOR';
    const table = itsVpeTable(m, its);
    if (table === undefined || vpeid >= table.entries) return 'VCPU_OOR';
    if (full && vpe.valid && !isDoorbell(m, vpe.doorbell)) return 'PHYSICALID_OOR';
    writeVpe(m, its, vpeid, vpe, table);
    if (full && vpe.valid && operandOf(w, 0, ptzOf)) takeAsZero(m, its, vpeid, vpe);
    return undefined;
  },
  VMAPTI: (m, its, w) => mapVirtual(m, its, w, operandOf(w, 0, vintidOf), operandOf(w, 0, mapDoorbellOf)),
  VMAPI: (m, its, w) => mapVirtual(m, its, w, operandOf(w, 0, eventIdOf), operandOf(w, 0, mapiDoorbellOf)),
  VMOVP: (m, its, w) => {
    const vpeid = operandOf(w, 0, vpeidOf);
    const pe = operandOf(w, 0, moveRdbaseOf);
    if (pe >= m.state.peCount) return 'PROCNUM_OOR';
    let wrong: Fault | undefined;
    for (const n of moved(m, its)) {
      const fault = lookUpVpe(m, n, vpeid, vpe);
      if (fault !== undefined) {
        wrong ??= fault;
        continue;
      }
      vpe.pe = pe;
      if (vmappByVersion41(m, n) && operandOf(w, 0, moveDbOf)) vpe.doorbell = operandOf(w, 0, moveDefaultOf);
      writeVpe(m, n, vpeid, vpe, itsVpeTable(m, n)!);
    }
    return wrong;
  },
  VMOVI: (m, its, w) => {
    const eventId = operandOf(w, 0, eventIdOf);
    const vpeid = operandOf(w, 0, vpeidOf);
    const changes = operandOf(w, 0, doorbellChangesOf) === 1;
    const doorbell = operandOf(w, 0, moveDoorbellOf);
    if (changes && !isDoorbell(m, doorbell)) return 'PHYSICALID_OOR';
    const fault = lookUpEvent(m, its, operandOf(w, 0, deviceIdOf), eventId, dte, ite);
    if (fault !== undefined) return fault;
    if (ite.physical === 1) return 'ID_IS_PHYSICAL';
    const source = lookUpVpe(m, its, ite.vpeid, vpe);
    if (source !== undefined) return source === 'NOT_SHOWN' ? source : 'ITEVCPU_INVALID';
    const target = lookUpVpe(m, its, vpeid, vpe2);
    if (target !== undefined) return target === 'VCPU_INVALID' ? 'CMDVCPU_INVALID' : target;
    if (!inRange(m, ite.intid, vpe.size) || !inRange(m, ite.intid, vpe2.size)) return 'VIRTUALID_OOR';
    ite.vpeid = vpeid;
    if (changes) ite.doorbell = doorbell;
    if (vpe.table !== vpe2.table) {
      const from = { pe: vpe.pe, table: vpe.table, doorbell: SPURIOUS };
      const away = moveVlpi(m, from, { pe: vpe2.pe, table: vpe2.table, doorbell: ite.doorbell }, ite.intid);
      if (away) ringDefault(m, vpe2, ite.intid);
    }
    writeIte(m, its, dte, eventId, ite);
    return undefined;
  },
  VINVALL: (m, its, w) => {
    const fault = lookUpVpe(m, its, operandOf(w, 0, vpeidOf), vpe);
    if (fault !== undefined) return fault;
    invalidateVlpis(m, vpe.pe, vpe.table, 0);
    return undefined;
  },
  // Every command completes before the next begins, so there is nothing to wait for.
  VSYNC: (m, its, w) =>
    m.profile.vsyncChecks ? lookUpVpe(m, its, operandOf(w, 0, vpeidOf), vpe) : undefined,
  INVDB: (m, its, w) => {
    const fault = lookUpVpe(m, its, operandOf(w, 0, vpeidOf), vpe);
    if (fault !== undefined) return fault;
    if (vpe.doorbell !== SPURIOUS) invalidateLpi(m, vpe.pe, vpe.doorbell);
    return undefined;
  },
  VSGI: (m, its, w) => {
    const vpeid = operandOf(w, 0, vpeidOf);
    const sgi = operandOf(w, 0, sgiOf);
    const fault = lookUpVpe(m, its, vpeid, vpe);
    if (fault !== undefined) return fault;
    const place: VpePlace = { pe: vpe.pe, table: vpe.table, doorbell: SPURIOUS };
    // With C set, the command clears the pending state and changes nothing else.
    if (operandOf(w, 0, sgiClearOf)) {
      if (operandOf(w, 0, sgiEnableOf)) m.unpredictable('vsgi-configures-and-clears', its, vpeid);
      signalVlpi(m, place, sgi, false, 'its-command');
      return undefined;
    }
    vpe.sgi[sgi] =
      operandOf(w, 0, sgiPriorityOf) |
      (operandOf(w, 0, sgiGroupOf) ? 2 : 0) |
      (operandOf(w, 0, sgiEnableOf) ? 1 : 0);
    writeVpe(m, its, vpeid, vpe, itsVpeTable(m, its)!);
    invalidateVlpis(m, vpe.pe, vpe.table, 0);
    return undefined;
  },
} as const satisfies { readonly [K in CommandName]?: Handler };

/**
 * GITS_SGIR: a virtual SGI becomes pending for a vPE (IHI 0069, "GITS_SGIR"). A vPE that is not mapped receives none.
 */
export function sendVirtualSgi(m: Machine, its: number, vpeid: number, sgi: number): void {
  if (lookUpVpe(m, its, vpeid, vpe) !== undefined) return;
  const away = signalVlpi(m, { pe: vpe.pe, table: vpe.table, doorbell: SPURIOUS }, sgi, true, 'software');
  if (away) ringDefault(m, vpe, sgi);
}
