// For what pending interrupts wait: intervals of record numbers in which one gate held one, with what the PE handled
// meanwhile. Follows the lives of interrupts; the gates are the simulator's. Knows no SQL.
import { GATES, type Gate, heldBy, type Machine, priorityOf, runningPriority } from '@gictrace/core';
import { type Sql, sqlTime } from '../sql/schema.ts';
import type { Life, LifeStep, Moment } from './lifetimes.ts';

/** What holds an interrupt: a gate of core; one that only what the PE handles tells; or one that only operations tell. */
export type WaitGate = Gate | 'binary point' | 'PE offline';
export const WAIT_GATES: Readonly<Record<WaitGate, string>> = {
  ...GATES,
  'binary point': 'it is more urgent than what the PE handles, but of the same group priority',
  'PE offline': 'an interrupt line of the PE is up for it, and an operation took the PE offline',
};

interface Handled {
  readonly life: Life;
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

const SPURIOUS = 1023;

/** Follows the waits of one trace and tells a row for each interval. */
export class Waits {
  private readonly waiting = new Map<Life, Wait | undefined>();
  /** By PE: what it acknowledged and did not end yet, the last one at the end. */
  private readonly handled: Handled[][];
  private readonly offline: Uint8Array;
  /** By PE: the source showed something else than the simulator did, which is not to be asked any more. */
  private readonly astray: Uint8Array;
  private readonly trace: number;
  private readonly machine: Machine;
  private readonly out: (row: Sql[]) => void;

  constructor(trace: number, machine: Machine, out: (row: Sql[]) => void) {
    this.trace = trace;
    this.machine = machine;
    this.out = out;
    const pes = machine.state.peCount;
    this.handled = Array.from({ length: pes }, () => []);
    this.offline = new Uint8Array(pes);
    this.astray = new Uint8Array(pes);
  }

  /** A step in the life of an interrupt. */
  seen(step: LifeStep, life: Life, now: Moment): void {
    switch (step) {
      case 'pended':
        this.waiting.set(life, undefined);
        return;
      case 'acknowledged': {
        this.close(life, now);
        const priority = this.astray[life.pe] ? -1 : priorityOf(this.machine, life.pe, life.intid);
        this.handled[life.pe]?.push({ life, since: now.record, priority });
        return;
      }
      case 'withdrawn':
        this.close(life, now);
        return;
      case 'eoi':
      case 'ended': {
        const stack = this.handled[life.pe];
        const at = stack?.findIndex((one) => one.life === life) ?? -1;
        if (at >= 0) stack!.splice(at, 1);
        return;
      }
      default:
    }
  }

  /** The source showed a PE to take or end another interrupt than the simulator has. */
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

  /** A stimulus is done. */
  settled(record: number, timeNs: number): void {
    if (this.waiting.size === 0) return;
    for (const [life, old] of this.waiting) {
      const wait = this.look(life, { record, timeNs });
      if (old !== undefined) {
        if (same(old, wait)) continue;
        this.row(life, old, wait.from);
      }
      this.waiting.set(life, wait);
    }
  }

  /** The trace ends: what waits still. */
  finish(record: number, timeNs: number): void {
    this.settled(record, timeNs);
    for (const [life, wait] of this.waiting)
      if (wait !== undefined) this.row(life, wait, { record: -1, timeNs });
    this.waiting.clear();
  }

  /** What holds `life` now, and for which PE; `unknown` for what the simulator is not to be asked. */
  gateOf(life: Life): { readonly gate: WaitGate; readonly pe: number } {
    return this.look(life, { record: 0, timeNs: 0 });
  }

  private look(life: Life, from: Moment): Wait {
    const { machine } = this;
    const held = heldBy(machine, life.pe, life.intid);
    const { pe } = held;
    let gate: WaitGate = held.gate;
    if (pe >= 0 && this.astray[pe]) gate = 'unknown';
    if (pe < 0 || gate === 'unknown')
      return { gate, pe, priority: -1, mask: -1, running: -1, behind: -1, handled: undefined, from };
    const handled = this.handled[pe]!.at(-1);
    if (gate === 'signalled' && this.offline[pe]) gate = 'PE offline';
    const isUrgent = handled !== undefined && held.priority < handled.priority;
    if (gate === 'running priority' && held.isGroupRunning && isUrgent) gate = 'binary point';
    const best = machine.state.hppiIntid[pe]!;
    return {
      gate,
      pe,
      priority: held.priority,
      mask: machine.state.pmr[pe]!,
      running: runningPriority(machine.state, pe),
      behind: gate === 'behind' && best !== SPURIOUS ? best : -1,
      handled,
      from,
    };
  }

  private close(life: Life, now: Moment): void {
    const wait = this.waiting.get(life);
    this.waiting.delete(life);
    if (wait !== undefined) this.row(life, wait, now);
  }

  private row(life: Life, wait: Wait, to: Moment): void {
    const { gate, handled, from } = wait;
    const isEnd = to.record < 0;
    // That an idle PE is told of an interrupt and takes it is what `interrupts` says.
    if (gate === 'signalled' && handled === undefined && !isEnd) return;
    const known = (value: number) => (value < 0 ? null : value);
    this.out([
      ...[this.trace, life.intid, known(wait.pe), life.pended?.record ?? null],
      ...[from.record, isEnd ? null : to.record, sqlTime(from.timeNs), sqlTime(to.timeNs)],
      ...[gate, known(wait.priority), known(wait.mask), known(wait.running), known(wait.behind)],
      ...[handled?.life.intid ?? null, handled === undefined ? null : known(handled.priority)],
      handled?.since ?? null,
    ]);
  }
}

/** Whether nothing changed that a reader of intervals could see. */
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
