// Non-maskable interrupts (IHI 0069, "Non-maskable interrupts", "GICD_INMIR<n>", "ICC_NMIAR1_EL1").
import { describe, expect, it } from 'vitest';
import { Driver, featured, TYPER } from './driver.test-support.ts';

const SPURIOUS = 1023;
const IS_NMI = 1022;
const NMI_HIGH = 0x8000_0000;
const NMI_NS_HIGH = 0x4000_0000;

describe('NMIs, one Security state', () => {
  /** SPIs 40 and 42 are NMIs, 41 is not. */
  const gic = (profile = 'architecture') => {
    const d = featured(profile, { set: TYPER.NMI }).enable();
    for (const intid of [40, 42]) d.spi(intid, { priority: 0xf0 });
    d.spi(41, { priority: 0 });
    d.gicd('GICD_INMIR', 0x500, 1);
    return d;
  };

  it('come before every other interrupt, whatever their priority register says', () => {
    const d = gic();
    d.wire(41, true);
    d.wire(40, true);
    expect(d.machine.state.hppiIntid[0]).toBe(40);
    expect(d.machine.state.hppiPriority[0]).toBe(0);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(40);
  });

  it('are acknowledged by ICC_NMIAR1 only; ICC_IAR1 reads 1022 and changes nothing', () => {
    const d = gic();
    d.wire(40, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(IS_NMI);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(40);
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(0x100);
  });

  it('leave other interrupts to ICC_IAR1', () => {
    const d = gic();
    d.wire(41, true);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(41);
  });

  it('make AP1R0.NMI and RPR.NMI, until their EOI', () => {
    const d = gic();
    d.wire(40, true);
    d.read(0, 'ICC_NMIAR1_EL1');
    expect(d.read(0, 'ICC_AP1R0_EL1')).toBe(0);
    expect(d.machine.high).toBe(NMI_HIGH);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0);
    expect(d.machine.high).toBe(NMI_HIGH);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
    expect(d.machine.high).toBe(0);
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(0);
  });

  it('are not masked by PMR', () => {
    const d = gic();
    d.write(0, 'ICC_PMR_EL1', 0);
    d.wire(41, true);
    expect(d.machine.state.irq[0]).toBe(0);
    d.wire(40, true);
    expect(d.machine.state.irq[0]).toBe(1);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(40);
  });

  it('preempt an interrupt of the highest priority, but not one another', () => {
    const d = gic();
    d.wire(41, true);
    d.read(0, 'ICC_IAR1_EL1');
    d.wire(40, true);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(40);
    d.wire(42, true);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(SPURIOUS);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.read(0, 'ICC_AP1R0_EL1')).toBe(1);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(42);
  });

  it('AP1R0.NMI is restored by a write', () => {
    const d = gic();
    d.write(0, 'ICC_AP1R0_EL1', 4, NMI_HIGH);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0);
    d.write(0, 'ICC_AP1R0_EL1', 4, 0);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0x10);
  });

  it('can be SGIs and PPIs; the property is ignored in Group 0, and LPIs have none', () => {
    const d = gic().its();
    d.gicr(0, 'GICR_INMIR', 1 << 5);
    expect(d.gicr(0, 'GICR_INMIR')).toBe(1 << 5);
    d.write(1, 'ICC_SGI1R_EL1', (5 << 24) | 1);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(IS_NMI);
    d.write(0, 'ICC_EOIR1_EL1', d.read(0, 'ICC_NMIAR1_EL1'));
    d.spi(40, { group: 0, priority: 0x30 });
    d.wire(40, true);
    expect(d.machine.state.hppiPriority[0]).toBe(0x30);
    expect(d.read(0, 'ICC_IAR0_EL1')).toBe(40);
    d.write(0, 'ICC_EOIR0_EL1', 40);
    d.configure(8200, 0xa3);
    d.map(1, 0, 8200, 0);
    d.msi(1, 0);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(8200);
  });

  it('go to one of N PEs that can take them', () => {
    const d = featured('architecture', { set: TYPER.NMI, clear: TYPER.No1N }).enable();
    d.spi(40);
    d.gicd('GICD_INMIR', 0x100, 1);
    d.wide('GICD', 0, 0x6100 + 8 * 8, 0x8000_0000, 0);
    d.write(0, 'ICC_PMR_EL1', 0);
    d.wire(40, true);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(40);
  });

  it('do not exist where GICD_TYPER.NMI is 0', () => {
    const d = new Driver('architecture').enable();
    d.spi(40);
    d.gicd('GICD_INMIR', 0x100, 1);
    expect(d.gicd('GICD_INMIR', undefined, 1)).toBe(0);
    d.gicr(0, 'GICR_INMIR', 1);
    expect(d.gicr(0, 'GICR_INMIR')).toBe(0);
    d.read(0, 'ICC_NMIAR1_EL1');
    expect(d.machine.unsupported).toBe(true);
    d.write(0, 'ICC_AP1R0_EL1', 0, NMI_HIGH);
    d.read(0, 'ICC_AP1R0_EL1');
    expect(d.machine.high).toBe(0);
  });
});

describe('NMIs, two Security states', () => {
  /** SPI 40 a Non-secure NMI, 41 a Secure one. */
  const gic = () => {
    const d = featured('architecture', { set: TYPER.NMI | TYPER.SecurityExtn });
    d.asSecure(() => {
      d.gicd('GICD_CTLR', 7);
      d.gicr(0, 'GICR_WAKER', 0);
      d.write(0, 'ICC_PMR_EL1', 0xf8);
      d.write(0, 'ICC_IGRPEN1_EL3', 3);
      d.spi(40, { priority: 0xf0 });
      d.spi(41, { group: 0, priority: 0xf0 });
      d.gicd('GICD_IGRPMODR', 0x200, 1);
      d.gicd('GICD_INMIR', 0x300, 1);
    });
    return d;
  };

  it('have the highest priority of their own Security state', () => {
    const d = gic();
    d.wire(40, true);
    expect(d.machine.state.hppiPriority[0]).toBe(0x80);
    d.wire(41, true);
    expect(d.machine.state.hppiPriority[0]).toBe(0);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(SPURIOUS);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'))).toBe(IS_NMI);
    expect(d.asSecure(() => d.read(0, 'ICC_NMIAR1_EL1'))).toBe(41);
  });

  it('show in RPR as their Security state: NMI, or NMI_NS to Secure software', () => {
    const d = gic();
    d.wire(40, true);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0);
    expect(d.machine.high).toBe(NMI_HIGH);
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0x80);
    expect(d.machine.high).toBe(NMI_NS_HIGH);
    d.wire(41, true);
    expect(d.asSecure(() => d.read(0, 'ICC_NMIAR1_EL1'))).toBe(41);
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0);
    expect(d.machine.high).toBe(NMI_HIGH + NMI_NS_HIGH);
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 41));
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0x80);
  });

  it('are masked, if Non-secure, by a PMR in the Secure range', () => {
    const d = gic();
    d.asSecure(() => d.write(0, 'ICC_PMR_EL1', 0x78));
    d.wire(40, true);
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(SPURIOUS);
    d.asSecure(() => d.write(0, 'ICC_PMR_EL1', 0x80));
    expect(d.read(0, 'ICC_NMIAR1_EL1')).toBe(40);
  });

  it('are declared by Non-secure software for its own interrupts only', () => {
    const d = gic();
    expect(d.gicd('GICD_INMIR', undefined, 1)).toBe(0x100);
    d.gicd('GICD_INMIR', 0, 1);
    expect(d.asSecure(() => d.gicd('GICD_INMIR', undefined, 1))).toBe(0x200);
  });
});
