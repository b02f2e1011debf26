// The bits by which software finds out which GIC it has: they differ from one implementation to another and say nothing about
// what the implementation does. What a machine decides, such as affinities, which Redistributor is the last and
// how many SPIs an IRS has, is not among them.
import { GICD, GICR, GITS, IRS, mask, maskHigh, type RegisterSpec } from '../spec/index.ts';
import { FRAMES } from './values.ts';

const ALL = 0xffff_ffff;

interface Bits {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly low: number;
  readonly high: number;
}

const bits = (spec: RegisterSpec, low = ALL, high = ALL): Bits => ({
  from: spec.offset,
  to: spec.offset + spec.bytes * (spec.count ?? 1),
  bytes: spec.bytes,
  low: low >>> 0,
  high: high >>> 0,
});

const OF_THE_MACHINE = mask(GICR.GICR_TYPER, 'Processor_Number', 'Last');
const PES_OF_THE_MACHINE = mask(IRS.IRS_IDR1, 'PE_CNT');
const FRAME_BITS: readonly (readonly Bits[])[] = FRAMES.map((frame) => {
  if (frame === 'GICD')
    return [bits(GICD.GICD_TYPER), bits(GICD.GICD_IIDR), bits(GICD.GICD_TYPER2), bits(GICD.GICD_PIDR)];
  if (frame === 'GICR')
    return [
      bits(GICR.GICR_CTLR, mask(GICR.GICR_CTLR, 'CES', 'IR'), 0),
      bits(GICR.GICR_IIDR),
      bits(GICR.GICR_TYPER, ~OF_THE_MACHINE, 0),
      bits(GICR.GICR_PIDR),
    ];
  if (frame === 'GITS')
    return [
      bits(GITS.GITS_IIDR),
      bits(GITS.GITS_TYPER),
      bits(GITS.GITS_BASER, 0, maskHigh(GITS.GITS_BASER, 'Type', 'Entry_Size')),
      bits(GITS.GITS_PIDR),
    ];
  if (frame === 'IRS')
    return [
      bits(IRS.IRS_IDR0),
      bits(IRS.IRS_IDR1, ~PES_OF_THE_MACHINE),
      ...[IRS.IRS_IDR2, IRS.IRS_IDR3, IRS.IRS_IDR4, IRS.IRS_IIDR, IRS.IRS_AIDR].map((one) => bits(one)),
      bits(IRS.IRS_DEVARCH),
      bits(IRS.IRS_PIDR),
    ];
  return [];
});

/** Clears the bits that identify an implementation in a value that a read at this offset returned, at `words[at]`, low word first. */
export function clearIdentification(words: Uint32Array, at: number, frame: number, offset: number): void {
  for (const { from, to, bytes, low, high } of FRAME_BITS[frame] ?? []) {
    if (offset < from || offset >= to) continue;
    const isHigh = bytes === 8 && (offset - from) % 8 === 4;
    words[at] = words[at]! & ~(isHigh ? high : low);
    words[at + 1] = words[at + 1]! & ~(isHigh ? 0 : high);
  }
}
