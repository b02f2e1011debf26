// What went wrong with the interrupts of a question on a GICv5, from what one pass over the trace collected. What has the same
// cause is one incident.
import { GICV5_TYPES, gicv5Type, ITS } from '@gictrace/core/spec';
import type { Moment } from '../../timeline/moment.ts';
import type { WaitRow } from '../../timeline/waits.ts';
import { NO_RECORDS, noRecord } from '../cause.ts';
import { type Disagreement, type Message, writeKey } from '../gathered.ts';
import { Gicv5Gather, type Gicv5Story } from './gather.ts';
import { causeOfWait, closedAt, type Gicv5Cause, unreachableText } from './reasons.ts';

export interface Gicv5Incident {
  readonly kind: 'blocked' | 'not acknowledged' | 'dropped' | 'withdrawn' | 'not ended' | 'no effect';
  /** The masking reason, or why the messages were dropped, or what withdrew it. */
  readonly reason: string;
  readonly cause: Gicv5Cause;
  readonly intid: number;
  readonly pe: number;
  readonly stories: Gicv5Story[];
  readonly messages: Message[];
  /** How many lifetimes or messages ended without an acknowledge because of it. */
  lost: number;
  /** The same, where a line that its device deasserted again counts less. */
  weight: number;
  /** How often the source acknowledged the interrupt all the same, and the record of the first such acknowledge. */
  contradicted: number;
  first: number;
  /** The longest interval, in records. */
  held: number;
  readonly from: Moment;
  /** When it ceased to matter; undefined if it lasts to the end of the trace. */
  to: Moment | undefined;
  score: number;
}

/** In records: an interrupt that waits for longer, and for this many times the usual, is late. */
const LATE = 200;
const LATE_TIMES = 20;
/** What withdraws an interrupt and with it the need to handle it. */
const ENDS_THE_NEED: ReadonlySet<string> = new Set(['wire', 'gic.reset', 'pe.reset']);
/** At most this part of the lifetimes is seldom. */
const SELDOM = 0.1;
/** How much a lifetime counts whose need ended. */
const OVER = 0.3;
/** Masking reasons that every interrupt meets now and then. */
const PASSING: ReadonlySet<string> = new Set(['active', 'running priority', 'behind']);

export class Gicv5Incidents {
  private readonly g: Gicv5Gather;
  private readonly byKey = new Map<string, Gicv5Incident>();
  private usual = -1;

  constructor(gather: Gicv5Gather) {
    this.g = gather;
  }

  /** All incidents about PE `pe` (any, if undefined), the worst first. With `at`, those nearest to that record. */
  find(pe: number | undefined, at: number | undefined): Gicv5Incident[] {
    const before = new Map<string, Gicv5Story>();
    for (const story of this.g.stories) {
      const { lifetime } = story;
      const key =
        gicv5Type(lifetime.intid) === GICV5_TYPES.PPI
          ? `${lifetime.intid} ${lifetime.pe}`
          : `${lifetime.intid}`;
      const isOf =
        pe === undefined || lifetime.pe === pe || lifetime.pe < 0 || story.waits.some((one) => one.pe === pe);
      if (isOf) this.fromStory(story, before.get(key));
      if (lifetime.acknowledged !== undefined) before.set(key, story);
    }
    this.fromDisagreements(pe);
    this.fromMessages();
    this.fromUnreachable();
    const all = [...this.byKey.values()];
    for (const incident of all) incident.score = this.score(incident, at);
    return all.sort((a, b) => b.score - a.score || a.from.record - b.from.record);
  }

  /** Whether an interrupt waited for this far longer than the others that were delivered did. */
  isLate({ kind, held, cause, stories }: Gicv5Incident): boolean {
    if (kind !== 'blocked' || cause.record < 0) return false;
    if (stories.every(({ lifetime }) => lifetime.acknowledged === undefined)) return false;
    return held > Math.max(LATE, LATE_TIMES * this.usualWait());
  }

