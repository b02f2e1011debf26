// Table entries: no overlap, decode after encode is the identity, and entries from QEMU's guest memory.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deposit, extract } from './bits.ts';
import type { FieldSpec } from './shape.ts';
import { type EntryLayout, LEVEL1_ENTRY, LPI_CONFIG, QEMU_LAYOUT } from './table-entry.ts';

const layouts: [string, EntryLayout][] = [
  ...Object.entries(QEMU_LAYOUT),
  ['LPI configuration', { bytes: 1, fields: LPI_CONFIG }],
  ['level 1', { bytes: 8, fields: LEVEL1_ENTRY }],
];

function decode(words: Uint32Array, fields: readonly FieldSpec[]): Record<string, number> {
  return Object.fromEntries(
    fields.map((f) => [f.name, extract(words, 0, f.lsb >> 6, f.lsb & 63, f.width) * 2 ** (f.shift ?? 0)]),
  );
}

function encode(values: Readonly<Record<string, number>>, fields: readonly FieldSpec[]): Uint32Array {
  const words = new Uint32Array(4);
  for (const f of fields)
    deposit(words, 0, f.lsb >> 6, f.lsb & 63, f.width, values[f.name]! / 2 ** (f.shift ?? 0));
  return words;
}

describe.each(layouts)('%s', (_name, { bytes, fields }) => {
  test('no two fields share a bit; all lie in the entry, none crosses a doubleword', () => {
    const owner = new Set<number>();
    for (const field of fields) {
      expect(field.lsb + field.width).toBeLessThanOrEqual(bytes * 8);
      expect(field.lsb >> 6).toBe((field.lsb + field.width - 1) >> 6);
      for (let bit = field.lsb; bit < field.lsb + field.width; bit++) {
        expect(owner.has(bit), `${field.name} bit ${bit}`).toBe(false);
        owner.add(bit);
      }
    }
  });

  test('decode after encode is the identity', () => {
    const values = fc.record(
      Object.fromEntries(
        fields.map((f) => [
          f.name,
          fc.bigInt(0n, (1n << BigInt(f.width)) - 1n).map((stored) => Number(stored) * 2 ** (f.shift ?? 0)),
        ]),
      ),
    );
    fc.assert(
      fc.property(values, (any) => {
        expect(decode(encode(any, fields), fields)).toEqual({ ...any });
      }),
    );
  });
});

test('entries by hand', () => {
  // MAPD DeviceID 8, Size 2, ITT_addr 0x42642e00: bit 0, Size at 5:1, ITT_addr >> 8 at 49:6.
  const dte = (0x42_642en << 6n) | (2n << 1n) | 1n;
  expect(
    decode(Uint32Array.of(Number(dte & 0xffff_ffffn), Number(dte >> 32n)), QEMU_LAYOUT.dte.fields),
  ).toEqual({
    Valid: 1,
    Size: 2,
    ITT_addr: 0x4264_2e00,
  });
  expect(decode(Uint32Array.of(0x3, 0), QEMU_LAYOUT.cte.fields)).toEqual({ Valid: 1, RDbase: 1 });
  // A physical event: pINTID 0x2001, collection 3, no doorbell.
  expect(decode(Uint32Array.of((0x2001 << 2) | 3, 3, 1023, 0), QEMU_LAYOUT.ite.fields)).toEqual({
    Valid: 1,
    inttype: 1,
    INTID: 0x2001,
    ICID: 3,
    vPEID: 0,
    doorbell: 1023,
  });
  // VMAPP VPT_addr 0x440d0000, VPT_size 15, RDbase 2: VPT_addr >> 16 at 41:6, RDbase at 57:42.
  const vte = (2n << 42n) | (0x440dn << 6n) | (15n << 1n) | 1n;
  expect(
    decode(Uint32Array.of(Number(vte & 0xffff_ffffn), Number(vte >> 32n)), QEMU_LAYOUT.vte.fields),
  ).toEqual({
    Valid: 1,
    VPT_size: 15,
    VPT_addr: 0x440d_0000,
    RDbase: 2,
  });
  // Linux enables an LPI at its default priority with 0xa1, and masks it with 0xa0.
  expect(decode(Uint32Array.of(0xa1, 0), LPI_CONFIG)).toEqual({ Enable: 1, Priority: 0xa0 });
  expect(decode(Uint32Array.of(0xa2, 0), LPI_CONFIG)).toEqual({ Enable: 0, Priority: 0xa0 });
  expect([
    QEMU_LAYOUT.dte.bytes,
    QEMU_LAYOUT.cte.bytes,
    QEMU_LAYOUT.ite.bytes,
    QEMU_LAYOUT.vte.bytes,
  ]).toEqual([8, 8, 12, 8]);
});

test('fields have exactly the bits that the layout gives them', () => {
  const ones = new Uint32Array(4).fill(0xffff_ffff);
  expect(decode(ones, QEMU_LAYOUT.dte.fields)).toEqual({ Valid: 1, Size: 31, ITT_addr: 2 ** 52 - 2 ** 8 });
  expect(decode(ones, QEMU_LAYOUT.cte.fields)).toEqual({ Valid: 1, RDbase: 0xffff });
  expect(decode(ones, QEMU_LAYOUT.ite.fields)).toEqual({
    Valid: 1,
    inttype: 1,
    INTID: 0xff_ffff,
    ICID: 0xffff,
    vPEID: 0xffff,
    doorbell: 0xff_ffff,
  });
  expect(decode(ones, QEMU_LAYOUT.vte.fields)).toEqual({
    Valid: 1,
    VPT_size: 31,
    VPT_addr: 2 ** 52 - 2 ** 16,
    RDbase: 0xffff,
  });
  expect(decode(ones, LEVEL1_ENTRY)).toEqual({ Physical_Address: 2 ** 52 - 2 ** 12, Valid: 1 });
  expect(decode(ones, LPI_CONFIG)).toEqual({ Enable: 1, Priority: 0xfc });
});
