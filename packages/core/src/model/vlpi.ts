// vLPIs and vSGIs (IHI 0069, "GICv4"): their pending state in virtual pending tables, resident vPEs, and the doorbells of
// vPEs that are not resident. The pending state is in memory; the Redistributor on which a vPE is resident has a copy of it
// with the configurations.
import type { GicConfig } from '../config.ts';
import { NO_PE, PEND_CAUSES, RECORDS } from '../record/index.ts';
import { fieldReader, GICR, LPI_FIRST, mask, SPURIOUS, VSGI_COUNT } from '../spec/index.ts';
import { lpiInRange, lpisEnabled, setLpiPending } from './lpi.ts';
import type { Machine } from './machine.ts';
import { CONFIG_UNKNOWN } from './state.ts';
import { best, rankVirtual } from './virtual-arbitration.ts';
import { RESIDENT_WORDS } from './virtual-state.ts';
import { sgiConfig } from './vpe-table.ts';
import { EVENT_WORK } from './work-budget.ts';

const VLPI_PENDED = RECORDS['vlpi.pended'].id;
const VLPI_CLEARED = RECORDS['vlpi.cleared'].id;
const VLPI_LOADED = RECORDS['vlpi.loaded'].id;
const VLPI_FORGOTTEN = RECORDS['vlpi.forgotten'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;
const DOORBELL_RUNG = RECORDS['doorbell.rung'].id;
const ASSUMED = RECORDS['memory.assumed'].id;

type Cause = (typeof PEND_CAUSES)[number];

/** No virtual pending table. */
export const NO_TABLE = -1;
/** vPEID of a resident vPE that GICv4.0's registers do not name. */
export const NO_VPEID = 0xffff_ffff;

/** An LPI's configuration byte. */
const LPI_ENABLE = 1;
const LPI_PRIORITY = 0xfc;

const high = (address: number) => Math.floor(address / 2 ** 32);

/** The virtual pending table of the vPE that is resident on a PE, or NO_TABLE. */
export function residentTable(m: Machine, pe: number): number {
  const { resident } = m.state.virtual;
  const at = RESIDENT_WORDS * pe;
  return resident[at + 3] === 0 ? NO_TABLE : resident[at + 1]! * 2 ** 32 + resident[at]!;
}

function idBits(m: Machine, pe: number): number {
  return m.state.virtual.resident[RESIDENT_WORDS * pe + 6]!;
}

/** The address of the configuration byte of a vLPI of the resident vPE. */
export function vlpiConfigAddress(m: Machine, pe: number, vintid: number): number {
  const { resident } = m.state.virtual;
  const at = RESIDENT_WORDS * pe;
  return resident[at + 5]! * 2 ** 32 + resident[at + 4]! + vintid - LPI_FIRST;
}

function lookUpConfig(m: Machine, pe: number, vintid: number): number {
  if (vintid < LPI_FIRST) return sgiConfig(m, pe, m.state.virtual.resident[RESIDENT_WORDS * pe + 2]!, vintid);
  const address = vlpiConfigAddress(m, pe, vintid);
  m.witness?.('vlpi-config', pe, vintid, address, 1);
  return m.state.memory.isKnown(address) ? m.state.memory.readByte(address) : CONFIG_UNKNOWN;
}

/** Whether a vINTID's bit is set in a virtual pending table. */
export function isPendingIn(m: Machine, table: number, vintid: number): boolean {
  const address = table + (vintid >>> 3);
  m.witness?.('virtual-pending-table', 0, vintid, address, 1);
  if (!m.state.memory.isKnown(address)) m.emit(ASSUMED, NO_PE, address >>> 0, high(address), 1);
  return ((m.state.memory.readByte(address) >> (vintid & 7)) & 1) === 1;
}

/**
 * The cached configuration of a vLPI whose bit in the table was cleared without the Redistributor noticing, because it
 * looks for the best vLPI only when it clears one itself. This happens if a vPE is resident on another PE than its table
 * entry says, which software must avoid.
 */
function held(m: Machine, pe: number, vintid: number): number | undefined {
  const { pending, config } = m.state.virtual;
  return m.profile.rescanOnClear && pending[pe]!.has(vintid) ? config[pe]!.get(vintid) : undefined;
}

/** The better of two configurations: the one that is enabled, and has the higher priority. */
function better(old: number | undefined, now: number): number {
  if (old === undefined || old >= CONFIG_UNKNOWN || (old & LPI_ENABLE) === 0) return now;
  const isWorse =
    now >= CONFIG_UNKNOWN || (now & LPI_ENABLE) === 0 || (now & LPI_PRIORITY) >= (old & LPI_PRIORITY);
  return isWorse ? old : now;
}

/** Makes a vINTID pending in a table. Returns whether it was not. `pe` is the PE on which the vPE is resident, or NO_PE. */
export function setVlpiPending(m: Machine, pe: number, table: number, vintid: number, cause: Cause): boolean {
  if (isPendingIn(m, table, vintid)) return false;
  let config = 0;
  if (pe !== NO_PE) {
    const cached =
      m.profile.lpiConfig === 'until-invalidated' ? m.state.virtual.config[pe]!.get(vintid) : undefined;
    config = better(held(m, pe, vintid), cached ?? lookUpConfig(m, pe, vintid));
  }
  const known = pe !== NO_PE && config < CONFIG_UNKNOWN;
  m.emit(
    VLPI_PENDED,
    pe,
    table >>> 0,
    high(table),
    vintid,
    PEND_CAUSES.indexOf(cause),
    known ? config : 0,
    known ? 1 : 0,
  );
  noteBest(m, pe);
  return true;
}

/** Remembers the highest-priority pending vLPI of the vPE that is resident on a PE, if there is one and `lastBest` is in use. */
function noteBest(m: Machine, pe: number): void {
  if (m.lastBest === undefined || pe === NO_PE) return;
  rankVirtual(m, pe);
  if (best.vlpi !== SPURIOUS) m.lastBest.vlpi[pe] = best.vlpi;
}

/**
 * QEMU keeps the INTID of the highest-priority pending vLPI even when no enabled one is left. When the vLPI with that INTID is
 * cleared, QEMU looks for the next one. It then finds what it has not noticed:
 *
 * 1. vLPI 8196 becomes pending for a vPE that is resident on PE 1, and is cleared.
 * 2. VMOVP maps the vPE to PE 2, though it stays resident on PE 1. vLPIs 8193 and 8196 become pending in its table.
 * 3. VMAPP maps it to PE 1 again. CLEAR of vLPI 8196 makes QEMU signal vLPI 8193; CLEAR of another vLPI would not.
 */
function noteHiddenRescan(m: Machine, pe: number, cleared: number): void {
  if (m.lastBest?.vlpi[pe] !== cleared) return;
  rankVirtual(m, pe);
  if (best.vlpi !== SPURIOUS) return;
  const pending = m.state.virtual.pending[pe]!;
  const { found } = pendingInTable(m, pe);
  if (
    found.length !== pending.size ||
    found.some(
      (vintid) =>
        !pending.has(vintid) || lookUpConfig(m, pe, vintid) !== m.state.virtual.config[pe]!.get(vintid),
    )
  )
    m.hiddenRescan = true;
}

/** Clears the pending state of a vINTID in a table. Returns whether it was pending. */
export function clearVlpiPending(m: Machine, pe: number, table: number, vintid: number): boolean {
  if (!isPendingIn(m, table, vintid)) return false;
  let wasBest = false;
  if (pe !== NO_PE && m.profile.rescanOnClear) {
    rankVirtual(m, pe);
    wasBest = best.vlpi === vintid;
  }
  m.emit(VLPI_CLEARED, pe, table >>> 0, high(table), vintid);
  if (wasBest) reloadResident(m, pe);
  else noteHiddenRescan(m, pe, vintid);
  return true;
}

/** The virtual machine on a PE acknowledged a vLPI. */
export function clearResidentVlpi(m: Machine, pe: number, vintid: number): void {
  clearVlpiPending(m, pe, residentTable(m, pe), vintid);
}

/** The vLPIs and virtual SGIs that are pending in the table of the resident vPE. `unknownFrom`: an address, if memory is unknown. */
function pendingInTable(
  m: Machine,
  pe: number,
): { found: readonly number[]; unknownFrom: number | undefined } {
  const table = residentTable(m, pe);
  const { virtual, memory } = m.state;
  const first = table + LPI_FIRST / 8;
  const length = Math.max(0, 2 ** idBits(m, pe) / 8 - LPI_FIRST / 8);
  m.witness?.('virtual-pending-table', pe, 0, first, length);
  const found: number[] = [];
  // The first bits of the table are virtual SGIs, which exist if the Redistributor knows the vPEID.
  if (virtual.resident[RESIDENT_WORDS * pe + 2] !== NO_VPEID)
    for (let sgi = 0; sgi < VSGI_COUNT; sgi++)
      if ((memory.readByte(table + (sgi >> 3)) >> (sgi & 7)) & 1) found.push(sgi);
  const known = memory.scan(first, length, (offset, byte) => {
    m.budget.spend(EVENT_WORK);
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) found.push(LPI_FIRST + 8 * offset + bit);
  });
  return { found, unknownFrom: !known && length > 0 ? first : undefined };
}

