// The shape of the architecture's data: registers, fields, commands, table entries. Pure data; imports nothing.

/**
 * What a field means: `uint` a number; `hex` a number that people read in hex; `flag` a bit; `minus1` stored as
 * one less; `pa` a physical address stored without its low `shift` bits; `enum` see `values`; `impdef`
 * IMPLEMENTATION DEFINED. Bits that no field names are reserved.
 */
export type FieldKind = 'uint' | 'hex' | 'flag' | 'minus1' | 'pa' | 'enum' | 'impdef';

export interface FieldSpec<Name extends string = string> {
  readonly name: Name;
  /** Lowest bit. */
  readonly lsb: number;
  /** Bits: 1 to 52. */
  readonly width: number;
  readonly kind: FieldKind;
  /** The value is the stored field times 2^shift: an address, or the upper bits of a priority. */
  readonly shift?: number;
  readonly access?: 'RO' | 'RW' | 'WO';
  /** For `enum`; a value that is not listed is reserved. */
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
  /** The number that Arm gives element 0 (`GICD_IROUTER32`); 0 when absent. */
  readonly firstNumber?: number;
  readonly access: 'RO' | 'RW' | 'WO';
  /** Access widths in bytes that the architecture allows. */
  readonly accessBytes: readonly number[];
  /** Value at reset, where the architecture defines one. */
  readonly reset?: number | 'unknown' | 'impdef';
  /** For a register array over INTIDs: bits for each, and the INTID of the first bit of element 0. */
  readonly bitsPerIntid?: 1 | 2 | 8 | 64;
  readonly firstIntid?: number;
  /** From this element on, INTIDs go on elsewhere and the name ends in E (GICR: extended PPIs). */
  readonly extended?: { readonly element: number; readonly firstIntid: number };
  readonly fields: readonly FieldSpec[];
  /** Other layouts of the same register, by the condition under which they hold. */
  readonly views?: Readonly<Record<string, readonly FieldSpec[]>>;
  readonly doc: string;
  /** The heading of IHI 0069 that defines it. */
  readonly source: string;
}

/** A register whose type knows the names of its fields, so that `mask` refuses any other (see mask.ts). */
export type Register<
  Fields extends readonly FieldSpec[] = readonly FieldSpec[],
  Bytes extends 1 | 4 | 8 = 1 | 4 | 8,
> = RegisterSpec & { readonly fields: Fields; readonly bytes: Bytes };

export type RegisterTable = Readonly<Record<string, RegisterSpec>>;
