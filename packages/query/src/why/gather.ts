// One pass over a trace with the simulator beside it, which collects what can explain one question: the lifetimes of the
// interrupts asked about, what blocked them, the conditions on their way and when each changed, the messages of the device,
// and all ITS commands. It draws no conclusions.
import {
  CONDITION_NAMES,
  conditionsOf,
  configTableAddress,
  FollowObserver,
  heldBy,
  type Machine,
} from '@gictrace/core/model';
import {
  actOf,
  isAbout,
  KIND,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  takenOrEnded,
  UNITS,
} from '@gictrace/core/record';
import {
  FRAMES,
  fieldReader,
  GICR,
  GITS,
  isInterrupt,
  isPrivate,
  LPI_FIRST,
  SPURIOUS,
  SYSREGS,
} from '@gictrace/core/spec';
import { type Lifetime, Lifetimes } from '../timeline/lifetimes.ts';
import type { Moment } from '../timeline/moment.ts';
import { Withdrawals } from '../timeline/withdrawals.ts';
import { CommandLog } from './commands.ts';
import {
  CONFIG_WRITES,
  type Disagreement,
  ICC_WRITES,
  type Message,
  newStory,
  type Running,
  registerTrack,
  type SgiWrite,
  type Story,
  tableTrack,
  trackOf,
  writeKey,
} from './gathered.ts';
import type { Question } from './question.ts';
import { Sent, SGI_REGISTERS } from './sent.ts';
import { ConditionTracks, Tracks } from './tracks.ts';
import { concernsVirtualSide, VirtualSide } from './virtual.ts';

const UNIT_GICD = UNITS.indexOf('GICD');
const UNIT_GICR = UNITS.indexOf('GICR');
const UNIT_GITS = UNITS.indexOf('GITS');
/** Registers of a Redistributor or CPU interface on which a condition depends. */
const WATCHED_GICR: ReadonlySet<number> = new Set(
  [GICR.GICR_CTLR, GICR.GICR_WAKER, GICR.GICR_PROPBASER, GICR.GICR_PENDBASER].map(({ offset }) => offset),
);
const WATCHED_ICC: ReadonlySet<number> = new Set(
  [SYSREGS.ICC_PMR_EL1, SYSREGS.ICC_IGRPEN0_EL1, SYSREGS.ICC_IGRPEN1_EL1].map(({ encoding }) => encoding),
);
/** Registers of a CPU interface whose writes are noted even if they change nothing. */
const WATCHED_WRITES: ReadonlySet<number> = new Set([...WATCHED_ICC, SYSREGS.ICC_CTLR_EL1.encoding]);
const UNIT_ICC = UNITS.indexOf('ICC');
const UNIT_ICC_S = UNITS.indexOf('ICC_S');
/** Registers of an ITS that change with every command. */
const QUEUE_POINTERS: ReadonlySet<number> = new Set([GITS.GITS_CWRITER.offset, GITS.GITS_CREADR.offset]);
const LIFETIME_KINDS = new Uint8Array(256);
for (const name of [
  'wire.changed',
  'irq.pended',
  'irq.unpended',
  'irq.activated',
  'irq.deactivated',
  'irq.acknowledged',
  'irq.dropped',
  'irq.changed',
  'irq.routed',
  'lpi.pended',
  'lpi.cleared',
  'lpi.configured',
  'lpi.forgotten',
] as const)
  LIFETIME_KINDS[KIND[name]] = 1;

const tableType = fieldReader(GITS.GITS_BASER, 'Type');

/** The record at which a lifetime begins. */
function startOf({ lifetime }: Story): number {
  return (lifetime.pended ?? lifetime.acknowledged)!.record;
}

