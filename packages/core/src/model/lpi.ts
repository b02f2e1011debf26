// The physical LPIs of a Redistributor: their pending state, and their cached configuration (IHI 0069, "LPIs").

import { NO_PE, PEND_CAUSES, RECORDS } from '../record/index.ts';
import { fieldReader, GICD, GICR, LPI_CONFIG, LPI_FIRST, mask, maskHigh } from '../spec/index.ts';
import { pendingTableAddress } from './apply.ts';
import { bestLpi, isForwarded, lookUpConfig } from './arbitration.ts';
import { mappedLpis } from './its-walk.ts';
import type { Machine } from './machine.ts';
import { isOverlooked, keptConfig, overlookLpi } from './overlooked.ts';
import { CONFIG_OVERLOOKED, CONFIG_UNKNOWN } from './state.ts';
import { EVENT_WORK, PENDED_WORK } from './work-budget.ts';

const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const LPI_CONFIGURED = RECORDS['lpi.configured'].id;
const LPI_FORGOTTEN = RECORDS['lpi.forgotten'].id;

const ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');
const PTZ_HIGH = maskHigh(GICR.GICR_PENDBASER, 'PTZ');
const ownIdBits = fieldReader(GICR.GICR_PROPBASER, 'IDbits');
const gicIdBits = fieldReader(GICD.GICD_TYPER, 'IDbits');

/** How often `heldLpis` is checked: when this many LPIs of a PE are pending, and at every multiple. */
const HELD_CHECKED = 4095;

export type PendCause = (typeof PEND_CAUSES)[number];

/** GICR_CTLR.EnableLPIs. */
export function lpisEnabled(m: Machine, pe: number): boolean {
  return (m.state.gicrCtlr[pe]! & ENABLE_LPIS) !== 0;
}

/** The largest INTID that GICD_TYPER.IDbits permits, plus one. */
export function intidLimit(m: Machine): number {
  return 2 ** gicIdBits(m.state.config.gicd.typer);
}

/** The largest INTID that both GICR_PROPBASER.IDbits and GICD_TYPER.IDbits permit, plus one. */
export function lpiLimit(m: Machine, pe: number): number {
  return Math.min(2 ** ownIdBits(m.state.propbaser[2 * pe]!), intidLimit(m));
}

/** Whether the Redistributor can have this LPI pending now. */
export function lpiInRange(m: Machine, pe: number, intid: number): boolean {
  return intid >= LPI_FIRST && intid < lpiLimit(m, pe);
}

function emitConfigured(m: Machine, pe: number, intid: number, config: number): void {
  const known = config !== CONFIG_UNKNOWN;
  m.budget.spend(EVENT_WORK);
  m.emit(LPI_CONFIGURED, pe, intid, known ? config : 0, known ? 1 : 0);
}

/** Sets an LPI pending. Nothing happens if it is pending already. */
export function setLpiPending(m: Machine, pe: number, intid: number, cause: PendCause): void {
  const pending = m.state.lpiPending[pe]!;
  if (pending.has(intid)) {
    if (isOverlooked(m.state, pe, intid)) emitConfigured(m, pe, intid, keptConfig(m.state, pe, intid)!);
    return;
  }
  m.budget.spend(PENDED_WORK);
  if ((pending.size & HELD_CHECKED) === HELD_CHECKED) m.budget.held(heldLpis(m));
  const cached = m.profile.lpiConfig === 'until-invalidated' ? m.state.lpiConfig[pe]!.get(intid) : undefined;
  const config = cached ?? lookUpConfig(m, pe, intid);
  const known = config !== CONFIG_UNKNOWN;
  m.emit(LPI_PENDED, pe, intid, PEND_CAUSES.indexOf(cause), known ? config : 0, known ? 1 : 0);
  noteBest(m, pe);
}

/** The number of LPIs that Redistributors hold as pending or in their caches. */
function heldLpis({ state }: Machine): number {
  let held = 0;
  for (let pe = 0; pe < state.peCount; pe++)
    held += Math.max(state.lpiPending[pe]!.size, state.lpiConfig[pe]!.size);
  return held;
}

