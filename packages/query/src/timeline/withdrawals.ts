// What made a pending interrupt cease to be pending without an acknowledge: the ITS command, register write or input line,
// according to the simulator. It knows no SQL.
import { KIND, PEND_CAUSES, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { decodeCommand, registerAt } from '@gictrace/core/spec';

const MOVED = PEND_CAUSES.indexOf('moved');

/** What made a pending interrupt cease to be pending. */
export interface Withdrawal {
  /** An ITS command, a register, `wire` or `gic.reset`; null if that was not seen. */
  readonly by: string | null;
  /** The PE to which its pending state moved; null if it did not move. For a vLPI, -1 if the vPE is not resident. */
  readonly movedTo: number | null;
}
export const NOT_SEEN: Withdrawal = { by: null, movedTo: null };

/** Examines the current stimulus and what the simulator did for it. */
export class Withdrawals {
  private stimulus: RecordBatch | undefined;
  private index = 0;

  /** Begins the stimulus `batch[i]`, which has not run yet. */
  begin(batch: RecordBatch, i: number): void {
    this.stimulus = batch;
    this.index = i;
  }

  /** Event `emitted[i]` took the pending state from LPI, SPI, PPI or SGI `intid`. */
  of(emitted: RecordBatch, i: number, intid: number): Withdrawal {
    return { by: this.by(emitted, i), movedTo: movedTo(emitted, i, KIND['lpi.pended'], 0, 1, intid) };
  }

  /** Event `emitted[i]` took the pending state from vLPI `vintid`. */
  ofVirtual(emitted: RecordBatch, i: number, vintid: number): Withdrawal {
    return { by: this.by(emitted, i), movedTo: movedTo(emitted, i, KIND['vlpi.pended'], 2, 3, vintid) };
  }

  private by(emitted: RecordBatch, i: number): string | null {
    const { stimulus, index } = this;
    if (stimulus === undefined) return null;
    // The simulator emits the record of a command after what the command did.
    for (let k = i + 1; k < emitted.count; k++)
      if (emitted.kind[k] === KIND['its.command'])
        return decodeCommand(emitted.words, k * RECORD_WORDS + 4)?.name ?? null;
    const at = index * RECORD_WORDS;
    if (stimulus.kind[index] === KIND['wire.set']) return 'wire';
    if (stimulus.kind[index] !== KIND['mmio.write']) return null;
    return registerAt(stimulus.words[at]!, stimulus.words[at + 2]!)?.label ?? null;
  }
}

function movedTo(
  emitted: RecordBatch,
  i: number,
  kind: number,
  intidAt: number,
  causeAt: number,
  intid: number,
): number | null {
  for (let k = i + 1; k < emitted.count; k++) {
    const at = k * RECORD_WORDS;
    // What follows was done by another command.
    if (emitted.kind[k] === KIND['its.command']) return null;
    if (
      emitted.kind[k] === kind &&
      emitted.words[at + intidAt] === intid &&
      emitted.words[at + causeAt] === MOVED
    )
      return emitted.pe[k]!;
  }
  return null;
}