/** Loads the pending vLPIs of the resident vPE from its table, and their configuration. */
export function reloadResident(m: Machine, pe: number): void {
  const table = residentTable(m, pe);
  if (table === NO_TABLE) return;
  const { virtual } = m.state;
  const { found, unknownFrom } = pendingInTable(m, pe);
  if (unknownFrom !== undefined) m.emit(ASSUMED, NO_PE, unknownFrom >>> 0, high(unknownFrom), 8);
  const pending = virtual.pending[pe]!;
  m.budget.spend(EVENT_WORK * (pending.size + found.length));
  if (pending.size > 0) {
    const inTable = new Set(found);
    for (const vintid of [...pending].sort((a, b) => a - b))
      if (!inTable.has(vintid)) m.emit(VLPI_CLEARED, pe, table >>> 0, high(table), vintid);
  }
  for (const vintid of found) {
    const config = lookUpConfig(m, pe, vintid);
    if (!pending.has(vintid) || virtual.config[pe]!.get(vintid) !== config)
      m.emit(VLPI_LOADED, pe, vintid, config < CONFIG_UNKNOWN ? config : 0, config < CONFIG_UNKNOWN ? 1 : 0);
  }
  noteBest(m, pe);
}

/** GICR_TYPER.RVPEID and CommonLPIAff. */
const RVPEID = mask(GICR.GICR_TYPER, 'RVPEID');
const commonLpiAff = fieldReader(GICR.GICR_TYPER, 'CommonLPIAff');

