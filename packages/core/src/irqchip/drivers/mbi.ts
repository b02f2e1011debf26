// Message-based SPIs: Linux's GICv3-MBI, and Hyper-V's virtual PCI, where the host writes the message.
import { type Hardware, PLAIN } from '../../profile/index.ts';
import { GICD } from '../../spec/index.ts';
import type { Bus, Message } from '../bus.ts';
import {
  type Design,
  DriverBase,
  exhausted,
  keyOf,
  type Ledger,
  type Result,
  roundUpPowerOfTwo,
  unsupported,
} from '../driver.ts';
import type { Operation, Vector } from '../operation.ts';
import { SpiParent } from '../spi-parent.ts';

interface Variant {
  readonly first: number;
  readonly count: number;
  /** The host makes the message and retargets by hypercall; a vector is masked in the device. */
  readonly host: boolean;
}
interface Device {
  readonly first: number;
  readonly count: number;
}

class MessageSpiDriver extends DriverBase {
  private readonly variant: Variant;
  private readonly parent: SpiParent;
  private readonly used: Uint8Array;
  private readonly devices = new Map<number, Device>();
  private readonly bySpi = new Map<number, Vector>();
  private readonly active = new Set<number>();

  constructor(bus: Bus, ledger: Ledger, variant: Variant) {
    super(bus, ledger);
    this.variant = variant;
    this.parent = new SpiParent(bus);
    this.used = new Uint8Array(variant.count);
  }

  /** A region of SPIs: a power of two, aligned to itself, so that MultiMSI works. */
  private take(count: number): number {
    for (let at = 0; at + count <= this.used.length; at += count)
      if (!this.used.subarray(at, at + count).includes(1)) {
        this.used.fill(1, at, at + count);
        this.ledger.take('SPIs', count);
        return this.variant.first + at;
      }
    return -1;
  }

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        return 'done';
      case 'alloc': {
        const count = roundUpPowerOfTwo(o.count);
        const first = this.take(count);
        if (first < 0) return exhausted('SPIs');
        this.devices.set(o.device, { first, count });
        return 'done';
      }
      case 'free': {
        const device = this.devices.get(o.device);
        if (device === undefined) return unsupported('no such device');
        this.devices.delete(o.device);
        this.used.fill(
          0,
          device.first - this.variant.first,
          device.first - this.variant.first + device.count,
        );
        this.ledger.give('SPIs', device.count);
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
    if (o.vector >= device.count) return exhausted('SPIs of the device');
    const intid = device.first + o.vector;
    const { bus, parent } = this;
    switch (o.op) {
      case 'activate':
        parent.setEdge(intid);
        parent.setAffinity(intid, o.pe);
        this.active.add(keyOf(o.device, o.vector));
        this.bySpi.set(intid, { device: o.device, vector: o.vector });
        return 'done';
      case 'mask':
        parent.mask(intid);
        return 'done';
      case 'unmask':
        if (this.variant.host) bus.hypercall();
        parent.unmask(intid);
        return 'done';
      case 'reconfigure':
        return 'done';
      case 'set_affinity':
        parent.setAffinity(intid, o.pe);
        if (this.variant.host) bus.hypercall();
        return 'done';
      case 'set_pending':
        parent.setPending(intid, o.pending);
        return 'done';
      case 'deactivate':
        this.active.delete(keyOf(o.device, o.vector));
        this.bySpi.delete(intid);
        return 'done';
      default:
        return unsupported('message-based SPIs have no such thing');
    }
  }

  message({ device, vector }: Vector): Message | undefined {
    const own = this.devices.get(device);
    if (own === undefined || !this.active.has(keyOf(device, vector))) return undefined;
    return {
      address: this.bus.machine.state.config.addresses.gicd + GICD.GICD_SETSPI_NSR.offset,
      data: own.first + vector,
    };
  }

  whose(intid: number): Vector | undefined {
    return this.bySpi.get(intid);
  }
}

const hardware: Hardware = { ...PLAIN, its: 0, lines: 32, mbis: true };

export const mbi: Design = {
  name: 'mbi',
  doc: "Linux's GICv3-MBI: message-based SPIs from INTID 32.",
  serves: 'devices',
  profile: 'architecture',
  hardware,
  source: 'drivers/irqchip/irq-gic-v3-mbi.c',
  make: (bus, ledger) => new MessageSpiDriver(bus, ledger, { first: 32, count: 988, host: false }),
};

export const hypervSpi: Design = {
  name: 'hyperv-spi',
  doc: "Hyper-V's virtual PCI: SPIs from INTID 64, 956 of them; the host makes the message and retargets by hypercall.",
  serves: 'devices',
  profile: 'architecture',
  hardware,
  source:
    'thread "irqchip/gic-v3-its: Add irq domain and chip for Direct LPI without ITS"; drivers/pci/controller/pci-hyperv.c',
  hosted: true,
  make: (bus, ledger) => new MessageSpiDriver(bus, ledger, { first: 64, count: 956, host: true }),
};
