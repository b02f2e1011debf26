// What a driver can do to hardware, and what each costs. Everything goes to a real machine: the simulator. Counts
// are what was done, never what a design is said to do.
import { restore, type SavedItem, save } from '../migrate/index.ts';
import { Machine, step } from '../model/index.ts';
import { configOf, type Hardware } from '../profile/index.ts';
import { FRAMES, NO_PE, RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { type CommandName, encodeCommand, GICD, GICR, GITS, SYSREGS } from '../spec/index.ts';
import type { MigratedPart } from './operation.ts';

export const COSTS = [
  'mmio_writes',
  'mmio_reads',
  'polls',
  'commands',
  'syncs',
  'table_bytes',
  'message_rewrites',
  'hypercalls',
  'device_writes',
  'stalls',
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
const WIRE_SET = RECORDS['wire.set'].id;
/** Queue slots of the ITS: a queue of one page of 64 KB. */
const QUEUE_PAGES = 16;
const QUEUE_SLOTS = QUEUE_PAGES * 128;
/** Where drivers get their memory: RAM of QEMU's virt machine too, and clear of every frame below. */
const MEMORY_FROM = 0x6000_0000;
/** GITS_TRANSLATER, from the base of an ITS. */
const TRANSLATER = 0x1_0040;
/** A GICv2m frame, and its MSI_SETSPI_NS (Arm Server Base System Architecture, "GICv2m"). */
export const V2M_SETSPI_NS = 0x802_0040;
/** A pre-ITS: a window in which the address says the DeviceID, four bytes each (Socionext SynQuacer). */
export const PRE_ITS = 0x5000_0000;
const PRE_ITS_BYTES = 4 << 16;
const PROCESSOR_SLEEP = 2;

/** What of a saved machine is which part of it. */
const PART_OF: Readonly<Record<SavedItem['step'], MigratedPart>> = {
  GICD: 'Distributor',
  wires: 'Distributor',
  GICR: 'Redistributors',
  ICC: 'CPU interfaces',
  ICH: 'CPU interfaces',
  memory: 'memory',
  GITS: 'ITS',
  tables: 'ITS',
  GITS_CTLR: 'ITS',
};

/** Items of one part that are not as after reset, and their bytes. */
export interface CarriedState {
  readonly part: MigratedPart;
  readonly items: number;
  readonly bytes: number;
}

export class Bus {
  machine: Machine;
  readonly costs = noCosts();
  /** Given each stimulus, one record: it is used anew for the next. */
  onStimulus: ((batch: RecordBatch) => void) | undefined;
  /** Told of each command, in order. */
  onCommand: ((command: SentCommand) => void) | undefined;
  private readonly batch = new RecordBatch(1);
  private next = MEMORY_FROM;
  /** By ITS: the next slot of its queue, and where that is. */
  private readonly slot: number[] = [];
  private readonly queue: number[] = [];

  private readonly prepare: (machine: Machine) => void;

  /** `blocks`: ITSs, where the hardware has one. `prepare` is given each machine before anything is done with it. */
  constructor(
    profile: string,
    hardware: Hardware,
    pes: number,
    blocks = 1,
    prepare: (machine: Machine) => void = () => undefined,
  ) {
    const its = hardware.its === 0 ? 0 : blocks;
    this.prepare = prepare;
    this.machine = new Machine(configOf(profile, { ...hardware, its }, pes));
    prepare(this.machine);
  }

  get blocks(): number {
    return Math.max(1, this.machine.state.itsCount);
  }

  get pes(): number {
    return this.machine.state.peCount;
  }

  /** Has all that the machine shows and does given to `emitted`, in order, each after its stimulus. */
  show(emitted: (batch: RecordBatch, i: number) => void): void {
    const shown = new RecordBatch(4096);
    this.drain = () => {
      this.tell();
      for (let i = 0; i < shown.count; i++) emitted(shown, i);
      shown.clear();
    };
    this.machine.sink = { batch: shown, events: true, full: this.drain };
  }
  private drain = () => {};

  /** Tells of the stimulus at work: before what it did, and with what it got. */
  private tell(): void {
    if (this.isTold) return;
    this.isTold = true;
    const kind = this.batch.kind[0];
    const isMmio = kind === MMIO_READ || kind === MMIO_WRITE;
    if (isMmio && this.machine.reserved) this.batch.flags[0] = RECORD_FLAGS.reserved;
    this.onStimulus?.(this.batch);
  }
  private isTold = true;

  private stimulus(kind: number, pe: number, ...words: number[]): number {
    this.batch.clear();
    const at = this.batch.push(kind, pe, Number.NaN) * RECORD_WORDS;
    words.forEach((word, k) => {
      this.batch.words[at + k] = word;
    });
    this.isTold = false;
    step(this.machine, this.batch, 0);
    if (kind === MMIO_READ || kind === SYSREG_READ) {
      const valueAt = at + (kind === MMIO_READ ? 4 : 1);
      this.batch.words.set([this.machine.low, this.machine.high], valueAt);
    }
    this.tell();
    this.drain();
    return this.machine.low;
  }

  /** Zeroed memory: its address. Counts nothing; what a driver allocates it tells its ledger. */
  memory(bytes: number, align = 0x1_0000): number {
    const address = this.reserve(bytes, align);
    this.zero(address, bytes);
    return address;
  }

  /** Room for memory that nobody looks at before it is zeroed. */
  reserve(bytes: number, align = 0x1_0000): number {
    const address = Math.ceil(this.next / align) * align;
    this.next = address + bytes;
    return address;
  }
  zero(address: number, bytes: number): void {
    this.stimulus(MEM_KNOWN, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), bytes, 0);
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

  /** Sets up the command queue of an ITS. */
  openQueue(its = 0): void {
    const queue = this.memory(QUEUE_SLOTS * 32);
    this.queue[its] = queue;
    this.slot[its] = 0;
    this.write(
      'GITS',
      its,
      GITS.GITS_CBASER.offset,
      8,
      (queue % 2 ** 32) | (QUEUE_PAGES - 1),
      0x8000_0000 + Math.floor(queue / 2 ** 32),
    );
    this.write('GITS', its, GITS.GITS_CWRITER.offset, 8, 0);
  }

  /** Sends a command and lets the ITS run it. */
  command(name: CommandName, operands: Readonly<Record<string, number>>, its = 0): void {
    this.costs.commands++;
    if (name === 'SYNC' || name === 'VSYNC') this.costs.syncs++;
    this.onCommand?.({ name, operands });
    const slot = this.slot[its]!;
    const address = this.queue[its]! + 32 * slot;
    this.stimulus(
      QUEUE_WRITE,
      0,
      its,
      address >>> 0,
      Math.floor(address / 2 ** 32),
      ...encodeCommand(name, operands),
    );
    const next = (slot + 1) % QUEUE_SLOTS;
    this.slot[its] = next;
    // The write pointer is part of the command, as Linux's queue is: not an access that a design adds.
    this.stimulus(MMIO_WRITE, 0, FRAMES.indexOf('GITS'), its, GITS.GITS_CWRITER.offset, 8, 32 * next, 0);
    // The ITS has stopped at this command or at one before it (GITS_CREADR.Stalled).
    if (this.machine.state.creadr[its] !== 32 * next) this.costs.stalls++;
  }

  /** The device is given a new message. */
  messageRewritten(): void {
    this.costs.message_rewrites++;
  }

  hypercall(): void {
    this.costs.hypercalls++;
  }

  // ---- devices and PEs: not the driver's doing, and free of charge -----------------------------------------

  /**
   * A device writes a message to memory: to whichever register is there, or to nothing. Its DeviceID comes with the
   * write at the block that it is wired to, and at no other: another ITS does not know it.
   */
  deviceWrites(deviceId: number, message: Message, block = 0): boolean {
    const { addresses } = this.machine.state.config;
    const { address, data } = message;
    const its = addresses.its.findIndex((base) => address === base + TRANSLATER);
    if (its >= 0) {
      if (its !== block) return false;
      this.stimulus(MSI_WRITE, NO_PE, its, deviceId, data, 4);
      return true;
    }
    if (address >= PRE_ITS && address < PRE_ITS + PRE_ITS_BYTES) {
      this.stimulus(MSI_WRITE, NO_PE, block, (address - PRE_ITS) / 4, data, 4);
      return true;
    }
    if (address === V2M_SETSPI_NS) {
      // The frame raises the wire of the SPI, for an edge.
      for (const level of [1, 0]) this.stimulus(WIRE_SET, NO_PE, data & 0x3ff, level);
      return true;
    }
    const pe = addresses.gicr.findIndex((base) => address >= base && address < base + 0x1_0000);
    if (pe >= 0) {
      this.stimulus(MMIO_WRITE, NO_PE, 1, pe, address - addresses.gicr[pe]!, 4, data, 0);
      return true;
    }
    if (address >= addresses.gicd && address < addresses.gicd + 0x1_0000) {
      this.stimulus(MMIO_WRITE, NO_PE, 0, 0, address - addresses.gicd, 4, data, 0);
      return true;
    }
    return false;
  }

  /** The device is told something of its own: a mask. */
  deviceWritten(): void {
    this.costs.device_writes++;
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

  /** A PE can run a guest: its virtual interface is on and masks nothing. */
  hosts(pe: number): void {
    this.stimulus(SYSREG_WRITE, pe, SYSREGS.ICH_VMCR_EL2.encoding, 0xf800_0003);
    this.stimulus(SYSREG_WRITE, pe, SYSREGS.ICH_HCR_EL2.encoding, 1);
  }

  /** Firmware takes a PE out: its CPU interface is off and its Redistributor asleep. */
  sleep(pe: number): void {
    this.stimulus(SYSREG_WRITE, pe, SYSREGS.ICC_IGRPEN1_EL1.encoding, 0);
    this.stimulus(MMIO_WRITE, pe, 1, pe, GICR.GICR_WAKER.offset, 4, PROCESSOR_SLEEP, 0);
  }

  /**
   * Saves the machine and restores it on one that has just been reset, but for a part that is left behind. Tells
   * how much of each part there was to carry.
   */
  migrate(without: MigratedPart): CarriedState[] {
    const { machine } = this;
    const { config } = machine.state;
    const saved = save(machine);
    const idOf = ({ step, name, instance, at }: SavedItem) => `${step} ${name} ${instance} ${at}`;
    const fresh = new Map(save(new Machine(config)).map((item) => [idOf(item), item]));
    const parts = new Map<MigratedPart, { items: number; bytes: number }>();
    for (const item of saved) {
      const reset = fresh.get(idOf(item));
      if (item.page === undefined && reset?.low === item.low && reset.high === item.high) continue;
      const bytes =
        item.page === undefined ? item.width : item.page.data.reduce((n, byte) => n + (byte ? 1 : 0), 0);
      if (item.page !== undefined && bytes === 0) continue;
      const part = PART_OF[item.step];
      const sum = parts.get(part) ?? { items: 0, bytes: 0 };
      sum.items++;
      sum.bytes += bytes;
      parts.set(part, sum);
    }
    const next = new Machine(config);
    this.prepare(next);
    restore(
      next,
      saved.filter((item) => PART_OF[item.step] !== without),
    );
    next.sink = machine.sink;
    this.machine = next;
    return [...parts].map(([part, sum]) => ({ part, ...sum }));
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

  /** What a guest acknowledges on a PE; it handles it and ends it at once. */
  acknowledgeVirtual(pe: number): number {
    const intid = this.stimulus(SYSREG_READ, pe, SYSREGS.ICV_IAR1_EL1.encoding);
    if (intid < 1020 || intid >= 8192) this.stimulus(SYSREG_WRITE, pe, SYSREGS.ICV_EOIR1_EL1.encoding, intid);
    return intid;
  }
}
