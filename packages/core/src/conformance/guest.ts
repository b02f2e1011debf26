// A guest: drives a GIC as software and devices do, and sees only what they can see. Conformance behaviours and tests use
// it, so that they read like a driver.
import type { GicConfig } from '../config.ts';
import { Machine } from '../model/machine.ts';
import { step } from '../model/step.ts';
import {
  FRAMES,
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordName,
  recordName,
  SECURITY_STATES,
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

export const PROPBASE = 0x4100_0000;
export const PENDBASE = 0x4200_0000;
export const DEVICES = 0x4300_0000;
const COLLECTIONS = 0x4400_0000;
export const QUEUE = 0x4500_0000;
export const ITT = 0x4600_0000;
export const VPES = 0x4700_0000;
/** Virtual pending and configuration tables of the vPEs, one stride apart. */
const VPT = 0x4800_0000;
const VCONF = 0x4900_0000;
const VPE_STRIDE = 0x1_0000;
const SLOTS = 128;

export interface Seen {
  readonly kind: RecordName;
  readonly pe: number;
  readonly words: readonly number[];
}

export class Guest {
  readonly machine: Machine;
  /** What the last stimulus caused: observables and events. */
  seen: Seen[] = [];
  private readonly batch = new RecordBatch(1);
  /** Called with each stimulus and its response, for recording. */
  tap: ((batch: RecordBatch) => void) | undefined;
  /** Whether accesses are Secure; whether they are from EL3; and whether SCR_EL3.NS is 1 there. */
  secure = false;
  el3 = false;
  el3NonSecure = false;

  private slot = 0;

  constructor(config: GicConfig) {
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
    if (this.el3NonSecure) this.batch.flags[i]! |= RECORD_FLAGS.el3;
    this.seen = [];
    step(this.machine, this.batch, i);
    this.drain();
    const at = kind === 'mmio.read' ? 4 : kind === 'sysreg.read' ? 1 : -1;
    if (at >= 0) {
      this.batch.words[at] = this.machine.low;
      this.batch.words[at + 1] = this.machine.high;
    }
    this.tap?.(this.batch);
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
  /** Makes the accesses in `act` Secure. */
  asSecure<T>(act: () => T): T {
    this.secure = true;
    try {
      return act();
    } finally {
      this.secure = false;
    }
  }
  /** Makes the accesses in `act` from EL3. */
  asEl3<T>(act: () => T): T {
    this.el3 = true;
    try {
      return act();
    } finally {
      this.el3 = false;
    }
  }
  /** Makes the accesses in `act` from EL3 with SCR_EL3.NS = 1. */
  asEl3NonSecure<T>(act: () => T): T {
    this.el3NonSecure = true;
    try {
      return act();
    } finally {
      this.el3NonSecure = false;
    }
  }
  /** A PE enters another Security state or EL3. `fiq` is its SCR_EL3.FIQ from then on. */
  switch(pe: number, state: (typeof SECURITY_STATES)[number], fiq = 1): void {
    this.stimulus('pe.switch', pe, SECURITY_STATES.indexOf(state), fiq);
  }
  /** The machine is reset. */
  resetMachine(): void {
    this.stimulus('gic.reset', NO_PE, 0);
  }
  /** A PE is reset. */
  reset(pe: number): void {
    this.stimulus('pe.reset', pe);
  }
  wire(intid: number, level: boolean, pe = NO_PE): void {
    this.stimulus('wire.set', pe, intid, level ? 1 : 0);
  }
  msi(deviceId: number, eventId: number, width = 4, its = 0): void {
    this.stimulus('msi.write', NO_PE, its, deviceId, eventId, width);
  }
  store(address: number, byte: number): void {
    this.stimulus('mem.write', 0, address >>> 0, 0, 1, byte);
  }

  /** Enables both groups and every PE, as firmware and kernel do: all SGIs and PPIs in Group 1 with priority 0xa0. */
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

  /** Configures and enables an SPI, by default in Group 1. */
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

  /** Makes memory known to be zero. */
  zero(address: number, length: number): void {
    this.stimulus('mem.known', NO_PE, address, 0, length, 0);
  }

  /** Makes the contents of memory unknown. */
  forget(address: number, length: number): void {
    this.stimulus('mem.unknown', NO_PE, address, 0, length);
  }

  /** Allocates LPI tables and enables LPIs on every PE. */
  lpis(): this {
    this.zero(PROPBASE, 0x10000);
    this.zero(PENDBASE, 0x20000 * this.machine.state.peCount);
    for (let pe = 0; pe < this.machine.state.peCount; pe++) {
      this.wide('GICR', pe, GICR.GICR_PROPBASER.offset, PROPBASE | 0xf, 0);
      this.wide('GICR', pe, GICR.GICR_PENDBASER.offset, PENDBASE + 0x20000 * pe, 0);
      this.gicr(pe, 'GICR_CTLR', 1);
    }
    return this;
  }

  /** Enables LPIs and the ITS, with tables and a collection for each PE. */
  its(): this {
    return this.lpis().itsOnly();
  }

  /** Like its(), but without the LPI tables of the PEs. */
  itsOnly(): this {
    this.zero(DEVICES, 0x10_0000);
    this.zero(COLLECTIONS, 0x10000);
    this.zero(QUEUE, 0x1000);
    this.zero(ITT, 0x10000);
    // 16 pages of 64 KB for 2^16 devices, 1 page for collections.
    this.wide('GITS', 0, GITS.GITS_BASER.offset, DEVICES | 0x207, 0x8000_0000);
    this.wide('GITS', 0, GITS.GITS_BASER.offset + 8, COLLECTIONS | 0x200, 0x8000_0000);
    this.wide('GITS', 0, GITS.GITS_CBASER.offset, QUEUE, 0x8000_0000);
    this.gits('GITS_CTLR', 1);
    for (let pe = 0; pe < this.machine.state.peCount; pe++)
      this.command('MAPC', { ICID: pe, RDbase: pe, V: 1 });
    return this;
  }

  /** Sets up GICv4: the vPE table, and for each vPE n a pending table at vpt(n) and a configuration table at vconf(n). */
  virtual(vpes = 3): this {
    const by41 = this.byVpeid;
    for (const [address, length] of [
      [VPES, 0x10000],
      [VPT, VPE_STRIDE * vpes],
      [VCONF, VPE_STRIDE * vpes],
    ] as const)
      this.zero(address, length);
    this.disableIts();
    this.wide('GITS', 0, GITS.GITS_BASER.offset + 16, VPES | 0x200, 0x8000_0000);
    this.gits('GITS_CTLR', 1);
    // GICv4.1 uses the same table: one page of 64 KB, with entries of four doublewords.
    if (by41)
      for (let pe = 0; pe < this.machine.state.peCount; pe++)
        this.wide('GICR', pe, GICR.GICR_VPROPBASER.offset, VPES, 0x9840_0000);
    for (let vpe = 0; vpe < vpes; vpe++) this.mapVpe(vpe, 0);
    return this;
  }

  /** Disables the ITS and waits until it is quiescent. */
  private disableIts(): void {
    this.gits('GITS_CTLR', 0);
    this.gits('GITS_CTLR');
  }

  /** GICR_TYPER.RVPEID: the GIC has the registers of GICv4.1. */
  get byVpeid(): boolean {
    return (this.machine.state.config.gicr.typer & 0x80) !== 0;
  }

  vpt(vpe: number): number {
    return VPT + VPE_STRIDE * vpe;
  }
  vconf(vpe: number): number {
    return VCONF + VPE_STRIDE * vpe;
  }

  /** Maps vPE n, with 16 bits of vINTID, to a PE. */
  mapVpe(vpe: number, pe: number, doorbell = 1023): number | undefined {
    return this.command('VMAPP', {
      vPEID: vpe,
      RDbase: pe,
      V: 1,
      VPT_addr: this.vpt(vpe),
      VPT_size: 15,
      ...(this.byVpeid
        ? { VCONF_addr: this.vconf(vpe), Default_Doorbell_pINTID: doorbell, Alloc: 1, PTZ: 1 }
        : {}),
    });
  }

  /** Maps a device of 32 events, and one of its events to a vLPI that is enabled with priority 0xa0. */
  mapVirtual(deviceId: number, eventId: number, vpe: number, vintid: number, doorbell = 1023): void {
    this.mapDevice(deviceId, 5);
    this.store(this.vconf(vpe) + vintid - 8192, 0xa1);
    this.command('VMAPTI', {
      DeviceID: deviceId,
      EventID: eventId,
      vPEID: vpe,
      vINTID: vintid,
      Dbell_pINTID: doorbell,
    });
  }

  /** Makes vPE n resident on a PE, and enables the virtual CPU interface. */
  schedule(vpe: number, pe: number): void {
    if (this.byVpeid) this.wide('GICR', pe, GICR.GICR_VPENDBASER.offset, vpe, 0x8c00_0000);
    else {
      this.wide('GICR', pe, GICR.GICR_VPROPBASER.offset, this.vconf(vpe) | 0xf, 0);
      this.wide('GICR', pe, GICR.GICR_VPENDBASER.offset, this.vpt(vpe), 0x8000_0000);
    }
  }

  /** Ends the residency of a PE's vPE and returns PendingLast. */
  deschedule(vpe: number, pe: number, doorbell = false): boolean {
    const low = this.byVpeid ? vpe : this.vpt(vpe);
    this.wide('GICR', pe, GICR.GICR_VPENDBASER.offset, low, doorbell ? 0x4000_0000 : 0);
    this.access('GICR', pe, GICR.GICR_VPENDBASER.offset, 8);
    return (this.machine.high & 0x2000_0000) !== 0;
  }

  /** Enables the virtual CPU interface of a PE, for both groups and without a priority mask. */
  enableVirtual(pe: number): void {
    this.write(pe, 'ICH_VMCR_EL2', 0xf800_0003);
    this.write(pe, 'ICH_HCR_EL2', 1);
  }

  /** Whether a vINTID's bit is set in the pending table of vPE n. */
  vpending(vpe: number, vintid: number): boolean {
    return ((this.machine.state.memory.readByte(this.vpt(vpe) + (vintid >> 3)) >> (vintid & 7)) & 1) === 1;
  }

  /** Queues one command and lets the ITS run it. Returns its outcome, or undefined if it did not run. */
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

  /** Writes another command into a slot of the queue. */
  rewrite(slot: number, name: CommandName, operands: Readonly<Record<string, number>>): void {
    this.queue(slot, encodeCommand(name, operands));
  }

  /** Writes eight words into a slot of the queue. */
  queue(slot: number, words: Uint32Array): void {
    this.stimulus('queue.write', 0, 0, QUEUE + 32 * slot, 0, ...words);
  }

  /** The slot of the queue for the next command. */
  get nextSlot(): number {
    return this.slot;
  }

  /** Lets the ITS run the next slots of the queue with their contents in memory. */
  advance(count = 1): void {
    this.slot = (this.slot + count) % SLOTS;
    this.gits('GITS_CWRITER', 32 * this.slot);
  }

  /** Makes a stalled queue skip the command that failed, as software must: overwrites it with a SYNC and retries. */
  skipStalled(): void {
    this.rewrite((this.gits('GITS_CREADR') & ~1) / 32, 'SYNC', { RDbase: 0 });
    this.gits('GITS_CWRITER', (this.gits('GITS_CWRITER') | 1) >>> 0);
  }

  /** Gives the ITS a two-level device table in which only the first level-2 table exists. */
  indirectDevices(): void {
    const level1 = 0x4a00_0000;
    const level2 = 0x4a01_0000;
    this.disableIts();
    this.zero(level1, 0x10000);
    this.zero(level2, 0x10000);
    this.stimulus('mem.write', 0, level1, 0, 8, level2, 0x8000_0000);
    this.wide('GITS', 0, GITS.GITS_BASER.offset, level1 | 0x200, 0xc000_0000);
    this.gits('GITS_CTLR', 1);
  }

  /** Enables the second ITS, with its own tables. */
  second(): void {
    const tables = 0x4b00_0000;
    this.zero(tables, 0x40_0000);
    this.access('GITS', 1, GITS.GITS_BASER.offset, 8, tables | 0x207, 0x8000_0000);
    this.access('GITS', 1, GITS.GITS_BASER.offset + 8, 8, (tables + 0x10_0000) | 0x200, 0x8000_0000);
    this.access('GITS', 1, GITS.GITS_CBASER.offset, 8, tables + 0x20_0000, 0x8000_0000);
    this.access('GITS', 1, GITS.GITS_CTLR.offset, 4, 1);
  }

  /** Maps a device of 2^bits events, unless it is mapped already. */
  private mapDevice(deviceId: number, bits: number): void {
    if (this.devices.has(deviceId)) return;
    this.devices.add(deviceId);
    this.command('MAPD', { DeviceID: deviceId, Size: bits - 1, ITT_addr: ITT + 0x1000 * deviceId, V: 1 });
  }
  private readonly devices = new Set<number>();

  /** Maps a device of 2^bits events, and one of its events. */
  map(deviceId: number, eventId: number, pintid: number, icid: number, bits = 5): void {
    this.mapDevice(deviceId, bits);
    this.command('MAPTI', { DeviceID: deviceId, EventID: eventId, pINTID: pintid, ICID: icid });
  }

  /** Writes the configuration byte of an LPI, without an INV. */
  configure(pintid: number, byte: number): void {
    this.store(PROPBASE + pintid - 8192, byte);
  }

  /** Whether an LPI is pending on a PE. */
  pending(pe: number, intid: number): boolean {
    return this.machine.state.lpiPending[pe]!.has(intid);
  }

  /** Whether the last stimulus caused a record of this kind. */
  saw(kind: RecordName): boolean {
    return this.seen.some((record) => record.kind === kind);
  }
}
