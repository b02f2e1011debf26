// Bit fields as text, from their declarations in spec/. It knows no register, command or record.
import { extract, type FieldSpec } from '../spec/index.ts';

/** A field and its value. */
export interface DecodedField {
  readonly name: string;
  /** The value that the field stands for, with `minus1` and `shift` applied; addresses are in bytes. */
  readonly value: number;
  readonly text: string;
  readonly doc: string;
}

const words = new Uint32Array(2);

/** The value that a stored field stands for: see {@link FieldSpec.kind}. */
function meaning(field: FieldSpec, stored: number): number {
  return (field.kind === 'minus1' ? stored + 1 : stored) * 2 ** (field.shift ?? 0);
}

/** A value in the base for its kind: addresses and `hex` in hexadecimal, all others in decimal. */
export function numberText(kind: FieldSpec['kind'], value: number): string {
  return kind === 'pa' || kind === 'hex' || kind === 'impdef' ? `0x${value.toString(16)}` : `${value}`;
}

function decodeField(field: FieldSpec, low: number, high: number): DecodedField {
  words[0] = low;
  words[1] = high;
  const value = meaning(field, extract(words, 0, 0, field.lsb, field.width));
  return {
    name: field.name,
    value,
    text: field.values?.[value] ?? numberText(field.kind, value),
    doc: field.doc,
  };
}

/** The fields that lie in bits `from` (included) to `to` (excluded) of a 64-bit word. */
export function decodeFields(
  fields: readonly FieldSpec[],
  low: number,
  high: number,
  from = 0,
  to = 64,
): DecodedField[] {
  return fields
    .filter((field) => field.lsb >= from && field.lsb + field.width <= to)
    .map((field) => decodeField(field, low, high));
}

/**
 * The fields of a word on one line, in declared order: a flag by its name if it is set, other fields as `Name=value` if
 * they are not zero. A `minus1` field is never zero, but nothing is printed for a word that is all zero, because that is
 * more often a register being cleared than a count of one.
 */
export function fieldsText(
  fields: readonly FieldSpec[],
  low: number,
  high: number,
  from = 0,
  to = 64,
): string {
  if (low === 0 && high === 0) return '';
  return fields
    .filter((field) => field.lsb >= from && field.lsb + field.width <= to)
    .map((field): string => {
      const { name, value, text } = decodeField(field, low, high);
      if (value === 0) return '';
      return field.kind === 'flag' ? name : `${name}=${text}`;
    })
    .filter(Boolean)
    .join(' ');
}

/** A 64-bit word in hex, without leading zeros. */
export function hexText(low: number, high: number): string {
  return high === 0 ? `0x${low.toString(16)}` : `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
}
