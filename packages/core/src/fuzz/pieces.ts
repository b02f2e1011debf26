// The pieces of generated stimuli: records by register name, and the script, which contains stimuli that must come next.
// All random numbers are drawn here, so that the seed decides everything.
import type { GicConfig } from '../config.ts';
import { FRAMES, NO_PE, RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch } from '../record/index.ts';
import {
  type CommandName,
  encodeCommand,
  GICD,
  GICR,
  GITS,
  mask,
  SYSREGS,
  type SysregName,
} from '../spec/index.ts';
import { SecurityDraws } from './draw-security.ts';
import { GUEST_MEMORY, QUEUE_SLOTS } from './guest-memory.ts';
import { Random } from './random.ts';

export interface GeneratorOptions {
  /** One stimulus in this many is arbitrary, with any offset, width and value. 0: none. */
  readonly wild?: number;
  /** DeviceIDs of the devices that exist; 0 to 3 if absent. */
  readonly deviceIds?: readonly [number, number, number, number];
  /** Keep all tables inside RAM (see contain.ts). */
  readonly contained?: boolean;
  /**
   * Map events and set priorities first, and set up interrupts and the ITS again from time to time. This finds more
   * differences, but fewer interrupts are acknowledged.
   */
  readonly reconfigures?: boolean;
  /** Interrupts whose input lines something else drives. */
  readonly takenIntids?: readonly number[];
  /** Make accesses from both Security states and from EL3; the configuration has two of them. */
  readonly twoStates?: boolean;
}

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const RVPEID = mask(GICR.GICR_TYPER, 'RVPEID');

const REGISTERS = { ...GICD, ...GICR, ...GITS };

export const truncated = (value: number, width: number): number =>
  width >= 4 ? value : value & (2 ** (8 * width) - 1);

export class Pieces {
  readonly random: Random;
  readonly config: GicConfig;
  readonly deviceIds: readonly number[];
  readonly reconfigures: boolean;
  readonly contained: boolean;
  readonly takenIntids: readonly number[];
  /** Undefined: accesses have no Security state, which makes them Non-secure. */
  readonly security: SecurityDraws | undefined;
  /** See {@link GeneratorOptions.wild}. If it is not 0, some operands of commands are out of range too. */
  readonly wild: number;
  /** Whether software sets GICD_CTLR.DS at some time: in every fourth seed with two Security states. */
  readonly disablesSecurity: boolean;
  /** Stimuli that come before any other stimulus is drawn. */
  readonly script: ((batch: RecordBatch) => void)[] = [];
  /** The next slot of the command queue. */
  private slot = 0;

  constructor(config: GicConfig, seed: number, options: GeneratorOptions) {
    this.random = new Random(seed);
    this.config = config;
    this.deviceIds = options.deviceIds ?? [0, 1, 2, 3];
    this.reconfigures = options.reconfigures ?? false;
    this.contained = options.contained ?? false;
    this.takenIntids = options.takenIntids ?? [];
    this.wild = options.wild ?? 6;
    this.disablesSecurity = (options.twoStates ?? false) && seed % 4 === 3;
    this.security = options.twoStates ? new SecurityDraws(this.random, config.pes.length) : undefined;
  }

  get hasIts(): boolean {
    return this.config.its.length > 0;
  }
  /** GICR_TYPER.RVPEID: the GIC has the registers of GICv4.1. */
  get byVpeid(): boolean {
    return (this.config.gicr.typer & RVPEID) !== 0;
  }
  pe(): number {
    return this.random.below(this.config.pes.length);
  }

  // ---- records, at once --------------------------------------------------------------------------------------

  push(batch: RecordBatch, kind: number, pe: number, ...words: number[]): number {
    const i = batch.push(kind, pe, Number.NaN);
    words.forEach((word, k) => {
      batch.words[i * RECORD_WORDS + k] = word;
    });
    return i;
  }

  mmio(
    batch: RecordBatch,
    write: boolean,
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low = 0,
    high = 0,
    firmware = false,
  ): void {
    const kind = write ? MMIO_WRITE : MMIO_READ;
    // The value must not be wider than the access.
    const value = write ? truncated(low, width) : 0;
    const one = frame === 1 ? instance : 0;
    const upper = write && width === 8 ? high : 0;
    const i = this.push(batch, kind, this.pe(), frame, one, offset, width, value, upper);
    if (this.security !== undefined) batch.flags[i] = firmware ? RECORD_FLAGS.secure : this.security.mmio();
  }

  sysreg(
    batch: RecordBatch,
    write: boolean,
    name: SysregName,
    low = 0,
    high = 0,
    pe = this.pe(),
    firmware = false,
  ): void {
    const { encoding } = SYSREGS[name];
    const i = this.push(batch, write ? SYSREG_WRITE : SYSREG_READ, pe, encoding, low, high);
    const { security } = this;
    if (security !== undefined)
      batch.flags[i] = firmware ? security.firmware(pe) : security.sysreg(pe, encoding);
  }

  store(batch: RecordBatch, address: number, width: number, value: number): void {
    this.push(batch, MEM_WRITE, 0, address, 0, width, value);
  }

  // ---- the script --------------------------------------------------------------------------------------------

  zeroNext(address: number, length: number): void {
    this.script.push((batch) => void this.push(batch, MEM_KNOWN, NO_PE, address, 0, length, 0));
  }
  storeNext(address: number, byte: number): void {
    this.script.push((batch) => this.store(batch, address, 1, byte));
  }
  sysregNext(name: SysregName, value: number, pe: number): void {
    this.script.push((batch) => this.sysreg(batch, true, name, value, 0, pe, true));
  }

  /** Adds a write of an element of a register to the script. `pe` is for GICR. The default width is the element's. */
  writeNext(
    register: keyof typeof REGISTERS,
    value: number | bigint,
    at: { readonly pe?: number; readonly element?: number; readonly width?: number } = {},
  ): void {
    const { offset, bytes } = REGISTERS[register];
    const { pe = 0, element = 0, width = bytes } = at;
    const frame = FRAMES.findIndex((name) => register.startsWith(name));
    const low = Number(BigInt(value) & 0xffff_ffffn);
    const high = Number(BigInt(value) >> 32n);
    this.script.push((batch) =>
      this.mmio(batch, true, frame, pe, offset + bytes * element, width, low, high, true),
    );
  }

  /** Adds to the script that a command is queued and then run. */
  commandNext(name: CommandName, operands: Readonly<Record<string, number>>): void {
    this.queueNext(encodeCommand(name, operands));
  }
  queueNext(words: Uint32Array): void {
    const address = GUEST_MEMORY.queue + 32 * this.slot;
    this.slot = (this.slot + 1) % QUEUE_SLOTS;
    this.script.push((batch) => void this.push(batch, QUEUE_WRITE, 0, 0, address, 0, ...words));
    this.writeNext('GITS_CWRITER', 32 * this.slot, { width: 4 });
  }
  /** The queue begins again: the next command goes to its first slot. */
  restartQueue(): void {
    this.slot = 0;
  }
}
