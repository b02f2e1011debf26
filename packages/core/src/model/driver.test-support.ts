// A guest for tests: drives a Machine as software and devices would, and looks at it as they can. Tests read like
// a driver (style: avr8js). Only tests import this.
import type { GicConfig } from '../config.ts';
import { PROFILES, type Profile } from '../profile/index.ts';
import {
  FRAMES,
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordName,
  recordName,
} from '../record/index.ts';
import {
  type CommandName,
  encodeCommand,
  GICD,
  GICR,
  GITS,
  SYSREGS,
  type SysregName,
} from '../spec/index.ts';
import { Machine } from './machine.ts';
import { step } from './step.ts';

/** Makes a profile that differs from another one in some choices, and answers its name. */
export function variant(base: string, changes: Partial<Profile>): string {
  const name = `${base}+${JSON.stringify(changes)}`;
  (PROFILES as Record<string, Profile>)[name] = { ...PROFILES[base]!, ...changes, name };
  return name;
}

/** Bits of GICD_TYPER and of GICR_TYPER that tests add to the configuration, or take from it. */
export interface TestGic {
  readonly pes?: number;
  readonly set?: number;
  readonly clear?: number;
  readonly gicr?: number;
}
export const TYPER = {
  ESPI: 0x100,
  NMI: 0x200,
  SecurityExtn: 0x400,
  MBIS: 0x1_0000,
  No1N: 0x200_0000,
  RSS: 0x400_0000,
} as const;
/** A GIC with features that the usual test GIC lacks. */
export function featured(profile: string, { pes = 2, set = 0, clear = 0, gicr = 0 }: TestGic): Driver {
  const config = testConfig(profile, pes);
  const typer = ((config.gicd.typer & ~clear) | set) >>> 0;
  return new Driver(profile, pes, {
    ...config,
    gicd: { ...config.gicd, typer },
    gicr: { ...config.gicr, typer: (config.gicr.typer | gicr) >>> 0 },
  });
}

/** A GICv3 like QEMU's virt machine has: one ITS. */
export function testConfig(profile: string, pes = 2): GicConfig {
  return {
    profile,
    architecture: 3,
    pes: Array.from({ length: pes }, (_, affinity) => ({ affinity })),
    gicd: { typer: 0x37a0007, iidr: 0x43b, pidr2: 0x3b },
    gicr: { typer: 0x1, iidr: 0x43b, pidr2: 0x3b },
    its: [
      {
        typer: '0x1f0001efb1',
        iidr: 0x43b,
        pidr2: 0x3b,
        baser: ['0x107000000000200', '0x407000000000200', '0x0', '0x0', '0x0', '0x0', '0x0', '0x0'],
      },
    ],
    priorityBits: 5,
    intidBits: 24,
    addresses: { gicd: 0x8000000, gicr: [0x80a0000], its: [0x8080000] },
  };
}

const PROPBASE = 0x4100_0000;
const PENDBASE = 0x4200_0000;
const DEVICES = 0x4300_0000;
const COLLECTIONS = 0x4400_0000;
const QUEUE = 0x4500_0000;
const ITT = 0x4600_0000;
const SLOTS = 128;

export interface Seen {
  readonly kind: RecordName;
  readonly pe: number;
  readonly words: readonly number[];
}

export class Driver {
  readonly machine: Machine;
  /** What the last stimulus caused. */
  seen: Seen[] = [];
  private readonly batch = new RecordBatch(1);
  private slot = 0;

  /** Accesses are Secure, or from EL3. */
  secure = false;
  el3 = false;

  constructor(profile: string, pes = 2, config: GicConfig = testConfig(profile, pes)) {
    this.machine = new Machine(config);
    const shown = new RecordBatch(4096);
    const drain = () => {
      for (let i = 0; i < shown.count; i++) {
        const at = i * RECORD_WORDS;
        this.seen.push({
          kind: recordName(shown.kind[i]!)!,
          pe: shown.pe[i]!,
          words: [...shown.words.subarray(at, at + RECORD_WORDS)],
        });
      }
      shown.clear();
    };
    this.machine.sink = { batch: shown, events: true, full: drain };
    this.drain = drain;
  }
  private readonly drain: () => void;

