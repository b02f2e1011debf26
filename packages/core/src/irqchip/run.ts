// Translated replay: operations, re-issued by a design's own driver on that design's own hardware, with devices that
// fire and PEs that take what they are told of unless they are busy. What it tells is counted on the simulator.
import { Bus, COSTS, type Costs, type Message, noCosts } from './bus.ts';
import { type Design, type Driver, keyOf, Ledger, type Result, unsupported } from './driver.ts';
import { Guests } from './guests.ts';
import { concerns, type Operation, type OperationName, type Vector } from './operation.ts';
import { type Fate, type Fault, noDeliveries, type Run, type RunObserver, STORM } from './outcome.ts';

interface Expectation {
  /** Messages, by number, and the operations that fired them, that no handler has run for. */
  messages: number[];
  fired: number[];
  pe: number;
  /** The vPE that it is forwarded to, or -1. */
  vpe: number;
  masked: boolean;
  /** When its handler ran for its messages, its interrupt was pending once more. */
  twice: boolean;
}

/** What the devices do themselves. */
interface Attachment {
  readonly block: number;
  /** Masks by itself, once it has been started. */
  readonly masksItself: boolean;
}

const isInterrupt = (intid: number): boolean => intid < 1020 || intid >= 8192;
/** GICR_VPENDBASER.PendingLast, in bits 63:32. */
const PENDING_LAST = 0x2000_0000;

export class Translation {
  readonly run: Run;
  private readonly bus: Bus;
  private readonly ledger = new Ledger();
  private readonly observer: RunObserver;
  private readonly expected = new Map<number, Expectation>();
  private readonly deliveries = noDeliveries();
  private readonly operations = new Map<OperationName, number>();
  private readonly costsBy = new Map<OperationName, Costs>();
  private readonly unsupported = new Map<string, number>();
  private readonly exhausted = new Map<string, number>();
  private readonly failed = new Map<string, number>();
  private readonly leaked = new Map<string, number>();
  private readonly probe = noCosts();
  private readonly online = new Set<number>();
  /** PEs that take nothing until after an operation. */
  private readonly busyUntil = new Map<number, number>();
  private readonly guests = new Guests();
  private readonly attached = new Map<number, Attachment>();
  /** Vectors that are vLPIs now. */
  private readonly forwarded = new Set<number>();
  /** Vectors that their device has masked; those that have been unmasked once; those with a message held back. */
  private readonly maskedInDevice = new Set<number>();
  private readonly started = new Set<number>();
  private readonly heldBack = new Set<number>();
  /** null: not set up yet; undefined: that failed. */
  private driver: Driver | undefined | null = null;
  /** Operations so far, fires included. */
  private n = -1;
  private messages = 0;
  /** The device that forged a message in this operation, or -1. */
  private forger = -1;

  /** `blocks`: blocks that devices are wired to; with ITSs, so many of them. */
  constructor(design: Design, pes: number, observer: RunObserver = {}, blocks = 1) {
    this.observer = observer;
    this.bus = new Bus(design.profile, design.hardware, pes, blocks, (machine) =>
      observer.machine?.(machine),
    );
    if (observer.command !== undefined)
      this.bus.onCommand = (command) => this.observer.command?.(this.n, command);
    if (observer.stimulus !== undefined) this.bus.onStimulus = (batch) => this.observer.stimulus?.(batch);
    if (observer.emitted !== undefined) this.bus.show((batch, i) => this.observer.emitted?.(batch, i));
    this.run = {
      design,
      config: this.bus.machine.state.config,
      operations: this.operations,
      costs: this.bus.costs,
      costsBy: this.costsBy,
      probe: this.probe,
      deliveries: this.deliveries,
      unsupported: this.unsupported,
      exhausted: this.exhausted,
      failed: this.failed,
      leaked: this.leaked,
      held: this.ledger.held,
    };
  }

  /** The driver, set up when it is first needed: not before failures could be injected. */
  private driverOf(): Driver | undefined {
    if (this.driver !== null) return this.driver;
    const at = this.n;
    this.n = -1;
    this.bus.firmware();
    this.ledger.begin();
    this.driver = this.run.design.make(this.bus, this.ledger);
    this.n = at;
    Object.assign(this.probe, this.bus.costs);
    for (const name of COSTS) this.bus.costs[name] = 0;
    if (this.driver === undefined) this.leaks();
    return this.driver;
  }

  /** With a device go what it had forwarded. */
  private detach(device: number): void {
    for (const [key, own] of this.expected) {
      const of = vectorOf(key);
      if (of.device !== device || own.vpe < 0) continue;
      this.settle(of, own, this.leftOf(key, own));
      this.expected.delete(key);
      this.forwarded.delete(key);
    }
  }

