// Message-based SPIs, and the registers that tell of bad accesses (IHI 0069, "GICD_SETSPI_NSR", "GICD_STATUSR").
import { describe, expect, it } from 'vitest';
import { GICD, GICR } from '../spec/index.ts';
import { Driver, featured, TYPER, testConfig } from './driver.test-support.ts';

const SPURIOUS = 1023;
const gic = (set = 0) => featured('architecture', { set: TYPER.MBIS | set }).enable();

describe('message-based SPIs', () => {
  it('GICD_SETSPI_NSR latches an edge-triggered SPI, GICD_CLRSPI_NSR takes that back', () => {
    const d = gic();
    d.spi(40);
    d.gicd('GICD_SETSPI_NSR', 40);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(0x100);
    d.gicd('GICD_CLRSPI_NSR', 40);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(0);
    d.gicd('GICD_SETSPI_NSR', 40);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
  });

  it('a level-sensitive SPI stays pending until GICD_CLRSPI_NSR', () => {
    const d = gic();
    d.spi(40, { edge: false });
    d.gicd('GICD_SETSPI_NSR', 40);
    for (let k = 0; k < 2; k++) {
      expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
      d.write(0, 'ICC_EOIR1_EL1', 40);
    }
    d.gicd('GICD_CLRSPI_NSR', 40);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
  });

  it('takes 16-bit writes, and is write-only', () => {
    const d = gic();
    d.spi(40);
    d.access('GICD', 0, GICD.GICD_SETSPI_NSR.offset, 2, 40);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(0x100);
    expect(d.gicd('GICD_SETSPI_NSR')).toBe(0);
    expect(d.saw('access.reserved')).toBe(true);
  });

  it('does nothing for what is no SPI of this GIC', () => {
    const d = gic();
    for (const intid of [5, 20, 256, 1019, 1056, 4096, 8191]) {
      d.gicd('GICD_SETSPI_NSR', intid);
      expect(d.seen).toEqual([]);
    }
  });

  it('reaches a Secure SPI from Non-secure software as GICD_NSACR allows', () => {
    const d = featured('architecture', { set: TYPER.MBIS | TYPER.SecurityExtn });
    const isPending = () => d.asSecure(() => d.gicd('GICD_ISPENDR', undefined, 1)) !== 0;
    d.asSecure(() => d.spi(40, { group: 0 }));
    d.gicd('GICD_SETSPI_NSR', 40);
    expect(isPending()).toBe(false);
    d.asSecure(() => d.gicd('GICD_NSACR', 1 << 16, 2));
    d.gicd('GICD_SETSPI_NSR', 40);
    expect(isPending()).toBe(true);
    d.gicd('GICD_CLRSPI_NSR', 40);
    expect(isPending()).toBe(true);
    d.asSecure(() => d.gicd('GICD_NSACR', 2 << 16, 2));
    d.gicd('GICD_CLRSPI_NSR', 40);
    expect(isPending()).toBe(false);
  });

  it('has Secure registers for Secure software only', () => {
    const d = featured('architecture', { set: TYPER.MBIS | TYPER.SecurityExtn });
    const isPending = () => d.asSecure(() => d.gicd('GICD_ISPENDR', undefined, 1)) !== 0;
    d.asSecure(() => d.spi(40));
    d.gicd('GICD_SETSPI_SR', 40);
    expect(isPending()).toBe(false);
    d.asSecure(() => d.gicd('GICD_SETSPI_SR', 40));
    expect(isPending()).toBe(true);
    d.gicd('GICD_CLRSPI_SR', 40);
    expect(isPending()).toBe(true);
    d.asSecure(() => d.gicd('GICD_CLRSPI_SR', 40));
    expect(isPending()).toBe(false);
    const one = gic();
    one.spi(40);
    one.gicd('GICD_SETSPI_SR', 40);
    expect(one.gicd('GICD_ISPENDR', undefined, 1)).toBe(0);
  });

  it.each(['architecture', 'qemu-virt'])('are reserved locations with MBIS = 0, profile %s', (profile) => {
    const d = new Driver(profile).enable();
    d.spi(40);
    d.gicd('GICD_SETSPI_NSR', 40);
    expect(d.machine.reserved).toBe(true);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(0);
  });
});

describe('priority bits', () => {
  it('128 group priorities can be active with 8 of them', () => {
    const d = new Driver('architecture', 1, { ...testConfig('architecture', 1), priorityBits: 8 }).enable();
    d.write(0, 'ICC_PMR_EL1', 0xff);
    d.spi(40, { priority: 0xfd });
    d.wire(40, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    expect(d.read(0, 'ICC_AP1R3_EL1')).toBe(0x4000_0000);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xfc);
    d.write(0, 'ICC_BPR0_EL1', 0);
    d.write(0, 'ICC_BPR1_EL1', 0);
    expect([d.read(0, 'ICC_BPR0_EL1'), d.read(0, 'ICC_BPR1_EL1')]).toEqual([0, 1]);
  });
});

describe('error status', () => {
  it('GICD_STATUSR tells what was accessed wrongly, until 1 is written', () => {
    const d = gic();
    expect(d.gicd('GICD_STATUSR')).toBe(0);
    d.access('GICD', 0, 0x7c, 4);
    expect(d.gicd('GICD_STATUSR')).toBe(1);
    d.access('GICD', 0, 0x7c, 4, 1);
    expect(d.gicd('GICD_STATUSR')).toBe(3);
    d.gicd('GICD_SETSPI_NSR');
    expect(d.gicd('GICD_STATUSR')).toBe(7);
    d.gicd('GICD_TYPER', 1);
    expect(d.gicd('GICD_STATUSR')).toBe(15);
    d.gicd('GICD_STATUSR', 5);
    expect(d.gicd('GICD_STATUSR')).toBe(10);
  });

  it('GICR_STATUSR does so for its own Redistributor', () => {
    const d = gic();
    d.access('GICR', 1, 0x3c, 4);
    d.wide('GICR', 1, GICR.GICR_TYPER.offset, 0, 0);
    expect(d.gicr(1, 'GICR_STATUSR')).toBe(9);
    expect(d.gicr(0, 'GICR_STATUSR')).toBe(0);
    expect(d.gicd('GICD_STATUSR')).toBe(0);
    d.gicr(1, 'GICR_STATUSR', 0xf);
    expect(d.gicr(1, 'GICR_STATUSR')).toBe(0);
  });

  it('is RAZ/WI where the profile has it not', () => {
    const d = new Driver('qemu-virt');
    d.access('GICD', 0, 0x7c, 4);
    d.gicd('GICD_STATUSR', 0xf);
    expect(d.gicd('GICD_STATUSR')).toBe(0);
  });

  it('GICD_CTLR.RWP and GICR_CTLR.RWP are never set: writes take effect at once', () => {
    const d = gic();
    d.gicd('GICD_CTLR', 0x8000_0003);
    expect(d.gicd('GICD_CTLR') >>> 31).toBe(0);
    d.gicr(0, 'GICR_CTLR', 9);
    expect(d.gicr(0, 'GICR_CTLR') & 8).toBe(0);
  });

  it('the registers of legacy operation are RAZ/WI', () => {
    const d = gic();
    for (const name of ['GICD_ITARGETSR', 'GICD_SGIR', 'GICD_CPENDSGIR', 'GICD_SPENDSGIR'] as const) {
      d.gicd(name, 0xff, 0);
      expect(d.saw('access.reserved')).toBe(false);
      expect(d.saw('irq.pended')).toBe(false);
      expect(d.gicd(name)).toBe(0);
    }
  });
});
