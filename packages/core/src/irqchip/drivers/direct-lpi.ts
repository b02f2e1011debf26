// Direct LPI: LPIs through registers of the Redistributors, without an ITS. Variants follow the patches as posted, and
// their review.
import { PLAIN } from '../../profile/index.ts';
import { GICR, mask } from '../../spec/index.ts';
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
import { LpiTables } from '../lpi-tables.ts';
import type { Operation, Vector } from '../operation.ts';

interface Variant {
  /**
   * As posted: the data of a message is the LPI minus the device's first LPI, a change of affinity is only noted, and the
   * pending state cannot be set. (The address in the patches is a kernel address and not a bus address. It is taken to
   * reach the Redistributor, so that the rest can be measured.)
   */
  readonly asPosted: boolean;
  /** What the data of a message contains. */
  readonly data: 'event' | 'intid';
  /** After a move, the LPI is made pending on the new PE always, or never. */
  readonly afterMove: 'always-pending' | 'never-pending';
  /**
   * As proposed for a root partition: the configuration of all LPIs is invalidated without waiting, a host makes the
   * message, and 65,536 LPIs are counted from the first one, which goes beyond 16 bits.
   */
  readonly root?: true;
}

interface Device {
  readonly first: number;
  readonly count: number;
}

const BUSY = mask(GICR.GICR_SYNCR, 'Busy');

class DirectLpiDriver extends DriverBase {
  private readonly lpis: LpiTables;
  private readonly variant: Variant;
  private readonly devices = new Map<number, Device>();
  private readonly byLpi = new Map<number, Vector>();
  /** The PE to which the driver believes the vector is routed, and the PE that the device's message names. */
  private readonly target = new Map<number, number>();
  private readonly addressed = new Map<number, number>();

  constructor(bus: Bus, ledger: Ledger, variant: Variant) {
    super(bus, ledger);
    this.variant = variant;
    this.lpis = new LpiTables(bus, ledger, variant.root ? 65_536 : undefined);
  }

