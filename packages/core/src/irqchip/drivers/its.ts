// Linux's ITS driver, also below platform-MSI and dev-MSI, and the "virtual ITS" (discussion "irqchip/gic-v3-its: Introduce
// virtual ITS"): the same driver on a GIC that has Direct LPI and no ITS, where the command builders return early.
import { PLAIN } from '../../profile/index.ts';
import { type CommandName, GICR, GITS, mask } from '../../spec/index.ts';
import type { Bus, Message } from '../bus.ts';
import {
  type Design,
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
import { COLLECTION_TABLE_PAGES, DEVICE_TABLE_PAGES, setUpIts } from '../its-setup.ts';
import { LpiTables } from '../lpi-tables.ts';
import type { Operation, Vector } from '../operation.ts';

interface Device {
  readonly first: number;
  readonly count: number;
  readonly itt: number;
  readonly its: number;
}

interface Variant {
  /**
   * The hardware below the driver: an ITS; nothing; or nothing, with a host that composes messages to GICR_SETLPIR of the
   * PE that the driver named in its last hypercall.
   */
  readonly below: 'its' | 'nothing' | 'host';
  /** Whether collections are freed if the domain cannot be made. */
  readonly freesCollections: boolean;
  /** The ITS that serves a device: the device's own, or that of the only default domain, even if it is another one. */
  readonly parent: 'own' | 'default';
  /** Whether hwirq is composed of a number that the device is given and the index of the vector. */
  readonly devIds: boolean;
  /** Whether messages go through a pre-ITS. */
  readonly preIts: boolean;
}

const ITT_ENTRY_BYTES = 12;
const ITT_ALIGN = 256;
const BUSY = mask(GICR.GICR_SYNCR, 'Busy');

class ItsDriver extends DriverBase implements Driver {
  private readonly lpis: LpiTables;
  private readonly devices = new Map<number, Device>();
  private readonly byLpi = new Map<number, Vector>();
  private readonly target = new Map<number, number>();
  private readonly devIds = new DevIds();
  private readonly devIdOf = new Map<number, number>();
  private readonly variant: Variant;

  constructor(bus: Bus, ledger: Ledger, variant: Variant) {
    super(bus, ledger);
    this.variant = variant;
    this.lpis = new LpiTables(bus, ledger);
    if (variant.below !== 'its') return;
    for (let its = 0; its < bus.blocks; its++)
      setUpIts(bus, [DEVICE_TABLE_PAGES, COLLECTION_TABLE_PAGES], its);
  }

  private send(
    name: CommandName,
    operands: Readonly<Record<string, number>>,
    sync: number | undefined,
    its: number,
  ): void {
    if (this.variant.below !== 'its') return;
    this.bus.command(name, operands, its);
    if (sync !== undefined) this.bus.command('SYNC', { RDbase: sync }, its);
  }

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        this.lpis.online(o.pe);
        for (let its = 0; its < this.bus.blocks; its++) {
          this.send('MAPC', { ICID: o.pe, RDbase: o.pe, V: 1 }, o.pe, its);
          this.send('INVALL', { ICID: o.pe }, o.pe, its);
        }
        return 'done';
      case 'alloc':
        return this.alloc(o.device, o.count, o.block ?? 0);
      case 'free': {
        const device = this.devices.get(o.device);
        if (device === undefined) return unsupported('no such device');
        this.devices.delete(o.device);
        this.lpis.give(device.first, device.count);
        this.giveBack(device.count);
        this.giveDevId(o.device);
        this.map(o.device, device, false);
        return 'done';
      }
      default:
        return this.vector(o);
    }
  }

  private map(id: number, { count, itt, its }: Device, valid: boolean): void {
    this.send(
      'MAPD',
      { DeviceID: id, Size: Math.max(0, Math.log2(count) - 1), ITT_addr: itt, V: valid ? 1 : 0 },
      undefined,
      its,
    );
  }

  private giveDevId(device: number): void {
    const devId = this.devIdOf.get(device);
    if (devId === undefined) return;
    this.devIdOf.delete(device);
    this.devIds.give(devId);
    this.ledger.give('DevIDs');
  }

  private giveBack(count: number): void {
    this.ledger.give('devices');
    this.ledger.give('ITT bytes', count * ITT_ENTRY_BYTES);
    this.ledger.give('column maps');
  }

  private alloc(id: number, asked: number, block: number): Result {
    const { ledger, variant } = this;
    if (block > 0 && variant.below !== 'its') return unsupported('there is one virtual ITS, with ID 0');
    if (variant.devIds) {
      if (asked > VECTORS_A_DEVICE) return exhausted('vectors of a device in hwirq');
      const devId = this.devIds.take();
      if (devId < 0) return exhausted('DevIDs in hwirq');
      if (!ledger.allocate('DevID', 'DevIDs')) return failed('DevID');
      this.devIdOf.set(id, devId);
    }
    const count = roundUpPowerOfTwo(asked);
    const granted = [
      ledger.allocate('device', 'devices'),
      ledger.allocate('ITT', 'ITT bytes', count * ITT_ENTRY_BYTES),
    ];
    const first = this.lpis.take(count);
    granted.push(first >= 0 && ledger.allocate('column map', 'column maps'));
    if (granted.includes(false)) {
      // Everything that was granted is freed, except the range of LPIs, of which only the bitmap is freed.
      if (granted[0]) ledger.give('devices');
      if (granted[1]) ledger.give('ITT bytes', count * ITT_ENTRY_BYTES);
      if (granted[2]) ledger.give('column maps');
      this.giveDevId(id);
      return first === -1 ? exhausted('LPIs') : failed('device');
    }
    const itt = this.bus.memory(count * ITT_ENTRY_BYTES, ITT_ALIGN);
    const device = { first, count, itt, its: variant.parent === 'own' ? block : 0 };
    this.map(id, device, true);
    // The region in the device's bitmap stays allocated, so the device is never freed.
    if (variant.below === 'its' && !ledger.allocate('IOMMU mapping', 'IOMMU mappings')) {
      this.giveDevId(id);
      return failed('IOMMU mapping');
    }
    if (variant.below === 'its') ledger.give('IOMMU mappings');
    this.devices.set(id, device);
    return 'done';
  }

  private vector(o: Operation): Result {
    if (!('vector' in o)) return unsupported('an ITS has no such thing');
    const device = this.devices.get(o.device);
    if (device === undefined) return unsupported('no such device');
    if (o.vector >= device.count) return exhausted('events of the device');
    const { its } = device;
    const intid = device.first + o.vector;
    const key = keyOf(o.device, o.vector);
    const event = { DeviceID: o.device, EventID: o.vector };
    const pe = this.target.get(key) ?? 0;
    const { below } = this.variant;
    switch (o.op) {
      case 'activate':
        this.target.set(key, o.pe);
        this.byLpi.set(intid, { device: o.device, vector: o.vector });
        this.send('MAPTI', { ...event, pINTID: intid, ICID: o.pe }, o.pe, its);
        if (below === 'host') this.bus.hypercall();
        return 'done';
      case 'mask':
      case 'unmask':
      case 'reconfigure':
        this.lpis.configure(intid, o.op === 'reconfigure' ? this.lpis.isEnabled(intid) : o.op === 'unmask');
        this.send('INV', event, pe, its);
        if (below !== 'its') {
          this.bus.write('GICR_INVLPIR', pe, intid);
          this.bus.poll('GICR_SYNCR', pe, (value) => (value & BUSY) === 0);
        }
        return 'done';
      case 'set_affinity':
        if (o.pe === pe) return 'done';
        this.target.set(key, o.pe);
        this.send('MOVI', { ...event, ICID: o.pe }, pe, its);
        if (below === 'host') this.bus.hypercall();
        return 'done';
      case 'set_pending':
        this.send(o.pending ? 'INT' : 'CLEAR', event, pe, its);
        return 'done';
      case 'deactivate':
        this.byLpi.delete(intid);
        this.target.delete(key);
        this.send('DISCARD', event, pe, its);
        return 'done';
      default:
        return unsupported('an ITS has no such thing');
    }
  }

  message({ device: id, vector }: Vector): Message | undefined {
    const pe = this.target.get(keyOf(id, vector));
    const device = this.devices.get(id);
    const { below, preIts } = this.variant;
    if (pe === undefined || device === undefined || below === 'nothing') return undefined;
    const { addresses } = this.bus;
    if (below === 'host')
      return { address: addresses.gicr[pe]! + GICR.GICR_SETLPIR.offset, data: device.first + vector };
    return {
      address: preIts ? addresses.preIts + 4 * id : addresses.its[device.its]! + GITS.GITS_TRANSLATER.offset,
      data: vector,
    };
  }

  whose(intid: number): Vector | undefined {
    return this.byLpi.get(intid);
  }
}

