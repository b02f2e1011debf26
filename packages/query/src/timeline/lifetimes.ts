// Lifetimes of interrupts: from the input line, message or write that asserted one to its deactivation. Follows the
// events of the simulator as they come; a step that was not seen stays null. It knows no SQL.
import { type GicState, hasInterrupt, privateIndex, sharedIndex } from '@gictrace/core/model';
import { IRQ_ATTRIBUTES, KIND, PEND_CAUSES, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { isPrivate, LPI_FIRST, SPURIOUS } from '@gictrace/core/spec';
import { integer, orNull, type RowOf, text } from '../database/columns.ts';
import { type Moment, nsOf, recordOf, timeOf } from './moment.ts';
import { NOT_SEEN, type Withdrawal, type Withdrawals } from './withdrawals.ts';

const EDGE = IRQ_ATTRIBUTES.indexOf('edge');

/** One row for each lifetime of an interrupt. */
export const INTERRUPT_COLUMNS = {
  INTID: integer('interrupt'),
  pe: orNull(integer('PE that acknowledged it, or for which it was pending; null if none')),
  cause: text(
    'what made it pending: wire, still asserted, software, sgi, msi, its-command, table, moved, doorbell; unknown if that was not seen',
  ),
  asserted: orNull(
    integer('record at which the input line was asserted, or at which the message or write occurred'),
  ),
  pended: orNull(integer('record at which it became pending')),
  signalled: orNull(integer('record at which an interrupt line of the PE was asserted for it')),
  acknowledged: orNull(integer('record at which the PE acknowledged it')),
  eoi: orNull(integer('record of its priority drop')),
  deactivated: orNull(
    integer('record at which it ceased to be active (LPIs of GICv3 and GICv4 have no active state)'),
  ),
  withdrawn: orNull(integer('record at which it ceased to be pending without an acknowledge')),
  asserted_ns: timeOf('asserted'),
  pended_ns: timeOf('pended'),
  signalled_ns: timeOf('signalled'),
  acknowledged_ns: timeOf('acknowledged'),
  eoi_ns: timeOf('eoi'),
  deactivated_ns: timeOf('deactivated'),
  outcome: text(
    'complete, withdrawn, pending at end, active at end, no EOI seen; PE undecided: a GICv5 acknowledged it, and the source does not say on which PE, so that nothing more is known of it',
  ),
  withdrawn_by: orNull(
    text(
      'what withdrew it: an ITS command, the register that was written, or `wire`; null if that was not seen',
    ),
  ),
  moved_to: orNull(
    integer(
      'PE to which its pending state was moved, where another lifetime continues; null if it was not moved',
    ),
  ),
  withdrawn_ns: timeOf('withdrawn'),
} as const;
export type InterruptRow = RowOf<typeof INTERRUPT_COLUMNS>;
export type InterruptOutcome =
  | 'complete'
  | 'withdrawn'
  | 'pending at end'
  | 'active at end'
  | 'no EOI seen'
  | 'PE undecided';

/**
 * A step of a lifetime. `ended`: it was acknowledged, but its EOI will not be seen any more. `lost`: it was acknowledged, the
 * source does not say where, and no other step of it will be seen.
 */
export type LifetimeStep = 'pended' | 'signalled' | 'acknowledged' | 'eoi' | 'withdrawn' | 'ended' | 'lost';
export interface Lifetime {
  readonly intid: number;
  pe: number;
  cause: string;
  asserted: Moment | undefined;
  pended: Moment | undefined;
  signalled: Moment | undefined;
  acknowledged: Moment | undefined;
  eoi: Moment | undefined;
  deactivated: Moment | undefined;
  withdrawn: Moment | undefined;
  withdrawal: Withdrawal;
}
export type LifetimeListener = (step: LifetimeStep, lifetime: Lifetime, now: Moment) => void;

/** Causes by which a restored interrupt is pending again: from its pending table, by GICD_ISPENDR, or as known state. */
const RESTORED: ReadonlySet<string> = new Set(['table', 'software', 'unseen']);
const BY_RESET: Withdrawal = { by: 'gic.reset', movedTo: null };

const KINDS = new Uint8Array(256);
for (const kind of [
  KIND.hppi,
  KIND['wire.changed'],
  KIND['irq.pended'],
  KIND['irq.unpended'],
  KIND['irq.acknowledged'],
  KIND['irq.dropped'],
  KIND['irq.deactivated'],
  KIND['irq.changed'],
  KIND['lpi.pended'],
  KIND['lpi.cleared'],
  KIND['state.reset'],
])
  KINDS[kind] = 1;

/** Whether records of this kind belong to lifetimes, so that {@link Lifetimes} takes them. */
export function concernsLifetimes(kind: number): boolean {
  return KINDS[kind] !== 0;
}

export class Lifetimes {
  private readonly pending = new Map<number, Lifetime>();
  private readonly active = new Map<number, Lifetime>();
  /**
   * Interrupts that were pending when the GIC was reset. A migration restores what it carries, and their lifetimes go on; what
   * is not pending again ended with the reset.
   */
  private readonly atReset = new Map<number, { readonly lifetime: Lifetime; readonly reset: Moment }>();
  /** The input lines that are asserted, and since when. */
  private readonly asserted = new Map<number, Moment>();
  private readonly state: GicState;
  private readonly withdrawals: Withdrawals;
  private readonly row: (row: InterruptRow) => void;
  private readonly seen: LifetimeListener;

  /** Calls `seen` with each step when it happens, and `row` with each lifetime when it ends. */
  constructor(
    state: GicState,
    withdrawals: Withdrawals,
    row: (row: InterruptRow) => void,
    seen: LifetimeListener,
  ) {
    this.state = state;
    this.withdrawals = withdrawals;
    this.row = row;
    this.seen = seen;
  }

  /** How many interrupts are pending and not acknowledged. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** SPIs belong to the GIC, all others to a PE. */
  private key(intid: number, pe: number): number {
    return intid * 1024 + (intid < LPI_FIRST && !isPrivate(intid) ? 0 : pe + 1);
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
    const before = this.atReset.get(key);
    if (before !== undefined) {
      this.atReset.delete(key);
      if (RESTORED.has(cause)) {
        this.pending.set(key, before.lifetime);
        return;
      }
      this.endedByReset(before);
    }
    const lifetime = lifetimeOf(intid, pe, cause);
    lifetime.asserted = asserted;
    lifetime.pended = at;
    this.pending.set(key, lifetime);
    this.seen('pended', lifetime, at);
  }

  /** Takes an event of the simulator, or a recorded observable, of a kind that {@link concernsLifetimes}. */
  take(batch: RecordBatch, i: number, now: Moment): void {
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const pe = batch.pe[i]!;
    const intid = w[at]!;
    switch (batch.kind[i]) {
      case KIND.hppi:
        if (intid !== SPURIOUS && (w[at + 3] !== 0 || w[at + 4] !== 0)) this.signalled(intid, pe, now);
        return;
      case KIND['wire.changed']:
        this.lineChanged(batch, i, now);
        return;
      case KIND['irq.pended']:
      case KIND['lpi.pended']: {
        const cause = PEND_CAUSES[w[at + 1]!]!;
        this.begin(intid, pe, cause, cause === 'table' || cause === 'moved' ? undefined : now, now);
        return;
      }
      case KIND['irq.unpended']:
      case KIND['lpi.cleared']:
        // An acknowledge takes the lifetime out of `pending` before its latch is cleared.
        if (!this.asserted.has(this.key(intid, pe)) || intid >= LPI_FIRST || !this.isLevel(intid, pe))
          this.withdraw(this.key(intid, pe), now, batch, i);
        return;
      case KIND['irq.acknowledged']:
        this.acknowledged(intid, pe, now);
        return;
      case KIND['irq.dropped']:
        this.dropped(intid, pe, now);
        return;
      case KIND['irq.deactivated']:
        this.deactivated(intid, pe, now);
        return;
      case KIND['state.reset']:
        this.resetAt(now);
        return;
      case KIND['irq.changed']:
        if (w[at + 1] === EDGE) this.triggerChanged(batch, i, now);
        return;
      default:
        return;
    }
  }

  /** The GIC was reset: only what a line that is still asserted makes pending is pending. */
  private resetAt(now: Moment): void {
    for (const before of this.atReset.values()) this.endedByReset(before);
    this.atReset.clear();
    for (const [key, lifetime] of this.pending) {
      if (this.asserted.has(key)) continue;
      this.pending.delete(key);
      this.atReset.set(key, { lifetime, reset: now });
    }
  }

  private endedByReset({ lifetime, reset }: { readonly lifetime: Lifetime; readonly reset: Moment }): void {
    lifetime.withdrawn = reset;
    lifetime.withdrawal = BY_RESET;
    this.seen('withdrawn', lifetime, reset);
    this.end(lifetime, 'withdrawn');
  }

  private signalled(intid: number, pe: number, now: Moment): void {
    const lifetime = this.pending.get(this.key(intid, pe));
    if (lifetime === undefined || lifetime.signalled !== undefined) return;
    lifetime.signalled = now;
    lifetime.pe = pe;
    this.seen('signalled', lifetime, now);
  }

  /** An input line was asserted or deasserted. */
  private lineChanged(batch: RecordBatch, i: number, now: Moment): void {
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    const intid = batch.words[at]!;
    const key = this.key(intid, pe);
    if (batch.words[at + 1] !== 0) {
      this.asserted.set(key, now);
      if (this.isLevel(intid, pe)) this.begin(intid, pe, 'wire', now, now);
      return;
    }
    this.asserted.delete(key);
    // What software made pending stays pending, whatever the line does.
    if (this.isLevel(intid, pe) && !this.has('pending', intid, pe)) this.withdraw(key, now, batch, i);
  }

  private deactivated(intid: number, pe: number, now: Moment): void {
    const key = this.key(intid, pe);
    const lifetime = this.active.get(key);
    if (lifetime !== undefined) {
      lifetime.deactivated = now;
      this.active.delete(key);
      if (lifetime.eoi === undefined) this.seen('ended', lifetime, now);
      this.end(lifetime, 'complete');
    }
    // A level that is still asserted is pending again.
    if (this.asserted.has(key) && this.isLevel(intid, pe))
      this.begin(intid, pe, 'still asserted', undefined, now);
  }

  /** An interrupt became edge-triggered or level-sensitive. */
  private triggerChanged(batch: RecordBatch, i: number, now: Moment): void {
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    const intid = batch.words[at]!;
    if (batch.words[at + 2] === 0) {
      const since = this.asserted.get(this.key(intid, pe));
      if (since !== undefined) this.begin(intid, pe, 'wire', since, now);
    } else if (!this.has('pending', intid, pe)) {
      // An asserted line alone does not make an edge-triggered interrupt pending.
      this.withdraw(this.key(intid, pe), now, batch, i);
    }
  }

  /** A PE acknowledged an interrupt: on the simulator, or only in the source. */
  acknowledged(intid: number, pe: number, now: Moment): void {
    const key = this.key(intid, pe);
    const lifetime = this.pending.get(key) ?? lifetimeOf(intid, pe, 'unknown');
    this.pending.delete(key);
    lifetime.acknowledged = now;
    lifetime.pe = pe;
    const before = this.active.get(key);
    if (before !== undefined) {
      if (before.eoi === undefined) this.seen('ended', before, now);
      this.end(before, before.eoi === undefined ? 'no EOI seen' : 'complete');
    }
    this.active.set(key, lifetime);
    this.seen('acknowledged', lifetime, now);
  }

  /** A PE dropped the priority of an interrupt, on the simulator or only in the source. */
  dropped(intid: number, pe: number, now: Moment): void {
    const key = this.key(intid, pe);
    const lifetime = this.active.get(key);
    if (lifetime === undefined) return;
    if (lifetime.eoi === undefined) {
      lifetime.eoi = now;
      this.seen('eoi', lifetime, now);
    }
    // An LPI has no active state: the EOI is its end.
    if (intid < LPI_FIRST) return;
    this.active.delete(key);
    this.end(lifetime, 'complete');
  }

  private withdraw(key: number, now: Moment, batch: RecordBatch, i: number): void {
    const lifetime = this.pending.get(key);
    if (lifetime === undefined) return;
    lifetime.withdrawn = now;
    lifetime.withdrawal = this.withdrawals.of(batch, i, lifetime.intid);
    this.pending.delete(key);
    this.seen('withdrawn', lifetime, now);
    this.end(lifetime, 'withdrawn');
  }

  private end(lifetime: Lifetime, outcome: InterruptOutcome): void {
    this.row(lifetimeRow(lifetime, outcome));
  }

  /** Ends the trace and reports the lifetimes that have not ended. */
  finish(): void {
    for (const before of this.atReset.values()) this.endedByReset(before);
    for (const lifetime of this.pending.values()) this.end(lifetime, 'pending at end');
    for (const lifetime of this.active.values()) this.end(lifetime, 'active at end');
  }
}

/** A lifetime of which nothing has been seen yet. */
export function lifetimeOf(intid: number, pe: number, cause: string): Lifetime {
  return {
    intid,
    pe,
    cause,
    asserted: undefined,
    pended: undefined,
    signalled: undefined,
    acknowledged: undefined,
    eoi: undefined,
    deactivated: undefined,
    withdrawn: undefined,
    withdrawal: NOT_SEEN,
  };
}

/** The row of a lifetime that has ended, or whose end the trace does not contain. */
export function lifetimeRow(lifetime: Lifetime, outcome: InterruptOutcome): InterruptRow {
  return {
    INTID: lifetime.intid,
    pe: lifetime.pe < 0 ? null : lifetime.pe,
    cause: lifetime.cause,
    asserted: recordOf(lifetime.asserted),
    pended: recordOf(lifetime.pended),
    signalled: recordOf(lifetime.signalled),
    acknowledged: recordOf(lifetime.acknowledged),
    eoi: recordOf(lifetime.eoi),
    deactivated: recordOf(lifetime.deactivated),
    withdrawn: recordOf(lifetime.withdrawn),
    asserted_ns: nsOf(lifetime.asserted),
    pended_ns: nsOf(lifetime.pended),
    signalled_ns: nsOf(lifetime.signalled),
    acknowledged_ns: nsOf(lifetime.acknowledged),
    eoi_ns: nsOf(lifetime.eoi),
    deactivated_ns: nsOf(lifetime.deactivated),
    outcome,
    withdrawn_by: lifetime.withdrawal.by,
    moved_to: lifetime.withdrawal.movedTo,
    withdrawn_ns: nsOf(lifetime.withdrawn),
  };
}
