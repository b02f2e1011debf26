// Doorbells of GICv4 vPEs: through Linux's proxy device, by a naive proxy, by Direct LPI, by GICv4.1.
import { type Hardware, PLAIN } from '../../profile/index.ts';
import { type CommandName, GICR } from '../../spec/index.ts';
import type { Bus, Message } from '../bus.ts';
import {
  type Design,
  DriverBase,
  exhausted,
  failed,
  keyOf,
  type Ledger,
  type Result,
  roundUpPowerOfTwo,
  unsupported,
} from '../driver.ts';
import { COLLECTION_TABLE_PAGES, DEVICE_TABLE_PAGES, setUpIts, VPE_TABLE_PAGES } from '../its-setup.ts';
import { LpiTables } from '../lpi-tables.ts';
import type { Operation, Vector } from '../operation.ts';

/** The proxy device has the highest DeviceID. */
export const PROXY_DEVICE = 0xffff;
const VPT_BYTES = 0x1_0000;
const ITT_ENTRY_BYTES = 12;
const LPI_FIRST = 8192;
/** Configuration of a vLPI: enabled, priority 0xa0. */
const VLPI_ENABLED = 0xa3;
const NO_DOORBELL = 1023;
/** GITS_TRANSLATER, from the base of the ITS. */
const GITS_TRANSLATER = 0x1_0040;
const NO_SLOT = -1;

interface Vpe {
  readonly id: number;
  readonly doorbell: number;
  pe: number;
  readonly table: number;
  readonly config: number;
  /** Its tables are zeroed when it is first mapped: before that nobody looks. */
  isZeroed: boolean;
  slot: number;
  /** Its vLPIs, from INTID 8192 on. */
  readonly vlpis: Vector[];
  /** What the doorbell's configuration says, where an operation told. */
  doorbellMasked: boolean | undefined;
}

abstract class VpeDriver extends DriverBase {
  protected readonly lpis: LpiTables;
  protected readonly vpes = new Map<number, Vpe>();
  private readonly byDoorbell = new Map<number, number>();
  private readonly devices = new Map<number, { readonly itt: number; readonly count: number }>();
  private readonly forwarded = new Set<number>();
  private readonly version41: boolean;
  /** As first posted: of the vPEs that were made before one failed, the last is not freed. */
  private readonly leaksLast: boolean;

  constructor(bus: Bus, ledger: Ledger, { version41 = false, leaksLast = false } = {}) {
    super(bus, ledger);
    this.version41 = version41;
    this.leaksLast = leaksLast;
    this.lpis = new LpiTables(bus, ledger);
    const [, , vpes = 0] = setUpIts(bus, [DEVICE_TABLE_PAGES, COLLECTION_TABLE_PAGES, VPE_TABLE_PAGES]);
    if (version41)
      for (let pe = 0; pe < bus.pes; pe++)
        bus.write(
          'GICR',
          pe,
          GICR.GICR_VPROPBASER.offset,
          8,
          vpes % 2 ** 32,
          0x9840_0000 + Math.floor(vpes / 2 ** 32),
        );
  }

