// The hardware with a GICv3 or GICv4 on which a driver runs: a simulated machine below the driver's bus, and what firmware,
// devices, PEs and hypervisors do to it, which costs the driver nothing. Drivers cannot import this (see boundary.test.ts).
import type { GicConfig } from '../../config.ts';
import { Machine, step } from '../../model/index.ts';
import { configOf, type Hardware } from '../../profile/index.ts';
import { NO_PE, RECORDS } from '../../record/index.ts';
import {
  FRAMES,
  GICD,
  GICR,
  GITS,
  isInterrupt,
  mask,
  packFields,
  SPI_FIRST,
  SYSREGS,
  type SysregName,
} from '../../spec/index.ts';
import { Bus, type Message } from '../bus.ts';
import type { MigratedPart } from '../operation.ts';
import {
  type Addresses,
  MSI_SETSPI_NS,
  type Port,
  PRE_ITS,
  placeOf,
  type RegisterName,
  V2M,
  wordsOf,
} from '../port.ts';
import { type CarriedState, migrate } from './migration.ts';
import type { Testbed } from './shape.ts';
import { Stimuli } from './stimuli.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;

const FRAME_GICD = FRAMES.indexOf('GICD');
const PRE_ITS_BYTES = 4 << 16;
const FRAME_BYTES = 0x1_0000;

const GROUPS = mask(GICD.GICD_CTLR, 'EnableGrp0', 'EnableGrp1NS');
const SLEEP = mask(GICR.GICR_WAKER, 'ProcessorSleep');
const ENABLE = mask(SYSREGS.ICC_IGRPEN1_EL1, 'Enable');
/** Priority masks that block none, and all, of the priorities that Linux gives interrupts. */
const PRIORITY_MASK = 0xf0;
const ALL_MASKED = 0x60;
/** Priority 0xa0 for four SPIs, which Linux's GICv3 driver writes (gic_dist_config). */
const SPI_PRIORITIES = 0xa0a0_a0a0;
const VIRTUAL_INTERFACE_ON = mask(SYSREGS.ICH_HCR_EL2, 'En');
const VIRTUAL_GROUPS_ON = packFields(SYSREGS.ICH_VMCR_EL2, { VPMR: 0xf8, VENG0: 1, VENG1: 1 });

export class Gicv3Testbed extends Stimuli<Machine> implements Testbed {
  readonly bus: Bus;
  private isPrioritised = false;

  /** `blocks` is the number of ITSs, if the hardware has ITSs. `prepare` is called with each machine before it is used. */
  constructor(
    profile: string,
    hardware: Hardware,
    pes: number,
    blocks = 1,
    prepare: (machine: Machine) => void = () => undefined,
  ) {
    const its = hardware.its === 0 ? 0 : blocks;
    super(new Machine(configOf(profile, { ...hardware, its }, pes)), pes, step);
    prepare(this.machine);
    this.bus = new Bus(this.port());
  }

  get config(): GicConfig {
    return this.machine.state.config;
  }

  private port(): Port {
    const { config } = this;
    const addresses: Addresses = {
      ...config.addresses,
      ...{ translate: [], setlpi: 0, v2m: V2M, preIts: PRE_ITS },
    };
    return {
      pes: config.pes.length,
      blocks: Math.max(1, config.its.length),
      addresses,
      affinity: (pe) => config.pes[pe]!.affinity,
      iaffid: () => {
        throw new Error('invariant: only a GICv5 has IAFFIDs');
      },
      stimulus: (kind, pe, ...words) => this.stimulus(kind, pe, ...words),
    };
  }

  override reset(): void {
    super.reset();
    this.isPrioritised = false;
  }

  private write(register: RegisterName, pe: number, instance: number, value: number, element = 0): void {
    const { frame, offset, bytes } = placeOf(register, element);
    this.stimulus(MMIO_WRITE, pe, frame, instance, offset, bytes, value, 0);
  }
  private sysreg(register: SysregName, pe: number, value: number | bigint): void {
    this.stimulus(SYSREG_WRITE, pe, SYSREGS[register].encoding, wordsOf(value).low);
  }

  // ---- devices -----------------------------------------------------------------------------------------------

  /**
   * A device writes a message to an address, where there may be a register or nothing. Only the block to which the device
   * is connected sees its DeviceID; other ITSs do not know it. Returns whether there was anything at the address.
   */
  deviceWrites(deviceId: number, { address, data }: Message, block = 0): boolean {
    const { addresses } = this.config;
    const its = addresses.its.findIndex((base) => address === base + GITS.GITS_TRANSLATER.offset);
    if (its >= 0) {
      if (its !== block) return false;
      this.stimulus(MSI_WRITE, NO_PE, its, deviceId, data, 4);
      return true;
    }
    if (address >= PRE_ITS && address < PRE_ITS + PRE_ITS_BYTES) {
      this.stimulus(MSI_WRITE, NO_PE, block, (address - PRE_ITS) / 4, data, 4);
      return true;
    }
    if (address === V2M + MSI_SETSPI_NS) {
      // The frame pulses the input line of the SPI, which gives an edge.
      for (const level of [1, 0]) this.stimulus(WIRE_SET, NO_PE, data & 0x3ff, level);
      return true;
    }
    const pe = addresses.gicr.findIndex((base) => address >= base && address < base + FRAME_BYTES);
    if (pe >= 0) {
      this.stimulus(MMIO_WRITE, NO_PE, 1, pe, address - addresses.gicr[pe]!, 4, data, 0);
      return true;
    }
    if (address >= addresses.gicd && address < addresses.gicd + FRAME_BYTES) {
      this.stimulus(MMIO_WRITE, NO_PE, 0, 0, address - addresses.gicd, 4, data, 0);
      return true;
    }
    return false;
  }

