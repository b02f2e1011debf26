// The fields of a register by name: as masks for the model's pairs of words, and packed into or unpacked from a value. The
// positions come from the declarations, so that nobody writes a mask by hand. A name that the register does not have is a
// compile error.
import type { FieldSpec } from './shape.ts';

/** Anything with fields: a register, a system register, or a view of a register (`GICR.GICR_VPENDBASER.views['GICv4.1']`). */
type Fields = { readonly fields: readonly FieldSpec[] } | readonly FieldSpec[];
/** The names of its fields. */
export type FieldName<T extends Fields> = T extends readonly FieldSpec[]
  ? T[number]['name']
  : T extends { readonly fields: infer F extends readonly FieldSpec[] }
    ? F[number]['name']
    : never;

function fieldOf(of: Fields, name: string): FieldSpec {
  const list: readonly FieldSpec[] = 'fields' in of ? of.fields : of;
  const field = list.find((one) => one.name === name);
  // The type makes this impossible.
  if (field === undefined) throw new RangeError(`no field ${name}`);
  return field;
}

/** The bits of these fields in the low word of a register, as an unsigned number. Each field must have bits there. */
export function mask<T extends Fields>(of: T, ...names: readonly FieldName<T>[]): number {
  return bitsFrom(of, names, 0);
}

/** The bits of these fields in the high word of a 64-bit register (bit 63 is 0x8000_0000). Each field must have bits there. */
export function maskHigh<T extends Fields>(of: T, ...names: readonly FieldName<T>[]): number {
  return bitsFrom(of, names, 32);
}

function bitsFrom(of: Fields, names: readonly string[], from: 0 | 32): number {
  let bits = 0;
  for (const name of names) {
    const { lsb, width } = fieldOf(of, name);
    const [first, end] = [Math.max(lsb, from), Math.min(lsb + width, from + 32)];
    if (first >= end) throw new RangeError(`field ${name} has no bit in bits ${from + 31}:${from}`);
    bits += (2 ** (end - first) - 1) * 2 ** (first - from);
  }
  return bits;
}

/**
 * A register's value with these fields; all other fields are zero. Values are given as the field's kind says: an address
 * for `pa`, and for `minus1` the number that is stored minus one.
 * @throws RangeError if a value does not fit its field.
 */
export function packFields<T extends Fields>(
  of: T,
  values: { readonly [Name in FieldName<T>]?: number },
): bigint {
  let word = 0n;
  for (const [name, value] of Object.entries<number | undefined>(values)) {
    if (value === undefined) continue;
    const { lsb, width, kind, shift = 0 } = fieldOf(of, name);
    const stored = kind === 'minus1' ? value - 1 : value / 2 ** shift;
    if (!Number.isInteger(stored) || stored < 0 || stored >= 2 ** width)
      throw new RangeError(`${value} does not fit field ${name}`);
    word |= BigInt(stored) << BigInt(lsb);
  }
  return word;
}

/** The value of a field in a register's value, as {@link packFields} takes it. */
export function unpackField<T extends Fields>(of: T, name: FieldName<T>, word: bigint | number): number {
  const { lsb, width, kind, shift = 0 } = fieldOf(of, name);
  const stored = Number((BigInt(word) >> BigInt(lsb)) & (2n ** BigInt(width) - 1n));
  return kind === 'minus1' ? stored + 1 : stored * 2 ** shift;
}

/**
 * Makes a function that reads a field of a register kept as two words, with values as in {@link packFields}. Make it once
 * and call it often. `high` is used only if the field is there.
 */
export function fieldReader<T extends Fields>(
  of: T,
  name: FieldName<T>,
): (low: number, high?: number) => number {
  const { lsb, width, kind, shift = 0 } = fieldOf(of, name);
  const unit = 2 ** shift;
  const more = kind === 'minus1' ? 1 : 0;
  if (lsb + width <= 32) {
    const bits = 2 ** width - 1;
    return (low) => (((low >>> lsb) & bits) >>> 0) * unit + more;
  }
  if (lsb >= 32) {
    const bits = 2 ** width - 1;
    return (_low, high = 0) => (((high >>> (lsb - 32)) & bits) >>> 0) * unit + more;
  }
  const highBits = 2 ** (lsb + width - 32) - 1;
  const highUnit = 2 ** (32 - lsb);
  return (low, high = 0) => (((high & highBits) >>> 0) * highUnit + (low >>> lsb)) * unit + more;
}

/** Readers of all fields of a register, by their names. */
export function fieldReaders<T extends { readonly fields: readonly FieldSpec[] }>(
  of: T,
): { readonly [Name in FieldName<T>]: (low: number, high?: number) => number } {
  const readers = of.fields.map(({ name }) => [name, fieldReader(of, name as FieldName<T>)]);
  return Object.fromEntries(readers) as { [Name in FieldName<T>]: (low: number, high?: number) => number };
}

/** The masks of all fields of a register in its low word, by their names. */
export function masks<T extends { readonly fields: readonly FieldSpec[] }>(
  of: T,
): { readonly [Name in FieldName<T>]: number } {
  const list = of.fields.map(({ name }) => [name, mask(of, name as FieldName<T>)]);
  return Object.fromEntries(list) as { [Name in FieldName<T>]: number };
}

/**
 * Makes a function that replaces a field in the low word of a register by the low bits of a value. Make it once and call
 * it often.
 * @throws RangeError if the field is not in bits 31:0.
 */
export function fieldWriter<T extends Fields>(
  of: T,
  name: FieldName<T>,
): (low: number, value: number) => number {
  const { lsb, width } = fieldOf(of, name);
  if (lsb + width > 32) throw new RangeError(`field ${name} is not in bits 31:0`);
  const bits = 2 ** width - 1;
  const others = ~(bits << lsb);
  return (low, value) => ((low & others) | ((value & bits) << lsb)) >>> 0;
}
