// Follows the choices of an implementation among interrupts of the same priority (IHI 0069, "Interrupt prioritization").
//
// 1. SGI 1 and PPI 27 are pending for PE 0 with the same priority. The recorded GIC had PE 0 acknowledge 27; this
//    implementation acknowledges 1. Both are right.
// 2. The recorded guest handles 27: its timer's line goes low. It writes 27 to ICC_EOIR1_EL1. This implementation has 1
//    active and not 27, so it is given 1 to end.
// 3. The recorded guest acknowledges 1. This implementation has it behind itself, and 27 is no longer pending: a read of
//    1023 is right here, and 1 would be an interrupt that is signalled twice.
//
// So what is right from 1 on cannot be read in the recording. Two simulators run beside the replay: `plain` is given what was
// recorded, and `shadow` what the implementation was given, with its choices. As long as there has been no choice they are
// the same, and there is only one. Where they differ, the shadow says what is expected. An interrupt of another priority is no
// choice, and remains a divergence.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import {
  checkpointOf,
  Machine,
  peekSysreg,
  prefer,
  returnTo,
  type Signalled,
  signalledTo,
  step,
  tieOf,
  tiesOf,
} from '@gictrace/core/model';
import { actOf, KIND, RECORD_FLAGS, RECORD_WORDS, RecordBatch, responseAt } from '@gictrace/core/record';
import { isSpecial, SYSREGS } from '@gictrace/core/spec';
import type { Response } from './responses.ts';

const INTID_MASK = 0xff_ffff;
const SPLIT = 2; // ICC_CTLR_EL1.EOImode

/** What a choice was made about, for the verdict. */
export const CHOICES = {
  acknowledged: 'which of several interrupts with the same priority is acknowledged',
  signalled: 'which of several interrupts with the same priority is signalled',
  follows: 'what follows from another choice among interrupts with the same priority',
} as const;
export type Choice = keyof typeof CHOICES;

/** What a read should return where the recording does not say it. */
export interface Expected {
  readonly low: number;
  readonly high: number;
  readonly choice: Choice;
}

/** What the recorded guest ends as one interrupt, if that is another for the implementation or for the shadow. */
interface Taken {
  readonly shadow: number;
  readonly other: number;
}

export class Following {
  private readonly config: GicConfig;
  private readonly shadow: Machine;
  private plain: Machine | undefined;
  /** By PE: what it acknowledged in place of an INTID that the recorded guest acknowledged. */
  private readonly taken: Map<number, Taken>[];
  /** By PE: the INTID that the implementation signalled last, or -1. */
  private readonly presented: Int32Array;
  private readonly one = new RecordBatch(1);
  /** Interrupts that the implementation acknowledged where the recorded guest found none, and which nobody would end. */
  private unended: RecordBatch | undefined;
  /** The model has given up, so nothing can be followed any more. */
  private isLost = false;

  constructor(config: GicConfig) {
    this.config = config;
    this.shadow = new Machine(config);
    this.taken = config.pes.map(() => new Map());
    this.presented = new Int32Array(config.pes.length).fill(-1);
  }

  // ---- what the implementation is given -----------------------------------------------------------------------

  /** Whether what follows depends on the implementation's answer to this stimulus. */
  awaits(batch: RecordBatch, i: number): boolean {
    const act = batch.kind[i] === KIND['sysreg.read'] ? actOf(batch, i) : undefined;
    return act?.does === 'acknowledge' && !act.isVirtual;
  }

  /**
   * Replaces the INTID that a stimulus ends by the one that the implementation acknowledged in its place. Returns false if
   * it acknowledged none, so that there is nothing to end.
   */
  translate(batch: RecordBatch, i: number): boolean {
    const taken = this.takenFor(batch, i);
    if (taken === undefined) return true;
    if (isSpecial(taken.other)) return false;
    this.put(batch, i, taken.other);
    return true;
  }

  /** What the implementation is to be given now, although nothing was recorded of it; undefined if nothing is. */
  toEnd(): RecordBatch | undefined {
    const { unended } = this;
    this.unended = undefined;
    return unended;
  }

  /** Whether a PE has acknowledged what is still to be ended (`toEnd`), so that what it is signalled now is passing. */
  isBetween(pe: number): boolean {
    return this.plain !== undefined && this.unended?.pe[0] === pe;
  }

