// Shorthands for the declarations in the tables of this folder. They are not exported from the package.
import type { FieldSpec, Naming, Register, RegisterSpec } from './shape.ts';

const field =
  (kind: FieldSpec['kind']) =>
  <const Name extends string>(name: Name, lsb: number, width: number, doc: string): FieldSpec<Name> => ({
    name,
    lsb,
    width,
    kind,
    doc,
  });
export const uint = field('uint');
export const hex = field('hex');
export const minus1 = field('minus1');
export const flag = <const Name extends string>(name: Name, lsb: number, doc: string): FieldSpec<Name> => ({
  name,
  lsb,
  width: 1,
  kind: 'flag',
  doc,
});
export const pa = <const Name extends string>(
  name: Name,
  lsb: number,
  width: number,
  shift: number,
  doc: string,
): FieldSpec<Name> => ({
  name,
  lsb,
  width,
  kind: 'pa',
  shift,
  doc,
});
export const oneOf = <const Name extends string>(
  name: Name,
  lsb: number,
  width: number,
  values: Readonly<Record<number, string>>,
  doc: string,
): FieldSpec<Name> => ({
  name,
  lsb,
  width,
  kind: 'enum',
  values,
  doc,
});

/** A field whose value names something. */
export const naming = <F extends object>(
  identifies: NonNullable<Naming['identifies']>,
  field: F,
  extra: Omit<Naming, 'identifies'> = {},
): F & Naming => ({ ...field, identifies, ...extra });

/** InnerCache of the GICR and GITS address registers (IHI 0069, "GITS_CBASER"). */
export const INNER_CACHE = {
  0: 'Device-nGnRnE',
  1: 'NC',
  2: 'RaWt',
  3: 'RaWb',
  4: 'WaWt',
  5: 'WaWb',
  6: 'RaWaWt',
  7: 'RaWaWb',
};
/** OuterCache: as InnerCache, except that 0 means the same attributes as InnerCache. */
export const OUTER_CACHE = { ...INNER_CACHE, 0: 'as-inner' };
export const SHAREABILITY = { 0: 'non', 1: 'inner', 2: 'outer' };

/** The fields of GICD_IIDR, GICR_IIDR and GITS_IIDR. */
export const IIDR_FIELDS = [
  hex('Implementer', 0, 12, 'JEP106 code'),
  uint('Revision', 12, 4, 'minor revision'),
  uint('Variant', 16, 4, 'major revision'),
  hex('ProductID', 24, 8, 'product'),
];
/** The fields of GICD_STATUSR and GICR_STATUSR, and the low ones of GITS_STATUSR. */
export const STATUS_FIELDS = [
  flag('RRD', 0, 'read of a reserved location'),
  flag('WRD', 1, 'write to a reserved location'),
  flag('RWOD', 2, 'read of a write-only location'),
  flag('WROD', 3, 'write to a read-only location'),
];
/** The fields of GICR_MPAMIDR and GITS_MPAMIDR. */
export const MPAMIDR_FIELDS = [
  uint('PARTIDmax', 0, 16, 'highest PARTID'),
  uint('PMGmax', 16, 8, 'highest PMG'),
];
/** The fields of GICR_PARTIDR and GITS_PARTIDR. */
export const PARTIDR_FIELDS = [
  uint('PARTID', 0, 16, 'PARTID of the memory accesses'),
  uint('PMG', 16, 8, 'PMG of the memory accesses'),
];

type Extra = Partial<Omit<RegisterSpec, 'offset' | 'bytes' | 'access' | 'doc' | 'source'>>;
/** The type of the fields in `extra`; no fields if it has none. */
type FieldsOf<E extends Extra> = E extends { readonly fields: infer F extends readonly FieldSpec[] }
  ? F
  : readonly [];
type Declared<E extends Extra, Bytes extends 1 | 4 | 8> = Register<FieldsOf<E>, Bytes> & E;

const register =
  <const Bytes extends 1 | 4 | 8>(bytes: Bytes, accessBytes: readonly number[]) =>
  <const E extends Extra = Record<never, never>>(
    offset: number,
    access: RegisterSpec['access'],
    doc: string,
    source: string,
    extra?: E,
  ): Declared<E, Bytes> =>
    ({ offset, bytes, access, accessBytes, fields: [], doc, source, ...extra }) as unknown as Declared<
      E,
      Bytes
    >;

/** A register of 32 bits. `source` is its heading in IHI 0069. */
export const register32 = register(4, [4]);
/** An array of bytes, which can also be accessed as 32-bit words. */
export const registerBytes = register(1, [1, 4]);
/** A register of 64 bits, which can also be accessed as two 32-bit halves. */
export const register64 = <
  const F extends readonly FieldSpec[],
  const E extends Extra = Record<never, never>,
>(
  offset: number,
  access: RegisterSpec['access'],
  doc: string,
  source: string,
  fields: F,
  extra?: E,
): Register<F, 8> & E =>
  ({
    offset,
    bytes: 8,
    access,
    accessBytes: [4, 8],
    ...(access === 'WO' ? {} : { reset: access === 'RO' ? 'impdef' : 'unknown' }),
    fields,
    doc,
    source,
    ...extra,
  }) as unknown as Register<F, 8> & E;
