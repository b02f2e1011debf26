import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestMemory } from './memory.ts';

const PAGE = 4096;
const GIB = 2 ** 30;

describe('guest memory', () => {
  it('is, byte by byte, what was written and marked last, however it is held', () => {
    // Lengths around the limit from which marks become extents, and addresses around page boundaries.
    const place = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: -3, max: 3 }));
    const action = fc.oneof(
      fc.record({ do: fc.constant('write' as const), at: place, width: fc.constantFrom(1, 2, 4, 8) }),
      fc.record({ do: fc.constant('mark' as const), at: place, pages: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ do: fc.constant('forget' as const), at: place, pages: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ do: fc.constant('restore' as const) }),
    );
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 12 }),
        fc.infiniteStream(fc.oneof(fc.constant(0), fc.nat(255))),
        (actions, bytes) => {
          const SIZE = 80 * PAGE;
          /** The byte, or -1 where it is not known. */
          const plain = new Int16Array(SIZE).fill(-1);
          let memory = new GuestMemory();
          for (const one of actions) {
            if (one.do === 'restore') {
              const again = new GuestMemory();
              again.setStretches(memory.stretches());
              for (const [number, data, known] of memory.entries()) again.setPage(number, data, known);
              memory = again;
              continue;
            }
            const at = Math.max(0, one.at[0] * PAGE + one.at[1]);
            const byte = bytes.next().value;
            if (one.do === 'write') {
              memory.write(at, one.width, byte, 0);
              for (let i = 0; i < one.width; i++) plain[at + i] = i === 0 ? byte : 0;
            } else {
              const length = one.pages * PAGE + (byte % 3);
              memory.mark(at, length, one.do === 'mark', byte);
              plain.fill(one.do === 'mark' ? byte : -1, at, at + length);
            }
          }
          const nonZero: number[] = [];
          const allKnown = memory.scan(0, SIZE, (offset, byte) => nonZero.push(offset, byte));
          const expected: number[] = [];
          let known = true;
          for (let at = 0; at < SIZE; at++) {
            if (plain[at]! > 0) expected.push(at, plain[at]!);
            known &&= plain[at]! >= 0;
          }
          expect(allKnown).toBe(known);
          expect(
            Buffer.from(Float64Array.from(nonZero).buffer).equals(
              Buffer.from(Float64Array.from(expected).buffer),
            ),
          ).toBe(true);
          // One comparison for all: an expectation for each byte takes minutes.
          const wrong: number[] = [];
          for (let at = 0; at < SIZE; at += 37)
            if (memory.isKnown(at) !== plain[at]! >= 0 || memory.readByte(at) !== Math.max(0, plain[at]!))
              wrong.push(at);
          for (let page = 0; page < 80; page++) {
            const part = plain.subarray(page * PAGE, (page + 1) * PAGE);
            if (memory.anyKnown(page * PAGE, PAGE) !== part.some((byte) => byte >= 0)) wrong.push(page);
          }
          // Ranges and words that begin and end anywhere, also across pages.
          for (let at = 0; at < SIZE - 2 * PAGE; at += 1021) {
            const length = (at * 7) % (PAGE + 20);
            const part = plain.subarray(at, at + length);
            if (memory.areKnown(at, length) !== part.every((byte) => byte >= 0)) wrong.push(at);
            const found: number[] = [];
            memory.scan(at, length, (offset) => found.push(offset));
            if (found.length !== part.filter((byte) => byte > 0).length) wrong.push(at);
            const word = [3, 2, 1, 0].reduce((sum, k) => sum * 256 + Math.max(0, plain[at + k]!), 0);
            if (memory.readWord(at) !== word) wrong.push(at);
          }
          for (let at = PAGE - 3; at < SIZE - PAGE; at += PAGE) {
            const word = [3, 2, 1, 0].reduce((sum, k) => sum * 256 + Math.max(0, plain[at + k]!), 0);
            if (
              memory.readWord(at) !== word ||
              memory.readWord(at - 1) !== (word * 256 + Math.max(0, plain[at - 1]!)) % 2 ** 32
            )
              wrong.push(at);
          }
          expect(wrong).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not change how it is held when it is read', () => {
    const memory = new GuestMemory();
    memory.mark(0, 4 * GIB, true, 7);
    const before = memory.stretches();
    for (let at = 0; at < 4 * GIB; at += GIB / 8 + 1) expect(memory.readByte(at)).toBe(7);
    expect([memory.stretches(), [...memory.entries()].length]).toEqual([before, 0]);
  });

  it('takes a mark of any size at the cost of one entry', () => {
    const memory = new GuestMemory();
    for (let i = 0; i < 1000; i++) memory.mark(0, 2 ** 51, true, i & 1);
    memory.writeByte(GIB + 5, 9);
    memory.mark(0, 2 ** 51, false, 0);
    memory.mark(PAGE * 3 + 1, 2 ** 45, true, 0);
    expect(memory.stretches().length).toBe(3);
    expect([...memory.entries()].length).toBeLessThanOrEqual(2);
    expect([memory.isKnown(GIB + 5), memory.readByte(GIB + 5), memory.isKnown(PAGE * 3)]).toEqual([
      true,
      0,
      false,
    ]);
  });
});
