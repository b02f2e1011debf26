// One pass over a trace of a GICv5, for a question: the lifetimes of the interrupts asked about with what they waited for, the
// conditions on their way and when these changed, the messages of their device, and who wrote what decides. It draws no conclusion.
import {
  GICV5_CONDITIONS,
  type Gicv5Condition,
  type Gicv5Machine,
  gicv5ConditionsOf,
  gicv5MayHaveIste,
} from '@gictrace/core/gicv5';
import { FollowObserver } from '@gictrace/core/model';
import {
  actOf,
  DROP_REASONS,
  FRAMES,
  KIND,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  takenOrEnded,
} from '@gictrace/core/record';
import { GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5Type } from '@gictrace/core/spec';
import { Gicv5Trackers } from '../../timeline/gicv5/trackers.ts';
import type { Lifetime, LifetimeStep } from '../../timeline/lifetimes.ts';
import type { Moment } from '../../timeline/moment.ts';
import type { WaitRow } from '../../timeline/waits.ts';
import { type Disagreement, ICC_WRITES, type Message, writeKey } from '../gathered.ts';
import type { Question } from '../question.ts';
import { ConditionTracks, Tracks } from '../tracks.ts';

const INTID = 0xe0ff_ffff;
const { PPI, LPI } = GICV5_TYPES;
const code = (name: keyof typeof GICV5_SYSREGS) => GICV5_SYSREGS[name].encoding;
/** GIC instructions that name an interrupt and have no effect if the IRS does not have it. */
const OF_AN_INTERRUPT: ReadonlySet<number> = new Set(
  (['GIC_CDEN', 'GIC_CDDIS', 'GIC_CDPRI', 'GIC_CDAFF', 'GIC_CDPEND', 'GIC_CDHM'] as const).map(code),
);

/** A lifetime of an interrupt with what it waited for. */
export interface Gicv5Story {
  readonly lifetime: Lifetime;
  readonly waits: WaitRow[];
  /** When its PE executed GICR CDIA again before it had ended it, and got nothing if it lacked GIC CDEOI; -1 if it did not. */
  readAgain: number;
}

/** An access to a CPU interface, and the INTID in what it writes. */
interface UndecidedAccess {
  readonly record: number;
  readonly register: number;
  readonly intid: number;
}

/** An access that has no effect, because the GIC does not have the interrupt. */
export interface Unreachable extends Moment {
  readonly pe: number;
}

/**
 * The track of a condition. Those of the IRS and of a CPU interface are the same for all interrupts, and those of an SPI or LPI for
 * all PEs, but for the priority mask.
 */
export function conditionTrack(condition: Gicv5Condition, intid: number, pe: number): string {
  const isPpi = gicv5Type(intid) === PPI;
  if (condition === 'IRS enabled') return isPpi ? 'always' : condition;
  if (condition === 'interface enabled') return `${condition} ${pe}`;
  return isPpi || condition === 'above the priority mask'
    ? `${condition} ${intid} ${pe}`
    : `${condition} ${intid}`;
}

export class Gicv5Gather extends FollowObserver {
  readonly machine: Gicv5Machine;
  readonly intids = new Set<number>();
  readonly stories: Gicv5Story[] = [];
  readonly messages: Message[] = [];
  readonly tracks = new Tracks();
  private readonly conditionTracks = new ConditionTracks(this.tracks, (intid, pe) =>
    GICV5_CONDITIONS.map((condition) => conditionTrack(condition, intid, pe)),
  );
  readonly disagreements: Disagreement[] = [];
  /** By interrupt: GIC instructions about it that had no effect. */
  readonly unreachable = new Map<number, Unreachable[]>();
  /** Accesses to CPU interfaces that the source does not assign to a PE. */
  readonly undecided: UndecidedAccess[] = [];
  records = 0;
  endNs = Number.NaN;
  /** By PE: its last access to its CPU interface; -1 if there is none. */
  readonly lastAccess: Int32Array;
  /** By PE: the records at which it executed GICR CDIA, as far as the source names it. */
  private readonly asked: number[][];

