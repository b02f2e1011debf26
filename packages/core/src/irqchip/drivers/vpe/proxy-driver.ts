// Doorbells through a proxy device. Without Direct LPI there are no registers for this, so a doorbell LPI is invalidated,
// cleared and set by ITS commands, which need an event that is mapped to it. The proxy device has one event per PE.
import type { Bus } from '../../bus.ts';
import { type Design, type Ledger, roundUpPowerOfTwo } from '../../driver.ts';
import { Gicv40Driver } from './gicv40-driver.ts';
import { type DoorbellCommand, GICV40, ITT_ALIGN, ITT_ENTRY_BYTES, LINUX, type Vpe } from './vpe-driver.ts';

/** The proxy device has the highest DeviceID. */
export const PROXY_DEVICE = 0xffff;

export abstract class ProxyDriver extends Gicv40Driver {
  /** By event of the proxy device: the vPE to whose doorbell the event is mapped. */
  private readonly slots: (Vpe | undefined)[];
  private readonly slotOf = new Map<Vpe, number>();
  private nextVictim = 0;

  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger);
    const count = roundUpPowerOfTwo(bus.pes);
    this.slots = new Array<Vpe | undefined>(count).fill(undefined);
    const itt = bus.memory(ITT_ENTRY_BYTES * count, ITT_ALIGN);
    this.ledger.take('ITT bytes', ITT_ENTRY_BYTES * count);
    this.mapDevice(PROXY_DEVICE, { itt, count }, true);
  }

  protected override isReserved(device: number): boolean {
    return device === PROXY_DEVICE;
  }

  protected isMapped(vpe: Vpe): boolean {
    return this.slotOf.has(vpe);
  }

  protected event(vpe: Vpe): { DeviceID: number; EventID: number } {
    return { DeviceID: PROXY_DEVICE, EventID: this.slotOf.get(vpe)! };
  }

  /** Discards the event of a vPE. */
  protected unmap(vpe: Vpe): void {
    const slot = this.slotOf.get(vpe)!;
    this.send('DISCARD', this.event(vpe));
    this.slots[slot] = undefined;
    this.slotOf.delete(vpe);
    this.ledger.give('proxy slots');
    // The next vPE takes the slot that has become free, unless the slot that it would take is free as well.
    if (this.slots[this.nextVictim] !== undefined) this.nextVictim = slot;
  }

  /** Maps an event to the doorbell of a vPE, unless it has one. If no slot is free, takes the event of another vPE. */
  protected ensureMapped(vpe: Vpe): void {
    if (this.isMapped(vpe)) return;
    const victim = this.slots[this.nextVictim];
    if (victim !== undefined) this.unmap(victim);
    const slot = this.nextVictim;
    this.slotOf.set(vpe, slot);
    this.slots[slot] = vpe;
    this.ledger.take('proxy slots');
    this.nextVictim = (slot + 1) % this.slots.length;
    this.send('MAPTI', { ...this.event(vpe), pINTID: vpe.doorbell, ICID: vpe.pe });
  }

  /** The event stays mapped, so the next operation on the same doorbell needs only its own command. */
  protected act(vpe: Vpe, command: DoorbellCommand): void {
    this.ensureMapped(vpe);
    this.send(command, this.event(vpe));
  }

  protected override release(vpe: Vpe): void {
    if (this.isMapped(vpe)) this.unmap(vpe);
  }
}

/** A design with a proxy device. Its slots, and then the device, are allocated before the driver is set up. */
export const proxyDesign = (
  name: string,
  doc: string,
  driver: new (bus: Bus, ledger: Ledger) => ProxyDriver,
): Design => ({
  name,
  doc,
  serves: 'vpes',
  profile: 'qemu-virt',
  hardware: GICV40,
  source: `discussion "irqchip/gic-v3-its: Add device proxy for VPE management if !DirectLpi"; ${LINUX}`,
  make(bus, ledger) {
    if (!ledger.allocate('slots', 'slot arrays')) return undefined;
    if (ledger.allocate('device', 'devices')) return new driver(bus, ledger);
    ledger.give('slot arrays');
    return undefined;
  },
});
