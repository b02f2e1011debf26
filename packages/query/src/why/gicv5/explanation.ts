// The answer to a question about an interrupt of a GICv5: what became of it, the record that decided, what would have opened
// the way, and whether a replay confirms it. The form is that of GICv3 (question.ts).
import { GicTraceError, type Gicv5Config } from '@gictrace/core';
import { GICV5_GATES, Gicv5Follow, Gicv5Machine } from '@gictrace/core/gicv5';
import { GICV5_TYPES, gicv5IntidText, gicv5Type, isGicv5Intid } from '@gictrace/core/spec';
import { StateKeeper } from '../../database/state/snapshots.ts';
import { wholeNs } from '../../timeline/moment.ts';
import type { ReadableTrace } from '../counterfactual.ts';
import { cutOffRecords } from '../gathered.ts';
import { Names } from '../names.ts';
import type { Answer, Finding, Outcome, Question } from '../question.ts';
import { Gicv5Confirmation } from './confirmation.ts';
import { Gicv5Gather, type Gicv5Story } from './gather.ts';
import { type Gicv5Incident, Gicv5Incidents } from './incidents.ts';
import { openingOf } from './reasons.ts';
import { gicv5WayOf } from './way.ts';

/** A trace of a GICv5 that can be asked. */
interface Gicv5Trace extends ReadableTrace<Gicv5Config> {
  readonly records: number;
  readonly fromReset: boolean;
}

const OTHERS_MAX = 3;
/** An interrupt that is signalled or handled so near to the end of the trace may go on after it. */
const CUT_OFF = 500;
const STATES = 48;

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
  const follow = new Gicv5Follow(machine, gather);
  const keeper = new StateKeeper(Math.max(4096, Math.ceil(trace.records / STATES)));
  for (const { batch, first } of trace.batches()) {
    keeper.offer(first, machine.state);
    follow.take(batch, first);
    progress?.(first + batch.count);
  }
  gather.records = trace.records;
  follow.end();
  return new Explanation(trace, question, gather, keeper).answer();
}

class Explanation {
  private readonly trace: Gicv5Trace;
  private readonly question: Question;
  private readonly g: Gicv5Gather;
  private readonly keeper: StateKeeper;
  private readonly finder: Gicv5Incidents;
  private readonly names: Names;

  constructor(trace: Gicv5Trace, question: Question, gather: Gicv5Gather, keeper: StateKeeper) {
    this.trace = trace;
    this.question = question;
    this.g = gather;
    this.keeper = keeper;
    this.finder = new Gicv5Incidents(gather);
    this.names = new Names(trace);
  }

  answer(): Answer {
    const { g, question, names } = this;
    const incidents = this.finder.find(question.pe, question.at);
    const story = this.storyAsked();
    const isAboutStory = question.at !== undefined && story?.lifetime.acknowledged !== undefined;
    const found = isAboutStory
      ? incidents.find((incident) => incident.stories.includes(story!))
      : (incidents.find((incident) => this.matters(incident) || this.finder.isLate(incident)) ??
        incidents.find(({ kind }) => kind === 'blocked'));
    const isBad =
      found !== undefined &&
      this.matters(found) &&
      !(isAboutStory && found.lost === 0 && found.contradicted === 0 && found.kind !== 'not ended');
    const shown = found?.stories[0] ?? story;
    const counts = this.counts();
    return {
      question,
      subject: this.subject(found),
      outcome: this.outcome(found, isBad, counts),
      headline: this.headline(found, isBad, counts, shown),
      finding: found === undefined ? null : this.findingOf(found),
      counterfactual:
        found !== undefined && isBad
          ? new Gicv5Confirmation(this.trace, this.keeper.states(), g.records).counterfactual(found)
          : null,
      changed: [],
      way: gicv5WayOf(g, shown, found?.messages[0], names),
      others: incidents
        .filter((one) => one !== found && this.matters(one))
        .slice(0, OTHERS_MAX)
        .map((one) => this.findingOf(one)),
      counts,
      notes: this.notes(),
    };
  }

  private matters(incident: Gicv5Incident): boolean {
    if (this.question.not === true) return true;
    const { weight, contradicted, kind, lost, to } = incident;
    const isHarmful = weight + contradicted >= 1 || kind === 'not ended' || (lost > 0 && to === undefined);
    return isHarmful && !this.isCutOff(incident);
  }

  /** Whether the trace ends before the PE could have gone on. */
  private isCutOff({ kind, reason, from, to, lost, contradicted, stories }: Gicv5Incident): boolean {
    if (kind === 'not ended')
      return stories.every(
        ({ lifetime }) => this.g.records - lifetime.acknowledged!.record < cutOffRecords(this.g.records),
      );
    const isPassing =
      kind === 'not acknowledged' || ['running priority', 'behind', 'active'].includes(reason);
    return (
      isPassing &&
      to === undefined &&
      lost <= 1 &&
      contradicted === 0 &&
      this.g.records - from.record < CUT_OFF
    );
  }

  /** The lifetime about which the question is: at its record, or the last one. */
  private storyAsked(): Gicv5Story | undefined {
    const { question, g } = this;
    const stories = g.stories.filter(
      ({ lifetime }) => question.pe === undefined || lifetime.pe === question.pe || lifetime.pe < 0,
    );
    const { at } = question;
    if (at === undefined) return stories.at(-1);
    const begin = ({ lifetime }: Gicv5Story) => (lifetime.pended ?? lifetime.acknowledged)?.record ?? 0;
    return stories.findLast((story) => begin(story) <= at) ?? stories[0];
  }