const PLAIN_ITS: Variant = {
  below: 'its',
  freesCollections: false,
  parent: 'own',
  devIds: false,
  preIts: false,
};
const LINUX = 'drivers/irqchip/irq-gic-v3-its.c';

type Text = Pick<Design, 'name' | 'doc' | 'source'> & Partial<Design>;

/** Setting up the driver allocates collections and then the domain; either can be refused. */
const design = (text: Text, variant: Partial<Variant> = {}): Design => ({
  serves: 'devices',
  profile: 'architecture',
  hardware: PLAIN,
  ...text,
  make(bus, ledger) {
    const all = { ...PLAIN_ITS, ...variant };
    if (!ledger.allocate('collections', 'collections', bus.pes)) return undefined;
    if (!ledger.allocate('domain', 'domains')) {
      if (all.freesCollections) ledger.give('collections', bus.pes);
      return undefined;
    }
    return new ItsDriver(bus, ledger, all);
  },
});

export const its = design({ name: 'its', doc: "Linux's ITS driver.", source: LINUX });

export const preIts = design(
  {
    name: 'pre-its',
    doc: "Linux's ITS driver behind a pre-ITS: the address of a message contains the DeviceID.",
    source: `${LINUX} (Socionext SynQuacer)`,
  },
  { preIts: true },
);