  /** Runs one operation, if it concerns what the design serves. */
  take(o: Operation): void {
    if (!this.concerns(o)) return;
    this.n++;
    this.act(o);
    this.serve();
    this.forger = -1;
  }

  private concerns(o: Operation): boolean {
    const { serves } = this.run.design;
    const whom = concerns(o.op);
    if (whom !== 'both' && whom !== serves) return false;
    if ('pe' in o && o.op.startsWith('pe.') && o.pe >= this.bus.pes) return false;
    if (o.op === 'fire' || o.op === 'forge')
      return this.forwarded.has(keyOf(o.device, o.vector)) === (serves === 'vpes');
    if (o.op === 'activate') this.forwarded.delete(keyOf(o.device, o.vector));
    if (o.op !== 'vlpi.map') return true;
    // To the host's driver it is no interrupt of a device any more.
    if (serves === 'devices') this.forwarded.add(keyOf(o.device, o.vector));
    return serves === 'vpes';
  }

  private act(o: Operation): void {
    if (o.op !== 'fail') this.driverOf();
    switch (o.op) {
      case 'fire':
        return this.fire(o, this.driver?.message(o));
      case 'fire.multi':
        return this.fireMulti(o, o.count);
      case 'forge':
        return this.forge(o);
      case 'fail':
        this.ledger.fail(o.what, o.nth);
        return this.told(o);
      case 'probe':
        return this.told(o);
      case 'migrate':
        for (const state of this.bus.migrate(o.without)) this.observer.carried?.(this.n, o.without, state);
        return this.told(o);
      case 'pe.busy':
        this.busyUntil.set(o.pe, this.n + o.steps);
        return this.told(o);
      case 'pe.offline':
        this.online.delete(o.pe);
        this.bus.sleep(o.pe);
        return this.told(o);
      case 'pe.online':
        this.online.add(o.pe);
        this.bus.ready(o.pe);
        if (this.run.design.serves === 'vpes') this.bus.hosts(o.pe);
        return this.drive(o);
      case 'free':
        this.detach(o.device);
        return this.drive(o);
      case 'alloc':
        this.attached.set(o.device, { block: o.block ?? 0, masksItself: o.msi === 'device-masked' });
        return this.drive(o);
      default:
        return this.drive(o);
    }
  }

  /** An operation that no driver has a part in. */
  private told(o: Operation, result: Result = 'done'): void {
    this.observer.operation?.(this.n, o, result, noCosts());
  }

  private drive(o: Operation): void {
    const before = { ...this.bus.costs };
    const wasStranded = o.op === 'deactivate' && this.isStranded(keyOf(o.device, o.vector));
    this.ledger.begin();
    const result =
      this.driver == null ? unsupported('the driver failed to be set up') : this.runWith(this.driver, o);
    const spent = noCosts();
    for (const name of COSTS) spent[name] = this.bus.costs[name] - before[name];
    const by = this.costsBy.get(o.op) ?? noCosts();
    for (const name of COSTS) by[name] += spent[name];
    this.costsBy.set(o.op, by);
    this.operations.set(o.op, (this.operations.get(o.op) ?? 0) + 1);
    if (result === 'done') this.expect(o, wasStranded);
    else {
      this.leaks();
      if ('unsupported' in result) count(this.unsupported, `${o.op}: ${result.unsupported}`);
      else if ('failed' in result) count(this.failed, `${o.op}: ${result.failed}`);
      else count(this.exhausted, `${o.op}: ${result.exhausted}`);
    }
    this.observer.operation?.(this.n, o, result, spent);
  }

  /** What was taken just now and not given back, though nothing came of it. */
  private leaks(): void {
    for (const [what, more] of this.ledger.changed) {
      if (more <= 0) continue;
      this.leaked.set(what, (this.leaked.get(what) ?? 0) + more);
      this.observer.leaked?.(this.n, what, more);
    }
  }

  /** The driver's part, and that of a device which can mask. */
  private runWith(driver: Driver, o: Operation): Result {
    if (o.op !== 'mask' && o.op !== 'unmask') return driver.run(o);
    const key = keyOf(o.device, o.vector);
    const { masks } = this.run.design;
    const itself = this.attached.get(o.device)?.masksItself === true;
    if (masks === undefined && !itself) return driver.run(o);
    if (o.op === 'mask') {
      this.bus.deviceWritten();
      this.maskedInDevice.add(key);
    }
    // A device that masks itself has its vector unmasked in the controller once, when it is started.
    const inController = masks !== 'device' && (!itself || !this.started.has(key));
    const result = inController ? driver.run(o) : 'done';
    if (o.op === 'unmask') {
      this.started.add(key);
      this.bus.deviceWritten();
      this.maskedInDevice.delete(key);
      if (this.heldBack.delete(key)) this.write(o, driver.message(o));
    }
    return result;
  }

