// Keeps the tables that a generated guest names inside its RAM: what a GIC does where there is no memory is the
// machine's affair, not the GIC's. Addresses end up in the gigabyte from 0x40000000. Some reserved bits stay zero too.
import { FRAMES, RECORD_WORDS, RECORDS, type RecordBatch } from '../record/index.ts';
import { commandName, GICR, GITS, ITS_COMMANDS, type OperandSpec, SYSREGS } from '../spec/index.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');
const GITS_FRAME = FRAMES.indexOf('GITS');
/** Bits 51:32 of an address, in the high word. */
const HIGH_ADDRESS = 0xf_ffff;
/** GITS_BASER<n>: with pages of 64 KB these are bits 51:48 of the address. */
const BASER_HIGHEST = 0xf000;

const VALID = 0x8000_0000;
/** A reserved location of the VLPI frame. */
const VLPI_RESERVED = 0x2_0ff8;
const POINTERS: readonly number[] = [GITS.GITS_CWRITER.offset, GITS.GITS_CREADR.offset];

/** A write to GICR_VPROPBASER while a vPE is resident becomes one to a reserved location. */
function keepConfigurations(batch: RecordBatch, i: number, resident: Set<number>): void {
  const w = batch.words;
  const at = i * RECORD_WORDS;
  const offset = w[at + 2]! & ~7;
  const pe = w[at + 1]!;
  if (offset === GICR.GICR_VPROPBASER.offset && resident.has(pe)) w[at + 2] = VLPI_RESERVED;
  if (offset !== GICR.GICR_VPENDBASER.offset) return;
  const high =
    w[at + 3] === 8 ? w[at + 5]! : w[at + 2] === offset + 4 && w[at + 3] === 4 ? w[at + 4]! : undefined;
  if (high === undefined) return;
  if (high & VALID) resident.add(pe);
  else resident.delete(pe);
}

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

/** Bits of a system register that are kept of what is written: the others are RES0, and QEMU 7.2 does not ignore them. */
const KEPT: Readonly<Record<number, number>> = {
  [SYSREGS.ICC_PMR_EL1.encoding]: 0xff,
  [SYSREGS.ICC_BPR0_EL1.encoding]: 7,
  [SYSREGS.ICC_BPR1_EL1.encoding]: 7,
  [SYSREGS.ICV_BPR0_EL1.encoding]: 7,
  [SYSREGS.ICV_BPR1_EL1.encoding]: 7,
  // No traps: they are the PE's affair.
  [SYSREGS.ICH_HCR_EL2.encoding]: 0xffff_83ff,
};

/**
 * Changes record `i` of a batch so that it names no address outside RAM. `resident`: the PEs on which a vPE is, so far;
 * the place of its configurations must not change meanwhile (IHI 0069, "GICR_VPROPBASER").
 */
export function contain(batch: RecordBatch, i: number, resident: Set<number>): void {
  const w = batch.words;
  const at = i * RECORD_WORDS;
  const kept = batch.kind[i] === SYSREG_WRITE ? KEPT[w[at]!] : undefined;
  if (kept !== undefined) {
    w[at + 1] = (w[at + 1]! & kept) >>> 0;
    w[at + 2] = 0;
  }
  if (batch.kind[i] === MMIO_WRITE) {
    if (w[at] === GICR_FRAME) keepConfigurations(batch, i, resident);
    const offset = w[at + 2]!;
    // Reserved bits of the queue's pointers, which not every GIC forgets.
    if (w[at] === GITS_FRAME && POINTERS.includes(offset)) w[at + 5] = 0;
    if (w[at] === GITS_FRAME && POINTERS.includes(offset - 4)) w[at + 4] = 0;
    const holder = holders.find(
      ([frame, from, bytes]) => frame === w[at] && offset >= from && offset < from + bytes,
    );
    if (holder === undefined) return;
    if (offset % 8 === 4) w[at + 4] = withoutHigh(w[at + 4]!);
    else {
      w[at + 4] = inRam(w[at + 4]!);
      // A table for IDs of 32 bits would have QEMU look through half a gigabyte.
      if (holder[1] === GICR.GICR_VPROPBASER.offset) w[at + 4] = (w[at + 4]! & ~0x10) >>> 0;
      if (holder[1] === GITS.GITS_BASER.offset) w[at + 4] = (w[at + 4]! & ~BASER_HIGHEST) >>> 0;
      w[at + 5] = withoutHigh(w[at + 5]!);
    }
  } else if (batch.kind[i] === QUEUE_WRITE) {
    const name = commandName(w[at + 3]! & 0xff);
    if (name === undefined) return;
    for (const operand of ITS_COMMANDS[name].operands as readonly OperandSpec[]) {
      const word = at + 3 + 2 * operand.dw;
      if (operand.kind === 'pa') w[word] = inRam(w[word]!);
      // A processor number has 16 bits; what is above them is RES0.
      if (operand.kind === 'pa' || operand.name.startsWith('RDbase')) w[word + 1] = withoutHigh(w[word + 1]!);
    }
  }
}
