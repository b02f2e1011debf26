// Lifting: recovers the operations of an operating system's interrupt layer from what it did to an ITS and to
// Redistributors. The simulator decodes commands; commands that belong to no operation are counted. It works on a stream.
import type { GicConfig } from '@gictrace/core';
import type { Operation, Vector } from '@gictrace/core/irqchip';
import { configTableAddress, type Machine } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, RESET_CAUSES, type RecordBatch } from '@gictrace/core/record';
import {
  type CommandName,
  FRAMES,
  GICD,
  GICR,
  ITS_OUTCOMES,
  LPI_FIRST,
  NO_DOORBELL,
} from '@gictrace/core/spec';
import { eachCommand } from './command-follower.ts';
import { DirectLift } from './lift-direct.ts';
import { Collector, count, followPes, type LiftStats } from './lift-parts.ts';
import { ProxyLift } from './lift-proxy.ts';
import { SpiLift } from './lift-spis.ts';

const ITS_COMMAND = RECORDS['its.command'].id;
const VTE_WRITE = RECORDS['vte.write'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const BY_HOST = RESET_CAUSES.indexOf('host');
const GICD_FRAME = FRAMES.indexOf('GICD');
const GICR_FRAME = FRAMES.indexOf('GICR');
/** GICR_WAKER.ProcessorSleep. */
const PROCESSOR_SLEEP = 2;

export interface LiftSink {
  operation(operation: Operation): void;
  /** Called with each command, for comparisons: the `n`th. */
  command?(n: number, name: CommandName, operands: Readonly<Record<string, number>>): void;
  /** Called with each recorded stimulus before it runs on the machine. */
  stimulus?(batch: RecordBatch, i: number, machine: Machine): void;
}

/** Counted as unlifted: commands of a queue that the source does not contain. */
export const NOT_SHOWN = 'commands that the trace does not show';

export class Lift {
  readonly stats: LiftStats = { operations: 0, inferred: new Map(), unlifted: new Map() };
  private readonly config: GicConfig;
  private readonly sink: LiftSink;
  /** The LPI of each mapped event, and whether its first invalidation has come. */
  private readonly events = new Map<number, { readonly intid: number; started: boolean }>();
  /** The event that each LPI was last mapped to. It may have been unmapped since. */
  private readonly eventOf = new Map<number, Vector>();
  /** Events that are vLPIs now, and their vPEs. */
  private readonly forwarded = new Map<number, number>();
  /** A DISCARD of an event: a deactivation, unless the event is mapped again at once, as a vLPI or no longer as one. */
  private dropped: (Vector & { readonly wasForwarded: boolean }) | undefined;
  /** An INV of a vLPI: its guest has masked or unmasked it if VMOVI removes or restores its doorbell next. */
  private changed: Vector | undefined;
  /** PEs whose collection has been mapped since they came online. */
  private readonly online = new Set<number>();
  /** The PE of each collection. */
  private readonly collections = new Map<number, number>();
  /** Moves of vPEs whose doorbell has not been moved yet: the new PE, by vPE. */
  private readonly moving = new Map<number, number>();
  private readonly vpeTables = new Map<number, number>();
  /** An INV whose configuration byte is unknown. It is a mask if the event is discarded next. */
  private invalid: Vector | undefined;
  private last: CommandName | undefined;
  /** The machine was reset, and software has not set the Distributor up since: a reboot, or a state that is restored. */
  private isReset = false;
  /** Operations of devices whose interrupts go through no ITS. They are reported if no device uses one. */
  private readonly direct = new Collector();
  private readonly spis = new SpiLift(this.direct);
  private readonly lpis = new DirectLift(this.direct);
  private readonly proxy: ProxyLift;
  private usesIts = false;

  constructor(config: GicConfig, sink: LiftSink) {
    this.config = config;
    this.sink = sink;
    this.proxy = new ProxyLift(config, this.stats, {
      report: (operation) => this.report(operation),
      moved: (vpe) => this.moved(vpe),
    });
  }

  /** Lifts a trace. `batches` is called twice, because doorbells are also identified by what comes later. */
  run(batches: () => Iterable<{ readonly batch: RecordBatch }>): LiftStats {
    this.proxy.identify(batches);
    eachCommand(this.config, batches(), {
      command: (n, name, o, machine) => this.command(n, name, o, machine),
      emitted: (_n, shown, i) => this.emitted(shown, i),
      stimulus: (batch, i, machine) => this.stimulus(batch, i, machine),
    });
    this.settled();
    if (!this.usesIts) this.withoutIts();
    return this.stats;
  }

  /**
   * A move has two critical sections, VMOVP and then the doorbell, and an operation of another PE can come between them. It
   * is reported when the doorbell moves, because designs differ in that, or before the next operation on that vPE.
   */
  private moved(vpe: number): void {
    const pe = this.moving.get(vpe);
    if (pe === undefined) return;
    this.moving.delete(vpe);
    this.report({ op: 'vpe.move', vpe, pe });
  }

  private report(operation: Operation): void {
    const { dropped } = this;
    const isMappedAgain =
      dropped !== undefined &&
      operation.op === (dropped.wasForwarded ? 'activate' : 'vlpi.map') &&
      operation.device === dropped.device &&
      operation.vector === dropped.vector;
    if (!isMappedAgain) this.deactivated();
    this.dropped = undefined;
    this.reconfigured();
    this.held(operation);
    if ('vpe' in operation) this.moved(operation.vpe);
    this.stats.operations++;
    this.sink.operation(operation);
  }

  /** Reports all that was held back. */
  private settled(): void {
    this.proxy.released();
    this.deactivated();
    this.reconfigured();
    this.held();
    for (const vpe of [...this.moving.keys()]) this.moved(vpe);
  }

  /** Reports the deactivation that was held back. */
  private deactivated(): void {
    if (this.dropped === undefined) return;
    const { device, vector } = this.dropped;
    this.dropped = undefined;
    const key = device * 65_536 + vector;
    this.events.delete(key);
    this.forwarded.delete(key);
    this.report({ op: 'deactivate', device, vector });
  }

  /** Reports the INV of a vLPI that was held back, which no VMOVI followed. */
  private reconfigured(): void {
    if (this.changed === undefined) return;
    const { device, vector } = this.changed;
    this.changed = undefined;
    this.report({ op: 'reconfigure', device, vector });
  }

  /** Reports the INV that was held back, now that it is known what follows it. */
  private held(next?: Operation): void {
    if (this.invalid === undefined) return;
    const { device, vector } = this.invalid;
    this.invalid = undefined;
    // Linux masks an interrupt that it shuts down, and then discards it.
    const isShutDown = next?.op === 'deactivate' && next.device === device && next.vector === vector;
    count(
      this.stats.inferred,
      isShutDown
        ? 'mask: an INV whose byte is not shown, before the DISCARD of its event'
        : 'reconfigure: an INV whose byte is not shown',
    );
    this.report({ op: isShutDown ? 'mask' : 'reconfigure', device, vector });
  }

  /**
   * An operating system starts on a machine that was reset: it sets the Distributor up (gic_dist_init). A host that restores a
   * state, as for `loadvm` or a migration, resets the machine too, but no software does this then.
   */
  private reboot(): void {
    this.isReset = false;
    this.settled();
    for (const map of [this.events, this.eventOf, this.forwarded, this.vpeTables]) map.clear();
    this.proxy.reset();
    this.online.clear();
    this.collections.clear();
    this.last = undefined;
    if (this.usesIts) this.report({ op: 'probe', reset: true });
    else {
      this.spis.reset();
      this.lpis.reset();
      this.direct.reboot();
    }
  }

  /** No ITS translates the messages of devices: their interrupts are SPIs or LPIs of Direct LPI. */
  private withoutIts(): void {
    const { operations, stats } = this.direct;
    this.spis.finish();
    this.lpis.finish();
    for (const operation of operations)
      if (operation.op !== 'pe.online' || !this.online.has(operation.pe)) this.report(operation);
    for (const kind of ['inferred', 'unlifted'] as const)
      for (const [what, n] of stats[kind]) count(this.stats[kind], what, n);
  }

  private stimulus(batch: RecordBatch, i: number, machine: Machine): void {
    this.sink.stimulus?.(batch, i, machine);
    const at = i * RECORD_WORDS;
    const w = batch.words;
    if (batch.kind[i] === GIC_RESET) this.isReset = !isMigration(batch, i);
    else if (this.isReset && isStart(batch, i)) this.reboot();
    if (!this.usesIts) {
      followPes(this.direct, batch, i);
      this.spis.stimulus(batch, i, machine);
      this.lpis.stimulus(batch, i, machine);
    }
    if (batch.kind[i] === MMIO_WRITE) {
      if (w[at] !== GICR_FRAME) return;
      const isSleep = w[at + 2] === GICR.GICR_WAKER.offset && (w[at + 4]! & PROCESSOR_SLEEP) !== 0;
      if (isSleep && this.online.delete(w[at + 1]!)) this.report({ op: 'pe.offline', pe: w[at + 1]! });
      if (this.usesIts && w[at + 2] === GICR.GICR_INVLPIR.offset) this.invalidatedAtPe(w[at + 4]!, machine);
      return;
    }
    if (batch.kind[i] !== MSI_WRITE) return;
    const device = w[at + 1]!;
    const vector = w[at + 2]!;
    const key = device * 65_536 + vector;
    if (this.events.has(key) || this.forwarded.has(key)) this.report({ op: 'fire', device, vector });
    else count(this.stats.unlifted, 'messages of unmapped events');
  }

  private emitted(shown: RecordBatch, i: number): void {
    if (shown.kind[i] === ITS_COMMAND && shown.words[i * RECORD_WORDS + 2] === ITS_OUTCOMES.NOT_SHOWN)
      count(this.stats.unlifted, NOT_SHOWN);
    const at = i * RECORD_WORDS;
    const w = shown.words;
    if (shown.kind[i] === VTE_WRITE) {
      if (w[at + 2]) this.vpeTables.set(w[at + 5]! * 2 ** 32 + w[at + 4]!, w[at + 1]!);
      return;
    }
    if (shown.kind[i] !== VPE_RESIDENT) return;
    const vpe = this.vpeTables.get(w[at + 1]! * 2 ** 32 + w[at]!);
    const pe = shown.pe[i]!;
    if (vpe === undefined) count(this.stats.unlifted, 'residency of an unmapped vPE');
    else {
      this.proxy.resides(vpe, w[at + 3] !== 0);
      this.report({ op: w[at + 3] ? 'vpe.schedule' : 'vpe.deschedule', vpe, pe });
    }
  }

  private command(n: number, name: CommandName, o: Record<string, number>, machine: Machine): void {
    this.sink.command?.(n, name, o);
    const isProxied = this.proxy.isOwn(o);
    this.proxy.before(name, o);
    if (name !== 'SYNC' && name !== 'VSYNC') {
      if (this.dropped !== undefined && !isMappedAgain(this.dropped, name, o)) this.deactivated();
      if (this.changed !== undefined && name !== 'VMOVI') this.reconfigured();
    }
    if (isProxied) this.proxy.command(n, name, o, machine);
    else if (name.startsWith('V')) this.vpeCommand(name, o);
    else this.deviceCommand(name, o, machine);
    if (name !== 'SYNC' && name !== 'VSYNC') this.last = name;
  }

  private vpeCommand(name: CommandName, o: Record<string, number>): void {
    switch (name) {
      case 'VMAPP':
        if (o.V) this.report({ op: 'vpe.map', vpe: o.vPEID!, pe: o.RDbase! });
        else this.report({ op: 'vpe.unmap', vpe: o.vPEID! });
        return;
      case 'VMOVP':
        this.moved(o.vPEID!);
        this.moving.set(o.vPEID!, o.RDbase!);
        if (!this.proxy.exists) this.moved(o.vPEID!);
        return;
      case 'VSYNC':
        return;
      case 'VINVALL':
        // Linux sends one after it has mapped a vPE; any other is that of a guest.
        if (this.last !== 'VMAPP') this.report({ op: 'vpe.invalidate', vpe: o.vPEID! });
        return;
      case 'VMAPTI':
      case 'VMAPI':
        this.events.delete(o.DeviceID! * 65_536 + o.EventID!);
        this.forwarded.set(o.DeviceID! * 65_536 + o.EventID!, o.vPEID!);
        this.report({ op: 'vlpi.map', device: o.DeviceID!, vector: o.EventID!, vpe: o.vPEID! });
        return;
      case 'VMOVI':
        return this.vmovi({ device: o.DeviceID!, vector: o.EventID! }, o);
      default:
        count(this.stats.unlifted, name);
    }
  }

  /** VMOVI moves a vLPI to another vPE, or removes or restores its doorbell because its guest has masked or unmasked it. */
  private vmovi(of: Vector, o: Record<string, number>): void {
    const key = of.device * 65_536 + of.vector;
    const { changed } = this;
    if (this.forwarded.get(key) !== o.vPEID) {
      this.forwarded.set(key, o.vPEID!);
      this.report({ op: 'vlpi.map', ...of, vpe: o.vPEID! });
    } else if (changed?.device === of.device && changed.vector === of.vector) {
      this.changed = undefined;
      this.report({ op: o.D && o.Dbell_pINTID === NO_DOORBELL ? 'mask' : 'unmask', ...of });
    } else count(this.stats.unlifted, 'VMOVI to the same vPE');
  }

  private deviceCommand(name: CommandName, o: Record<string, number>, machine: Machine): void {
    const device = o.DeviceID!;
    const vector = o.EventID!;
    const key = device * 65_536 + vector;
    if (this.forwarded.has(key) && name === 'INV') {
      this.reconfigured();
      this.changed = { device, vector };
      return;
    }
    switch (name) {
      case 'SYNC':
        return;
      case 'MAPC':
        if (o.V) {
          this.online.add(o.RDbase!);
          this.collections.set(o.ICID!, o.RDbase!);
          this.report({ op: 'pe.online', pe: o.RDbase! });
        } else count(this.stats.unlifted, 'MAPC V=0');
        return;
      case 'INVALL':
        if (this.last !== 'MAPC') count(this.stats.unlifted, name);
        return;
      case 'MAPD':
        this.usesIts = true;
        if (o.V) this.report({ op: 'alloc', device, count: 2 ** (o.Size! + 1) });
        else this.report({ op: 'free', device });
        return;
      case 'MAPTI':
      case 'MAPI':
        this.forwarded.delete(key);
        this.mapped({ device, vector }, name === 'MAPI' ? vector : o.pINTID!);
        this.report({ op: 'activate', device, vector, pe: this.peOf(o.ICID!) });
        return;
      case 'INV':
        return this.invalidated(device, vector, key, machine);
      case 'MOVI':
        this.report({ op: 'set_affinity', device, vector, pe: this.peOf(o.ICID!) });
        return;
      case 'INT':
      case 'CLEAR':
        this.report({ op: 'set_pending', device, vector, pending: name === 'INT' });
        return;
      case 'DISCARD':
        this.dropped = { device, vector, wasForwarded: this.forwarded.has(key) };
        return;
      default:
        count(this.stats.unlifted, name);
    }
  }

  /** The PE of a collection. Linux numbers collections by PE, so that is what one is taken to be that the trace does not map. */
  private peOf(icid: number): number {
    return this.collections.get(icid) ?? icid;
  }

  private mapped(of: Vector, intid: number): void {
    this.events.set(of.device * 65_536 + of.vector, { intid, started: false });
    this.eventOf.set(intid, of);
  }

  /** GICR_INVLPIR: Linux uses it instead of INV if the Redistributors have it (GICR_CTLR.IR, GICR_TYPER.DirectLPI). */
  private invalidatedAtPe(intid: number, machine: Machine): void {
    const of = this.eventOf.get(intid);
    const key = of === undefined ? -1 : of.device * 65_536 + of.vector;
    if (of === undefined || this.events.get(key)?.intid !== intid)
      count(this.stats.unlifted, 'GICR_INVLPIR of an LPI that no event is mapped to');
    else this.invalidated(of.device, of.vector, key, machine);
  }

  /** An event is invalidated: it is masked or unmasked, by its configuration byte if that is known. */
  private invalidated(device: number, vector: number, key: number, machine: Machine): void {
    const event = this.events.get(key);
    if (event === undefined) {
      count(this.stats.unlifted, 'INV of an unmapped event');
      return;
    }
    const { state } = machine;
    const address = configTableAddress(state, 0) + event.intid - LPI_FIRST;
    const first = !event.started;
    event.started = true;
    if (state.memory.isKnown(address)) {
      this.report({ op: state.memory.readByte(address) & 1 ? 'unmask' : 'mask', device, vector });
      return;
    }
    // Linux first invalidates an event that it has mapped when it unmasks it for the first time.
    if (first) {
      count(this.stats.inferred, 'unmask: the first invalidation of an event');
      this.report({ op: 'unmask', device, vector });
    } else {
      this.held();
      this.invalid = { device, vector };
    }
  }
}

/** Whether a host reset the machine in an operation: a migration, which then writes the registers of the machine. */
const isMigration = (batch: RecordBatch, i: number): boolean =>
  batch.words[i * RECORD_WORDS] === BY_HOST && batch.cause[i] !== 0;

/** Whether software writes GICD_CTLR, which operating systems do when they start. */
const isStart = (batch: RecordBatch, i: number): boolean =>
  batch.kind[i] === MMIO_WRITE &&
  batch.words[i * RECORD_WORDS] === GICD_FRAME &&
  batch.words[i * RECORD_WORDS + 2] === GICD.GICD_CTLR.offset;

/** Whether a command maps an event after its DISCARD: it becomes a vLPI, or is no longer one. */
function isMappedAgain(
  { device, vector, wasForwarded }: Vector & { readonly wasForwarded: boolean },
  name: CommandName,
  o: Record<string, number>,
): boolean {
  const names = wasForwarded ? ['MAPTI', 'MAPI'] : ['VMAPTI', 'VMAPI'];
  return names.includes(name) && o.DeviceID === device && o.EventID === vector;
}
