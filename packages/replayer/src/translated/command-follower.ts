// The ITS commands of a trace, decoded as the simulator executes them.
import type { GicConfig } from '@gictrace/core';
import { Follow, FollowObserver, Machine } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import {
  type CommandName,
  commandName,
  ITS_COMMANDS,
  type OperandSpec,
  operandOf,
} from '@gictrace/core/spec';

const ITS_COMMAND = RECORDS['its.command'].id;

/** A command that software sent, as in the trace. */
export interface RecordedCommand {
  readonly name: CommandName;
  readonly operands: Readonly<Record<string, number>>;
  /** Bit k: the source contains the k-th operand, as spec/its-command declares them. */
  readonly shown: number;
}

/** Called while the commands of a trace run. */
export interface CommandVisitor {
  /** A command has been executed, the `n`th of the trace. */
  command(n: number, name: CommandName, operands: Record<string, number>, machine: Machine): void;
  /** The simulator has emitted record `i` of `records`; `n` commands have been executed before it. */
  emitted?(n: number, records: RecordBatch, i: number): void;
  /** A recorded stimulus is about to run on the machine. */
  stimulus?(batch: RecordBatch, i: number, machine: Machine): void;
}

/** Decodes the commands that the simulator executes while it follows a trace. */
class CommandFollower extends FollowObserver {
  private n = 0;
  private readonly machine: Machine;
  private readonly visitor: CommandVisitor;

  constructor(machine: Machine, visitor: CommandVisitor) {
    super();
    this.machine = machine;
    this.visitor = visitor;
  }

  override stimulus(batch: RecordBatch, i: number): void {
    this.visitor.stimulus?.(batch, i, this.machine);
  }

  override emitted(records: RecordBatch): void {
    for (let i = 0; i < records.count; i++) {
      this.visitor.emitted?.(this.n, records, i);
      if (records.kind[i] !== ITS_COMMAND) continue;
      const at = i * RECORD_WORDS;
      const name = commandName(records.words[at + 4]!);
      if (name === undefined) continue;
      this.visitor.command(this.n++, name, decode(records.words, at + 4, name), this.machine);
    }
  }
}

/** Follows a trace and calls `visitor` for each ITS command. */
export function eachCommand(
  config: GicConfig,
  batches: Iterable<{ readonly batch: RecordBatch }>,
  visitor: CommandVisitor,
): void {
  const machine = new Machine(config);
  const follow = new Follow(machine, new CommandFollower(machine, visitor));
  for (const { batch } of batches) follow.take(batch, 0);
}

function decode(words: Uint32Array, at: number, name: CommandName): Record<string, number> {
  const operands: Record<string, number> = {};
  for (const spec of ITS_COMMANDS[name].operands as readonly OperandSpec[])
    operands[spec.name] = operandOf(words, at, spec);
  return operands;
}
