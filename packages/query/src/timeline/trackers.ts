// Passes what is recorded and what the simulator does to the trackers: lifetimes of interrupts, MSIs, mappings, waits,
// findings. If source and simulator disagree, the source is right.
import type { GicConfig } from '@gictrace/core';
import { Checks, type Finding, type SourceFacts } from '@gictrace/core/check';
import { FollowObserver, type Machine } from '@gictrace/core/model';
import { actOf, isEvent, KIND, RECORD_WORDS, RecordBatch, takenOrEnded } from '@gictrace/core/record';
import { ITS_OUTCOMES, isInterrupt, isRefused, isSpecial } from '@gictrace/core/spec';
import { commandRow, simulatedCommandRow, unknownCommandRow, wasExecuted } from './commands.ts';
import { concernsLifetimes, Lifetimes } from './lifetimes.ts';
import { Mappings } from './mappings.ts';
import type { Moment } from './moment.ts';
import { Msis } from './msis.ts';
import type { Residency, TimelineObserver } from './observer.ts';
import { refusedBy, Spurious } from './spurious.ts';
import { concernsVirtual, VirtualLifetimes } from './virtual-lifetimes.ts';
import { waitEvents } from './wait-events.ts';
import { Waits, waitSource } from './waits.ts';
import { Withdrawals } from './withdrawals.ts';

/** A command that the simulator executed. */
interface Executed {
  readonly its: number;
  readonly slot: number;
  readonly outcome: number;
  /** The simulator's record of it, if the source may not have one. */
  readonly record: RecordBatch | undefined;
}

/** The trackers of a trace; only those with an observer exist. */
export class Trackers extends FollowObserver {
  private readonly machine: Machine;
  private readonly observer: TimelineObserver;
  private readonly withdrawals = new Withdrawals();
  private readonly lifetimes: Lifetimes;
  private readonly virtualLifetimes: VirtualLifetimes | undefined;
  private readonly waits: Waits | undefined;
  private readonly waitEvents: ReturnType<typeof waitEvents>;
  private readonly spurious: Spurious | undefined;
  private readonly msis: Msis | undefined;
  private readonly mappings: Mappings | undefined;
  private readonly checks: Checks | undefined;
  /** Findings whose moments may not be complete yet. */
  private findings: Finding[] = [];
  /** The stimulus that runs, or ran last. */
  private now: Moment = { record: 0, timeNs: Number.NaN };
  /** Events of that stimulus so far. */
  private sequence = 0;
  /** Whether the trace has recorded events so far. */
  hasRecordedEvents = false;
  /** The interrupt that this stimulus acknowledged or ended according to the source; -1 if none, or if unknown. */
  private taken = -1;
  /** Whether the simulator acknowledged or ended the same. */
  private agreed = false;
  private didEmit = false;
  /** Commands of this stimulus that the simulator executed and that the source has not recorded yet. */
  private commands: Executed[] = [];
  /** Whether the source has recorded a command so far. */
  private hasCommands = false;
  /** The number of records taken so far. */
  records = 0;
  /** The latest of their times, in nanoseconds; NaN if none has a time. */
  latestNs = Number.NaN;

  constructor(machine: Machine, config: GicConfig, observer: TimelineObserver, facts?: SourceFacts) {
    super();
    this.machine = machine;
    this.observer = observer;
    const { withdrawals } = this;
    this.waitEvents = waitEvents(machine);
    if (observer.wait !== undefined || observer.spurious !== undefined)
      this.waits = new Waits(waitSource(machine), (row) => observer.wait?.(row));
    if (observer.spurious !== undefined)
      this.spurious = new Spurious(this.waits!, refusedBy(machine.state), (row) => observer.spurious!(row));
    this.lifetimes = new Lifetimes(
      machine.state,
      withdrawals,
      (row) => observer.interrupt?.(row),
      (step, lifetime, now) => {
        this.waits?.seen(step, lifetime, now);
        this.spurious?.seen(step, lifetime, now);
        observer.lifetime?.(step, lifetime, now);
      },
    );
    if (observer.virtualInterrupt !== undefined || observer.virtualLifetime !== undefined)
      this.virtualLifetimes = new VirtualLifetimes(
        withdrawals,
        (row) => observer.virtualInterrupt?.(row),
        observer.virtualLifetime,
      );
    if (observer.msi !== undefined) this.msis = new Msis((row) => observer.msi!(row));
    if (observer.mapping !== undefined) this.mappings = new Mappings(config, (row) => observer.mapping!(row));
    if (observer.finding !== undefined)
      this.checks = new Checks(machine, (finding) => this.findings.push(finding), facts);
  }

