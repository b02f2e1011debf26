// The shape of the architecture's data: registers, fields, commands, table entries. Pure data; imports nothing.

/**
 * The kind of a field: `uint`, a number; `hex`, a number that is printed in hexadecimal; `flag`, one bit; `minus1`, a
 * number that is stored minus one; `pa`, a physical address that is stored without its low `shift` bits; `enum`, see
 * `values`; `impdef`, IMPLEMENTATION DEFINED. Bits that belong to no field are reserved.
 */
export type FieldKind = 'uint' | 'hex' | 'flag' | 'minus1' | 'pa' | 'enum' | 'impdef';

/** The sorts of things that a number can name. A vINTID is the INTID that a virtual machine sees. */
export const IDENTIFIERS = ['INTID', 'vINTID', 'DeviceID', 'EventID', 'vPEID'] as const;
export type Identifier = (typeof IDENTIFIERS)[number];

/**
 * What a field's value names. `identifies` is the sort of thing. If another field of the same word, command or record
 * decides, `by` is the name of that field, and `is` the sort for each of its values; for values that are not listed,
 * nothing is named. All code that needs the INTID of a record derives it from these declarations (record/naming).
 */
export interface Naming {
  readonly identifies?:
    | Identifier
    | { readonly by: string; readonly is: Readonly<Record<number, Identifier>> };
  /** What else the same number names: MAPI's EventID is also the INTID of its LPI. */
  readonly also?: Identifier;
  /** Nothing is named if the whole word is zero, as in an empty list register. */
  readonly unlessZero?: boolean;
  /** The value is the first of a range. The field of this name has its length. */
  readonly countedBy?: string;
  /** The value that names nothing: 1023 for a doorbell. */
  readonly none?: number;
  /** The value that stands for everything of its sort. */
  readonly all?: number;
  /** GICv5: the value is the ID of an INTID; the field of this name has its type. */
  readonly typedBy?: string;
  /** GICv5: the value is the ID of an INTID of this type. */
  readonly intidType?: number;
}

/**
 * What an access to a register, or the event of a record, does with the interrupt that its INTID names.
 *
 * - `acknowledge`: the PE takes it; its priority becomes the running priority.
 * - `show`: it is only named; nothing happens to it.
 * - `end`: the running priority is dropped and, unless EOImode is 1, the interrupt is deactivated.
 * - `deactivate`: the interrupt ceases to be active.
 * - `generate`: the interrupt becomes pending on the PEs that the value names.
 */
export type InterruptAct = 'acknowledge' | 'show' | 'end' | 'deactivate' | 'generate';

export interface FieldSpec<Name extends string = string> extends Naming {
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
  /** GICv5: the implementation on which the field rests, if it is not that of the register (spec/gicv5/evidence). */
  readonly source?: string;
}

export interface RegisterSpec {
  /** Byte offset in the frame. GICR: SGI_base at 0x10000, VLPI_base at 0x20000. GITS: translation page at 0x10000. */
  readonly offset: number;
  /** Bytes of one element. */
  readonly bytes: 1 | 4 | 8;
  /** Elements; 1 if absent. */
  readonly count?: number;
  /** The number that Arm gives element 0 (`GICD_IROUTER32`); 0 if absent. */
  readonly firstNumber?: number;
  readonly access: 'RO' | 'RW' | 'WO';
  /** Access widths in bytes that the architecture allows. */
  readonly accessBytes: readonly number[];
  /** The value at reset, if the architecture defines one. */
  readonly reset?: number | 'unknown' | 'impdef';
  /** For a register array over INTIDs: bits for each, and the INTID of the first bit of element 0. */
  readonly bitsPerIntid?: 1 | 2 | 8 | 64;
  readonly firstIntid?: number;
  /** For a register array over INTIDs: a write acts only on INTIDs whose bit is 1 (ISENABLER, ICPENDR …). */
  readonly writesOnes?: boolean;
  /** From this element on, INTIDs are those of another range, and the name ends in E (GICR: extended PPIs). */
  readonly extended?: { readonly element: number; readonly firstIntid: number };
  readonly fields: readonly FieldSpec[];
  /** Other layouts of the same register, by the condition under which they hold. */
  readonly views?: Readonly<Record<string, readonly FieldSpec[]>>;
  readonly doc: string;
  /** The heading of IHI 0069 that defines it; for GICv5 the implementations that have it (spec/gicv5/evidence). */
  readonly source: string;
}

/** A register whose type knows the names of its fields, so that `mask` refuses any other (see mask.ts). */
export type Register<
  Fields extends readonly FieldSpec[] = readonly FieldSpec[],
  Bytes extends 1 | 4 | 8 = 1 | 4 | 8,
> = RegisterSpec & { readonly fields: Fields; readonly bytes: Bytes };

export type RegisterTable = Readonly<Record<string, RegisterSpec>>;
