// What went wrong with the interrupts of a question on a GICv5, from what one pass over the trace collected. What has the same
// cause is one incident.
import { GICV5_TYPES, gicv5Type, ITS } from '@gictrace/core/spec';
import type { Moment } from '../../timeline/moment.ts';
import type { WaitRow } from '../../timeline/waits.ts';
import { NO_RECORDS, noRecord } from '../cause.ts';
import {
  concernsPe,
  type Disagreement,
  isNearEnd,
  isTranslated,
  type Message,
  writeKey,
} from '../gathered.ts';
import { type Incident, IncidentFinder } from '../incident.ts';
import { Gicv5Gather, type Gicv5Story } from './gather.ts';
import { causeOfWait, closedAt, type Gicv5Cause, type Gicv5Missing, unreachableText } from './reasons.ts';

export type Gicv5Incident = Incident<Gicv5Story, Gicv5Missing>;

/** In records: what waits for longer can be late. */
const LATE = 200;
/** What withdraws an interrupt and with it the need to handle it. */
const ENDS_THE_NEED: ReadonlySet<string> = new Set(['wire', 'gic.reset', 'pe.reset']);
/** At most this part of the lifetimes is seldom. */
const SELDOM = 0.1;
/** How much a lifetime counts whose need ended. */
const OVER = 0.3;
/** Masking reasons that every interrupt meets now and then. */
const PASSING: ReadonlySet<string> = new Set(['active', 'running priority', 'behind']);

export class Gicv5Incidents extends IncidentFinder<Gicv5Story, Gicv5Missing> {
  private readonly g: Gicv5Gather;

  constructor(gather: Gicv5Gather) {
    super(gather, LATE);
    this.g = gather;
  }

  protected override gather(pe: number | undefined): void {
    const before = new Map<string, Gicv5Story>();
    for (const story of this.g.stories) {
      const { lifetime } = story;
      const key =
        gicv5Type(lifetime.intid) === GICV5_TYPES.PPI
          ? `${lifetime.intid} ${lifetime.pe}`
          : `${lifetime.intid}`;
      if (concernsPe(story, story.waits, pe)) this.fromStory(story, before.get(key));
      if (lifetime.acknowledged !== undefined) before.set(key, story);
    }
    this.fromDisagreements(pe);
    this.fromMessages();
    this.fromUnreachable();
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
      const found = this.incident({
        kind: isSilent ? 'not acknowledged' : 'blocked',
        reason: wait.gate,
        cause: causeOfWait(this.g, wait, before),
        intid: wait.INTID,
        pe: wait.pe ?? -1,
        from: { record: wait.from_record, timeNs: wait.from_ns ?? Number.NaN },
      });
      if (found.stories.at(-1) !== story) found.stories.push(story);
      if (isWorst && !(isOver && PASSING.has(wait.gate))) {
        found.lost++;
        found.weight += isOver ? OVER : 1;
      }
      this.contradict(found, this.contradictions(wait));
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
      const isPpi = gicv5Type(one.intid) === GICV5_TYPES.PPI;
      const before = g.stories.findLast(
        ({ lifetime: { intid, pe, acknowledged } }) =>
          intid === one.intid &&
          (!isPpi || pe === one.pe) &&
          acknowledged !== undefined &&
          acknowledged.record < one.record,
      );
      const wait = { INTID: one.intid, pe: one.pe, from_record: one.record - 1, gate };
      const nothing = { handled: null, handled_since: null, behind: null };
      const cause = causeOfWait(g, { ...wait, ...nothing }, before);
      const { intid } = one;
      const found = this.incident({ kind: 'blocked', reason: gate, cause, intid, pe: one.pe, from: one });
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
    const { intid, pe, pended } = lifetime;
    const found = this.incident({ kind: 'withdrawn', reason: by, cause, intid, pe, from: pended! });
    found.stories.push(story);
    found.lost++;
    found.weight++;
    found.to = at;
  }

  private notEnded(story: Gicv5Story): void {
    const { intid, pe, acknowledged, eoi, deactivated } = story.lifetime;
    const isLeft = story.readAgain >= 0 && this.isRarelyLeft();
    if (!isLeft && isNearEnd(acknowledged!, this.g.records)) return;
    // Of which PE the steps are, the source does not always say.
    if (pe < 0 || (eoi !== undefined && deactivated !== undefined && !isLeft)) return;
    if (gicv5Type(intid) === GICV5_TYPES.PPI && this.g.undecided.length > 0) return;
    // What the simulator did not acknowledge, it does not end either.
    if (this.g.disagreements.some((one) => one.pe === pe && one.record <= acknowledged!.record)) return;
    const isUndropped = eoi === undefined || (isLeft && eoi.record > story.readAgain);
    const step = isUndropped ? 'GIC CDEOI' : 'GIC CDDI';
    const end = isUndropped ? eoi : deactivated;
    // What is missing may be one of the accesses of which the source does not name the PE. Software drops the priority before or
    // behind the deactivation, and before the PE acknowledges again.
    const last = end?.record ?? this.g.asksNext(pe, deactivated?.record ?? this.g.records);
    if (this.g.mayBeEnded(isUndropped ? 'GIC_CDEOI' : 'GIC_CDDI', intid, acknowledged!.record, last)) return;
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
    const from = acknowledged!;
    const found = this.incident({ kind: 'not ended', reason: `no ${step}`, cause, intid, pe, from });
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
      if (!isTranslated(message)) this.didNotArrive(message, this.causeOfDrop(message));
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
      case 'unknown':
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
      const reason = 'no such interrupt';
      const found = this.incident({ kind: 'no effect', reason, cause, intid, pe: last.pe, from: all[0]! });
      found.lost = all.length;
      found.weight = all.length;
    }
  }
}

/** The longest of some waits; of those that are as long, the last. */
function longest(waits: readonly WaitRow[], end: number): WaitRow | undefined {
  const length = (wait: WaitRow) => (wait.to_record ?? end) - wait.from_record;
  let found: WaitRow | undefined;
  for (const wait of waits) if (found === undefined || length(wait) >= length(found)) found = wait;
  return found;
}
