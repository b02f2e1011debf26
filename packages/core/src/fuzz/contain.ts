// Keeps the tables that a generated guest names inside its RAM: what a GIC does where there is no memory is the
// machine's affair, not the GIC's. Addresses end up in the gigabyte from 0x40000000.
import { FRAMES, RECORD_WORDS, RECORDS, type RecordBatch } from '../record/index.ts';
import { commandName, GICR, GITS, ITS_COMMANDS, type OperandSpec } from '../spec/index.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');
const GITS_FRAME = FRAMES.indexOf('GITS');
/** Bits 51:32 of an address, in the high word. */
const HIGH_ADDRESS = 0xf_ffff;
/** GITS_BASER<n>: with pages of 64 KB these are bits 51:48 of the address. */
const BASER_HIGHEST = 0xf000;

const inRam = (low: number): number => ((low & 0x3fff_ffff) | 0x4000_0000) >>> 0;
const withoutHigh = (high: number): number => (high & ~HIGH_ADDRESS) >>> 0;

const holders: readonly (readonly [number, number, number])[] = [
  [GICR_FRAME, GICR.GICR_PROPBASER.offset, 8],
  [GICR_FRAME, GICR.GICR_PENDBASER.offset, 8],
  [GICR_FRAME, GICR.GICR_VPROPBASER.offset, 8],
  [GICR_FRAME, GICR.GICR_VPENDBASER.offset, 8],
  [GITS_FRAME, GITS.GITS_CBASER.offset, 8],
  [GITS_FRAME, GITS.GITS_BASER.offset, 64],
];

/** Changes record `i` of a batch so that it names no address outside RAM. */
export function contain(batch: RecordBatch, i: number): void {
  const w = batch.words;
  const at = i * RECORD_WORDS;
  if (batch.kind[i] === MMIO_WRITE) {
    const offset = w[at + 2]!;
    const holder = holders.find(
      ([frame, from, bytes]) => frame === w[at] && offset >= from && offset < from + bytes,
    );
    if (holder === undefined) return;
    if (offset % 8 === 4) w[at + 4] = withoutHigh(w[at + 4]!);
    else {
      w[at + 4] = inRam(w[at + 4]!);
      if (holder[1] === GITS.GITS_BASER.offset) w[at + 4] = (w[at + 4]! & ~BASER_HIGHEST) >>> 0;
      w[at + 5] = withoutHigh(w[at + 5]!);
    }
  } else if (batch.kind[i] === QUEUE_WRITE) {
    const name = commandName(w[at + 3]! & 0xff);
    if (name === undefined) return;
    for (const operand of ITS_COMMANDS[name].operands as readonly OperandSpec[]) {
      if (operand.kind !== 'pa') continue;
      const word = at + 3 + 2 * operand.dw;
      w[word] = inRam(w[word]!);
      w[word + 1] = withoutHigh(w[word + 1]!);
    }
  }
}
