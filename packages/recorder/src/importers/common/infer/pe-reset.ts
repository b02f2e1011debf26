// Infers that a PE was reset: it wakes again and finds registers of its CPU interface at their reset values.
import { ctlrReset, type GicState } from '@gictrace/core/model';
import { RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { GICR, SYSREGS } from '@gictrace/core/spec';
import { FRAME_GICR, MMIO_WRITE, SYSREG_READ } from '../record-kinds.ts';

const PMR = SYSREGS.ICC_PMR_EL1.encoding;
const CTLR = SYSREGS.ICC_CTLR_EL1.encoding;

export class PeResets {
  private readonly state: GicState;
  /** PEs that wrote their own GICR_WAKER since they last set ICC_PMR_EL1. */
  private readonly woke = new Set<number>();

  constructor(state: GicState) {
    this.state = state;
  }

  /** The machine was reset. */
  reset(): void {
    this.woke.clear();
  }

  /** Whether stimulus `i` of a group shows that its PE was reset before. */
  isShown(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const { words } = group;
    const pe = group.pe[i]!;
    const kind = group.kind[i]!;
    if (kind === MMIO_WRITE && words[w] === FRAME_GICR && words[w + 2] === GICR.GICR_WAKER.offset)
      this.woke.add(words[w + 1]!);
    if (kind !== SYSREG_READ || !this.woke.has(pe) || (words[w] !== PMR && words[w] !== CTLR)) return false;
    const { state } = this;
    const own = words[w] === PMR ? state.pmr[pe]! : state.ctlr[pe]!;
    const reset = words[w] === PMR ? 0 : ctlrReset(state.config);
    // Software sets the mask right after it has read these.
    if (words[w] === PMR) this.woke.delete(pe);
    return words[w + 1] === reset && own !== reset;
  }
}
