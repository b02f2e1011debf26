// The answer to a question about an interrupt: what became of it, the record that decided, what would have opened the way, and
// whether a replay confirms it. Here is what is the same for all GICs (the rest: answer.ts, gicv5/explanation.ts). Data only:
// text.ts and graph.ts give it a form.
import type { Gicv5Machine } from '@gictrace/core/gicv5';
import type { FollowLoop, Machine } from '@gictrace/core/model';
import { StateKeeper } from '../database/state/snapshots.ts';
import { wholeNs } from '../timeline/moment.ts';
import type { ReadableTrace } from './counterfactual.ts';
import {
  type AnyStory,
  concernsPe,
  type Gathering,
  isTranslated,
  isUndecided,
  type Message,
  peText,
} from './gathered.ts';
import type { Incident, IncidentFinder } from './incident.ts';
import { Names } from './names.ts';
import type { Answer, Counterfactual, Finding, Named, Outcome, Question, Step } from './question.ts';

/** A trace that can be asked. */
export interface AskableTrace<C> extends ReadableTrace<C> {
  readonly records: number;
}

const OTHERS_MAX = 3;
/** An interrupt that is signalled or handled so near to the end of the trace may go on after it. */
const CUT_OFF = 500;
/** Masking reasons that every interrupt meets now and then. */
const PASSING: ReadonlySet<string> = new Set(['running priority', 'behind', 'active']);
/** How many states are kept of a trace, from which parts of it can be replayed. */
const STATES = 48;

/** Runs a trace beside what gathers from it, and keeps states. `progress` is called with the number of records read. */
export function followed(
  trace: AskableTrace<unknown>,
  follow: FollowLoop<Machine | Gicv5Machine>,
  gathering: { records: number },
  progress?: (records: number) => void,
): StateKeeper {
  const keeper = new StateKeeper(Math.max(4096, Math.ceil(trace.records / STATES)));
  for (const { batch, first } of trace.batches()) {
    keeper.offer(first, follow.machine.state);
    follow.take(batch, first);
    progress?.(first + batch.count);
  }
  gathering.records = trace.records;
  follow.end();
  return keeper;
}

type Counts = Answer['counts'];

export abstract class Explanation<S extends AnyStory, M> {
  protected readonly question: Question;
  protected readonly names: Names;
  private readonly all: Gathering<S>;
  private readonly incidents: IncidentFinder<S, M>;

  protected constructor(
    trace: Pick<ReadableTrace, 'batches'>,
    question: Question,
    gathering: Gathering<S>,
    incidents: IncidentFinder<S, M>,
  ) {
    this.question = question;
    this.names = new Names(trace);
    this.all = gathering;
    this.incidents = incidents;
  }

  /** The intervals in which a reason kept an interrupt from being signalled. */
  protected abstract waitsOf(story: S): readonly { readonly pe: number | null }[];
  protected abstract intidText(intid: number): string;
  /** The interrupt asked about, without its PE. */
  protected abstract subjectOf(found: Incident<S, M> | undefined): string;
  /** Why nothing made the interrupt pending. */
  protected abstract neverPending(): string;
  /** What the reason of an incident means; empty if it says so itself. */
  protected abstract meaningOf(incident: Incident<S, M>): string;
  /** What would have opened the way; null if nothing can be said. */
  protected abstract openingOf(incident: Incident<S, M>): string | null;
  protected abstract counterfactual(incident: Incident<S, M>): Counterfactual;
  protected abstract way(story: S | undefined, message: Message | undefined): Step[];
  /** What changed on the way since the interrupt was last delivered. */
  protected abstract changed(found: Incident<S, M> | undefined, shown: S | undefined): Named[];
  /** What the source does not contain and may matter. */
  protected abstract limits(): string[];
  /** The messages that belong to the interrupt asked about. */
  protected messages(): readonly Message[] {
    return this.all.messages;
  }
  /** What blocked an interrupt that was delivered and that nothing is known to have blocked. */
  protected nothing(): string {
    return 'nothing';
  }

  answer(): Answer {
    const { question } = this;
    const incidents = this.incidents.find(question.pe, question.at);
    const stories = this.all.stories.filter((story) => concernsPe(story, this.waitsOf(story), question.pe));
    const asked = storyAt(stories, question.at);
    const found = this.choose(incidents, asked, stories);
    const isBad = found !== undefined && this.isBad(found, asked);
    const shown = this.shown(isBad, found, asked, stories);
    const counts = this.counts(stories);
    return {
      question,
      subject: this.subject(found, isBad),
      outcome: isBad ? outcomeOf(found!) : this.outcome(found, shown, counts),
      headline: isBad ? this.headlineOf(found!) : this.headline(found, shown, counts),
      finding: found === undefined ? null : this.findingOf(found),
      counterfactual: isBad ? this.counterfactual(found!) : null,
      changed: this.changed(found, shown),
      // A message that did not arrive has no lifetime.
      way: this.way(found?.messages.length ? found.stories[0] : shown, found?.messages[0]),
      others: incidents
        .filter((one) => one !== found && this.isWorthNaming(one))
        .slice(0, OTHERS_MAX)
        .map((one) => this.findingOf(one)),
      counts,
      notes: this.notes(),
    };
  }