export class Gather extends FollowObserver {
  readonly machine: Machine;
  readonly commands: CommandLog;
  readonly tracks = new Tracks();
  private readonly conditionTracks = new ConditionTracks(this.tracks, (intid, pe) =>
    CONDITION_NAMES.map((condition) => trackOf(condition, intid, pe)),
  );
  readonly stories: Story[] = [];
  private readonly sent: Sent;
  readonly disagreements: Disagreement[] = [];
  /** The interrupts asked about: physical INTIDs. */
  readonly intids = new Set<number>();
  /** The same for virtual interrupts. */
  readonly vintids = new Set<number>();
  /** Their lifetimes; undefined if the question cannot be about one. */
  readonly virtual: VirtualSide | undefined;
  /** The events that have been mapped to them, as `device event`. */
  readonly events = new Set<string>();
  /** Events that have been mapped to the vINTID asked about, but to another vPE, as `device event`. */
  readonly eventsOfOtherVpes = new Set<string>();
  /** By PE: its last access to a system register. */
  readonly lastAccess: Int32Array;
  /** Writes to registers, whether or not they changed anything: their records, by {@link writeKey}. */
  private readonly writes = new Map<number, number[]>();
  /** Writes to registers that configure the interrupts asked about, alone or among others, and of which PE; -1: of the GICD. */
  readonly configured: { readonly record: number; readonly pe: number }[] = [];
  /** Records taken, and the time of the last one that has a time. */
  records = 0;
  endNs = Number.NaN;

  private readonly question: Question;
  private readonly lifetimes: Lifetimes;
  private readonly withdrawals = new Withdrawals();
  private readonly open = new Map<Lifetime, Story>();
  private readonly byLifetime = new Map<Lifetime, Story>();
  private readonly handled: Running[][];
  private readonly hppiSince: Int32Array;
  private now: Moment = { record: -1, timeNs: Number.NaN };
  private didEmit = false;
  /** Whether the stimulus is a write to guest memory. */
  private isStore = false;
  private running: Running | undefined;
  private acknowledged = SPURIOUS;
  private readonly conditions: number[] = new Array(CONDITION_NAMES.length).fill(-1);

  constructor(machine: Machine, question: Question) {
    super();
    this.machine = machine;
    this.question = question;
    this.sent = new Sent(question, this.intids);
    this.commands = new CommandLog(machine.state);
    const pes = machine.state.peCount;
    this.handled = Array.from({ length: pes }, () => []);
    this.hppiSince = new Int32Array(pes).fill(-1);
    this.lastAccess = new Int32Array(pes).fill(-1);
    this.lifetimes = new Lifetimes(
      machine.state,
      this.withdrawals,
      () => undefined,
      (step, lifetime, now) => this.step(step, lifetime, now),
    );
    if (question.vintid !== undefined) this.vintids.add(question.vintid);
    if (question.vintid !== undefined || question.device !== undefined)
      this.virtual = new VirtualSide(machine, this.vintids, question.vpe, this.withdrawals);
    if (question.intid !== undefined) this.watch(question.intid);
    for (let its = 0; its < machine.state.itsCount; its++) this.lookAtIts(its);
  }

  get messages(): readonly Message[] {
    return this.sent.messages;
  }
  get sgis(): readonly SgiWrite[] {
    return this.sent.sgis;
  }

  /** Begins to follow a physical interrupt. */
  private watch(intid: number): void {
    if (this.intids.has(intid)) return;
    this.intids.add(intid);
    this.lookAll(-1);
  }

  private lookAtIts(its: number): void {
    const { state } = this.machine;
    this.tracks.set(registerTrack('GITS', its, GITS.GITS_CTLR.offset), -1, state.gitsCtlr[its]!);
  }

  private lookAll(command: number): void {
    for (const intid of this.intids)
      for (let pe = 0; pe < this.machine.state.peCount; pe++) this.look(intid, pe, command);
  }