  protected send(name: CommandName, operands: Readonly<Record<string, number>>, sync = true): void {
    this.bus.command(name, operands);
    if (sync) this.bus.command('SYNC', { RDbase: 0 });
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
      case 'free': {
        const device = this.devices.get(o.device);
        if (device === undefined) return unsupported('no such device');
        this.devices.delete(o.device);
        for (let vector = 0; vector < device.count; vector++) this.forwarded.delete(keyOf(o.device, vector));
        this.ledger.give('devices');
        this.mapDevice(o.device, device, false);
        return 'done';
      }
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
        this.schedule(vpe, o.pe);
        return 'done';
      case 'vpe.deschedule':
        this.deschedule(vpe, o.pe);
        return 'done';
      case 'vpe.move': {
        const from = vpe.pe;
        vpe.pe = o.pe;
        this.bus.command('VMOVP', {
          vPEID: vpe.id,
          RDbase: o.pe,
          ...(this.version41 ? { DB: 1, Default_Doorbell_pINTID: vpe.doorbell } : {}),
        });
        this.bus.command('VSYNC', { vPEID: vpe.id });
        this.moved(vpe, from);
        return 'done';
      }
      case 'doorbell.invalidate':
        // The byte is one table write; who has to be told of it is the design's.
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

  private configure(vpe: Vpe, masked: boolean | undefined): Result {
    vpe.doorbellMasked = masked;
    this.lpis.configure(vpe.doorbell, masked !== true);
    this.act(vpe, 'INV');
    return 'done';
  }

  /** A device on the same ITS. */
  private alloc(id: number, asked: number): Result {
    if (this.isTaken(id)) return unsupported(`DeviceID 0x${id.toString(16)} is that of the proxy device`);
    const count = roundUpPowerOfTwo(asked);
    if (!this.ledger.allocate('device', 'devices')) return failed('device');
    const device = { itt: this.bus.memory(count * ITT_ENTRY_BYTES, 256), count };
    this.devices.set(id, device);
    this.mapDevice(id, device, true);
    return 'done';
  }
  protected isTaken(_device: number): boolean {
    return false;
  }
  private mapDevice(id: number, { itt, count }: { itt: number; count: number }, valid: boolean): void {
    const Size = Math.max(0, Math.log2(count) - 1);
    this.bus.command('MAPD', { DeviceID: id, Size, ITT_addr: itt, V: valid ? 1 : 0 });
  }

  /** The vector is a vLPI from here: its configuration, and then its mapping. */
  private forward(vpe: Vpe, device: number, vector: number): Result {
    if (!this.devices.has(device)) return unsupported('no such device');
    const key = keyOf(device, vector);
    let n = vpe.vlpis.findIndex((one) => one.device === device && one.vector === vector);
    if (n < 0) n = vpe.vlpis.push({ device, vector }) - 1;
    this.bus.store(vpe.config + n, VLPI_ENABLED);
    if (this.forwarded.has(key)) this.send('DISCARD', { DeviceID: device, EventID: vector }, false);
    this.forwarded.add(key);
    this.bus.command('VMAPTI', {
      DeviceID: device,
      EventID: vector,
      vPEID: vpe.id,
      vINTID: LPI_FIRST + n,
      Dbell_pINTID: this.version41 ? NO_DOORBELL : vpe.doorbell,
    });
    this.bus.command('VSYNC', { vPEID: vpe.id });
    return 'done';
  }

  /** A vPE with a doorbell and its tables; undefined: refused. */
  private create(id: number, doorbell: number): Vpe | undefined {
    if (!this.ledger.allocate('vPE tables', 'vPE tables')) return undefined;
    const vpe: Vpe = {
      id,
      doorbell,
      pe: 0,
      table: this.bus.reserve(VPT_BYTES),
      config: this.bus.reserve(VPT_BYTES),
      isZeroed: false,
      slot: NO_SLOT,
      vlpis: [],
      doorbellMasked: undefined,
    };
    this.vpes.set(id, vpe);
    this.byDoorbell.set(doorbell, id);
    return vpe;
  }

  /** Doorbells and tables for the vPEs of a VM. If one fails, those before it are freed. */
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
      for (let k = 0; k < n - (this.leaksLast && n > 0 ? 1 : 0); k++) {
        this.vpes.delete(first + k);
        this.byDoorbell.delete(lpi + k);
        this.ledger.give('vPE tables');
      }
      this.lpis.give(lpi, doorbells);
      this.ledger.give('property tables');
      return failed('vPE tables');
    }
    return 'done';
  }

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
      VPT_size: 15,
      ...(this.version41
        ? { Alloc: 1, PTZ: 1, VCONF_addr: vpe.config, Default_Doorbell_pINTID: vpe.doorbell }
        : {}),
    });
    this.bus.command('VINVALL', { vPEID: id });
    this.bus.command('VSYNC', { vPEID: id });
    return 'done';
  }

  private schedule(vpe: Vpe, pe: number): void {
    const { bus } = this;
    if (this.version41) bus.write('GICR', pe, GICR.GICR_VPENDBASER.offset, 8, vpe.id, 0x8c00_0000);
    else {
      bus.write(
        'GICR',
        pe,
        GICR.GICR_VPROPBASER.offset,
        8,
        (vpe.config % 2 ** 32) | 0xf,
        Math.floor(vpe.config / 2 ** 32),
      );
      bus.write(
        'GICR',
        pe,
        GICR.GICR_VPENDBASER.offset,
        8,
        vpe.table % 2 ** 32,
        0xe000_0000 + Math.floor(vpe.table / 2 ** 32),
      );
    }
  }

  private deschedule(vpe: Vpe, pe: number): void {
    const { bus } = this;
    const low = this.version41 ? vpe.id : vpe.table % 2 ** 32;
    bus.write(
      'GICR',
      pe,
      GICR.GICR_VPENDBASER.offset,
      8,
      low,
      this.version41 ? (vpe.doorbellMasked === true ? 0 : 0x4000_0000) : Math.floor(vpe.table / 2 ** 32),
    );
    bus.poll('GICR', pe, GICR.GICR_VPENDBASER.offset, 8, (_low, high) => (high & 0x1000_0000) === 0);
  }

  /** Invalidates, clears or sets the doorbell. */
  protected abstract act(vpe: Vpe, command: 'INV' | 'CLEAR' | 'INT'): void;
  /** The vPE has moved: what that means for its doorbell. */
  protected abstract moved(vpe: Vpe, from: number): void;
  protected release(_vpe: Vpe): void {}

  message({ device, vector }: Vector): Message | undefined {
    if (!this.forwarded.has(keyOf(device, vector))) return undefined;
    return { address: this.bus.machine.state.config.addresses.its[0]! + GITS_TRANSLATER, data: vector };
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
  isVlpiPending(id: number, of: Vector): boolean {
    const vpe = this.vpes.get(id);
    if (vpe === undefined) return false;
    const vintid =
      LPI_FIRST + vpe.vlpis.findIndex((one) => one.device === of.device && one.vector === of.vector);
    return ((this.bus.machine.state.memory.readByte(vpe.table + (vintid >>> 3)) >>> (vintid & 7)) & 1) === 1;
  }
}

