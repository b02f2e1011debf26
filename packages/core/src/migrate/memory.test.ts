// Guest memory goes with a machine, however it is held: single bytes, pages, and long stretches of one byte.
import { expect, it } from 'vitest';
import { Machine } from '../model/index.ts';
import { configOf, PLAIN } from '../profile/index.ts';
import { restore, save } from './index.ts';

const config = configOf('architecture', PLAIN, 2);
const GIB = 2 ** 30;

it('every byte that is known is known behind it, and no other', () => {
  const machine = new Machine(config);
  const { memory } = machine.state;
  memory.mark(0x4000_0000, 5 * GIB, true, 0); // Longer than a length of 32 bits.
  memory.mark(0x5000_0000, 0x10_0000, true, 0xa0); // Another byte inside it,
  memory.mark(0x6000_0123, 0x20_0000, false, 0); // a hole that is not known,
  memory.write(0x7000_0004, 8, 0x1234_5678, 0x9abc_def0); // and a few bytes.
  memory.mark(0x10_0000_0800, 0x100, true, 7); // A part of a page elsewhere.

  const other = new Machine(config);
  expect(restore(other, save(machine))).toEqual([]);
  const again = other.state.memory;
  const places = [
    0x3fff_ffff,
    0x4000_0000,
    0x4fff_ffff,
    0x5000_0000,
    0x500f_ffff,
    0x5010_0000,
    0x6000_0122,
    0x6000_0123,
    0x6010_0000,
    0x6020_0122,
    0x6020_0123,
    0x7000_0003,
    0x7000_0004,
    0x7000_000b,
    0x7000_000c,
    0x4000_0000 + 5 * GIB - 1,
    0x4000_0000 + 5 * GIB,
    0x10_0000_07ff,
    0x10_0000_0800,
    0x10_0000_08ff,
    0x10_0000_0900,
  ];
  const seen = (of: typeof memory) => places.map((at) => [at, of.isKnown(at), of.readByte(at)]);
  expect(seen(again)).toEqual(seen(memory));
  expect(again.stretches()).toEqual(memory.stretches());
});
