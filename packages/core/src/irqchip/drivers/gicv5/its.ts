// Linux's irq-gic-v5-its.c: the GICv5 ITS, which has no command queue. Software writes entries of the device table and of the
// translation table of a device into memory, and invalidates what the ITS may keep of them.
import { GICV5_TYPES, gicv5Id, gicv5Intid, ITS, packFields } from '../../../spec/index.ts';
import { failed, type Result, unsupported } from '../../driver.ts';
import { NON_SECURE } from './irs.ts';
import { GICV5, type Gicv5Device, Gicv5Driver, onGicv5 } from './lpi-driver.ts';

/** 4 × ITS + interrupt domain. */
const frameOf = (its: number) => 4 * its + NON_SECURE;
const INVALIDATE = 0x8000_0000;
const IDLE = 1;
const VALID = 1n;
const ITTE_VALID = 1n << 31n;
/** Tables of 4 KB: 512 entries of 8 bytes. */
const LEVEL2_BITS = 9;
const LEVEL2_BYTES = 4096;
const ENTRY_BYTES = 8;
const SPAN_LSB = 60n;

interface Translation {
  readonly its: number;
  /** The device table entry, and the bits of an EventID. */
  readonly entry: number;
  readonly bits: number;
  /** The translation table: its entries, by address. */
  readonly entryOf: (event: number) => number;
}

class Gicv5ItsDriver extends Gicv5Driver {
  private readonly tables: number[] = [];
  private deviceBits = 0;
  /** The level-2 device tables of each ITS, by index. */
  private readonly level2: Map<number, number>[] = [];
  private readonly translations = new Map<number, Translation>();
  private readonly blockOf = new Map<number, number>();

  override setUp(): boolean {
    if (!super.setUp()) return false;
    for (let its = 0; its < this.bus.blocks; its++) if (!this.setUpIts(its)) return false;
    return true;
  }

  /** gicv5_its_init_bases, with a device table of two levels. */
  private setUpIts(its: number): boolean {
    const { bus } = this;
    const frame = frameOf(its);
    bus.read('ITS_CR0', frame);
    bus.write('ITS_CR1', frame, packFields(ITS.ITS_CR1, { SH: 3, OC: 1, IC: 1, DT_RA: 1, ITT_RA: 1 }));
    this.deviceBits = Number(bus.read('ITS_IDR1', frame)) & 0x3f;
    if (!this.ledger.allocate('any', 'device tables')) return false;
    const level1 = 2 ** (this.deviceBits - LEVEL2_BITS);
    const table = bus.memory(ENTRY_BYTES * level1);
    this.tables[its] = table;
    this.level2[its] = new Map();
    for (let index = 0; index < level1; index++)
      bus.store(table + ENTRY_BYTES * index, BigInt(LEVEL2_BITS) << SPAN_LSB, ENTRY_BYTES);
    bus.write(
      'ITS_DT_CFGR',
      frame,
      packFields(ITS.ITS_DT_CFGR, { STRUCTURE: 1, DEVICEID_BITS: this.deviceBits }),
    );
    bus.write('ITS_DT_BASER', frame, BigInt(table));
    bus.write('ITS_CR0', frame, 1);
    bus.poll('ITS_CR0', frame, (value) => (value & 2) !== 0);
    return true;
  }

  override run(o: Parameters<Gicv5Driver['run']>[0]): Result {
    if (o.op === 'alloc') {
      const block = o.block ?? 0;
      if (block >= this.level2.length) return unsupported('the machine has no such ITS');
      this.blockOf.set(o.device, block);
    }
    return super.run(o);
  }

  /** gicv5_its_msi_prepare, then gicv5_its_irq_domain_alloc for each vector. */
  protected take(device: number, count: number): readonly number[] | Result {
    const its = this.blockOf.get(device)!;
    const refused = this.register(its, device, count);
    if (refused !== undefined) return refused;
    const ids = this.takeLpis(count);
    if (!Array.isArray(ids)) {
      this.unregister(device);
      return ids;
    }
    return ids.map((id) => gicv5Intid(GICV5_TYPES.LPI, id));
  }

  /** gicv5_its_device_register and what follows it. Returns why it failed. */
  private register(its: number, device: number, count: number): Result | undefined {
    const { bus, ledger } = this;
    const frame = frameOf(its);
    if (device >= 2 ** this.deviceBits) return failed('DeviceID out of range');
    const entry = this.entryOfDevice(its, device);
    if (entry === undefined) return failed('device table');
    const bits = Math.ceil(Math.log2(Math.max(1, count)));
    if (bits > (bus.read('ITS_IDR2', frame) & 0x1f)) return failed('EventID bits');
    bus.read('ITS_IDR1', frame);
    // A table of two levels is chosen from 9 bits on, and cannot be made for 9.
    if (bits === LEVEL2_BITS) return failed('a translation table of 9 bits (EINVAL)');
    if (!ledger.allocate('ITT', 'ITTs')) return failed('ITT');
    const twoLevel = bits > LEVEL2_BITS;
    const table = twoLevel ? this.twoLevelTable(bits, count) : this.linearTable(bits);
    const layout = (BigInt(bits) << 59n) | (twoLevel ? 1n << 58n : 0n);
    bus.store(entry, layout | BigInt(table.base) | VALID, ENTRY_BYTES);
    this.translations.set(device, { its, entry, bits, entryOf: table.entryOf });
    // gicv5_its_alloc_device does it again.
    for (let n = 0; n < 2; n++) this.invalidateDevice(device);
    return undefined;
  }

