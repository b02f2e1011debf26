// What is told of memory, put together again, is what memory held; and QEMU's map of memory.
import { GuestMemory } from '@gictrace/core/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Spans } from '../importers/common/spans.ts';
import { MemoryLog } from './memory-log.ts';
import { rangesOf } from './ram.ts';

const BYTES = 9000;
const BASE = 0x1_4000_1000;

/** Puts a line into a memory. */
function understand(memory: GuestMemory, line: string): void {
  const [word, ...numbers] = line
    .slice(line.indexOf('gictrace_'))
    .split(' ')
    .filter((part, index) => index === 0 || /^(0x|\d)/.test(part));
  const [address, second, third] = numbers.map((text) => BigInt(text.trim()));
  if (word === 'gictrace_ram_unknown') memory.mark(Number(address), Number(second), false, 0);
  else if (word === 'gictrace_ram_known') memory.mark(Number(address), Number(second), true, Number(third));
  else if (word === 'gictrace_ram_store')
    memory.write(Number(address), Number(second), Number(third! & 0xffff_ffffn), Number(third! >> 32n));
  else throw new Error(line);
}

it('lines tell what memory held at each look, and nothing twice', () => {
  const change = fc.record({
    at: fc.nat(BYTES - 1),
    length: fc.constantFrom(1, 2, 17, 300, 5000),
    byte: fc.nat(255),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(1, 8),
      fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 6 }),
      (unit, rounds) => {
        const length = unit === 8 ? BYTES - (BYTES % 8) : BYTES;
        const truth = Buffer.alloc(length);
        const told = new GuestMemory();
        let lines = 0;
        const memoryLog = new MemoryLog({ read: () => Buffer.from(truth) }, (line) => {
          lines++;
          understand(told, line);
        });
        for (const changes of [[], ...rounds]) {
          for (const { at, length: n, byte } of changes) truth.fill(byte, at, Math.min(length, at + n));
          memoryLog.changes(BASE, length, unit as 1 | 8);
          expect(told.areKnown(BASE, length)).toBe(true);
          expect(
            Buffer.from(Uint8Array.from({ length }, (_, k) => told.readByte(BASE + k))).equals(truth),
          ).toBe(true);
          const before = lines;
          memoryLog.changes(BASE, length, unit as 1 | 8);
          expect(lines).toBe(before);
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('memory that cannot be read is counted, and nothing is told of it', () => {
  const lines: string[] = [];
  const memoryLog = new MemoryLog({ read: () => undefined }, (line) => lines.push(line));
  expect(memoryLog.changes(BASE, 64, 1)).toBeUndefined();
  expect(memoryLog.whole(BASE, 64)).toBeUndefined();
  expect(memoryLog.command(BASE)).toBeUndefined();
  expect([lines, memoryLog.told.unreadable]).toEqual([[], 3]);
});

it('spans hold the addresses that were added, in as few ranges as there can be', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(9)), { maxLength: 20 }), (adds) => {
      const spans = new Spans();
      const truth = new Set<number>();
      for (const [from, n] of adds) {
        spans.add(from, n);
        for (let k = 0; k < n; k++) truth.add(from + k);
      }
      let ranges = 0;
      for (let at = 0; at < 75; at++) {
        expect(spans.has(at)).toBe(truth.has(at));
        if (truth.has(at) && !truth.has(at - 1)) ranges++;
      }
      expect(spans.count).toBe(ranges);
    }),
  );
});

it("QEMU's map tells where RAM is, in the address space called memory only", () => {
  const mtree = `FlatView #0
 AS "I/O", root: io
 Root memory region: io
  0000000000000000-000000000000ffff (prio 0, i/o): io

FlatView #1
 AS "cpu-memory-0", root: system
 AS "memory", root: system
 Root memory region: system
  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0
  00000000080a0000-000000000811ffff (prio 0, i/o): gicv3_redist_region[0]
  0000000040000000-0000000047ffffff (prio 0, ram): a KVM
  0000010000000000-000001003fffffff (prio 0, ram): b @0000000000200000

`;
  expect(rangesOf(mtree)).toEqual([
    { name: 'virt.flash0', from: 0, length: 0x400_0000, offset: 0 },
    { name: 'gicv3_redist_region[0]', from: 0x80a_0000, length: 0x8_0000, offset: 0 },
    { name: 'a', from: 0x4000_0000, length: 0x800_0000, offset: 0 },
    { name: 'b', from: 0x100_0000_0000, length: 0x4000_0000, offset: 0x20_0000 },
  ]);
});
