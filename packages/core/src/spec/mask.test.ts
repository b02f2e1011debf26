// Masks, and values of registers by their fields.
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type FieldName,
  fieldReader,
  fieldWriter,
  GICD,
  GICR,
  GITS,
  mask,
  maskHigh,
  packFields,
  SYSREGS,
  unpackField,
} from './index.ts';
import type { FieldSpec } from './shape.ts';

const holders: readonly (readonly [string, readonly FieldSpec[]])[] = [
  ...[GICD, GICR, GITS].flatMap((table) =>
    Object.entries(table).flatMap(([name, spec]) => [
      [name, spec.fields] as const,
      ...Object.entries(('views' in spec && spec.views) || {}).map(
        ([view, fields]) => [`${name} ${view}`, fields as readonly FieldSpec[]] as const,
      ),
    ]),
  ),
  ...Object.entries(SYSREGS).map(([name, spec]) => [name, spec.fields] as const),
];
const withFields = holders.filter(([, fields]) => fields.length > 0);

describe('masks', () => {
  it.each(withFields)('of each field of %s lie where it is declared', (_name, fields) => {
    for (const { name, lsb, width } of fields) {
      const bits = ((1n << BigInt(width)) - 1n) << BigInt(lsb);
      const [low, high] = [Number(bits & 0xffff_ffffn), Number(bits >> 32n)];
      if (low !== 0) expect(mask(fields, name), name).toBe(low);
      else expect(() => mask(fields, name), name).toThrow(`field ${name} has no bit in bits 31:0`);
      if (high !== 0) expect(maskHigh(fields, name), name).toBe(high);
      else expect(() => maskHigh(fields, name), name).toThrow('has no bit in bits 63:32');
    }
  });

  it('of several fields are one number, and unsigned', () => {
    expect(mask(GICD.GICD_CTLR, 'RWP', 'EnableGrp0')).toBe(0x8000_0001);
    expect(mask(GICD.GICD_CTLR)).toBe(0);
    expect(maskHigh(GICR.GICR_VPENDBASER, 'Valid', 'Dirty')).toBe(0x9000_0000);
    expect(maskHigh(GICR.GICR_VPENDBASER.views['GICv4.1'], 'Doorbell')).toBe(0x4000_0000);
    expect(mask(GICR.GICR_PENDBASER, 'Physical_Address')).toBe(0xffff_0000);
    expect(maskHigh(GICR.GICR_PENDBASER, 'Physical_Address')).toBe(0x000f_ffff);
    expect(mask(SYSREGS.ICH_VMCR_EL2, 'VPMR', 'VEOIM')).toBe(0xff00_0200);
  });

  it('of a field that the register does not have do not compile', () => {
    // @ts-expect-error: GICD_CTLR has no such field.
    expect(() => mask(GICD.GICD_CTLR, 'EnableGrp2')).toThrow('no field EnableGrp2');
    // @ts-expect-error: the field is in the view of GICv4.1 only.
    expect(() => maskHigh(GICR.GICR_VPENDBASER, 'Doorbell')).toThrow('no field Doorbell');
    // @ts-expect-error: ICC_BPR0_EL1 has a binary point.
    expect(() => mask(SYSREGS.ICC_BPR0_EL1, 'Priority')).toThrow('no field Priority');
    // @ts-expect-error: a bitmap over INTIDs has no fields.
    expect(() => mask(GICD.GICD_ISENABLER, 'Enable')).toThrow('no field Enable');
    expectTypeOf<FieldName<typeof GICR.GICR_WAKER>>().toEqualTypeOf<'ProcessorSleep' | 'ChildrenAsleep'>();
    expectTypeOf<FieldName<typeof GICR.GICR_SYNCR>>().toEqualTypeOf<'Busy'>();
    expectTypeOf<FieldName<typeof GITS.GITS_CREADR>>().toEqualTypeOf<'Stalled' | 'Offset'>();
  });
});

describe('values by fields', () => {
  it.each(withFields)('of %s: each field comes back, and nothing else is set', (_name, fields) => {
    for (const { name, lsb, width, kind, shift = 0 } of fields)
      for (const stored of [0, 1, 2 ** width - 1, Math.floor(2 ** width / 3)]) {
        const value = kind === 'minus1' ? stored + 1 : stored * 2 ** shift;
        const word = packFields(fields, { [name]: value });
        expect(word, name).toBe(BigInt(stored) << BigInt(lsb));
        if (lsb + width > 32) expect(() => fieldWriter(fields, name), name).toThrow('is not in bits 31:0');
        else
          for (const low of [0, 0xffff_ffff, 0x1234_5678])
            expect(BigInt(fieldWriter(fields, name)(low, stored + 2 ** width)), name).toBe(
              (BigInt(low) & ~(BigInt(2 ** width - 1) << BigInt(lsb))) | word,
            );
        const around = (~(BigInt(2 ** width - 1) << BigInt(lsb)) & 0xffff_ffff_ffff_ffffn) | word;
        for (const each of [word, around])
          expect(fieldReader(fields, name)(Number(each & 0xffff_ffffn), Number(each >> 32n)), name).toBe(
            value,
          );
        expect(unpackField(fields, name, word), name).toBe(value);
        expect(unpackField(fields, name, ~word & 0xffff_ffff_ffff_ffffn), `not ${name}`).toBe(
          kind === 'minus1' ? 2 ** width - stored : (2 ** width - 1 - stored) * 2 ** shift,
        );
      }
  });

  it('follow the kind of the field', () => {
    expect(packFields(GITS.GITS_CBASER, { Valid: 1, Physical_Address: 0x6000_0000, Size: 16 })).toBe(
      0x8000_0000_6000_000fn,
    );
  });

  it('are refused where they do not fit', () => {
    expect(() => packFields(GITS.GITS_CBASER, { Size: 257 })).toThrow('257 does not fit field Size');
    expect(() => packFields(GITS.GITS_CBASER, { Size: 0 })).toThrow('0 does not fit field Size');
    expect(() => packFields(GITS.GITS_CBASER, { Physical_Address: 0x6000_0800 })).toThrow('does not fit');
    expect(() => packFields(GICR.GICR_WAKER, { ProcessorSleep: 2 })).toThrow('does not fit');
    // @ts-expect-error: GITS_CBASER has no such field.
    expect(() => packFields(GITS.GITS_CBASER, { Page_Size: 1 })).toThrow('no field Page_Size');
  });
});