  /** How long an interrupt that was delivered waited, in records: the median. */
  private usualWait(): number {
    if (this.usual >= 0) return this.usual;
    const waits = this.g.stories
      .flatMap(({ lifetime: { pended, acknowledged } }) =>
        pended === undefined || acknowledged === undefined ? [] : [acknowledged.record - pended.record],
      )
      .sort((a, b) => a - b);
    this.usual = waits[waits.length >> 1] ?? 0;
    return this.usual;
  }

  private incident(
    kind: Gicv5Incident['kind'],
    reason: string,
    cause: Gicv5Cause,
    intid: number,
    pe: number,
    from: Moment,
  ): Gicv5Incident {
    const by = kind === 'not ended' ? '' : `${cause.record} ${cause.record < 0 ? cause.what : ''}`;
    const key = `${kind} ${reason} ${by} ${intid} ${pe}`;
    let found = this.byKey.get(key);
    if (found === undefined) {
      found = {
        ...{ kind, reason, cause, intid, pe, from },
        ...{
          stories: [],
          messages: [],
          lost: 0,
          weight: 0,
          contradicted: 0,
          held: 0,
          to: undefined,
          score: 0,
        },
        first: Number.POSITIVE_INFINITY,
      };
      this.byKey.set(key, found);
    }
    return found;
  }

  private fromStory(story: Gicv5Story, before: Gicv5Story | undefined): void {
    const { lifetime, waits } = story;
    const { pended, acknowledged, withdrawn, withdrawal } = lifetime;
    const isLost = acknowledged === undefined && pended !== undefined;
    // A line that its device deasserts again, and a reset, end what nobody waits for any more.
    const isOver = withdrawn !== undefined && ENDS_THE_NEED.has(withdrawal.by ?? '');
    const worst = longest(waits, this.g.records);
    for (const wait of waits) {
      if (wait.gate === 'unknown') continue;
      const isSilent = wait.gate === 'signalled' || wait.gate === 'PE offline';
      const isWorst = isLost && wait === worst;
      if (isSilent && (!isWorst || isOver)) continue;
      const found = this.incident(
        isSilent ? 'not acknowledged' : 'blocked',
        wait.gate,
        causeOfWait(this.g, wait, before),
        wait.INTID,
        wait.pe ?? -1,
        { record: wait.from_record, timeNs: wait.from_ns ?? Number.NaN },
      );
      if (found.stories.at(-1) !== story) found.stories.push(story);
      if (isWorst && !(isOver && PASSING.has(wait.gate))) {
        found.lost++;
        found.weight += isOver ? OVER : 1;
      }
      const contradictions = this.contradictions(wait);
      found.contradicted += contradictions.length;
      found.first = Math.min(found.first, contradictions[0]?.record ?? Number.POSITIVE_INFINITY);
      // What was signalled too late may have missed the moment at which its PE looked.
      const until = wait === worst ? acknowledged?.record : undefined;
      const from = wait === worst && until !== undefined ? pended!.record : wait.from_record;
      found.held = Math.max(found.held, (until ?? wait.to_record ?? this.g.records) - from);
      found.to =
        wait.to_record === null ? undefined : { record: wait.to_record, timeNs: wait.to_ns ?? Number.NaN };
    }
    if (isLost && withdrawn !== undefined && !isOver && withdrawal.by !== null)
      this.withdrawn(story, withdrawal.by, withdrawn);
    if (acknowledged !== undefined) this.notEnded(story);
  }

  /** How often the source acknowledged the interrupt while this kept it from being signalled on the simulator. */
  private contradictions({ INTID, pe, from_record, to_record }: WaitRow): readonly Disagreement[] {
    const to = to_record ?? this.g.records;
    return this.g.disagreements.filter(
      (one) =>
        one.intid === INTID &&
        (pe === null || one.pe === pe) &&
        one.record >= from_record &&
        one.record <= to,
    );
  }

