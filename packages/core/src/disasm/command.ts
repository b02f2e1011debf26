// ITS commands as text. Derived from spec/its-command only.
import { commandName, ITS_COMMANDS, type OperandSpec, operandOf } from '../spec/index.ts';
import { numberText } from './field.ts';

/**
 * A command with its operands, from eight words at `words[at]`. `shown` has a bit for each operand, in declared order;
 * operands that the source does not contain are printed as `?`.
 */
export function commandText(words: Uint32Array, at = 0, shown = 0xffff_ffff): string {
  const name = commandName(words[at]!);
  if (name === undefined) return `command 0x${(words[at]! & 0xff).toString(16)}`;
  const operands: readonly OperandSpec[] = ITS_COMMANDS[name].operands;
  return [
    name,
    ...operands.map((operand, k) => {
      const known = ((shown >>> k) & 1) !== 0;
      return `${operand.name} ${known ? numberText(operand.kind, operandOf(words, at, operand)) : '?'}`;
    }),
  ].join(' ');
}
