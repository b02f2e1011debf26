// What went wrong with the interrupts of a question: what has the same cause is one incident. The form of incidents, and how the
// worst is found; what the causes are, the files of each GIC say (incidents.ts, gicv5/incidents.ts).
import type { Moment } from '../timeline/moment.ts';
import type { Cause } from './cause.ts';
import { type AnyStory, type Gathering, isUndecided, type Message } from './gathered.ts';

export type IncidentKind =
  | 'blocked'
  | 'not acknowledged'
  | 'dropped'
  /** What became of the messages is not in the source. */
  | 'not in the source'
  | 'another INTID'
  | 'withdrawn'
  | 'not ended'
  | 'SGI to no PE'
  /** Of a GICv5: an instruction about an interrupt that the GIC does not have. */
  | 'no effect';

/** How bad an incident is. */
interface Gravity {
  /** How many lifetimes or messages ended without an acknowledge because of it. */
  lost: number;
  /** The same, where what nobody needed any more counts less. */
  weight: number;
  /** How often the source acknowledged the interrupt all the same. */
  contradicted: number;
  /** The record of the first acknowledge in the source that contradicts it. */
  first: number;
  /** The longest interval, in records. */
  held: number;
  score: number;
}

export interface Incident<S, M> extends Gravity {
  readonly kind: IncidentKind;
  /** The masking reason, or why the messages were dropped, or what withdrew it. */
  readonly reason: string;
  readonly cause: Cause<M>;
  /** The interrupt and its PE; -1 if there is none, or if the source does not say which. */
  readonly intid: number;
  readonly pe: number;
  readonly stories: S[];
  readonly messages: Message[];
  /** When it began to matter: the first interrupt or message concerned. */
  readonly from: Moment;
  /** When it ceased to; undefined if it lasts to the end of the trace. */
  to: Moment | undefined;
}

/** What an incident is about. */
type About<S, M> = Pick<Incident<S, M>, 'kind' | 'reason' | 'cause' | 'intid' | 'pe' | 'from'>;

const FIRST_DISAGREEMENT = 1e5;
const AT_THE_RECORD = 1e6;
/** From this part of a trace on, what is left is what a system stops in the middle of. */
const END = 0.95;
/** As a multiple of the usual wait: what waits for longer is late. */
const LATE_TIMES = 20;

/** Finds the incidents of a question. */
export abstract class IncidentFinder<S extends AnyStory, M> {
  protected readonly byKey = new Map<string, Incident<S, M>>();
  private readonly all: Gathering<S>;
  /** In records: what waits for longer can be late. */
  private readonly late: number;
  /** See usualWait; -1 as long as it was not asked for. */
  private usual = -1;

  protected constructor(gathering: Gathering<S>, late: number) {
    this.all = gathering;
    this.late = late;
  }

  /** All incidents about PE `pe` (any, if undefined), the worst first. With `at`, those nearest to that record. */
  find(pe: number | undefined, at: number | undefined): Incident<S, M>[] {
    this.gather(pe);
    const all = [...this.byKey.values()];
    for (const incident of all) incident.score = this.score(incident, at);
    return all.sort((a, b) => b.score - a.score || a.from.record - b.from.record);
  }

  /** Makes the incidents about a PE (any, if undefined). */
  protected abstract gather(pe: number | undefined): void;

  /** The incident with the same cause, made if there is none. What was left out is one cause, wherever it was noticed. */
  protected incident(about: About<S, M>, isOmission = false): Incident<S, M> {
    const { kind, reason, cause, intid, pe } = about;
    const by =
      kind === 'not ended' || isOmission ? '' : `${cause.record} ${cause.record < 0 ? cause.what : ''}`;
    const key = `${kind} ${reason} ${by} ${intid} ${pe}`;
    let found = this.byKey.get(key);
    if (found === undefined) {
      const gravity = {
        lost: 0,
        weight: 0,
        contradicted: 0,
        first: Number.POSITIVE_INFINITY,
        held: 0,
        score: 0,
      };
      found = { ...about, ...gravity, stories: [], messages: [], to: undefined };
      this.byKey.set(key, found);
    }
    return found;
  }

  /** A message did not arrive, or the source does not say whether it did. */
  protected didNotArrive(message: Message, cause: Cause<M>): void {
    const kind = isUndecided(message) ? 'not in the source' : 'dropped';
    this.lose(message, { kind, reason: message.outcome, cause, intid: message.intid });
  }

  /** Counts a message that did not become the interrupt asked about. */
  protected lose(message: Message, about: Omit<About<S, M>, 'pe' | 'from'>): void {
    const incident = this.incident({ ...about, pe: -1, from: message });
    incident.messages.push(message);
    incident.lost++;
    incident.weight++;
  }

  /** Counts acknowledges in the source that contradict an incident; the first is the first of the list. */
  protected contradict(incident: Incident<S, M>, by: readonly Moment[]): void {
    incident.contradicted += by.length;
    incident.first = Math.min(incident.first, by[0]?.record ?? Number.POSITIVE_INFINITY);
  }

  /** Whether an interrupt waited for this far longer than the others that were delivered did. */
  isLate({ kind, held, cause, stories }: Incident<S, M>): boolean {
    if (kind !== 'blocked' || cause.record < 0 || !arrives(stories)) return false;
    return held > Math.max(this.late, LATE_TIMES * this.usualWait());
  }

  /** How long an interrupt that was delivered waited, in records: the median. */
  private usualWait(): number {
    if (this.usual >= 0) return this.usual;
    const waits = this.all.stories
      .flatMap(({ lifetime: { pended, acknowledged } }) =>
        pended === undefined || acknowledged === undefined ? [] : [acknowledged.record - pended.record],
      )
      .sort((a, b) => a - b);
    this.usual = waits[waits.length >> 1] ?? 0;
    return this.usual;
  }

  /** How much each interrupt that was lost by it counts. */
  protected weightOf({ kind, reason, cause }: Incident<S, M>): number {
    if (kind === 'withdrawn') return 2;
    if (kind === 'not acknowledged') return cause.record < 0 ? 0.1 : 0.8;
    return kind === 'blocked' && reason === 'behind' ? 0.5 : 1;
  }

  private score(incident: Incident<S, M>, at: number | undefined): number {
    const { kind, lost, weight, contradicted, first, held, stories, cause, from, to } = incident;
    const { records, disagreements, intids } = this.all;
    let score =
      kind === 'not ended'
        ? 12 + Math.log2(1 + stories.length)
        : this.weightOf(incident) * 10 * (weight + contradicted) + Math.log2(1 + held);
    // At its end a system stops in the middle of something.
    if (to === undefined && lost <= 2 && from.record > END * records) score *= 0.3;
    // What blocks from the beginning and then no longer is how every system starts.
    if (kind === 'blocked' && cause.record < 0 && arrives(stories)) score *= 0.3;
    // Where the source contradicts the simulator, everything after the first contradiction may follow from it.
    const disagreement = disagreements.find(({ intid }) => intids.has(intid))?.record;
    if (contradicted > 0 && disagreement !== undefined && first <= disagreement) score += FIRST_DISAGREEMENT;
    if (at === undefined) return score;
    const end = to?.record ?? records;
    const distance = at < from.record ? from.record - at : at > end ? at - end : 0;
    return score + (distance === 0 ? AT_THE_RECORD : -distance);
  }
}

const arrives = (stories: readonly AnyStory[]): boolean =>
  stories.some(({ lifetime }) => lifetime.acknowledged !== undefined);
