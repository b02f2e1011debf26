// A GICv5 and a driver for it, for tests: two PEs with IAFFIDs 0 and 1, 64 SPIs, one frame.
import type { Gicv5Config } from '../config-gicv5.ts';
import { FRAMES, NO_PE, RECORD_WORDS, RECORDS, RecordBatch, type RecordName } from '../record/index.ts';
import {
  GICV5_SYSREGS,
  GICV5_TYPES,
  type Gicv5SysregName,
  gicv5Intid,
  IRS,
  ITS,
  IWB,
} from '../spec/gicv5/index.ts';
import { Gicv5Machine } from './machine.ts';
import { gicv5Step } from './step.ts';

export const ppi = (id: number) => gicv5Intid(GICV5_TYPES.PPI, id);
export const spi = (id: number) => gicv5Intid(GICV5_TYPES.SPI, id);
export const lpi = (id: number) => gicv5Intid(GICV5_TYPES.LPI, id);

/** The identification registers of QEMU 11.1 with two PEs and 64 SPIs. */
export function gicv5Config(profile: string, pes = 2): Gicv5Config {
  return {
    profile,
    architecture: 5,
    pes: Array.from({ length: pes }, (_, n) => ({ affinity: n, iaffid: n })),
    irs: [
      {
        idr: [0x1c, 0x4f_0000 | pes, 0x3fb8, 0, 0, 64, 64, 0],
        iidr: 0xfff0_043b,
        aidr: 0,
        frames: [{ domain: 1, address: 0x801_0000 }],
      },
    ],
    cpuif: { idr0: 0x41, hmr: ['0xfffffffffffffff7', '0xffffffffffffffff'] },
  };
}

/** The same with SETLPI frame, ITS and IWB: 16 bits of DeviceID and EventID, two-level tables; the IWB's DeviceID is 7. */
export function gicv5WithIts(profile = 'gicv5-architecture', pes = 2): Gicv5Config {
  const config = gicv5Config(profile, pes);
  const irs = config.irs[0]!;
  return {
    ...config,
    irs: [{ ...irs, idr: irs.idr.with(0, 0x21c), frames: [{ ...irs.frames[0]!, setlpi: 0x802_0000 }] }],
    its: [
      {
        ...{ idr: [0x14, 0x1d0, 0x10], iidr: 0x43b, aidr: 0x100 },
        frames: [{ domain: 1, address: 0x803_0000, translate: 0x804_0000 }],
      },
    ],
    iwb: [
      {
        ...{ idr0: 1, iidr: 0x43b, aidr: 0x200, its: 0, deviceId: 7 },
        frames: [{ domain: 1, address: 0x805_0000 }],
      },
    ],
  };
}

/** The instance of the Non-secure frame. */
export const FRAME = 1;

export class Driver {
  readonly machine: Gicv5Machine;
  /** What the last stimulus caused. */
  readonly shown = new RecordBatch(4096);
  private readonly batch = new RecordBatch(1);

  constructor(profile: string | Gicv5Config = 'gicv5-architecture', pes = 2) {
    this.machine = new Gicv5Machine(typeof profile === 'string' ? gicv5Config(profile, pes) : profile);
    this.machine.sink = { batch: this.shown, events: true, full: () => this.shown.clear() };
  }

  do(kind: RecordName, pe: number, ...words: number[]): bigint {
    this.batch.clear();
    this.batch.push(RECORDS[kind].id, pe, Number.NaN);
    this.batch.words.set(words);
    this.shown.clear();
    gicv5Step(this.machine, this.batch, 0);
    return (BigInt(this.machine.high) << 32n) | BigInt(this.machine.low >>> 0);
  }

  irs(register: keyof typeof IRS, value?: number | bigint): bigint {
    const { offset } = IRS[register];
    const width = register === 'IRS_IST_BASER' ? 8 : 4;
    const words = [FRAMES.indexOf('IRS'), FRAME, offset, width];
    if (value === undefined) return this.do('mmio.read', NO_PE, ...words);
    const wide = BigInt(value);
    return this.do('mmio.write', NO_PE, ...words, Number(wide & 0xffff_ffffn), Number(wide >> 32n));
  }