  private sync(pe: number): void {
    this.bus.poll('GICR_SYNCR', pe, (value) => (value & BUSY) === 0);
  }
  private configure(intid: number, enabled: boolean, pe: number): void {
    this.lpis.configure(intid, enabled);
    if (this.variant.root) {
      this.bus.write('GICR_INVALLR', pe, 0);
      return;
    }
    this.bus.write('GICR_INVLPIR', pe, intid);
    this.sync(pe);
  }

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        this.lpis.online(o.pe);
        return 'done';
      case 'alloc': {
        const count = this.variant.asPosted ? roundUpPowerOfTwo(o.count) : o.count;
        const first = this.lpis.take(count);
        if (first < 0) return first === -1 ? exhausted('LPIs') : failed('LPI range');
        // The range of LPIs is not freed, as in the ITS driver, of which this code is a copy.
        if (this.variant.asPosted && !this.ledger.allocate('column map', 'column maps'))
          return failed('column map');
        this.devices.set(o.device, { first, count });
        return 'done';
      }
      case 'free': {
        const device = this.devices.get(o.device);
        if (device === undefined) return unsupported('no such device');
        this.devices.delete(o.device);
        this.lpis.give(device.first, device.count);
        if (this.variant.asPosted) this.ledger.give('column maps');
        return 'done';
      }
      default:
        return this.vector(o);
    }
  }

  private vector(o: Operation): Result {
    if (!('vector' in o)) return unsupported('Direct LPI has no such thing');
    const device = this.devices.get(o.device);
    if (device === undefined) return unsupported('no such device');
    if (o.vector >= device.count) return exhausted('LPIs of the device');
    const intid = device.first + o.vector;
    const key = keyOf(o.device, o.vector);
    const pe = this.target.get(key) ?? 0;
    switch (o.op) {
      case 'activate':
        this.target.set(key, o.pe);
        this.addressed.set(key, o.pe);
        this.byLpi.set(intid, { device: o.device, vector: o.vector });
        if (this.variant.root) this.bus.hypercall();
        return 'done';
      case 'mask':
      case 'unmask':
      case 'reconfigure':
        this.configure(intid, o.op === 'reconfigure' ? this.lpis.isEnabled(intid) : o.op === 'unmask', pe);
        return 'done';
      case 'set_affinity':
        if (o.pe !== pe) this.move(intid, key, pe, o.pe);
        return 'done';
      case 'set_pending':
        // In the patches as posted, the callback exists, does nothing and returns success.
        if (this.variant.asPosted) return 'done';
        if (this.variant.root) return unsupported('the root partition has no irq_set_irqchip_state');
        this.bus.write(o.pending ? 'GICR_SETLPIR' : 'GICR_CLRLPIR', pe, intid);
        if (!o.pending) this.sync(pe);
        return 'done';
      case 'deactivate':
        this.byLpi.delete(intid);
        this.target.delete(key);
        this.addressed.delete(key);
        return 'done';
      default:
        return unsupported('Direct LPI has no such thing');
    }
  }

  private move(intid: number, key: number, from: number, to: number): void {
    this.target.set(key, to);
    if (this.variant.asPosted || this.variant.root) return;
    const enabled = this.lpis.isEnabled(intid);
    this.configure(intid, false, from);
    this.addressed.set(key, to);
    this.bus.messageRewritten();
    this.bus.write('GICR_CLRLPIR', from, intid);
    this.sync(from);
    if (this.variant.afterMove === 'always-pending') this.bus.write('GICR_SETLPIR', to, intid);
    if (enabled) this.configure(intid, true, to);
  }

  message({ device, vector }: Vector): Message | undefined {
    const pe = this.addressed.get(keyOf(device, vector));
    const own = this.devices.get(device);
    if (pe === undefined || own === undefined) return undefined;
    const intid = own.first + vector;
    return {
      address: this.bus.addresses.gicr[pe]! + GICR.GICR_SETLPIR.offset,
      data: this.variant.data === 'event' ? vector : intid,
    };
  }

  whose(intid: number): Vector | undefined {
    return this.byLpi.get(intid);
  }
}

const hardware = { ...PLAIN, its: 0, directLpi: true };
const design = (name: string, doc: string, variant: Variant): Design => ({
  name,
  doc,
  serves: 'devices',
  masks: 'both',
  profile: 'hyperv',
  hardware,
  source: 'discussion "irqchip/gic-v3-its: Add irq domain and chip for Direct LPI without ITS"',
  make: (bus, ledger) => new DirectLpiDriver(bus, ledger, variant),
});

export const directLpiRfc = design('direct-lpi-rfc', 'Direct LPI without an ITS, as posted.', {
  asPosted: true,
  data: 'event',
  afterMove: 'never-pending',
});
export const directLpiRfcIntid = design(
  'direct-lpi-rfc-intid',
  'As posted, but with the INTID in the message, to find out what else must be fixed.',
  { asPosted: true, data: 'intid', afterMove: 'never-pending' },
);
export const directLpi = design(
  'direct-lpi',
  'Direct LPI as its review says it should be; after a move, the LPI is always made pending.',
  { asPosted: false, data: 'intid', afterMove: 'always-pending' },
);
export const directLpiLossy = design(
  'direct-lpi-lossy',
  'Direct LPI as its review says it should be; after a move, the LPI is never made pending.',
  { asPosted: false, data: 'intid', afterMove: 'never-pending' },
);
export const directLpiInvall: Design = {
  ...design(
    'direct-lpi-invall',
    'Direct LPI for a root partition, as proposed later: unmasking writes GICR_INVALLR without waiting for it; a move is only noted.',
    { asPosted: false, data: 'intid', afterMove: 'never-pending', root: true },
  ),
  hosted: true,
};
