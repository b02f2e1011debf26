// What pending interrupts wait for: intervals of record numbers in which one reason keeps an interrupt from being signalled
// or acknowledged, with what the PE handled meanwhile. It follows the lifetimes of interrupts; the reasons come from the
// simulator. It knows no SQL.

import { GicTraceError } from '@gictrace/core';
import { GICV5_GATES, type Gicv5Gate } from '@gictrace/core/gicv5';
import { GATES, type Gate, heldBy, type Machine, priorityOf, runningPriority } from '@gictrace/core/model';
import { SPURIOUS } from '@gictrace/core/spec';
import { integer, orNull, type RowOf, text } from '../database/columns.ts';
import type { Lifetime, LifetimeStep } from './lifetimes.ts';
import { type Moment, timeOf, wholeNs } from './moment.ts';
import type { Concerned } from './wait-events.ts';

/** What an interrupt waits for: a masking reason of core, or one that follows from what the PE handles or from operations. */
export type WaitGate = Gate | Gicv5Gate | 'binary point' | 'PE offline';
export const WAIT_GATES: Readonly<Record<WaitGate, string>> = {
  ...GICV5_GATES,
  ...GATES,
  'binary point':
    'its priority is higher than that of the interrupt that the PE handles, but its group priority is the same',
  'PE offline': 'an interrupt line of the PE is asserted for it, and an operation took the PE offline',
};

/** One row for each interval in which an interrupt waited for one reason. */
export const WAIT_COLUMNS = {
  INTID: integer('interrupt'),
  pe: orNull(integer('PE for which it is pending; null if none or unknown')),
  pended: orNull(
    integer(
      'record at which it became pending; with trace, INTID and PE this identifies its lifetime in interrupts',
    ),
  ),
  from_record: integer('record after which it waits for this reason'),
  to_record: orNull(
    integer(
      'record after which it no longer waits for this reason; null if it still does at the end of the trace',
    ),
  ),
  from_ns: timeOf('from_record'),
  to_ns: timeOf('to_record', ', or of the end of the trace if that is null'),
  gate: text(
    Object.entries(WAIT_GATES)
      .map(([gate, doc]) => `\`${gate}\`: ${doc}`)
      .join('; '),
  ),
  priority: orNull(integer('its priority, 0 (highest) to 255, or to 31 on GICv5; null if unknown')),
  PMR: orNull(integer('ICC_PMR_EL1 of the PE; ICC_PCR_EL1 on GICv5')),
  running: orNull(integer('running priority of the PE; 255 if idle')),
  behind: orNull(
    integer('the pending interrupt of higher priority for which it waits, for the reason `behind`'),
  ),
  handled: orNull(
    integer(
      'interrupt that the PE handles: the last one acknowledged whose EOI has not been seen; null if none',
    ),
  ),
  handled_priority: orNull(integer('priority of `handled`, 0 to 255; null if unknown')),
  handled_since: orNull(integer('record at which `handled` was acknowledged')),
} as const;
export type WaitRow = RowOf<typeof WAIT_COLUMNS>;

interface Handled {
  readonly lifetime: Lifetime;
  readonly since: number;
  readonly priority: number;
}
interface Wait {
  readonly gate: WaitGate;
  readonly pe: number;
  readonly priority: number;
  readonly mask: number;
  readonly running: number;
  readonly behind: number;
  readonly handled: Handled | undefined;
  readonly from: Moment;
}

/** What the simulator says of the waits of a GIC. */
export interface WaitSource {
  readonly peCount: number;
  /** The masking reason of an interrupt that is pending. */
  held(lifetime: Lifetime): {
    readonly gate: Gate | Gicv5Gate;
    readonly pe: number;
    readonly priority: number;
    readonly isGroupRunning: boolean;
  };
  priorityOf(pe: number, intid: number): number;
  mask(pe: number): number;
  running(pe: number): number;
  /** The highest-priority pending interrupt of a PE; -1 if there is none. */
  best(pe: number): number;
  /**
   * Whether, since the last call, any PE has another highest-priority pending interrupt, or another interrupt line. True if
   * that is not known.
   */
  didTurn(): boolean;
}

/** The waits of a GICv3 or GICv4. */
export function waitSource(machine: Machine): WaitSource {
  const { state } = machine;
  const { hppiIntid, irq, fiq } = state;
  const before = [hppiIntid.slice(), irq.slice(), fiq.slice()];
  const turned = (pe: number) =>
    hppiIntid[pe] !== before[0]![pe] || irq[pe] !== before[1]![pe] || fiq[pe] !== before[2]![pe];
  return {
    peCount: state.peCount,
    held: ({ pe, intid }) => heldBy(machine, pe, intid),
    priorityOf: (pe, intid) => priorityOf(machine, pe, intid),
    mask: (pe) => state.pmr[pe]!,
    running: (pe) => runningPriority(state, pe),
    best: (pe) => (state.hppiIntid[pe] === SPURIOUS ? -1 : state.hppiIntid[pe]!),
    didTurn: () => {
      let did = false;
      for (let pe = 0; pe < state.peCount && !did; pe++) did = turned(pe);
      if (did) [hppiIntid, irq, fiq].forEach((now, k) => void before[k]!.set(now));
      return did;
    },
  };
}