  // ---- which incident and which lifetime the answer is about -------------------------------------------------

  private choose(
    incidents: readonly Incident<S, M>[],
    asked: S | undefined,
    stories: readonly S[],
  ): Incident<S, M> | undefined {
    const isAbout = this.question.at !== undefined && asked !== undefined;
    const ofAsked = () => incidents.find((one) => one.stories.includes(asked!) && !this.isCutOff(one));
    if (isAbout && isTaken(asked)) return ofAsked();
    const harmful = incidents.find((one) => this.matters(one) || this.incidents.isLate(one));
    if (harmful !== undefined) return harmful;
    if (isAbout) return ofAsked();
    // What harmed nobody explains only why an interrupt was late.
    return stories.some(isTaken) ? incidents.find(({ kind }) => kind === 'blocked') : incidents[0];
  }

  private matters(incident: Incident<S, M>): boolean {
    if (this.question.not === true) return true;
    const { weight, contradicted, kind, lost, to } = incident;
    const isHarmful = weight + contradicted >= 1 || kind === 'not ended' || (lost > 0 && to === undefined);
    return isHarmful && !this.isCutOff(incident);
  }

  /** Whether an incident is why the interrupt did not arrive. One that harmed others is not, if it is about one that did. */
  private isBad(found: Incident<S, M>, asked: S | undefined): boolean {
    const { lost, contradicted, kind } = found;
    const isAboutTaken = this.question.at !== undefined && asked !== undefined && isTaken(asked);
    const isHarmless = lost === 0 && contradicted === 0 && kind !== 'not ended';
    return this.matters(found) && !(isAboutTaken && isHarmless);
  }

  private isWorthNaming(incident: Incident<S, M>): boolean {
    const { lost, contradicted, kind } = incident;
    return (lost > 0 || contradicted > 0 || kind === 'not ended') && !this.isCutOff(incident);
  }

  /** Whether the trace ends before the PE could have gone on. */
  private isCutOff({ kind, reason, from, to, lost, contradicted }: Incident<S, M>): boolean {
    if (kind !== 'not acknowledged' && !PASSING.has(reason)) return false;
    const isAtEnd = to === undefined && this.all.records - from.record < CUT_OFF;
    return isAtEnd && lost <= 1 && contradicted === 0;
  }

  /** The lifetime that an answer shows: that of the incident, the one asked about, or the last one that was acknowledged. */
  private shown(
    isBad: boolean,
    found: Incident<S, M> | undefined,
    asked: S | undefined,
    stories: readonly S[],
  ): S | undefined {
    if (isBad) return found!.stories[0] ?? asked;
    if (this.question.at !== undefined) return asked;
    return found?.stories.find(isTaken) ?? stories.findLast(isTaken) ?? asked;
  }

  private counts(stories: readonly S[]): Counts {
    const messages = this.messages();
    return {
      lifetimes: stories.length,
      acknowledged: stories.filter((story) => this.isTakenHere(story)).length,
      messages: messages.length,
      dropped: messages.filter((one) => !isTranslated(one) && !isUndecided(one)).length,
    };
  }

  /** Whether the PE asked about (any, if none is) acknowledged an interrupt, or may have. */
  private isTakenHere(story: S): boolean {
    return isTaken(story) && concernsPe(story, [], this.question.pe);
  }

  // ---- what is said of it ------------------------------------------------------------------------------------

  private subject(found: Incident<S, M> | undefined, isBad: boolean): string {
    const isHere = found !== undefined && found.pe >= 0 && (isBad || found.stories.some(isTaken));
    const pe = this.question.pe ?? (isHere ? found.pe : undefined);
    return `${this.subjectOf(found)}${pe === undefined ? '' : `, PE${pe}`}`;
  }

  private outcome(found: Incident<S, M> | undefined, shown: S | undefined, counts: Counts): Outcome {
    if (shown === undefined)
      return counts.messages === 0 || this.all.stories.length > 0 ? 'never pending' : 'unknown';
    if (this.isTakenHere(shown)) return found?.stories.some(isTaken) ? 'late' : 'delivered';
    return isTaken(shown) ? 'not delivered' : 'unknown';
  }

  /** What is said of an incident because of which the interrupt did not arrive. */
  private headlineOf({ kind, reason, cause, messages }: Incident<S, M>): string {
    const where = this.names.clause(cause.record, cause.what);
    switch (kind) {
      case 'blocked':
        return `not signalled (${reason}): ${where}`;
      case 'not acknowledged':
        return `signalled and not acknowledged: ${where}`;
      case 'dropped':
        return `its messages were dropped (${reason}): ${where}`;
      case 'not in the source':
        return `what became of its messages is not in the source: ${where}`;
      case 'another INTID':
        return reason === 'VMAPTI'
          ? `its messages went to another vPE: ${where}`
          : `its messages became INTID ${messages[0]!.intid}: ${where}`;
      case 'withdrawn':
        return `pending state lost (${reason}): ${where}`;
      case 'not ended':
        return `acknowledged and not ended: ${where}`;
      case 'SGI to no PE':
        return `not generated: ${where}`;
      case 'no effect':
        return `never pending: ${where}`;
    }
  }