  private readonly question: Question;
  /** Whether all state is known that the trace has not written: it began with a reset, or there was one since. */
  private fromReset: boolean;
  private readonly trackers: Gicv5Trackers;
  private readonly byLifetime = new Map<Lifetime, Gicv5Story>();
  private readonly byPended = new Map<string, Gicv5Story>();
  /** By interrupt: the lifetime that was acknowledged last. */
  private readonly taken = new Map<number, Gicv5Story>();
  /** Writes by register; those about an interrupt by its INTID, too. */
  private readonly writes = new Map<number, number[]>();
  private readonly instructions = new Map<number, { readonly register: number; readonly record: number }[]>();
  private now: Moment = { record: -1, timeNs: Number.NaN };
  private didEmit = false;
  private acknowledged = 0;
  private message: Message | undefined;
  private readonly conditions: number[] = new Array(GICV5_CONDITIONS.length).fill(-1);
  /** PEs whose conditions may have changed by this stimulus; all of them if `touchesAll`. */
  private readonly touched = new Set<number>();
  private touchesAll = false;

  constructor(machine: Gicv5Machine, question: Question, fromReset: boolean) {
    super();
    this.fromReset = fromReset;
    this.machine = machine;
    this.question = question;
    this.lastAccess = new Int32Array(machine.state.peCount).fill(-1);
    this.asked = Array.from({ length: machine.state.peCount }, () => []);
    this.trackers = new Gicv5Trackers(machine, {
      lifetime: (step, lifetime) => this.step(step, lifetime),
      wait: (row) => this.waited(row),
    });
    this.touchesAll = true;
    this.look();
    if (question.intid !== undefined) this.watch(question.intid);
  }

  private watch(intid: number): void {
    if (this.intids.has(intid)) return;
    this.intids.add(intid);
    this.touchesAll = true;
    this.look();
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    this.now = { record, timeNs: batch.timeNs[i]! };
    this.records = record + 1;
    if (!Number.isNaN(this.now.timeNs)) this.endNs = this.now.timeNs;
    this.didEmit = false;
    this.acknowledged = 0;
    this.message = undefined;
    this.touched.clear();
    this.touchesAll = false;
    const kind = batch.kind[i]!;
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const pe = batch.pe[i]!;
    if (kind === KIND['gic.reset']) this.fromReset = true;
    if (pe >= 0) this.touched.add(pe);
    if (kind === KIND['sysreg.write'] || kind === KIND['sysreg.read']) {
      const isUndecided = (batch.flags[i]! & (RECORD_FLAGS.peUndecided | RECORD_FLAGS.undecided)) !== 0;
      const intid = (w[at + 1]! & INTID) >>> 0;
      if (isUndecided) this.undecided.push({ record, register: w[at]!, intid });
      else if (pe >= 0 && pe < this.lastAccess.length) this.lastAccess[pe] = record;
      if (kind === KIND['sysreg.write']) this.wroteSysreg(isUndecided ? -1 : pe, w[at]!, intid);
    } else if (kind === KIND['mmio.write']) this.wrote(writeKey(w[at]!, w[at + 1]!, w[at + 2]!));
    else if (kind === KIND['msi.write']) this.sent(w[at]!, w[at + 1]!, w[at + 2]!);
    this.trackers.stimulus(batch, i, record);
  }

  private wroteSysreg(pe: number, register: number, intid: number): void {
    if (!OF_AN_INTERRUPT.has(register)) {
      if (pe >= 0) this.wrote(writeKey(ICC_WRITES, pe, register));
      return;
    }
    if (!this.intids.has(intid)) return;
    pushTo(this.instructions, intid, { register, record: this.now.record });
    const { state } = this.machine;
    const id = gicv5Id(intid);
    const isReached =
      gicv5Type(intid) === LPI ? gicv5MayHaveIste(this.machine, id, this.fromReset) : state.spiIndex(id) >= 0;
    if (!isReached) pushTo(this.unreachable, intid, { ...this.now, pe });
  }

