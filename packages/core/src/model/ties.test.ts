// Of several interrupts with the same priority a GIC may present any; of others it may not.
import { describe, expect, it } from 'vitest';
import { GROUPS } from '../record/index.ts';
import { Driver } from './driver.test-support.ts';
import { prefer, signalledTo, tieOf } from './ties.ts';

const NS = GROUPS.indexOf('1NS');

/** SGI 1, PPI 27 and SPI 40 are pending for PE 0 with priority 0xa0, SPI 41 with 0x90 less good, SPI 42 for PE 1. */
function busy(): Driver {
  const d = new Driver('architecture').enable();
  d.spi(40);
  d.spi(41, { priority: 0xa8 });
  d.spi(42, { pe: 1 });
  for (const intid of [40, 41, 42]) d.wire(intid, true);
  d.wire(27, true, 0);
  d.write(1, 'ICC_SGI1R_EL1', (1 << 24) | 1);
  return d;
}

describe('interrupts of the same priority', () => {
  it('are ties, each of which would be signalled in the same way; the model presents the lowest INTID', () => {
    const { machine } = busy();
    expect(signalledTo(machine, 0)).toEqual([1, NS, 0xa0, 0, 1]);
    for (const intid of [1, 27, 40]) expect(tieOf(machine, 0, intid)).toEqual([intid, NS, 0xa0, 0, 1]);
  });

  it('are not ties with another priority, at another PE, while active, disabled or not pending', () => {
    const d = busy();
    for (const intid of [41, 42, 30, 43, 1021, 8192, 9999])
      expect(tieOf(d.machine, 0, intid)).toBeUndefined();
    expect(tieOf(d.machine, 1, 42)).toEqual([42, NS, 0xa0, 0, 1]);
    d.gicr(0, 'GICR_ICENABLER', 1 << 27);
    expect(tieOf(d.machine, 0, 27)).toBeUndefined();
    d.gicd('GICD_ISACTIVER', 1 << 8, 1);
    expect(tieOf(d.machine, 0, 40)).toBeUndefined();
  });

  it('can be preferred, and are then acknowledged; the others remain pending', () => {
    const d = busy();
    expect(prefer(d.machine, 0, 41)).toBe(false);
    expect(prefer(d.machine, 0, 40)).toBe(true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(1);
  });

  it('may be LPIs', () => {
    const d = new Driver('architecture').enable().its();
    for (const [event, byte] of [0xa1, 0xa1, 0xa9, 0xa0].entries()) {
      d.map(0, event, 8192 + event, 0);
      d.configure(8192 + event, byte);
    }
    for (const event of [0, 1, 2, 3]) d.msi(0, event);
    expect(signalledTo(d.machine, 0)[0]).toBe(8192);
    expect(tieOf(d.machine, 0, 8193)?.[0]).toBe(8193);
    for (const intid of [8194, 8195]) expect(tieOf(d.machine, 0, intid)).toBeUndefined();
  });
});