  /** Notes the conditions of an interrupt for a PE. */
  private look(intid: number, pe: number, command: number): void {
    const { conditions } = this;
    conditionsOf(this.machine, pe, intid, conditions);
    this.conditionTracks.set(intid, pe, this.now.record, conditions, command);
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    const timeNs = batch.timeNs[i]!;
    this.now = { record, timeNs };
    this.records = record + 1;
    if (!Number.isNaN(timeNs)) this.endNs = timeNs;
    this.withdrawals.begin(batch, i);
    this.didEmit = false;
    this.isStore = false;
    this.sent.begin(this.now);
    this.acknowledged = SPURIOUS;
    const kind = batch.kind[i]!;
    const at = i * RECORD_WORDS;
    if (kind === KIND['queue.write']) this.commands.queue(batch, i, record);
    else if (kind === KIND['mem.write']) {
      this.commands.stored(batch, i, record);
      this.isStore = true;
    } else if (kind === KIND['msi.write']) this.sent.message(batch, at);
    else if (kind === KIND['mmio.write']) {
      const w = batch.words;
      this.wrote(writeKey(w[at]!, w[at + 1]!, w[at + 2]!), record);
      for (const intid of this.intids)
        if (intid < LPI_FIRST && isAbout(batch, i, 'INTID', intid))
          this.configured.push({ record, pe: FRAMES[w[at]!] === 'GICR' ? w[at + 1]! : -1 });
    } else if (kind === KIND['sysreg.write'] || kind === KIND['sysreg.read']) {
      const pe = batch.pe[i]!;
      if (pe >= 0 && pe < this.lastAccess.length) this.lastAccess[pe] = record;
      if (kind === KIND['sysreg.read']) this.virtual?.read(pe, batch.words[at]!);
      if (kind === KIND['sysreg.write']) {
        const register = batch.words[at]!;
        if (SGI_REGISTERS.has(register)) this.sent.sgi(batch, i);
        else if (WATCHED_WRITES.has(register)) this.wrote(writeKey(ICC_WRITES, pe, register), record);
      }
    } else if (kind === KIND['pe.reset']) this.handled[batch.pe[i]!]?.splice(0);
  }

  private wrote(register: number, record: number): void {
    const records = this.writes.get(register);
    if (records === undefined) this.writes.set(register, [record]);
    else records.push(record);
  }

  /** All writes to a register, in order. */
  writesOf(register: number): readonly number[] {
    return this.writes.get(register) ?? [];
  }

  /** The last write to a register up to stimulus `record`; -1 if there is none. */
  lastWrite(register: number, record: number): number {
    return this.writes.get(register)?.findLast((one) => one <= record) ?? -1;
  }

  override emitted(records: RecordBatch): void {
    this.didEmit = true;
    const w = records.words;
    for (let i = 0; i < records.count; i++) {
      const kind = records.kind[i]!;
      const at = i * RECORD_WORDS;
      if (this.virtual !== undefined && concernsVirtualSide(kind))
        this.virtual.take(records, i, this.now, this.commands.causeOf(records, i));
      if (LIFETIME_KINDS[kind]) this.interrupt(records, i, kind);
      else if (kind === KIND.hppi) this.hppi(records, i);
      else if (kind === KIND['reg.changed']) this.register(records, i);
      else if (kind === KIND['its.command']) this.command(records, i);
      else if (kind === KIND['mem.written'] || kind === KIND['mem.marked']) this.memory(records, i);
      else if (kind === KIND['sgi.sent']) this.sent.reached(w[at]!, records.pe[i]!);
      else if (kind === KIND['state.reset']) {
        for (const stack of this.handled) stack.splice(0);
        for (let its = 0; its < this.machine.state.itsCount; its++) this.lookAtIts(its);
        this.lookAll(-1);
        this.commands.reset(this.now.record);
      } else this.sent.translated(records, i, kind);
    }
  }

  /** An event about a physical interrupt. */
  private interrupt(records: RecordBatch, i: number, kind: number): void {
    const intid = records.words[i * RECORD_WORDS]!;
    const pe = records.pe[i]!;
    if (kind === KIND['irq.acknowledged']) {
      this.acknowledged = intid;
      const running = { intid, since: this.now.record, readAgain: -1 };
      this.handled[pe]!.push(running);
      if (this.intids.has(intid)) this.running = running;
    } else if (kind === KIND['irq.dropped']) this.dropped(pe, intid);
    if (kind === KIND['lpi.pended']) this.sent.pended(intid);
    if (!this.intids.has(intid) && !(kind === KIND['lpi.forgotten'] && intid === 0)) return;
    const command = this.commands.causeOf(records, i);
    if (kind === KIND['lpi.forgotten'] && intid === 0) {
      for (const one of this.intids) if (one >= LPI_FIRST) this.look(one, pe, command);
      return;
    }
    this.command_ = command;
    this.lifetimes.take(records, i, this.now);
    if (intid < LPI_FIRST && !isPrivate(intid))
      for (let one = 0; one < this.handled.length; one++) this.look(intid, one, command);
    else if (pe >= 0) this.look(intid, pe, command);
  }
  /** The command that causes the event that is taken. */
  private command_ = -1;

