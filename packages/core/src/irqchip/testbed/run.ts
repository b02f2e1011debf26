// Translated replay: runs operations with a design's own driver on that design's own hardware, with devices that fire, and
// PEs that take the interrupts that they are signalled unless they are busy. Everything is counted on the simulator.
import { COSTS, type Costs, noCosts } from '../costs.ts';
import { type Design, type Driver, keyOf, Ledger, type Result, unsupported } from '../driver.ts';
import { concernOf, isServed, type Operation, type OperationName, type Vector } from '../operation.ts';
import { Devices } from './devices.ts';
import { Gicv5Testbed } from './gicv5.ts';
import { expectation, Messages } from './messages.ts';
import type { PendingState, Run, RunObserver } from './outcome.ts';
import { serve } from './pes.ts';
import type { Testbed } from './shape.ts';
import { Stage } from './stage.ts';
import { Gicv3Testbed } from './testbed.ts';

export class Translation {
  readonly run: Run;
  private readonly stage: Stage;
  private readonly messages: Messages;
  private readonly devices: Devices;
  private readonly ledger = new Ledger();
  private readonly operations = new Map<OperationName, number>();
  private readonly costsBy = new Map<OperationName, Costs>();
  private readonly unsupported = new Map<string, number>();
  private readonly exhausted = new Map<string, number>();
  private readonly failed = new Map<string, number>();
  private readonly leaked = new Map<string, number>();
  private readonly probe = noCosts();
  /** Vectors that are vLPIs now. */
  private readonly forwarded = new Set<number>();

  /**
   * `blocks` is the number of blocks to which devices are connected; with ITSs, the number of ITSs. `inFlightMax`: a device
   * stops when it has sent this many messages by a vector whose handler has not run since; by default it never stops.
   */
  constructor(
    design: Design,
    pes: number,
    observer: RunObserver = {},
    blocks = 1,
    inFlightMax = Number.POSITIVE_INFINITY,
  ) {
    const testbed = testbedOf(design, pes, blocks, observer);
    const { bus } = testbed;
    const stage = new Stage(design, testbed, observer);
    this.stage = stage;
    this.messages = new Messages(stage);
    this.devices = new Devices(stage, this.messages, inFlightMax);
    if (observer.command !== undefined) bus.onCommand = (command) => observer.command?.(stage.n, command);
    if (observer.stimulus !== undefined) testbed.onStimulus = (batch) => observer.stimulus?.(batch);
    if (observer.emitted !== undefined) testbed.observe((batch, i) => observer.emitted?.(batch, i));
    this.run = {
      design,
      config: testbed.config,
      operations: this.operations,
      costs: bus.costs,
      costsBy: this.costsBy,
      probe: this.probe,
      deliveries: stage.deliveries,
      get failures() {
        return [...stage.failures.values()].sort((a, b) => a.operation - b.operation);
      },
      unsupported: this.unsupported,
      exhausted: this.exhausted,
      failed: this.failed,
      leaked: this.leaked,
      held: this.ledger.held,
    };
  }

  /** Runs one operation, if it concerns what the design serves. */
  take(o: Operation): void {
    if (!this.concerns(o)) return;
    this.stage.n++;
    this.stage.testbed.work.operation();
    this.act(o);
    serve(this.stage, this.messages);
    this.stage.forger = -1;
  }

  /** Ends the run and returns its outcome. */
  finish(): Run {
    this.setUp();
    this.messages.finish();
    return this.run;
  }

  /** Sets the driver up when it is first needed, so that failures can be injected before. */
  private setUp(): Driver | undefined {
    const { stage } = this;
    if (stage.driver !== null) return stage.driver;
    const at = stage.n;
    stage.n = -1;
    const before = { ...stage.bus.costs };
    stage.testbed.firmware();
    this.ledger.begin();
    stage.driver = stage.design.make(stage.bus, this.ledger);
    stage.n = at;
    stage.observer.setUp?.();
    for (const name of COSTS) {
      this.probe[name] += stage.bus.costs[name] - before[name];
      stage.bus.costs[name] = before[name];
    }
    if (stage.driver === undefined) {
      this.leaks();
      stage.failed('set up', -1, 'an allocation was refused');
    }
    return stage.driver;
  }