const NOWHEN: Moment = { record: 0, timeNs: 0 };

/** An interrupt that waits. */
interface Waiting {
  readonly lifetime: Lifetime;
  /** Counts up. */
  readonly serial: number;
  /** What it waits for; undefined before its first look. */
  wait: Wait | undefined;
  /** Whether it may wait for something else since the last look. */
  isTouched: boolean;
  /** Whether it has ceased to wait. */
  isOver: boolean;
  /** Another of the same INTID that began before. */
  other: Waiting | undefined;
}

/**
 * How often waiting interrupts may be looked at again: this often at once, and that much more often with each stimulus. An
 * interrupt is looked at when it may wait for something else. Each look may be a row.
 */
const LOOKS_MAX = 2 ** 19;
const LOOKS_PER_STIMULUS = 2 ** 10;

/** Follows the waits of a trace. */
export class Waits {
  private readonly waiting = new Map<Lifetime, Waiting>();
  /** By INTID: the last one that began. */
  private readonly named = new Map<number, Waiting>();
  private serial = 0;
  /** Those that are touched; some may be over. */
  private touched: Waiting[] = [];
  private areAllTouched = false;
  private looksLeft = LOOKS_MAX;
  /** By PE: the interrupts that it has acknowledged and not ended, the last one at the end. */
  private readonly handled: Handled[][];
  private readonly offline: Uint8Array;
  /** By PE: whether it took another interrupt in the source than on the simulator, so the simulator's reasons do not apply. */
  private readonly astray: Uint8Array;
  private readonly source: WaitSource;
  private readonly row: (row: WaitRow) => void;

  /** Calls `row` with each interval when it ends. */
  constructor(source: WaitSource, row: (row: WaitRow) => void) {
    this.source = source;
    this.row = row;
    const pes = source.peCount;
    this.handled = Array.from({ length: pes }, () => []);
    this.offline = new Uint8Array(pes);
    this.astray = new Uint8Array(pes);
  }

  /** A step in the lifetime of an interrupt. */
  seen(step: LifetimeStep, lifetime: Lifetime, now: Moment): void {
    switch (step) {
      case 'pended':
        this.open(lifetime);
        return;
      case 'acknowledged': {
        this.close(lifetime, now);
        this.areAllTouched = true;
        const priority = this.astray[lifetime.pe] ? -1 : this.source.priorityOf(lifetime.pe, lifetime.intid);
        this.handled[lifetime.pe]?.push({ lifetime, since: now.record, priority });
        return;
      }
      case 'withdrawn':
        this.close(lifetime, now);
        return;
      case 'eoi':
      case 'ended': {
        const stack = this.handled[lifetime.pe];
        const at = stack?.findIndex((one) => one.lifetime === lifetime) ?? -1;
        if (at >= 0) stack!.splice(at, 1);
        this.areAllTouched = true;
        return;
      }
      default: {
        // Its PE may be known now.
        const one = this.waiting.get(lifetime);
        if (one !== undefined) this.touch(one);
      }
    }
  }

  /** The GIC emitted an event, which names `intid` if it concerns one interrupt. */
  emitted(whose: Concerned, intid: number): void {
    if (this.areAllTouched || whose === 'none') return;
    if (whose === 'all') this.areAllTouched = true;
    else for (let one = this.named.get(intid); one !== undefined; one = one.other) this.touch(one);
  }

  private touch(one: Waiting): void {
    if (one.isTouched) return;
    one.isTouched = true;
    this.touched.push(one);
  }

  /** Notes that a PE took or ended another interrupt in the source than on the simulator. */
  disagreed(pe: number): void {
    this.astray[pe] = 1;
    this.areAllTouched = true;
  }

  /** A PE was reset: what it handled is forgotten. */
  reset(pe: number): void {
    this.handled[pe]?.splice(0);
    this.areAllTouched = true;
  }

  /** An operation takes a PE offline, or brings it online. */
  online(pe: number, isOnline: boolean): void {
    this.offline[pe] = isOnline ? 0 : 1;
    this.areAllTouched = true;
  }

  /**
   * A stimulus has run, and the GIC has emitted events.
   * @throws GicTraceError `limit` if so many interrupts wait that following each of them takes too long.
   */
  settled(now: Moment): void {
    const { touched } = this;
    if (this.waiting.size > 0) {
      const areAll = this.source.didTurn() || this.areAllTouched;
      this.looksLeft = Math.min(this.looksLeft + LOOKS_PER_STIMULUS, LOOKS_MAX);
      if (areAll) for (const one of this.waiting.values()) this.lookAt(one, now);
      else {
        if (touched.length > 1) touched.sort((a, b) => a.serial - b.serial);
        for (const one of touched) if (!one.isOver) this.lookAt(one, now);
      }
    }
    this.areAllTouched = false;
    if (touched.length === 0) return;
    for (const one of touched) one.isTouched = false;
    this.touched = [];
  }