const DEV_MSI = 'thread "irq/dev-msi: Add support for a new DEV_MSI irq domain"';
export const platformMsi = design(
  {
    name: 'platform-msi',
    doc: 'platform-MSI on an ITS: hwirq is devid << 11 | vector; masked by the parent.',
    source: `drivers/base/platform-msi.c; ${DEV_MSI}`,
  },
  { devIds: true },
);
export const devMsi = design(
  {
    name: 'dev-msi',
    doc: 'dev-MSI as posted, on an ITS: one default parent for all devices; masked in the device only.',
    source: DEV_MSI,
    masks: 'device',
  },
  { devIds: true, parent: 'default' },
);
export const perDeviceMsi = design({
  name: 'per-device-msi',
  doc: 'Per-device MSI domains on an ITS, which came after dev-MSI: each device has its own parent, and hwirq is the vector.',
  source: 'drivers/irqchip/irq-gic-its-msi-parent.c',
});

const withoutIts = {
  serves: 'devices',
  profile: 'hyperv',
  hardware: { ...PLAIN, its: 0, directLpi: true },
} as const;
const THREAD = 'discussion "irqchip/gic-v3-its: Introduce virtual ITS", June 2021';

export const virtualIts = design(
  {
    ...withoutIts,
    name: 'virtual-its',
    doc: 'The "virtual ITS" as posted: no command is sent, and devices are given no message.',
    source: THREAD,
  },
  { below: 'nothing', freesCollections: true },
);
export const virtualItsUnpatched = design(
  {
    ...withoutIts,
    name: 'virtual-its-unpatched',
    doc: 'The "virtual ITS" without patch 1/2, which frees collections if the domain cannot be made.',
    source: THREAD,
  },
  { below: 'nothing' },
);
export const virtualItsHosted = design(
  {
    ...withoutIts,
    name: 'virtual-its-hosted',
    doc: 'The "virtual ITS" with a host that writes GICR_SETLPIR of the PE that the driver named in its last hypercall.',
    source: `${THREAD}; the host is an assumption, because the discussion does not describe it`,
    hosted: true,
  },
  { below: 'host', freesCollections: true },
);
