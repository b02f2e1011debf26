// What a driver can do to hardware, and what each access costs. A bus does not know the machine: the testbed gives it a
// port, which drivers cannot reach. Costs count what a driver did, never what a design claims to do.
import { NO_PE, RECORDS } from '../record/index.ts';
import { type CommandName, GICV5_SYSREGS, type Gicv5SysregName } from '../spec/index.ts';
import { CommandQueue, QUEUE_BYTES, type SentCommand } from './command-queue.ts';
import { noCosts } from './costs.ts';
import { type Addresses, type Port, placeOf, type RegisterName, type ValueOf, wordsOf } from './port.ts';

/** The address and data of a message. */
export interface Message {
  /** Physical address. */
  readonly address: number;
  readonly data: number;
}

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
/** Where drivers get their memory. It is RAM on QEMU's virt machine too, and overlaps no frame. */
const MEMORY_FROM = 0x6000_0000;

export class Bus {
  readonly costs = noCosts();
  /** Called with each command, in order, before it runs. */
  onCommand: ((command: SentCommand) => void) | undefined;
  readonly #port: Port;
  readonly #queues: CommandQueue[] = [];
  #nextMemory = MEMORY_FROM;
  /** By size: memory that was freed. */
  readonly #freed = new Map<number, number[]>();

  constructor(port: Port) {
    this.#port = port;
  }

  /** The number of blocks to which devices are connected; with ITSs, the number of ITSs. At least 1. */
  get blocks(): number {
    return this.#port.blocks;
  }
  get pes(): number {
    return this.#port.pes;
  }
  get addresses(): Addresses {
    return this.#port.addresses;
  }
  /** A PE's affinity: Aff3, Aff2, Aff1 and Aff0, one byte each. */
  affinity(pe: number): number {
    return this.#port.affinity(pe);
  }
  /** A PE's interrupt affinity identifier on a GICv5. */
  iaffid(pe: number): number {
    return this.#port.iaffid(pe);
  }

  /** Returns the address of zeroed memory. This costs nothing; a driver enters its allocations in its ledger. */
  memory(bytes: number, align = 0x1_0000): number {
    const address = this.#freed.get(bytes)?.pop() ?? this.reserve(bytes, align);
    this.zero(address, bytes);
    return address;
  }
  /** Frees memory, which the next allocation of as many bytes with the same alignment gets. */
  release(address: number, bytes: number): void {
    const freed = this.#freed.get(bytes) ?? [];
    freed.push(address);
    this.#freed.set(bytes, freed);
  }
  /** Returns the address of memory that nobody reads before it is zeroed. */
  reserve(bytes: number, align = 0x1_0000): number {
    const address = Math.ceil(this.#nextMemory / align) * align;
    this.#nextMemory = address + bytes;
    return address;
  }
  zero(address: number, bytes: number): void {
    const { low, high } = wordsOf(address);
    this.#port.stimulus(MEM_KNOWN, NO_PE, low, high, bytes, 0);
  }
  /** Writes one byte of a table in memory, or a naturally aligned word of 2, 4 or 8 bytes. */
  store(address: number, value: number | bigint, bytes = 1): void {
    this.costs.table_bytes += bytes;
    const { low, high } = wordsOf(address);
    const word = wordsOf(value);
    this.#port.stimulus(MEM_WRITE, 0, low, high, bytes, word.low, word.high);
  }

  /**
   * Writes a register, or an element of an array. `instance` is the PE for GICR, the ITS for GITS, and for a GICv5 four times
   * the IRS or ITS plus the interrupt domain; otherwise 0.
   */
  write(register: RegisterName, instance: number, value: number | bigint, element = 0): void {
    this.costs.mmio_writes++;
    const { frame, offset, bytes } = placeOf(register, element);
    const { low, high } = wordsOf(value);
    this.#port.stimulus(MMIO_WRITE, 0, frame, instance, offset, bytes, low, high);
  }

  read<Name extends RegisterName>(register: Name, instance: number, element = 0): ValueOf<Name> {
    this.costs.mmio_reads++;
    const { frame, offset, bytes } = placeOf(register, element);
    const { low, high } = this.#port.stimulus(MMIO_READ, 0, frame, instance, offset, bytes);
    return (bytes === 8 ? (BigInt(high) << 32n) | BigInt(low) : low) as ValueOf<Name>;
  }

  /** Writes the low 32 bits of a 64-bit register. */
  writeLow(register: RegisterName, instance: number, value: number): void {
    this.costs.mmio_writes++;
    const { frame, offset } = placeOf(register, 0);
    this.#port.stimulus(MMIO_WRITE, 0, frame, instance, offset, 4, value, 0);
  }
  /** Reads the low 32 bits of a 64-bit register. */
  readLow(register: RegisterName, instance: number): number {
    this.costs.mmio_reads++;
    const { frame, offset } = placeOf(register, 0);
    return this.#port.stimulus(MMIO_READ, 0, frame, instance, offset, 4).low;
  }

  /** Reads a register that must be `done`, and returns its value. @throws if it is not, since simulated hardware never waits. */
  poll<Name extends RegisterName>(
    register: Name,
    instance: number,
    done: (value: ValueOf<Name>) => boolean,
  ): ValueOf<Name> {
    this.costs.polls++;
    const value = this.read(register, instance);
    if (!done(value)) throw new Error(`invariant: ${register} is never ready`);
    return value;
  }

  /** Executes an instruction of a GICv5's CPU interface. What these do does not depend on the PE. */
  instruction(name: Gicv5SysregName & `GIC_${string}`, operand: number | bigint): void {
    this.costs.instructions++;
    const { low, high } = wordsOf(operand);
    this.#port.stimulus(SYSREG_WRITE, 0, GICV5_SYSREGS[name].encoding, low, high);
  }
  /** GSB SYS: waits until the effects of the instructions before are complete. */
  barrier(): void {
    this.costs.barriers++;
    this.#port.stimulus(SYSREG_WRITE, 0, GICV5_SYSREGS.GSB_SYS.encoding, 0, 0);
  }

  /** Allocates a command queue for an ITS and returns its address; the driver gives it to the ITS. */
  openQueue(its = 0): number {
    const address = this.memory(QUEUE_BYTES);
    this.#queues[its] = new CommandQueue(this, this.#port, its, address);
    return address;
  }
  /** Posts commands to an ITS together, and waits until it has executed them. */
  post(commands: readonly SentCommand[], its = 0): void {
    for (const command of commands) this.onCommand?.(command);
    this.#queues[its]!.post(commands);
  }
  /** Posts one command, followed by a SYNC of a PE if one is given. */
  command(name: CommandName, operands: Readonly<Record<string, number>>, sync?: number, its = 0): void {
    const commands: SentCommand[] = [{ name, operands }];
    if (sync !== undefined) commands.push({ name: 'SYNC', operands: { RDbase: sync } });
    this.post(commands, its);
  }

  /** Counts that a device is given a new message. */
  messageRewritten(): void {
    this.costs.message_rewrites++;
  }
  hypercall(): void {
    this.costs.hypercalls++;
  }
  /** Counts a message to a Hyper-V host, with its completion if it has one. */
  vmbusMessage(): void {
    this.costs.vmbus_messages++;
  }
}