  /** The machine is reset and its operating system starts again: nothing is left of what it and its devices were doing. */
  private reboot(): void {
    this.messages.reset();
    this.devices.reset();
    this.stage.reset();
    this.forwarded.clear();
    this.ledger.held.clear();
    this.setUp();
  }

  private concerns(o: Operation): boolean {
    const { serves } = this.run.design;
    if (!isServed(o.op, serves)) return false;
    if ('pe' in o && concernOf(o.op) === 'pes' && !this.has(o.pe)) return false;
    if (serves === 'vpes') return true;
    // For a design that does not serve vPEs, a vector that is forwarded is no longer an interrupt of a device.
    if (!('vector' in o)) return true;
    const key = keyOf(o.device, o.vector);
    if (o.op === 'vlpi.map') this.forwarded.add(key);
    if (!this.forwarded.has(key)) return true;
    if (o.op !== 'activate') return false;
    // It has never been deactivated, so there is nothing to do if it was active before it was forwarded.
    this.forwarded.delete(key);
    return this.messages.of(o) === undefined;
  }

  private act(o: Operation): void {
    const { stage, devices } = this;
    if (o.op !== 'fail') this.setUp();
    switch (o.op) {
      case 'fire':
        return devices.fire(o, stage.driver?.message(o));
      case 'fire.multi':
        return devices.fireMulti(o, o.count);
      case 'forge':
        return this.forge(o);
      case 'fail':
        this.ledger.fail(o.what, o.nth);
        return this.told(o);
      case 'probe':
        if (o.reset === true) this.reboot();
        return this.told(o);
      case 'migrate': {
        const carried = stage.testbed.migrate(o.without);
        if (carried === undefined) return this.notMigrated(o);
        for (const state of carried) stage.observer.carried?.(stage.n, o.without, state);
        if (o.without === 'host' && stage.design.hosted) devices.forgetMessages();
        return this.told(o);
      }
      case 'pe.busy':
        stage.busyUntil.set(o.pe, stage.n + o.steps);
        return this.told(o);
      case 'pe.offline':
        stage.online.delete(o.pe);
        stage.masking.delete(o.pe);
        stage.testbed.sleep(o.pe);
        return this.told(o);
      case 'pe.online':
        stage.online.add(o.pe);
        stage.testbed.ready(o.pe);
        if (stage.design.serves === 'vpes') stage.testbed.hosts(o.pe);
        return this.drive(o);
      case 'free':
        this.messages.detach(o.device);
        for (const key of this.forwarded)
          if (Math.floor(key / keyOf(1, 0)) === o.device) this.forwarded.delete(key);
        return this.drive(o);
      case 'alloc':
        devices.attach(o);
        return this.drive(o);
      default:
        return this.drive(o);
    }
  }

  /** Reports an operation that involves no driver. */
  private told(o: Operation, result: Result = 'done'): void {
    this.stage.observer.operation?.(this.stage.n, o, result, noCosts());
  }

  /** The model of the design's hardware has no migration, so nothing follows from it. */
  private notMigrated(o: Operation): void {
    const why = 'the model of this GIC has no migration';
    count(this.unsupported, `migrate: ${why}`);
    this.told(o, unsupported(why));
  }

  /** A device spoofs a message. A host that makes the messages is not modelled. */
  private forge(o: Operation & { readonly op: 'forge' }): void {
    if (this.run.design.hosted) {
      const why = 'the host decides what a device may write';
      count(this.unsupported, `forge: ${why}`);
      this.told(o, unsupported(why));
      return;
    }
    this.told(o);
    this.devices.forge(o);
  }

  private drive(o: Operation): void {
    const { bus, observer, n } = this.stage;
    const before = { ...bus.costs };
    const wasStranded = o.op === 'deactivate' && this.messages.isStranded(o);
    if (o.op === 'deactivate') this.devices.keep(o, this.stage.driver?.message(o));
    const wasPending = this.watched(o) && this.messages.isPending(o);
    this.ledger.begin();
    const result = this.drivenBy(o);
    const spent = noCosts();
    for (const name of COSTS) spent[name] = bus.costs[name] - before[name];
    const by = this.costsBy.get(o.op) ?? noCosts();
    for (const name of COSTS) by[name] += spent[name];
    this.costsBy.set(o.op, by);
    this.operations.set(o.op, (this.operations.get(o.op) ?? 0) + 1);
    if (result === 'done') this.expect(o, wasStranded);
    else {
      this.leaks();
      this.refused(o, result);
    }
    observer.operation?.(n, o, result, spent, this.watched(o) ? this.pendingAfter(o, wasPending) : undefined);
  }

