import { GicTraceError } from '@gictrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, pack, unpackJson } from './msgpack.ts';

describe('what a header or a footer may contain', () => {
  it.each([
    ['bytes', new Uint8Array(3)],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an integer of 64 bits', 2n ** 63n],
  ])('not %s, however deep', (_what, value) => {
    for (const whole of [value, [value], { a: [1, { b: value }] }])
      expect(() => unpackJson(pack(whole as never))).toThrow('neither a header nor a footer');
  });

  it('nothing that cannot be written again', () => {
    const leaf = fc.oneof(
      fc.constantFrom(null, true, Number.NaN, 2n ** 40n),
      fc.string(),
      fc.double(),
      fc.uint8Array({ maxLength: 3 }),
    );
    /** Arrays and maps, nested as deep as the reader may go, and deeper. */
    const nested = fc
      .tuple(leaf, fc.array(fc.boolean(), { maxLength: 40 }))
      .map(([value, levels]) =>
        levels.reduce<unknown>((inner, isMap) => (isMap ? { a: inner } : [inner, 1]), value),
      );
    const kinds = new Set<string>();
    fc.assert(
      fc.property(nested, (value) => {
        let read: ReturnType<typeof unpackJson>;
        try {
          read = unpackJson(pack(value as never));
        } catch (error) {
          expect(error).toBeInstanceOf(GicTraceError);
          kinds.add('refused');
          return;
        }
        kinds.add('read');
        expect(unpackJson(pack(canonical(read)))).toEqual(read);
      }),
      { numRuns: 500 },
    );
    expect([...kinds].sort()).toEqual(['read', 'refused']);
  });
});
