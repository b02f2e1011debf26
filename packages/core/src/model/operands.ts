// Operands of ITS commands by name, and the ranges that all commands share.
import { type CommandName, ITS_COMMANDS, LPI_FIRST, type OperandSpec } from '../spec/index.ts';
import type { Machine } from './machine.ts';

const operands = new Map<string, OperandSpec>();
for (const [command, spec] of Object.entries(ITS_COMMANDS))
  for (const operand of spec.operands as readonly OperandSpec[])
    operands.set(`${command}.${operand.name}`, operand);

/** The operand's declaration; a name that the command does not have is our bug. */
export function at(command: CommandName, name: string): OperandSpec {
  const operand = operands.get(`${command}.${name}`);
  if (operand === undefined) throw new Error(`invariant: ${command} has no operand ${name}`);
  return operand;
}

/** Whether this is an LPI that GICD_TYPER.IDbits admits. */
export function isLpi(m: Machine, intid: number): boolean {
  return intid >= LPI_FIRST && intid < 2 ** (((m.state.config.gicd.typer >> 19) & 0x1f) + 1);
}

/** GITS_TYPER.ID_bits: EventID bits less one. */
export function idBits(m: Machine, its: number): number {
  return Number((BigInt(m.state.config.its[its]!.typer) >> 8n) & 0x1fn);
}
