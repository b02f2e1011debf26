// Interrupts that a GIC does not signal although they are pending, enabled and forwarded (`overlooksPending`). KVM puts an
// interrupt on a list of its target PE when it becomes pending or enabled, and signals what is on that list. Suppose that
// SPI 40 becomes pending while the Distributor is disabled:
//
// 1. It is put on no list, as the Distributor does not forward it.
// 2. GICD_CTLR is written, and the Distributor is enabled. KVM looks through the lists only: SPI 40 stays where it is.
// 3. GICD_ISENABLER1 is written with the bit of SPI 40, which is set already. KVM now puts it on the list.
//
// This file says which interrupts are overlooked, and when they are taken up after all.
import { IRQ_ATTRIBUTES, NO_PE, RECORDS } from '../record/index.ts';
import { isPrivate, LPI_CONFIG, LPI_FIRST, mask } from '../spec/index.ts';
import { routedPe } from './arbitration.ts';
import { hasInterrupt, privateIndex, privateIntid, sharedIndex, sharedIntid } from './intid.ts';
import type { Machine } from './machine.ts';
import { CONFIG_OVERLOOKED, CONFIG_UNKNOWN, type GicState, type IrqBits } from './state.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const OVERLOOKED = IRQ_ATTRIBUTES.indexOf('overlooked');
const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');

/** The cached configuration of an LPI, whether it is overlooked or not. */
export function keptConfig(state: GicState, pe: number, intid: number): number | undefined {
  const config = state.lpiConfig[pe]!.get(intid);
  return config === undefined || config < CONFIG_OVERLOOKED ? config : config & ~CONFIG_OVERLOOKED;
}

/** Whether an SGI, PPI (of `pe`), SPI or LPI (of `pe`) is overlooked. */
export function isOverlooked(state: GicState, pe: number, intid: number): boolean {
  if (intid >= LPI_FIRST) return (state.lpiConfig[pe]!.get(intid) ?? 0) >= CONFIG_OVERLOOKED;
  if (!hasInterrupt(state, intid)) return false;
  const own = isPrivate(intid);
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  return (((own ? state.ppi : state.spi).overlooked[index >> 5]! >>> (index & 31)) & 1) === 1;
}

/** Among 32 interrupts, those that would be signalled if nothing but the Distributor decided. */
function waiting(bits: IrqBits, word: number): number {
  const pending = bits.pending[word]! | (~bits.edge[word]! & bits.level[word]!);
  return pending & bits.enable[word]! & ~bits.active[word]! & ~bits.overlooked[word]!;
}

/** The Distributor was enabled: what is waiting is overlooked. */
export function overlookAll(m: Machine): void {
  const { state } = m;
  if (!m.profile.overlooksPending) return;
  for (let word = 1; word < state.spi.enable.length; word++)
    for (let left = waiting(state.spi, word); left !== 0; left &= left - 1) {
      const index = 32 * word + 31 - Math.clz32(left & -left);
      if (routedPe(state, index) >= 0) m.emit(IRQ_CHANGED, NO_PE, sharedIntid(state, index), OVERLOOKED, 1);
    }
  for (let pe = 0; pe < state.peCount; pe++) {
    for (let n = 0; n < state.ppiWords; n++)
      for (let left = waiting(state.ppi, state.ppiWords * pe + n); left !== 0; left &= left - 1)
        m.emit(IRQ_CHANGED, pe, privateIntid(32 * n + 31 - Math.clz32(left & -left)), OVERLOOKED, 1);
    for (const intid of [...state.lpiPending[pe]!].sort((a, b) => a - b)) {
      const config = state.lpiConfig[pe]!.get(intid);
      if (config !== undefined && config < CONFIG_UNKNOWN && config & LPI_ENABLE)
        m.emit(IRQ_CHANGED, pe, intid, OVERLOOKED, 1);
    }
  }
}

/** An SPI that named no PE before is routed to one. */
export function overlookRouted(m: Machine, index: number): void {
  if (!m.profile.overlooksPending || ((waiting(m.state.spi, index >> 5) >>> (index & 31)) & 1) === 0) return;
  m.emit(IRQ_CHANGED, NO_PE, sharedIntid(m.state, index), OVERLOOKED, 1);
}

/** An LPI that was overlooked has moved to this PE, where it still is. */
export function overlookLpi(m: Machine, pe: number, intid: number): void {
  m.emit(IRQ_CHANGED, pe, intid, OVERLOOKED, 1);
}

/** Something was done to an SGI, PPI (of `pe`) or SPI that makes the GIC look at it again. */
export function takeUp(m: Machine, pe: number, intid: number): void {
  if (!m.profile.overlooksPending || !isOverlooked(m.state, pe, intid)) return;
  m.emit(IRQ_CHANGED, isPrivate(intid) ? pe : NO_PE, intid, OVERLOOKED, 0);
}