  /** What the source acknowledges and the simulator does not, because a condition was closed: the interrupt was not pending there. */
  private fromDisagreements(pe: number | undefined): void {
    const { g } = this;
    for (const one of g.disagreements) {
      if (!g.intids.has(one.intid) || (pe !== undefined && one.pe !== pe)) continue;
      const gate = closedAt(g, one.intid, one.pe, one.record - 1);
      if (gate === undefined) continue;
      const before = g.stories.findLast(
        ({ lifetime: { intid, acknowledged } }) =>
          intid === one.intid && acknowledged !== undefined && acknowledged.record < one.record,
      );
      const wait = { INTID: one.intid, pe: one.pe, from_record: one.record - 1, gate };
      const nothing = { handled: null, handled_since: null, behind: null };
      const cause = causeOfWait(g, { ...wait, ...nothing }, before);
      const found = this.incident('blocked', gate, cause, one.intid, one.pe, one);
      if (one.record <= found.first) found.first = one.record;
      found.contradicted = Math.max(1, found.contradicted);
    }
  }

  private withdrawn(story: Gicv5Story, by: string, at: Moment): void {
    const { lifetime } = story;
    const cause: Gicv5Cause = {
      record: at.record,
      also: NO_RECORDS,
      what: 'takes its pending state away',
      missing: undefined,
    };
    const found = this.incident('withdrawn', by, cause, lifetime.intid, lifetime.pe, lifetime.pended!);
    found.stories.push(story);
    found.lost++;
    found.weight++;
    found.to = at;
  }

  private notEnded(story: Gicv5Story): void {
    const { intid, pe, acknowledged, eoi, deactivated } = story.lifetime;
    const isLeft = story.readAgain >= 0 && this.isRarelyLeft();
    // Of which PE the steps are, the source does not always say.
    if (pe < 0 || (eoi !== undefined && deactivated !== undefined && !isLeft)) return;
    if (gicv5Type(intid) === GICV5_TYPES.PPI && this.g.undecided > 0) return;
    // What the simulator did not acknowledge, it does not end either.
    if (this.g.disagreements.some((one) => one.pe === pe && one.record <= acknowledged!.record)) return;
    const isUndropped = eoi === undefined || (isLeft && eoi.record > story.readAgain);
    const step = isUndropped ? 'GIC CDEOI' : 'GIC CDDI';
    const end = isUndropped ? eoi : deactivated;
    const until =
      end === undefined || !isLeft
        ? ''
        : ` until record ${end.record}, after the PE has executed GICR CDIA again (record ${story.readAgain})`;
    const cause: Gicv5Cause = {
      record: acknowledged!.record,
      also: isUndropped ? NO_RECORDS : [eoi.record],
      what: `PE${pe} acknowledges it, and no ${step} of it follows${until}`,
      missing: { what: isUndropped ? 'priority drop' : 'deactivation', pe, intid },
    };
    const found = this.incident('not ended', `no ${step}`, cause, intid, pe, acknowledged!);
    found.stories.push(story);
    found.held = Math.max(found.held, (end?.record ?? this.g.records) - acknowledged!.record);
    found.to = end;
  }

  /** Whether the interrupt is seldom left active while its PE goes on, as a threaded handler leaves it each time. */
  private isRarelyLeft(): boolean {
    const taken = this.g.stories.filter(({ lifetime }) => lifetime.acknowledged !== undefined);
    return taken.filter(({ readAgain }) => readAgain >= 0).length <= SELDOM * taken.length;
  }

  private fromMessages(): void {
    for (const message of this.g.messages) {
      if (message.outcome === 'pended' || message.outcome === 'unknown') continue;
      const found = this.incident(
        'dropped',
        message.outcome,
        this.causeOfDrop(message),
        message.intid,
        -1,
        message,
      );
      found.messages.push(message);
      found.lost++;
      found.weight++;
    }
  }

