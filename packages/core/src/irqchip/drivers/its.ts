// Linux's ITS driver, and the "virtual ITS": the same driver on a GIC without ITS but with Direct LPI, its command
// builders returning early and its messages not composed (thread "irqchip/gic-v3-its: Introduce virtual ITS", 2021).
import { PLAIN } from '../../profile/index.ts';
import { type CommandName, GICR } from '../../spec/index.ts';
import type { Bus, Message } from '../bus.ts';
import {
  type Design,
  type Driver,
  DriverBase,
  exhausted,
  keyOf,
  type Ledger,
  type Result,
  roundUpPowerOfTwo,
  unsupported,
} from '../driver.ts';
import { COLLECTION_TABLE_PAGES, DEVICE_TABLE_PAGES, setUpIts } from '../its-setup.ts';
import { LpiTables } from '../lpi-tables.ts';
import type { Operation, Vector } from '../operation.ts';

interface Device {
  readonly first: number;
  readonly count: number;
  readonly itt: number;
}

const ITT_ENTRY_BYTES = 12;
const ITT_ALIGN = 256;
/** GITS_TRANSLATER, from the base of the ITS. */
const GITS_TRANSLATER = 0x1_0040;

/**
 * What the driver has below it: an ITS; nothing; or nothing, and a host that composes messages to GICR_SETLPIR of
 * the PE that it was last told of by hypercall.
 */
type Below = 'its' | 'nothing' | 'host';

class ItsDriver extends DriverBase implements Driver {
  private readonly lpis: LpiTables;
  private readonly devices = new Map<number, Device>();
  private readonly byLpi = new Map<number, Vector>();
  private readonly target = new Map<number, number>();
  private readonly below: Below;

  constructor(bus: Bus, ledger: Ledger, below: Below) {
    super(bus, ledger);
    this.below = below;
    this.lpis = new LpiTables(bus, ledger);
    if (below !== 'its') return;
    setUpIts(bus, [DEVICE_TABLE_PAGES, COLLECTION_TABLE_PAGES]);
  }

  private send(
    name: CommandName,
    operands: Readonly<Record<string, number>>,
    sync: number | undefined,
  ): void {
    if (this.below !== 'its') return;
    this.bus.command(name, operands);
    if (sync !== undefined) this.bus.command('SYNC', { RDbase: sync });
  }

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        this.lpis.online(o.pe);
        this.ledger.take('collections');
        this.send('MAPC', { ICID: o.pe, RDbase: o.pe, V: 1 }, o.pe);
        this.send('INVALL', { ICID: o.pe }, o.pe);
        return 'done';
      case 'alloc': {
        const count = roundUpPowerOfTwo(o.count);
        const first = this.lpis.take(count);
        if (first < 0) return exhausted('LPIs');
        const itt = this.bus.memory(count * ITT_ENTRY_BYTES, ITT_ALIGN);
        this.ledger.take('ITT bytes', count * ITT_ENTRY_BYTES);
        this.devices.set(o.device, { first, count, itt });
        this.send(
          'MAPD',
          { DeviceID: o.device, Size: Math.max(0, Math.log2(count) - 1), ITT_addr: itt, V: 1 },
          undefined,
        );
        return 'done';
      }
      case 'free': {
        const device = this.devices.get(o.device);
        if (device === undefined) return unsupported('no such device');
        this.devices.delete(o.device);
        this.lpis.give(device.first, device.count);
        this.ledger.give('ITT bytes', device.count * ITT_ENTRY_BYTES);
        this.send(
          'MAPD',
          { DeviceID: o.device, Size: Math.max(0, Math.log2(device.count) - 1), ITT_addr: device.itt, V: 0 },
          undefined,
        );
        return 'done';
      }
      default:
        return this.vector(o);
    }
  }

  private vector(o: Operation): Result {
    if (!('vector' in o)) return unsupported('an ITS has no such thing');
    const device = this.devices.get(o.device);
    if (device === undefined) return unsupported('no such device');
    if (o.vector >= device.count) return exhausted('events of the device');
    const intid = device.first + o.vector;
    const key = keyOf(o.device, o.vector);
    const event = { DeviceID: o.device, EventID: o.vector };
    const pe = this.target.get(key) ?? 0;
    switch (o.op) {
      case 'activate':
        this.target.set(key, o.pe);
        this.byLpi.set(intid, { device: o.device, vector: o.vector });
        this.send('MAPTI', { ...event, pINTID: intid, ICID: o.pe }, o.pe);
        if (this.below === 'host') this.bus.hypercall();
        return 'done';
      case 'mask':
      case 'unmask':
      case 'reconfigure':
        this.lpis.configure(intid, o.op === 'reconfigure' ? this.lpis.isEnabled(intid) : o.op === 'unmask');
        this.send('INV', event, pe);
        if (this.below !== 'its') {
          this.bus.write('GICR', pe, GICR.GICR_INVLPIR.offset, 8, intid);
          this.bus.poll('GICR', pe, GICR.GICR_SYNCR.offset, 4, (low) => (low & 1) === 0);
        }
        return 'done';
      case 'set_affinity':
        if (o.pe === pe) return 'done';
        this.target.set(key, o.pe);
        this.send('MOVI', { ...event, ICID: o.pe }, pe);
        if (this.below === 'host') this.bus.hypercall();
        return 'done';
      case 'set_pending':
        this.send(o.pending ? 'INT' : 'CLEAR', event, pe);
        return 'done';
      case 'deactivate':
        this.byLpi.delete(intid);
        this.target.delete(key);
        this.send('DISCARD', event, pe);
        return 'done';
      default:
        return unsupported('an ITS has no such thing');
    }
  }

  message({ device, vector }: Vector): Message | undefined {
    const pe = this.target.get(keyOf(device, vector));
    if (pe === undefined || this.below === 'nothing') return undefined;
    const { addresses } = this.bus.machine.state.config;
    return this.below === 'its'
      ? { address: addresses.its[0]! + GITS_TRANSLATER, data: vector }
      : {
          address: addresses.gicr[pe]! + GICR.GICR_SETLPIR.offset,
          data: this.devices.get(device)!.first + vector,
        };
  }

  whose(intid: number): Vector | undefined {
    return this.byLpi.get(intid);
  }
}

export const its: Design = {
  name: 'its',
  doc: "Linux's ITS driver.",
  serves: 'devices',
  profile: 'architecture',
  hardware: PLAIN,
  source: 'drivers/irqchip/irq-gic-v3-its.c',
  make: (bus, ledger) => new ItsDriver(bus, ledger, 'its'),
};

const withoutIts = { ...PLAIN, its: 0, directLpi: true };
const THREAD = 'thread "irqchip/gic-v3-its: Introduce virtual ITS", June 2021';

export const virtualIts: Design = {
  name: 'virtual-its',
  doc: 'The "virtual ITS" as posted: no command is sent, and a device is given no message.',
  serves: 'devices',
  profile: 'hyperv',
  hardware: withoutIts,
  source: THREAD,
  make: (bus, ledger) => new ItsDriver(bus, ledger, 'nothing'),
};

export const virtualItsHosted: Design = {
  name: 'virtual-its-hosted',
  doc: 'The "virtual ITS" with a host that writes GICR_SETLPIR of the PE that it was last told of by hypercall.',
  serves: 'devices',
  profile: 'hyperv',
  hardware: withoutIts,
  source: `${THREAD}; the host is an assumption, the thread does not tell`,
  hosted: true,
  make: (bus, ledger) => new ItsDriver(bus, ledger, 'host'),
};