  private unregister(device: number): void {
    const { entry } = this.translations.get(device)!;
    this.bus.store(entry, 0, ENTRY_BYTES);
    this.ledger.give('ITTs');
    this.invalidateDevice(device);
    this.translations.delete(device);
  }

  /** The address of a device table entry; a level-2 table is allocated when it is first needed, and stays. */
  private entryOfDevice(its: number, device: number): number | undefined {
    const { bus } = this;
    const index = device >> LEVEL2_BITS;
    let level2 = this.level2[its]!.get(index);
    if (level2 === undefined) {
      if (!this.ledger.allocate('device', 'level-2 device tables')) return undefined;
      level2 = bus.memory(LEVEL2_BYTES, LEVEL2_BYTES);
      this.level2[its]!.set(index, level2);
      const entry = (BigInt(LEVEL2_BITS) << SPAN_LSB) | BigInt(level2) | VALID;
      bus.store(this.tables[its]! + ENTRY_BYTES * index, entry, ENTRY_BYTES);
    }
    return level2 + ENTRY_BYTES * (device & (2 ** LEVEL2_BITS - 1));
  }

  private linearTable(bits: number): Pick<Translation, 'entryOf'> & { readonly base: number } {
    const base = this.bus.memory(ENTRY_BYTES * 2 ** bits, LEVEL2_BYTES);
    return { base, entryOf: (event) => base + ENTRY_BYTES * event };
  }

  /** gicv5_its_create_itt_two_level: all level-2 tables at once, the last one as small as possible. */
  private twoLevelTable(
    bits: number,
    count: number,
  ): Pick<Translation, 'entryOf'> & { readonly base: number } {
    const { bus } = this;
    const tables = 2 ** (bits - LEVEL2_BITS);
    const base = bus.memory(ENTRY_BYTES * tables, LEVEL2_BYTES);
    const whole = Math.floor(count / 2 ** LEVEL2_BITS);
    const rest = count % 2 ** LEVEL2_BITS;
    const level2: number[] = [];
    for (let n = 0; n < tables; n++) {
      const span = n === whole ? Math.ceil(Math.log2(Math.max(1, rest))) : LEVEL2_BITS;
      const address = bus.memory(LEVEL2_BYTES, LEVEL2_BYTES);
      level2.push(address);
      bus.store(base + ENTRY_BYTES * n, (BigInt(span) << SPAN_LSB) | BigInt(address) | VALID, ENTRY_BYTES);
    }
    return {
      base,
      entryOf: (event) => level2[event >> LEVEL2_BITS]! + ENTRY_BYTES * (event & (2 ** LEVEL2_BITS - 1)),
    };
  }

  /** gicv5_its_device_cache_inv. */
  private invalidateDevice(device: number): void {
    const { its, bits } = this.translations.get(device)!;
    const frame = frameOf(its);
    this.bus.write('ITS_DIDR', frame, BigInt(device));
    this.bus.write('ITS_INV_DEVICER', frame, (INVALIDATE | (bits << 1)) >>> 0);
    this.bus.poll('ITS_STATUSR', frame, (value) => (value & IDLE) !== 0);
  }

  /** gicv5_its_map_event and gicv5_its_unmap_event. */
  private write(device: number, event: number, entry: bigint): void {
    const { bus } = this;
    const { its, entryOf } = this.translations.get(device)!;
    const frame = frameOf(its);
    bus.store(entryOf(event), entry, ENTRY_BYTES);
    bus.write('ITS_DIDR', frame, BigInt(device));
    bus.write('ITS_EIDR', frame, event);
    bus.write('ITS_INV_EVENTR', frame, INVALIDATE);
    bus.poll('ITS_STATUSR', frame, (value) => (value & IDLE) !== 0);
  }

  protected override connect(device: number, vector: number, intid: number): void {
    this.write(device, vector, BigInt(gicv5Id(intid)) | ITTE_VALID);
  }

  protected override disconnect(device: number, vector: number): void {
    this.write(device, vector, BigInt(gicv5Id(this.devices.get(device)!.intids[vector]!)));
  }

  /** gicv5_its_irq_domain_free for each vector, or for all of MultiMSI at once, then gicv5_its_msi_teardown. */
  protected give(id: number, { intids, isMulti }: Gicv5Device): void {
    const { bus } = this;
    const frame = frameOf(this.translations.get(id)!.its);
    intids.forEach((intid, vector) => {
      this.irs.giveLpi(gicv5Id(intid));
      if (isMulti && vector < intids.length - 1) return;
      bus.write('ITS_SYNCR', frame, packFields(ITS.ITS_SYNCR, { SYNC: 1, DEVICE_ID: id }));
      bus.poll('ITS_SYNC_STATUSR', frame, (value) => (value & IDLE) !== 0);
      this.irs.sync();
    });
    this.unregister(id);
  }

  protected messageOf(device: number, vector: number) {
    return { address: this.bus.addresses.translate[this.translations.get(device)!.its]!, data: vector };
  }
}

export const gicv5Its = onGicv5(
  {
    name: 'gicv5-its',
    doc: "Linux's driver of the GICv5 ITS: tables in memory and invalidations, and no command queue.",
    source: 'drivers/irqchip/irq-gic-v5-its.c, irq-gic-v5-irs.c, irq-gic-v5.c',
    hardware: { ...GICV5, its: 1 },
  },
  Gicv5ItsDriver,
);
