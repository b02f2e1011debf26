// Translated replay: operations, re-issued by a design's own driver on that design's own hardware, with devices that
// fire and PEs that take what they are told of at once. What it tells is counted on the simulator.
import type { GicConfig } from '../config.ts';
import type { RecordBatch } from '../record/index.ts';
import { Bus, COSTS, type Costs, type Message, noCosts, type SentCommand } from './bus.ts';
import { type Design, type Driver, keyOf, Ledger, type Result } from './driver.ts';
import { isVpeOperation, type Operation, type OperationName, type Vector } from './operation.ts';

/** What became of a message. Each message has exactly one of these. */
export const FATES = {
  delivered: 'Its handler ran. Several messages that come before it runs are all delivered by it.',
  cleared: 'Software cleared the pending state before the handler ran.',
  masked: 'It waits, on the PE that serves it, because its vector is masked.',
  stranded: 'Its interrupt is pending where nobody takes it: on another PE than the vector is served by.',
  lost: 'Nothing is left of it.',
  unsent: 'The device had no message to send: its vector has none, or the design cannot give it one.',
} as const;
export type Fate = keyof typeof FATES;
export const FATE_NAMES = Object.keys(FATES) as readonly Fate[];

/** A handler that ran although there was nothing to handle, or where it should not. */
export const FAULTS = {
  spurious: 'Handlers that ran without a message.',
  misrouted: 'Handlers that ran on another PE than the affinity says.',
  unauthorised: 'Handlers of a device that another device had run.',
} as const;
export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly Fault[];

/** Messages by fate; their sum is `fired`. */
export type Deliveries = Record<Fate | Fault, number> & {
  /** Messages that devices sent, and interrupts that software set pending. */
  fired: number;
  /** The most operations that a message that was delivered waited for. */
  steps_max: number;
};

/** Told of each thing that a run counts; operations and messages are numbered from 0 within the run. */
export interface RunObserver {
  /** Given each stimulus of the run, one record: it is used anew for the next. */
  stimulus?(batch: RecordBatch): void;
  /** Given each observable and event, after its stimulus. */
  emitted?(batch: RecordBatch, i: number): void;
  command?(operation: number, command: SentCommand): void;
  operation?(n: number, operation: Operation, result: Result, costs: Costs): void;
  message?(fate: {
    readonly message: number;
    readonly device: number;
    readonly vector: number;
    /** The operation that fired it, and the one at which its fate was known. */
    readonly fired: number;
    readonly settled: number;
    readonly fate: Fate;
  }): void;
  fault?(operation: number, fault: Fault, pe: number, intid: number, vector: Vector | undefined): void;
}

export interface Run {
  readonly design: Design;
  /** The machine that it ran on. */
  readonly config: GicConfig;
  /** Operations that the driver was given, by name. */
  readonly operations: ReadonlyMap<OperationName, number>;
  readonly costs: Costs;
  readonly costsBy: ReadonlyMap<OperationName, Costs>;
  /** What setting the driver up cost. */
  readonly probe: Costs;
  readonly deliveries: Deliveries;
  /** Operations that the design has not, by operation and reason. */
  readonly unsupported: ReadonlyMap<string, number>;
  readonly exhausted: ReadonlyMap<string, number>;
  /** What the driver still holds at the end. */
  readonly held: ReadonlyMap<string, number>;
}

interface Expectation {
  /** Messages, by number, and the operations that fired them, that no handler has run for. */
  messages: number[];
  fired: number[];
  pe: number;
  masked: boolean;
}

const isInterrupt = (intid: number): boolean => intid < 1020 || intid >= 8192;

export class Translation {
  readonly run: Run;
  private readonly bus: Bus;
  private readonly driver: Driver;
  private readonly observer: RunObserver;
  private readonly expected = new Map<number, Expectation>();
  private readonly deliveries: Deliveries = {
    fired: 0,
    delivered: 0,
    cleared: 0,
    masked: 0,
    stranded: 0,
    lost: 0,
    unsent: 0,
    spurious: 0,
    misrouted: 0,
    unauthorised: 0,
    steps_max: 0,
  };
  private readonly operations = new Map<OperationName, number>();
  private readonly costsBy = new Map<OperationName, Costs>();
  private readonly unsupported = new Map<string, number>();
  private readonly exhausted = new Map<string, number>();
  private readonly online = new Set<number>();
  /** Operations so far, fires included. */
  private n = -1;
  private messages = 0;
  /** The device that forged a message in this operation, or -1. */
  private forger = -1;

  constructor(design: Design, pes: number, observer: RunObserver = {}) {
    this.observer = observer;
    this.bus = new Bus(design.profile, design.hardware, pes);
    if (observer.command !== undefined)
      this.bus.onCommand = (command) => this.observer.command?.(this.n, command);
    if (observer.stimulus !== undefined) this.bus.onStimulus = (batch) => this.observer.stimulus?.(batch);
    if (observer.emitted !== undefined) this.bus.show((batch, i) => this.observer.emitted?.(batch, i));
    this.bus.firmware();
    const ledger = new Ledger();
    this.driver = design.make(this.bus, ledger);
    const probe = { ...this.bus.costs };
    for (const name of COSTS) this.bus.costs[name] = 0;
    this.run = {
      design,
      config: this.bus.machine.state.config,
      operations: this.operations,
      costs: this.bus.costs,
      costsBy: this.costsBy,
      probe,
      deliveries: this.deliveries,
      unsupported: this.unsupported,
      exhausted: this.exhausted,
      held: ledger.held,
    };
  }

