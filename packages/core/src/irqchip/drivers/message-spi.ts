// SPIs raised by messages: Linux's GICv3-MBI and GICv2m, and Hyper-V's virtual PCI, where the host writes the message. The
// variants of the latter have the faults that were found in the review of its patches.
import { type Hardware, PLAIN } from '../../profile/index.ts';
import { GICD } from '../../spec/index.ts';
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
import type { Operation, Vector } from '../operation.ts';
import { MSI_SETSPI_NS } from '../port.ts';
import { SpiParent } from '../spi-parent.ts';

interface Variant {
  readonly first: number;
  readonly count: number;
  /** The host makes the message: a request by VMBus, which it completes, and a notice when the message is not needed any more. */
  readonly host: boolean;
  /** Whether each unmask retargets the interrupt by hypercall, which is needed on x86 only. */
  readonly retargets: boolean;
  /** The firmware describes no message-based SPIs, so no SPI can be allocated. */
  readonly undescribed: boolean;
  /** The messages go to a GICv2m frame, not to the Distributor. */
  readonly v2m?: true;
  /** Regions of a power of two that are aligned to their size, so that MultiMSI works; or the first free SPIs. */
  readonly regions: 'aligned' | 'first-zero';
  /** Whether the driver makes the SPI edge-triggered. */
  readonly edge: boolean;
  /** The first target PE in the request to the host: the first PE online, or the PEs in turn, from the one after PE 0. */
  readonly hostTarget: 'first' | 'round-robin';
  /** If all SPIs are in use: the allocation is refused, or -ENOMEM is taken as an index, because the index is unsigned. */
  readonly full: 'refused' | 'unsigned';
}
interface Device {
  readonly intids: readonly number[];
  /** One message for all vectors. */
  readonly isMultiMsi: boolean;
}
/** More vectors than any device has: events of an ITS with 16-bit EventIDs. */
const VECTORS_MAX = 65_536;
const ENOMEM = 12;

class MessageSpiDriver extends DriverBase {
  private readonly variant: Variant;
  private readonly parent: SpiParent;
  private readonly used: Uint8Array;
  private free: number;
  private readonly devices = new Map<number, Device>();
  private readonly bySpi = new Map<number, Vector>();
  /** Vectors that have a message; the PE to which each is routed when it is started, and whether before it is enabled. */
  private readonly active = new Map<number, { readonly pe: number; readonly managed: boolean }>();
  private readonly started = new Set<number>();
  private turn = 0;

  constructor(bus: Bus, ledger: Ledger, variant: Variant) {
    super(bus, ledger);
    this.variant = variant;
    this.parent = new SpiParent(bus);
    this.used = new Uint8Array(variant.count);
    this.free = variant.count;
  }

  /** Allocates SPIs for a device and returns their indices; none if too few are free. */
  private take(count: number): readonly number[] {
    const { used } = this;
    if (count > this.free) return [];
    if (this.variant.regions === 'first-zero') {
      const free: number[] = [];
      for (let at = 0; at < used.length && free.length < count; at++) if (!used[at]) free.push(at);
      return free.length < count ? [] : free;
    }
    for (let at = 0; at + count <= used.length; at += count)
      if (!used.subarray(at, at + count).includes(1)) return Array.from({ length: count }, (_, n) => at + n);
    return [];
  }

  /** MultiMSI vectors are one region of a power of two; others are allocated one by one. */
  private alloc(id: number, asked: number, isMultiMsi: boolean): Result {
    const { variant } = this;
    if (variant.undescribed)
      return unsupported('ACPI describes no message-based SPIs (mbi_irq_gic_domain_alloc)');
    // A trace may ask for 2^32: the allocator that hands out numbers that are no SPIs would never be done.
    if (asked > VECTORS_MAX) return exhausted('SPIs');
    const intids: number[] = [];
    const regions = isMultiMsi || variant.regions === 'first-zero' ? 1 : asked;
    for (let n = 0; n < regions; n++) {
      const result = this.region(regions === 1 ? asked : 1, intids);
      if (result === 'done') continue;
      for (const intid of intids) this.release(intid);
      return result;
    }
    this.devices.set(id, { intids, isMultiMsi });
    return 'done';
  }

