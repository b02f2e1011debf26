// vPEs, their vLPIs and their doorbells as Linux's ITS driver handles them. This is common to all designs of this folder. A
// design defines how a doorbell is invalidated, cleared and set, and what a move of the vPE means for it.
import type { Hardware } from '../../../profile/index.ts';
import { PLAIN } from '../../../profile/index.ts';
import { type CommandName, GITS, LPI_FIRST } from '../../../spec/index.ts';
import type { Bus, Message } from '../../bus.ts';
import {
  DriverBase,
  exhausted,
  failed,
  keyOf,
  type Ledger,
  type Result,
  roundUpPowerOfTwo,
  unsupported,
  type Vlpi,
} from '../../driver.ts';
import { COLLECTION_TABLE_PAGES, DEVICE_TABLE_PAGES, setUpIts, VPE_TABLE_PAGES } from '../../its-setup.ts';
import { LpiTables } from '../../lpi-tables.ts';
import type { Operation, Vector } from '../../operation.ts';

export const LINUX = 'drivers/irqchip/irq-gic-v3-its.c';
export const GICV40: Hardware = { ...PLAIN, architecture: 4, virtualLpis: '4.0' };
export const ITT_ENTRY_BYTES = 12;
export const ITT_ALIGN = 256;
/** vINTID bits of a vPE's tables. */
export const VPE_ID_BITS = 16;
const VPT_BYTES = 2 ** VPE_ID_BITS;
/** Configuration of a vLPI: enabled, priority 0xa0. */
const VLPI_ENABLED = 0xa3;

export interface Vpe {
  readonly id: number;
  /** INTID of its doorbell LPI. */
  readonly doorbell: number;
  pe: number;
  /** Its virtual pending table and its configuration table: physical addresses. */
  readonly table: number;
  readonly config: number;
  /** Whether its tables have been zeroed, which happens when it is first mapped; nobody reads them before that. */
  isZeroed: boolean;
  /** Its vLPIs, from INTID 8192 on. */
  readonly vlpis: Vector[];
  /** Whether the doorbell is masked in its configuration; undefined if no operation has configured it. */
  doorbellMasked: boolean | undefined;
  /** GICR_VPENDBASER.PendingLast when it was last descheduled. */
  pendingLast: boolean;
}

export type DoorbellCommand = 'INV' | 'CLEAR' | 'INT';

