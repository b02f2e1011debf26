// Declarations of columns: what a column contains, in which unit, and whether it may be null. The type of a row, the
// table's DDL and the documentation of its columns derive from the declaration. It knows no SQL.

export interface Column {
  /** `small`: an integer of 32 bits, signed. */
  readonly type: 'integer' | 'small' | 'text' | 'bytes';
  /** Whether it may be null; `doc` says what null means. */
  readonly nullable: boolean;
  /** What it contains, with its unit; empty if it is internal. */
  readonly doc: string;
  /** Whether public views leave it out. */
  readonly internal: boolean;
}
/** A table's columns by name, in their order. */
export type Columns = Readonly<Record<string, Column>>;

interface Values {
  readonly integer: number;
  readonly small: number;
  readonly text: string;
  readonly bytes: Uint8Array;
}
/** A row of a table with these columns. */
export type RowOf<C extends Columns> = {
  readonly [Name in keyof C]: Values[C[Name]['type']] | (C[Name]['nullable'] extends true ? null : never);
};

type Required<Type extends Column['type']> = Column & { readonly type: Type; readonly nullable: false };
type Nullable<C extends Column> = Omit<C, 'nullable'> & { readonly nullable: true };

/** A column of integers below 2^53. */
export const integer = (doc: string): Required<'integer'> => column('integer', doc);
/** A column of signed 32-bit integers: enums, flags, PEs, fields of up to 16 bits. */
export const small = (doc: string): Required<'small'> => column('small', doc);
export const text = (doc: string): Required<'text'> => column('text', doc);
export const bytes = (doc: string): Required<'bytes'> => column('bytes', doc);

/** The same column, which may be null. */
export function orNull<C extends Column>(one: C): Nullable<C> {
  return { ...one, nullable: true };
}

/** The same column, left out of public views. */
export function internal<C extends Column>(one: C): C {
  return { ...one, internal: true };
}

function column<Type extends Column['type']>(type: Type, doc: string): Required<Type> {
  return { type, nullable: false, doc, internal: false };
}

/** What each column contains, for the columns in public views. */
export function docsOf(columns: Columns): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(columns)
      .filter(([, one]) => !one.internal)
      .map(([name, { doc }]) => [name, doc]),
  );
}