  private counts(): Answer['counts'] {
    const { stories, messages } = this.g;
    return {
      lifetimes: stories.length,
      acknowledged: stories.filter(({ lifetime }) => lifetime.acknowledged !== undefined).length,
      messages: messages.length,
      dropped: messages.filter(({ outcome }) => outcome !== 'pended').length,
    };
  }

  private subject(found: Gicv5Incident | undefined): string {
    const { question, g } = this;
    const pe = question.pe ?? (found !== undefined && found.pe >= 0 ? found.pe : undefined);
    const on = pe === undefined ? '' : `, PE${pe}`;
    if (question.intid !== undefined) return `${gicv5IntidText(question.intid)}${on}`;
    const event = question.event ?? found?.messages[0]?.event;
    const of = event === undefined ? '' : ` EventID 0x${event.toString(16)}`;
    const [first] = g.intids;
    const lpi = g.intids.size === 1 ? ` (${gicv5IntidText(first!)})` : '';
    return `DeviceID 0x${question.device!.toString(16)}${of}${lpi}${on}`;
  }

  private outcome(found: Gicv5Incident | undefined, isBad: boolean, counts: Answer['counts']): Outcome {
    if (found?.kind === 'no effect') return 'never pending';
    if (found !== undefined && isBad) return found.kind === 'not ended' ? 'not ended' : 'not delivered';
    if (counts.acknowledged > 0) return found === undefined ? 'delivered' : 'late';
    return counts.lifetimes === 0 && counts.messages === 0 ? 'never pending' : 'unknown';
  }

  private headline(
    found: Gicv5Incident | undefined,
    isBad: boolean,
    counts: Answer['counts'],
    shown: Gicv5Story | undefined,
  ): string {
    const where = found === undefined ? '' : this.names.clause(found.cause.record, found.cause.what);
    if (found?.kind === 'no effect') return `never pending: ${where}`;
    if (found !== undefined && isBad)
      switch (found.kind) {
        case 'blocked':
          return `not signalled (${found.reason}): ${where}`;
        case 'not acknowledged':
          return `signalled and not acknowledged: ${where}`;
        case 'dropped':
          return `its messages were dropped (${found.reason}): ${where}`;
        case 'withdrawn':
          return `pending state lost (${found.reason}): ${where}`;
        case 'not ended':
          return `acknowledged and not ended: ${where}`;
      }
    if (counts.acknowledged === 0) return this.neverPending(counts);
    const { lifetime } = shown!;
    const by = lifetime.pe < 0 ? 'a PE that the source does not name' : `PE${lifetime.pe}`;
    const acknowledged =
      lifetime.acknowledged === undefined ? '' : `, at record ${lifetime.acknowledged.record} by ${by}`;
    if (found === undefined)
      return `delivered${acknowledged}; ${this.nothing()} held it (${counts.acknowledged} of ${counts.lifetimes} lifetimes were acknowledged)`;
    return `delivered${acknowledged}; it waited at most ${found.held} records (${found.reason}): ${where}`;
  }

  /** What the source leaves undecided may have held a PPI. */
  private nothing(): string {
    const isPpi = [...this.g.intids].some((intid) => gicv5Type(intid) === GICV5_TYPES.PPI);
    return isPpi && this.g.undecided > 0 ? 'nothing that the source decides' : 'nothing';
  }

  private neverPending(counts: Answer['counts']): string {
    if (counts.lifetimes > 0) return 'pending, and what decided is not in the source';
    if (counts.messages > 0) return 'its messages reached no PE, and why is not in the source';
    if (this.question.device !== undefined) return 'never pending: the trace contains no message of it';
    return 'never pending: no input line, message or GIC CDPEND of the trace made it pending';
  }

  private findingOf(incident: Gicv5Incident): Finding {
    const { cause, reason, kind, pe, from, to } = incident;
    return {
      kind,
      reason,
      meaning: (GICV5_GATES as Readonly<Record<string, string>>)[reason] ?? '',
      pe: pe < 0 ? null : pe,
      cause: cause.record < 0 ? null : this.names.of(cause.record, cause.what),
      why: cause.what,
      also: cause.also.map((record) => this.names.of(record, '')),
      from: from.record,
      to: to?.record ?? null,
      fromNs: wholeNs(from.timeNs),
      toNs: wholeNs(to?.timeNs ?? this.g.endNs),
      lost: incident.lost,
      contradicted: incident.contradicted,
      opens: openingOf(reason, Math.max(0, pe)),
    };
  }

  private notes(): string[] {
    const { g } = this;
    const notes: string[] = [];
    const first = g.disagreements[0];
    if (first !== undefined) {
      const intid = (n: number) => (n === 0 ? 'no interrupt' : gicv5IntidText(n));
      notes.push(
        `source and simulator disagree ${g.disagreements.length} times about its acknowledge, first at record ${first.record}: PE${first.pe} acknowledged ${intid(first.intid)} in the source and ${intid(first.simulator)} on the simulator`,
      );
    }
    if (g.undecided > 0)
      notes.push(
        `the source does not say of which PE ${g.undecided} accesses to CPU interfaces are; what depends on that is unknown`,
      );
    return notes;
  }
}