  /** How many interrupts are pending and not acknowledged. */
  get pendingCount(): number {
    return this.lifetimes.pendingCount;
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    if (this.commands.length > 0) this.unrecordedCommands(this.commands.length);
    this.now = { record, timeNs: batch.timeNs[i]! };
    this.sequence = 0;
    this.reportFindings();
    this.msis?.close();
    this.taken = takenOrEnded(batch, i);
    this.agreed = false;
    this.didEmit = false;
    this.withdrawals.begin(batch, i);
    this.checks?.stimulus(batch, i, record);
    if (batch.kind[i] === KIND['msi.write']) this.msis?.begin(batch, i, record);
  }

  override emitted(records: RecordBatch): void {
    this.didEmit = true;
    this.checks?.emitted(records);
    const { virtualLifetimes, now } = this;
    const wantsEvents = this.observer.event !== undefined && !this.hasRecordedEvents;
    for (let i = 0; i < records.count; i++) {
      const kind = records.kind[i]!;
      this.msis?.emitted(records, i);
      this.waits?.emitted(this.waitEvents(records, i), records.words[i * RECORD_WORDS]!);
      if (kind === KIND['its.command']) this.executed(records, i);
      if (concernsLifetimes(kind)) this.emittedInterrupt(records, i, kind);
      if (concernsVirtual(kind)) {
        virtualLifetimes?.take(records, i, now);
        if (kind === KIND['vpe.resident']) this.observer.residency?.(residencyOf(records, i));
      }
      if (wantsEvents && isEvent(kind))
        this.observer.event!(records, i, now.record, this.sequence++, now.timeNs);
    }
  }

  /** What the simulator acknowledges or ends counts if the source contains the same, or nothing. */
  private emittedInterrupt(records: RecordBatch, i: number, kind: number): void {
    const { taken } = this;
    if (kind === KIND['irq.acknowledged'] || kind === KIND['irq.dropped']) {
      const isSame = records.words[i * RECORD_WORDS] === taken;
      if (isSame) this.agreed = true;
      else if (taken >= 0) {
        if (kind === KIND['irq.acknowledged']) this.waits?.disagreed(records.pe[i]!);
        return;
      }
    }
    this.lifetimes.take(records, i, this.now);
  }

  override settled(batch: RecordBatch, i: number): void {
    const { now, taken } = this;
    const kind = batch.kind[i]!;
    const pe = batch.pe[i]!;
    this.checks?.settled();
    if (isInterrupt(taken) && !this.agreed) {
      if (kind === KIND['sysreg.read']) {
        this.waits?.disagreed(pe);
        this.lifetimes.acknowledged(taken, pe, now);
      } else this.lifetimes.dropped(taken, pe, now);
    }
    if (kind === KIND['sysreg.read'] && this.spurious !== undefined) {
      const act = actOf(batch, i);
      const value = taken < 0 ? this.machine.low : taken;
      if (act?.does === 'acknowledge' && !act.isVirtual && isSpecial(value))
        this.spurious.read(pe, act, value, now);
    } else if (kind === KIND['pe.reset']) this.waits?.reset(pe);
    if (this.didEmit) this.waits?.settled(now);
  }

