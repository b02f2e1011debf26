// What an observer of a timeline gets from the loop that runs a trace of a GICv5 beside the simulator: lifetimes of interrupts,
// messages to its ITSs, waits, acknowledges without an interrupt. If source and simulator disagree, the source is right.

import { type Finding, Gicv5Checks, type SourceFacts } from '@gictrace/core/check';
import {
  type GICV5_GATES,
  type Gicv5Machine,
  gicv5HeldBy,
  gicv5PriorityOf,
  gicv5RunningPriority,
  gicv5Signalled,
} from '@gictrace/core/gicv5';
import { FollowObserver } from '@gictrace/core/model';
import {
  actOf,
  isEvent,
  isStimulus,
  KIND,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  takenOrEnded,
} from '@gictrace/core/record';
import { GICV5_SYSREGS, gicv5SysregName, isGicv5Intid, registerAt } from '@gictrace/core/spec';
import type { Moment } from '../moment.ts';
import { Msis } from '../msis.ts';
import type { TimelineObserver } from '../observer.ts';
import { Spurious } from '../spurious.ts';
import { type WaitSource, Waits } from '../waits.ts';
import { Gicv5Lifetimes } from './lifetimes.ts';

const CDPEND = GICV5_SYSREGS.GIC_CDPEND.encoding;

/** Kinds behind which another interrupt may be signalled to their PE. */
const SIGNALS: ReadonlySet<number> = new Set([KIND['irs.hppi'], KIND['ppi.hppi'], KIND['cpuif.signal']]);

export class Gicv5Trackers extends FollowObserver {
  private readonly machine: Gicv5Machine;
  private readonly observer: TimelineObserver;
  private readonly lifetimes: Gicv5Lifetimes;
  private readonly waits: Waits | undefined;
  private readonly checks: Gicv5Checks | undefined;
  private readonly msis: Msis | undefined;
  private findings: Finding[] = [];
  private readonly spurious: Spurious | undefined;
  private now: Moment = { record: 0, timeNs: Number.NaN };
  private sequence = 0;
  hasRecordedEvents = false;
  /** The interrupt that this stimulus acknowledged according to the source; -1 if none. */
  private taken = -1;
  private agreed = false;
  private didEmit = false;
  /** Whether the stimulus is one of a CPU interface of which nothing is known. */
  private isLost = false;
  /** PEs that may be signalled another interrupt now. */
  private readonly touched = new Set<number>();
  records = 0;
  latestNs = Number.NaN;

  constructor(machine: Gicv5Machine, observer: TimelineObserver, facts?: SourceFacts) {
    super();
    this.machine = machine;
    this.observer = observer;
    if (observer.wait !== undefined || observer.spurious !== undefined)
      this.waits = new Waits(this.waitSource(), (row) => observer.wait?.(row));
    if (observer.spurious !== undefined)
      this.spurious = new Spurious(
        this.waits!,
        () => 'unknown',
        (row) => observer.spurious!(row),
      );
    if (observer.finding !== undefined)
      this.checks = new Gicv5Checks(machine, (finding) => this.findings.push(finding), facts);
    if (observer.msi !== undefined) this.msis = new Msis((row) => observer.msi!(row));
    this.lifetimes = new Gicv5Lifetimes(
      machine.state,
      (row) => observer.interrupt?.(row),
      (step, lifetime, now) => {
        if (step === 'pended') this.msis?.pended(lifetime.intid);
        this.waits?.seen(step, lifetime, now);
        this.spurious?.seen(step, lifetime, now);
        observer.lifetime?.(step, lifetime, now);
      },
    );
  }

  get pendingCount(): number {
    return this.lifetimes.pendingCount;
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    const flags = batch.flags[i]!;
    this.reportFindings();
    this.msis?.close();
    if (batch.kind[i] === KIND['msi.write']) this.msis?.begin(batch, i, record);
    this.checks?.stimulus(batch, i, record);
    this.now = { record, timeNs: batch.timeNs[i]! };
    this.sequence = 0;
    this.taken = takenOrEnded(batch, i);
    this.agreed = false;
    this.didEmit = false;
    this.touched.clear();
    this.isLost = (flags & RECORD_FLAGS.undecided) !== 0;
    const isSoftware = batch.kind[i] === KIND['sysreg.write'] && batch.words[i * RECORD_WORDS] === CDPEND;
    const cause = isSoftware ? 'software' : batch.kind[i] === KIND['state.known'] ? 'unseen' : 'msi';
    this.lifetimes.begin((flags & RECORD_FLAGS.peUndecided) !== 0 || this.isLost, cause, doneBy(batch, i));
    // The simulator does not run such an access, but the interrupt is no longer pending.
    if (this.isLost && isGicv5Intid(this.taken)) this.lifetimes.acknowledgedSomewhere(this.taken, this.now);
  }

