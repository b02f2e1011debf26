// System registers as text. Derived from spec/sysreg only.
import { ALL_SYSREGS, anySysregName } from '../spec/index.ts';
import { fieldsText, hexText } from './field.ts';

/** A register's name. For an unknown encoding (see `SysregSpec`), its parts as an assembler writes them. */
export function sysregLabel(encoding: number): string {
  const name = anySysregName(encoding);
  if (name !== undefined) return name;
  const [op0, op1] = [(encoding >>> 14) & 3, (encoding >>> 11) & 7];
  const [crn, crm, op2] = [(encoding >>> 7) & 15, (encoding >>> 3) & 15, encoding & 7];
  return `S${op0}_${op1}_C${crn}_C${crm}_${op2}`;
}

/** The meaning of a value in a register: ` {INTID=27}`; empty if there is nothing to print. */
export function sysregMeaningText(encoding: number, low: number, high: number): string {
  const name = anySysregName(encoding);
  const text = name === undefined ? '' : fieldsText(ALL_SYSREGS[name].fields, low, high);
  return text === '' ? '' : ` {${text}}`;
}

/** A register and its value: `ICC_IAR1_EL1 0x1b {INTID=27}`. */
export function sysregText(encoding: number, low: number, high = 0): string {
  return `${sysregLabel(encoding)} ${hexText(low, high)}${sysregMeaningText(encoding, low, high)}`;
}