/**
 * Whether the Redistributors of two PEs share an LPI configuration table, and on GICv4.1 a vPE table: the affinities are the same
 * in Aff3 and further down, in as many levels as CommonLPIAff says (IHI 0069, "GICR_TYPER").
 */
export function shareTables({ gicr, pes }: GicConfig, one: number, other: number): boolean {
  const levels = commonLpiAff(gicr.typer);
  const differs = (pes[one]!.affinity ^ pes[other]!.affinity) >>> 0;
  return levels === 0 || differs >>> (32 - 8 * levels) === 0;
}

/**
 * The PE on which the vPE with a virtual pending table is resident, or NO_PE. `pe` is the PE to which it is mapped. On GICv4.1,
 * a vPE may be resident on any PE that shares a vPE table with that PE, and takes its vLPIs and vSGIs there (IHI 0069,
 * "GICR_TYPER", CommonLPIAff).
 */
function residentOn(m: Machine, pe: number, table: number): number {
  if (residentTable(m, pe) === table) return pe;
  if ((m.state.config.gicr.typer & RVPEID) === 0 || table === NO_TABLE) return NO_PE;
  for (let other = 0; other < m.state.peCount; other++)
    if (residentTable(m, other) === table && shareTables(m.state.config, pe, other)) return other;
  return NO_PE;
}

