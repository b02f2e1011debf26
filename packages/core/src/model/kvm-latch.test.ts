// What KVM keeps of the registers of an interrupt: its pending latch while it is active, and the bits of its priority.
import { expect, it } from 'vitest';
import { Driver } from './driver.test-support.ts';

const PENDING = 'GICD_ISPENDR';

/** SPI 40 in Group 1 has been made pending by software, and PE 0 has acknowledged it. */
function active(profile: string, edge: boolean): Driver {
  const d = new Driver(profile).enable();
  d.gicd('GICD_ICFGR', edge ? 0x2_0000 : 0, 2);
  d.gicd('GICD_IGROUPR', 0x100, 1);
  d.gicd('GICD_ISENABLER', 0x100, 1);
  d.gicd(PENDING, 0x100, 1);
  expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
  return d;
}

it('a level-sensitive interrupt stays pending while it is active, and is not when it has ended', () => {
  for (const [profile, edge, pending] of [
    ['kvm', false, 0x100],
    ['kvm', true, 0],
    ['architecture', false, 0],
  ] as const) {
    const d = active(profile, edge);
    expect(d.gicd(PENDING, undefined, 1)).toBe(pending);
    d.gicd(PENDING, 0x100, 1);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.gicd(PENDING, undefined, 1)).toBe(profile === 'kvm' && !edge ? 0 : 0x100);
  }
});

it('GICD_ICACTIVER<n> leaves it pending', () => {
  const d = active('kvm', false);
  d.write(0, 'ICC_EOIR1_EL1', 1020);
  d.gicd('GICD_ICACTIVER', 0x100, 1);
  expect(d.gicd(PENDING, undefined, 1)).toBe(0x100);
});

it('a priority has five bits', () => {
  const kept = (profile: string) => {
    const d = new Driver(profile);
    d.gicd('GICD_IPRIORITYR', 0xff, 40);
    return d.gicd('GICD_IPRIORITYR', undefined, 40);
  };
  expect([kept('kvm'), kept('architecture')]).toEqual([0xf8, 0xff]);
});
