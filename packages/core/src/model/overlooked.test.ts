// What KVM does not signal although it is pending and enabled (`overlooksPending`), and when it does after all.
import { describe, expect, it } from 'vitest';
import { ITT } from '../conformance/guest.ts';
import { SPURIOUS } from '../spec/index.ts';
import { Driver } from './driver.test-support.ts';
import { heldBy } from './gate.ts';

const presented = (d: Driver, pe = 0) => d.machine.state.hppiIntid[pe];
const ENABLED = 2;

/** SPI 40 in Group 1 is enabled and pending, and the Distributor is disabled. */
function pending(profile: string): Driver {
  const d = new Driver(profile).enable();
  d.gicd('GICD_CTLR', 0);
  d.gicd('GICD_IGROUPR', 0x100, 1);
  d.gicd('GICD_ISENABLER', 0x100, 1);
  d.gicd('GICD_ISPENDR', 0x100, 1);
  return d;
}

describe('an interrupt that is pending when the Distributor is enabled', () => {
  it('is signalled by the architecture, and not by KVM', () => {
    const other = pending('architecture');
    other.gicd('GICD_CTLR', ENABLED);
    expect(presented(other)).toBe(40);
    const d = pending('kvm');
    d.gicd('GICD_CTLR', ENABLED);
    expect(presented(d)).toBe(SPURIOUS);
    expect(heldBy(d.machine, 0, 40).gate).toBe('overlooked');
  });

  it.each([
    ['GICD_ISENABLER', 0x100, true],
    ['GICD_ISPENDR', 0x100, true],
    ['GICD_IGROUPR', 0x100, true],
    ['GICD_IGROUPR', 0x0, true],
    ['GICD_ISENABLER', 0x200, false],
    ['GICD_ICENABLER', 0x200, false],
    ['GICD_ICPENDR', 0x200, false],
  ] as const)('is taken up by a write of %s with 0x%x: %s', (name, value, isTakenUp) => {
    const d = pending('kvm');
    d.gicd('GICD_CTLR', ENABLED);
    d.gicd(name, value, 1);
    expect(presented(d)).toBe(isTakenUp ? 40 : SPURIOUS);
  });

  it('stays overlooked if the Distributor is enabled once more, and what becomes pending then is not', () => {
    const d = pending('kvm');
    d.gicd('GICD_CTLR', ENABLED);
    d.gicd('GICD_CTLR', 0);
    d.gicd('GICD_CTLR', ENABLED);
    expect(presented(d)).toBe(SPURIOUS);
    d.gicd('GICD_ISENABLER', 0x200, 1);
    d.gicd('GICD_ISPENDR', 0x200, 1);
    expect(presented(d)).toBe(41);
  });
});

it('an SPI that is routed to no PE is overlooked when it is routed to one', () => {
  const route = (profile: string) => {
    const d = new Driver(profile).enable();
    d.gicd('GICD_IROUTER', 0x77, 8);
    d.gicd('GICD_IGROUPR', 0x100, 1);
    d.gicd('GICD_ISENABLER', 0x100, 1);
    d.gicd('GICD_ISPENDR', 0x100, 1);
    expect(presented(d, 1)).toBe(SPURIOUS);
    d.gicd('GICD_IROUTER', 1, 8);
    return presented(d, 1);
  };
  expect([route('architecture'), route('kvm')]).toEqual([40, SPURIOUS]);
});

it('an SGI is taken up when it is sent once more', () => {
  const d = new Driver('kvm').enable();
  d.gicd('GICD_CTLR', 0);
  const send = () => d.write(0, 'ICC_SGI1R_EL1', 0x0300_0001);
  send();
  d.gicd('GICD_CTLR', ENABLED);
  expect(presented(d)).toBe(SPURIOUS);
  send();
  expect(presented(d)).toBe(3);
});

it('an LPI is taken up by its next message, and when its configuration is read again; a snapshot keeps it', () => {
  for (const how of ['message', 'INV'] as const) {
    const d = new Driver('kvm').enable().its();
    d.configure(8192, 0xa1);
    d.map(0, 0, 8192, 0);
    d.gicd('GICD_CTLR', 0);
    d.msi(0, 0);
    d.gicd('GICD_CTLR', ENABLED);
    expect(presented(d)).toBe(SPURIOUS);
    expect(heldBy(d.machine, 0, 8192).gate).toBe('overlooked');
    const saved = d.machine.state.save();
    d.machine.state.restore(saved);
    d.machine.invalidate();
    if (how === 'message') d.msi(0, 0);
    else d.command('INV', { DeviceID: 0, EventID: 0 });
    expect(presented(d)).toBe(8192);
  }
});

