// By what a pending interrupt ceased to be pending without an acknowledge: the command, register write or wire, as far as
// the simulator shows it. Knows no SQL.
import {
  decodeCommand,
  PEND_CAUSES,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  registerAt,
} from '@gictrace/core';

const ITS_COMMAND = RECORDS['its.command'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const VLPI_PENDED = RECORDS['vlpi.pended'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const MOVED = PEND_CAUSES.indexOf('moved');

/** How a life of a pending interrupt ended. */
export interface Withdrawal {
  /** An ITS command, a register, `wire`; null where it is not told. */
  readonly by: string | null;
  /** PE on which it went on being pending; null: it did not. For a vLPI -1: the vPE is not resident. */
  readonly movedTo: number | null;
}
export const NOT_TOLD: Withdrawal = { by: null, movedTo: null };

/** Looks at the stimulus that is being done, and at what it caused. */
export class Withdrawals {
  private stimulus: RecordBatch | undefined;
  private index = 0;

  /** The stimulus `batch[i]` is being done. */
  begin(batch: RecordBatch, i: number): void {
    this.stimulus = batch;
    this.index = i;
  }

  /** Event `shown[i]` took the pending state from LPI, SPI, PPI or SGI `intid`. */
  of(shown: RecordBatch, i: number, intid: number): Withdrawal {
    return { by: this.by(shown, i), movedTo: this.movedTo(shown, i, LPI_PENDED, 0, 1, intid) };
  }

  /** Event `shown[i]` took the pending state from vLPI `vintid`. */
  ofVirtual(shown: RecordBatch, i: number, vintid: number): Withdrawal {
    return { by: this.by(shown, i), movedTo: this.movedTo(shown, i, VLPI_PENDED, 2, 3, vintid) };
  }

  private by(shown: RecordBatch, i: number): string | null {
    const { stimulus, index } = this;
    if (stimulus === undefined) return null;
    // A command is shown behind what it did.
    for (let k = i + 1; k < shown.count; k++)
      if (shown.kind[k] === ITS_COMMAND) {
        const command = decodeCommand(shown.words, k * RECORD_WORDS + 4);
        return command?.name ?? null;
      }
    const at = index * RECORD_WORDS;
    if (stimulus.kind[index] === WIRE_SET) return 'wire';
    if (stimulus.kind[index] !== MMIO_WRITE) return null;
    return registerAt(stimulus.words[at]!, stimulus.words[at + 2]!)?.label ?? null;
  }

  private movedTo(
    shown: RecordBatch,
    i: number,
    kind: number,
    intidAt: number,
    causeAt: number,
    intid: number,
  ): number | null {
    for (let k = i + 1; k < shown.count; k++) {
      const at = k * RECORD_WORDS;
      // What another command did is another story.
      if (shown.kind[k] === ITS_COMMAND) return null;
      if (
        shown.kind[k] === kind &&
        shown.words[at + intidAt] === intid &&
        shown.words[at + causeAt] === MOVED
      )
        return shown.pe[k]!;
    }
    return null;
  }
}