  private wrote(register: number): void {
    pushTo(this.writes, register, this.now.record);
  }

  private sent(its: number, device: number, event: number): void {
    const { question } = this;
    if (question.device !== undefined && question.device !== device) return;
    if (question.event !== undefined && question.event !== event) return;
    this.message = { ...this.now, its, device, event, outcome: 'unknown', intid: -1, pe: -1 };
  }

  /** The first GICR CDIA of a PE after a record; `records` if there is none. */
  asksNext(pe: number, after: number): number {
    return this.asked[pe]?.find((record) => record > after) ?? this.records;
  }

  /**
   * Whether an access after one record and up to another may end an interrupt that a PE acknowledged: an access of a PE that the
   * source does not name may be any GIC CDEOI of this one, but GIC CDDI names its interrupt.
   */
  mayBeEnded(by: 'GIC_CDEOI' | 'GIC_CDDI', intid: number, from: number, to: number): boolean {
    return this.undecided.some(
      (one) =>
        one.record > from &&
        one.record <= to &&
        (by === 'GIC_CDEOI' || (one.register === code(by) && one.intid === intid)),
    );
  }

  /** The last write to a register up to a record; -1 if there is none. */
  lastWrite(register: number, record: number): number {
    return this.writes.get(register)?.findLast((one) => one <= record) ?? -1;
  }

  /** The last GIC instruction about an interrupt up to a record; -1 if there is none. */
  lastInstruction(intid: number, name: keyof typeof GICV5_SYSREGS, record: number): number {
    const register = code(name);
    const all = this.instructions.get(intid);
    return all?.findLast((one) => one.register === register && one.record <= record)?.record ?? -1;
  }

  override answered(batch: RecordBatch, i: number): void {
    this.trackers.answered(batch, i);
  }

  override emitted(records: RecordBatch): void {
    this.didEmit = true;
    for (let i = 0; i < records.count; i++) {
      const at = i * RECORD_WORDS;
      const w = records.words;
      const pe = records.pe[i]!;
      if (pe >= 0) this.touched.add(pe);
      switch (records.kind[i]) {
        case KIND['int.acknowledged']:
          this.acknowledged = w[at]!;
          break;
        case KIND['state.reset']:
        case KIND['ist.changed']:
          this.touchesAll = true;
          break;
        case KIND['reg.changed']:
          if (pe < 0) this.touchesAll = true;
          break;
        case KIND['msi.translated']:
          this.translated(w[at + 3]!, pe);
          break;
        case KIND['msi.dropped']:
          if (this.message !== undefined) this.message.outcome = DROP_REASONS[w[at + 3]!]!;
          break;
        case KIND['msi.undecided']:
          if (this.message !== undefined) this.message.outcome = 'undecided';
          break;
        default:
      }
    }
    this.trackers.emitted(records);
  }

  private translated(intid: number, pe: number): void {
    const { message, question } = this;
    if (message === undefined) return;
    message.intid = intid;
    message.pe = pe;
    message.outcome = 'pended';
    if (question.device !== undefined) this.watch(intid);
  }

  override settled(batch: RecordBatch, i: number): void {
    this.trackers.settled(batch, i);
    const { message } = this;
    if (message !== undefined && (this.question.device !== undefined || this.intids.has(message.intid)))
      this.messages.push(message);
    if (batch.kind[i] === KIND['sysreg.read'] && actOf(batch, i)?.does === 'acknowledge')
      this.compare(batch, i);
    if (this.didEmit) this.look();
  }

