// The configuration of an LPI that is read when its event is mapped and when it is invalidated, as KVM does.
import { describe, expect, it } from 'vitest';
import { ITT } from '../conformance/guest.ts';
import { GICR, SPURIOUS } from '../spec/index.ts';
import { Driver } from './driver.test-support.ts';

/** Event 0 of device 0 is LPI 8192 of PE 0, whose configuration was 0xa1 when it was mapped. */
function mapped(profile: string): Driver {
  const d = new Driver(profile).enable().its();
  d.configure(8192, 0xa1);
  d.map(0, 0, 8192, 0);
  return d;
}
const signalled = (d: Driver, pe: number) => [
  d.machine.state.hppiIntid[pe],
  d.machine.state.hppiPriority[pe],
];

it('is not read when the LPI becomes pending', () => {
  const d = mapped('kvm');
  d.configure(8192, 0x91);
  d.msi(0, 0);
  expect(signalled(d, 0)).toEqual([8192, 0xa0]);
  const other = mapped('architecture');
  other.configure(8192, 0x91);
  other.msi(0, 0);
  expect(signalled(other, 0)).toEqual([8192, 0x90]);
});

it('is read at INV at once, and at INVALL of the collection', () => {
  for (const command of ['INV', 'INVALL'] as const) {
    const d = mapped('kvm');
    d.configure(8192, 0x91);
    d.command(command, command === 'INV' ? { DeviceID: 0, EventID: 0 } : { ICID: 0 });
    d.configure(8192, 0x81);
    d.msi(0, 0);
    expect(signalled(d, 0)).toEqual([8192, 0x90]);
  }
  const d = mapped('kvm');
  d.configure(8192, 0x91);
  d.command('INVALL', { ICID: 1 });
  d.msi(0, 0);
  expect(signalled(d, 0)).toEqual([8192, 0xa0]);
});

it('moves with the LPI', () => {
  const d = mapped('kvm');
  d.configure(8192, 0x91);
  d.command('MOVI', { DeviceID: 0, EventID: 0, ICID: 1 });
  d.msi(0, 0);
  expect(signalled(d, 1)).toEqual([8192, 0xa0]);
});

it('is read when the event is mapped even if the collection is not, and then moves with it', () => {
  const d = new Driver('kvm').enable().its();
  d.command('MAPC', { ICID: 1, RDbase: 0, V: 0 });
  d.configure(8192, 0xa1);
  d.map(0, 0, 8192, 1);
  d.configure(8192, 0x91);
  d.command('MAPC', { ICID: 1, RDbase: 1, V: 1 });
  d.msi(0, 0);
  expect(signalled(d, 1)).toEqual([8192, 0xa0]);
});

it('CLEAR of an LPI whose collection is no longer mapped clears it, and fails without effect by the architecture', () => {
  const left = (profile: string) => {
    const d = mapped(profile);
    d.msi(0, 0);
    d.command('MAPC', { ICID: 0, RDbase: 0, V: 0 });
    d.command('CLEAR', { DeviceID: 0, EventID: 0 });
    return signalled(d, 0)[0];
  };
  expect([left('kvm'), left('architecture')]).toEqual([SPURIOUS, 8192]);
});

it('is that of the last mapping, and not that of an earlier one to another PE, when MAPC names its PE again', () => {
  const d = mapped('kvm');
  d.command('DISCARD', { DeviceID: 0, EventID: 0 });
  d.configure(8192, 0x91);
  d.map(0, 0, 8192, 1);
  d.command('MAPC', { ICID: 1, RDbase: 1, V: 1 });
  d.msi(0, 0);
  expect(signalled(d, 1)).toEqual([8192, 0x90]);
});

it('MAPD that unmaps a device may have any Size in KVM', () => {
  const left = (profile: string) => {
    const d = mapped(profile);
    d.command('MAPD', { DeviceID: 0, Size: 31, ITT_addr: ITT, V: 0 });
    d.msi(0, 0);
    return signalled(d, 0)[0];
  };
  expect([left('kvm'), left('architecture')]).toEqual([SPURIOUS, 8192]);
});

describe('GICR_INVLPIR and GICR_INVALLR', () => {
  const invalidated = (d: Driver, pe: number, name: 'GICR_INVLPIR' | 'GICR_INVALLR', high = 0) => {
    d.configure(8192, 0x91);
    d.wide('GICR', pe, GICR[name].offset, 8192, high);
    d.msi(0, 0);
    return signalled(d, 0)[1];
  };
  it.each(['GICR_INVLPIR', 'GICR_INVALLR'] as const)('%s ignores V in KVM', (name) => {
    expect(invalidated(mapped('kvm'), 0, name, 0x8000_0000)).toBe(0x90);
  });

  it('reach an LPI of another PE if they name it', () => {
    expect(invalidated(mapped('kvm'), 1, 'GICR_INVLPIR')).toBe(0x90);
    expect(invalidated(mapped('kvm'), 1, 'GICR_INVALLR')).toBe(0xa0);
  });

  it.each(['GICR_INVLPIR', 'GICR_INVALLR'] as const)('%s has no effect if LPIs are disabled', (name) => {
    const d = new Driver('kvm').enable().its();
    d.gicr(0, 'GICR_CTLR', 0);
    d.configure(8192, 0xa1);
    d.map(0, 0, 8192, 0);
    d.configure(8192, 0x91);
    d.wide('GICR', 0, GICR[name].offset, 8192, 0);
    d.gicr(0, 'GICR_CTLR', 1);
    d.msi(0, 0);
    expect(signalled(d, 0)).toEqual([8192, 0xa0]);
  });
});

it('is kept while LPIs are disabled', () => {
  const d = mapped('kvm');
  d.gicr(0, 'GICR_CTLR', 0);
  d.configure(8192, 0x91);
  d.gicr(0, 'GICR_CTLR', 1);
  d.msi(0, 0);
  expect(signalled(d, 0)).toEqual([8192, 0xa0]);
});

it('is read again by INV even if the collection is no longer mapped', () => {
  const d = mapped('kvm');
  d.msi(0, 0);
  d.configure(8192, 0x91);
  d.command('MAPC', { ICID: 0, RDbase: 0, V: 0 });
  d.command('INV', { DeviceID: 0, EventID: 0 });
  expect(signalled(d, 0)).toEqual([8192, 0x90]);
});
