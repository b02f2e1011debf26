// What the designs of a GICv5 have in common: a vector is an interrupt of the IRS, which GIC instructions configure. How its
// device reaches it is what tells them apart.
import type { Bus } from '../../bus.ts';
import {
  type Design,
  DriverBase,
  exhausted,
  failed,
  type Gicv5Hardware,
  keyOf,
  type Ledger,
  type Result,
  unsupported,
} from '../../driver.ts';
import type { Operation, Vector } from '../../operation.ts';
import { Irs } from './irs.ts';

/** The vectors of a device. */
export interface Gicv5Device {
  /** INTIDs by vector. */
  readonly intids: readonly number[];
  readonly isMulti: boolean;
}

/** A GICv5 as the designs run on it, with what they need beside LPIs. */
export const GICV5: Gicv5Hardware = { architecture: 5, its: 0, setlpi: false, spis: 256 };

export abstract class Gicv5Driver extends DriverBase {
  protected readonly irs: Irs;
  protected readonly devices = new Map<number, Gicv5Device>();
  private readonly byIntid = new Map<number, Vector>();
  private readonly active = new Set<number>();
  /** Where a vector goes, and whether it has been started. */
  private readonly target = new Map<number, number>();
  private readonly started = new Set<number>();

  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger);
    this.irs = new Irs(bus, ledger);
  }

  /** Sets up the hardware. Returns whether every allocation was granted. */
  setUp(): boolean {
    return this.irs.setUp();
  }

  /** Takes the interrupts of a device. */
  protected abstract take(device: number, count: number): readonly number[] | Result;
  /** Frees them. */
  protected abstract give(id: number, device: Gicv5Device): void;
  /** A vector is connected to its interrupt, or disconnected. */
  protected connect(_device: number, _vector: number, _intid: number): void {}
  protected disconnect(_device: number, _vector: number): void {}
  protected abstract messageOf(
    device: number,
    vector: number,
    intid: number,
  ): ReturnType<DriverBase['message']>;

  run(o: Operation): Result {
    switch (o.op) {
      case 'pe.online':
        this.irs.online(o.pe);
        return 'done';
      case 'alloc': {
        const taken = this.take(o.device, o.count);
        if (!Array.isArray(taken)) return taken as Result;
        this.devices.set(o.device, { intids: taken as number[], isMulti: o.msi === 'multi-msi' });
        return 'done';
      }
      case 'free': {
        const device = this.devices.get(o.device);
        if (device === undefined) return unsupported('no such device');
        this.devices.delete(o.device);
        this.give(o.device, device);
        return 'done';
      }
      default:
        return 'vector' in o
          ? this.vector(o)
          : unsupported('a GICv5 without virtual machines has no such thing');
    }
  }

  private vector(o: Operation & Vector): Result {
    const intid = this.devices.get(o.device)?.intids[o.vector];
    if (!this.devices.has(o.device)) return unsupported('no such device');
    if (intid === undefined) return exhausted('LPIs of the device');
    const key = keyOf(o.device, o.vector);
    switch (o.op) {
      case 'activate':
        this.active.add(key);
        this.target.set(key, o.pe);
        this.byIntid.set(intid, { device: o.device, vector: o.vector });
        this.connect(o.device, o.vector, intid);
        return 'done';
      case 'unmask':
        // irq_startup routes the interrupt.
        if (!this.started.has(key)) this.irs.route(intid, this.target.get(key) ?? 0);
        this.started.add(key);
        this.irs.enable(intid);
        return 'done';
      case 'mask':
        this.irs.disable(intid);
        return 'done';
      case 'reconfigure':
        return 'done';
      case 'set_affinity':
        this.target.set(key, o.pe);
        this.started.add(key);
        this.irs.route(intid, o.pe);
        return 'done';
      case 'set_pending':
        this.irs.pend(intid, o.pending);
        return 'done';
      case 'deactivate':
        this.active.delete(key);
        this.started.delete(key);
        this.byIntid.delete(intid);
        this.disconnect(o.device, o.vector);
        return 'done';
      default:
        return unsupported('a GICv5 has no such thing');
    }
  }

  message({ device, vector }: Vector): ReturnType<DriverBase['message']> {
    const intid = this.devices.get(device)?.intids[vector];
    return intid === undefined || !this.active.has(keyOf(device, vector))
      ? undefined
      : this.messageOf(device, vector, intid);
  }

  whose(intid: number): Vector | undefined {
    return this.byIntid.get(intid);
  }

  /** Takes LPIs one by one, as Linux does, or none. */
  protected takeLpis(count: number): readonly number[] | Result {
    const ids: number[] = [];
    for (let n = 0; n < count; n++) {
      const id = this.irs.takeLpi();
      if (id < 0) {
        for (const one of ids) this.irs.giveLpi(one);
        return id === -1 ? exhausted('LPIs') : failed('LPI range');
      }
      ids.push(id);
    }
    return ids;
  }
}

/** The parts of a design that all designs of a GICv5 share. */
export const onGicv5 = (
  text: Pick<Design, 'name' | 'doc' | 'source' | 'hardware'>,
  driver: new (bus: Bus, ledger: Ledger) => Gicv5Driver,
): Design => ({
  serves: 'devices',
  masks: 'both',
  profile: 'gicv5-architecture',
  ...text,
  make: (bus, ledger) => {
    const made = new driver(bus, ledger);
    return made.setUp() ? made : undefined;
  },
});
