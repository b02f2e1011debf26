// The lives of interrupts: from the wire, message or write that asserted one to its deactivation. Follows the
// events of the model as they come; a step that was not seen stays null.
import {
  type GicState,
  hasInterrupt,
  IRQ_ATTRIBUTES,
  isPrivate,
  PEND_CAUSES,
  privateIndex,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  sharedIndex,
} from '@gictrace/core';
import { type Sql, sqlTime } from '../sql/schema.ts';
import { NOT_TOLD, type Withdrawal, type Withdrawals } from './withdrawals.ts';

const HPPI = RECORDS.hppi.id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const IRQ_DROPPED = RECORDS['irq.dropped'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const EDGE = IRQ_ATTRIBUTES.indexOf('edge');

export interface Moment {
  readonly record: number;
  readonly timeNs: number;
}
/** What is seen of a life while it lasts. `ended`: an acknowledge whose EOI will not be seen any more. */
export type LifeStep = 'pended' | 'signalled' | 'acknowledged' | 'eoi' | 'withdrawn' | 'ended';
export interface Life {
  readonly intid: number;
  pe: number;
  cause: string;
  asserted?: Moment;
  pended?: Moment;
  signalled?: Moment;
  acknowledged?: Moment;
  eoi?: Moment;
  deactivated?: Moment;
  withdrawn?: Moment;
  withdrawal?: Withdrawal;
}

const FIRST_LPI = 8192;

export class Lives {
  private readonly pending = new Map<number, Life>();
  private readonly active = new Map<number, Life>();
  /** When a wire went up that is still up. */
  private readonly wires = new Map<number, Moment>();
  private readonly state: GicState;
  private readonly out: (row: Sql[]) => void;
  private readonly trace: number;
  private readonly seen: (step: LifeStep, life: Life, now: Moment) => void;
  private readonly withdrawals: Withdrawals | undefined;

  /** Tells `out` a row for each life that ended, and `seen` each step when it happens. */
  constructor(
    trace: number,
    state: GicState,
    out: (row: Sql[]) => void,
    seen: (step: LifeStep, life: Life, now: Moment) => void = () => undefined,
    withdrawals?: Withdrawals,
  ) {
    this.trace = trace;
    this.state = state;
    this.out = out;
    this.seen = seen;
    this.withdrawals = withdrawals;
  }

  /** Lives that wait for their acknowledge. */
  get waiting(): number {
    return this.pending.size;
  }

  /** SPIs belong to the GIC, all others to a PE. */
  private key(intid: number, pe: number): number {
    return intid * 1024 + (intid < FIRST_LPI && !isPrivate(intid) ? 0 : pe + 1);
  }

  private isLevel(intid: number, pe: number): boolean {
    return hasInterrupt(this.state, intid) && !this.has('edge', intid, pe);
  }

  private has(what: 'edge' | 'pending', intid: number, pe: number): boolean {
    const { state } = this;
    const own = isPrivate(intid);
    const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
    return (((own ? state.ppi : state.spi)[what][index >> 5]! >>> (index & 31)) & 1) === 1;
  }

  private begin(intid: number, pe: number, cause: string, asserted: Moment | undefined, at: Moment): void {
    const key = this.key(intid, pe);
    if (this.pending.has(key)) return;
    const life: Life = { intid, pe, cause, pended: at, ...(asserted === undefined ? {} : { asserted }) };
    this.pending.set(key, life);
    this.seen('pended', life, at);
  }

  /** Takes an event, or a recorded observable, that record `record` caused. */
  take(batch: RecordBatch, i: number, record: number, timeNs: number): void {
    const kind = batch.kind[i]!;
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    const intid = batch.words[at]!;
    const now = { record, timeNs };
    switch (kind) {
      case HPPI:
        if (intid !== 1023 && (batch.words[at + 3] !== 0 || batch.words[at + 4] !== 0)) {
          const life = this.pending.get(this.key(intid, pe));
          if (life !== undefined && life.signalled === undefined) {
            life.signalled = now;
            life.pe = pe;
            this.seen('signalled', life, now);
          }
        }
        return;
      case WIRE_CHANGED: {
        const key = this.key(intid, pe);
        if (batch.words[at + 1] !== 0) {
          this.wires.set(key, now);
          if (this.isLevel(intid, pe)) this.begin(intid, pe, 'wire', now, now);
        } else {
          this.wires.delete(key);
          // What software made pending stays so whatever the wire does.
          if (this.isLevel(intid, pe) && !this.has('pending', intid, pe)) this.withdraw(key, now, batch, i);
        }
        return;
      }
      case IRQ_PENDED:
      case LPI_PENDED: {
        const cause = PEND_CAUSES[batch.words[at + 1]!]!;
        this.begin(intid, pe, cause, cause === 'table' || cause === 'moved' ? undefined : now, now);
        return;
      }
      case IRQ_UNPENDED:
      case LPI_CLEARED:
        // An acknowledge takes the life out of `pending` before its latch is cleared.
        if (!this.wires.has(this.key(intid, pe)) || intid >= FIRST_LPI || !this.isLevel(intid, pe))
          this.withdraw(this.key(intid, pe), now, batch, i);
        return;
      case IRQ_ACKNOWLEDGED:
        this.acknowledged(intid, pe, record, timeNs);
        return;
      case IRQ_DROPPED:
        this.dropped(intid, pe, record, timeNs);
        return;
      case IRQ_DEACTIVATED: {
        const key = this.key(intid, pe);
        const life = this.active.get(key);
        if (life !== undefined) {
          life.deactivated = now;
          this.active.delete(key);
          if (life.eoi === undefined) this.seen('ended', life, now);
          this.end(life, 'complete');
        }
        // A level that is still asserted is pending again.
        if (this.wires.has(key) && this.isLevel(intid, pe))
          this.begin(intid, pe, 'still asserted', undefined, now);
        return;
      }
      case IRQ_CHANGED:
        if (batch.words[at + 1] !== EDGE) return;
        if (batch.words[at + 2] === 0) {
          const wire = this.wires.get(this.key(intid, pe));
          if (wire !== undefined) this.begin(intid, pe, 'wire', wire, now);
        } else if (!this.has('pending', intid, pe)) {
          // A level is no edge: what was pending by its wire only is so no more.
          this.withdraw(this.key(intid, pe), now, batch, i);
        }
        return;
      default:
        return;
    }
  }

  /** A PE took an interrupt: the simulator did it too, or only the source shows it. */
  acknowledged(intid: number, pe: number, record: number, timeNs: number): void {
    const key = this.key(intid, pe);
    const life: Life = this.pending.get(key) ?? { intid, pe, cause: 'unknown' };
    this.pending.delete(key);
    life.acknowledged = { record, timeNs };
    life.pe = pe;
    const before = this.active.get(key);
    if (before !== undefined) {
      if (before.eoi === undefined) this.seen('ended', before, life.acknowledged);
      this.end(before, before.eoi === undefined ? 'no EOI seen' : 'complete');
    }
    this.active.set(key, life);
    this.seen('acknowledged', life, life.acknowledged);
  }

  /** A PE dropped the priority of an interrupt: as {@link acknowledged}. */
  dropped(intid: number, pe: number, record: number, timeNs: number): void {
    const key = this.key(intid, pe);
    const life = this.active.get(key);
    if (life === undefined) return;
    if (life.eoi === undefined) {
      life.eoi = { record, timeNs };
      this.seen('eoi', life, life.eoi);
    }
    // An LPI has no active state: the EOI is its end.
    if (intid < FIRST_LPI) return;
    this.active.delete(key);
    this.end(life, 'complete');
  }

  private withdraw(key: number, now: Moment, batch: RecordBatch, i: number): void {
    const life = this.pending.get(key);
    if (life === undefined) return;
    life.withdrawn = now;
    life.withdrawal = this.withdrawals?.of(batch, i, life.intid) ?? NOT_TOLD;
    this.pending.delete(key);
    this.seen('withdrawn', life, now);
    this.end(life, 'withdrawn');
  }

  private end(life: Life, outcome: string): void {
    const moment = (m: Moment | undefined) => (m === undefined ? null : m.record);
    const time = (m: Moment | undefined) => (m === undefined ? null : sqlTime(m.timeNs));
    this.out([
      this.trace,
      life.intid,
      life.pe < 0 ? null : life.pe,
      life.cause,
      moment(life.asserted),
      moment(life.pended),
      moment(life.signalled),
      moment(life.acknowledged),
      moment(life.eoi),
      moment(life.deactivated),
      moment(life.withdrawn),
      time(life.asserted),
      time(life.pended),
      time(life.signalled),
      time(life.acknowledged),
      time(life.eoi),
      time(life.deactivated),
      outcome,
      life.withdrawal?.by ?? null,
      life.withdrawal?.movedTo ?? null,
      time(life.withdrawn),
    ]);
  }

  /** The trace ends: lives that are still going on. */
  finish(): void {
    for (const life of this.pending.values()) this.end(life, 'pending at end');
    for (const life of this.active.values()) this.end(life, 'active at end');
  }
}