  private stimulus(kind: RecordName, pe: number, ...words: number[]): number {
    this.batch.clear();
    const i = this.batch.push(RECORDS[kind].id, pe, Number.NaN);
    words.forEach((word, k) => {
      this.batch.words[k] = word;
    });
    if (this.secure) this.batch.flags[i]! |= RECORD_FLAGS.secure;
    if (this.el3) this.batch.flags[i]! |= RECORD_FLAGS.secure | RECORD_FLAGS.el3;
    this.seen = [];
    step(this.machine, this.batch, i);
    this.drain();
    return this.machine.low;
  }

  gicd(name: keyof typeof GICD, value?: number, n = 0): number {
    return this.access(
      'GICD',
      0,
      GICD[name].offset + GICD[name].bytes * n,
      GICD[name].bytes === 1 ? 1 : 4,
      value,
    );
  }
  gicr(pe: number, name: keyof typeof GICR, value?: number, n = 0): number {
    return this.access(
      'GICR',
      pe,
      GICR[name].offset + GICR[name].bytes * n,
      GICR[name].bytes === 1 ? 1 : 4,
      value,
    );
  }
  gits(name: keyof typeof GITS, value?: number, n = 0): number {
    return this.access('GITS', 0, GITS[name].offset + GITS[name].bytes * n, 4, value);
  }
  /** An access of any width, anywhere. */
  access(
    frame: (typeof FRAMES)[number],
    instance: number,
    offset: number,
    width: number,
    value?: number,
    high = 0,
  ): number {
    const words = [FRAMES.indexOf(frame), instance, offset, width, value ?? 0, high];
    return this.stimulus(value === undefined ? 'mmio.read' : 'mmio.write', 0, ...words);
  }
  /** A 64-bit register, written whole. */
  wide(frame: 'GICR' | 'GITS' | 'GICD', instance: number, offset: number, low: number, high: number): void {
    this.access(frame, instance, offset, 8, low, high);
  }
  read(pe: number, name: SysregName): number {
    return this.stimulus('sysreg.read', pe, SYSREGS[name].encoding);
  }
  write(pe: number, name: SysregName, low: number, high = 0): void {
    this.stimulus('sysreg.write', pe, SYSREGS[name].encoding, low, high);
  }
  /** Runs accesses as Secure ones (as ones from EL3). */
  asSecure<T>(act: () => T): T {
    this.secure = true;
    try {
      return act();
    } finally {
      this.secure = false;
    }
  }
  asEl3<T>(act: () => T): T {
    this.el3 = true;
    try {
      return act();
    } finally {
      this.el3 = false;
    }
  }
  reset(pe: number): void {
    this.stimulus('pe.reset', pe);
  }
  wire(intid: number, level: boolean, pe = NO_PE): void {
    this.stimulus('wire.set', pe, intid, level ? 1 : 0);
  }
  msi(deviceId: number, eventId: number): void {
    this.stimulus('msi.write', NO_PE, 0, deviceId, eventId, 4);
  }
  store(address: number, byte: number): void {
    this.stimulus('mem.write', 0, address >>> 0, 0, 1, byte);
  }

  /** Enables both groups and every PE, as firmware and kernel do together: all SGIs and PPIs in Group 1, priority 0xa0. */
  enable(): this {
    this.gicd('GICD_CTLR', 3);
    for (let pe = 0; pe < this.machine.state.peCount; pe++) {
      this.gicr(pe, 'GICR_WAKER', 0);
      this.gicr(pe, 'GICR_IGROUPR', 0xffff_ffff);
      for (let n = 0; n < 32; n++) this.gicr(pe, 'GICR_IPRIORITYR', 0xa0, n);
      this.gicr(pe, 'GICR_ISENABLER', 0xffff_ffff);
      this.write(pe, 'ICC_PMR_EL1', 0xf8);
      this.write(pe, 'ICC_IGRPEN0_EL1', 1);
      this.write(pe, 'ICC_IGRPEN1_EL1', 1);
    }
    return this;
  }

