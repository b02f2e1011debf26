// An ITS's tables in guest memory: finds an entry (in a flat or two-level table), and reads and writes entries in the
// layout that the profile names (IHI 0069, "ITS tables"). Emits what it reads and writes; decides nothing.
import { NO_PE, RECORDS } from '../record/index.ts';
import {
  ADDRESSES,
  deposit,
  type EntryLayout,
  extract,
  fieldReader,
  GITS,
  LEVEL1_ENTRY,
  maskHigh,
  QEMU_LAYOUT,
  type TableLayout,
} from '../spec/index.ts';
import type { Machine, MemoryUse } from './machine.ts';
import { typerOf } from './operands.ts';

export const COMMAND_BYTES = 32;
/** GITS_BASER<n>.Type. */
export const TABLE_TYPES = { devices: 1, vPEs: 2, collections: 4 } as const;

const MEM_WRITTEN = RECORDS['mem.written'].id;
export const LEVEL1_BYTES = 8;
export const LEVEL1_VALID = maskHigh(LEVEL1_ENTRY, 'Valid');
export const level2Address = fieldReader(LEVEL1_ENTRY, 'Physical_Address');
/** By Page_Size of GITS_BASER<n> and of GICv4.1's GICR_VPROPBASER; 3 is reserved and treated as 64 KB. */
export const PAGE_BYTES = [0x1000, 0x4000, 0x1_0000, 0x1_0000] as const;

const BASER = GITS.GITS_BASER;
const BASER_64K = BASER.views['64 KB pages'];
const VALID = maskHigh(BASER, 'Valid');
const INDIRECT = maskHigh(BASER, 'Indirect');
const typeOf = fieldReader(BASER, 'Type');
const pageSizeOf = fieldReader(BASER, 'Page_Size');
const entryBytesOf = fieldReader(BASER, 'Entry_Size');
const pagesOf = fieldReader(BASER, 'Size');
const addressOf = fieldReader(BASER, 'Physical_Address');
const highestOf = fieldReader(BASER_64K, 'Physical_Address_51_48');
const lowerOf = fieldReader(BASER_64K, 'Physical_Address_47_16');
const address64K = (low: number, high: number): number => highestOf(low, high) + lowerOf(low, high);
/** The entry does not exist: it is outside the table, or its level-2 table does not exist. */
export const NOWHERE = -1;
/** The address of the entry depends on a first-level entry that is unknown. */
export const NOT_SHOWN = -2;

export interface TablePlace {
  readonly valid: boolean;
  readonly indirect: boolean;
  readonly base: number;
  readonly pageBytes: number;
  readonly entryBytes: number;
  /** Number of entries that the table and the identifier width allow. */
  readonly entries: number;
}

/** The table of a type, as GITS_BASER<n> describes it; `undefined` if the ITS has none. */
export function tableOf(m: Machine, its: number, type: number): TablePlace | undefined {
  const { baser } = m.state;
  for (let n = 0; n < 8; n++) {
    const at = 16 * its + 2 * n;
    const high = baser[at + 1]!;
    if (typeOf(0, high) !== type) continue;
    const low = baser[at]!;
    const pageBytes = PAGE_BYTES[pageSizeOf(low)]!;
    const entryBytes = entryBytesOf(low, high);
    const pages = pagesOf(low);
    const valid = (high & VALID) !== 0;
    const indirect = (high & INDIRECT) !== 0;
    const base = pageBytes === 0x1_0000 ? address64K(low, high) : addressOf(low, high);
    const idBits =
      type === TABLE_TYPES.devices
        ? typerOf(m, its, 'Devbits')
        : type === TABLE_TYPES.collections && typerOf(m, its, 'CIL') === 1
          ? typerOf(m, its, 'CIDbits')
          : 16;
    const perPage = Math.floor(pageBytes / entryBytes);
    const fit = indirect
      ? ((pages * pageBytes) / LEVEL1_BYTES) * perPage
      : Math.floor((pages * pageBytes) / entryBytes);
    return { valid, indirect, base, pageBytes, entryBytes, entries: valid ? Math.min(fit, 2 ** idBits) : 0 };
  }
  return undefined;
}

/** Calls the witness of memory reads, then returns whether the bytes are known. */
function look(
  m: Machine,
  use: MemoryUse,
  its: number,
  index: number,
  address: number,
  length: number,
): boolean {
  m.witness?.(use, its, index, address, length);
  return m.state.memory.areKnown(address, length);
}

/** The physical address of entry `index`, or NOWHERE, or NOT_SHOWN. */
export function entryAddress(m: Machine, its: number, table: TablePlace, index: number): number {
  if (!table.indirect) return table.base + index * table.entryBytes;
  const perPage = Math.floor(table.pageBytes / table.entryBytes);
  const level1 = table.base + Math.floor(index / perPage) * LEVEL1_BYTES;
  if (!look(m, 'level-1', its, index, level1, LEVEL1_BYTES)) return NOT_SHOWN;
  const high = m.state.memory.readWord(level1 + 4);
  if ((high & LEVEL1_VALID) === 0) return NOWHERE;
  const page = level2Address(m.state.memory.readWord(level1), high);
  return page + (index % perPage) * table.entryBytes;
}

/** The layout that the profile's ITS uses. */
export function layoutOf(_m: Machine): TableLayout {
  return QEMU_LAYOUT;
}

const raw = new Uint32Array(8);

/**
 * Reads the entry at an address into values, in the layout's field order. Addresses are in bytes. Returns whether the
 * entry's content is known; the values are zero if it is not.
 */
export function readEntry(
  m: Machine,
  use: MemoryUse,
  its: number,
  index: number,
  address: number,
  layout: EntryLayout,
  values: number[],
): boolean {
  const isKnown = look(m, use, its, index, address, layout.bytes);
  raw.fill(0);
  if (isKnown)
    for (let at = 0; at < layout.bytes; at += 4) raw[at >> 2] = m.state.memory.readWord(address + at);
  layout.fields.forEach((field, k) => {
    const dw = field.lsb >> 6;
    const value = extract(raw, 0, dw, field.lsb & 63, field.width);
    values[k] = field.shift === undefined ? value : value * 2 ** field.shift;
  });
  return isKnown;
}

/** Writes an entry, with the values in the layout's field order. */
export function writeEntry(
  m: Machine,
  address: number,
  layout: EntryLayout,
  values: readonly number[],
): void {
  raw.fill(0);
  layout.fields.forEach((field, k) => {
    const value = field.shift === undefined ? values[k]! : values[k]! / 2 ** field.shift;
    deposit(raw, 0, field.lsb >> 6, field.lsb & 63, field.width, value);
  });
  for (let at = 0; at < layout.bytes; at += 8) {
    const width = Math.min(8, layout.bytes - at);
    const where = address + at;
    // A table may be said to end beyond the last address, where there is no memory.
    if (where + width > ADDRESSES) return;
    m.emit(
      MEM_WRITTEN,
      NO_PE,
      where >>> 0,
      Math.floor(where / 2 ** 32),
      width,
      raw[at >> 2]!,
      width > 4 ? raw[(at >> 2) + 1]! : 0,
    );
  }
}
