// Whether each PE ends its interrupts in the order in which the architecture has them end.
//
// 1. PE 0 acknowledges INTID 40. INTID 27 has a higher priority and preempts it, so PE 0 acknowledges 27 too.
// 2. It writes 40 to ICC_EOIR1_EL1. IHI 0069, "ICC_EOIR1_EL1", asks for the INTID of the most recent valid read of an
//    acknowledge register, here 27. What is dropped is the running priority, which is that of 27 all the same.
// 3. Either the guest breaks the rule, or the value in the recording is wrong. From here on a GIC that believes the
//    recording has 27 active where the real one may not, so the trace may differ anywhere later.
//
// A replay cannot decide which of the two it is. So it is a divergence at the write, unless the user allows `eoi-order`,
// and what differs later names it as a suspect.
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';

const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const DROPPED = RECORDS['irq.dropped'].id;

/** An EOI of an interrupt other than the one that its PE acknowledged last. */
export interface WrongEnd {
  /** INTIDs. */
  readonly expected: number;
  readonly ended: number;
  readonly text: string;
}

export class EoiOrder {
  /** By PE: the interrupts that it has acknowledged and not ended. */
  private readonly acknowledged: number[][];

  constructor(peCount: number) {
    this.acknowledged = Array.from({ length: peCount }, () => []);
  }

  /** Returns to the initial state, in which nothing is acknowledged. */
  reset(): void {
    for (const stack of this.acknowledged) stack.length = 0;
  }

  /** The source leaves open what a PE acknowledged or ended, so nothing earlier is known. */
  forget(pe: number): void {
    const stack = this.acknowledged[pe];
    if (stack !== undefined) stack.length = 0;
  }

  /** Takes an event of the backend. Returns what is wrong with it, or undefined. */
  take(shown: RecordBatch, i: number): WrongEnd | undefined {
    const kind = shown.kind[i];
    if (kind !== ACKNOWLEDGED && kind !== DROPPED) return undefined;
    const pe = shown.pe[i]!;
    const intid = shown.words[i * RECORD_WORDS]!;
    const stack = this.acknowledged[pe]!;
    if (kind === ACKNOWLEDGED) {
      stack.push(intid);
      return undefined;
    }
    const expected = stack.pop();
    if (expected === undefined || expected === intid) return undefined;
    const text = `PE${pe} ended INTID ${intid}, but the one it acknowledged last is ${expected}`;
    return { expected, ended: intid, text };
  }
}