/** What a move does to the proxy's event: MOVI as Linux does today, or DISCARD as first posted. */
type OnMove = 'movi' | 'discard';

class ProxyDriver extends VpeDriver {
  private readonly onMove: OnMove;
  private readonly keeps: boolean;
  private readonly slots: (Vpe | undefined)[];
  private nextVictim = 0;

  constructor(bus: Bus, ledger: Ledger, onMove: OnMove, keeps: boolean) {
    super(bus, ledger, { leaksLast: onMove === 'discard' });
    this.onMove = onMove;
    this.keeps = keeps;
    const count = roundUpPowerOfTwo(bus.pes);
    this.slots = new Array<Vpe | undefined>(count).fill(undefined);
    const itt = bus.memory(12 * count, 256);
    this.ledger.take('ITT bytes', 12 * count);
    this.send(
      'MAPD',
      { DeviceID: PROXY_DEVICE, Size: Math.max(0, Math.log2(count) - 1), ITT_addr: itt, V: 1 },
      false,
    );
  }

  protected override isTaken(device: number): boolean {
    return device === PROXY_DEVICE;
  }

  private event(vpe: Vpe): { DeviceID: number; EventID: number } {
    return { DeviceID: PROXY_DEVICE, EventID: vpe.slot };
  }

  private unmap(vpe: Vpe): void {
    this.send('DISCARD', this.event(vpe));
    this.slots[vpe.slot] = undefined;
    this.ledger.give('proxy slots');
    // A slot is free now: the next vPE shall have it, unless the one that it would have is free as well.
    if (this.slots[this.nextVictim] !== undefined) this.nextVictim = vpe.slot;
    vpe.slot = NO_SLOT;
  }

  private map1(vpe: Vpe): void {
    if (vpe.slot !== NO_SLOT) return;
    const victim = this.slots[this.nextVictim];
    if (victim !== undefined) this.unmap(victim);
    vpe.slot = this.nextVictim;
    this.slots[vpe.slot] = vpe;
    this.ledger.take('proxy slots');
    this.nextVictim = (this.nextVictim + 1) % this.slots.length;
    this.send('MAPTI', { ...this.event(vpe), pINTID: vpe.doorbell, ICID: vpe.pe });
  }

