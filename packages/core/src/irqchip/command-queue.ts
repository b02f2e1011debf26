// The command queue of an ITS on the driver's side, with the accesses by which Linux posts commands (its_allocate_entry,
// its_post_commands and its_wait_for_range_completion of drivers/irqchip/irq-gic-v3-its.c).
import { RECORDS } from '../record/index.ts';
import { type CommandName, encodeCommand, GITS, mask } from '../spec/index.ts';
import type { Bus } from './bus.ts';
import { type Port, wordsOf } from './port.ts';

/** A command as it was sent. */
export interface SentCommand {
  readonly name: CommandName;
  readonly operands: Readonly<Record<string, number>>;
}

const QUEUE_WRITE = RECORDS['queue.write'].id;
const COMMAND_BYTES = 32;
const STALLED = mask(GITS.GITS_CREADR, 'Stalled');
/** Pages of 4 KB, as GITS_CBASER.Size counts them. */
export const QUEUE_PAGES = 16;
export const QUEUE_BYTES = QUEUE_PAGES * 4096;

export class CommandQueue {
  private readonly bus: Bus;
  private readonly port: Port;
  private readonly its: number;
  private readonly address: number;
  /** Offset of the next command, in bytes from the start of the queue. */
  private writer = 0;

  /** `address` is that of {@link QUEUE_BYTES} bytes, aligned to 64 KB, that the ITS uses as its queue. */
  constructor(bus: Bus, port: Port, its: number, address: number) {
    this.bus = bus;
    this.port = port;
    this.its = its;
    this.address = address;
  }

  /** Offset of the next command that the ITS executes, with GITS_CREADR.Stalled in bit 0. A 32-bit read. */
  private reader(): number {
    return this.bus.readLow('GITS_CREADR', this.its);
  }

  /** Writes a command, unless the queue is full. A full queue drops it: simulated hardware never makes room by waiting. */
  private write({ name, operands }: SentCommand): void {
    const { bus, port, its } = this;
    const next = (this.writer + COMMAND_BYTES) % QUEUE_BYTES;
    if ((this.reader() & ~(COMMAND_BYTES - 1)) === next) return;
    bus.costs.commands++;
    bus.costs.queue_bytes += COMMAND_BYTES;
    if (name === 'SYNC' || name === 'VSYNC') bus.costs.syncs++;
    const { low, high } = wordsOf(this.address + this.writer);
    port.stimulus(QUEUE_WRITE, 0, its, low, high, ...encodeCommand(name, operands));
    this.writer = next;
  }

  /**
   * Posts commands together: for each, GITS_CREADR is read to find out whether the queue is full; then GITS_CREADR is read
   * again, GITS_CWRITER is written once, and GITS_CREADR is polled until the ITS has executed them. If the ITS stalls, it
   * is polled once and counted; Linux would poll for a second, report a timeout, and continue.
   */
  post(commands: readonly SentCommand[]): void {
    const { bus, its } = this;
    for (const command of commands) this.write(command);
    this.reader();
    bus.writeLow('GITS_CWRITER', its, this.writer);
    bus.costs.polls++;
    const reader = this.reader();
    if ((reader & STALLED) !== 0 || (reader & ~(COMMAND_BYTES - 1)) !== this.writer) bus.costs.stalls++;
  }
}
