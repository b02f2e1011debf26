// Doorbells through a proxy device. Without Direct LPI there are no registers for this, so a doorbell LPI is invalidated,
// cleared and set by ITS commands, which need an event that is mapped to it. The proxy device has one event per PE.
import type { CommandName } from '../../../spec/index.ts';
import type { Bus } from '../../bus.ts';
import { type Design, type Ledger, roundUpPowerOfTwo } from '../../driver.ts';
import { TABLES } from '../../its-node.ts';
import { Gicv40Driver } from './gicv40-driver.ts';
import { type DoorbellCommand, GICV40, LINUX, type Vpe } from './vpe-driver.ts';

export abstract class ProxyDriver extends Gicv40Driver {
  private readonly device: number;
  /**
   * By event of the proxy device: the vPE to whose doorbell the event is mapped. A device has at least two events, and
   * Linux goes round all of them; on a machine with one PE, its array has one element and it reads past its end. Here the
   * second slot exists.
   */
  private readonly slots: (Vpe | undefined)[];
  private readonly slotOf = new Map<Vpe, number>();
  /** By slot: the PE to whose collection its event is mapped. */
  private readonly columns: number[] = [];
  private nextVictim = 0;

  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger);
    this.device = this.nodes[0]!.lastDevice;
    this.nodes[0]!.allocateEntry(TABLES.devices, this.device);
    const { events } = this.createItt(this.device, roundUpPowerOfTwo(bus.pes), 0);
    this.slots = new Array<Vpe | undefined>(events).fill(undefined);
    this.ledger.take('ITT bytes', this.ittBytes(events));
  }

  protected override isReserved(device: number): boolean {
    return device === this.device;
  }

  protected isMapped(vpe: Vpe): boolean {
    return this.slotOf.has(vpe);
  }

  /** Posts a command for the event of a vPE, and the SYNC of the PE to whose collection the event is mapped. */
  private postFor(vpe: Vpe, name: CommandName, operands: Readonly<Record<string, number>> = {}): void {
    const slot = this.slotOf.get(vpe)!;
    this.post(name, { DeviceID: this.device, EventID: slot, ...operands }, this.columns[slot], 0);
  }

  /** Discards the event of a vPE. */
  protected unmapEvent(vpe: Vpe): void {
    const slot = this.slotOf.get(vpe)!;
    this.postFor(vpe, 'DISCARD');
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
    if (victim !== undefined) this.unmapEvent(victim);
    const slot = this.nextVictim;
    this.slotOf.set(vpe, slot);
    this.slots[slot] = vpe;
    this.ledger.take('proxy slots');
    this.nextVictim = (slot + 1) % this.slots.length;
    this.columns[slot] = vpe.pe;
    this.postFor(vpe, 'MAPTI', { pINTID: vpe.doorbell, ICID: vpe.pe });
  }

  /** Moves the event of a vPE to the collection of its PE. If it is mapped only now, it is mapped there at once. */
  protected moveEvent(vpe: Vpe): void {
    this.ensureMapped(vpe);
    this.postFor(vpe, 'MOVI', { ICID: vpe.pe });
    this.columns[this.slotOf.get(vpe)!] = vpe.pe;
  }

  /** The event stays mapped, so the next operation on the same doorbell needs only its own command. */
  protected act(vpe: Vpe, command: DoorbellCommand): void {
    this.ensureMapped(vpe);
    this.postFor(vpe, command);
  }

  protected override release(vpe: Vpe): void {
    if (this.isMapped(vpe)) this.unmapEvent(vpe);
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
  masks: 'both',
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
