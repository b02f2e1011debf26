// LPIs on and off, their tables in memory, and when their configuration is looked at (IHI 0069, "GICR_CTLR",
// "GICR_PENDBASER", "LPI configuration tables").
import { describe, expect, it } from 'vitest';
import { GICR } from '../spec/index.ts';
import { pendingTableAddress } from './apply.ts';
import { Driver, featured, variant } from './driver.test-support.ts';
import { moveAllLpis, moveLpi } from './lpi.ts';

const LPI = 8200;
const ON = 0xa1;
const SPURIOUS = 1023;
const PTZ = 0x4000_0000;
const DPGS = 0x20;

/** An LPI that is enabled and pending on PE 0. */
function pended(profile: string): Driver {
  const d = new Driver(profile).enable().its();
  d.configure(LPI, ON);
  d.map(1, 0, LPI, 0);
  d.msi(1, 0);
  expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
  return d;
}
const tableByte = (d: Driver, pe = 0) => pendingTableAddress(d.machine.state, pe) + (LPI >> 3);
const inTable = (d: Driver) => (d.machine.state.memory.readByte(tableByte(d)) >> (LPI & 7)) & 1;
const ces = variant('architecture', { ctlrCes: true });

describe('GICR_CTLR.EnableLPIs', () => {
  it('stays set once it is, without CES', () => {
    const d = pended('architecture');
    d.gicr(0, 'GICR_CTLR', 0);
    expect(d.gicr(0, 'GICR_CTLR')).toBe(1);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
  });

  it('can be cleared with CES: what is pending stays in the table in memory, and comes back from there', () => {
    const d = pended(ces);
    expect(d.gicr(0, 'GICR_CTLR')).toBe(3);
    d.gicr(0, 'GICR_CTLR', 0);
    expect(d.gicr(0, 'GICR_CTLR')).toBe(2);
    expect(d.pending(0, LPI)).toBe(false);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(inTable(d)).toBe(1);
    d.gicr(0, 'GICR_CTLR', 1);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
    expect(inTable(d)).toBe(0);
  });

  it('takes the table as software left it in between', () => {
    const d = pended(ces);
    d.gicr(0, 'GICR_CTLR', 0);
    d.store(tableByte(d), 1 << ((LPI + 1) & 7));
    d.configure(LPI + 1, ON);
    d.gicr(0, 'GICR_CTLR', 1);
    expect([d.pending(0, LPI), d.pending(0, LPI + 1)]).toEqual([false, true]);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI + 1);
  });

  it('forgets configurations when it is cleared', () => {
    const d = pended(ces);
    d.configure(LPI, 0xa0);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
    d.gicr(0, 'GICR_CTLR', 0);
    d.gicr(0, 'GICR_CTLR', 1);
    expect(d.pending(0, LPI)).toBe(true);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
  });

  it('is apart from the DPG bits, which GICR_TYPER.DPGS brings', () => {
    const d = featured('architecture', { gicr: DPGS });
    d.gicr(0, 'GICR_CTLR', 0x700_0000);
    expect(d.gicr(0, 'GICR_CTLR')).toBe(0x300_0000);
    const without = new Driver('architecture');
    without.gicr(0, 'GICR_CTLR', 0x700_0000);
    expect(without.gicr(0, 'GICR_CTLR')).toBe(0);
  });
});

describe('the address registers', () => {
  const read = (d: Driver, offset: number) => [
    d.access('GICR', 0, offset, 4),
    d.access('GICR', 0, offset + 4, 4),
  ];

  it('keep what their fields hold and no more', () => {
    const d = new Driver('architecture');
    for (const offset of [GICR.GICR_PROPBASER.offset, GICR.GICR_PENDBASER.offset])
      d.wide('GICR', 0, offset, 0xffff_ffff, 0xffff_ffff);
    expect(read(d, GICR.GICR_PROPBASER.offset)).toEqual([0xffff_ff9f, 0x70f_ffff]);
    expect(read(d, GICR.GICR_PENDBASER.offset)).toEqual([0xffff_0f80, 0x70f_ffff]);
    const qemu = new Driver('qemu-virt');
    qemu.wide('GICR', 0, GICR.GICR_PROPBASER.offset, 0xffff_ffff, 0xffff_ffff);
    expect(read(qemu, GICR.GICR_PROPBASER.offset)).toEqual([0xffff_ffff, 0xffff_ffff]);
  });

  it('are ignored while EnableLPIs is 1', () => {
    const d = pended('architecture');
    for (const offset of [GICR.GICR_PROPBASER.offset, GICR.GICR_PENDBASER.offset]) {
      const before = read(d, offset);
      d.wide('GICR', 0, offset, 0x5000_0000, 0);
      expect(read(d, offset)).toEqual(before);
    }
  });

  it('PTZ = 1 has the pending table taken as zero, unread; with 0 it is read', () => {
    for (const [ptz, expected] of [
      [0, true],
      [PTZ, false],
    ] as const) {
      const d = new Driver(ces).enable().its();
      d.gicr(0, 'GICR_CTLR', 0);
      d.store(tableByte(d), 1 << (LPI & 7));
      d.wide('GICR', 0, GICR.GICR_PENDBASER.offset, 0x4200_0000, ptz);
      expect(read(d, GICR.GICR_PENDBASER.offset)[1]).toBe(0);
      let looked = false;
      d.machine.witness = (use) => {
        if (use === 'pending-table') looked = true;
      };
      d.gicr(0, 'GICR_CTLR', 1);
      expect(d.pending(0, LPI)).toBe(expected);
      expect(looked).toBe(expected);
    }
  });
});

describe("the configuration of an LPI, policy 'live'", () => {
  const live = variant('architecture', { lpiConfig: 'live' });

  it('acts at once, with no invalidation', () => {
    const d = pended(live);
    d.configure(LPI, 0xa0);
    expect(d.machine.state.irq[0]).toBe(0);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
    d.configure(LPI, 0x41);
    expect(d.machine.state.hppiPriority[0]).toBe(0x40);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
  });

  it('ranks pending LPIs anew by what memory holds', () => {
    const d = pended(live);
    d.configure(LPI + 1, ON);
    d.map(2, 0, LPI + 1, 0);
    d.msi(2, 0);
    expect(d.machine.state.hppiIntid[0]).toBe(LPI);
    d.configure(LPI + 1, 0x81);
    expect(d.machine.state.hppiIntid[0]).toBe(LPI + 1);
  });

  it('that a Redistributor has looked at is forgotten when the LPI is moved away', () => {
    const d = pended('architecture');
    d.map(1, 1, LPI, 0);
    const state = d.machine.state;
    expect(state.lpiConfig[0]!.has(LPI)).toBe(true);
    moveLpi(d.machine, 0, 1, LPI);
    expect([state.lpiConfig[0]!.has(LPI), state.lpiPending[1]!.has(LPI)]).toEqual([false, true]);
    moveAllLpis(d.machine, 1, 0);
    expect([state.lpiConfig[1]!.has(LPI), state.lpiPending[0]!.has(LPI)]).toEqual([false, true]);
  });

  it('is otherwise looked at again only when told', () => {
    const d = pended('architecture');
    d.configure(LPI, 0xa0);
    expect(d.machine.state.irq[0]).toBe(1);
  });
});
