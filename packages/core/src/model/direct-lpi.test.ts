// LPIs by Redistributor registers: set, clear, invalidate (IHI 0069, "GICR_SETLPIR" to "GICR_SYNCR").
import { describe, expect, it } from 'vitest';
import { GICR } from '../spec/index.ts';
import { Driver, featured, variant } from './driver.test-support.ts';

const DIRECT = 8;
const LPI = 8200;
const ON = 0xa1;
const SPURIOUS = 1023;
const gic = () => {
  const d = featured('architecture', { gicr: DIRECT }).enable().its();
  d.configure(LPI, ON);
  return d;
};

describe('direct LPIs', () => {
  it('GICR_SETLPIR makes an LPI pending on its own PE, GICR_CLRLPIR takes that back', () => {
    const d = gic();
    d.gicr(1, 'GICR_SETLPIR', LPI);
    expect([d.pending(0, LPI), d.pending(1, LPI)]).toEqual([false, true]);
    expect(d.read(1, 'ICC_HPPIR1_EL1')).toBe(LPI);
    d.gicr(0, 'GICR_CLRLPIR', LPI);
    expect(d.pending(1, LPI)).toBe(true);
    d.gicr(1, 'GICR_CLRLPIR', LPI);
    expect(d.pending(1, LPI)).toBe(false);
    d.gicr(1, 'GICR_SETLPIR', LPI);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(LPI);
    expect(d.pending(1, LPI)).toBe(false);
  });

  it('have no effect before EnableLPIs, nor outside the range of LPIs', () => {
    const d = featured(variant('architecture', { ctlrCes: true }), { gicr: DIRECT })
      .enable()
      .its();
    d.gicr(0, 'GICR_CTLR', 0);
    d.gicr(0, 'GICR_SETLPIR', LPI);
    expect(d.seen).toEqual([]);
    d.gicr(0, 'GICR_CTLR', 1);
    for (const intid of [40, 1023, 8191, 65536]) {
      for (const name of ['GICR_SETLPIR', 'GICR_CLRLPIR', 'GICR_INVLPIR'] as const) {
        d.gicr(0, name, intid);
        expect(d.seen).toEqual([]);
      }
    }
    d.gicr(0, 'GICR_SETLPIR', 65535);
    expect(d.pending(0, 65535)).toBe(true);
  });

  it('GICR_CLRLPIR has no effect while LPIs are disabled, whatever the Redistributor still holds', () => {
    const profile = variant('architecture', { ctlrCes: true, disableForgets: false });
    const d = featured(profile, { gicr: DIRECT }).enable().its();
    d.gicr(0, 'GICR_SETLPIR', LPI);
    d.gicr(0, 'GICR_CTLR', 0);
    expect(d.pending(0, LPI)).toBe(true);
    d.gicr(0, 'GICR_CLRLPIR', LPI);
    expect(d.pending(0, LPI)).toBe(true);
  });

  it('take a 32-bit write as if the other half were zero', () => {
    const d = gic();
    d.access('GICR', 0, GICR.GICR_SETLPIR.offset + 4, 4, LPI);
    expect(d.pending(0, LPI)).toBe(false);
    d.wide('GICR', 0, GICR.GICR_SETLPIR.offset, LPI, 0);
    expect(d.pending(0, LPI)).toBe(true);
    // An upper half that is not written is no V bit.
    d.configure(LPI, 0xa0);
    d.wide('GICR', 0, GICR.GICR_INVLPIR.offset, LPI, 0x8000_0000);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
    d.access('GICR', 0, GICR.GICR_INVLPIR.offset, 4, LPI, 0x8000_0000);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
  });

  it('GICR_INVLPIR has a configuration looked at again: of that LPI, by that Redistributor', () => {
    const d = gic();
    d.configure(LPI + 1, ON);
    for (const intid of [LPI, LPI + 1]) d.gicr(0, 'GICR_SETLPIR', intid);
    d.configure(LPI, 0xa0);
    d.gicr(0, 'GICR_INVLPIR', LPI + 1);
    d.gicr(1, 'GICR_INVLPIR', LPI);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
    d.gicr(0, 'GICR_INVLPIR', LPI);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI + 1);
    expect(d.gicr(0, 'GICR_SYNCR')).toBe(0);
  });

  it('GICR_INVALLR has all configurations looked at again, but not for a vPE', () => {
    const d = gic();
    d.gicr(0, 'GICR_SETLPIR', LPI);
    d.configure(LPI, 0xa0);
    d.wide('GICR', 0, GICR.GICR_INVALLR.offset, 0, 0x8000_0000);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
    d.gicr(1, 'GICR_INVALLR', 0);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
    d.gicr(0, 'GICR_INVALLR', 0);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
  });

  it('exist by GICR_TYPER.DirectLPI, and invalidation by GICR_CTLR.IR too', () => {
    const without = new Driver('qemu-virt').enable().its();
    for (const name of ['GICR_SETLPIR', 'GICR_CLRLPIR', 'GICR_INVLPIR', 'GICR_INVALLR'] as const) {
      without.gicr(0, name, LPI);
      expect(without.machine.reserved).toBe(true);
    }
    without.gicr(0, 'GICR_SYNCR');
    expect(without.machine.reserved).toBe(true);
    expect(without.gicr(0, 'GICR_CTLR') & 4).toBe(0);

    const d = new Driver(variant('architecture', { ctlrIr: true })).enable().its();
    expect(d.gicr(0, 'GICR_CTLR') & 4).toBe(4);
    d.gicr(0, 'GICR_SETLPIR', LPI);
    expect(d.machine.reserved).toBe(true);
    d.map(1, 0, LPI, 0);
    d.msi(1, 0);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
    d.configure(LPI, ON);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
    d.gicr(0, 'GICR_INVLPIR', LPI);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
    expect(d.gicr(0, 'GICR_SYNCR')).toBe(0);
    expect(d.machine.reserved).toBe(false);
  });
});
