// Which of two views of priorities a log prints: as Non-secure software wrote them, or as a GIC with two Security states stores
// those of Non-secure software, in the lower half. A log that never names the Security states shows by this that there are two.
import { GICD, GICR, SPURIOUS } from '@gictrace/core/spec';
import { FRAME_GICR } from '../common/record-kinds.ts';

/** By frame. */
const IPRIORITYR: readonly number[] = [GICD.GICD_IPRIORITYR.offset, GICR.GICR_IPRIORITYR.offset];
/** Priority bits that every GIC in QEMU implements. */
const PRIORITY_BITS = 0xf0;
const FIRST_SPI = 32;

/** The key of an interrupt: an SGI or PPI of a PE, or an SPI. */
export function interruptKey(pe: number, intid: number): number {
  return (intid < FIRST_SPI ? pe + 1 : 0) * 2048 + intid;
}

export class PriorityViews {
  /** Priorities that Non-secure software has written, by interrupt. */
  private readonly priorities = new Map<number, number>();
  /** The number of lines with such a priority as it was written, and of those with it as two Security states store it. */
  private unshifted = 0;
  private shifted = 0;

  /** Non-secure software writes a register. `instance`: the PE of a Redistributor. */
  written(frame: number, instance: number, offset: number, width: number, low: number): void {
    const first = offset - (IPRIORITYR[frame] ?? offset + 1);
    if (first < 0 || first >= (frame === FRAME_GICR ? FIRST_SPI : SPURIOUS)) return;
    const pe = frame === FRAME_GICR ? instance : -1;
    for (let k = 0; k < Math.min(width, 4); k++)
      this.priorities.set(interruptKey(pe, first + k), (low >>> (8 * k)) & 0xff);
  }

  /** A PE is signalled an interrupt with this priority. */
  signalled(pe: number, intid: number, priority: number): void {
    const written = this.priorities.get(interruptKey(pe, intid));
    if (written === undefined || intid >= SPURIOUS) return;
    const [as, stored] = [written & PRIORITY_BITS, (0x80 | (written >> 1)) & PRIORITY_BITS];
    if (as === stored) return;
    if ((priority & PRIORITY_BITS) === as) this.unshifted++;
    else if ((priority & PRIORITY_BITS) === stored) this.shifted++;
  }

  /** Whether priorities are signalled as two Security states store them. */
  get isShifted(): boolean {
    return this.shifted > this.unshifted;
  }
}
