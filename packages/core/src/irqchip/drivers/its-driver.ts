// Linux's ITS driver (drivers/irqchip/irq-gic-v3-its.c): devices and their events. With no ITS below it, this is the
// "virtual ITS" (discussion "irqchip/gic-v3-its: Introduce virtual ITS"): the same driver on a GIC that has Direct LPI,
// where the command builders return early. VpeDriver adds vPEs.
import { type CommandName, GICR, GITS, mask } from '../../spec/index.ts';
import type { Bus, Message } from '../bus.ts';
import {
  type Driver,
  DriverBase,
  exhausted,
  failed,
  keyOf,
  type Ledger,
  type Result,
  roundUpPowerOfTwo,
  unsupported,
} from '../driver.ts';
import { DevIds, VECTORS_A_DEVICE } from '../hwirq.ts';
import { ItsNode, TABLES } from '../its-node.ts';
import { LpiTables } from '../lpi-tables.ts';
import type { Operation, Vector } from '../operation.ts';

export interface Device {
  readonly first: number;
  /** Its LPIs. If LPIs are short, fewer than it has events. */
  readonly count: number;
  /** Entries of its interrupt translation table. */
  readonly events: number;
  readonly itt: number;
  readonly its: number;
}

export interface Variant {
  /**
   * The hardware below the driver: an ITS; nothing; or nothing, with a host that composes messages to GICR_SETLPIR of the
   * PE that the driver named in its last hypercall.
   */
  readonly below: 'its' | 'nothing' | 'host';
  /** The ITS that serves a device: the device's own, or that of the only default domain, even if it is another one. */
  readonly parent: 'own' | 'default';
  /** Whether hwirq is composed of a number that the device is given and the index of the vector. */
  readonly devIds: boolean;
  /** The fewest vectors that are prepared for a device: 32 for a platform device (its_pmsi_prepare), otherwise 1. */
  readonly vectorsMin: number;
  /** Whether messages go through a pre-ITS. */
  readonly preIts: boolean;
  /** LPIs that are not vLPIs are invalidated by GICR_INVLPIR instead of INV, whatever GICR_CTLR.IR says. */
  readonly directLpi: boolean;
}

export const PLAIN_ITS: Variant = {
  below: 'its',
  parent: 'own',
  devIds: false,
  vectorsMin: 1,
  preIts: false,
  directLpi: false,
};

/** The fewest vectors for DeviceID 0, which all devices have where DeviceIDs are not wired (its_pci_msi_prepare). */
const VECTORS_OF_DEVICE_0 = 32;
const ITT_ALIGN = 256;
const BUSY = mask(GICR.GICR_SYNCR, 'Busy');
const IR = mask(GICR.GICR_CTLR, 'IR');

export class ItsDriver extends DriverBase implements Driver {
  protected readonly lpis: LpiTables;
  protected readonly nodes: readonly ItsNode[];
  /** Bytes of an interrupt translation entry; the "virtual ITS" takes them to be 1. */
  private readonly ittEntryBytes: number;
  private readonly devices = new Map<number, Device>();
  private readonly byLpi = new Map<number, Vector>();
  private readonly target = new Map<number, number>();
  private readonly devIds = new DevIds();
  private readonly devIdOf = new Map<number, number>();
  private readonly variant: Variant;
  /** LPIs that are not vLPIs are invalidated by GICR_INVLPIR. */
  private readonly hasInvlpir: boolean;

  constructor(bus: Bus, ledger: Ledger, variant: Variant) {
    super(bus, ledger);
    this.variant = variant;
    this.nodes = variant.below === 'its' ? ItsNode.probeAll(bus, bus.blocks) : [];
    this.ittEntryBytes = this.nodes[0]?.ittEntryBytes ?? 1;
    this.lpis = new LpiTables(bus, ledger);
    // Whether firmware has left LPIs enabled (allocate_lpi_tables). IR is read when the GICv3 driver probes.
    const control = Number(bus.read('GICR_CTLR', 0));
    this.hasInvlpir = variant.directLpi || (control & IR) !== 0;
  }