  /** What the operating system may rely on from now. */
  private expect(o: Operation, wasStranded = false): void {
    if ('vpe' in o) this.expectOfVpe(o);
    if (!('vector' in o)) return;
    const key = keyOf(o.device, o.vector);
    const own = this.expected.get(key);
    switch (o.op) {
      case 'activate':
        this.expected.set(key, {
          messages: own?.messages ?? [],
          fired: own?.fired ?? [],
          pe: o.pe,
          vpe: -1,
          masked: true,
          twice: false,
        });
        if (this.run.design.masks !== undefined) this.maskedInDevice.add(key);
        return;
      case 'vlpi.map':
        this.forwarded.add(key);
        if (own === undefined)
          this.expected.set(key, {
            messages: [],
            fired: [],
            pe: -1,
            vpe: o.vpe,
            masked: false,
            twice: false,
          });
        else own.vpe = o.vpe;
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
        if (o.pending) this.outstanding(own);
        else this.settle(o, own, 'cleared');
        return;
      case 'deactivate':
        if (own === undefined) return;
        this.settle(o, own, wasStranded ? 'stranded' : this.leftOf(key, own));
        this.expected.delete(key);
        this.maskedInDevice.delete(key);
        this.started.delete(key);
        this.heldBack.delete(key);
        return;
    }
  }

  private expectOfVpe(o: Operation & { readonly vpe: number }): void {
    switch (o.op) {
      case 'doorbell.mask':
      case 'doorbell.unmask':
        this.guests.of(o.vpe).doorbellMasked = o.op === 'doorbell.mask';
        return;
      case 'doorbell.invalidate':
        this.guests.of(o.vpe).doorbellMasked = undefined;
        return;
      case 'vpe.schedule':
        if (this.guests.enter(o.vpe, o.pe)) this.unwoken(o.vpe, o.pe);
        return;
      case 'vpe.deschedule':
        // The driver has just polled GICR_VPENDBASER.
        this.guests.leave(o.vpe, o.pe, (this.bus.machine.high & PENDING_LAST) !== 0);
        return;
    }
  }

  private unwoken(vpe: number, pe: number): void {
    for (const [key, own] of this.expected) {
      if (own.vpe !== vpe || own.messages.length === 0) continue;
      this.fault('unwoken', pe, 0, vectorOf(key));
      return;
    }
  }

  // ---- devices -------------------------------------------------------------------------------------------

  private outstanding(own: Expectation): void {
    own.messages.push(this.messages++);
    own.fired.push(this.n);
    this.deliveries.fired++;
  }

  private fire(o: Vector, message: Message | undefined): void {
    const key = keyOf(o.device, o.vector);
    const own = this.expected.get(key);
    if (message === undefined || own === undefined) {
      const unsent: Expectation = { messages: [], fired: [], pe: 0, vpe: -1, masked: true, twice: false };
      this.outstanding(unsent);
      this.settle(o, unsent, 'unsent');
      return;
    }
    this.outstanding(own);
    if (this.maskedInDevice.has(key)) this.heldBack.add(key);
    else this.write(o, message);
  }

  private write(o: Vector, message: Message | undefined): void {
    if (message !== undefined)
      this.bus.deviceWrites(o.device, message, this.attached.get(o.device)?.block ?? 0);
  }

  private fireMulti(o: Vector, among: number): void {
    const first = this.driver?.message({ device: o.device, vector: 0 });
    this.fire(o, first && { address: first.address, data: first.data - (first.data % among) + o.vector });
  }

  /** The device writes what another one would. A host that makes the messages is not modelled. */
  private forge(o: Operation & { readonly op: 'forge' }): void {
    if (this.run.design.hosted) {
      const why = 'the host decides what a device may write';
      count(this.unsupported, `forge: ${why}`);
      this.told(o, unsupported(why));
      return;
    }
    this.told(o);
    const message = this.driver?.message(o);
    if (message === undefined) return;
    this.forger = o.by;
    this.bus.deviceWrites(o.by, message, this.attached.get(o.by)?.block ?? 0);
  }

  // ---- PEs -----------------------------------------------------------------------------------------------