export abstract class VpeDriver extends DriverBase {
  protected readonly lpis: LpiTables;
  /** Physical address of the ITS's vPE table. */
  protected readonly vpeTable: number;
  private readonly vpes = new Map<number, Vpe>();
  private readonly byDoorbell = new Map<number, number>();
  private readonly devices = new Map<number, { readonly itt: number; readonly count: number }>();
  private readonly forwarded = new Set<number>();

  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger);
    this.lpis = new LpiTables(bus, ledger);
    const tables = setUpIts(bus, [DEVICE_TABLE_PAGES, COLLECTION_TABLE_PAGES, VPE_TABLE_PAGES]);
    this.vpeTable = tables[2]!;
  }

  // ---- defined by each design ------------------------------------------------------------------------------------

  /** Invalidates, clears or sets the doorbell of a vPE. */
  protected abstract act(vpe: Vpe, command: DoorbellCommand): void;
  /** Called when a vPE has moved, to adjust its doorbell. */
  protected abstract moved(vpe: Vpe, from: number): void;
  /** Called when the doorbell of a vPE is no longer needed. */
  protected release(_vpe: Vpe): void {}
  protected abstract makeResident(vpe: Vpe, pe: number): void;
  /** Ends a vPE's residency, waits until it has ended, and returns GICR_VPENDBASER.PendingLast. */
  protected abstract endResidency(vpe: Vpe, pe: number): boolean;
  /** Operands of VMAPP and VMOVP in addition to those of GICv4.0. */
  protected mapOperands(_vpe: Vpe): Readonly<Record<string, number>> {
    return {};
  }
  protected moveOperands(_vpe: Vpe): Readonly<Record<string, number>> {
    return {};
  }
  /** Dbell_pINTID of the events that are forwarded to a vPE. */
  protected eventDoorbell(vpe: Vpe): number {
    return vpe.doorbell;
  }
  /** Whether the driver itself uses a DeviceID. */
  protected isReserved(_device: number): boolean {
    return false;
  }
  /** Frees vPEs because one of their VM could not be made: `count` of them from vPE `first` on, with doorbells from `lpi` on. */
  protected freeVpes(first: number, lpi: number, count: number): void {
    for (let k = 0; k < count; k++) {
      this.vpes.delete(first + k);
      this.byDoorbell.delete(lpi + k);
      this.ledger.give('vPE tables');
    }
  }

  // ---- operations --------------------------------------------------------------------------------------------

  protected send(name: CommandName, operands: Readonly<Record<string, number>>): void {
    this.bus.command(name, operands);
    this.bus.command('SYNC', { RDbase: 0 });
  }
  private sendToVpe(name: CommandName, vpe: Vpe, operands: Readonly<Record<string, number>>): void {
    this.bus.command(name, operands);
    this.bus.command('VSYNC', { vPEID: vpe.id });
  }

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        this.lpis.online(o.pe);
        this.send('MAPC', { ICID: o.pe, RDbase: o.pe, V: 1 });
        this.send('INVALL', { ICID: o.pe });
        return 'done';
      case 'alloc':
        return this.alloc(o.device, o.count);
      case 'free':
        return this.free(o.device);
      case 'vm.alloc':
        return this.allocVm(o.vpe, o.count);
      case 'vpe.map':
        return this.map(o.vpe, o.pe);
      default:
        return 'vpe' in o ? this.ofVpe(o) : unsupported('this driver is for vPEs');
    }
  }

  private ofVpe(o: Operation & { readonly vpe: number }): Result {
    const vpe = this.vpes.get(o.vpe);
    if (vpe === undefined) return unsupported('no such vPE');
    switch (o.op) {
      case 'vlpi.map':
        return this.forward(vpe, o.device, o.vector);
      case 'vpe.unmap':
        this.bus.command('VMAPP', { vPEID: vpe.id, RDbase: 0, V: 0 });
        return 'done';
      case 'vpe.schedule':
        this.makeResident(vpe, o.pe);
        return 'done';
      case 'vpe.deschedule':
        vpe.pendingLast = this.endResidency(vpe, o.pe);
        return 'done';
      case 'vpe.move':
        this.move(vpe, o.pe);
        return 'done';
      case 'doorbell.invalidate':
        // The operation does not contain the new configuration, so the byte is written as it is and invalidated.
        return this.configure(vpe, undefined);
      case 'doorbell.mask':
      case 'doorbell.unmask':
        return this.configure(vpe, o.op === 'doorbell.mask');
      case 'doorbell.clear':
        this.act(vpe, 'CLEAR');
        return 'done';
      case 'doorbell.set':
        this.act(vpe, 'INT');
        return 'done';
      case 'doorbell.release':
        this.release(vpe);
        return 'done';
      default:
        return unsupported('this driver is for vPEs');
    }
  }

  private move(vpe: Vpe, pe: number): void {
    const from = vpe.pe;
    vpe.pe = pe;
    this.sendToVpe('VMOVP', vpe, { vPEID: vpe.id, RDbase: pe, ...this.moveOperands(vpe) });
    this.moved(vpe, from);
  }

  private configure(vpe: Vpe, masked: boolean | undefined): Result {
    vpe.doorbellMasked = masked;
    this.lpis.configure(vpe.doorbell, masked !== true);
    this.act(vpe, 'INV');
    return 'done';
  }

  /** Allocates a device on the same ITS. */
  private alloc(id: number, asked: number): Result {
    if (this.isReserved(id)) return unsupported(`DeviceID 0x${id.toString(16)} is that of the proxy device`);
    const count = roundUpPowerOfTwo(asked);
    if (!this.ledger.allocate('device', 'devices')) return failed('device');
    const device = { itt: this.bus.memory(count * ITT_ENTRY_BYTES, ITT_ALIGN), count };
    this.devices.set(id, device);
    this.mapDevice(id, device, true);
    return 'done';
  }

  private free(id: number): Result {
    const device = this.devices.get(id);
    if (device === undefined) return unsupported('no such device');
    this.devices.delete(id);
    for (let vector = 0; vector < device.count; vector++) this.forwarded.delete(keyOf(id, vector));
    this.ledger.give('devices');
    this.mapDevice(id, device, false);
    return 'done';
  }

  protected mapDevice(id: number, { itt, count }: { itt: number; count: number }, valid: boolean): void {
    const Size = Math.max(0, Math.log2(count) - 1);
    this.bus.command('MAPD', { DeviceID: id, Size, ITT_addr: itt, V: valid ? 1 : 0 });
  }

  /** Makes a vector a vLPI: writes its configuration, and then maps it. */
  private forward(vpe: Vpe, device: number, vector: number): Result {
    if (!this.devices.has(device)) return unsupported('no such device');
    const key = keyOf(device, vector);
    let n = vpe.vlpis.findIndex((one) => one.device === device && one.vector === vector);
    if (n < 0) n = vpe.vlpis.push({ device, vector }) - 1;
    this.bus.store(vpe.config + n, VLPI_ENABLED);
    const event = { DeviceID: device, EventID: vector };
    if (this.forwarded.has(key)) this.bus.command('DISCARD', event);
    this.forwarded.add(key);
    this.sendToVpe('VMAPTI', vpe, {
      ...event,
      vPEID: vpe.id,
      vINTID: LPI_FIRST + n,
      Dbell_pINTID: this.eventDoorbell(vpe),
    });
    return 'done';
  }

  /** Makes a vPE with a doorbell and its tables. Returns undefined if an allocation is refused. */
  private create(id: number, doorbell: number): Vpe | undefined {
    if (!this.ledger.allocate('vPE tables', 'vPE tables')) return undefined;
    const vpe: Vpe = {
      id,
      doorbell,
      pe: 0,
      table: this.bus.reserve(VPT_BYTES),
      config: this.bus.reserve(VPT_BYTES),
      isZeroed: false,
      vlpis: [],
      doorbellMasked: undefined,
      pendingLast: false,
    };
    this.vpes.set(id, vpe);
    this.byDoorbell.set(doorbell, id);
    return vpe;
  }

  /** Allocates doorbells and tables for the vPEs of a VM. If one vPE fails, those before it are freed. */
  private allocVm(first: number, count: number): Result {
    const doorbells = roundUpPowerOfTwo(count);
    const lpi = this.lpis.take(doorbells);
    if (lpi < 0) return lpi === -1 ? exhausted('LPIs') : failed('LPI range');
    if (!this.ledger.allocate('property table', 'property tables')) {
      this.lpis.give(lpi, doorbells);
      return failed('property table');
    }
    for (let n = 0; n < count; n++) {
      if (this.create(first + n, lpi + n) !== undefined) continue;
      this.freeVpes(first, lpi, n);
      this.lpis.give(lpi, doorbells);
      this.ledger.give('property tables');
      return failed('vPE tables');
    }
    return 'done';
  }

  /** Maps a vPE. It is made first if it was not allocated as part of a VM. */
  private map(id: number, pe: number): Result {
    let vpe = this.vpes.get(id);
    if (vpe === undefined) {
      const doorbell = this.lpis.take(1);
      if (doorbell < 0) return doorbell === -1 ? exhausted('LPIs') : failed('LPI range');
      vpe = this.create(id, doorbell);
      if (vpe === undefined) {
        this.lpis.give(doorbell, 1);
        return failed('vPE tables');
      }
    }
    vpe.pe = pe;
    if (!vpe.isZeroed) for (const table of [vpe.table, vpe.config]) this.bus.zero(table, VPT_BYTES);
    vpe.isZeroed = true;
    this.bus.command('VMAPP', {
      vPEID: id,
      RDbase: pe,
      V: 1,
      VPT_addr: vpe.table,
      VPT_size: VPE_ID_BITS - 1,
      ...this.mapOperands(vpe),
    });
    this.sendToVpe('VINVALL', vpe, { vPEID: id });
    return 'done';
  }

  // ---- called by the testbed ---------------------------------------------------------------------------------

  message({ device, vector }: Vector): Message | undefined {
    if (!this.forwarded.has(keyOf(device, vector))) return undefined;
    return { address: this.bus.addresses.its[0]! + GITS.GITS_TRANSLATER.offset, data: vector };
  }
  whose(_intid: number): Vector | undefined {
    return undefined;
  }
  doorbellOf(intid: number): number | undefined {
    return this.byDoorbell.get(intid);
  }
  vlpiOf(vpe: number, vintid: number): Vector | undefined {
    return this.vpes.get(vpe)?.vlpis[vintid - LPI_FIRST];
  }
  vlpi(id: number, of: Vector): Vlpi | undefined {
    const vpe = this.vpes.get(id);
    const n = vpe?.vlpis.findIndex((one) => one.device === of.device && one.vector === of.vector) ?? -1;
    return vpe === undefined || n < 0 ? undefined : { pendingTable: vpe.table, vINTID: LPI_FIRST + n };
  }
  pendingLast(vpe: number): boolean {
    return this.vpes.get(vpe)?.pendingLast === true;
  }
}
