// The shape of the architecture's data: registers, fields, commands, table entries. Pure data; imports nothing.

/**
 * What a field means: `uint` a number; `hex` a number that people read in hex; `flag` a bit; `minus1` stored as
 * one less; `pa` a physical address stored without its low `shift` bits; `enum` see `values`; `impdef`
 * IMPLEMENTATION DEFINED. Bits that no field names are reserved.
 */
export type FieldKind = 'uint' | 'hex' | 'flag' | 'minus1' | 'pa' | 'enum' | 'impdef';

/** What a number can name. A vINTID is the INTID that a virtual machine sees. */
export const IDENTIFIERS = ['INTID', 'vINTID', 'DeviceID', 'EventID', 'vPEID'] as const;
export type Identifier = (typeof IDENTIFIERS)[number];

/**
 * That a field's value names something. `identifies` says what; where another field of the same word, command or
 * record decides, by which field and by its value (a value that is not listed: nothing is named). Whatever reads
 * "which INTID is this about" off a record derives it from these (record/naming).
 */
export interface Naming {
  readonly identifies?:
    | Identifier
    | { readonly by: string; readonly is: Readonly<Record<number, Identifier>> };
  /** What else the same number names: MAPI's EventID is the INTID of its LPI too. */
  readonly also?: Identifier;
  /** Nothing is named where the whole word is zero: an empty list register. */
  readonly unlessZero?: boolean;
  /** As many are named, from the value on, as the field of this name says. */
  readonly countedBy?: string;
  /** The value that names nothing: 1023 for a doorbell. */
  readonly none?: number;
  /** The value that stands for everything of its sort. */
  readonly all?: number;
}

/**
 * What an access to a register, or the event of a record, does with the interrupt that its INTID names.
 *
 * - `acknowledge`: the PE takes it; its priority becomes the running priority.
 * - `show`: it is named, and nothing happens to it.
 * - `end`: the running priority is dropped, and unless EOImode is 1 the interrupt is deactivated too.
 * - `deactivate`: it ceases to be active.
 * - `generate`: it is made pending on the PEs that the value names.
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
  /** For a register array over INTIDs: a write changes those whose bit is 1 and leaves the others (ISENABLER, ICPENDR …). */
  readonly writesOnes?: boolean;
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
