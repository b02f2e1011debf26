// The bits that identify an implementation, and no others.
import { describe, expect, it } from 'vitest';
import { GICD, GICR, GITS, IRS } from '../spec/index.ts';
import { clearIdentification } from './identification.ts';
import { FRAMES } from './values.ts';

/** What is left of all ones that a read at this offset returned. */
function left(frame: (typeof FRAMES)[number], offset: number): string {
  const words = new Uint32Array(2).fill(0xffff_ffff);
  clearIdentification(words, 0, FRAMES.indexOf(frame), offset);
  return [...words].map((word) => word.toString(16)).join(' ');
}

describe('bits that identify an implementation', () => {
  it('are all of a register that says nothing else', () => {
    expect(left('GICD', GICD.GICD_TYPER.offset)).toBe('0 0');
    expect(left('GICD', 0xffe8)).toBe('0 0');
    expect(left('GITS', GITS.GITS_IIDR.offset)).toBe('0 0');
    expect(left('GITS', GITS.GITS_TYPER.offset + 4)).toBe('0 ffffffff');
  });

  it('are some of a register that also has state, or says how the machine is built', () => {
    // PE_CNT
    expect(left('IRS', IRS.IRS_IDR1.offset)).toBe('ffff 0');
    // EnableLPIs and RWP; not CES and IR
    expect(left('GICR', GICR.GICR_CTLR.offset)).toBe('fffffff9 ffffffff');
    // Processor_Number and Last, and the affinity
    expect(left('GICR', GICR.GICR_TYPER.offset)).toBe('ffff10 ffffffff');
    expect(left('GICR', GICR.GICR_TYPER.offset + 4)).toBe('ffffffff ffffffff');
    // Type and Entry_Size are bits 58:56 and 52:48
    expect(left('GITS', GITS.GITS_BASER.offset + 8)).toBe('ffffffff f8e0ffff');
    expect(left('GITS', GITS.GITS_BASER.offset + 12)).toBe('f8e0ffff ffffffff');
  });

  it('are none of any other', () => {
    expect(left('GICD', GICD.GICD_CTLR.offset)).toBe('ffffffff ffffffff');
    expect(left('GICR', GICR.GICR_WAKER.offset)).toBe('ffffffff ffffffff');
    expect(left('GITS', GITS.GITS_CBASER.offset)).toBe('ffffffff ffffffff');
    expect(left('IRS', IRS.IRS_CR0.offset)).toBe('ffffffff ffffffff');
    expect(left('IRS', IRS.IRS_IDR5.offset)).toBe('ffffffff ffffffff');
  });
});
