// The command queue of an ITS on the driver's side: where commands are written, and what sending one costs. To count
// commands in another way (their stores, GITS_CWRITER, waiting for GITS_CREADR), change only `send`.
import { FRAMES, RECORDS } from '../record/index.ts';
import { type CommandName, encodeCommand, GITS } from '../spec/index.ts';
import type { Costs } from './costs.ts';
import { type Port, wordsOf } from './port.ts';

/** A command as it was sent. */
export interface SentCommand {
  readonly name: CommandName;
  readonly operands: Readonly<Record<string, number>>;
}

const QUEUE_WRITE = RECORDS['queue.write'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const GITS_FRAME = FRAMES.indexOf('GITS');
const COMMAND_BYTES = 32;
/** Pages of 4 KB, as GITS_CBASER.Size counts them. */
export const QUEUE_PAGES = 16;
export const QUEUE_BYTES = QUEUE_PAGES * 4096;

export class CommandQueue {
  private readonly port: Port;
  private readonly costs: Costs;
  private readonly its: number;
  private readonly address: number;
  /** Offset of the next command, in bytes from the start of the queue. */
  private writer = 0;

  /** `address` is that of {@link QUEUE_BYTES} bytes, aligned to 64 KB, that the ITS uses as its queue. */
  constructor(port: Port, costs: Costs, its: number, address: number) {
    this.port = port;
    this.costs = costs;
    this.its = its;
    this.address = address;
  }

  /** Writes a command and lets the ITS run it. */
  send(name: CommandName, operands: Readonly<Record<string, number>>): void {
    const { port, costs, its } = this;
    costs.commands++;
    if (name === 'SYNC' || name === 'VSYNC') costs.syncs++;
    const { low, high } = wordsOf(this.address + this.writer);
    port.stimulus(QUEUE_WRITE, 0, its, low, high, ...encodeCommand(name, operands));
    this.writer = (this.writer + COMMAND_BYTES) % QUEUE_BYTES;
    // The write of GITS_CWRITER counts as part of the command, because all designs that send commands need it.
    port.stimulus(MMIO_WRITE, 0, GITS_FRAME, its, GITS.GITS_CWRITER.offset, 8, this.writer, 0);
    // The ITS has stalled at this command or at one before it (GITS_CREADR.Stalled).
    if (port.creadr(its) !== this.writer) costs.stalls++;
  }
}