  /** Posts a command and, if a PE is given, the SYNC of that PE. */
  protected post(
    name: CommandName,
    operands: Readonly<Record<string, number>>,
    sync: number | undefined,
    its: number,
  ): void {
    if (this.variant.below === 'its') this.bus.command(name, operands, sync, its);
  }

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        this.online(o.pe);
        return 'done';
      case 'alloc':
        return this.alloc(o.device, o.count, o.block ?? 0);
      case 'free':
        return this.free(o.device);
      default:
        return 'vector' in o ? this.vector(o) : unsupported('an ITS has no such thing');
    }
  }

  /** its_cpu_init: the PE's LPI tables, and its collection on each ITS. */
  private online(pe: number): void {
    if (this.lpis.online(pe)) this.firstOnline(pe);
    this.nodes.forEach((node, its) => {
      this.bus.read('GITS_TYPER', its);
      if (!node.targetsAreAddresses) this.bus.read('GICR_TYPER', pe);
      this.post('MAPC', { ICID: pe, RDbase: pe, V: 1 }, pe, its);
      this.post('INVALL', { ICID: pe }, pe, its);
    });
  }
  /** Called when a PE's LPI tables have been set up. */
  protected firstOnline(_pe: number): void {}

  // ---- devices -----------------------------------------------------------------------------------------------

  /** its_create_device without LPIs and its column map: entries for events, and MAPD. Returns the device's table. */
  protected createItt(
    id: number,
    vectors: number,
    its: number,
  ): { readonly itt: number; readonly events: number } {
    const events = Math.max(2, vectors);
    const itt = this.bus.memory(this.ittBytes(events), ITT_ALIGN);
    this.mapDevice(id, itt, events, its, true);
    return { itt, events };
  }
  /** The bytes that are allocated for an interrupt translation table. */
  protected ittBytes(events: number): number {
    return Math.max(events * this.ittEntryBytes, ITT_ALIGN) + ITT_ALIGN - 1;
  }
  private mapDevice(id: number, itt: number, events: number, its: number, valid: boolean): void {
    this.post(
      'MAPD',
      { DeviceID: id, Size: Math.log2(events) - 1, ITT_addr: itt, V: valid ? 1 : 0 },
      undefined,
      its,
    );
  }
  /** Whether the driver itself uses a DeviceID. */
  protected isReserved(_device: number): boolean {
    return false;
  }
  protected deviceOf(id: number): Device | undefined {
    return this.devices.get(id);
  }

  private alloc(id: number, asked: number, block: number): Result {
    const { ledger, variant } = this;
    if (this.isReserved(id)) return unsupported(`DeviceID 0x${id.toString(16)} is that of the proxy device`);
    if (block > 0 && variant.below !== 'its') return unsupported('there is one virtual ITS, with ID 0');
    if (variant.devIds) {
      if (asked > VECTORS_A_DEVICE) return exhausted('vectors of a device in hwirq');
      const devId = this.devIds.take();
      if (devId < 0) return exhausted('DevIDs in hwirq');
      if (!ledger.allocate('DevID', 'DevIDs')) return failed('DevID');
      this.devIdOf.set(id, devId);
    }
    const vectors = roundUpPowerOfTwo(Math.max(asked, id === 0 ? VECTORS_OF_DEVICE_0 : variant.vectorsMin));
    const its = variant.parent === 'own' ? block : 0;
    if (its > 0 && its >= this.nodes.length) return unsupported('the machine has no such ITS');
    const device = this.create(id, vectors, its);
    if ('result' in device) {
      this.giveDevId(id);
      return device.result;
    }
    // Vectors are allocated one by one until there is no LPI left for the next; then all of them are freed.
    if (device.count < asked) {
      this.destroy(id, device);
      return exhausted('LPIs');
    }
    // The region in the device's bitmap stays allocated, so the device is never freed.
    if (variant.below === 'its' && !ledger.allocate('IOMMU mapping', 'IOMMU mappings')) {
      this.giveDevId(id);
      return failed('IOMMU mapping');
    }
    if (variant.below === 'its') ledger.give('IOMMU mappings');
    this.devices.set(id, device);
    return 'done';
  }

  /** its_create_device. */
  private create(id: number, vectors: number, its: number): Device | { readonly result: Result } {
    const { ledger } = this;
    this.nodes[its]?.allocateEntry(TABLES.devices, id);
    const bytes = this.ittBytes(Math.max(2, vectors));
    const granted = [ledger.allocate('device', 'devices'), ledger.allocate('ITT', 'ITT bytes', bytes)];
    // its_lpi_alloc: if there is no range of as many LPIs, one of half as many, and so on.
    let count = vectors;
    let first = this.lpis.take(count);
    while (first === -1 && count > 1) {
      count /= 2;
      first = this.lpis.take(count);
    }
    granted.push(first >= 0 && ledger.allocate('column map', 'column maps'));
    if (granted.includes(false)) {
      // Everything that was granted is freed, except the range of LPIs, of which only the bitmap is freed.
      if (granted[0]) ledger.give('devices');
      if (granted[1]) ledger.give('ITT bytes', bytes);
      if (granted[2]) ledger.give('column maps');
      return { result: first === -1 ? exhausted('LPIs') : failed('device') };
    }
    return { first, count, its, ...this.createItt(id, vectors, its) };
  }

  /** its_irq_domain_free of a device's last vector. */
  private destroy(id: number, { first, count, events, itt, its }: Device): void {
    this.lpis.give(first, count);
    this.mapDevice(id, itt, events, its, false);
    this.ledger.give('devices');
    this.bus.release(itt, this.ittBytes(events));
    this.ledger.give('ITT bytes', this.ittBytes(events));
    this.ledger.give('column maps');
    this.giveDevId(id);
  }

  protected free(id: number): Result {
    const device = this.devices.get(id);
    if (device === undefined) return unsupported('no such device');
    this.devices.delete(id);
    this.destroy(id, device);
    return 'done';
  }

  private giveDevId(device: number): void {
    const devId = this.devIdOf.get(device);
    if (devId === undefined) return;
    this.devIdOf.delete(device);
    this.devIds.give(devId);
    this.ledger.give('DevIDs');
  }

  // ---- vectors -----------------------------------------------------------------------------------------------

  /** Whether a vector has a mapping to an LPI. */
  protected isActive(device: number, vector: number): boolean {
    return this.target.has(keyOf(device, vector));
  }
  /** The PE on which a vector's LPI is, in terms of its last activation or move. */
  protected targetOf(device: number, vector: number): number {
    return this.target.get(keyOf(device, vector)) ?? 0;
  }

  protected vector(o: Operation & Vector): Result {
    const device = this.devices.get(o.device);
    if (device === undefined) return unsupported('no such device');
    if (o.vector >= device.count) return exhausted('events of the device');
    const { its } = device;
    const intid = device.first + o.vector;
    const key = keyOf(o.device, o.vector);
    const event = { DeviceID: o.device, EventID: o.vector };
    const pe = this.targetOf(o.device, o.vector);
    const { below } = this.variant;
    switch (o.op) {
      case 'activate':
        this.target.set(key, o.pe);
        this.byLpi.set(intid, { device: o.device, vector: o.vector });
        this.post('MAPTI', { ...event, pINTID: intid, ICID: o.pe }, o.pe, its);
        if (below === 'host') this.bus.hypercall();
        return 'done';
      case 'mask':
      case 'unmask':
      case 'reconfigure':
        this.lpis.configure(intid, o.op === 'reconfigure' ? this.lpis.isEnabled(intid) : o.op === 'unmask');
        if (below === 'its' && !this.hasInvlpir) this.post('INV', event, pe, its);
        else this.invalidate(intid, pe);
        return 'done';
      case 'set_affinity':
        if (o.pe === pe) return 'done';
        this.target.set(key, o.pe);
        this.post('MOVI', { ...event, ICID: o.pe }, pe, its);
        if (below === 'host') this.bus.hypercall();
        return 'done';
      case 'set_pending':
        this.post(o.pending ? 'INT' : 'CLEAR', event, pe, its);
        return 'done';
      case 'deactivate':
        this.byLpi.delete(intid);
        this.target.delete(key);
        this.post('DISCARD', event, pe, its);
        return 'done';
      default:
        return unsupported('an ITS has no such thing');
    }
  }

  /** Invalidates an LPI at a Redistributor (GICR_INVLPIR), which Linux 5.19 and later does if GICR_CTLR.IR or GICR_TYPER.DirectLPI is set. */
  protected invalidate(intid: number | bigint, pe: number): void {
    this.bus.write('GICR_INVLPIR', pe, intid);
    this.waitForSync(pe);
  }
  protected waitForSync(pe: number): void {
    this.bus.poll('GICR_SYNCR', pe, (value) => (value & BUSY) === 0);
  }

  // ---- called by the testbed ---------------------------------------------------------------------------------

  message({ device: id, vector }: Vector): Message | undefined {
    const pe = this.target.get(keyOf(id, vector));
    const device = this.devices.get(id);
    const { below } = this.variant;
    if (pe === undefined || device === undefined || below === 'nothing') return undefined;
    if (below === 'host')
      return {
        address: this.bus.addresses.gicr[pe]! + GICR.GICR_SETLPIR.offset,
        data: device.first + vector,
      };
    return this.messageOf({ device: id, vector });
  }
  protected messageOf({ device: id, vector }: Vector): Message {
    const { addresses } = this.bus;
    const translater = addresses.its[this.devices.get(id)!.its]! + GITS.GITS_TRANSLATER.offset;
    return { address: this.variant.preIts ? addresses.preIts + 4 * id : translater, data: vector };
  }

  whose(intid: number): Vector | undefined {
    return this.byLpi.get(intid);
  }
}
