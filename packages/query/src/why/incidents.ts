// What went wrong with the interrupts of a question, from what one pass over the trace collected: intervals in which
// something blocked them, messages that were dropped, pending state that was withdrawn, acknowledges without an EOI. What
// has the same cause is one incident. It reads no trace and knows no form of an answer.
import { FRAMES, GICR, isPrivate, LPI_FIRST } from '@gictrace/core/spec';
import type { Moment } from '../timeline/moment.ts';
import { Blocked } from './blocked.ts';
import { type Cause, causedBy, type Missing, NO_RECORDS, recordsOfCommand } from './cause.ts';
import { Drops } from './drops.ts';
import type { Gather } from './gather.ts';
import {
  concernsPe,
  type Disagreement,
  type Hold,
  isNearEnd,
  isTranslated,
  type Message,
  type Story,
  writeKey,
} from './gathered.ts';
import { type Incident, IncidentFinder, type IncidentKind } from './incident.ts';

export type Gicv3Incident = Incident<Story, Missing>;

/** Finds the incidents of a question; the worst is first. */
export class Incidents extends IncidentFinder<Story, Missing> {
  readonly blocked: Blocked;
  private readonly g: Gather;
  private readonly drops: Drops;

  constructor(gather: Gather) {
    super(gather, LATE);
    this.g = gather;
    this.blocked = new Blocked(gather);
    this.drops = new Drops(gather);
  }

  protected override gather(pe: number | undefined): void {
    this.fromStories(pe);
    this.fromMessages(pe);
    this.fromSgis();
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
      if (!concernsPe(story, holds, pe)) continue;
      const key = keyOf(story);
      const good = lastGood.get(key);
      const isLost = lifetime.acknowledged === undefined && lifetime.withdrawal.movedTo === null;
      const worst = isLost ? this.longestHold(story) : undefined;
      const isCutOff = isLost && lifetime.withdrawn === undefined && isNearEnd(lifetime.pended!, g.records);
      for (const hold of holds) {
        // A line that its device deasserts again, a reset, and a hypervisor that has run the vPE of a doorbell end what does not
        // matter any more.
        const isOver =
          lifetime.withdrawal.by === 'wire' ||
          this.isAnsweredDoorbell(story) ||
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

  /** Whether software cleared a doorbell, which it does when the vPE that it was rung for runs again. */
  private isAnsweredDoorbell({ lifetime: { intid, withdrawal } }: Story): boolean {
    if (withdrawal.by !== 'CLEAR') return false;
    return this.g.stories.some(({ lifetime }) => lifetime.intid === intid && lifetime.cause === 'doorbell');
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
      this.add(isSilent ? 'not acknowledged' : 'blocked', cause, story, hold, lost, []);
      return;
    }
    if (hold.gate === 'signalled' || hold.gate === 'unknown') {
      if (lost === 0 || hold.gate === 'unknown') return;
      const cause = this.blocked.causeOfSilence(story, hold, good);
      this.add('not acknowledged', cause, story, hold, lost, contradicted);
      return;
    }
    this.add('blocked', this.blocked.causeOfHold(story, hold), story, hold, lost, contradicted);
  }

  private add(
    kind: IncidentKind,
    cause: Cause,
    story: Story,
    hold: Hold,
    lost: number,
    contradicted: readonly Disagreement[],
  ): void {
    const { intid } = story.lifetime;
    const about = { kind, reason: hold.gate, cause, intid, pe: hold.pe, from: hold.from };
    const missing = cause.missing?.what;
    const incident = this.incident(
      about,
      kind === 'blocked' && (missing === 'enable' || missing === 'other'),
    );
    if (incident.stories.at(-1) !== story) incident.stories.push(story);
    incident.weight += lost;
    if (lost > 0) incident.lost++;
    this.contradict(incident, contradicted);
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
    const { intid, pe } = lifetime;
    const from = lifetime.pended ?? lifetime.withdrawn!;
    const found = this.incident({ kind: 'withdrawn', reason: by, cause, intid, pe, from });
    found.stories.push(story);
    found.lost++;
    // What had been blocked for long when it was withdrawn was lost by what blocked it.
    const hold = this.longestHold(story);
    const wasBlocked = hold !== undefined && !SIGNALLED.has(hold.gate) && this.lengthOf(hold) > BLOCKED_LONG;
    found.weight += wasBlocked || this.isAnsweredDoorbell(story) ? 0.2 : 1;
    found.to = lifetime.withdrawn;
  }

  private notEnded(story: Story): void {
    const { lifetime } = story;
    const { intid, pe } = lifetime;
    const again = story.running?.readAgain ?? -1;
    if (again < 0 && isNearEnd(lifetime.acknowledged!, this.g.records)) return;
    const cause: Cause = {
      record: lifetime.acknowledged!.record,
      also: again < 0 ? NO_RECORDS : [again],
      what:
        lifetime.eoi === undefined
          ? `PE${pe} acknowledges it, and no EOI of it follows`
          : `PE${pe} acknowledges it, and no EOI of it follows until record ${lifetime.eoi.record}, after the PE has read ICC_IAR again (record ${again})`,
      missing: { what: 'EOI', pe, intid },
    };
    const from = lifetime.acknowledged!;
    const found = this.incident({ kind: 'not ended', reason: 'no EOI', cause, intid, pe, from });
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
      if (isTranslated(message)) {
        this.fromTranslation(message);
        continue;
      }
      if (pe !== undefined && message.pe >= 0 && message.pe !== pe) continue;
      const isOurs = askedForDevice || g.events.has(`${message.device} ${message.event}`);
      if (!isOurs && g.events.size > 0 && !mayBeOurs(message)) continue;
      this.didNotArrive(message, this.drops.causeOfDrop(message));
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
    this.becameAnother('MAPTI', cause, message);
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
    this.becameAnother('VMAPTI', cause, message);
  }

  private becameAnother(reason: string, cause: Cause, message: Message): void {
    this.lose(message, { kind: 'another INTID', reason, cause, intid: -1 });
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
      const { intid } = sgi;
      const found = this.incident({ kind: 'SGI to no PE', reason: 'no PE', cause, intid, pe: -1, from: sgi });
      found.lost++;
      found.weight++;
    }
  }

  // ---- which is the worst ----------------------------------------------------------------------------------

  protected override weightOf(incident: Gicv3Incident): number {
    const { kind, reason, cause } = incident;
    if (kind === 'withdrawn' && EXPLICIT_CLEARS.has(reason)) {
      // Software that clears a pending interrupt again and again means to.
      const alike = [...this.byKey.values()].filter((one) => one.kind === kind && one.reason === reason);
      if (alike.length > 3) return 0.02;
    }
    if (kind === 'blocked' && reason !== 'behind' && cause.record < 0 && cause.missing === undefined)
      return 0.1;
    return super.weightOf(incident);
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
/** In records: what waits for longer can be late. */
const LATE = 1000;
/** How many times an interrupt arrives that arrives often. */
const OFTEN = 1000;
/** Masking reasons that every interrupt meets now and then. */
const PASSING: ReadonlySet<string> = new Set(['signalled', 'running priority', 'behind', 'active']);
const SIGNALLED: ReadonlySet<string> = new Set(['signalled', 'signalled to the virtual machine', 'unknown']);
const EXPLICIT_CLEARS: ReadonlySet<string> = new Set(['CLEAR', 'GICD_ICPENDR', 'GICR_ICPENDR0']);