/** LPI 8192 is pending on PE 0, and was when the Distributor was enabled. */
function overlookedLpi(): Driver {
  const d = new Driver('kvm').enable().its();
  d.configure(8192, 0xa1);
  d.map(0, 0, 8192, 0);
  d.gicd('GICD_CTLR', 0);
  d.msi(0, 0);
  d.gicd('GICD_CTLR', ENABLED);
  expect(presented(d)).toBe(SPURIOUS);
  return d;
}

it.each([
  ['MOVI', { DeviceID: 0, EventID: 0, ICID: 1 }],
  ['MOVALL', { RDbase1: 0, RDbase2: 1 }],
] as const)('an LPI stays overlooked when %s moves it', (op, operands) => {
  const d = overlookedLpi();
  d.command(op, operands);
  expect([presented(d, 1), heldBy(d.machine, 1, 8192).gate]).toEqual([SPURIOUS, 'overlooked']);
  if (op === 'MOVALL') d.command('MOVI', { DeviceID: 0, EventID: 0, ICID: 1 });
  d.msi(0, 0);
  expect(presented(d, 1)).toBe(8192);
});

it.each([
  ['enabled', 8192],
  ['disabled', SPURIOUS],
])(
  'of an LPI whose event is unmapped while the Distributor is %s, %i is signalled',
  (distributor, signalled) => {
    const d = new Driver('kvm').enable().its();
    d.configure(8192, 0xa1);
    d.map(0, 0, 8192, 0);
    d.gicd('GICD_CTLR', 0);
    if (distributor === 'enabled') d.gicd('GICD_CTLR', ENABLED);
    d.msi(0, 0);
    d.command('DISCARD', { DeviceID: 0, EventID: 0 });
    d.gicd('GICD_CTLR', ENABLED);
    d.command('MAPTI', { DeviceID: 0, EventID: 0, pINTID: 8192, ICID: 0 });
    d.command('INV', { DeviceID: 0, EventID: 0 });
    expect(presented(d)).toBe(signalled);
  },
);

/** LPI 8192 is pending on PE 0, without an event. */
function unmappedLpi(): Driver {
  const d = new Driver('kvm').enable().its();
  d.configure(8192, 0xa1);
  d.map(0, 0, 8192, 0);
  d.msi(0, 0);
  d.command('DISCARD', { DeviceID: 0, EventID: 0 });
  expect(presented(d)).toBe(8192);
  return d;
}

describe('an LPI that is pending and has no event', () => {
  const loses: Record<string, (d: Driver) => void> = {
    'the Distributor is disabled': (d) => {
      d.gicd('GICD_CTLR', 0);
      d.gicd('GICD_CTLR', ENABLED);
    },
    'INVALL reads that it is disabled': (d) => {
      d.configure(8192, 0xa0);
      d.command('INVALL', { ICID: 0 });
      d.configure(8192, 0xa1);
    },
  };
  it.each(Object.entries(loses))('is lost when %s', (_when, act) => {
    const d = unmappedLpi();
    act(d);
    d.command('INVALL', { ICID: 0 });
    expect(presented(d)).toBe(SPURIOUS);
  });

  it.each(Object.entries(loses))('is not lost when %s if it has been mapped again', (_when, act) => {
    const d = unmappedLpi();
    d.command('MAPTI', { DeviceID: 0, EventID: 0, pINTID: 8192, ICID: 0 });
    act(d);
    d.command('INVALL', { ICID: 0 });
    expect(presented(d)).toBe(8192);
  });

  it('is not lost if it is unknown what is mapped', () => {
    const d = unmappedLpi();
    d.forget(ITT, 8);
    d.gicd('GICD_CTLR', 0);
    d.gicd('GICD_CTLR', ENABLED);
    d.command('INVALL', { ICID: 0 });
    expect(presented(d)).toBe(8192);
  });
});

it('an LPI that CLEAR has cleared is not overlooked when it becomes pending again', () => {
  const d = overlookedLpi();
  d.command('CLEAR', { DeviceID: 0, EventID: 0 });
  d.msi(0, 0);
  expect(presented(d)).toBe(8192);
});
