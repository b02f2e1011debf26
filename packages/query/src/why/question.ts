// What can be asked, and the form of an answer, which is the same for all GICs. Types only.

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

/** A record that an answer names. */
export interface Named {
  readonly record: number;
  /** Line of the source; null if the record has none. */
  readonly line: number | null;
  readonly timeNs: number | null;
  /** The record, decoded. */
  readonly text: string;
  /** What it did, or what is missing; empty if the record says it itself. */
  readonly what: string;
}

/** What became of the interrupt: it was acknowledged; something kept it from that; nothing asked for it; not in the source. */
export type Outcome = 'delivered' | 'not delivered' | 'late' | 'not ended' | 'never pending' | 'unknown';

export interface Finding {
  readonly kind: string;
  readonly reason: string;
  /** What the reason means. */
  readonly meaning: string;
  readonly pe: number | null;
  /** Null if nothing in the trace is the cause; `why` then says what is missing or not in the source. */
  readonly cause: Named | null;
  readonly why: string;
  /** Other records of the cause. */
  readonly also: readonly Named[];
  readonly from: number;
  readonly to: number | null;
  readonly fromNs: number | null;
  readonly toNs: number | null;
  /** How many lifetimes or messages ended without an acknowledge because of it. */
  readonly lost: number;
  /** How often the source says that a PE acknowledged it all the same. */
  readonly contradicted: number;
  readonly opens: string | null;
}

export interface Answer {
  readonly question: Question;
  readonly subject: string;
  readonly outcome: Outcome;
  readonly headline: string;
  /** What explains the outcome; null if nothing blocked it. */
  readonly finding: Finding | null;
  readonly counterfactual: Counterfactual | null;
  /** What changed on its way since it was last delivered before the finding. */
  readonly changed: readonly Named[];
  readonly way: readonly Step[];
  /** Other findings, the worst first. */
  readonly others: readonly Finding[];
  /** Lifetimes, and how many of them were acknowledged; messages, and how many were dropped. */
  readonly counts: {
    readonly lifetimes: number;
    readonly acknowledged: number;
    readonly messages: number;
    readonly dropped: number;
  };
  readonly notes: readonly string[];
}

/** One stage of the way. */
export interface Step {
  readonly stage: string;
  /** Whether the interrupt passed it; `open` if the stage is a condition that was met. */
  readonly state: 'passed' | 'open' | 'blocked' | 'not reached' | 'not in the source';
  /** The record that decided it; null if it was so when the trace began, or is not in the source. */
  readonly at: Named | null;
  readonly text: string;
}

/** What a replay with a changed trace showed. */
export interface Counterfactual {
  /** What was changed. */
  readonly change: string;
  /** For pending state that was lost, `arrives` means that it is not lost then. */
  readonly outcome: 'arrives' | 'does not arrive' | 'not tried';
  /** The record at which the interrupt is signalled then, or why nothing was tried. */
  readonly record: number | null;
  readonly text: string;
}
