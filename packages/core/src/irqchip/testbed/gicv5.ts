// The hardware with a GICv5 on which a driver runs, and what devices and PEs do to it. See testbed.ts, which has the same for
// GICv3 and GICv4.
import type { Gicv5Config } from '../../config-gicv5.ts';
import { Gicv5Machine, gicv5Step } from '../../gicv5/index.ts';
import { FRAMES, NO_PE, RECORDS } from '../../record/index.ts';
import { GICV5_SYSREGS, GICV5_TYPES, type Gicv5SysregName, gicv5Intid } from '../../spec/index.ts';
import { Bus, type Message } from '../bus.ts';
import type { Gicv5Hardware } from '../driver.ts';
import { MSI_SETSPI_NS, type Port, PRE_ITS, V2M } from '../port.ts';
import type { Testbed } from './shape.ts';
import { Stimuli } from './stimuli.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const FRAME_SETLPI = FRAMES.indexOf('SETLPI');
const NON_SECURE = 1;

/** The frames, where QEMU's virt machine has that of its IRS. An ITS has two frames of 64 KB. */
const IRS = 0x801_0000;
const SETLPI = 0x803_0000;
const FIRST_ITS = 0x810_0000;
const ITS_BYTES = 0x2_0000;
const FRAME_BYTES = 0x1_0000;
/** Arm. */
const IMPLEMENTER = 0x43b;
const PENDING = 1;
const IAFFID_LSB = 16;
const VALID = 1;
const LOWEST_PRIORITY = 0x1f;

/** Identification registers as those of QEMU 11.1; ITSs with 16 bits of DeviceID and of EventID and two-level tables. */
function configOf(
  profile: string,
  { its, setlpi, spis }: Gicv5Hardware,
  pes: number,
  blocks: number,
): Gicv5Config {
  return {
    profile,
    architecture: 5,
    pes: Array.from({ length: pes }, (_, n) => ({ affinity: n, iaffid: n })),
    irs: [
      {
        idr: [0x1c | (setlpi ? 0x200 : 0), 0x4f_0000 | pes, 0x3fb8, 0, 0, spis, spis, 0],
        iidr: IMPLEMENTER,
        aidr: 0,
        frames: [{ domain: NON_SECURE, address: IRS, ...(setlpi ? { setlpi: SETLPI } : {}) }],
      },
    ],
    its: Array.from({ length: its === 0 ? 0 : blocks }, (_, n) => ({
      ...{ idr: [0x1c, 0x1d0, 0x10], iidr: IMPLEMENTER, aidr: 0x100 },
      frames: [
        {
          domain: NON_SECURE,
          address: FIRST_ITS + n * ITS_BYTES,
          translate: FIRST_ITS + n * ITS_BYTES + FRAME_BYTES,
        },
      ],
    })),
    cpuif: { idr0: 0x41, hmr: ['0xfffffffffffffff7', '0xffffffffffffffff'] },
  };
}

export class Gicv5Testbed extends Stimuli<Gicv5Machine> implements Testbed {
  readonly bus: Bus;
  private readonly blocks: number;

  /** `blocks` is the number of ITSs, if the hardware has ITSs. `prepare` is called with the machine before it is used. */
  constructor(
    profile: string,
    hardware: Gicv5Hardware,
    pes: number,
    blocks = 1,
    prepare: (machine: Gicv5Machine) => void = () => undefined,
  ) {
    super(new Gicv5Machine(configOf(profile, hardware, pes, blocks)), pes, gicv5Step);
    this.blocks = blocks;
    prepare(this.machine);
    this.bus = new Bus(this.port());
  }

  get config(): Gicv5Config {
    return this.machine.state.config;
  }

  private get translate(): readonly number[] {
    return (this.config.its ?? []).map(({ frames }) => frames[0]!.translate);
  }

