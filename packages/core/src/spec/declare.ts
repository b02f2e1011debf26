// Shorthands with which the tables of this folder declare their fields. Not part of the package's face.
import type { FieldSpec, RegisterSpec } from './shape.ts';

export const uint = (name: string, lsb: number, width: number, doc: string): FieldSpec => ({
  name,
  lsb,
  width,
  kind: 'uint',
  doc,
});
export const hex = (name: string, lsb: number, width: number, doc: string): FieldSpec => ({
  name,
  lsb,
  width,
  kind: 'hex',
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
/** OuterCache: as InnerCache, but 0 takes over what InnerCache says. */
export const OUTER_CACHE = { ...INNER_CACHE, 0: 'as-inner' };
export const SHAREABILITY = { 0: 'non', 1: 'inner', 2: 'outer' };

/** The fields of GICD_IIDR, GICR_IIDR and GITS_IIDR. */
export const IIDR_FIELDS: readonly FieldSpec[] = [
  hex('Implementer', 0, 12, 'JEP106 code'),
  uint('Revision', 12, 4, 'minor revision'),
  uint('Variant', 16, 4, 'major revision'),
  hex('ProductID', 24, 8, 'product'),
];
/** The fields of GICD_STATUSR and GICR_STATUSR, and the low ones of GITS_STATUSR. */
export const STATUS_FIELDS: readonly FieldSpec[] = [
  flag('RRD', 0, 'read of a reserved location'),
  flag('WRD', 1, 'write to a reserved location'),
  flag('RWOD', 2, 'read of a write-only location'),
  flag('WROD', 3, 'write to a read-only location'),
];
/** The fields of GICR_MPAMIDR and GITS_MPAMIDR. */
export const MPAMIDR_FIELDS: readonly FieldSpec[] = [
  uint('PARTIDmax', 0, 16, 'highest PARTID'),
  uint('PMGmax', 16, 8, 'highest PMG'),
];
/** The fields of GICR_PARTIDR and GITS_PARTIDR. */
export const PARTIDR_FIELDS: readonly FieldSpec[] = [
  uint('PARTID', 0, 16, 'PARTID of the memory accesses'),
  uint('PMG', 16, 8, 'PMG of the memory accesses'),
];

/** A register of 32 bits. `source`: its heading in IHI 0069. */
export const register32 = (
  offset: number,
  access: RegisterSpec['access'],
  doc: string,
  source: string,
  extra: Partial<RegisterSpec> = {},
): RegisterSpec => ({
  offset,
  bytes: 4,
  access,
  accessBytes: [4],
  fields: [],
  doc,
  source,
  ...extra,
});
/** A register of 64 bits, which 32-bit accesses reach by halves. */
export const register64 = (
  offset: number,
  access: RegisterSpec['access'],
  doc: string,
  source: string,
  fields: RegisterSpec['fields'],
  extra: Partial<RegisterSpec> = {},
): RegisterSpec => ({
  offset,
  bytes: 8,
  access,
  accessBytes: [4, 8],
  ...(access === 'WO' ? {} : { reset: access === 'RO' ? 'impdef' : 'unknown' }),
  fields,
  doc,
  source,
  ...extra,
});
