// Operands of ITS commands by name, and range checks that all commands share.
import {
  type CommandName,
  type FieldName,
  fieldReader,
  fieldReaders,
  GICD,
  GITS,
  ITS_COMMANDS,
  LPI_FIRST,
  type OperandSpec,
} from '../spec/index.ts';
import type { Machine } from './machine.ts';

const operands = new Map<string, OperandSpec>();
for (const [command, spec] of Object.entries(ITS_COMMANDS))
  for (const operand of spec.operands as readonly OperandSpec[])
    operands.set(`${command}.${operand.name}`, operand);

/** The operand's declaration. The command must have an operand of this name. */
export function at(command: CommandName, name: string): OperandSpec {
  const operand = operands.get(`${command}.${name}`);
  if (operand === undefined) throw new Error(`invariant: ${command} has no operand ${name}`);
  return operand;
}

const typerFields = fieldReaders(GITS.GITS_TYPER);

/** A field of an ITS's GITS_TYPER. */
export function typerOf(m: Machine, its: number, name: FieldName<typeof GITS.GITS_TYPER>): number {
  const { gitsTyper } = m.state;
  return typerFields[name](gitsTyper[2 * its]!, gitsTyper[2 * its + 1]!);
}

const intidBits = fieldReader(GICD.GICD_TYPER, 'IDbits');

/** Whether this is an LPI that GICD_TYPER.IDbits permits. */
export function isLpi(m: Machine, intid: number): boolean {
  return intid >= LPI_FIRST && intid < 2 ** intidBits(m.state.config.gicd.typer);
}

/** GITS_TYPER.ID_bits: the number of EventID bits minus one. */
export function idBits(m: Machine, its: number): number {
  return typerOf(m, its, 'ID_bits') - 1;
}