/** Remembers the highest-priority pending LPI, if there is one and `lastBest` is in use. */
function noteBest(m: Machine, pe: number): void {
  if (m.lastBest === undefined) return;
  const best = bestLpi(m, pe);
  if (best !== 0) m.lastBest.lpi[pe] = best;
}

/**
 * QEMU keeps the INTID of the highest-priority pending LPI even when no enabled one is left. When the LPI with that INTID
 * is cleared, QEMU looks for the next one, and reads configurations that may have changed.
 */
function noteHiddenRescan(m: Machine, pe: number, cleared: number): void {
  if (m.lastBest?.lpi[pe] !== cleared || bestLpi(m, pe) !== 0) return;
  m.budget.spend(4 * m.state.lpiPending[pe]!.size);
  for (const intid of m.state.lpiPending[pe]!)
    if (lookUpConfig(m, pe, intid) !== m.state.lpiConfig[pe]!.get(intid)) m.hiddenRescan = true;
}

/** Clears the pending state of an LPI. Under some profiles, the Redistributor then looks again for the best pending LPI. */
export function clearLpiPending(m: Machine, pe: number, intid: number): boolean {
  if (!m.state.lpiPending[pe]!.has(intid)) return false;
  const wasBest = m.profile.rescanOnClear && bestLpi(m, pe) === intid;
  noteBest(m, pe);
  m.budget.spend(EVENT_WORK);
  m.emit(LPI_CLEARED, pe, intid);
  if (wasBest) reloadConfigs(m, pe);
  else noteHiddenRescan(m, pe, intid);
  return true;
}

/**
 * Whether it is certain that a pending LPI is not signalled, however low the other priorities are: it is disabled, not
 * forwarded, or overlooked. It is not certain of one whose configuration is unknown.
 */
export function isLpiWithheld(m: Machine, pe: number, intid: number): boolean {
  const config = m.state.lpiConfig[pe]!.get(intid) ?? CONFIG_UNKNOWN;
  if (config >= CONFIG_OVERLOOKED || !isForwarded(m.state, pe, intid)) return true;
  return config < CONFIG_UNKNOWN && (config & LPI_ENABLE) === 0;
}

/**
 * Under this profile, a pending LPI that has no event is lost once it is withheld, of one PE or of all:
 *
 * 1. LPI 8192 is pending and on the list of its PE, and DISCARD unmaps its event. The list keeps the LPI.
 * 2. GICD_CTLR disables the Distributor, or INVALL or GICR_INVLPIR reads that the LPI is disabled. The list is pruned.
 * 3. Nothing has the LPI any more. When it is mapped again, it is not pending.
 */
export function loseUnmapped(m: Machine, of?: number): void {
  if (!m.profile.discardKeepsPending) return;
  const left: { readonly pe: number; readonly intid: number }[] = [];
  const [first, last] = of === undefined ? [0, m.state.peCount - 1] : [of, of];
  for (let pe = first; pe <= last; pe++) {
    const pending = m.state.lpiPending[pe]!;
    m.budget.spend(pending.size);
    for (const intid of pending) if (isLpiWithheld(m, pe, intid)) left.push({ pe, intid });
  }
  const mapped = left.length === 0 ? undefined : mappedLpis(m);
  if (mapped === undefined) return;
  for (const { pe, intid } of left.sort((a, b) => a.pe - b.pe || a.intid - b.intid))
    if (!mapped.has(intid)) clearLpiPending(m, pe, intid);
}

/** Reads the configuration of every pending LPI of a PE again. */
export function reloadConfigs(m: Machine, pe: number): void {
  const { lpiConfig, lpiPending } = m.state;
  const pending = lpiPending[pe]!;
  if (pending.size === 0) return;
  m.budget.spend(EVENT_WORK * pending.size);
  for (const intid of [...pending].sort((a, b) => a - b)) {
    const config = lookUpConfig(m, pe, intid);
    if (config !== lpiConfig[pe]!.get(intid)) emitConfigured(m, pe, intid, config);
  }
  noteBest(m, pe);
}

/** Under this profile, the configuration of an LPI is read now, and kept until it is read again. */
function readConfig(m: Machine, pe: number, intid: number): void {
  const config = lookUpConfig(m, pe, intid);
  if (config !== m.state.lpiConfig[pe]!.get(intid)) emitConfigured(m, pe, intid, config);
}

