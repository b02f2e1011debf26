// Virtual NMIs: ICH_LR<n>_EL2.NMI, ICV_NMIAR1_EL1, and the active NMI in ICH_AP1R0_EL2 and ICV_RPR_EL1.
import { describe, expect, it } from 'vitest';
import type { SysregName } from '../spec/index.ts';
import { type Driver, featured, TYPER } from './driver.test-support.ts';

const NMI = 0x0800_0000;
const GROUP1 = 0x1000_0000;
const PENDING = 0x4000_0000;
const ACTIVE = 0x8000_0000;
const priority = (value: number) => value << 16;

/** A PE with a virtual CPU interface that takes both groups, with priority mask `mask`. */
function guest(profile: string, mask = 0xf8): Driver {
  const d = featured(profile, { pes: 1, set: TYPER.NMI });
  d.write(0, 'ICH_HCR_EL2', 1);
  d.write(0, 'ICH_VMCR_EL2', (((mask << 24) | 3) >>> 0) as number);
  return d;
}
const list = (d: Driver, n: number, intid: number, high: number) =>
  d.write(0, `ICH_LR${n}_EL2` as SysregName, intid, high >>> 0);
const highOf = (d: Driver, name: SysregName) => {
  d.read(0, name);
  return d.machine.high >>> 0;
};

describe.each(['architecture', 'qemu-10.0', 'qemu-11.1'])('%s', (profile) => {
  it('a virtual NMI passes the priority mask, and only ICV_NMIAR1_EL1 acknowledges it', () => {
    const d = guest(profile, 0);
    list(d, 0, 40, PENDING | GROUP1 | NMI | priority(0xa0));
    expect(highOf(d, 'ICH_LR0_EL2')).toBe((PENDING | GROUP1 | NMI | priority(0xa0)) >>> 0);
    expect(d.read(0, 'ICV_IAR1_EL1')).toBe(1022);
    expect(highOf(d, 'ICH_AP1R0_EL2')).toBe(0);
    expect(d.read(0, 'ICV_IAR0_EL1')).toBe(1023);
    expect(d.read(0, 'ICV_NMIAR1_EL1')).toBe(40);
    expect(highOf(d, 'ICH_LR0_EL2')).toBe((ACTIVE | GROUP1 | NMI | priority(0xa0)) >>> 0);
    expect([d.read(0, 'ICH_AP1R0_EL2'), highOf(d, 'ICH_AP1R0_EL2')]).toEqual([0, 0x8000_0000]);
    expect([d.read(0, 'ICV_RPR_EL1'), highOf(d, 'ICV_RPR_EL1')]).toEqual([0, 0x8000_0000]);
    // No other interrupt preempts it, no NMI either.
    list(d, 1, 41, PENDING | GROUP1 | NMI | priority(0));
    expect(d.read(0, 'ICV_NMIAR1_EL1')).toBe(1023);
    d.write(0, 'ICV_EOIR1_EL1', 40);
    expect(highOf(d, 'ICH_LR0_EL2')).toBe((GROUP1 | NMI | priority(0xa0)) >>> 0);
    expect([highOf(d, 'ICV_RPR_EL1'), d.read(0, 'ICV_RPR_EL1')]).toEqual([0, 0xff]);
    expect(d.read(0, 'ICV_NMIAR1_EL1')).toBe(41);
  });

  it('ICV_NMIAR1_EL1 acknowledges nothing else', () => {
    const d = guest(profile);
    list(d, 0, 42, PENDING | GROUP1 | priority(0x80));
    expect(d.read(0, 'ICV_NMIAR1_EL1')).toBe(1023);
    expect(d.read(0, 'ICV_IAR1_EL1')).toBe(42);
    // An NMI preempts what is active, of whatever priority.
    list(d, 1, 43, PENDING | GROUP1 | NMI | priority(0x80));
    expect(d.read(0, 'ICV_NMIAR1_EL1')).toBe(43);
    d.write(0, 'ICV_EOIR1_EL1', 43);
    expect(d.read(0, 'ICV_RPR_EL1')).toBe(0x80);
  });

  it('ICV_AP1R0_EL1 holds the active NMI, and no other register does', () => {
    const d = guest(profile);
    d.write(0, 'ICV_AP1R0_EL1', 0x10, 0xffff_ffff);
    expect([d.read(0, 'ICV_AP1R0_EL1'), highOf(d, 'ICH_AP1R0_EL2')]).toEqual([0x10, 0x8000_0000]);
    expect(d.read(0, 'ICV_RPR_EL1')).toBe(0);
    d.write(0, 'ICH_AP0R0_EL2', 0, 0x8000_0000);
    expect(highOf(d, 'ICH_AP0R0_EL2')).toBe(0);
    d.reset(0);
    expect([d.read(0, 'ICV_AP1R0_EL1'), highOf(d, 'ICH_AP1R0_EL2')]).toEqual([0, 0]);
  });

  it('its priority is the highest by the architecture, and its own in QEMU', () => {
    const d = guest(profile);
    list(d, 0, 44, PENDING | GROUP1 | priority(0x40));
    list(d, 1, 45, PENDING | GROUP1 | NMI | priority(0xa0));
    expect(d.read(0, 'ICV_HPPIR1_EL1')).toBe(profile === 'architecture' ? 45 : 44);
    list(d, 0, 44, PENDING | GROUP1 | priority(0xa0));
    expect(d.read(0, 'ICV_HPPIR1_EL1')).toBe(45);
  });

  it('an NMI that is signalled is an IRQ by the architecture; QEMU has a line of its own', () => {
    const d = guest(profile);
    list(d, 0, 46, PENDING | GROUP1 | NMI);
    const irq = d.machine.state.virtual.hppi[5];
    expect(irq).toBe(profile === 'architecture' ? 1 : 0);
  });

  it('of Group 0 there is none', () => {
    const d = guest(profile, 0);
    list(d, 0, 47, PENDING | NMI | priority(0x40));
    expect([d.read(0, 'ICV_IAR0_EL1'), d.read(0, 'ICV_NMIAR1_EL1')]).toEqual([1023, 1023]);
  });
});

it('without NMIs there is neither the register nor the bit', () => {
  const d = featured('architecture', { pes: 1 });
  d.write(0, 'ICH_HCR_EL2', 1);
  d.write(0, 'ICH_VMCR_EL2', 0xf800_0003);
  list(d, 0, 40, PENDING | GROUP1 | NMI | priority(0xa0));
  expect(highOf(d, 'ICH_LR0_EL2')).toBe((PENDING | GROUP1 | priority(0xa0)) >>> 0);
  expect(d.read(0, 'ICV_NMIAR1_EL1')).toBe(0);
  d.write(0, 'ICH_AP1R0_EL2', 1, 0x8000_0000);
  expect(highOf(d, 'ICH_AP1R0_EL2')).toBe(0);
});
