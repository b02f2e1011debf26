// What went wrong with the interrupts of a question, from what one pass over the trace collected: intervals in which
// something blocked them, messages that were dropped, pending state that was withdrawn, acknowledges without an EOI. What
// has the same cause is one incident. It reads no trace and knows no form of an answer.
import { FRAMES, GICR, isPrivate, LPI_FIRST } from '@gictrace/core/spec';
import type { Moment } from '../timeline/moment.ts';
import { Blocked } from './blocked.ts';
import { type Cause, causedBy, NO_RECORDS, recordsOfCommand } from './cause.ts';
import { Drops } from './drops.ts';
import type { Gather } from './gather.ts';
import {
  cutOffRecords,
  type Disagreement,
  type Hold,
  type Message,
  type Story,
  writeKey,
} from './gathered.ts';

export type IncidentKind =
  | 'blocked'
  | 'not acknowledged'
  | 'dropped'
  | 'another INTID'
  | 'withdrawn'
  | 'not ended'
  | 'SGI to no PE';

export interface Incident {
  readonly kind: IncidentKind;
  /** The masking reason, or why the messages were dropped, or what withdrew it. */
  readonly reason: string;
  readonly cause: Cause;
  readonly intid: number;
  readonly pe: number;
  readonly stories: Story[];
  readonly messages: Message[];
  /** How many lifetimes or messages ended without an acknowledge because of it. */
  lost: number;
  /** The same, where a line that its device deasserted again counts less. */
  weight: number;
  /** How often the source acknowledged the interrupt all the same. */
  contradicted: number;
  /** The record of the first acknowledge in the source that contradicts it. */
  first: number;
  /** The longest interval, in records. */
  held: number;
  /** When it began to matter: the first interrupt or message concerned. */
  readonly from: Moment;
  /** When it ceased to; undefined if it lasts to the end of the trace. */
  to: Moment | undefined;
  score: number;
}

/** Finds the incidents of a question; the worst is first. */
export class Incidents {
  readonly blocked: Blocked;
  private readonly g: Gather;
  private readonly drops: Drops;
  /** See usualWait; -1 as long as it was not asked for. */
  private usual = -1;
  private readonly byKey = new Map<string, Incident>();

  constructor(gather: Gather) {
    this.g = gather;
    this.blocked = new Blocked(gather);
    this.drops = new Drops(gather);
  }

  /** All incidents about PE `pe` (any, if undefined), the worst first. With `at`, those nearest to that record. */
  find(pe: number | undefined, at: number | undefined): Incident[] {
    this.fromStories(pe);
    this.fromMessages(pe);
    this.fromSgis();
    const all = [...this.byKey.values()];
    for (const incident of all) incident.score = this.score(incident, at);
    this.preferFirstDisagreement(all);
    return all.sort((a, b) => b.score - a.score || a.from.record - b.from.record);
  }

