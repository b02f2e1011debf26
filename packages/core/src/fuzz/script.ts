// What is to be given next, in order: the pieces of stimuli, and what firmware and a kernel do first.
import type { GicConfig } from '../config.ts';
import { FRAMES, NO_PE, RECORD_WORDS, RECORDS, type RecordBatch } from '../record/index.ts';
import {
  type CommandName,
  encodeCommand,
  GICD,
  GICR,
  GITS,
  SYSREGS,
  type SysregName,
} from '../spec/index.ts';
import {
  DEVICES,
  EVENTS,
  FIRST_LPI,
  FIRST_SPI,
  GUEST_MEMORY,
  LPIS,
  QUEUE_SLOTS,
  SPIS,
  VPES,
} from './guest-memory.ts';
import { Random } from './random.ts';

export interface GeneratorOptions {
  /** One stimulus in so many is anything at all: any offset, width and value. 0: none. */
  readonly wild?: number;
  /** DeviceIDs of the devices there are; 0 to 3 when absent. */
  readonly deviceIds?: readonly [number, number, number, number];
  /** Keep all tables inside RAM (see contain.ts). */
  readonly contained?: boolean;
  /** Map events and set priorities first, and set interrupts and the ITS up anew now and then: finds more, acknowledges less. */
  readonly reconfigures?: boolean;
  /** Interrupt inputs that something else moves. */
  readonly takenIntids?: readonly number[];
}

export const truncated = (value: number, width: number): number =>
  width >= 4 ? value : value & (2 ** (8 * width) - 1);

/** Priorities of four interrupts from `first`, as a word of a priority register. */
const priorities = (first: number): number =>
  [0, 1, 2, 3].reduce((word, k) => (word | (((40 * (first + k)) & 0xf0) << (8 * k))) >>> 0, 0);

export class Script {
  protected readonly random: Random;
  protected readonly config: GicConfig;
  protected readonly deviceIds: readonly number[];
  protected readonly reconfigures: boolean;
  /** What is to be given before anything is drawn. */
  protected readonly script: ((batch: RecordBatch) => void)[] = [];
  private slot = 0;

  constructor(config: GicConfig, seed: number, options: GeneratorOptions) {
    this.random = new Random(seed);
    this.config = config;
    this.deviceIds = options.deviceIds ?? [0, 1, 2, 3];
    this.reconfigures = options.reconfigures ?? false;
    this.setUp();
  }

  protected push(batch: RecordBatch, kind: number, pe: number, ...words: number[]): void {
    const at = batch.push(kind, pe, Number.NaN) * RECORD_WORDS;
    words.forEach((word, k) => {
      batch.words[at + k] = word;
    });
  }

  protected mmio(
    batch: RecordBatch,
    write: boolean,
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low = 0,
    high = 0,
  ): void {
    const kind = write ? RECORDS['mmio.write'].id : RECORDS['mmio.read'].id;
    // What is written is no wider than the access.
    const value = write ? truncated(low, width) : 0;
    const one = frame === 1 ? instance : 0;
    this.push(batch, kind, this.pe(), frame, one, offset, width, value, write && width === 8 ? high : 0);
  }

  /** GICR_TYPER.RVPEID: GICv4.1's registers. */
  protected get byVpeid(): boolean {
    return (this.config.gicr.typer & 0x80) !== 0;
  }

  protected pe(): number {
    return this.random.below(this.config.pes.length);
  }

  protected sysreg(
    batch: RecordBatch,
    write: boolean,
    name: SysregName,
    low = 0,
    high = 0,
    pe = this.pe(),
  ): void {
    const kind = write ? RECORDS['sysreg.write'].id : RECORDS['sysreg.read'].id;
    this.push(batch, kind, pe, SYSREGS[name].encoding, low, high);
  }

  protected zero(address: number, length: number): void {
    this.script.push((batch) => this.push(batch, RECORDS['mem.known'].id, NO_PE, address, 0, length, 0));
  }

  protected write(
    frame: 'GICD' | 'GICR' | 'GITS',
    instance: number,
    offset: number,
    width: number,
    low: number,
    high = 0,
  ): void {
    this.script.push((batch) =>
      this.mmio(batch, true, FRAMES.indexOf(frame), instance, offset, width, low >>> 0, high >>> 0),
    );
  }