  its(register: keyof typeof ITS, value?: number | bigint): bigint {
    const { offset, bytes } = ITS[register];
    const words = [FRAMES.indexOf('ITS'), FRAME, offset, bytes];
    if (value === undefined) return this.do('mmio.read', NO_PE, ...words);
    const [low, high] = [Number(BigInt(value) & 0xffff_ffffn), Number(BigInt(value) >> 32n)];
    return this.do('mmio.write', NO_PE, ...words, low, high);
  }

  iwb(register: keyof typeof IWB, n: number, value?: number): bigint {
    const words = [FRAMES.indexOf('IWB'), FRAME, IWB[register].offset + 4 * n, 4];
    return value === undefined
      ? this.do('mmio.read', NO_PE, ...words)
      : this.do('mmio.write', NO_PE, ...words, value);
  }

  /** Stores 64 bits. */
  store(address: number, value: bigint): void {
    this.do('mem.write', 0, address, 0, 8, Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  message(device: number, event: number): void {
    this.do('msi.write', NO_PE, 0, device, event, 4);
  }

  write(pe: number, register: Gicv5SysregName, low = 0, high = 0): void {
    this.do('sysreg.write', pe, GICV5_SYSREGS[register].encoding, low, high);
  }

  read(pe: number, register: Gicv5SysregName): bigint {
    return this.do('sysreg.read', pe, GICV5_SYSREGS[register].encoding);
  }

  /** GICR CDIA: the INTID, or 0. */
  acknowledge(pe: number): number {
    return Number(this.read(pe, 'GICR_CDIA') & 0xffff_ffffn);
  }

  line(intid: number, level: number, pe = NO_PE): void {
    this.do('wire.set', pe, intid, level);
  }

  /** The CPU interfaces and the IRS on, all priorities admitted. A PPI is touched first, as the profile of QEMU needs it. */
  start(): this {
    this.irs('IRS_CR0', 1);
    this.irs('IRS_CR0');
    for (let pe = 0; pe < this.machine.state.peCount; pe++) {
      this.write(pe, 'ICC_PPI_ENABLER0_EL1');
      this.write(pe, 'ICC_CR0_EL1', 1);
      this.write(pe, 'ICC_PCR_EL1', 0x1f);
    }
    return this;
  }

  /** A linear table of 14 bits of LPI at 0x4000_0000, all zero. */
  table(twoLevel = false): this {
    this.do('mem.known', NO_PE, 0x4000_0000, 0, 0x10_0000, 0);
    if (twoLevel) this.do('mem.write', NO_PE, 0x4000_0000, 0, 8, 0x4001_0000, 0);
    this.irs('IRS_IST_CFGR', 14 | (twoLevel ? 0x1_0000 : 0));
    this.irs('IRS_IST_BASER', 0x4000_0001n);
    return this;
  }

  /** An interrupt with a priority and a target, enabled. */
  set(intid: number, priority: number, iaffid = 0): void {
    this.write(0, 'GIC_CDPRI', intid, priority << 3);
    this.write(0, 'GIC_CDAFF', intid, iaffid);
    this.write(0, 'GIC_CDEN', intid);
  }

  /** GIC CDPEND. */
  pend(intid: number, pending = 1): void {
    this.write(0, 'GIC_CDPEND', intid, pending);
  }

  /** IRQ, FIQ and NMI of a PE as the model has them. */
  signal(pe: number): number {
    return this.machine.state.signal[pe]!;
  }

  /** ICC_ICSR_EL1 after GIC CDRCFG. */
  config(intid: number): bigint {
    this.write(0, 'GIC_CDRCFG', intid);
    return this.read(0, 'ICC_ICSR_EL1');
  }

  word(address: number): number {
    return this.machine.state.memory.readWord(address);
  }

  /** The names of what the last stimulus caused, events included. */
  names(): string[] {
    const names = Object.entries(RECORDS);
    return Array.from({ length: this.shown.count }, (_, i) => {
      const found = names.find(([, { id }]) => id === this.shown.kind[i]);
      return found?.[0] ?? '?';
    });
  }

  /** The words of record `i` of what was caused. */
  words(i: number): number[] {
    return [...this.shown.words.subarray(i * RECORD_WORDS, i * RECORD_WORDS + 8)];
  }
}
