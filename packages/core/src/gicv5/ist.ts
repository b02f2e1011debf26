// The interrupt state table of LPIs: where an entry is in guest memory, and the state that the IRS has of an LPI. An IRS may
// keep entries while the table is valid, so an LPI is looked up in memory once; what it holds then is in the state.
import { NO_PE, RECORDS } from '../record/index.ts';
import { ADDRESSES } from '../spec/addresses.ts';
import { GICV5_TYPES, gicv5Intid } from '../spec/gicv5/index.ts';
import { type Gicv5Machine, NON_SECURE } from './machine.ts';
import { IST } from './state.ts';

const ISTE_CHANGED = RECORDS['iste.changed'].id;
const ISTE_FORGOTTEN = RECORDS['iste.forgotten'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const ASSUMED = RECORDS['memory.assumed'].id;
const IST_CHANGED = RECORDS['ist.changed'].id;

const L1_VALID = 1;

/** Fields of a level-2 ISTE: the mask of each flag, and where the others are. */
export const ISTE = {
  pending: 1,
  active: 2,
  handling: 4,
  enable: 8,
  priorityLsb: 11,
  priorityMask: 0xf800,
  iaffidLsb: 16,
} as const;

/** What there is in place of an ISTE: the table does not have the LPI. */
export const NO_ISTE = -1;
/** The entry's address is not known, because that of its level-2 table is not in the source. */
const UNKNOWN_ADDRESS = -2;

/**
 * The address of the level-2 ISTE of an LPI, `NO_ISTE` if the table does not have it, or `UNKNOWN_ADDRESS`. `isAgain`: what is
 * assumed has been said before.
 */
function isteAddress(m: Gicv5Machine, id: number, isAgain = false): number {
  const { ist, memory } = m.state;
  if (ist[IST.valid] === 0 || id >= 2 ** ist[IST.idBits]!) return NO_ISTE;
  const base = ist[IST.high]! * 2 ** 32 + ist[IST.low]!;
  const bytes = ist[IST.entryBytes]!;
  if (ist[IST.twoLevel] === 0) return within(base + id * bytes);
  const l1 = l1Address(m, id);
  if (l1 + 8 > ADDRESSES) return NO_ISTE;
  if (!memory.areKnown(l1, 8)) {
    if (!isAgain) m.emit(ASSUMED, NO_PE, l1 >>> 0, Math.floor(l1 / 2 ** 32), 8, L1_VALID, 0);
    return UNKNOWN_ADDRESS;
  }
  const low = memory.readWord(l1);
  if ((low & L1_VALID) === 0) return NO_ISTE;
  // Bits 55:12.
  const table = (memory.readWord(l1 + 4) & 0xff_ffff) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
  const index = id & (2 ** ist[IST.indexBits]! - 1);
  return within(table + index * bytes);
}

const within = (address: number) => (address + 4 > ADDRESSES ? NO_ISTE : address);

/** The address of the level-1 ISTE of an LPI. */
export function l1Address(m: Gicv5Machine, id: number): number {
  const { ist } = m.state;
  return ist[IST.high]! * 2 ** 32 + ist[IST.low]! + 8 * Math.floor(id / 2 ** ist[IST.indexBits]!);
}

/**
 * Whether the table may have an LPI: false only if the source shows that it does not. `fromReset`: it shows all since a reset. If
 * not, a table may have been valid before the source begins.
 */
export function mayHaveIste(m: Gicv5Machine, id: number, fromReset: boolean): boolean {
  const { ist, memory } = m.state;
  if (ist[IST.valid] === 0) return !fromReset;
  if (id >= 2 ** ist[IST.idBits]!) return false;
  if (ist[IST.twoLevel] === 0) return true;
  const l1 = l1Address(m, id);
  return !memory.areKnown(l1, 8) || (memory.readWord(l1) & L1_VALID) !== 0;
}

/** The state of an LPI, or `NO_ISTE`. Memory that is unknown is assumed to be zero, as software has to make it. */
export function readIste(m: Gicv5Machine, id: number): number {
  const { state } = m;
  if (state.ist[IST.valid] === 0) return NO_ISTE;
  const own = state.lpis.get(id);
  if (own !== undefined) return own;
  const address = isteAddress(m, id);
  if (address === NO_ISTE) return NO_ISTE;
  if (address !== UNKNOWN_ADDRESS && state.memory.areKnown(address, 4)) return state.memory.readWord(address);
  if (address !== UNKNOWN_ADDRESS)
    m.emit(ASSUMED, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), 4, 0, 0);
  // From here on the IRS has it, so that nothing is assumed of it again.
  m.emit(ISTE_CHANGED, NO_PE, lpi(id), 0);
  return 0;
}

/** Stores the state of an LPI, in memory too unless the implementation waits until it is not pending. */
export function writeIste(m: Gicv5Machine, id: number, iste: number): void {
  const { state } = m;
  m.budget.held(state.lpis.size);
  if (state.lpis.get(id) !== iste) m.emit(ISTE_CHANGED, NO_PE, lpi(id), iste);
  if (m.profile.writesBackPending || (iste & ISTE.pending) === 0) writeBack(m, id, iste);
}

function writeBack(m: Gicv5Machine, id: number, iste: number): void {
  const address = isteAddress(m, id, true);
  if (address >= 0) m.emit(MEM_WRITTEN, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), 4, iste, 0);
}

/** The table becomes valid, as IRS_IST_BASER and IRS_IST_CFGR describe it. */
export function validate(
  m: Gicv5Machine,
  base: readonly [low: number, high: number],
  idBits: number,
  indexBits: number,
  entryBytes: number,
  twoLevel: boolean,
): void {
  m.emit(
    IST_CHANGED,
    NO_PE,
    ...([NON_SECURE, 1, base[0], base[1], idBits, indexBits, entryBytes, twoLevel ? 1 : 0] as const),
  );
}

/** The table ceases to be valid: what the IRS has and is not in memory goes there, and the IRS forgets it. */
export function invalidate(m: Gicv5Machine): void {
  const { state } = m;
  for (const id of state.pendingLpis.table) {
    if (id < 0) continue;
    m.budget.spend(16);
    writeBack(m, id, state.lpis.get(id)!);
  }
  m.emit(ISTE_FORGOTTEN, NO_PE);
  m.emit(IST_CHANGED, NO_PE, NON_SECURE);
}

const lpi = (id: number) => gicv5Intid(GICV5_TYPES.LPI, id);
