// Lifetimes of the interrupts of a GICv5. It follows the events of the simulator as they come; a step that was not seen stays
// null. A source that names no PE leaves it undecided which of several PPIs of one number a step concerns: then that step is
// null too. It knows no SQL.
import type { Gicv5State } from '@gictrace/core/gicv5';
import { KIND, PEND_CAUSES, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { GICV5_TYPES, gicv5Id, gicv5Type } from '@gictrace/core/spec';
import {
  type InterruptOutcome,
  type InterruptRow,
  type Lifetime,
  type LifetimeListener,
  lifetimeOf,
  lifetimeRow,
} from '../lifetimes.ts';
import type { Moment } from '../moment.ts';
import type { Withdrawal } from '../withdrawals.ts';

const { PPI, LPI, SPI } = GICV5_TYPES;
const PPIS = 128;
const PENDING = 1;
const ACTIVE = 2;
/** The PE of what belongs to none. */
const SHARED = -1;

/** A lifetime, and what the source leaves undecided about it. */
interface Life {
  readonly lifetime: Lifetime;
  /** The PE for which the simulator has it; `SHARED` for an SPI or LPI. */
  at: number;
  isPeKnown: boolean;
  /** Whether the steps have come, be they known or not. */
  isDropped: boolean;
  isDeactivated: boolean;
  /** Whether another lifetime may have the step that this one has. */
  hidesSignalled: boolean;
  hidesEoi: boolean;
  hidesDeactivated: boolean;
}

export class Gicv5Lifetimes {
  private readonly pending = new Map<number, Life>();
  private readonly active = new Map<number, Life>();
  /** By PE: what it has acknowledged and not ended, the last one at the end. */
  private readonly handled: Life[][];
  /** The input lines that are asserted, and since when. */
  private readonly asserted = new Map<number, Moment>();
  /** The entries of LPIs, by ID. */
  private readonly istes = new Map<number, number>();
  private readonly state: Gicv5State;
  private readonly row: (row: InterruptRow) => void;
  private readonly seen: LifetimeListener;
  /** Of the stimulus that runs: whether its PE is undecided, why an LPI becomes pending by it, and what withdraws. */
  private isUndecided = false;
  private cause = 'unknown';
  private by: Withdrawal = { by: null, movedTo: null };

  constructor(state: Gicv5State, row: (row: InterruptRow) => void, seen: LifetimeListener) {
    this.state = state;
    this.row = row;
    this.seen = seen;
    this.handled = Array.from({ length: state.peCount }, () => []);
  }

  /** How many interrupts are pending and not acknowledged. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** Whether another interrupt is pending or handled and the source does not say for which PE, so that it may be in the way. */
  isUndecidedBeside(lifetime: Lifetime): boolean {
    for (const one of this.pending.values()) if (!one.isPeKnown && one.lifetime !== lifetime) return true;
    return this.handled.some((stack) => stack.some(({ isPeKnown }) => !isPeKnown));
  }

  /** The stimulus that runs next. */
  begin(isUndecided: boolean, cause: string, by: string | null): void {
    this.isUndecided = isUndecided;
    this.cause = cause;
    this.by = { by, movedTo: null };
  }

  /** Takes an event of the simulator. */
  take(batch: RecordBatch, i: number, now: Moment): void {
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case KIND['wire.changed']:
        if (w[at + 1] !== 0) this.asserted.set(keyOf(w[at]!, pe), now);
        else this.asserted.delete(keyOf(w[at]!, pe));
        return;
      case KIND['irq.pended']:
        this.pend(w[at]!, pe, PEND_CAUSES[w[at + 1]!]!, now);
        return;
      case KIND['irq.unpended']:
        this.withdraw(w[at]!, pe, now);
        return;
      case KIND['iste.changed']:
        this.entryChanged(w[at]!, w[at + 1]!, now);
        return;
      case KIND['int.acknowledged']:
        this.acknowledged(w[at]!, pe, now);
        return;
      case KIND['int.dropped']:
        this.dropped(pe, now);
        return;
      case KIND['irq.deactivated']:
        this.deactivated(w[at]!, pe, now);
        return;
      case KIND['iste.forgotten']:
        this.endEach((intid) => gicv5Type(intid) === LPI, now);
        this.istes.clear();
        return;
      case KIND['cpuif.reset']:
        this.endEach((intid, at) => gicv5Type(intid) === PPI && at === pe, now);
        this.handled[pe]!.length = 0;
        return;
      case KIND['state.reset']:
        this.endEach(() => true, now);
        this.istes.clear();
        for (const stack of this.handled) stack.length = 0;
        return;
      default:
    }
  }

  /**
   * Everything that the stimulus caused has been taken. Which interrupt is signalled depends on what else is pending, and on
   * what the PEs handle: if that is undecided, it is not known when those that are pending now are signalled.
   */
  settled(): void {
    let undecided = 0;
    for (const { isPeKnown } of this.pending.values()) if (!isPeKnown) undecided++;
    for (const stack of this.handled) for (const { isPeKnown } of stack) if (!isPeKnown) undecided++;
    if (undecided === 0) return;
    for (const life of this.pending.values()) if (life.isPeKnown || undecided > 1) life.hidesSignalled = true;
  }

  /** A PE is signalled an interrupt now. */
  signalled(intid: number, pe: number, now: Moment): void {
    const life = this.pending.get(keyOf(intid, pe));
    if (life === undefined || life.lifetime.signalled !== undefined) return;
    if (life.hidesSignalled) return;
    life.lifetime.signalled = now;
    if (life.at === SHARED) life.lifetime.pe = this.isUndecided ? -1 : pe;
    this.seen('signalled', life.lifetime, now);
  }

  /** A PE acknowledged an interrupt: on the simulator, or only in the source. */
  acknowledged(intid: number, pe: number, now: Moment): void {
    const life = this.taken(intid, pe, now);
    life.lifetime.acknowledged = now;
    if (!this.isUndecided) {
      life.isPeKnown = true;
      life.lifetime.pe = pe;
    } else if (life.at === SHARED) {
      life.isPeKnown = false;
      life.lifetime.pe = -1;
    }
    this.activate(life, intid, pe);
    this.handled[pe]?.push(life);
    this.seen('acknowledged', life.lifetime, now);
  }

  /** The source has an acknowledge, and nothing is known of the CPU interface that did it. */
  acknowledgedSomewhere(intid: number, now: Moment): void {
    if (gicv5Type(intid) === PPI) {
      const one = lifetimeOf(intid, -1, 'unknown');
      one.acknowledged = now;
      this.seen('lost', one, now);
      this.row(lifetimeRow(one, 'PE undecided'));
      return;
    }
    const life = this.taken(intid, SHARED, now);
    life.lifetime.acknowledged = now;
    life.lifetime.pe = -1;
    life.isPeKnown = false;
    // No GIC CDEOI will be known to be its own.
    life.isDropped = true;
    this.activate(life, intid, SHARED);
    this.seen('acknowledged', life.lifetime, now);
  }

  /** Ends the trace and reports the lifetimes that have not ended. */
  finish(): void {
    for (const life of this.pending.values()) this.end(life, 'pending at end');
    const open = new Set([...this.active.values(), ...this.handled.flat()]);
    for (const life of open) this.end(life, life.isDeactivated ? 'no EOI seen' : 'active at end');
  }

  private pend(intid: number, pe: number, cause: string, now: Moment, asserted?: Moment): void {
    const key = keyOf(intid, pe);
    if (this.pending.has(key)) return;
    const isPeKnown = gicv5Type(intid) !== PPI || !this.isUndecided;
    const life = lifeOf(lifetimeOf(intid, isPeKnown ? pe : -1, cause === 'unseen' ? 'unknown' : cause), pe);
    life.isPeKnown = isPeKnown;
    life.lifetime.asserted = cause === 'wire' ? (this.asserted.get(key) ?? now) : (asserted ?? now);
    if (cause === 'unseen' || cause === 'still asserted') life.lifetime.asserted = undefined;
    life.lifetime.pended = now;
    this.pending.set(key, life);
    this.seen('pended', life.lifetime, now);
  }

  /** Takes the lifetime of what is acknowledged out of those that are pending. */
  private taken(intid: number, pe: number, now: Moment): Life {
    const key = keyOf(intid, pe);
    this.forgetWhereUndecided(intid, pe);
    const life =
      this.pending.get(key) ?? lifeOf(lifetimeOf(intid, this.isUndecided ? -1 : pe, 'unknown'), pe);
    if (!this.pending.delete(key)) life.isPeKnown = !this.isUndecided;
    const before = this.active.get(key);
    if (before !== undefined) this.closeActive(key, before, now);
    return life;
  }

  /** If several lifetimes may be the one of this step, it is not known on which PE and when that one began. */
  private forgetWhereUndecided(intid: number, pe: number): void {
    const candidates = this.candidates(this.pending, intid, pe);
    if (candidates.length < 2) return;
    for (const life of candidates) {
      const { lifetime } = life;
      life.isPeKnown = false;
      lifetime.pe = -1;
      lifetime.asserted = undefined;
      lifetime.pended = undefined;
      lifetime.signalled = undefined;
    }
  }

  private activate(life: Life, intid: number, pe: number): void {
    this.active.set(keyOf(intid, pe), life);
  }

  private closeActive(key: number, life: Life, now: Moment): void {
    this.active.delete(key);
    for (const stack of this.handled) {
      const at = stack.indexOf(life);
      if (at >= 0) stack.splice(at, 1);
    }
    if (life.lifetime.eoi === undefined) this.seen('ended', life.lifetime, now);
    this.end(life, life.isDropped ? 'complete' : 'no EOI seen');
  }

  private dropped(pe: number, now: Moment): void {
    const stack = this.handled[pe];
    const life = stack?.pop();
    if (life === undefined) return;
    const others = this.handled.flatMap((other) => other.at(-1) ?? []);
    const candidates = others.filter((one) => this.isUndecided || !one.isPeKnown);
    if (candidates.length > 0) for (const one of [life, ...candidates]) one.hidesEoi = true;
    life.isDropped = true;
    life.lifetime.eoi = now;
    this.seen('eoi', life.lifetime, now);
    if (life.isDeactivated) this.end(life, 'complete');
  }

  private deactivated(intid: number, pe: number, now: Moment): void {
    const key = keyOf(intid, pe);
    const life = this.active.get(key);
    if (life !== undefined) {
      const candidates = this.candidates(this.active, intid, pe);
      if (candidates.length > 1) for (const one of candidates) one.hidesDeactivated = true;
      life.isDeactivated = true;
      life.lifetime.deactivated = now;
      this.active.delete(key);
      if (life.isDropped) {
        if (life.lifetime.eoi === undefined) this.seen('ended', life.lifetime, now);
        this.end(life, 'complete');
      }
    }
    if (!this.isPending(intid, pe) || this.pending.has(key)) return;
    this.pend(intid, pe, 'still asserted', now);
    // Of which PE the line is that is still asserted is not known either.
    const again = this.pending.get(key)!;
    if (gicv5Type(intid) !== PPI) return;
    const isCertain = !this.isUndecided && life?.isPeKnown === true;
    if (isCertain && this.candidates(this.pending, intid, pe).length === 1) return;
    again.isPeKnown = false;
    again.lifetime.pe = -1;
    again.lifetime.pended = undefined;
  }

  private isPending(intid: number, pe: number): boolean {
    const id = gicv5Id(intid);
    const { ppi, spi } = this.state;
    if (gicv5Type(intid) === PPI) return bit(ppi.pending, PPIS * pe + id);
    if (gicv5Type(intid) === SPI) return bit(spi.pending, this.state.spiIndex(id));
    return ((this.istes.get(id) ?? 0) & PENDING) !== 0;
  }

  private withdraw(intid: number, pe: number, now: Moment): void {
    const key = keyOf(intid, pe);
    const life = this.pending.get(key);
    if (life === undefined) return;
    this.forgetWhereUndecided(intid, pe);
    this.pending.delete(key);
    this.withdrawn(life, now);
  }

  private withdrawn(life: Life, now: Moment): void {
    life.lifetime.withdrawn = now;
    life.lifetime.withdrawal = this.by;
    this.seen('withdrawn', life.lifetime, now);
    this.end(life, 'withdrawn');
  }

  /** The entry of an LPI changed, or the IRS has read it for the first time. */
  private entryChanged(intid: number, iste: number, now: Moment): void {
    const id = gicv5Id(intid);
    const old = this.istes.get(id) ?? 0;
    this.istes.set(id, iste);
    if (~old & iste & PENDING) this.pend(intid, SHARED, this.cause, now);
    else if (old & ~iste & PENDING) this.withdraw(intid, SHARED, now);
    if (old & ~iste & ACTIVE) this.deactivated(intid, SHARED, now);
  }

  /** What was pending or active of some interrupts is no longer so. */
  private endEach(isOf: (intid: number, at: number) => boolean, now: Moment): void {
    for (const [key, life] of this.pending)
      if (isOf(life.lifetime.intid, life.at)) {
        this.pending.delete(key);
        this.withdrawn(life, now);
      }
    for (const [key, life] of this.active)
      if (isOf(life.lifetime.intid, life.at)) this.closeActive(key, life, now);
  }

  /** The lifetimes of an interrupt of which the current step may be the one: several only for PPIs of undecided PEs. */
  private candidates(lives: ReadonlyMap<number, Life>, intid: number, pe: number): Life[] {
    if (gicv5Type(intid) !== PPI) return [];
    const found: Life[] = [];
    for (let at = 0; at < this.state.peCount; at++) {
      const life = lives.get(keyOf(intid, at));
      if (life !== undefined && (this.isUndecided || !life.isPeKnown || life.at === pe)) found.push(life);
    }
    return found;
  }

  private end({ lifetime, hidesEoi, hidesDeactivated }: Life, outcome: InterruptOutcome): void {
    if (hidesEoi) lifetime.eoi = undefined;
    if (hidesDeactivated) lifetime.deactivated = undefined;
    this.row(lifetimeRow(lifetime, outcome));
  }
}

/** SPIs and LPIs belong to the GIC, PPIs to a PE. */
function keyOf(intid: number, pe: number): number {
  return intid * 1024 + (gicv5Type(intid) === PPI ? pe + 1 : 0);
}

function lifeOf(lifetime: Lifetime, pe: number): Life {
  return {
    lifetime,
    at: gicv5Type(lifetime.intid) === PPI ? pe : SHARED,
    isPeKnown: true,
    ...{ isDropped: false, isDeactivated: false },
    ...{ hidesSignalled: false, hidesEoi: false, hidesDeactivated: false },
  };
}

function bit(words: Uint32Array, index: number): boolean {
  return ((words[index >> 5]! >>> (index & 31)) & 1) !== 0;
}