  private headline(found: Incident<S, M> | undefined, shown: S | undefined, counts: Counts): string {
    const { pe } = this.question;
    if (shown === undefined) {
      if (this.all.stories.length > 0) return `never pending for PE${pe}: ${ownersText(this.all.stories)}`;
      if (counts.messages > 0) return 'its messages reached no PE, and why is not in the source';
      return this.neverPending();
    }
    const { lifetime } = shown;
    if (!isTaken(shown)) return `not taken: ${pendingText(shown)}`;
    const taken = `at record ${lifetime.acknowledged!.record} by ${peText(lifetime.pe)}`;
    if (!this.isTakenHere(shown)) return `not taken by PE${pe}: it was acknowledged ${taken}`;
    if (found === undefined)
      return `delivered, ${taken}; ${this.nothing()} blocked it (${counts.acknowledged} of ${counts.lifetimes} lifetimes were acknowledged)`;
    if (!found.stories.some(isTaken)) {
      const { length } = found.stories;
      const others = length === 1 ? 'another lifetime was' : `${length} other lifetimes were`;
      return `delivered, ${taken}; ${others} not acknowledged (${found.reason}): ${this.names.clause(found.cause.record, found.cause.what)}`;
    }
    return `delivered, ${taken}; it waited at most ${found.held} records (${found.reason}): ${this.names.clause(found.cause.record, found.cause.what)}`;
  }

  private findingOf(incident: Incident<S, M>): Finding {
    const { cause, from, to } = incident;
    return {
      kind: incident.kind,
      reason: incident.reason,
      meaning: this.meaningOf(incident),
      pe: incident.pe < 0 ? null : incident.pe,
      cause: cause.record < 0 ? null : this.names.of(cause.record, cause.what),
      why: cause.what,
      also: [...new Set(cause.also)]
        .filter((record) => record >= 0 && record !== cause.record)
        .map((record) => this.names.of(record, '')),
      from: from.record,
      to: to?.record ?? null,
      fromNs: wholeNs(from.timeNs),
      toNs: to === undefined ? null : wholeNs(to.timeNs),
      lost: incident.lost,
      contradicted: incident.contradicted,
      opens: this.openingOf(incident),
    };
  }

  private notes(): string[] {
    const { disagreements } = this.all;
    const first = disagreements[0];
    if (first === undefined) return this.limits();
    const { record, pe } = first;
    return [
      `source and simulator disagree ${disagreements.length} times about its acknowledge, first at record ${record}: PE${pe} acknowledged ${this.intidText(first.intid)} in the source and ${this.intidText(first.simulator)} on the simulator`,
      ...this.limits(),
    ];
  }
}

const isTaken = ({ lifetime }: AnyStory): boolean => lifetime.acknowledged !== undefined;

/** The lifetime about which a question is: the last one that had begun by its record, or else the first; without one, the last. */
function storyAt<S extends AnyStory>(stories: readonly S[], at: number | undefined): S | undefined {
  if (at === undefined) return stories.at(-1);
  const begin = ({ lifetime: { pended, acknowledged, withdrawn } }: S) =>
    (pended ?? acknowledged ?? withdrawn)?.record ?? Number.POSITIVE_INFINITY;
  return stories.findLast((story) => begin(story) <= at) ?? stories[0];
}

/** Of which PEs all lifetimes are. */
function ownersText(stories: readonly AnyStory[]): string {
  const pes = [...new Set(stories.map(({ lifetime }) => lifetime.pe))].sort((a, b) => a - b);
  const of = pes.length > 3 ? 'other PEs' : pes.map(peText).join(' and ');
  return stories.length === 1
    ? `its one lifetime is of ${of}`
    : `its ${stories.length} lifetimes are of ${of}`;
}

function outcomeOf({ kind }: Incident<AnyStory, unknown>): Outcome {
  if (kind === 'no effect') return 'never pending';
  if (kind === 'not in the source') return 'unknown';
  return kind === 'not ended' ? 'not ended' : 'not delivered';
}

/** How long an interrupt was pending that was not acknowledged, and what ended that. */
function pendingText({ lifetime }: AnyStory): string {
  const { pended, withdrawn, withdrawal } = lifetime;
  const from = pended === undefined ? 'it was pending' : `it was pending from record ${pended.record}`;
  if (withdrawn === undefined) return `${from} to the end of the trace`;
  const { by, movedTo } = withdrawal;
  const how = by === 'wire' ? ' (its input line was deasserted)' : by === null ? '' : ` (${by})`;
  const to = movedTo === null ? '' : `, and was moved to PE${movedTo}`;
  return `${from} to record ${withdrawn.record}${how}${to}`;
}