/** Reads the configuration of an LPI that is mapped now. Nothing is left of an earlier mapping to another PE. */
export function readOnlyConfig(m: Machine, pe: number, intid: number): void {
  readConfig(m, pe, intid);
  m.budget.spend(m.state.peCount);
  for (let other = 0; other < m.state.peCount; other++)
    if (other !== pe && m.state.lpiConfig[other]!.has(intid)) m.emit(LPI_FORGOTTEN, other, intid);
}

/** Reads the configuration of an LPI again, on whichever PE it is kept. */
export function readKeptConfig(m: Machine, intid: number): undefined {
  m.budget.spend(m.state.peCount);
  for (let pe = 0; pe < m.state.peCount; pe++)
    if (m.state.lpiConfig[pe]!.has(intid)) readConfig(m, pe, intid);
}

/** GICR_INVLPIR, under this profile: an LPI that has no event may be lost. */
export function invalidateKeptLpi(m: Machine, intid: number): void {
  readKeptConfig(m, intid);
  for (let pe = 0; pe < m.state.peCount; pe++)
    if (m.state.lpiPending[pe]!.has(intid) && isLpiWithheld(m, pe, intid)) loseUnmapped(m, pe);
}

/** INV: the Redistributor must read this LPI's configuration again. */
export function invalidateLpi(m: Machine, pe: number, intid: number): void {
  if (m.profile.lpiConfigWhenMapped) {
    readConfig(m, pe, intid);
    return;
  }
  if (!lpisEnabled(m, pe)) return;
  if (m.profile.invReloadsAll) {
    reloadConfigs(m, pe);
    return;
  }
  if (m.state.lpiPending[pe]!.has(intid)) {
    const config = lookUpConfig(m, pe, intid);
    if (config !== m.state.lpiConfig[pe]!.get(intid)) emitConfigured(m, pe, intid, config);
  } else if (m.state.lpiConfig[pe]!.has(intid)) m.emit(LPI_FORGOTTEN, pe, intid);
}

/** INVALL: the Redistributor must read every LPI's configuration again. */
export function invalidateAllLpis(m: Machine, pe: number): void {
  if (m.profile.lpiConfigWhenMapped) {
    const known = [...m.state.lpiConfig[pe]!.keys()].sort((a, b) => a - b);
    m.budget.spend(EVENT_WORK * known.length);
    for (const intid of known) readConfig(m, pe, intid);
    loseUnmapped(m, pe);
    return;
  }
  if (!lpisEnabled(m, pe)) return;
  if (m.profile.lpiConfig === 'until-invalidated') {
    m.budget.spend(EVENT_WORK * m.state.lpiConfig[pe]!.size);
    for (const intid of [...m.state.lpiConfig[pe]!.keys()].sort((a, b) => a - b))
      if (!m.state.lpiPending[pe]!.has(intid)) m.emit(LPI_FORGOTTEN, pe, intid);
  }
  reloadConfigs(m, pe);
}

/** Moves the pending state of one LPI to another PE, if it is pending. */
export function moveLpi(m: Machine, from: number, to: number, intid: number): void {
  if (m.profile.lpiConfigWhenMapped) moveConfig(m, from, to, intid);
  if (!lpisEnabled(m, from)) return;
  if (!lpisEnabled(m, to)) return m.unpredictable('move-to-disabled-lpis', to, intid);
  const wasOverlooked = isOverlooked(m.state, from, intid);
  const wasPending = clearLpiPending(m, from, intid);
  forgetConfig(m, from, intid);
  if (!wasPending) return;
  setLpiPending(m, to, intid, 'moved');
  if (wasOverlooked) overlookLpi(m, to, intid);
}

/** The configuration of an LPI is where the LPI is. */
function moveConfig(m: Machine, from: number, to: number, intid: number): void {
  const config = m.state.lpiConfig[from]!.get(intid);
  if (config === undefined) return;
  if (config !== m.state.lpiConfig[to]!.get(intid)) emitConfigured(m, to, intid, config & ~CONFIG_OVERLOOKED);
  if (!m.state.lpiPending[from]!.has(intid)) m.emit(LPI_FORGOTTEN, from, intid);
}