  private lookAt(one: Waiting, now: Moment): void {
    if (--this.looksLeft < 0)
      throw new GicTraceError(
        'limit',
        `${this.waiting.size} interrupts are pending at once, and what each waits for changes too often to be followed`,
      );
    const wait = this.look(one.lifetime, now);
    if (one.wait !== undefined) {
      if (same(one.wait, wait)) return;
      this.end(one.lifetime, one.wait, now);
    }
    one.wait = wait;
  }

  /** Ends the trace and reports the intervals that have not ended. `end.record` is the number of records. */
  finish(end: Moment): void {
    this.areAllTouched = true;
    this.looksLeft = this.waiting.size;
    this.settled(end);
    for (const { lifetime, wait } of this.waiting.values())
      if (wait !== undefined) this.end(lifetime, wait, { record: -1, timeNs: end.timeNs });
    this.waiting.clear();
    this.named.clear();
  }

  /** What an interrupt waits for now, and on which PE; `unknown` if the simulator's reasons do not apply. */
  gateOf(lifetime: Lifetime): { readonly gate: WaitGate; readonly pe: number } {
    return this.look(lifetime, NOWHEN);
  }

  private look(lifetime: Lifetime, from: Moment): Wait {
    const { source } = this;
    const held = source.held(lifetime);
    const { pe } = held;
    let gate: WaitGate = held.gate;
    if (pe >= 0 && this.astray[pe]) gate = 'unknown';
    if (pe < 0 || gate === 'unknown')
      return { gate, pe, priority: -1, mask: -1, running: -1, behind: -1, handled: undefined, from };
    const handled = this.handled[pe]!.at(-1);
    if (gate === 'signalled' && this.offline[pe]) gate = 'PE offline';
    const isUrgent = handled !== undefined && held.priority < handled.priority;
    if (gate === 'running priority' && held.isGroupRunning && isUrgent) gate = 'binary point';
    return {
      gate,
      pe,
      priority: held.priority,
      mask: source.mask(pe),
      running: source.running(pe),
      behind: gate === 'behind' ? source.best(pe) : -1,
      handled,
      from,
    };
  }

  private open(lifetime: Lifetime): void {
    const other = this.named.get(lifetime.intid);
    const one: Waiting = {
      lifetime,
      serial: this.serial++,
      wait: undefined,
      isTouched: true,
      isOver: false,
      other,
    };
    this.waiting.set(lifetime, one);
    this.named.set(lifetime.intid, one);
    this.touched.push(one);
  }

  private close(lifetime: Lifetime, now: Moment): void {
    const one = this.waiting.get(lifetime);
    if (one === undefined) return;
    this.waiting.delete(lifetime);
    one.isOver = true;
    const last = this.named.get(lifetime.intid)!;
    if (last !== one) {
      let behind = last;
      while (behind.other !== one) behind = behind.other!;
      behind.other = one.other;
    } else if (one.other === undefined) this.named.delete(lifetime.intid);
    else this.named.set(lifetime.intid, one.other);
    if (one.wait !== undefined) this.end(lifetime, one.wait, now);
  }

  private end(lifetime: Lifetime, wait: Wait, to: Moment): void {
    const { gate, handled, from } = wait;
    const isEnd = to.record < 0;
    // An interrupt that is signalled to an idle PE, which then acknowledges it, needs no row: it is in `interrupts`.
    if (gate === 'signalled' && handled === undefined && !isEnd) return;
    this.row({
      INTID: lifetime.intid,
      pe: known(wait.pe),
      pended: lifetime.pended?.record ?? null,
      from_record: from.record,
      to_record: isEnd ? null : to.record,
      from_ns: wholeNs(from.timeNs),
      to_ns: wholeNs(to.timeNs),
      gate,
      priority: known(wait.priority),
      PMR: known(wait.mask),
      running: known(wait.running),
      behind: known(wait.behind),
      handled: handled?.lifetime.intid ?? null,
      handled_priority: handled === undefined ? null : known(handled.priority),
      handled_since: handled?.since ?? null,
    });
  }
}

function known(value: number): number | null {
  return value < 0 ? null : value;
}

/** Whether two waits are the same for a reader of intervals. */
function same(a: Wait, b: Wait): boolean {
  return (
    a.gate === b.gate &&
    a.pe === b.pe &&
    a.priority === b.priority &&
    a.mask === b.mask &&
    a.running === b.running &&
    a.behind === b.behind &&
    a.handled === b.handled
  );
}