  private takenFor(batch: RecordBatch, i: number): Taken | undefined {
    if (batch.kind[i] !== KIND['sysreg.write']) return undefined;
    const act = actOf(batch, i);
    if (act === undefined || act.isVirtual || (act.does !== 'end' && act.does !== 'deactivate'))
      return undefined;
    return this.taken[batch.pe[i]!]?.get(batch.words[i * RECORD_WORDS + 1]! & INTID_MASK);
  }

  private put(batch: RecordBatch, i: number, intid: number): void {
    const at = i * RECORD_WORDS + 1;
    batch.words[at] = (batch.words[at]! & ~INTID_MASK) | intid;
  }

  // ---- what was recorded, and what was answered ----------------------------------------------------------------

  /**
   * Runs a recorded stimulus. `response`: what the implementation answered, if it did. Returns what it should have
   * answered, if the recording does not say that.
   */
  step(batch: RecordBatch, i: number, response?: Response): Expected | undefined {
    if (this.isLost) return undefined;
    try {
      return this.stepBoth(batch, i, response);
    } catch (error) {
      if (!(error instanceof GicTraceError) || error.code !== 'limit') throw error;
      this.isLost = true;
      return undefined;
    }
  }

  private stepBoth(batch: RecordBatch, i: number, response: Response | undefined): Expected | undefined {
    const act = batch.kind[i] === KIND['sysreg.read'] ? actOf(batch, i) : undefined;
    const isPhysical = act !== undefined && !act.isVirtual && batch.pe[i]! in this.taken;
    if (isPhysical && act.does === 'acknowledge' && response !== undefined)
      return this.acknowledge(batch, i, response.low & INTID_MASK);
    if (isPhysical && act.does === 'show' && response !== undefined)
      return this.peek(batch, i, response.low & INTID_MASK);
    const taken = this.takenFor(batch, i);
    if (taken === undefined) step(this.shadow, batch, i);
    else if (!isSpecial(taken.shadow)) {
      const own = this.copied(batch, i);
      this.put(own, 0, taken.shadow);
      step(this.shadow, own, 0);
    }
    if (this.plain !== undefined) step(this.plain, batch, i);
    return this.expected(batch, i);
  }

  private acknowledge(batch: RecordBatch, i: number, other: number): Expected | undefined {
    const { shadow } = this;
    const pe = batch.pe[i]!;
    const isChoice =
      !isSpecial(other) && other !== shadow.state.hppiIntid[pe] && tieOf(shadow, pe, other) !== undefined;
    if (isChoice) {
      this.fork();
      prefer(shadow, pe, other);
    } else if (isSpecial(other)) this.preferSpecial(batch, i, other);
    step(shadow, batch, i);
    const own = shadow.low & INTID_MASK;
    const expected: Expected = { low: shadow.low, high: shadow.high, choice: 'acknowledged' };
    if (this.plain !== undefined) step(this.plain, batch, i);
    const follows = this.expected(batch, i);
    this.take(batch, i, own, other);
    return isChoice ? expected : follows;
  }