  /** An enabled SPI in Group 1. */
  spi(intid: number, { pe = 0, priority = 0xa0, edge = true, group = 1 } = {}): void {
    const bit = 1 << (intid & 31);
    const n = intid >> 5;
    const groups = this.gicd('GICD_IGROUPR', undefined, n);
    this.gicd('GICD_IGROUPR', (group === 1 ? groups | bit : groups & ~bit) >>> 0, n);
    this.gicd('GICD_IPRIORITYR', priority, intid);
    const config = this.gicd('GICD_ICFGR', undefined, intid >> 4);
    const field = 2 << (2 * (intid & 15));
    this.gicd('GICD_ICFGR', (edge ? config | field : config & ~field) >>> 0, intid >> 4);
    this.wide('GICD', 0, GICD.GICD_IROUTER.offset + 8 * (intid - 32), pe, 0);
    this.gicd('GICD_ISENABLER', bit >>> 0, n);
  }

  /** Tables, LPIs on every PE, the ITS enabled, and a collection for each PE. */
  its(): this {
    for (const [address, length] of [
      [PROPBASE, 0x10000],
      [PENDBASE, 0x20000 * 4],
      [DEVICES, 0x10_0000],
      [COLLECTIONS, 0x10000],
      [QUEUE, 0x1000],
      [ITT, 0x10000],
    ] as const)
      this.stimulus('mem.known', NO_PE, address, 0, length, 0);
    for (let pe = 0; pe < this.machine.state.peCount; pe++) {
      this.wide('GICR', pe, GICR.GICR_PROPBASER.offset, PROPBASE | 0xf, 0);
      this.wide('GICR', pe, GICR.GICR_PENDBASER.offset, PENDBASE + 0x20000 * pe, 0);
      this.gicr(pe, 'GICR_CTLR', 1);
    }
    // 16 pages of 64 KB for 2^16 devices, 1 page for collections.
    this.wide('GITS', 0, GITS.GITS_BASER.offset, DEVICES | 0x207, 0x8000_0000);
    this.wide('GITS', 0, GITS.GITS_BASER.offset + 8, COLLECTIONS | 0x200, 0x8000_0000);
    this.wide('GITS', 0, GITS.GITS_CBASER.offset, QUEUE, 0x8000_0000);
    this.gits('GITS_CTLR', 1);
    for (let pe = 0; pe < this.machine.state.peCount; pe++)
      this.command('MAPC', { ICID: pe, RDbase: pe, V: 1 });
    return this;
  }

  /** Queues one command and has the ITS run it. Answers its outcome, or undefined if it did not run. */
  command(name: CommandName, operands: Readonly<Record<string, number>>): number | undefined {
    return this.raw(encodeCommand(name, operands));
  }

  /** Queues eight words as a command. */
  raw(words: Uint32Array): number | undefined {
    const address = QUEUE + 32 * this.slot;
    this.stimulus('queue.write', 0, 0, address, 0, ...words);
    this.slot = (this.slot + 1) % SLOTS;
    this.gits('GITS_CWRITER', 32 * this.slot);
    return this.seen.find((record) => record.kind === 'its.command')?.words[2];
  }

  /** Maps a device of 2^bits events, and one event of it. */
  map(deviceId: number, eventId: number, pintid: number, icid: number, bits = 5): void {
    this.command('MAPD', { DeviceID: deviceId, Size: bits - 1, ITT_addr: ITT + 0x1000 * deviceId, V: 1 });
    this.command('MAPTI', { DeviceID: deviceId, EventID: eventId, pINTID: pintid, ICID: icid });
  }

  /** Writes the configuration byte of an LPI; the Redistributor is not told. */
  configure(pintid: number, byte: number): void {
    this.store(PROPBASE + pintid - 8192, byte);
  }

  /** Whether an LPI is pending on a PE. */
  pending(pe: number, intid: number): boolean {
    return this.machine.state.lpiPending[pe]!.has(intid);
  }

  /** Whether something of this kind happened. */
  saw(kind: RecordName): boolean {
    return this.seen.some((record) => record.kind === kind);
  }
}
