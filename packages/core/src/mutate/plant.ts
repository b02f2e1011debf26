// Plants a fault into a running simulator from outside: the events that the model emits, and the command words that the ITS
// fetches, pass through the fault. The model itself and other machines are not affected.
import type { Machine } from '../model/index.ts';
import { RECORD_WORDS, RECORDS } from '../record/index.ts';
import { type CommandName, commandName, ITS_COMMANDS, type OperandSpec } from '../spec/index.ts';

const ITS_COMMAND = RECORDS['its.command'].id;
const COMMAND_BYTES = 32;
const COMMAND_WORDS = 8;

/** What the fault does to an event: it takes effect, it is lost, or it takes effect without causing an arbitration. */
export type EventOutcome = 'kept' | 'lost' | 'unarbitrated';

/** An event before it takes effect, and what the machine is doing. */
export interface Passing {
  readonly machine: Machine;
  readonly kind: number;
  /** PE of the event, or NO_PE. */
  readonly pe: number;
  /** The event's words, which the fault may change. */
  readonly words: Uint32Array;
  /** The ITS command that is running, if any. */
  readonly command: CommandName | undefined;
  /** Emits an event that the model would not have emitted. It does not pass through the fault. */
  readonly add: (kind: number, pe: number, ...words: number[]) => void;
}

export interface PlantedFault {
  /** Called for each event before it takes effect. */
  readonly event?: (passing: Passing) => EventOutcome;
  /** Changes the words of a command after the ITS fetched it; memory and the record of the command keep the original. */
  readonly command?: (name: CommandName, words: Uint32Array) => void;
}

/** Plants a fault into a machine that has no other fault. Afterwards the machine may only be driven by stimuli. */
export function plant(machine: Machine, fault: PlantedFault): void {
  const { event } = fault;
  const commands = new CommandsPlanted(machine, fault);
  const words = new Uint32Array(RECORD_WORDS);
  const emitWords = machine.emitWords.bind(machine);
  const add = (kind: number, pe: number, ...values: number[]) =>
    emitWords(
      kind,
      pe,
      Uint32Array.from({ length: RECORD_WORDS }, (_, k) => values[k] ?? 0),
      0,
      RECORD_WORDS,
    );
  const pass = (kind: number, pe: number, count: number) => {
    const command = commands.name;
    if (kind === ITS_COMMAND) commands.finish(words);
    const outcome = event?.({ machine, kind, pe, words, command, add }) ?? 'kept';
    if (outcome === 'lost') return;
    if (outcome === 'kept') emitWords(kind, pe, words, 0, count);
    else unarbitrated(machine, () => emitWords(kind, pe, words, 0, count));
  };
  machine.emit = (kind, pe, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => {
    words.fill(0);
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    words[4] = e;
    words[5] = f;
    pass(kind, pe, 6);
  };
  machine.emitWords = (kind, pe, source, at, count) => {
    words.fill(0);
    words.set(source.subarray(at, at + count));
    pass(kind, pe, count);
  };
}

/** Runs `change` without marking any PE for a new arbitration. */
function unarbitrated(machine: Machine, change: () => void): void {
  const { markPe } = machine;
  machine.markPe = () => undefined;
  try {
    change();
  } finally {
    machine.markPe = markPe;
  }
}

/** Tracks the command that an ITS is running, and replaces its words by those that the fault makes of them. */
class CommandsPlanted {
  name: CommandName | undefined;
  private readonly fetched = new Uint32Array(COMMAND_WORDS);
  private readonly seen = new Uint32Array(COMMAND_WORDS);

  constructor(machine: Machine, fault: PlantedFault) {
    const { memory } = machine.state;
    const readWord = memory.readWord.bind(memory);
    const { witness } = machine;
    let at = Number.NaN;
    machine.witness = (use, unit, index, address, length) => {
      witness?.(use, unit, index, address, length);
      if (use !== 'command') return;
      at = address;
      for (let k = 0; k < COMMAND_WORDS; k++) this.fetched[k] = readWord(address + 4 * k);
      this.seen.set(this.fetched);
      this.name = commandName(this.fetched[0]! & 0xff);
      if (this.name !== undefined) fault.command?.(this.name, this.seen);
    };
    memory.readWord = (address) =>
      this.name !== undefined && address >= at && address < at + COMMAND_BYTES
        ? this.seen[(address - at) / 4]!
        : readWord(address);
  }

  /** Ends the command: its record must contain the words that were fetched. */
  finish(record: Uint32Array): void {
    record.set(this.fetched, 4);
    this.name = undefined;
  }
}

/** Sets an operand of at most 32 bits in a command's words. The command must have an operand of this name. */
export function setOperand(words: Uint32Array, command: CommandName, name: string, value: number): void {
  const operand = (ITS_COMMANDS[command].operands as readonly OperandSpec[]).find((one) => one.name === name);
  if (operand === undefined) throw new Error(`invariant: ${command} has no operand ${name}`);
  const mask = (2n ** BigInt(operand.width) - 1n) << BigInt(operand.lsb);
  const at = 2 * operand.dw;
  const old = (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
  const now = (old & ~mask) | ((BigInt(value) << BigInt(operand.lsb)) & mask);
  words[at] = Number(now & 0xffff_ffffn);
  words[at + 1] = Number(now >> 32n);
}