  /** Compares what a PE acknowledged in the source and on the simulator. */
  private compare(batch: RecordBatch, i: number): void {
    if (batch.flags[i]! & (RECORD_FLAGS.undecided | RECORD_FLAGS.peUndecided)) return;
    const taken = Math.max(0, takenOrEnded(batch, i));
    const pe = batch.pe[i]!;
    this.asked[pe]?.push(this.now.record);
    this.looksAgain(pe, this.acknowledged);
    if (taken === this.acknowledged) return;
    if (!this.intids.has(taken) && !this.intids.has(this.acknowledged)) return;
    this.disagreements.push({ ...this.now, pe, intid: taken, simulator: this.acknowledged });
  }

  /**
   * A PE has executed GICR CDIA: what it dropped the priority of before should be deactivated by now, and if it gets nothing, the
   * priority of what it handles should be dropped.
   */
  private looksAgain(pe: number, acknowledged: number): void {
    const { record } = this.now;
    for (const intid of this.intids) {
      const story = this.taken.get(intid);
      if (story === undefined || intid === acknowledged) continue;
      const { lifetime } = story;
      if (lifetime.pe !== pe || story.readAgain >= 0) continue;
      const isLeft = lifetime.eoi === undefined ? acknowledged === 0 : lifetime.deactivated === undefined;
      if (isLeft) story.readAgain = record;
    }
  }

  /** Notes the conditions of the interrupts asked about: a PPI has those of each PE, the others those of the PE to which they go. */
  private look(): void {
    const { machine, conditions, tracks, now } = this;
    const { state } = machine;
    tracks.set('IRS enabled', now.record, state.irsCr0[0]! & 1);
    for (const pe of this.touchesAll ? state.config.pes.keys() : this.touched)
      if (pe < state.peCount) tracks.set(`interface enabled ${pe}`, now.record, state.cr0[pe]! & 1);
    for (const intid of this.intids) {
      const pes = this.touchesAll ? machine.state.config.pes.keys() : this.touched;
      for (const pe of gicv5Type(intid) === PPI ? pes : machine.state.config.pes.keys()) {
        if (!gicv5ConditionsOf(machine, pe, intid, conditions)) continue;
        this.conditionTracks.set(intid, pe, now.record, conditions);
      }
    }
  }

  private step(step: LifetimeStep, lifetime: Lifetime): void {
    if (!this.intids.has(lifetime.intid)) return;
    if (step === 'pended') this.begin(lifetime);
    else if (step === 'acknowledged' && !this.byLifetime.has(lifetime)) this.begin(lifetime);
    if (step === 'acknowledged') this.taken.set(lifetime.intid, this.byLifetime.get(lifetime)!);
  }

  private begin(lifetime: Lifetime): void {
    const story: Gicv5Story = { lifetime, waits: [], readAgain: -1 };
    this.stories.push(story);
    this.byLifetime.set(lifetime, story);
    if (lifetime.pended !== undefined)
      this.byPended.set(storyKey(lifetime.intid, lifetime.pended.record, lifetime.pe), story);
  }

  private waited(row: WaitRow): void {
    if (!this.intids.has(row.INTID) || row.pended === null) return;
    this.byPended.get(storyKey(row.INTID, row.pended, row.pe ?? -1))?.waits.push(row);
  }

  override operation(batch: RecordBatch, i: number, record: number): void {
    this.trackers.operation(batch, i, record);
  }

  override end(): void {
    this.trackers.records = this.records;
    this.trackers.latestNs = this.endNs;
    this.trackers.end();
  }

  /** The place of the frame of registers among the frames, and its instance: that of the Non-secure domain of the first unit. */
  static frame(name: 'IRS' | 'ITS', unit = 0): readonly [frame: number, instance: number] {
    return [FRAMES.indexOf(name), 4 * unit + 1];
  }
}

const storyKey = (intid: number, pended: number, pe: number) =>
  `${intid} ${pended}${gicv5Type(intid) === PPI ? ` ${pe}` : ''}`;

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