  private dropped(pe: number, intid: number): void {
    const stack = this.handled[pe]!;
    for (let k = stack.length - 1; k >= 0; k--)
      if (stack[k]!.intid === intid) {
        stack.splice(k, 1);
        return;
      }
    // An EOI of another interrupt than the one that runs drops the highest active priority all the same.
    stack.pop();
  }

  private hppi(records: RecordBatch, i: number): void {
    const intid = records.words[i * RECORD_WORDS]!;
    this.hppiSince[records.pe[i]!] = this.now.record;
    if (this.intids.has(intid)) this.lifetimes.take(records, i, this.now);
  }

  private register(records: RecordBatch, i: number): void {
    const w = records.words;
    const at = i * RECORD_WORDS;
    const unit = w[at]!;
    const instance = w[at + 1]!;
    const register = w[at + 2]!;
    if (unit === UNIT_GITS && QUEUE_POINTERS.has(register)) return;
    const command = this.commands.causeOf(records, i);
    if (unit === UNIT_GITS) {
      if (register === GITS.GITS_CTLR.offset)
        this.tracks.set(registerTrack('GITS', instance, register), this.now.record, w[at + 3]!, command);
      // Of a table, it is enough to know when it changed.
      else if (register >= GITS.GITS_BASER.offset)
        this.tracks.set(tableTrack(tableType(0, w[at + 4]!), instance), this.now.record, this.now.record);
      return;
    }
    if (unit === UNIT_GICD) this.lookAll(command);
    else if (
      (unit === UNIT_GICR && WATCHED_GICR.has(register)) ||
      ((unit === UNIT_ICC || unit === UNIT_ICC_S) && WATCHED_ICC.has(register))
    ) {
      if (unit === UNIT_GICR && register === GICR.GICR_CTLR.offset)
        this.tracks.set(`EnableLPIs ${instance}`, this.now.record, w[at + 3]! & 1, command);
      for (const intid of this.intids) this.look(intid, instance, command);
    }
  }

  private memory(records: RecordBatch, i: number): void {
    const w = records.words;
    const at = i * RECORD_WORDS;
    const address = w[at + 1]! * 2 ** 32 + w[at]!;
    const length = w[at + 2]!;
    const { state } = this.machine;
    for (const intid of this.intids) {
      if (intid < LPI_FIRST) continue;
      let isWritten = false;
      for (let pe = 0; pe < state.peCount; pe++) {
        const byte = configTableAddress(state, pe) + intid - LPI_FIRST;
        if (byte < address || byte >= address + length) continue;
        this.look(intid, pe, this.commands.causeOf(records, i));
        isWritten = true;
      }
      if (isWritten && this.isStore) this.wrote(writeKey(CONFIG_WRITES, 0, intid), this.now.record);
    }
  }

  private command(records: RecordBatch, i: number): void {
    const place = this.commands.executed(records, i, this.now.record);
    const { its, name, operands, refused, failed, outcome } = this.commands.all[place]!;
    if (name === 'INT' && failed) this.sent.failed(its, operands.DeviceID!, operands.EventID!, outcome);
    if (refused) return;
    if (name === 'VMAPTI' || name === 'VMAPI') this.mappedVirtually(name, operands);
    if (name !== 'MAPTI' && name !== 'MAPI') return;
    const intid = (name === 'MAPTI' ? operands.pINTID : operands.EventID)!;
    const { question } = this;
    const event = `${operands.DeviceID} ${operands.EventID}`;
    const isAsked =
      operands.DeviceID === question.device &&
      (question.event === undefined || operands.EventID === question.event);
    if (isAsked) this.watch(intid);
    if (isAsked || this.intids.has(intid)) this.events.add(event);
  }

