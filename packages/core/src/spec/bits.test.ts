// Bit fields of 64-bit words, against BigInt arithmetic.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { address, deposit, extract } from './bits.ts';

const field = fc
  .record({ dw: fc.nat(3), width: fc.integer({ min: 1, max: 52 }) })
  .chain(({ dw, width }) =>
    fc.record({ dw: fc.constant(dw), width: fc.constant(width), lsb: fc.nat(64 - width) }),
  );
const words = fc
  .array(fc.nat(0xffff_ffff), { minLength: 9, maxLength: 9 })
  .map((all) => Uint32Array.from(all));
const doubleword = (all: Uint32Array, at: number, dw: number) =>
  (BigInt(all[at + 2 * dw + 1]!) << 32n) | BigInt(all[at + 2 * dw]!);

test('extract is a shift and a mask', () => {
  fc.assert(
    fc.property(words, fc.nat(1), field, (all, at, { dw, lsb, width }) => {
      const wanted = (doubleword(all, at, dw) >> BigInt(lsb)) & ((1n << BigInt(width)) - 1n);
      expect(BigInt(extract(all, at, dw, lsb, width))).toBe(wanted);
    }),
    { numRuns: 500 },
  );
});

test('an address is its two words', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.nat(0xf_ffff), (low, high) => {
      expect(BigInt(address(low, high))).toBe((BigInt(high) << 32n) | BigInt(low));
    }),
  );
});

test('deposit changes the field and nothing else', () => {
  fc.assert(
    fc.property(words, fc.nat(1), field, fc.maxSafeNat(), (all, at, { dw, lsb, width }, any) => {
      const value = any % 2 ** width;
      const before = all.slice();
      deposit(all, at, dw, lsb, width, value);
      expect(extract(all, at, dw, lsb, width)).toBe(value);
      const mask = ((1n << BigInt(width)) - 1n) << BigInt(lsb);
      for (let other = 0; other < 4; other++) {
        const kept = other === dw ? ~mask : -1n;
        expect(doubleword(all, at, other) & kept).toBe(doubleword(before, at, other) & kept);
      }
    }),
    { numRuns: 500 },
  );
});