/** Drops the cached configuration of an LPI that has moved to another Redistributor. If it comes back, it is read again. */
function forgetConfig(m: Machine, pe: number, intid: number): void {
  if (m.profile.lpiConfig === 'until-invalidated' && m.state.lpiConfig[pe]!.has(intid))
    m.emit(LPI_FORGOTTEN, pe, intid);
}

/** Moves the pending state of every LPI of a PE to another. */
export function moveAllLpis(m: Machine, from: number, to: number): void {
  if (!lpisEnabled(m, from) || !lpisEnabled(m, to)) return;
  const limit = Math.min(lpiLimit(m, from), lpiLimit(m, to));
  if (m.profile.lpiConfigWhenMapped)
    for (const intid of [...m.state.lpiConfig[from]!.keys()].sort((a, b) => a - b))
      moveConfig(m, from, to, intid);
  m.budget.spend(EVENT_WORK * (m.state.lpiPending[from]!.size + m.state.lpiConfig[from]!.size));
  for (const intid of [...m.state.lpiPending[from]!].sort((a, b) => a - b)) {
    if (intid >= limit) continue;
    const wasOverlooked = isOverlooked(m.state, from, intid);
    m.emit(LPI_CLEARED, from, intid);
    setLpiPending(m, to, intid, 'moved');
    if (wasOverlooked) overlookLpi(m, to, intid);
  }
  for (const intid of [...m.state.lpiConfig[from]!.keys()].sort((a, b) => a - b))
    forgetConfig(m, from, intid);
  if (m.profile.rescanOnClear) {
    reloadConfigs(m, from);
    reloadConfigs(m, to);
  }
}

/** LPIs are disabled, and the pending state of all is lost. */
export function dropPending(m: Machine, pe: number): void {
  for (const intid of [...m.state.lpiPending[pe]!].sort((a, b) => a - b)) m.emit(LPI_CLEARED, pe, intid);
}

/** EnableLPIs was set: loads the pending LPIs from the pending table in guest memory. */
export function loadPendingTable(m: Machine, pe: number): void {
  const saysZero = (m.state.pendbaser[2 * pe + 1]! & PTZ_HIGH) !== 0;
  if (saysZero) noteNotZero(m, pe);
  const zero = m.profile.ptzTrusted && saysZero;
  takePending(m, pe, zero ? [] : readPendingTable(m, pe));
}

/** Software said by PTZ that the pending table is zero. Emits that it is not, if a bit in it is known to be set. */
function noteNotZero(m: Machine, pe: number): void {
  const first = LPI_FIRST / 8;
  const { memory } = m.state;
  const address = pendingTableAddress(m.state, pe) + first;
  let intid = 0;
  memory.scan(address, Math.max(0, lpiLimit(m, pe) / 8 - first), (offset, byte) => {
    if (intid === 0 && memory.isKnown(address + offset))
      intid = 8 * (first + offset) + 31 - Math.clz32(byte & -byte);
  });
  if (intid !== 0) m.unpredictable('pending-table-not-zero', pe, intid);
}

/** The LPIs that are pending in the pending table, in order. */
function readPendingTable(m: Machine, pe: number): readonly number[] {
  const address = pendingTableAddress(m.state, pe);
  const first = LPI_FIRST / 8;
  const length = Math.max(0, lpiLimit(m, pe) / 8 - first);
  m.witness?.('pending-table', pe, 0, address + first, length);
  const found: number[] = [];
  const known = m.state.memory.scan(address + first, length, (offset, byte) => {
    m.budget.spend(EVENT_WORK);
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) found.push(8 * (first + offset) + bit);
  });
  if (!known && length > 0) {
    const at = address + first;
    m.emit(RECORDS['memory.assumed'].id, NO_PE, at >>> 0, Math.floor(at / 0x1_0000_0000), 8);
  }
  return found;
}

/** Makes these LPIs pending, and no others. */
function takePending(m: Machine, pe: number, found: readonly number[]): void {
  const inTable = new Set(found);
  m.budget.spend(EVENT_WORK * (m.state.lpiPending[pe]!.size + found.length));
  for (const intid of [...m.state.lpiPending[pe]!].sort((a, b) => a - b))
    if (!inTable.has(intid)) m.emit(LPI_CLEARED, pe, intid);
  for (const intid of found) setLpiPending(m, pe, intid, 'table');
}