  /** Whether an interrupt waited for this far longer than the others that were delivered did. */
  isLate({ kind, held, cause, stories }: Incident): boolean {
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

  /** Where the source contradicts the simulator, everything after the first contradiction may follow from it. */
  private preferFirstDisagreement(all: readonly Incident[]): void {
    const first = this.g.disagreements.find(({ intid }) => this.g.intids.has(intid));
    if (first === undefined) return;
    for (const incident of all)
      if (incident.contradicted > 0 && incident.first <= first.record) incident.score += FIRST_DISAGREEMENT;
  }

  private incident(
    kind: IncidentKind,
    reason: string,
    cause: Cause,
    story: { intid: number; pe: number },
    from: Moment,
  ): Incident {
    const isOmission =
      kind === 'blocked' && (cause.missing?.what === 'enable' || cause.missing?.what === 'other');
    const by =
      kind === 'not ended' || isOmission ? '' : `${cause.record} ${cause.record < 0 ? cause.what : ''}`;
    const key = `${kind} ${reason} ${by} ${story.intid} ${story.pe}`;
    let found = this.byKey.get(key);
    if (found === undefined) {
      found = {
        kind,
        reason,
        cause,
        intid: story.intid,
        pe: story.pe,
        stories: [],
        messages: [],
        lost: 0,
        weight: 0,
        contradicted: 0,
        first: Number.POSITIVE_INFINITY,
        held: 0,
        from,
        to: undefined,
        score: 0,
      };
      this.byKey.set(key, found);
    }
    return found;
  }

  // ---- lifetimes -------------------------------------------------------------------------------------------

  private fromStories(pe: number | undefined): void {
    const { g } = this;
    const lastGood = new Map<string, Story>();
    const disagreements = [...g.disagreements];
    const keyOf = ({ lifetime: one }: Story) =>
      isPrivate(one.intid) ? `${one.intid} ${one.pe}` : `${one.intid}`;
    const taken = new Map<string, { last: number; times: number }>();
    for (const story of g.stories)
      if (story.lifetime.acknowledged !== undefined)
        taken.set(keyOf(story), {
          last: story.lifetime.acknowledged.record,
          times: (taken.get(keyOf(story))?.times ?? 0) + 1,
        });
    for (const story of g.stories) {
      const { lifetime, holds } = story;
      if (pe !== undefined && lifetime.pe !== pe && lifetime.pe >= 0 && !holds.some((hold) => hold.pe === pe))
        continue;
      const key = keyOf(story);
      const good = lastGood.get(key);
      const isLost = lifetime.acknowledged === undefined && lifetime.withdrawal.movedTo === null;
      const worst = isLost ? this.longestHold(story) : undefined;
      const isCutOff = isLost && lifetime.withdrawn === undefined && this.isNearEnd(lifetime.pended!);
      for (const hold of holds) {
        // A line that its device deasserts again, and a reset, end what does not matter any more.
        const isOver =
          lifetime.withdrawal.by === 'wire' ||
          (this.resetOf(story) < (lifetime.withdrawn?.record ?? this.g.records) &&
            this.lengthOf(hold) < BLOCKED_LONG);
        // Nor does it matter what was handled already, or ready to be, if it goes on to arrive, as a timer does of which a
        // hypervisor leaves the deactivation to its guest.
        const isHarmless =
          isOver &&
          (hold.gate === 'active' || hold.gate === 'signalled') &&
          this.lengthOf(hold) < LATE &&
          (taken.get(key)?.times ?? 0) >= OFTEN &&
          taken.get(key)!.last > hold.from.record;
        const isPassing = isCutOff && PASSING.has(hold.gate);
        const lost = hold !== worst || isHarmless || isPassing ? 0 : isOver ? 0.3 : 1;
        this.fromHold(story, hold, lost, good, disagreements);
      }
      if (lifetime.withdrawn !== undefined && isLost) this.fromWithdrawal(story);
      if (lifetime.acknowledged !== undefined) {
        const isEnded = lifetime.eoi !== undefined || lifetime.deactivated !== undefined;
        if (story.virtual === undefined && (!isEnded || (story.running?.readAgain ?? -1) >= 0))
          this.notEnded(story);
        if (isEnded) lastGood.set(key, story);
      }
    }
  }

  /** Whether the trace may end before what began then is completed. */
  private isNearEnd({ record }: Moment): boolean {
    return this.g.records - record < cutOffRecords(this.g.records);
  }

  private lengthOf({ from, to }: Hold): number {
    return (to?.record ?? this.g.records) - from.record;
  }

  /** What a lifetime that ended without an acknowledge waited for longest; of those that are as long, the last one. */
  private longestHold(story: Story): Hold | undefined {
    const reset = this.resetOf(story);
    const length = ({ from, to }: Hold) => Math.min(reset, to?.record ?? this.g.records) - from.record;
    let found: Hold | undefined;
    for (const hold of story.holds)
      if (hold.from.record < reset && (found === undefined || length(hold) >= length(found))) found = hold;
    return found;
  }

  /** The reset of the GIC that ended a lifetime; infinite if none did. */
  private resetOf({ lifetime }: Story): number {
    return this.g.commands.resetAfter((lifetime.pended ?? lifetime.acknowledged)!.record);
  }

  private fromHold(
    story: Story,
    hold: Hold,
    lost: number,
    good: Story | undefined,
    disagreements: readonly Disagreement[],
  ): void {
    const { intid } = story.lifetime;
    const to = hold.to?.record ?? this.g.records;
    const contradicted = within(disagreements, hold.from.record, to).filter(
      (one) => one.intid === intid && one.pe === hold.pe,
    );
    if (story.virtual !== undefined) {
      const isSilent = hold.gate === 'signalled to the virtual machine';
      if (isSilent && lost === 0) return;
      const cause = this.g.virtual!.causeOfHold(this.g, story, hold);
      const found = this.incident(
        isSilent ? 'not acknowledged' : 'blocked',
        hold.gate,
        cause,
        { intid, pe: hold.pe },
        hold.from,
      );
      this.add(found, story, hold, lost, []);
      return;
    }
    if (hold.gate === 'signalled' || hold.gate === 'unknown') {
      if (lost === 0 || hold.gate === 'unknown') return;
      const found = this.incident(
        'not acknowledged',
        'signalled',
        this.blocked.causeOfSilence(story, hold, good),
        { intid, pe: hold.pe },
        hold.from,
      );
      this.add(found, story, hold, lost, contradicted);
      return;
    }
    const cause = this.blocked.causeOfHold(story, hold);
    const found = this.incident('blocked', hold.gate, cause, { intid, pe: hold.pe }, hold.from);
    this.add(found, story, hold, lost, contradicted);
  }

  private add(
    incident: Incident,
    story: Story,
    hold: Hold,
    lost: number,
    contradicted: readonly Disagreement[],
  ): void {
    if (incident.stories.at(-1) !== story) incident.stories.push(story);
    incident.weight += lost;
    if (lost > 0) incident.lost++;
    incident.contradicted += contradicted.length;
    incident.first = Math.min(incident.first, contradicted[0]?.record ?? Number.POSITIVE_INFINITY);
    incident.held = Math.max(incident.held, this.lengthOf(hold));
    incident.to = hold.to;
  }

  private fromWithdrawal(story: Story): void {
    const { lifetime } = story;
    const by = lifetime.withdrawal.by ?? 'unknown';
    if (by === 'wire') return;
    const command = story.withdrawnBy < 0 ? undefined : this.g.commands.all[story.withdrawnBy];
    const records =
      command === undefined
        ? { record: lifetime.withdrawn!.record, also: NO_RECORDS }
        : recordsOfCommand(command);
    // EnableLPIs reads the pending table that GICR_PENDBASER gives, unless its PTZ says that it is zero.
    const table =
      by === 'GICR_CTLR'
        ? this.g.lastWrite(
            writeKey(FRAMES.indexOf('GICR'), lifetime.pe, GICR.GICR_PENDBASER.offset),
            records.record,
          )
        : -1;
    const cause: Cause = {
      record: records.record,
      also: table < 0 ? records.also : [...records.also, table],
      what: 'takes its pending state away',
      missing: undefined,
    };
    const found = this.incident(
      'withdrawn',
      by,
      cause,
      { intid: lifetime.intid, pe: lifetime.pe },
      lifetime.pended ?? lifetime.withdrawn!,
    );
    found.stories.push(story);
    found.lost++;
    // What had been blocked for long when it was withdrawn was lost by what blocked it.
    const hold = this.longestHold(story);
    const wasBlocked = hold !== undefined && !SIGNALLED.has(hold.gate) && this.lengthOf(hold) > BLOCKED_LONG;
    found.weight += wasBlocked ? 0.2 : 1;
    found.to = lifetime.withdrawn;
  }

  private notEnded(story: Story): void {
    const { lifetime } = story;
    const { intid, pe } = lifetime;
    const again = story.running?.readAgain ?? -1;
    if (again < 0 && this.isNearEnd(lifetime.acknowledged!)) return;
    const cause: Cause = {
      record: lifetime.acknowledged!.record,
      also: again < 0 ? NO_RECORDS : [again],
      what:
        lifetime.eoi === undefined
          ? `PE${pe} acknowledges it, and no EOI of it follows`
          : `PE${pe} acknowledges it, and no EOI of it follows until record ${lifetime.eoi.record}, after the PE has read ICC_IAR again (record ${again})`,
      missing: { what: 'EOI', pe, intid },
    };
    const found = this.incident('not ended', 'no EOI', cause, { intid, pe }, lifetime.acknowledged!);
    found.stories.push(story);
    found.to = lifetime.eoi;
    found.held = (lifetime.eoi?.record ?? this.g.records) - lifetime.acknowledged!.record;
  }

  // ---- messages --------------------------------------------------------------------------------------------

  private fromMessages(pe: number | undefined): void {
    const { g } = this;
    const isLpi =
      g.intids.size === 0 || g.vintids.size > 0 || [...g.intids].some((intid) => intid >= LPI_FIRST);
    if (!isLpi) return;
    const askedForDevice = g.isAboutDevice;
    // If no device ever sends what is mapped to it, another event of such a device may be what should be.
    const isSilent = !g.messages.some(({ device, event }) => g.events.has(`${device} ${event}`));
    const devices = new Set([...g.events].map((one) => one.split(' ')[0]));
    const mayBeOurs = ({ device, outcome }: Message) =>
      isSilent && outcome === 'event-unmapped' && devices.has(`${device}`);
    for (const message of g.messages) {
      if (message.outcome === 'pended' || message.outcome === 'coalesced' || message.outcome === 'virtual') {
        this.fromTranslation(message);
        continue;
      }
      if (pe !== undefined && message.pe >= 0 && message.pe !== pe) continue;
      const isOurs = askedForDevice || g.events.has(`${message.device} ${message.event}`);
      if (!isOurs && g.events.size > 0 && !mayBeOurs(message)) continue;
      const cause = this.drops.causeOfDrop(message);
      const found = this.incident(
        'dropped',
        message.outcome,
        cause,
        { intid: message.intid, pe: -1 },
        message,
      );
      found.messages.push(message);
      found.lost++;
      found.weight++;
      found.to = undefined;
    }
  }

  /** A message of an event that is mapped to the interrupt asked about became another one, while that one never arrived. */
  private fromTranslation(message: Message): void {
    const { g } = this;
    const { intid } = message;
    if (message.outcome === 'virtual') {
      this.fromOtherVpe(message);
      return;
    }
    if (g.isAboutDevice || intid < LPI_FIRST || g.intids.has(intid)) return;
    if (!g.events.has(`${message.device} ${message.event}`)) return;
    const epoch = g.commands.resetBefore(message.record);
    const arrives = g.stories.some(
      ({ lifetime: { acknowledged } }) =>
        acknowledged !== undefined && g.commands.resetBefore(acknowledged.record) === epoch,
    );
    const mapping = arrives ? undefined : this.drops.mappingOf(message);
    if (mapping === undefined) return;
    const cause = causedBy(
      mapping,
      `maps DeviceID 0x${message.device.toString(16)} EventID 0x${message.event.toString(16)} to INTID ${intid}`,
    );
    const found = this.incident('another INTID', 'MAPTI', cause, { intid: -1, pe: -1 }, message);
    found.messages.push(message);
    found.lost++;
    found.weight++;
  }

  /** A message became the vINTID asked about, of another vPE than the one asked about. */
  private fromOtherVpe(message: Message): void {
    const { g } = this;
    const event = `${message.device} ${message.event}`;
    if (!g.eventsOfOtherVpes.has(event) || g.events.has(event)) return;
    const mapping = g.commands.last(
      message.record,
      ({ name, operands, refused }) =>
        !refused && /^VMAPT?I$/.test(name) && `${operands.DeviceID} ${operands.EventID}` === event,
    );
    if (mapping === undefined) return;
    const { vPEID } = mapping.operands;
    const cause = causedBy(
      mapping,
      `maps DeviceID 0x${message.device.toString(16)} EventID 0x${message.event.toString(16)} to vINTID ${message.intid} of vPE ${vPEID}`,
    );
    const found = this.incident('another INTID', 'VMAPTI', cause, { intid: -1, pe: -1 }, message);
    found.messages.push(message);
    found.lost++;
    found.weight++;
  }

  // ---- SGIs ------------------------------------------------------------------------------------------------

  private fromSgis(): void {
    for (const sgi of this.g.sgis) {
      if (sgi.reached.length > 0) continue;
      const cause: Cause = {
        record: sgi.record,
        also: NO_RECORDS,
        what: `sends SGI ${sgi.intid} to no PE`,
        missing: undefined,
      };
      const found = this.incident('SGI to no PE', 'no PE', cause, { intid: sgi.intid, pe: -1 }, sgi);
      found.lost++;
      found.weight++;
    }
  }

  // ---- which is the worst ----------------------------------------------------------------------------------

  private score(incident: Incident, at: number | undefined): number {
    const { kind, reason, lost, held, stories } = incident;
    let weight = 1;
    if (kind === 'withdrawn') {
      // Software that clears a pending interrupt again and again means to.
      const alike = [...this.byKey.values()].filter(
        (one) => one.kind === 'withdrawn' && one.reason === reason,
      ).length;
      weight = EXPLICIT_CLEARS.has(reason) && alike > 3 ? 0.02 : 2;
    } else if (kind === 'not acknowledged') weight = incident.cause.record < 0 ? 0.1 : 0.8;
    else if (kind === 'blocked' && reason === 'behind') weight = 0.5;
    else if (kind === 'blocked' && incident.cause.record < 0 && incident.cause.missing === undefined)
      weight = 0.1;
    let score = weight * 10 * (incident.weight + incident.contradicted) + Math.log2(1 + held);
    if (kind === 'not ended') score = 12 + Math.log2(1 + stories.length);
    // At its end a system stops in the middle of something.
    if (incident.to === undefined && lost <= 2 && incident.from.record > 0.95 * this.g.records) score *= 0.3;
    // What blocks from the beginning and then no longer is how every system starts.
    if (
      kind === 'blocked' &&
      incident.cause.record < 0 &&
      stories.some(({ lifetime }) => lifetime.acknowledged !== undefined)
    )
      score *= 0.3;
    if (at !== undefined) {
      const end = incident.to?.record ?? this.g.records;
      const distance = at < incident.from.record ? incident.from.record - at : at > end ? at - end : 0;
      score += distance === 0 ? 1e6 : -distance;
    }
    return score;
  }
}

/** Those of a list in the order of records whose record is from `from` to `to`. */
function within<T extends Moment>(list: readonly T[], from: number, to: number): readonly T[] {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.record < from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < list.length && list[end]!.record <= to) end++;
  return list.slice(low, end);
}

/** In records: what is blocked for longer is not just about to be signalled. */
const BLOCKED_LONG = 1000;
/** In records, and as a multiple of the usual wait: what waits for longer is late. */
const LATE = 1000;
const LATE_TIMES = 20;
/** How many times an interrupt arrives that arrives often. */
const OFTEN = 1000;
/** Masking reasons that every interrupt meets now and then. */
const PASSING: ReadonlySet<string> = new Set(['signalled', 'running priority', 'behind', 'active']);
const SIGNALLED: ReadonlySet<string> = new Set(['signalled', 'signalled to the virtual machine', 'unknown']);
const FIRST_DISAGREEMENT = 1e5;
const EXPLICIT_CLEARS: ReadonlySet<string> = new Set(['CLEAR', 'GICD_ICPENDR', 'GICR_ICPENDR0']);