  override operation(batch: RecordBatch, i: number): void {
    const kind = batch.kind[i]!;
    if (kind === KIND['op.pe.online'] || kind === KIND['op.pe.offline'])
      this.waits?.online(batch.pe[i]!, kind === KIND['op.pe.online']);
  }

  override observable(batch: RecordBatch, i: number, record: number): void {
    const kind = batch.kind[i]!;
    this.checks?.observable(batch, i, record);
    this.msis?.observe(batch, i);
    if (kind === KIND.hppi) this.lifetimes.take(batch, i, { record, timeNs: batch.timeNs[i]! });
    else if (kind === KIND['its.command']) this.command(batch, i, record);
  }

  override event(batch: RecordBatch, i: number): void {
    if (!this.hasRecordedEvents) {
      this.hasRecordedEvents = true;
      this.observer.eventsRecorded?.();
      this.sequence = 0;
    }
    this.observer.event?.(batch, i, this.now.record, this.sequence++, batch.timeNs[i]!);
  }

  override end(): void {
    this.unrecordedCommands(this.commands.length);
    this.reportFindings();
    this.msis?.close();
    this.waits?.finish({ record: this.records, timeNs: this.latestNs });
    this.lifetimes.finish();
    this.virtualLifetimes?.finish();
    this.mappings?.finish();
    this.checks?.end();
    this.reportFindings();
  }

  private command(batch: RecordBatch, i: number, record: number): void {
    const { observer, mappings } = this;
    if (observer.command === undefined && mappings === undefined) return;
    this.hasCommands = true;
    const [its, slot] = [batch.words[i * RECORD_WORDS], batch.words[i * RECORD_WORDS + 1]];
    // The source will not record the commands before it any more.
    const own = this.commands.findIndex((one) => one.its === its && one.slot === slot);
    if (own > 0) this.unrecordedCommands(own);
    const executed = own >= 0 ? this.commands.shift() : undefined;
    const row = commandRow(batch, i, record, executed?.outcome ?? null);
    if (wasExecuted(batch, i)) mappings?.take(row, this.now.record);
    observer.command?.(row, batch, i);
  }

  private executed(records: RecordBatch, i: number): void {
    const at = i * RECORD_WORDS;
    const w = records.words;
    const outcome = w[at + 2]!;
    let record: RecordBatch | undefined;
    if (outcome !== ITS_OUTCOMES.NOT_SHOWN && (isRefused(outcome) || !this.hasCommands)) {
      record = new RecordBatch(1);
      record.copy(records, i);
    }
    this.commands.push({ its: w[at]!, slot: w[at + 1]!, outcome, record });
  }

  /**
   * Reports rows for the first `count` commands of the stimulus, which the source does not contain: for unknown commands, for
   * those that the simulator refused, and for all if the source contains no commands.
   */
  private unrecordedCommands(count: number): void {
    for (const { its, slot, outcome, record } of this.commands.splice(0, count)) {
      const isUnknown = outcome === ITS_OUTCOMES.NOT_SHOWN;
      if (!isUnknown && record === undefined) continue;
      const row =
        record === undefined
          ? unknownCommandRow(its, slot, this.now)
          : simulatedCommandRow(record, 0, this.now);
      if (isUnknown || outcome === ITS_OUTCOMES.EXECUTED) this.mappings?.take(row, this.now.record);
      this.observer.command?.(row, record, 0);
    }
  }

  private reportFindings(): void {
    if (this.findings.length === 0) return;
    const { findings } = this;
    this.findings = [];
    for (const finding of findings) this.observer.finding!(finding);
  }
}

function residencyOf(records: RecordBatch, i: number): Residency {
  const w = records.words;
  const at = i * RECORD_WORDS;
  return {
    pe: records.pe[i]!,
    resident: w[at + 3] !== 0,
    table: w[at + 1]! * 2 ** 32 + w[at]!,
    vpeid: w[at + 2] === 0xffff_ffff ? null : w[at + 2]!,
  };
}
