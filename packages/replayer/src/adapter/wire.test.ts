// The bytes of the adapter protocol: what is written is read again, also in pieces; anything else is refused clearly.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FrameSplitter,
  MESSAGE_BYTES_MAX,
  WireError,
  WireReader,
  type WireValue,
  WireWriter,
} from './wire.ts';

const values: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.maxSafeNat(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string({ maxLength: 40 }), tie('value'), { maxKeys: 20 }),
  ),
})).value;

function written(value: WireValue): Buffer {
  const out = new WireWriter();
  out.value(value);
  return out.frame();
}

function read(frame: Buffer): WireValue {
  const reader = new WireReader();
  reader.reset(frame, 4, frame.length);
  const value = reader.value();
  expect(reader.done).toBe(true);
  return value;
}

/** As it comes back: maps have no prototype. */
const plain = (value: WireValue): unknown =>
  JSON.parse(JSON.stringify(value, (_k, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)));

describe('values', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(plain(read(written(value)))).toEqual(plain(value));
      }),
    );
  });

  it('have the bytes that the specification of MessagePack gives them', () => {
    const bytes = (value: WireValue) => written(value).subarray(4).toString('hex');
    expect(bytes([0, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295])).toBe(
      '98007fcc80ccffcd0100cdffffce00010000ceffffffff',
    );
    expect(bytes([2 ** 32, 2n ** 64n - 1n])).toBe('92cf0000000100000000cfffffffffffffffff');
    expect(bytes({ a: true, b: [false] })).toBe('82a161c3a16291c2');
    expect(bytes('x'.repeat(32)).slice(0, 4)).toBe('d920');
    expect(bytes('x'.repeat(256)).slice(0, 6)).toBe('da0100');
    expect(bytes(new Array(16).fill(0)).slice(0, 6)).toBe('dc0010');
  });

  it('are never taken out of bytes that do not hold them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const reader = new WireReader();
        reader.reset(Buffer.from(bytes), 0, bytes.length);
        try {
          reader.value();
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
          expect((error as Error).message).toMatch(/ at byte \d+ of the message$/);
        }
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const frame = written(value);
        const reader = new WireReader();
        const end = 4 + (cut % Math.max(1, frame.length - 4));
        reader.reset(frame, 4, end);
        expect(() => reader.value()).toThrow(WireError);
      }),
    );
  });

  it('nested without an end are refused', () => {
    const bytes = Buffer.alloc(1000, 0x91);
    const reader = new WireReader();
    reader.reset(bytes, 0, bytes.length);
    expect(() => reader.value()).toThrow(/nested too deep/);
  });
});

describe('messages', () => {
  it('come out whole however their bytes come in', () => {
    fc.assert(
      fc.property(
        fc.array(values, { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (messages, sizes) => {
          const bytes = Buffer.concat(messages.map(written));
          const came: string[] = [];
          const splitter = new FrameSplitter((chunk, from, to) => came.push(chunk.toString('hex', from, to)));
          for (let at = 0, k = 0; at < bytes.length; k++) {
            const size = sizes[k % sizes.length]!;
            splitter.take(bytes.subarray(at, at + size));
            at += size;
          }
          expect(splitter.rest).toBe(0);
          expect(came).toEqual(messages.map((message) => written(message).toString('hex', 4)));
        },
      ),
    );
  });

  it('of a length that none has are refused before anything is kept', () => {
    const splitter = new FrameSplitter(() => undefined);
    for (const length of [0, MESSAGE_BYTES_MAX + 1, 0xffff_ffff]) {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(length, 0);
      expect(() => splitter.take(head)).toThrow(WireError);
    }
    expect(() => splitter.take(Buffer.from('Segmentation fault\n'))).toThrow(/'Segmentation fault\.'/);
  });
});