  /** The mask register of a device is written. */
  deviceWritten(): void {
    this.bus.costs.device_writes++;
  }

  // ---- firmware and PEs --------------------------------------------------------------------------------------

  /** Does what firmware does: enables both groups, and puts all SPIs in Group 1. */
  firmware(): void {
    this.write('GICD_CTLR', 0, 0, GROUPS);
    for (let n = 1; n < this.machine.state.irqCount / 32; n++)
      this.write('GICD_IGROUPR', 0, 0, 0xffff_ffff, n);
  }

  /** Gives SPIs their priority, which matters once a PE masks interrupts by priority. */
  private prioritise(): void {
    if (this.isPrioritised) return;
    this.isPrioritised = true;
    for (let intid: number = SPI_FIRST; intid < this.machine.state.irqCount; intid += 4) {
      const offset = GICD.GICD_IPRIORITYR.offset + intid;
      this.stimulus(MMIO_WRITE, 0, FRAME_GICD, 0, offset, 4, SPI_PRIORITIES, 0);
    }
  }

  /** Makes a PE ready to take interrupts. */
  ready(pe: number): void {
    this.write('GICR_WAKER', pe, pe, 0);
    this.sysreg('ICC_PMR_EL1', pe, PRIORITY_MASK);
    this.sysreg('ICC_IGRPEN1_EL1', pe, ENABLE);
  }

  maskAll(pe: number, masked: boolean): void {
    this.prioritise();
    this.sysreg('ICC_PMR_EL1', pe, masked ? ALL_MASKED : PRIORITY_MASK);
  }

  isSignalled(pe: number): boolean {
    const { irq, fiq } = this.machine.state;
    return (irq[pe]! | fiq[pe]!) !== 0;
  }

  /** Makes a PE ready to run a guest: enables its virtual CPU interface, with a priority mask that blocks nothing. */
  hosts(pe: number): void {
    this.sysreg('ICH_VMCR_EL2', pe, VIRTUAL_GROUPS_ON);
    this.sysreg('ICH_HCR_EL2', pe, VIRTUAL_INTERFACE_ON);
  }

  /** Firmware takes a PE offline: disables its CPU interface and puts its Redistributor to sleep. */
  sleep(pe: number): void {
    this.sysreg('ICC_IGRPEN1_EL1', pe, 0);
    this.write('GICR_WAKER', pe, pe, SLEEP);
  }

  acknowledge(pe: number): number | undefined {
    // If nobody watches, a read that would have no effect is left out: with hundreds of PEs, nearly all are.
    const { state, sink } = this.machine;
    const isWatched = this.onStimulus !== undefined || sink !== undefined;
    if (!isWatched && !isInterrupt(state.hppiIntid[pe]!)) return undefined;
    return this.take(pe, 'ICC_IAR1_EL1', 'ICC_EOIR1_EL1');
  }

  acknowledgeVirtual(pe: number): number | undefined {
    return this.take(pe, 'ICV_IAR1_EL1', 'ICV_EOIR1_EL1');
  }

  private take(pe: number, iar: SysregName, eoir: SysregName): number | undefined {
    const { low: intid } = this.stimulus(SYSREG_READ, pe, SYSREGS[iar].encoding);
    if (!isInterrupt(intid)) return undefined;
    this.sysreg(eoir, pe, intid);
    return intid;
  }

  // ---- not visible to drivers -----------------------------------------------------------------------------------

  /**
   * Saves the machine and restores it on one that has just been reset, without the part that is left behind. Returns the
   * size of the state of each part.
   */
  migrate(without: MigratedPart): readonly CarriedState[] {
    return migrate(
      this.machine,
      without,
      (kind, pe, ...words) => this.stimulus(kind, pe, ...words),
      (items) => this.work.spend(items),
    );
  }

  /** PEs on which an interrupt for which `isMeant` holds is pending. An SPI counts on the PE to which it is routed. */
  pendingOn(isMeant: (intid: number) => boolean): number[] {
    const { state } = this.machine;
    const found: number[] = [];
    for (let pe = 0; pe < state.peCount; pe++)
      for (const intid of state.lpiPending[pe]!) if (isMeant(intid)) found.push(pe);
    for (let intid: number = SPI_FIRST; intid < state.irqCount; intid++)
      if ((state.spi.pending[intid >>> 5]! >>> (intid & 31)) & 1 && isMeant(intid))
        found.push(state.config.pes.findIndex((pe) => pe.affinity === state.routeLow[intid]));
    return found;
  }

  /** Whether a virtual pending table in memory says that a vLPI is pending. */
  isPendingInTable(table: number, vintid: number): boolean {
    return ((this.machine.state.memory.readByte(table + (vintid >>> 3)) >>> (vintid & 7)) & 1) === 1;
  }
}
