// Which INTIDs exist, and where their state is: SGIs, PPIs and extended PPIs in words of their PE, SPIs and extended SPIs
// in words that all PEs share (IHI 0069, "INTIDs"). Events contain INTIDs; indices are used only inside the model.
import { EPPI_FIRST, ESPI_FIRST } from '../spec/index.ts';
import type { GicState } from './state.ts';

/** The difference between an extended PPI's INTID and its index: extended PPIs follow the PPIs. */
const EPPI_SHIFT = EPPI_FIRST - 32;

/** The index of the bit of an SGI, PPI or extended PPI of a PE in `state.ppi`. */
export function privateIndex(state: GicState, pe: number, intid: number): number {
  return 32 * state.ppiWords * pe + (intid < 32 ? intid : intid - EPPI_SHIFT);
}

/** The index of the bit of an SPI or extended SPI in `state.spi`. */
export function sharedIndex(state: GicState, intid: number): number {
  return intid < ESPI_FIRST ? intid : state.espiBase + intid - ESPI_FIRST;
}

/** The INTID of the n-th interrupt of a PE. */
export function privateIntid(n: number): number {
  return n < 32 ? n : n + EPPI_SHIFT;
}

/** The INTID with this index in `state.spi`. */
export function sharedIntid(state: GicState, index: number): number {
  return index < state.espiBase ? index : index - state.espiBase + ESPI_FIRST;
}

/** Whether the GIC implements this SGI, PPI or SPI. */
export function hasInterrupt(state: GicState, intid: number): boolean {
  if (intid < state.irqCount) return true;
  if (intid < ESPI_FIRST) return intid >= EPPI_FIRST && intid < EPPI_SHIFT + 32 * state.ppiWords;
  return intid < ESPI_FIRST + state.espiCount;
}