  private causeOfDrop({ its, outcome, record, device, event }: Message): Gicv5Cause {
    const frame = Gicv5Gather.frame('ITS', its);
    const last = (register: { readonly offset: number }, what: string) => {
      const at = this.g.lastWrite(writeKey(...frame, register.offset), record);
      return at < 0
        ? noRecord<never>(`${what} since the trace began`)
        : { record: at, also: NO_RECORDS, what, missing: undefined };
    };
    const ofDevice = `the device table entry of DeviceID 0x${device.toString(16)}`;
    const ofEvent = `the translation table entry of EventID 0x${event.toString(16)}`;
    const kept = 'or was not when the ITS read it, and has not been invalidated since';
    switch (outcome) {
      case 'its-disabled':
        return last(ITS.ITS_CR0, 'leaves ITS_CR0.ITSEN at 0');
      case 'deviceid-out-of-range':
        return last(ITS.ITS_DT_CFGR, `gives the device table no entry for DeviceID 0x${device.toString(16)}`);
      case 'device-unmapped':
        return last(
          ITS.ITS_INV_DEVICER,
          `is the last invalidation of a device: ${ofDevice} is not valid, ${kept}`,
        );
      case 'event-unmapped':
        return last(
          ITS.ITS_INV_EVENTR,
          `is the last invalidation of an event: ${ofEvent} is not valid, ${kept}`,
        );
      case 'eventid-out-of-range':
        return noRecord(`${ofDevice} has too few bits of EventID, or its table is too short`);
      case 'undecided':
        return noRecord('the source does not contain the table entry that decides');
      case 'intid-out-of-range':
        return noRecord(`${ofEvent} names an LPI that the interrupt state table does not have`);
      default:
        return noRecord(`${ofEvent}: ${outcome}`);
    }
  }

  private fromUnreachable(): void {
    for (const [intid, all] of this.g.unreachable) {
      const last = all.at(-1)!;
      if (this.g.stories.some(({ lifetime }) => lifetime.intid === intid)) continue;
      const cause: Gicv5Cause = {
        record: last.record,
        also: all.slice(-3, -1).map(({ record }) => record),
        what: `has no effect: ${unreachableText(intid)}`,
        missing: undefined,
      };
      const found = this.incident('no effect', 'no such interrupt', cause, intid, last.pe, all[0]!);
      found.lost = all.length;
      found.weight = all.length;
    }
  }

  private score(incident: Gicv5Incident, at: number | undefined): number {
    const { kind, reason, lost, weight: harm, contradicted, held, stories, cause, from, to } = incident;
    let weight = 1;
    if (kind === 'withdrawn') weight = 2;
    else if (kind === 'not acknowledged') weight = cause.record < 0 ? 0.1 : 0.8;
    else if (reason === 'behind') weight = 0.5;
    let score = weight * 10 * (harm + contradicted) + Math.log2(1 + held);
    // Where the source contradicts the simulator, everything after the first contradiction may follow from it.
    const disagreement = this.g.disagreements.find(({ intid }) => this.g.intids.has(intid))?.record;
    if (contradicted > 0 && disagreement !== undefined && incident.first <= disagreement) score += 1e5;
    if (kind === 'not ended') score = 12 + Math.log2(1 + stories.length);
    // At its end a system stops in the middle of something.
    if (to === undefined && lost <= 2 && from.record > 0.95 * this.g.records) score *= 0.3;
    // What blocks from the beginning and then no longer is how every system starts.
    const arrives = stories.some(({ lifetime }) => lifetime.acknowledged !== undefined);
    if (kind === 'blocked' && cause.record < 0 && arrives) score *= 0.3;
    if (at === undefined) return score;
    const end = to?.record ?? this.g.records;
    const distance = at < from.record ? from.record - at : at > end ? at - end : 0;
    return score + (distance === 0 ? 1e6 : -distance);
  }
}

/** The longest of some waits; of those that are as long, the last. */
function longest(waits: readonly WaitRow[], end: number): WaitRow | undefined {
  const length = (wait: WaitRow) => (wait.to_record ?? end) - wait.from_record;
  let found: WaitRow | undefined;
  for (const wait of waits) if (found === undefined || length(wait) >= length(found)) found = wait;
  return found;
}