  /** An event was mapped to a virtual interrupt. */
  private mappedVirtually(name: string, operands: Readonly<Record<string, number>>): void {
    const { question } = this;
    const vintid = (name === 'VMAPTI' ? operands.vINTID : operands.EventID)!;
    const isAsked =
      operands.DeviceID === question.device &&
      (question.event === undefined || operands.EventID === question.event);
    if (isAsked) this.vintids.add(vintid);
    const isOurs =
      this.vintids.has(vintid) && (question.vpe === undefined || operands.vPEID === question.vpe);
    const event = `${operands.DeviceID} ${operands.EventID}`;
    if (isAsked || isOurs) this.events.add(event);
    else if (this.vintids.has(vintid)) this.eventsOfOtherVpes.add(event);
  }

  private step(step: string, lifetime: Lifetime, now: Moment): void {
    if (step === 'pended') {
      const story = newStory(lifetime);
      this.stories.push(story);
      this.open.set(lifetime, story);
      this.byLifetime.set(lifetime, story);
      return;
    }
    if (step === 'acknowledged' && !this.byLifetime.has(lifetime)) {
      const story = newStory(lifetime);
      this.stories.push(story);
      this.byLifetime.set(lifetime, story);
    }
    if (step !== 'acknowledged' && step !== 'withdrawn') return;
    if (step === 'acknowledged') this.byLifetime.get(lifetime)!.running = this.running;
    const story = this.open.get(lifetime);
    if (story === undefined) return;
    this.open.delete(lifetime);
    const hold = story.holds.at(-1);
    if (hold !== undefined) hold.to = now;
    if (step === 'withdrawn') story.withdrawnBy = this.command_;
  }

  override settled(batch: RecordBatch, i: number): void {
    if (batch.kind[i] === KIND['sysreg.read']) this.acknowledgeRead(batch, i);
    if (!this.didEmit) return;
    this.command_ = -1;
    for (const story of this.open.values()) this.hold(story);
    this.virtual?.settled(this.now);
  }

  private acknowledgeRead(batch: RecordBatch, i: number): void {
    const act = actOf(batch, i);
    if (act?.does !== 'acknowledge' || act.isVirtual) return;
    const running = this.handled[batch.pe[i]!]?.at(-1);
    if (this.acknowledged === SPURIOUS && running !== undefined && running.readAgain < 0)
      running.readAgain = this.now.record;
    this.compare(batch, i);
  }

  /** Compares what a PE acknowledged in the source and on the simulator. */
  private compare(batch: RecordBatch, i: number): void {
    if (batch.flags[i]! & RECORD_FLAGS.undecided) return;
    const taken = takenOrEnded(batch, i);
    if (taken < 0 || taken === this.acknowledged) return;
    const concerns = (intid: number) => isInterrupt(intid) && this.intids.has(intid);
    if (!concerns(taken) && !concerns(this.acknowledged)) return;
    this.disagreements.push({ ...this.now, pe: batch.pe[i]!, intid: taken, simulator: this.acknowledged });
  }

  private hold(story: Story): void {
    const { lifetime, holds } = story;
    const held = heldBy(this.machine, lifetime.pe, lifetime.intid);
    const last = holds.at(-1);
    const handled = held.pe < 0 ? undefined : this.handled[held.pe]!.at(-1);
    if (last?.gate === held.gate && last.pe === held.pe && last.handled === handled) return;
    if (last !== undefined) last.to = this.now;
    const ahead =
      held.gate === 'behind'
        ? { intid: this.machine.state.hppiIntid[held.pe]!, since: this.hppiSince[held.pe]! }
        : undefined;
    holds.push({ gate: held.gate, pe: held.pe, from: this.now, to: undefined, handled, ahead });
  }

  override end(): void {
    if (this.virtual === undefined) return;
    this.stories.push(...this.virtual.stories);
    this.stories.sort((a, b) => startOf(a) - startOf(b));
  }

  /** Whether the question names a device. */
  get isAboutDevice(): boolean {
    return this.question.device !== undefined;
  }
}