  /** Allocates a region, makes its SPIs edge-triggered, and adds them to `intids`. */
  private region(asked: number, intids: number[]): Result {
    const { ledger, variant, used } = this;
    const count = variant.regions === 'aligned' ? roundUpPowerOfTwo(asked) : asked;
    const indices = this.take(count);
    if (indices.length === 0) {
      if (variant.full === 'refused') return exhausted('SPIs');
      for (let n = 0; n < count; n++) intids.push((variant.first - ENOMEM + n) >>> 0);
      return 'done';
    }
    if (!ledger.allocate('vectors', 'SPIs', count)) return failed('vectors');
    for (const at of indices) used[at] = 1;
    this.free -= count;
    // The region is not freed in this case.
    if (!variant.host && !ledger.allocate('IOMMU mapping', 'IOMMU mappings')) return failed('IOMMU mapping');
    if (!variant.host) ledger.give('IOMMU mappings');
    for (const at of indices) {
      if (variant.edge) this.parent.setEdge(variant.first + at);
      intids.push(variant.first + at);
    }
    return 'done';
  }

  private release(intid: number): void {
    const at = intid - this.variant.first;
    if (!this.used[at]) return;
    this.used[at] = 0;
    this.free++;
    this.ledger.give('SPIs');
  }

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        return 'done';
      case 'alloc':
        return this.alloc(o.device, o.count, o.msi === 'multi-msi');
      case 'free': {
        const device = this.devices.get(o.device);
        if (device === undefined) return unsupported('no such device');
        this.devices.delete(o.device);
        for (const intid of device.intids) this.release(intid);
        return 'done';
      }
      default:
        return this.vector(o);
    }
  }

  private vector(o: Operation): Result {
    if (!('vector' in o)) return unsupported('message-based SPIs have no such thing');
    const device = this.devices.get(o.device);
    if (device === undefined) return unsupported('no such device');
    if (o.vector >= device.intids.length) return exhausted('SPIs of the device');
    const intid = device.intids[o.vector]!;
    const key = keyOf(o.device, o.vector);
    const { bus, parent, variant } = this;
    switch (o.op) {
      case 'activate':
        if (this.composed(device, o.vector)) this.active.set(key, { pe: o.pe, managed: o.managed === true });
        this.bySpi.set(intid, { device: o.device, vector: o.vector });
        return 'done';
      case 'mask':
        parent.mask(intid);
        return 'done';
      case 'unmask':
        if (variant.retargets) bus.hypercall();
        this.unmask(key, intid);
        return 'done';
      case 'reconfigure':
        return 'done';
      case 'set_affinity':
        parent.setAffinity(intid, o.pe);
        return 'done';
      case 'set_pending':
        parent.setPending(intid, o.pending);
        return 'done';
      case 'deactivate':
        // The host is told that the message is not needed any more.
        if (variant.host && this.active.has(key) && (!device.isMultiMsi || o.vector === 0))
          bus.vmbusMessage();
        this.active.delete(key);
        this.started.delete(key);
        this.bySpi.delete(intid);
        return 'done';
      default:
        return unsupported('message-based SPIs have no such thing');
    }
  }

  /**
   * When it is started, an SPI is enabled and then routed, for which it is disabled again meanwhile; a managed interrupt is
   * routed and then enabled (irq_startup).
   */
  private unmask(key: number, intid: number): void {
    const { parent } = this;
    const starts = this.started.has(key) ? undefined : this.active.get(key);
    if (starts !== undefined) this.started.add(key);
    if (starts?.managed) parent.setAffinity(intid, starts.pe);
    parent.unmask(intid);
    if (starts?.managed === false) parent.setAffinity(intid, starts.pe);
  }

  /**
   * Whether a vector gets a message. A host is asked for it (PCI_CREATE_INTERRUPT_MESSAGE), for all vectors of MultiMSI at
   * once; it refuses to make one for a PE that does not exist.
   */
  private composed({ isMultiMsi }: Device, vector: number): boolean {
    const { bus, variant } = this;
    if (!variant.host || (isMultiMsi && vector > 0)) return true;
    bus.vmbusMessage();
    if (variant.hostTarget === 'first') return true;
    // As in the patch: if this is the last PE, go back to 0, and then on to the one after it.
    if (this.turn >= bus.pes - 1) this.turn = 0;
    this.turn++;
    return this.turn < bus.pes;
  }

  message({ device, vector }: Vector): Message | undefined {
    const own = this.devices.get(device);
    if (own === undefined || !this.active.has(keyOf(device, vector))) return undefined;
    const { gicd, v2m } = this.bus.addresses;
    return {
      address: this.variant.v2m ? v2m + MSI_SETSPI_NS : gicd + GICD.GICD_SETSPI_NSR.offset,
      data: own.intids[vector]!,
    };
  }

  whose(intid: number): Vector | undefined {
    return this.bySpi.get(intid);
  }
}

