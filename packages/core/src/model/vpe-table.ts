// The vPE table (IHI 0069, "GICv4"): the addresses of a vPE's tables, and the PE to which the vPE is mapped. In GICv4.1,
// ITSs and Redistributors share it. This file emits what an ITS reads and writes, and makes no decisions.
import { NO_PE, RECORDS } from '../record/index.ts';
import {
  type EntryLayout,
  fieldReader,
  GICR,
  maskHigh,
  QEMU_LAYOUT,
  SPURIOUS,
  VSGI_COUNT,
  VTE_41,
} from '../spec/index.ts';
import {
  entryAddress,
  LEVEL1_BYTES,
  NOWHERE,
  PAGE_BYTES,
  readEntry,
  TABLE_TYPES,
  type TablePlace,
  tableOf,
  writeEntry,
} from './its-tables.ts';
import type { Machine } from './machine.ts';
import { typerOf } from './operands.ts';
import type { Fault } from './translate.ts';

const VTE_READ = RECORDS['vte.read'].id;
const VTE_WRITE = RECORDS['vte.write'].id;

/** The contents of a vPE table entry. */
export interface Vpe {
  valid: number;
  /** The number of vINTID bits minus one. */
  size: number;
  /** Address of the virtual pending table. */
  table: number;
  pe: number;
  /** GICv4.1: whether the default doorbell is requested, the configuration table, the default doorbell. */
  ring: number;
  configTable: number;
  doorbell: number;
  /** One byte per virtual SGI: bit 0 enabled, bit 1 Group 1, bits 7:4 priority. */
  readonly sgi: number[];
}

export function newVpe(): Vpe {
  return {
    valid: 0,
    size: 0,
    table: 0,
    pe: 0,
    ring: 0,
    configTable: 0,
    doorbell: SPURIOUS,
    sgi: new Array(VSGI_COUNT).fill(0),
  };
}

const VPROPBASER = GICR.GICR_VPROPBASER.views['GICv4.1'];
const VALID = maskHigh(VPROPBASER, 'Valid');
const INDIRECT = maskHigh(VPROPBASER, 'Indirect');
const pageSizeOf = fieldReader(VPROPBASER, 'Page_Size');
const doublewordsOf = fieldReader(VPROPBASER, 'Entry_Size');
const pagesOf = fieldReader(VPROPBASER, 'Size');
const addressOf = fieldReader(VPROPBASER, 'Physical_Address');

/** In place of an ITS: a Redistributor reads the table. */
export const BY_REDISTRIBUTOR = -1;

/** GITS_TYPER.VMAPP: the command, and therefore the entry, has the form of GICv4.1. */
export function vmappByVersion41(m: Machine, its: number): boolean {
  return typerOf(m, its, 'VMAPP') === 1;
}

/** The vPE table as GICv4.1's GICR_VPROPBASER describes it; undefined if that is not valid. */
export function vpeTableOf(m: Machine, pe: number): TablePlace | undefined {
  const { vpropbaser } = m.state.virtual;
  const low = vpropbaser[2 * pe]!;
  const high = vpropbaser[2 * pe + 1]!;
  if ((high & VALID) === 0) return undefined;
  const pageBytes = PAGE_BYTES[pageSizeOf(low, high)]!;
  const entryBytes = 8 * doublewordsOf(low, high);
  const pages = pagesOf(low);
  const indirect = (high & INDIRECT) !== 0;
  const base = addressOf(low, high);
  const perPage = Math.floor(pageBytes / entryBytes);
  const fit = indirect
    ? ((pages * pageBytes) / LEVEL1_BYTES) * perPage
    : Math.floor((pages * pageBytes) / entryBytes);
  return { valid: true, indirect, base, pageBytes, entryBytes, entries: Math.min(fit, 2 ** 16) };
}

function layoutFor(table: TablePlace): EntryLayout {
  return table.entryBytes >= VTE_41.bytes ? VTE_41 : QEMU_LAYOUT.vte;
}

/** The table that an ITS uses. */
export function itsVpeTable(m: Machine, its: number): TablePlace | undefined {
  return tableOf(m, its, TABLE_TYPES.vPEs);
}

const values: number[] = [];
const words = new Uint32Array(12);

function emitVte(m: Machine, kind: number, its: number, vpeid: number, vpe: Vpe): void {
  if (its === BY_REDISTRIBUTOR) return;
  words[0] = its;
  words[1] = vpeid;
  words[2] = vpe.valid;
  words[3] = vpe.size;
  words[4] = vpe.table >>> 0;
  words[5] = Math.floor(vpe.table / 2 ** 32);
  words[6] = vpe.pe;
  m.emitWords(kind, NO_PE, words, 0, 7);
}

/**
 * Reads a vPE's entry. Returns `VCPU_OOR` if the table has no such entry, `VCPU_INVALID` if the vPE is not mapped, and
 * `NOT_SHOWN` if the contents of the entry are unknown.
 */
export function readVpe(
  m: Machine,
  its: number,
  vpeid: number,
  vpe: Vpe,
  table: TablePlace | undefined,
): Fault | undefined {
  if (table === undefined || vpeid >= table.entries) return 'VCPU_OOR';
  const address = entryAddress(m, Math.max(its, 0), table, vpeid);
  if (address === NOWHERE) {
    // As in the other tables, an entry that the first level does not lead to reads as not valid.
    vpe.valid = vpe.size = vpe.table = vpe.pe = vpe.ring = vpe.configTable = 0;
    vpe.doorbell = SPURIOUS;
    vpe.sgi.fill(0);
    emitVte(m, VTE_READ, its, vpeid, vpe);
    return 'VCPU_INVALID';
  }
  const layout = layoutFor(table);
  if (address < 0 || !readEntry(m, 'vte', Math.max(its, 0), vpeid, address, layout, values))
    return 'NOT_SHOWN';
  vpe.valid = values[0]!;
  vpe.size = values[1]!;
  vpe.table = values[2]!;
  vpe.pe = values[3]!;
  const full = layout === VTE_41;
  vpe.ring = full ? values[4]! : 0;
  vpe.configTable = full ? values[5]! : 0;
  vpe.doorbell = full ? values[6]! : SPURIOUS;
  for (let n = 0; n < VSGI_COUNT; n++) vpe.sgi[n] = full ? values[7 + n]! : 0;
  emitVte(m, VTE_READ, its, vpeid, vpe);
  return vpe.valid === 0 || vpe.pe >= m.state.peCount ? 'VCPU_INVALID' : undefined;
}

/** Writes a vPE's entry. The caller has checked that the table has it. */
export function writeVpe(m: Machine, its: number, vpeid: number, vpe: Vpe, table: TablePlace): void {
  emitVte(m, VTE_WRITE, its, vpeid, vpe);
  const address = entryAddress(m, Math.max(its, 0), table, vpeid);
  if (address < 0) return;
  const layout = layoutFor(table);
  const { size, table: pendingTable, pe, ring, configTable, doorbell, sgi } = vpe;
  const all = [1, size, pendingTable, pe, ring, configTable, doorbell, ...sgi];
  writeEntry(
    m,
    address,
    layout,
    layout.fields.map((_, k) => (vpe.valid ? all[k]! : 0)),
  );
}

const scratch = newVpe();

/** GICv4.1: the configuration byte of a virtual SGI of a PE's resident vPE, from its table entry. */
export function sgiConfig(m: Machine, pe: number, vpeid: number, sgi: number): number {
  return readVpe(m, BY_REDISTRIBUTOR, vpeid, scratch, vpeTableOf(m, pe)) === undefined
    ? scratch.sgi[sgi]!
    : 0;
}