  /** Runs one operation, if it is of the kind that the design serves. */
  take(o: Operation): void {
    if (o.op === 'pe.online') {
      if (o.pe >= this.bus.pes) return;
      this.online.add(o.pe);
      this.bus.ready(o.pe);
    } else if (isVpeOperation(o.op) !== (this.run.design.serves === 'vpes')) return;
    this.n++;
    if (o.op === 'fire') this.fire(o, (message) => message);
    else if (o.op === 'fire.multi') this.fireMulti(o, o.count);
    else if (o.op === 'forge') this.forge(o, o.by);
    else this.drive(o);
    this.serve();
    this.forger = -1;
  }

  private drive(o: Operation): void {
    const before = { ...this.bus.costs };
    const result = this.driver.run(o);
    const spent = noCosts();
    for (const name of COSTS) spent[name] = this.bus.costs[name] - before[name];
    const by = this.costsBy.get(o.op) ?? noCosts();
    for (const name of COSTS) by[name] += spent[name];
    this.costsBy.set(o.op, by);
    this.operations.set(o.op, (this.operations.get(o.op) ?? 0) + 1);
    if (result === 'done') this.expect(o);
    else if ('unsupported' in result) count(this.unsupported, `${o.op}: ${result.unsupported}`);
    else count(this.exhausted, `${o.op}: ${result.exhausted}`);
    this.observer.operation?.(this.n, o, result, spent);
  }

  /** What the operating system may rely on from now. */
  private expect(o: Operation): void {
    if (!('vector' in o)) return;
    const key = keyOf(o.device, o.vector);
    const own = this.expected.get(key);
    switch (o.op) {
      case 'activate':
        this.expected.set(key, {
          messages: own?.messages ?? [],
          fired: own?.fired ?? [],
          pe: o.pe,
          masked: true,
        });
        return;
      case 'mask':
      case 'unmask':
        if (own !== undefined) own.masked = o.op === 'mask';
        return;
      case 'set_affinity':
        if (own !== undefined) own.pe = o.pe;
        return;
      case 'set_pending':
        if (own === undefined) return;
        if (!o.pending) this.settle(o, own, 'cleared');
        else this.outstanding(own);
        return;
      case 'deactivate':
        if (own === undefined) return;
        this.settle(o, own, this.leftOf(key, own));
        this.expected.delete(key);
        return;
    }
  }

  private outstanding(own: Expectation): void {
    own.messages.push(this.messages++);
    own.fired.push(this.n);
    this.deliveries.fired++;
  }

  /** All messages of a vector that are outstanding come to the same end. */
  private settle(of: Vector, own: Expectation, fate: Fate): void {
    this.deliveries[fate] += own.messages.length;
    for (let k = 0; k < own.messages.length; k++) {
      const fired = own.fired[k]!;
      if (fate === 'delivered')
        this.deliveries.steps_max = Math.max(this.deliveries.steps_max, this.n - fired);
      this.observer.message?.({
        message: own.messages[k]!,
        device: of.device,
        vector: of.vector,
        fired,
        settled: this.n,
        fate,
      });
    }
    own.messages = [];
    own.fired = [];
  }

  private fireMulti(o: Vector, count: number): void {
    const first = this.driver.message({ device: o.device, vector: 0 });
    this.fire(
      o,
      () => first && { address: first.address, data: first.data - (first.data % count) + o.vector },
    );
  }

  /** The device writes what another one would. A host that makes the messages is not modelled. */
  private forge(o: Vector, by: number): void {
    if (this.run.design.hosted) {
      count(this.unsupported, 'forge: the host decides what a device may write');
      return;
    }
    const message = this.driver.message(o);
    if (message === undefined) return;
    this.forger = by;
    this.bus.deviceWrites(by, message);
  }

  private fire(o: Vector, sent: (own: Message | undefined) => Message | undefined): void {
    const message = sent(this.driver.message(o));
    const own = this.expected.get(keyOf(o.device, o.vector));
    if (message === undefined || own === undefined) {
      const unsent: Expectation = { messages: [], fired: [], pe: 0, masked: true };
      this.outstanding(unsent);
      this.settle(o, unsent, 'unsent');
      return;
    }
    this.outstanding(own);
    this.bus.deviceWrites(o.device, message);
  }

  /** Every PE that is online takes what it is told of. */
  private serve(): void {
    for (const pe of this.online)
      for (let intid = this.bus.acknowledge(pe); isInterrupt(intid); intid = this.bus.acknowledge(pe))
        this.handled(pe, intid);
  }

  private handled(pe: number, intid: number): void {
    const vector = this.driver.whose(intid);
    const own = vector && this.expected.get(keyOf(vector.device, vector.vector));
    const fault = (name: Fault) => {
      this.deliveries[name]++;
      this.observer.fault?.(this.n, name, pe, intid, vector);
    };
    if (own === undefined || own.messages.length === 0) {
      // A device may raise its own interrupts, by whatever message.
      if (this.forger < 0 || vector === undefined) fault('spurious');
      else if (vector.device !== this.forger) fault('unauthorised');
      return;
    }
    if (own.pe !== pe) fault('misrouted');
    this.settle(vector!, own, 'delivered');
  }

  /** What is left of the outstanding messages of a vector, by where its interrupt is pending. */
  private leftOf(key: number, own: Expectation): Fate {
    const pes = this.bus.pendingOn((intid) => {
      const vector = this.driver.whose(intid);
      return vector !== undefined && keyOf(vector.device, vector.vector) === key;
    });
    if (pes.length === 0) return 'lost';
    return own.masked && pes.includes(own.pe) ? 'masked' : 'stranded';
  }

  /** No more operations: what is left. */
  finish(): Run {
    for (const [key, own] of this.expected) {
      if (own.messages.length === 0) continue;
      const vector = { device: Math.floor(key / 65_536), vector: key % 65_536 };
      this.settle(vector, own, this.leftOf(key, own));
    }
    return this.run;
  }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