  /** Whether the pending state of its vector decides whether an operation did its work. */
  private watched(o: Operation): o is Operation & Vector {
    return (
      (o.op === 'set_pending' || o.op === 'set_affinity') &&
      this.run.design.serves === 'devices' &&
      this.messages.of(o) !== undefined
    );
  }

  private pendingAfter(o: Operation & Vector, before: boolean): PendingState {
    const { here, elsewhere } = this.messages.pendingOf(o);
    return { before, after: here, elsewhere };
  }

  private refused(o: Operation, result: Exclude<Result, 'done'>): void {
    const [kind, why] = Object.entries(result)[0] as ['unsupported' | 'exhausted' | 'failed', string];
    const what = `${o.op}: ${why}`;
    count(this[kind], what);
    // An allocation that fails because the scenario says so is nobody's fault.
    if (kind !== 'failed') this.stage.failed(kind, this.stage.n, what);
  }

  /** Whether the machine has a PE: a record may name any, or none (NO_PE). */
  private has(pe: number): boolean {
    return pe >= 0 && pe < this.stage.bus.pes;
  }

  private drivenBy(o: Operation): Result {
    const { driver } = this.stage;
    if (driver == null) return unsupported('the driver failed to be set up');
    if ('pe' in o && !this.has(o.pe)) return unsupported('the machine has no such PE');
    return o.op === 'mask' || o.op === 'unmask' ? this.devices.mask(driver, o) : driver.run(o);
  }

  /** Counts what a failed operation allocated and did not free. */
  private leaks(): void {
    const { observer, n } = this.stage;
    for (const [what, more] of this.ledger.changed) {
      if (more <= 0) continue;
      this.leaked.set(what, (this.leaked.get(what) ?? 0) + more);
      this.stage.failed('leaked', n, what, more);
      observer.leaked?.(n, what, more);
    }
  }

  /** Updates what the operating system can expect from now on. */
  private expect(o: Operation, wasStranded: boolean): void {
    if ('vpe' in o) this.expectOfVpe(o);
    if ('vector' in o) this.expectOfVector(o, wasStranded);
  }

  private expectOfVector(o: Operation & Vector, wasStranded: boolean): void {
    const { messages } = this;
    const own = messages.of(o);
    switch (o.op) {
      case 'activate': {
        const { messages: outstanding = [], fired = [], heldBack = false } = own ?? {};
        messages.expect(o, expectation({ messages: outstanding, fired, heldBack, pe: o.pe, masked: true }));
        return this.devices.activate(o);
      }
      case 'vlpi.map':
        this.devices.forward(o);
        if (own === undefined) messages.expect(o, expectation({ vpe: o.vpe }));
        else Object.assign(own, { vpe: o.vpe, masked: false });
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
        if (o.pending) messages.outstanding(own);
        else messages.settle(o, own, 'cleared');
        return;
      case 'deactivate':
        if (own === undefined) return;
        if (wasStranded) messages.settle(o, own, 'stranded');
        else messages.settleAsLeft(o, own);
        messages.forget(o);
        return this.devices.deactivate(o);
    }
  }

  private expectOfVpe(o: Operation & { readonly vpe: number }): void {
    const { guests, driver } = this.stage;
    switch (o.op) {
      case 'doorbell.mask':
      case 'doorbell.unmask':
        guests.of(o.vpe).doorbellMasked = o.op === 'doorbell.mask';
        return;
      case 'doorbell.invalidate':
        guests.of(o.vpe).doorbellMasked = undefined;
        return;
      case 'vpe.schedule':
        if (guests.enter(o.vpe, o.pe)) this.messages.unwoken(o.vpe, o.pe);
        return;
      case 'vpe.deschedule':
        guests.leave(o.vpe, o.pe, driver?.pendingLast?.(o.vpe) === true);
        return;
    }
  }
}

function testbedOf(design: Design, pes: number, blocks: number, observer: RunObserver): Testbed {
  const { profile, hardware } = design;
  return hardware.architecture === 5
    ? new Gicv5Testbed(profile, hardware, pes, blocks, (machine) => observer.gicv5Machine?.(machine))
    : new Gicv3Testbed(profile, hardware, pes, blocks, (machine) => observer.machine?.(machine));
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