  override answered(batch: RecordBatch, i: number): void {
    this.checks?.answered(batch, i);
  }

  override emitted(records: RecordBatch): void {
    this.didEmit = true;
    this.checks?.emitted(records);
    const wantsEvents = this.observer.event !== undefined && !this.hasRecordedEvents;
    for (let i = 0; i < records.count; i++) {
      const kind = records.kind[i]!;
      if (SIGNALS.has(kind)) this.touched.add(records.pe[i]!);
      this.msis?.emitted(records, i);
      if (kind === KIND['int.acknowledged'] && this.disagrees(records, i)) continue;
      this.lifetimes.take(records, i, this.now);
      if (wantsEvents && isEvent(kind))
        this.observer.event!(records, i, this.now.record, this.sequence++, this.now.timeNs);
    }
  }

  /** What the simulator acknowledges counts if the source contains the same. */
  private disagrees(records: RecordBatch, i: number): boolean {
    if (records.words[i * RECORD_WORDS] === this.taken) {
      this.agreed = true;
      return false;
    }
    this.waits?.disagreed(records.pe[i]!);
    return true;
  }

  override settled(batch: RecordBatch, i: number): void {
    const { now, taken, lifetimes } = this;
    this.checks?.settled();
    const pe = batch.pe[i]!;
    if (isGicv5Intid(taken) && !this.agreed && !this.isLost) {
      this.waits?.disagreed(pe);
      lifetimes.acknowledged(taken, pe, now);
    } else if (taken < 0 && !this.isLost && batch.kind[i] === KIND['sysreg.read']) {
      const act = actOf(batch, i);
      const isKnown = (batch.flags[i]! & (RECORD_FLAGS.peUndecided | RECORD_FLAGS.valueUnknown)) === 0;
      if (act?.does === 'acknowledge' && isKnown) this.spurious?.read(pe, act, 0, now);
    }
    lifetimes.settled();
    for (const one of this.touched) {
      const intid = gicv5Signalled(this.machine, one);
      if (intid !== 0) lifetimes.signalled(intid, one, now);
    }
    if (batch.kind[i] === KIND['pe.reset']) this.waits?.reset(pe);
    if (this.didEmit) this.waits?.settled(now);
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
    this.msis?.close();
    this.waits?.finish({ record: this.records, timeNs: this.latestNs });
    this.lifetimes.finish();
    this.checks?.end();
    this.reportFindings();
  }

  private reportFindings(): void {
    if (this.findings.length === 0) return;
    const { findings } = this;
    this.findings = [];
    for (const finding of findings) this.observer.finding!(finding);
  }

  private waitSource(): WaitSource {
    const { machine } = this;
    const { state } = machine;
    return {
      peCount: state.peCount,
      held: (lifetime) => {
        const held = gicv5HeldBy(machine, lifetime.pe, lifetime.intid);
        const isUnknown = dependsOnInterface(held.gate) && this.lifetimes.isUndecidedBeside(lifetime);
        return { ...held, isGroupRunning: false, ...(isUnknown ? { gate: 'unknown' as const } : {}) };
      },
      priorityOf: (pe, intid) => gicv5PriorityOf(machine, pe, intid),
      mask: (pe) => state.pcr[pe]!,
      running: (pe) => gicv5RunningPriority(state, pe),
      best: (pe) => {
        const isPpi = state.ppiBest[pe]! <= state.irsPriority[pe]!;
        return (isPpi ? state.ppiIntid[pe]! : state.irsIntid[pe]!) || -1;
      },
      didTurn: () => true,
    };
  }
}

/** Whether a masking reason depends on what a CPU interface handles. */
function dependsOnInterface(name: keyof typeof GICV5_GATES): boolean {
  return ['running priority', 'behind', 'signalled', 'priority mask', 'interface disabled'].includes(name);
}

/** What a stimulus is, as the reason why an interrupt ceased to be pending; null if that was not seen. */
function doneBy(batch: RecordBatch, i: number): string | null {
  const at = i * RECORD_WORDS;
  const kind = batch.kind[i]!;
  if (!isStimulus(kind)) return null;
  if (kind === KIND['wire.set']) return 'wire';
  if (kind === KIND['gic.reset']) return 'gic.reset';
  if (kind === KIND['pe.reset']) return 'pe.reset';
  if (kind === KIND['sysreg.write']) return gicv5SysregName(batch.words[at]!) ?? null;
  if (kind !== KIND['mmio.write']) return null;
  return registerAt(batch.words[at]!, batch.words[at + 2]!)?.label ?? null;
}
