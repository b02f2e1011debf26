// What a driver can do to hardware, and what each costs. Everything goes to a real machine: the simulator. Counts
// are what was done, never what a design is said to do.
import { Machine, step } from '../model/index.ts';
import { configOf, type Hardware } from '../profile/index.ts';
import { FRAMES, NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { type CommandName, encodeCommand, GICD, GICR, GITS, SYSREGS } from '../spec/index.ts';

export const COSTS = [
  'mmio_writes',
  'mmio_reads',
  'polls',
  'commands',
  'syncs',
  'table_bytes',
  'message_rewrites',
  'hypercalls',
] as const;
export type Cost = (typeof COSTS)[number];
export type Costs = Record<Cost, number>;

export function noCosts(): Costs {
  return Object.fromEntries(COSTS.map((name) => [name, 0])) as Costs;
}

/** Where a message goes and what it says. */
export interface Message {
  /** Physical address. */
  readonly address: number;
  readonly data: number;
}

/** A command as it was sent. */
export interface SentCommand {
  readonly name: CommandName;
  readonly operands: Readonly<Record<string, number>>;
}

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
/** Queue slots of the ITS: a queue of one page of 64 KB. */
const QUEUE_PAGES = 16;
const QUEUE_SLOTS = QUEUE_PAGES * 128;
const MEMORY_FROM = 0x1_0000_0000;

export class Bus {
  readonly machine: Machine;
  readonly costs = noCosts();
  /** Given each stimulus, one record: it is used anew for the next. */
  onStimulus: ((batch: RecordBatch) => void) | undefined;
  /** Told of each command, in order. */
  onCommand: ((command: SentCommand) => void) | undefined;
  private readonly batch = new RecordBatch(1);
  private next = MEMORY_FROM;
  private slot = 0;
  private queue = 0;

  constructor(profile: string, hardware: Hardware, pes: number) {
    this.machine = new Machine(configOf(profile, hardware, pes));
  }

  get pes(): number {
    return this.machine.state.peCount;
  }

  /** Has all that the machine shows and does given to `emitted`, in order, each after its stimulus. */
  show(emitted: (batch: RecordBatch, i: number) => void): void {
    const shown = new RecordBatch(4096);
    this.drain = () => {
      for (let i = 0; i < shown.count; i++) emitted(shown, i);
      shown.clear();
    };
    this.machine.sink = { batch: shown, events: true, full: this.drain };
  }
  private drain = () => {};

  private stimulus(kind: number, pe: number, ...words: number[]): number {
    this.batch.clear();
    const at = this.batch.push(kind, pe, Number.NaN) * RECORD_WORDS;
    words.forEach((word, k) => {
      this.batch.words[at + k] = word;
    });
    // A write is told of before what it does; a read when its value is known.
    const valueAt = kind === MMIO_READ ? 4 : kind === SYSREG_READ ? 1 : -1;
    if (valueAt < 0) this.onStimulus?.(this.batch);
    step(this.machine, this.batch, 0);
    if (valueAt >= 0 && this.onStimulus !== undefined) {
      this.batch.words.set([this.machine.low, this.machine.high], at + valueAt);
      this.onStimulus(this.batch);
    }
    this.drain();
    return this.machine.low;
  }

  /** Zeroed memory: its address. Counts nothing; what a driver allocates it tells its ledger. */
  memory(bytes: number, align = 0x1_0000): number {
    const address = Math.ceil(this.next / align) * align;
    this.next = address + bytes;
    this.stimulus(MEM_KNOWN, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), bytes, 0);
    return address;
  }

  write(
    frame: 'GICD' | 'GICR' | 'GITS',
    instance: number,
    offset: number,
    width: 4 | 8,
    low: number,
    high = 0,
  ): void {
    this.costs.mmio_writes++;
    this.stimulus(MMIO_WRITE, 0, FRAMES.indexOf(frame), instance, offset, width, low >>> 0, high >>> 0);
  }

  read(frame: 'GICD' | 'GICR' | 'GITS', instance: number, offset: number, width: 4 | 8): number {
    this.costs.mmio_reads++;
    return this.stimulus(MMIO_READ, 0, FRAMES.indexOf(frame), instance, offset, width);
  }

  /** Reads until a bit has a value. The simulator finishes at once, so a second read is a fault of ours. */
  poll(
    frame: 'GICD' | 'GICR' | 'GITS',
    instance: number,
    offset: number,
    width: 4 | 8,
    done: (low: number, high: number) => boolean,
  ): void {
    this.costs.polls++;
    this.read(frame, instance, offset, width);
    if (!done(this.machine.low >>> 0, this.machine.high >>> 0))
      throw new Error(`invariant: ${frame} ${offset} never ready`);
  }

  /** One byte of a table in memory. */
  store(address: number, byte: number): void {
    this.costs.table_bytes++;
    this.stimulus(MEM_WRITE, 0, address >>> 0, Math.floor(address / 2 ** 32), 1, byte);
  }

  /** Sets up the command queue of the ITS. */
  openQueue(): void {
    this.queue = this.memory(QUEUE_SLOTS * 32);
    this.write(
      'GITS',
      0,
      GITS.GITS_CBASER.offset,
      8,
      (this.queue % 2 ** 32) | (QUEUE_PAGES - 1),
      0x8000_0000 + Math.floor(this.queue / 2 ** 32),
    );
    this.write('GITS', 0, GITS.GITS_CWRITER.offset, 8, 0);
  }

  /** Sends a command and lets the ITS run it. */
  command(name: CommandName, operands: Readonly<Record<string, number>>): void {
    this.costs.commands++;
    if (name === 'SYNC' || name === 'VSYNC') this.costs.syncs++;
    this.onCommand?.({ name, operands });
    const address = this.queue + 32 * this.slot;
    this.stimulus(
      QUEUE_WRITE,
      0,
      0,
      address >>> 0,
      Math.floor(address / 2 ** 32),
      ...encodeCommand(name, operands),
    );
    this.slot = (this.slot + 1) % QUEUE_SLOTS;
    // The write pointer is part of the command, as Linux's queue is: not an access that a design adds.
    this.stimulus(MMIO_WRITE, 0, FRAMES.indexOf('GITS'), 0, GITS.GITS_CWRITER.offset, 8, 32 * this.slot, 0);
  }

  /** The device is given a new message. */
  messageRewritten(): void {
    this.costs.message_rewrites++;
  }

  hypercall(): void {
    this.costs.hypercalls++;
  }

  // ---- devices and PEs: not the driver's doing, and free of charge -----------------------------------------

  /** A device writes its message to memory: to whichever register is there, or to nothing. */
  deviceWrites(deviceId: number, message: Message): boolean {
    const { addresses } = this.machine.state.config;
    const its = addresses.its.findIndex((base) => message.address === base + 0x1_0040);
    if (its >= 0) {
      this.stimulus(MSI_WRITE, NO_PE, its, deviceId, message.data, 4);
      return true;
    }
    const pe = addresses.gicr.findIndex(
      (base) => message.address >= base && message.address < base + 0x1_0000,
    );
    if (pe >= 0) {
      this.stimulus(MMIO_WRITE, NO_PE, 1, pe, message.address - addresses.gicr[pe]!, 4, message.data, 0);
      return true;
    }
    if (message.address >= addresses.gicd && message.address < addresses.gicd + 0x1_0000) {
      this.stimulus(MMIO_WRITE, NO_PE, 0, 0, message.address - addresses.gicd, 4, message.data, 0);
      return true;
    }
    return false;
  }

  /** What firmware does: the GIC forwards Group 1, and every PE can take interrupts once it is online. */
  firmware(): void {
    this.stimulus(MMIO_WRITE, 0, 0, 0, GICD.GICD_CTLR.offset, 4, 3, 0);
    for (let n = 1; n < this.machine.state.irqCount / 32; n++)
      this.stimulus(MMIO_WRITE, 0, 0, 0, GICD.GICD_IGROUPR.offset + 4 * n, 4, 0xffff_ffff, 0);
  }

  /** A PE is ready to take interrupts. */
  ready(pe: number): void {
    this.stimulus(MMIO_WRITE, pe, 1, pe, GICR.GICR_WAKER.offset, 4, 0, 0);
    this.stimulus(SYSREG_WRITE, pe, SYSREGS.ICC_PMR_EL1.encoding, 0xf0);
    this.stimulus(SYSREG_WRITE, pe, SYSREGS.ICC_IGRPEN1_EL1.encoding, 1);
  }

  /** PEs on which an interrupt that is meant is pending; an SPI counts where it is routed to. */
  pendingOn(isMeant: (intid: number) => boolean): number[] {
    const { state } = this.machine;
    const found: number[] = [];
    for (let pe = 0; pe < state.peCount; pe++)
      for (const intid of state.lpiPending[pe]!) if (isMeant(intid)) found.push(pe);
    for (let intid = 32; intid < state.irqCount; intid++)
      if ((state.spi.pending[intid >>> 5]! >>> (intid & 31)) & 1 && isMeant(intid))
        found.push(state.config.pes.findIndex((pe) => pe.affinity === state.routeLow[intid]));
    return found;
  }

  /** What a PE acknowledges; it handles it and ends it at once. */
  acknowledge(pe: number): number {
    const intid = this.stimulus(SYSREG_READ, pe, SYSREGS.ICC_IAR1_EL1.encoding);
    if (intid < 1020 || intid >= 8192) this.stimulus(SYSREG_WRITE, pe, SYSREGS.ICC_EOIR1_EL1.encoding, intid);
    return intid;
  }
}
