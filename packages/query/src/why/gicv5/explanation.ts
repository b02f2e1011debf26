// The answer to a question about an interrupt of a GICv5: what answering.ts leaves to each GIC.
import { GicTraceError, type Gicv5Config } from '@gictrace/core';
import { GICV5_GATES, Gicv5Follow, Gicv5Machine } from '@gictrace/core/gicv5';
import { GICV5_TYPES, gicv5IntidText, gicv5Type, isGicv5Intid } from '@gictrace/core/spec';
import type { KeptState } from '../../database/state/kept.ts';
import type { WaitRow } from '../../timeline/waits.ts';
import { type AskableTrace, Explanation, followed } from '../answering.ts';
import type { Message } from '../gathered.ts';
import type { Answer, Counterfactual, Named, Question, Step } from '../question.ts';
import { Gicv5Confirmation } from './confirmation.ts';
import { Gicv5Gather, type Gicv5Story } from './gather.ts';
import { type Gicv5Incident, Gicv5Incidents } from './incidents.ts';
import { type Gicv5Missing, openingOf } from './reasons.ts';
import { gicv5WayOf } from './way.ts';

/** A trace of a GICv5 that can be asked. */
interface Gicv5Trace extends AskableTrace<Gicv5Config> {
  readonly fromReset: boolean;
}

/**
 * Answers a question. `progress` is called with the number of records that have been read.
 * @throws GicTraceError `usage` for an INTID that has no type, and for virtual interrupts, which are not modelled.
 */
export function whyGicv5(
  trace: Gicv5Trace,
  question: Question,
  progress?: (records: number) => void,
): Answer {
  if (question.vintid !== undefined)
    throw new GicTraceError(
      'usage',
      'the virtual interrupts of a GICv5 are not modelled',
      {},
      'docs/gicv5.md',
    );
  if (question.intid !== undefined && !isGicv5Intid(question.intid))
    throw new GicTraceError(
      'usage',
      `0x${question.intid.toString(16)} has no type of a GICv5 in bits 31:29`,
      {},
      "such as 'PPI 27', 'LPI 3' or 0x2000001b",
    );
  const machine = new Gicv5Machine(trace.config);
  const gather = new Gicv5Gather(machine, question, trace.fromReset);
  const keeper = followed(trace, new Gicv5Follow(machine, gather), gather, progress);
  return new Gicv5Explanation(trace, question, gather, keeper.states()).answer();
}

class Gicv5Explanation extends Explanation<Gicv5Story, Gicv5Missing> {
  private readonly trace: AskableTrace<Gicv5Config>;
  private readonly g: Gicv5Gather;
  private readonly states: readonly KeptState[];

  constructor(
    trace: AskableTrace<Gicv5Config>,
    question: Question,
    gather: Gicv5Gather,
    states: readonly KeptState[],
  ) {
    super(trace, question, gather, new Gicv5Incidents(gather));
    this.trace = trace;
    this.g = gather;
    this.states = states;
  }

  protected override waitsOf({ waits }: Gicv5Story): readonly WaitRow[] {
    return waits;
  }

  protected override intidText(intid: number): string {
    return intid === 0 ? 'no interrupt' : gicv5IntidText(intid);
  }

  protected override subjectOf(found: Gicv5Incident | undefined): string {
    const { question, g } = this;
    if (question.intid !== undefined) return gicv5IntidText(question.intid);
    const event = question.event ?? found?.messages[0]?.event;
    const of = event === undefined ? '' : ` EventID 0x${event.toString(16)}`;
    const [first] = g.intids;
    const lpi = g.intids.size === 1 ? ` (${gicv5IntidText(first!)})` : '';
    return `DeviceID 0x${question.device!.toString(16)}${of}${lpi}`;
  }

  protected override meaningOf({ reason }: Gicv5Incident): string {
    return (GICV5_GATES as Readonly<Record<string, string>>)[reason] ?? '';
  }

  protected override openingOf({ reason, pe }: Gicv5Incident): string | null {
    return openingOf(reason, pe);
  }

  protected override counterfactual(incident: Gicv5Incident): Counterfactual {
    return new Gicv5Confirmation(this.trace, this.states, this.g.records).counterfactual(incident);
  }

  protected override changed(): Named[] {
    return [];
  }

  protected override way(story: Gicv5Story | undefined, message: Message | undefined): Step[] {
    return gicv5WayOf(this.g, story, message, this.names);
  }

  /** What the source leaves undecided may have blocked a PPI. */
  protected override nothing(): string {
    const isPpi = [...this.g.intids].some((intid) => gicv5Type(intid) === GICV5_TYPES.PPI);
    return isPpi && this.g.undecided.length > 0 ? 'nothing that the source decides' : 'nothing';
  }

  protected override neverPending(): string {
    return this.question.device !== undefined
      ? 'never pending: the trace contains no message of it'
      : 'never pending: no input line, message or GIC CDPEND of the trace made it pending';
  }

  protected override limits(): string[] {
    const { length } = this.g.undecided;
    return length === 0
      ? []
      : [
          `the source does not say of which PE ${length} accesses to CPU interfaces are; what depends on that is unknown`,
        ];
  }
}
