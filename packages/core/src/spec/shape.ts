// The shape of the architecture's data: registers, fields, commands, table entries. Pure data; imports nothing.

/**
 * What a field means: `uint` a number; `flag` a bit; `minus1` stored as one less; `pa` a physical address stored
 * without its low `shift` bits; `enum` see `values`; `res0`/`res1` reserved; `impdef` IMPLEMENTATION DEFINED.
 */
export type FieldKind = 'uint' | 'flag' | 'minus1' | 'pa' | 'enum' | 'res0' | 'res1' | 'impdef';

export interface FieldSpec {
  readonly name: string;
  /** Lowest bit. */
  readonly lsb: number;
  /** Bits: 1 to 52. */
  readonly width: number;
  readonly kind: FieldKind;
  /** For `pa`: the address is the stored value times 2^shift. */
  readonly shift?: number;
  readonly access?: 'RO' | 'RW' | 'WO';
  readonly values?: Readonly<Record<number, string>>;
  readonly doc: string;
}

export interface RegisterSpec {
  /** Byte offset in the frame. GICR: SGI_base at 0x10000, VLPI_base at 0x20000. GITS: translation page at 0x10000. */
  readonly offset: number;
  /** Bytes of one element. */
  readonly bytes: 1 | 4 | 8;
  /** Elements; 1 when absent. */
  readonly count?: number;
  readonly access: 'RO' | 'RW' | 'WO';
  /** Access widths in bytes that the architecture allows. */
  readonly accessBytes: readonly number[];
  /** Value at reset, where the architecture defines one. */
  readonly reset?: number | 'unknown' | 'impdef';
  /** For a register array over INTIDs: bits for each, and the INTID of the first bit of element 0. */
  readonly bitsPerIntid?: number;
  readonly firstIntid?: number;
  readonly fields: readonly FieldSpec[];
  readonly doc: string;
  /** The heading of IHI 0069 that defines it. */
  readonly source: string;
}

export type RegisterTable = Readonly<Record<string, RegisterSpec>>;

/** Shorthands for declaring fields. */
export const uint = (name: string, lsb: number, width: number, doc: string): FieldSpec => ({
  name,
  lsb,
  width,
  kind: 'uint',
  doc,
});
export const flag = (name: string, lsb: number, doc: string): FieldSpec => ({
  name,
  lsb,
  width: 1,
  kind: 'flag',
  doc,
});
export const minus1 = (name: string, lsb: number, width: number, doc: string): FieldSpec => ({
  name,
  lsb,
  width,
  kind: 'minus1',
  doc,
});
export const pa = (name: string, lsb: number, width: number, shift: number, doc: string): FieldSpec => ({
  name,
  lsb,
  width,
  kind: 'pa',
  shift,
  doc,
});
export const oneOf = (
  name: string,
  lsb: number,
  width: number,
  values: Readonly<Record<number, string>>,
  doc: string,
): FieldSpec => ({
  name,
  lsb,
  width,
  kind: 'enum',
  values,
  doc,
});