  /** What firmware and kernel do first, so that interrupts can flow. */
  private setUp(): void {
    const { config } = this;
    const m = GUEST_MEMORY;
    this.zero(m.propbase, 0x10000);
    this.zero(m.pendbase, 0x20000 * config.pes.length);
    this.write('GICD', 0, GICD.GICD_CTLR.offset, 4, 3);
    this.write('GICD', 0, GICD.GICD_IGROUPR.offset + 4, 4, 0xffff_ffff);
    this.write('GICD', 0, GICD.GICD_ISENABLER.offset + 4, 4, 0xffff_ffff);
    // Interrupts of many priorities, so that some preempt others.
    for (let n = FIRST_SPI; this.reconfigures && n < FIRST_SPI + SPIS; n += 4)
      this.write('GICD', 0, GICD.GICD_IPRIORITYR.offset + n, 4, priorities(n));
    config.pes.forEach((_, pe) => {
      for (let n = 0; this.reconfigures && n < 32; n += 4)
        this.write('GICR', pe, GICR.GICR_IPRIORITYR.offset + n, 4, priorities(n));
      this.write('GICR', pe, GICR.GICR_WAKER.offset, 4, 0);
      this.write('GICR', pe, GICR.GICR_IGROUPR.offset, 4, 0xffff_ffff);
      this.write('GICR', pe, GICR.GICR_ISENABLER.offset, 4, 0xffff_ffff);
      if (config.gicr.typer & 1) {
        this.write('GICR', pe, GICR.GICR_PROPBASER.offset, 8, m.propbase | 0xf);
        this.write('GICR', pe, GICR.GICR_PENDBASER.offset, 8, m.pendbase + 0x20000 * pe);
        this.write('GICR', pe, GICR.GICR_CTLR.offset, 4, 1);
      }
      for (const [name, value] of [
        ['ICC_PMR_EL1', 0xf0],
        ['ICC_IGRPEN0_EL1', 1],
        ['ICC_IGRPEN1_EL1', 1],
        ['ICH_VMCR_EL2', 0xf000_0003],
        ['ICH_HCR_EL2', 1],
      ] as const)
        this.script.push((batch) => this.sysreg(batch, true, name, value >>> 0, 0, pe));
    });
    if (config.its.length === 0) return;
    for (const [address, length] of [
      [m.devices, 0x10_0000],
      [m.collections, 0x10000],
      [m.queue, 0x1000],
      [m.itt, 0x1000 * DEVICES],
      [m.vpes, 0x10000],
      [m.vpt, 0x10000 * VPES],
      [m.vconf, 0x10000 * VPES],
    ] as const)
      this.zero(address, length);
    this.setUpIts();
    for (let device = 0; device < DEVICES; device++)
      this.command('MAPD', {
        DeviceID: this.deviceIds[device]!,
        Size: 2,
        ITT_addr: m.itt + 0x1000 * device,
        V: 1,
      });
    // The other half of the devices: event n of one is the LPI next to event n of the other.
    for (let device = 0; this.reconfigures && device < DEVICES / 2; device++)
      for (let event = 0; event < EVENTS; event++)
        this.command('MAPTI', {
          DeviceID: this.deviceIds[device]!,
          EventID: event,
          pINTID: FIRST_LPI + 2 * event + device,
          ICID: event % config.pes.length,
        });
    if (config.architecture !== 4) return;
    if (this.byVpeid)
      config.pes.forEach((_, pe) => {
        this.write('GICR', pe, GICR.GICR_VPROPBASER.offset, 8, m.vpes, 0x9840_0000);
      });
    for (let vpe = 0; vpe < VPES; vpe++) {
      const operands = { vPEID: vpe, RDbase: vpe % config.pes.length, V: 1, VPT_size: 15 };
      const tables = { VPT_addr: m.vpt + 0x10000 * vpe, VCONF_addr: m.vconf + 0x10000 * vpe };
      this.command('VMAPP', { ...operands, ...tables, Default_Doorbell_pINTID: FIRST_LPI + vpe });
    }
    // Half of the devices are passed through: event n is vLPI n of a vPE.
    for (let device = DEVICES / 2; device < DEVICES; device++)
      for (let event = 0; event < EVENTS; event++)
        this.command('VMAPTI', {
          DeviceID: this.deviceIds[device]!,
          EventID: event,
          vPEID: event % VPES,
          vINTID: FIRST_LPI + event,
          Dbell_pINTID: this.random.once(2) ? 1023 : FIRST_LPI + 8 + (event % 8),
        });
    for (let vpe = 0; vpe < VPES; vpe++)
      for (let n = 0; n < LPIS; n++)
        this.script.push((batch) =>
          this.push(batch, RECORDS['mem.write'].id, 0, m.vconf + 0x10000 * vpe + n, 0, 1, (n << 4) | 1),
        );
  }

  /** Tables, queue and collections of the ITS. */
  protected setUpIts(): void {
    const m = GUEST_MEMORY;
    if (this.reconfigures) this.write('GITS', 0, GITS.GITS_CTLR.offset, 4, 0);
    this.write('GITS', 0, GITS.GITS_BASER.offset, 8, m.devices | 0x207, 0x8000_0000);
    this.write('GITS', 0, GITS.GITS_BASER.offset + 8, 8, m.collections | 0x200, 0x8000_0000);
    this.write('GITS', 0, GITS.GITS_BASER.offset + 16, 8, m.vpes | 0x200, 0x8000_0000);
    this.write('GITS', 0, GITS.GITS_CBASER.offset, 8, m.queue, 0x8000_0000);
    this.slot = 0;
    this.write('GITS', 0, GITS.GITS_CTLR.offset, 4, 1);
    this.config.pes.forEach((_, pe) => {
      this.command('MAPC', { ICID: pe, RDbase: pe, V: 1 });
    });
  }

  /** Queues a command and, next, runs it. */
  protected command(name: CommandName, operands: Readonly<Record<string, number>>): void {
    this.queue(encodeCommand(name, operands));
  }

  protected queue(words: Uint32Array): void {
    const slot = this.slot;
    this.slot = (slot + 1) % QUEUE_SLOTS;
    this.script.push((batch) =>
      this.push(batch, RECORDS['queue.write'].id, 0, 0, GUEST_MEMORY.queue + 32 * slot, 0, ...words),
    );
    this.write('GITS', 0, GITS.GITS_CWRITER.offset, 4, 32 * this.slot);
  }
}