  /** Every PE that is online and not busy takes what it is told of. */
  private serve(): void {
    if (this.driver == null) return;
    for (const pe of this.online) {
      if ((this.busyUntil.get(pe) ?? -1) > this.n) continue;
      let again = 0;
      for (let intid = this.bus.acknowledge(pe); isInterrupt(intid); intid = this.bus.acknowledge(pe)) {
        again = this.handled(this.driver, pe, intid) ? 0 : again + 1;
        if (again === STORM) break;
      }
      const vpe = this.guests.on(pe);
      if (vpe === undefined) continue;
      for (
        let intid = this.bus.acknowledgeVirtual(pe);
        isInterrupt(intid);
        intid = this.bus.acknowledgeVirtual(pe)
      )
        this.handledByGuest(this.driver, vpe, pe, intid);
    }
  }

  private fault(name: Fault, pe: number, intid: number, vector: Vector | undefined): void {
    this.deliveries[name]++;
    this.observer.fault?.(this.n, name, pe, intid, vector);
  }

  /** A PE took an interrupt: whether there was anything to handle. */
  private handled(driver: Driver, pe: number, intid: number): boolean {
    const vpe = driver.doorbellOf?.(intid);
    if (vpe !== undefined) return this.rung(vpe, pe, intid);
    const vector = driver.whose(intid);
    const own = vector && this.expected.get(keyOf(vector.device, vector.vector));
    if (own === undefined || own.messages.length === 0) {
      this.needless(pe, intid, vector, own?.twice === true);
      if (own !== undefined) own.twice = false;
      return false;
    }
    if (own.pe !== pe) this.fault('misrouted', pe, intid, vector);
    if (own.masked) this.fault('unmasked', pe, intid, vector);
    own.twice = this.pendingOn(keyOf(vector!.device, vector!.vector)).length > 0;
    this.settle(vector!, own, 'delivered');
    return true;
  }

  /** A handler ran and had nothing to handle. */
  private needless(pe: number, intid: number, vector: Vector | undefined, isTwice: boolean): void {
    if (this.forger < 0 || vector === undefined)
      this.fault(isTwice ? 'duplicated' : 'spurious', pe, intid, vector);
    // A device may raise its own interrupts, by whatever message.
    else if (vector.device !== this.forger) this.fault('unauthorised', pe, intid, vector);
  }

  private rung(vpe: number, pe: number, intid: number): boolean {
    this.deliveries.doorbells++;
    const guest = this.guests.of(vpe);
    if (guest.pe >= 0) {
      this.fault('spurious', pe, intid, undefined);
      return false;
    }
    guest.isWoken = true;
    return true;
  }

  private handledByGuest(driver: Driver, vpe: number, pe: number, intid: number): void {
    const vector = driver.vlpiOf?.(vpe, intid);
    const own = vector && this.expected.get(keyOf(vector.device, vector.vector));
    if (own === undefined || own.messages.length === 0) this.needless(pe, intid, vector, false);
    else this.settle(vector!, own, 'delivered');
  }

  // ---- what becomes of messages --------------------------------------------------------------------------

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

  /** PEs on which the interrupt of a vector is pending. */
  private pendingOn(key: number): readonly number[] {
    return this.bus.pendingOn((intid) => {
      const vector = this.driver?.whose(intid);
      return vector !== undefined && keyOf(vector.device, vector.vector) === key;
    });
  }

  /** What is left of the outstanding messages of a vector, by where its interrupt is pending. */
  private leftOf(key: number, own: Expectation): Fate {
    if (own.vpe >= 0) return this.leftOfVlpi(key, own.vpe);
    if (this.heldBack.has(key)) return 'masked';
    const pes = this.pendingOn(key);
    if (pes.length === 0) return 'lost';
    if (!pes.includes(own.pe)) return 'stranded';
    if (own.masked) return 'masked';
    return (this.busyUntil.get(own.pe) ?? -1) > this.n && this.online.has(own.pe) ? 'waiting' : 'stranded';
  }

  /** Before a vector is deactivated, which may take away what was pending nowhere where it is taken. */
  private isStranded(key: number): boolean {
    const own = this.expected.get(key);
    return own !== undefined && own.messages.length > 0 && this.leftOf(key, own) === 'stranded';
  }

  private leftOfVlpi(key: number, vpe: number): Fate {
    if (!this.driver?.isVlpiPending?.(vpe, vectorOf(key))) return 'lost';
    const guest = this.guests.of(vpe);
    if (!guest.isBlocked || guest.isWoken) return 'waiting';
    return this.bus.pendingOn((intid) => this.driver?.doorbellOf?.(intid) === vpe).length > 0
      ? 'waiting'
      : 'stranded';
  }

  /** No more operations: what is left. */
  finish(): Run {
    this.driverOf();
    for (const [key, own] of this.expected)
      if (own.messages.length > 0) this.settle(vectorOf(key), own, this.leftOf(key, own));
    return this.run;
  }
}

const vectorOf = (key: number): Vector => ({ device: Math.floor(key / 65_536), vector: key % 65_536 });

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