  private port(): Port {
    const { config } = this;
    const its = config.its ?? [];
    return {
      pes: config.pes.length,
      blocks: this.blocks,
      addresses: {
        ...{ gicd: 0, gicr: [], v2m: V2M, preIts: PRE_ITS },
        its: its.map(({ frames }) => frames[0]!.address),
        translate: this.translate,
        setlpi: config.irs[0]!.frames[0]!.setlpi ?? 0,
      },
      affinity: (pe) => config.pes[pe]!.affinity,
      iaffid: (pe) => config.pes[pe]!.iaffid,
      stimulus: (kind, pe, ...words) => this.stimulus(kind, pe, ...words),
    };
  }

  private sysreg(register: Gicv5SysregName, pe: number, value = 0): void {
    this.stimulus(SYSREG_WRITE, pe, GICV5_SYSREGS[register].encoding, value, 0);
  }

  /** A device writes to the ITS to which it is connected, to the SETLPI frame, or to a frame that raises SPIs. */
  deviceWrites(deviceId: number, { address, data }: Message, block = 0): boolean {
    const its = this.translate.indexOf(address);
    if (its >= 0) {
      if (its !== block) return false;
      this.stimulus(MSI_WRITE, NO_PE, its, deviceId, data, 4);
      return true;
    }
    if (this.config.irs[0]!.frames[0]!.setlpi === address) {
      this.stimulus(MMIO_WRITE, NO_PE, FRAME_SETLPI, NON_SECURE, 0, 4, data, 0);
      return true;
    }
    if (address === V2M + MSI_SETSPI_NS) {
      const spi = gicv5Intid(GICV5_TYPES.SPI, data & 0x3ff);
      for (const level of [1, 0]) this.stimulus(WIRE_SET, NO_PE, spi, level);
      return true;
    }
    return false;
  }

  deviceWritten(): void {
    this.bus.costs.device_writes++;
  }

  /** All SPIs reset to the Non-secure domain, and every PE is connected to the IRS. */
  firmware(): void {}

  ready(pe: number): void {
    this.sysreg('ICC_PCR_EL1', pe, LOWEST_PRIORITY);
    this.sysreg('ICC_CR0_EL1', pe, 1);
  }

  maskAll(pe: number, masked: boolean): void {
    this.sysreg('ICC_PCR_EL1', pe, masked ? 0 : LOWEST_PRIORITY);
  }

  isSignalled(pe: number): boolean {
    return this.machine.state.signal[pe] !== 0;
  }

  /** No design on a GICv5 serves vPEs: virtual machines are not modelled. */
  hosts(): void {}

  sleep(pe: number): void {
    this.sysreg('ICC_CR0_EL1', pe, 0);
    this.stimulus(PE_RESET, pe);
  }

  /** As Linux does: the priority is dropped at once, and the interrupt is deactivated when it has been handled. */
  acknowledge(pe: number): number | undefined {
    const { low: intid, high } = this.stimulus(SYSREG_READ, pe, GICV5_SYSREGS.GICR_CDIA.encoding);
    if ((high & VALID) === 0) return undefined;
    this.sysreg('GSB_ACK', pe);
    this.sysreg('GIC_CDEOI', pe);
    this.sysreg('GIC_CDDI', pe, intid);
    return intid;
  }

  acknowledgeVirtual(): undefined {
    return undefined;
  }

  migrate(): undefined {
    return undefined;
  }

  pendingOn(isMeant: (intid: number) => boolean): number[] {
    const { state } = this.machine;
    const found: number[] = [];
    const add = (intid: number, iaffid: number) => {
      const pe = state.peByIaffid.get(iaffid);
      if (pe !== undefined && isMeant(intid)) found.push(pe);
    };
    for (const [id, iste] of state.lpis)
      if ((iste & PENDING) !== 0) add(gicv5Intid(GICV5_TYPES.LPI, id), iste >>> IAFFID_LSB);
    for (let spi = 0; spi < state.spiCount; spi++)
      if ((state.spi.pending[spi >> 5]! >>> (spi & 31)) & 1)
        add(gicv5Intid(GICV5_TYPES.SPI, state.spiBase + spi), state.spiTarget[spi]! & 0xffff);
    return found;
  }

  isPendingInTable(): boolean {
    return false;
  }
}