  /** Notes what the recorded guest will end, and what that is here. */
  private take(batch: RecordBatch, i: number, shadow: number, other: number): void {
    const taken = this.taken[batch.pe[i]!]!;
    if (batch.flags[i]! & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided)) return;
    const recorded = batch.words[i * RECORD_WORDS + 1]! & INTID_MASK;
    if (isSpecial(recorded)) {
      if (!isSpecial(shadow)) for (const write of this.endOf(batch, i, shadow)) step(this.shadow, write, 0);
      if (!isSpecial(other)) {
        const ends = this.endOf(batch, i, other);
        this.unended = new RecordBatch(ends.length);
        for (const write of ends) this.unended.copy(write, 0);
      }
    } else if (recorded === shadow && recorded === other) taken.delete(recorded);
    else taken.set(recorded, { shadow, other });
  }

  /** What a PE writes to end an interrupt that it has acknowledged by record `i`. */
  private endOf(batch: RecordBatch, i: number, intid: number): RecordBatch[] {
    const pe = batch.pe[i]!;
    const group = actOf(batch, i)!.group;
    const registers: number[] = [(group === 0 ? SYSREGS.ICC_EOIR0_EL1 : SYSREGS.ICC_EOIR1_EL1).encoding];
    if (this.shadow.state.ctlr[pe]! & SPLIT) registers.push(SYSREGS.ICC_DIR_EL1.encoding);
    return registers.map((encoding) => {
      const write = new RecordBatch(1);
      write.flags[write.push(KIND['sysreg.write'], pe, batch.timeNs[i]!)] = batch.flags[i]!;
      write.words.set([encoding, intid, 0]);
      return write;
    });
  }

  /** ICC_HPPIR0_EL1 and ICC_HPPIR1_EL1: an interrupt that is as good as the recorded one is as right. */
  private peek(batch: RecordBatch, i: number, other: number): Expected | undefined {
    const { shadow } = this;
    const pe = batch.pe[i]!;
    if (isSpecial(other)) this.preferSpecial(batch, i, other);
    else if ((tieOf(shadow, pe, other)?.[1] ?? shadow.state.hppiGroup[pe]) !== shadow.state.hppiGroup[pe]) {
      this.fork();
      prefer(shadow, pe, other);
    }
    const own = this.copied(batch, i);
    step(shadow, own, 0);
    if (this.plain !== undefined) step(this.plain, own, 0);
    const chosen = shadow.state.hppiIntid[pe]!;
    if (isSpecial(other) || (shadow.low & INTID_MASK) !== chosen || other === chosen)
      return this.expected(batch, i);
    const tie = tieOf(shadow, pe, other);
    if (tie === undefined || tie[1] !== shadow.state.hppiGroup[pe]) return this.expected(batch, i);
    return { low: (shadow.low & ~INTID_MASK) | other, high: shadow.high, choice: 'signalled' };
  }

  /**
   * The implementation returned a special INTID. If the model would return another INTID, the implementation may have chosen
   * an interrupt that is as good and which the register does not show: one of another group, or of a group that is disabled.
   *
   * 1. SGI 12, of Group 0, and SGI 13, of Group 1, are pending with the same priority; the PE has enabled Group 1 only.
   * 2. At EL3, ICC_IAR0_EL1 returns 1023 if SGI 12 has been chosen, and 1021 if SGI 13 has.
   */
  private preferSpecial(batch: RecordBatch, i: number, other: number): void {
    const { shadow } = this;
    const pe = batch.pe[i]!;
    const own = shadow.state.hppiIntid[pe]!;
    const [register] = batch.words.subarray(i * RECORD_WORDS);
    const flags = batch.flags[i]!;
    const isSecure = (flags & RECORD_FLAGS.secure) !== 0;
    const isEl3 = (flags & RECORD_FLAGS.el3) !== 0;
    const agrees = () => peekSysreg(shadow, pe, register!, isSecure, isEl3) === other;
    if (isSpecial(own) || agrees()) return;
    const ties = [...tiesOf(shadow, pe)].map(([intid]) => intid);
    const presented = ties.filter((intid) => intid === this.presented[pe]);
    const chosen = [...presented, ...ties].find((intid) => {
      prefer(shadow, pe, intid);
      return agrees();
    });
    prefer(shadow, pe, own);
    if (chosen === undefined) return;
    this.fork();
    prefer(shadow, pe, chosen);
  }

  private copied(batch: RecordBatch, i: number): RecordBatch {
    this.one.clear();
    this.one.copy(batch, i);
    return this.one;
  }

  private expected(batch: RecordBatch, i: number): Expected | undefined {
    const { shadow, plain } = this;
    if (plain === undefined || responseAt(batch.kind[i]!) < 0 || shadow.unsupported || plain.unsupported)
      return undefined;
    if (shadow.low === plain.low && shadow.high === plain.high) return undefined;
    return { low: shadow.low, high: shadow.high, choice: 'follows' };
  }

  private fork(): void {
    if (this.plain !== undefined) return;
    this.plain = new Machine(this.config);
    returnTo(this.plain, checkpointOf(this.shadow));
  }

  /** The implementation signals this to a PE. */
  presents(pe: number, intid: number): void {
    if (pe in this.presented) this.presented[pe] = intid;
  }

  // ---- what PEs are signalled ----------------------------------------------------------------------------------

  /** Whether a PE is signalled something else than the recording says, because of earlier choices. */
  deviates(pe: number): boolean {
    const { plain, shadow } = this;
    if (plain === undefined || this.isLost) return false;
    const own = signalledTo(shadow, pe);
    return signalledTo(plain, pe).some((word, k) => word !== own[k]);
  }

  /** What a PE should be signalled now. */
  signalled(pe: number): Signalled {
    return signalledTo(this.shadow, pe);
  }

  /** Whether a PE may be signalled this now, the first `count` fields of an hppi: the interrupt is as good as the model's. */
  allows(pe: number, words: Uint32Array, at: number, count: number): boolean {
    if (this.isLost || !(pe in this.taken)) return false;
    const tie = tieOf(this.shadow, pe, words[at]!);
    return tie?.slice(0, count).every((word, k) => word === words[at + k]) ?? false;
  }
}
