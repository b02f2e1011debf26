// A reset of the machine: what it takes back, what it leaves, and that nothing is signalled for it.
import { describe, expect, it } from 'vitest';
import { Driver, featured, TYPER, testConfig, variant } from './driver.test-support.ts';
import { GicState } from './state.ts';

describe.each(['architecture', 'qemu-virt'])('gic.reset, %s', (profile) => {
  it('brings back the state of power-on, guest memory apart', () => {
    const d = new Driver(profile).enable();
    d.spi(40, { group: 1, priority: 0x40 });
    d.wire(40, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    d.write(1, 'ICC_SGI1R_EL1', 0x0100_0001);
    d.store(0x4100_0000, 0xa1);
    d.wire(40, false);
    d.resetMachine();
    expect(d.seen.map(({ kind }) => kind)).toEqual(['state.reset']);
    const { state } = d.machine;
    expect(state.memory.readByte(0x4100_0000)).toBe(0xa1);
    state.memory.clear();
    expect(state.digest()).toBe(new GicState(state.config).digest());
  });

  it('signals what the guest enables again as if nothing had been before', () => {
    const d = new Driver(profile).enable();
    d.spi(40, { group: 1, priority: 0x40 });
    d.wire(40, true);
    d.resetMachine();
    d.wire(40, false);
    d.enable();
    expect(d.machine.state.hppiIntid[0]).toBe(1023);
    d.spi(41, { group: 1, priority: 0x40 });
    d.wire(41, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(41);
  });
});

it('levels of input lines are kept or not, by the profile', () => {
  for (const [profile, pending] of [
    ['architecture', 0x100],
    ['qemu-virt', 0],
  ] as const) {
    const d = new Driver(profile, 1);
    d.wire(40, true);
    d.wire(20, true, 0);
    d.resetMachine();
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(pending);
    expect(d.gicr(0, 'GICR_ISPENDR')).toBe(pending === 0 ? 0 : 0x10_0000);
  }
});

it('interrupts reset to Group 1 where something plays firmware', () => {
  const config = { ...testConfig('architecture', 1), resetNonSecure: true };
  const d = new Driver('architecture', 1, {
    ...config,
    gicd: { ...config.gicd, typer: config.gicd.typer | TYPER.SecurityExtn },
  });
  for (const again of [false, true]) {
    if (again) d.resetMachine();
    expect(d.asSecure(() => d.gicd('GICD_IGROUPR', undefined, 1))).toBe(0xffff_ffff);
    expect(d.asSecure(() => d.gicr(0, 'GICR_IGROUPR'))).toBe(0xffff_ffff);
    d.gicd('GICD_ISENABLER', 0x100, 1);
    expect(d.gicd('GICD_ISENABLER', undefined, 1)).toBe(0x100);
  }
  const usual = featured(variant('architecture', {}), { pes: 1, set: TYPER.SecurityExtn });
  usual.gicd('GICD_ISENABLER', 0x100, 1);
  expect(usual.gicd('GICD_ISENABLER', undefined, 1)).toBe(0);
});

it('GICR_TYPER.Last is set in the last Redistributor of each contiguous region', () => {
  const config = testConfig('architecture', 4);
  const far = [0x80a_0000, 0x80c_0000, 0x40_0000_0000, 0x40_0004_0000];
  const d = new Driver('architecture', 4, { ...config, addresses: { ...config.addresses, gicr: far } });
  const last = (pe: number) => (d.gicr(pe, 'GICR_TYPER') & 0x10) !== 0;
  expect([0, 1, 2, 3].map(last)).toEqual([false, true, false, true]);
});
