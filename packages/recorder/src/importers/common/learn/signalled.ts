// Lines about what a PE is signalled: compares them with the model over one stimulus, and learns from each.
import type { GicState } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { SPURIOUS } from '@gictrace/core/spec';
import type { Losses } from '../losses.ts';
import { GIC_RESET, HPPI } from '../record-kinds.ts';
import type { Effects } from './effects.ts';
import type { Explainer } from './explain.ts';
import { CUT_END, type Judge } from './judge.ts';
import type { Knowing } from './knowing.ts';
import { type LineComparison, lineOf, type Mismatch } from './line-comparison.ts';
import type { Machines } from './machines.ts';
import type { Shared } from './shared.ts';
import type { Place } from './source-facts.ts';
import type { Unknowns } from './unknowns.ts';

const PRINTED = 1;
const PRINTED_WITH_LINES = 2;

export class SignalledLines {
  private readonly state: GicState;
  private readonly machines: Machines;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private readonly explainer: Explainer;
  private readonly effects: Effects;
  private readonly losses: Losses;
  private readonly place: Place;
  private readonly contradictions: number[];
  private readonly judge: Judge;
  private readonly comparison: LineComparison | undefined;
  private readonly mismatches: Mismatch[];
  /** By PE: whether a line has printed what it is signalled, and whether with the interrupt lines. */
  private readonly printed: Uint8Array;

  /**
   * `comparison` compares the lines with what the model signals; undefined if the source has no such lines. Differences are
   * put into `mismatches`.
   */
  constructor(shared: Shared, judge: Judge, comparison: LineComparison | undefined, mismatches: Mismatch[]) {
    this.state = shared.machines.ahead.state;
    this.machines = shared.machines;
    this.unknowns = shared.unknowns;
    this.knowing = shared.knowing;
    this.explainer = shared.explainer;
    this.effects = shared.effects;
    this.losses = shared.losses;
    this.place = shared.place;
    this.contradictions = shared.contradictions;
    this.judge = judge;
    this.comparison = comparison;
    this.mismatches = mismatches;
    this.printed = new Uint8Array(this.state.peCount);
  }

  /**
   * Handles a line about a PE that belongs to the stimulus at record `from`. If the model signals something else, and
   * nothing is outstanding, the line reveals state.
   */
  line(group: RecordBatch, from: number, i: number): void {
    const pe = group.pe[i]!;
    if (pe < 0 || pe >= this.state.peCount) return;
    const at = i * RECORD_WORDS;
    const target = lineOf(group, i);
    if (this.mismatches.some((one) => one.at === i)) {
      this.knowing.clear();
      if (this.explainer.explain(pe, target, 'hppi') && isSignalled(this.state, group, i)) {
        if (this.knowing.batch.count > 0) group.flags[i]! |= RECORD_FLAGS.undecided;
        this.machines.commitLearnt(this.knowing.batch, group, i);
      } else {
        // Returns to what has been handed on. Half an explanation is not one.
        this.machines.goBack();
        if (this.place.isEnd) this.losses.add(CUT_END);
        const isOpen =
          (this.unknowns.isVolatile || this.judge.isObscure) && !this.judge.isImpossible(group, from, i);
        if (isOpen || this.place.isEnd) group.flags[i]! |= RECORD_FLAGS.undecided;
        else this.contradictions.push(group.line[i]!);
        return;
      }
    }
    this.printed[pe] = target.line < 0 ? PRINTED : PRINTED_WITH_LINES;
    // The line repeats an undecided one before it, which the model has not taken.
    const isOfPe = (k: number) => group.kind[k] === HPPI && group.pe[k] === pe;
    for (let k = from; k < i; k++)
      if (isOfPe(k) && group.flags[k]! & RECORD_FLAGS.undecided && !isSignalled(this.state, group, i))
        group.flags[i]! |= RECORD_FLAGS.undecided;
    const w = group.words;
    this.effects.signalled(pe, w[at]!, w[at + 1]!, w[at + 2]!, target.line);
  }

  /** Another state was loaded, of which nothing has been printed. */
  forget(): void {
    this.printed.fill(0);
  }

  /**
   * Whether the source has already printed what a PE is signalled, so that an acknowledge reveals nothing more, since
   * each change is printed. If the interrupt lines are not printed, it may still reveal whether they are asserted.
   */
  isPrinted(pe: number, intid: number): boolean {
    const printed = this.printed[pe]!;
    if (printed === 0 || this.unknowns.isVolatile) return false;
    return printed === PRINTED_WITH_LINES || (intid !== SPURIOUS && intid !== this.state.hppiIntid[pe]);
  }

  /** Compares what the model signalled to PEs with the lines of the source, and puts differences into `mismatches`. */
  compare(group: RecordBatch, from: number, end: number): void {
    // V8 calls its runtime to set the length of an array.
    if (this.mismatches.length > 0) this.mismatches.length = 0;
    // A reset withdraws what was signalled, and nothing is printed for it.
    const before = group.kind[from] === GIC_RESET ? this.state : this.machines.behind.state;
    this.comparison?.compare(before, group, from + 1, end, this.machines.shown, this.mismatches);
  }
}

/** Whether the state signals to a PE what a line says. */
function isSignalled(state: GicState, group: RecordBatch, i: number): boolean {
  const pe = group.pe[i]!;
  const w = i * RECORD_WORDS;
  const { words } = group;
  const isSame =
    words[w] === state.hppiIntid[pe] &&
    words[w + 1] === state.hppiGroup[pe] &&
    words[w + 2] === state.hppiPriority[pe];
  if (!isSame || group.flags[i]! & RECORD_FLAGS.valueUnknown) return isSame;
  return words[w + 3] === state.fiq[pe] && words[w + 4] === state.irq[pe];
}