/** VINVALL, and INV of a vLPI: the Redistributor must read the configuration again; of all vLPIs, if `vintid` is 0. */
export function invalidateVlpis(m: Machine, mapped: number, table: number, vintid: number): void {
  const pe = residentOn(m, mapped, table);
  if (pe === NO_PE) return;
  const { config, pending } = m.state.virtual;
  if (m.profile.lpiConfig === 'until-invalidated') {
    if (vintid === 0) m.emit(VLPI_FORGOTTEN, pe, 0);
    else if (config[pe]!.has(vintid) && !pending[pe]!.has(vintid)) m.emit(VLPI_FORGOTTEN, pe, vintid);
  }
  if (vintid === 0 || m.profile.invReloadsAll) {
    reloadResident(m, pe);
    return;
  }
  if (!pending[pe]!.has(vintid)) return;
  const byte = lookUpConfig(m, pe, vintid);
  if (byte !== config[pe]!.get(vintid))
    m.emit(VLPI_LOADED, pe, vintid, byte < CONFIG_UNKNOWN ? byte : 0, byte < CONFIG_UNKNOWN ? 1 : 0);
}

/** The place of a vPE by its table entry. */
export interface VpePlace {
  /** The PE to which it is mapped. */
  readonly pe: number;
  readonly table: number;
  /** The individual doorbell of the event, or 1023. */
  readonly doorbell: number;
}

/** Whether a vLPI is enabled by its byte in a configuration table. An unknown byte counts as enabled. */
export function vlpiEnabled(m: Machine, configTable: number, vintid: number): boolean {
  const address = configTable + vintid - LPI_FIRST;
  return !m.state.memory.isKnown(address) || (m.state.memory.readByte(address) & 1) !== 0;
}

/**
 * Makes an event of a vPE pending, or clears its pending state. Returns whether the vPE is not resident, so that its
 * default doorbell may have to ring.
 */
export function signalVlpi(
  m: Machine,
  place: VpePlace,
  vintid: number,
  level: boolean,
  cause: Cause,
): boolean {
  const { table } = place;
  const where = residentOn(m, place.pe, table);
  const resident = where !== NO_PE;
  if (resident && vintid >= 2 ** idBits(m, where)) return false;
  if (!level) {
    clearVlpiPending(m, where, table, vintid);
    return !resident;
  }
  setVlpiPending(m, where, table, vintid, cause);
  if (!resident) ringDoorbell(m, place, vintid);
  return !resident;
}

/** Makes the doorbell of a vPE that is not resident pending. */
export function ringDoorbell(m: Machine, place: VpePlace, vintid: number): void {
  const { pe, table, doorbell } = place;
  if (doorbell === SPURIOUS || !lpisEnabled(m, pe) || !lpiInRange(m, pe, doorbell)) return;
  m.emit(DOORBELL_RUNG, pe, doorbell, table >>> 0, high(table), vintid);
  setLpiPending(m, pe, doorbell, 'doorbell');
}

/** Moves a pending vLPI to another vPE. Returns whether it was pending and the other vPE is not resident. */
export function moveVlpi(m: Machine, from: VpePlace, to: VpePlace, vintid: number): boolean {
  const where = residentOn(m, from.pe, from.table);
  return clearVlpiPending(m, where, from.table, vintid) && signalVlpi(m, to, vintid, true, 'moved');
}

/** Makes a vPE resident on a PE. The caller must then load its pending vLPIs ({@link reloadResident}). */
export function makeResident(
  m: Machine,
  pe: number,
  table: number,
  vpeid: number,
  configTable: number,
  vintidBits: number,
): void {
  m.emitWords(
    VPE_RESIDENT,
    pe,
    Uint32Array.of(table >>> 0, high(table), vpeid, 1, configTable >>> 0, high(configTable), vintidBits),
    0,
    RESIDENT_WORDS,
  );
}

/** Ends the residency of a PE's vPE. Returns whether it has a pending interrupt that is enabled. */
export function endResidency(m: Machine, pe: number): boolean {
  const table = residentTable(m, pe);
  if (table === NO_TABLE) return false;
  rankVirtual(m, pe);
  const pendingLast = best.vlpi !== SPURIOUS;
  const vpeid = m.state.virtual.resident[RESIDENT_WORDS * pe + 2]!;
  m.emitWords(
    VPE_RESIDENT,
    pe,
    Uint32Array.of(table >>> 0, high(table), vpeid, 0, 0, 0, 0),
    0,
    RESIDENT_WORDS,
  );
  return pendingLast;
}