const hardware: Hardware = { ...PLAIN, its: 0, lines: 32, mbis: true };

const PLAIN_SPIS: Variant = {
  first: 32,
  count: 988,
  host: false,
  retargets: false,
  undescribed: false,
  regions: 'aligned',
  edge: true,
  hostTarget: 'first',
  full: 'refused',
};
const design = (
  text: Pick<Design, 'name' | 'doc' | 'source'> & Partial<Design>,
  variant: Partial<Variant> = {},
): Design => ({
  serves: 'devices',
  profile: 'architecture',
  hardware,
  masks: 'both',
  ...text,
  make: (bus, ledger) => new MessageSpiDriver(bus, ledger, { ...PLAIN_SPIS, ...variant }),
});

export const mbi = design({
  name: 'mbi',
  doc: "Linux's GICv3-MBI: message-based SPIs from INTID 32.",
  source: 'drivers/irqchip/irq-gic-v3-mbi.c',
});
export const mbiAcpi = design(
  {
    name: 'mbi-acpi',
    doc: "Linux's GICv3-MBI on a machine whose firmware is ACPI: it refuses every allocation.",
    source: 'drivers/irqchip/irq-gic-v3-mbi.c (mbi_irq_gic_domain_alloc)',
  },
  { undescribed: true },
);
export const gicv2m = design(
  {
    name: 'gicv2m',
    doc: "Linux's GICv2m: a frame that raises 64 SPIs from INTID 80, as on QEMU's virt machine.",
    hardware: { ...PLAIN, its: 0 },
    source: 'drivers/irqchip/irq-gic-v2m.c',
  },
  { first: 80, count: 64, v2m: true },
);

const HYPERV = {
  source:
    'thread "irqchip/gic-v3-its: Add irq domain and chip for Direct LPI without ITS"; drivers/pci/controller/pci-hyperv.c',
  hosted: true,
} as const;
const HYPERV_SPIS: Partial<Variant> = { first: 64, count: 956, host: true };
/** As it was when its patches were reviewed, and in Linux 5.17. */
const RETARGETED: Partial<Variant> = { ...HYPERV_SPIS, retargets: true };

export const hypervSpi = design(
  {
    ...HYPERV,
    name: 'hyperv-spi',
    doc: "Hyper-V's virtual PCI: SPIs from INTID 64, 956 of them; the host makes the message.",
  },
  HYPERV_SPIS,
);
export const hypervSpi517 = design(
  {
    ...HYPERV,
    name: 'hyperv-spi-5.17',
    doc: 'hyperv-spi as in Linux 5.17: each unmask retargets by hypercall.',
    source: `${HYPERV.source}, before "PCI: hv: Avoid the retarget interrupt hypercall in irq_unmask() on ARM64"`,
  },
  RETARGETED,
);
/** The patches of hyperv-spi before their review, each variant with one of the faults that were found. */
const REVIEW = 'review of "PCI: hv: Add arm64 Hyper-V vPCI support", 2021';
export const hypervSpiFirstZero = design(
  {
    ...HYPERV,
    name: 'hyperv-spi-first-zero',
    doc: 'hyperv-spi as once posted: the first free SPIs from INTID 50 on.',
    source: REVIEW,
  },
  { ...RETARGETED, first: 50, count: 970, regions: 'first-zero' },
);
export const hypervSpiRoundRobin = design(
  {
    ...HYPERV,
    name: 'hyperv-spi-round-robin',
    doc: 'hyperv-spi as once posted: the target PE in the request to the host is chosen in turn; on a machine with one PE, it is a PE that does not exist.',
    source: REVIEW,
  },
  { ...RETARGETED, hostTarget: 'round-robin' },
);
export const hypervSpiNoEdge = design(
  {
    ...HYPERV,
    name: 'hyperv-spi-no-edge',
    doc: 'hyperv-spi as once posted: nobody makes the SPI edge-triggered.',
    source: REVIEW,
  },
  { ...RETARGETED, edge: false },
);
export const hypervSpiUnsigned = design(
  {
    ...HYPERV,
    name: 'hyperv-spi-unsigned',
    doc: 'hyperv-spi as once posted: a failed allocation is not noticed, because the index is unsigned.',
    source: REVIEW,
  },
  { ...RETARGETED, full: 'unsigned' },
);
