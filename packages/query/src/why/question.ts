// What can be asked, and the form of an answer. Types only.

/** Which interrupt: one of `intid`, `device` and `vintid` is given. */
export interface Question {
  /** A physical INTID. */
  readonly intid?: number;
  readonly device?: number;
  /** Of the device; without it, all its events. */
  readonly event?: number;
  readonly vintid?: number;
  /** vPEID, to which the vINTID belongs. */
  readonly vpe?: number;
  /** Only for this PE. */
  readonly pe?: number;
  /** The record about which the question is; without it, the whole trace. */
  readonly at?: number;
  /** Why it did not arrive, even if other interrupts of this INTID did. */
  readonly not?: boolean;
}
