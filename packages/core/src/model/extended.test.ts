// Extended SPIs and extended PPIs (IHI 0069, "INTIDs", "GICD_TYPER.ESPI", "GICR_TYPER.PPInum").
import { describe, expect, it } from 'vitest';
import { GICD } from '../spec/index.ts';
import { Driver, featured, TYPER } from './driver.test-support.ts';

const SPURIOUS = 1023;
const RANGE_64 = 0x800_0000;
const EPPI = 1056;
const ESPI = 4096;
const PPINUM_1 = 0x800_0000;
const PPINUM_2 = 0x1000_0000;
const CTLR_EXT_RANGE = 0x8_0000;

describe('extended SPIs', () => {
  /** 64 of them; the second word has one, of Group 1, for PE 1. */
  const intid = ESPI + 37;
  const bit = 1 << 5;
  const gic = () => {
    const d = featured('architecture', { set: TYPER.ESPI | RANGE_64 }).enable();
    d.gicd('GICD_IGROUPRE', bit, 1);
    d.gicd('GICD_IPRIORITYRE', 0x90, 37);
    d.gicd('GICD_ICFGRE', 2 << 10, 2);
    d.wide('GICD', 0, GICD.GICD_IROUTERE.offset + 8 * 37, 1, 0);
    d.gicd('GICD_ISENABLERE', bit, 1);
    return d;
  };

  it('are routed, acknowledged and ended by their INTID', () => {
    const d = gic();
    d.wire(intid, true);
    expect(d.seen.find((s) => s.kind === 'irq.pended')?.words[0]).toBe(intid);
    expect(d.gicd('GICD_ISPENDRE', undefined, 1)).toBe(bit);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(intid);
    expect(d.read(1, 'ICC_RPR_EL1')).toBe(0x90);
    expect(d.gicd('GICD_ISPENDRE', undefined, 1)).toBe(0);
    expect(d.gicd('GICD_ISACTIVERE', undefined, 1)).toBe(bit);
    d.write(1, 'ICC_EOIR1_EL1', intid);
    expect(d.gicd('GICD_ISACTIVERE', undefined, 1)).toBe(0);
  });

  it('have registers of their own, which read back and touch no other interrupt', () => {
    const d = gic();
    d.gicd('GICD_ISPENDRE', bit, 1);
    expect(d.gicd('GICD_IGROUPRE', undefined, 1)).toBe(bit);
    expect(d.gicd('GICD_ISENABLERE', undefined, 1)).toBe(bit);
    expect(d.gicd('GICD_IPRIORITYRE', undefined, 37)).toBe(0x90);
    expect(d.gicd('GICD_ICFGRE', undefined, 2)).toBe(2 << 10);
    expect(d.access('GICD', 0, GICD.GICD_IROUTERE.offset + 8 * 37, 4)).toBe(1);
    for (let n = 1; n < 32; n++) {
      expect(d.gicd('GICD_ISENABLER', undefined, n)).toBe(0);
      expect(d.gicd('GICD_ISPENDR', undefined, n)).toBe(0);
    }
    expect(d.gicd('GICD_ISENABLERE', undefined, 0)).toBe(0);
    d.gicd('GICD_ICPENDRE', bit, 1);
    expect(d.gicd('GICD_ISPENDRE', undefined, 1)).toBe(0);
    d.gicd('GICD_ICENABLERE', bit, 1);
    expect(d.gicd('GICD_ISENABLERE', undefined, 1)).toBe(0);
  });

  it('give way to a lower INTID of the same priority, SPIs first', () => {
    const d = gic();
    d.wide('GICD', 0, GICD.GICD_IROUTERE.offset + 8 * 37, 0, 0);
    d.spi(250, { priority: 0x90 });
    d.wire(intid, true);
    d.wire(250, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(250);
    d.write(0, 'ICC_EOIR1_EL1', 250);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(intid);
  });

  it('end where GICD_TYPER.ESPI_range says', () => {
    const d = gic();
    d.gicd('GICD_ISENABLERE', 0xffff_ffff, 2);
    expect(d.seen).toEqual([]);
    expect(d.gicd('GICD_ISENABLERE', undefined, 2)).toBe(0);
    d.wide('GICD', 0, GICD.GICD_IROUTERE.offset + 8 * 64, 1, 0);
    expect(d.access('GICD', 0, GICD.GICD_IROUTERE.offset + 8 * 64, 4)).toBe(0);
    d.wire(ESPI + 64, true);
    expect(d.seen).toEqual([]);
  });

  it('can be message-based', () => {
    const d = featured('architecture', { set: TYPER.ESPI | TYPER.MBIS }).enable();
    d.gicd('GICD_ICFGRE', 2, 0);
    d.gicd('GICD_SETSPI_NSR', ESPI);
    expect(d.gicd('GICD_ISPENDRE')).toBe(1);
    d.gicd('GICD_SETSPI_NSR', ESPI + 32);
    expect(d.seen).toEqual([]);
  });

  it('are told of by ICC_CTLR_EL1.ExtRange', () => {
    expect(gic().read(0, 'ICC_CTLR_EL1') & CTLR_EXT_RANGE).not.toBe(0);
    const without = new Driver('architecture').enable();
    expect(without.read(0, 'ICC_CTLR_EL1') & CTLR_EXT_RANGE).toBe(0);
    without.gicd('GICD_ISENABLERE', 1);
    expect(without.machine.reserved).toBe(true);
  });

  it('survive a snapshot', () => {
    const d = gic();
    d.wire(intid, true);
    const other = gic();
    other.machine.state.restore(d.machine.state.save());
    other.machine.invalidate();
    expect(other.machine.state.digest()).toBe(d.machine.state.digest());
    expect(other.read(1, 'ICC_IAR1_EL1')).toBe(intid);
  });
});

describe('extended PPIs', () => {
  const intid = EPPI + 35;
  const bit = 1 << 3;
  const gic = (ppinum = PPINUM_2) => {
    const d = featured('architecture', { gicr: ppinum }).enable();
    d.gicr(1, 'GICR_IGROUPR', bit, 2);
    d.gicr(1, 'GICR_IPRIORITYR', 0x90, 64 + 3);
    d.gicr(1, 'GICR_ISENABLER', bit, 2);
    return d;
  };

  it('belong to their PE', () => {
    const d = gic();
    d.wire(intid, true, 1);
    expect(d.gicr(1, 'GICR_ISPENDR', undefined, 2)).toBe(bit);
    expect(d.gicr(0, 'GICR_ISPENDR', undefined, 2)).toBe(0);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(intid);
    expect(d.seen.find((s) => s.kind === 'irq.activated')).toMatchObject({ pe: 1 });
    expect(d.read(1, 'ICC_RPR_EL1')).toBe(0x90);
    expect(d.gicr(1, 'GICR_ISACTIVER', undefined, 2)).toBe(bit);
    d.write(1, 'ICC_EOIR1_EL1', intid);
    expect(d.gicr(1, 'GICR_ISACTIVER', undefined, 2)).toBe(0);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(intid);
  });

  it('can be edge-triggered, where SGIs always are', () => {
    const d = gic();
    d.gicr(1, 'GICR_ICFGR', 0xaaaa_aaaa, 4);
    expect(d.gicr(1, 'GICR_ICFGR', undefined, 4)).toBe(0xaaaa_aaaa);
    d.gicr(1, 'GICR_ICFGR', 0, 0);
    expect(d.gicr(1, 'GICR_ICFGR', undefined, 0)).toBe(0xaaaa_aaaa);
    expect(d.gicr(0, 'GICR_ICFGR', undefined, 0)).toBe(0xaaaa_aaaa);
    d.wire(intid, true, 1);
    d.wire(intid, false, 1);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(intid);
  });

  it('end where GICR_TYPER.PPInum says', () => {
    const d = gic(PPINUM_1);
    expect(d.gicr(1, 'GICR_ISENABLER', undefined, 2)).toBe(0);
    d.gicr(1, 'GICR_ISENABLER', bit, 1);
    expect(d.gicr(1, 'GICR_ISENABLER', undefined, 1)).toBe(bit);
    d.wire(intid, true, 1);
    expect(d.seen).toEqual([]);
    const without = new Driver('architecture').enable();
    without.gicr(1, 'GICR_ISENABLER', bit, 1);
    expect(without.gicr(1, 'GICR_ISENABLER', undefined, 1)).toBe(0);
  });

  it('are told by their INTID in events', () => {
    const d = gic();
    d.gicr(1, 'GICR_ISPENDR', 1 << 31, 1);
    const pended = d.seen.find((s) => s.kind === 'irq.pended')!;
    expect([pended.pe, pended.words[0]]).toEqual([1, EPPI + 31]);
  });
});