  protected act(vpe: Vpe, command: 'INV' | 'CLEAR' | 'INT'): void {
    this.map1(vpe);
    this.send(command, this.event(vpe));
    if (!this.keeps) this.unmap(vpe);
  }

  protected moved(vpe: Vpe, _from: number): void {
    if (this.onMove === 'discard') {
      if (vpe.slot !== NO_SLOT) this.unmap(vpe);
      return;
    }
    // Where each operation maps and discards, no event is mapped now, and there is nothing to move.
    if (!this.keeps) return;
    // The vPE is noted as moved already, so that an event which must be mapped first is mapped where it goes.
    this.map1(vpe);
    this.send('MOVI', { ...this.event(vpe), ICID: vpe.pe });
  }

  protected override release(vpe: Vpe): void {
    if (vpe.slot !== NO_SLOT) this.unmap(vpe);
  }
}

class DirectDriver extends VpeDriver {
  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger);
  }
  private write(pe: number, offset: number, vpe: Vpe, wait: boolean): void {
    this.bus.write('GICR', pe, offset, 8, vpe.doorbell);
    if (wait) this.bus.poll('GICR', pe, GICR.GICR_SYNCR.offset, 4, (low) => (low & 1) === 0);
  }
  protected act(vpe: Vpe, command: 'INV' | 'CLEAR' | 'INT'): void {
    if (command === 'INV') this.write(vpe.pe, GICR.GICR_INVLPIR.offset, vpe, true);
    else if (command === 'CLEAR') this.write(vpe.pe, GICR.GICR_CLRLPIR.offset, vpe, true);
    else this.write(vpe.pe, GICR.GICR_SETLPIR.offset, vpe, false);
  }
  protected moved(vpe: Vpe, from: number): void {
    this.write(from, GICR.GICR_CLRLPIR.offset, vpe, true);
  }
}

class V41Driver extends VpeDriver {
  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger, { version41: true });
  }
  protected act(vpe: Vpe, command: 'INV' | 'CLEAR' | 'INT'): void {
    // Nothing to clear or set: hardware takes the default doorbell back when the vPE becomes resident.
    if (command !== 'INV') return;
    this.bus.command('INVDB', { vPEID: vpe.id });
    this.bus.command('VSYNC', { vPEID: vpe.id });
  }
  protected moved(): void {}
}

const v40: Hardware = { ...PLAIN, architecture: 4, virtualLpis: '4.0' };
const proxy = (name: string, doc: string, onMove: OnMove, keeps: boolean): Design => ({
  name,
  doc,
  serves: 'vpes',
  profile: 'qemu-virt',
  hardware: v40,
  source:
    'thread "irqchip/gic-v3-its: Add device proxy for VPE management if !DirectLpi"; drivers/irqchip/irq-gic-v3-its.c',
  make(bus, ledger) {
    if (!ledger.allocate('slots', 'slot arrays')) return undefined;
    if (ledger.allocate('device', 'devices')) return new ProxyDriver(bus, ledger, onMove, keeps);
    ledger.give('slot arrays');
    return undefined;
  },
});

export const vpeProxy = proxy(
  'vpe-proxy',
  "Linux's proxy device: an event that stays mapped until its slot is needed.",
  'movi',
  true,
);
export const vpeProxyRfc = proxy(
  'vpe-proxy-rfc',
  'The proxy device as first posted: a move discards the event.',
  'discard',
  true,
);
export const vpeNaive = proxy(
  'vpe-naive',
  'A proxy that maps and discards around each operation.',
  'movi',
  false,
);
export const vpeDirect: Design = {
  name: 'vpe-direct',
  doc: 'Doorbells by Direct LPI.',
  serves: 'vpes',
  profile: 'architecture',
  hardware: { ...v40, directLpi: true },
  source: 'drivers/irqchip/irq-gic-v3-its.c',
  make: (bus, ledger) => new DirectDriver(bus, ledger),
};
export const vpeV41: Design = {
  name: 'vpe-v41',
  doc: 'GICv4.1 default doorbells.',
  serves: 'vpes',
  profile: 'architecture',
  hardware: { ...PLAIN, architecture: 4, virtualLpis: '4.1' },
  source: 'drivers/irqchip/irq-gic-v3-its.c',
  make: (bus, ledger) => new V41Driver(bus, ledger),
};
