// The outcomes of messages: which messages of each vector are outstanding, and what has become of them if no handler ran.
import { keyOf } from '../driver.ts';
import type { Vector } from '../operation.ts';
import type { Outcome } from './outcome.ts';
import { type Stage, textOf } from './stage.ts';

/** What the operating system can expect for a vector. */
export interface Expectation {
  /** Messages for which no handler has run, by number, and the operations that fired them. */
  messages: number[];
  fired: number[];
  pe: number;
  /** The vPE to which it is forwarded, or -1. */
  vpe: number;
  masked: boolean;
  /** Its device has masked it, and sends a message when it unmasks it. */
  heldBack: boolean;
  /** When its handler ran for its messages, its interrupt was pending a second time. */
  twice: boolean;
}

/** Outcomes that a design answers for: the handler should have run, and did not. */
const FAILED: readonly Outcome[] = ['lost', 'stranded', 'unsent'];

/** An expectation without outstanding messages. */
export const expectation = (of: Partial<Expectation>): Expectation => ({
  ...{ messages: [], fired: [], pe: -1, vpe: -1, masked: false, heldBack: false, twice: false },
  ...of,
});

const vectorOf = (key: number): Vector => ({ device: Math.floor(key / 65_536), vector: key % 65_536 });

export class Messages {
  private readonly stage: Stage;
  private readonly expected = new Map<number, Expectation>();
  private sent = 0;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  of({ device, vector }: Vector): Expectation | undefined {
    return this.expected.get(keyOf(device, vector));
  }

  expect({ device, vector }: Vector, own: Expectation): void {
    this.expected.set(keyOf(device, vector), own);
  }

  forget({ device, vector }: Vector): void {
    this.expected.delete(keyOf(device, vector));
  }

  /** The machine is reset: what was sent is pending nowhere, and nobody waits for it. */
  reset(): void {
    for (const [key, own] of this.expected) this.settle(vectorOf(key), own, 'cleared');
    this.expected.clear();
  }

  /** Adds a message for which no handler has run. */
  outstanding(own: Expectation): void {
    own.messages.push(this.sent++);
    own.fired.push(this.stage.n);
    this.stage.deliveries.fired++;
  }

  /** Gives all outstanding messages of a vector the same outcome. */
  settle(of: Vector, own: Expectation, outcome: Outcome): void {
    const { deliveries, observer, n } = this.stage;
    deliveries[outcome] += own.messages.length;
    if (outcome === 'delivered' || outcome === 'cleared') this.stage.settled(of);
    if (FAILED.includes(outcome) && own.messages.length > 0)
      this.stage.failed(outcome, Math.min(...own.fired), textOf(of), own.messages.length);
    for (let k = 0; k < own.messages.length; k++) {
      const fired = own.fired[k]!;
      if (outcome === 'delivered') deliveries.steps_max = Math.max(deliveries.steps_max, n - fired);
      const { device, vector } = of;
      observer.message?.({ message: own.messages[k]!, device, vector, fired, settled: n, outcome });
    }
    own.messages = [];
    own.fired = [];
  }

  /** Gives a vector's outstanding messages the outcome that follows from where its interrupt is pending. */
  settleAsLeft(of: Vector, own: Expectation): void {
    this.settle(of, own, this.leftOf(of, own));
  }

  /** Removes the forwarded vectors of a device that is freed, and returns them. */
  detach(device: number): Vector[] {
    const gone: Vector[] = [];
    for (const [key, own] of this.expected) {
      const of = vectorOf(key);
      if (of.device !== device || own.vpe < 0) continue;
      this.settleAsLeft(of, own);
      this.expected.delete(key);
      gone.push(of);
    }
    return gone;
  }

  /** Called when a vPE became resident although nothing had woken it: a fault if messages are outstanding for it. */
  unwoken(vpe: number, pe: number): void {
    for (const [key, own] of this.expected) {
      if (own.vpe !== vpe || own.messages.length === 0) continue;
      this.stage.fault('unwoken', pe, 0, vectorOf(key));
      return;
    }
  }

  /** Settles the outstanding messages of a vector as lost if its interrupt is pending nowhere. */
  settleLost(of: Vector, own: Expectation): void {
    const isPhysical = own.vpe < 0 && !own.heldBack && own.messages.length > 0;
    if (isPhysical && !this.isPending(of)) this.settle(of, own, 'lost');
  }

  /** Whether the interrupt of a vector is pending on the PE that serves it, and on how many others. */
  pendingOf(of: Vector): { readonly here: boolean; readonly elsewhere: number } {
    const pe = this.of(of)?.pe;
    const pes = new Set(this.pendingOn(of));
    const here = pe !== undefined && pes.delete(pe);
    return { here, elsewhere: pes.size };
  }

  /** Whether the interrupt of a vector is pending anywhere. */
  isPending(of: Vector): boolean {
    return this.pendingOn(of).length > 0;
  }

  /**
   * Whether the messages of a vector are stranded. Asked before the vector is deactivated, which may remove an interrupt
   * that was pending where nobody takes it.
   */
  isStranded(of: Vector): boolean {
    const own = this.of(of);
    return own !== undefined && own.messages.length > 0 && this.leftOf(of, own) === 'stranded';
  }

  /** Ends the run: gives all outstanding messages an outcome. */
  finish(): void {
    for (const [key, own] of this.expected)
      if (own.messages.length > 0) this.settleAsLeft(vectorOf(key), own);
  }

  /** PEs on which the interrupt of a vector is pending. */
  private pendingOn({ device, vector }: Vector): readonly number[] {
    const { testbed, driver } = this.stage;
    return testbed.pendingOn((intid) => {
      const whose = driver?.whose(intid);
      return whose !== undefined && whose.device === device && whose.vector === vector;
    });
  }

  /** The outcome of the outstanding messages of a vector, by where its interrupt is pending. */
  private leftOf(of: Vector, own: Expectation): Outcome {
    if (own.vpe >= 0) return this.leftOfVlpi(of, own.vpe);
    if (own.heldBack) return 'masked';
    const pes = this.pendingOn(of);
    if (pes.length === 0) return 'lost';
    if (!pes.includes(own.pe)) return 'stranded';
    if (own.masked) return 'masked';
    return this.stage.isBusy(own.pe) && this.stage.online.has(own.pe) ? 'waiting' : 'stranded';
  }

  private leftOfVlpi(of: Vector, vpe: number): Outcome {
    const { testbed, driver, guests } = this.stage;
    const vlpi = driver?.vlpi?.(vpe, of);
    if (vlpi === undefined || !testbed.isPendingInTable(vlpi.pendingTable, vlpi.vINTID)) return 'lost';
    if (this.expected.get(keyOf(of.device, of.vector))?.masked === true) return 'masked';
    const guest = guests.of(vpe);
    if (!guest.isBlocked || guest.isWoken) return 'waiting';
    const rings = (intid: number) => driver?.doorbellOf?.(intid) === vpe;
    return testbed.pendingOn(rings).length > 0 ? 'waiting' : 'stranded';
  }
}
