// What pending interrupts wait for: intervals of record numbers in which one reason keeps an interrupt from being signalled
// or acknowledged, with what the PE handled meanwhile. It follows the lifetimes of interrupts; the reasons come from the
// simulator. It knows no SQL.
import { GICV5_GATES, type Gicv5Gate } from '@gictrace/core/gicv5';
import { GATES, type Gate, heldBy, type Machine, priorityOf, runningPriority } from '@gictrace/core/model';
import { SPURIOUS } from '@gictrace/core/spec';
import { integer, orNull, type RowOf, text } from '../database/columns.ts';
import type { Lifetime, LifetimeStep } from './lifetimes.ts';
import { type Moment, timeOf, wholeNs } from './moment.ts';

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
}

/** The waits of a GICv3 or GICv4. */
export function waitSource(machine: Machine): WaitSource {
  const { state } = machine;
  return {
    peCount: state.peCount,
    held: ({ pe, intid }) => heldBy(machine, pe, intid),
    priorityOf: (pe, intid) => priorityOf(machine, pe, intid),
    mask: (pe) => state.pmr[pe]!,
    running: (pe) => runningPriority(state, pe),
    best: (pe) => (state.hppiIntid[pe] === SPURIOUS ? -1 : state.hppiIntid[pe]!),
  };
}

const NOWHEN: Moment = { record: 0, timeNs: 0 };

/** Follows the waits of a trace. */
export class Waits {
  private readonly waiting = new Map<Lifetime, Wait | undefined>();
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
        this.waiting.set(lifetime, undefined);
        return;
      case 'acknowledged': {
        this.close(lifetime, now);
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
        return;
      }
      default:
    }
  }

  /** Notes that a PE took or ended another interrupt in the source than on the simulator. */
  disagreed(pe: number): void {
    this.astray[pe] = 1;
  }

  /** A PE was reset: what it handled is forgotten. */
  reset(pe: number): void {
    this.handled[pe]?.splice(0);
  }

  /** An operation takes a PE offline, or brings it online. */
  online(pe: number, isOnline: boolean): void {
    this.offline[pe] = isOnline ? 0 : 1;
  }

  /** A stimulus has run. */
  settled(now: Moment): void {
    if (this.waiting.size === 0) return;
    for (const [lifetime, old] of this.waiting) {
      const wait = this.look(lifetime, now);
      if (old !== undefined) {
        if (same(old, wait)) continue;
        this.end(lifetime, old, now);
      }
      this.waiting.set(lifetime, wait);
    }
  }

  /** Ends the trace and reports the intervals that have not ended. `end.record` is the number of records. */
  finish(end: Moment): void {
    this.settled(end);
    for (const [lifetime, wait] of this.waiting)
      if (wait !== undefined) this.end(lifetime, wait, { record: -1, timeNs: end.timeNs });
    this.waiting.clear();
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

  private close(lifetime: Lifetime, now: Moment): void {
    const wait = this.waiting.get(lifetime);
    this.waiting.delete(lifetime);
    if (wait !== undefined) this.end(lifetime, wait, now);
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
