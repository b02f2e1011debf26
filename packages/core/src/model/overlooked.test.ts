// What KVM does not signal although it is pending and enabled (`overlooksPending`), and when it does after all.
import { describe, expect, it } from 'vitest';
import { DEVICES, ITT, PROPBASE } from '../conformance/guest.ts';
import { GITS, SPURIOUS } from '../spec/index.ts';
import { Driver } from './driver.test-support.ts';
import { heldBy } from './gate.ts';
import { PAGE_WORK } from './work-budget.ts';

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

/** Gives the ITS a level-1 device table, whose first level-2 table is the one that it has. Returns its address. */
function twoLevels(d: Driver): number {
  const level1 = 0x4a00_0000;
  d.zero(level1, 0x1_0000);
  d.store(level1 + 3, DEVICES >>> 24);
  d.store(level1 + 7, 0x80);
  d.gits('GITS_CTLR', 0);
  d.wide('GITS', 0, GITS.GITS_BASER.offset, level1 + 0x200, 0xc000_0000);
  d.gits('GITS_CTLR', 1);
  return level1;
}

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
    'GICR_INVLPIR reads that it is disabled': (d) => {
      d.configure(8192, 0xa0);
      d.gicr(1, 'GICR_INVLPIR', 8192);
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

  const unknown: Record<string, (d: Driver) => void> = {
    'an entry of an interrupt translation table': (d) => d.forget(ITT, 8),
    'an entry of the device table': (d) => d.forget(DEVICES + 64, 8),
    'a level-1 entry of the device table': (d) => d.forget(twoLevels(d) + 8, 8),
    'an entry of a level-2 device table': (d) => {
      twoLevels(d);
      d.forget(DEVICES + 64, 8);
    },
  };
  it.each(Object.entries(unknown))('is not lost if this is unknown: %s', (_what, forget) => {
    const d = unmappedLpi();
    forget(d);
    d.gicd('GICD_CTLR', 0);
    d.gicd('GICD_CTLR', ENABLED);
    d.command('INVALL', { ICID: 0 });
    expect(presented(d)).toBe(8192);
  });

  it('is lost if the device table has two levels and all of it is known', () => {
    const d = unmappedLpi();
    twoLevels(d);
    d.gicd('GICD_CTLR', 0);
    expect(d.machine.state.lpiPending[0]!.size).toBe(0);
  });

  it('is not lost when its configuration becomes unknown, and is when that says disabled', () => {
    const d = unmappedLpi();
    d.forget(PROPBASE, 1);
    d.command('INVALL', { ICID: 0 });
    expect([presented(d), d.machine.state.lpiPending[0]!.size]).toEqual([SPURIOUS, 1]);
    d.configure(8192, 0xa0);
    d.command('INVALL', { ICID: 0 });
    expect(d.machine.state.lpiPending[0]!.size).toBe(0);
  });

  it('is lost with an unknown configuration, too, when the Distributor is disabled', () => {
    const d = unmappedLpi();
    d.forget(PROPBASE, 1);
    d.command('INVALL', { ICID: 0 });
    d.gicd('GICD_CTLR', 0);
    expect(d.machine.state.lpiPending[0]!.size).toBe(0);
  });

  it('stays if its configuration is unknown when DISCARD unmaps its event', () => {
    const d = new Driver('kvm').enable().its();
    d.forget(PROPBASE, 1);
    d.map(0, 0, 8192, 0);
    d.msi(0, 0);
    d.command('DISCARD', { DeviceID: 0, EventID: 0 });
    expect(d.machine.state.lpiPending[0]!.size).toBe(1);
  });

  it('the tables are walked once for all PEs, and that is work', () => {
    const walked = (pes: number) => {
      const d = new Driver('kvm', pes).enable().its();
      for (let pe = 0; pe < pes; pe++) {
        d.command('MAPC', { ICID: pe, RDbase: pe, V: 1 });
        d.configure(8192 + pe, 0xa1);
        d.map(0, pe, 8192 + pe, pe);
        d.msi(0, pe);
        d.command('DISCARD', { DeviceID: 0, EventID: pe });
      }
      const { memory } = d.machine.state;
      const scan = memory.scan.bind(memory);
      let scans = 0;
      memory.scan = (...args) => {
        scans++;
        return scan(...args);
      };
      const { budget } = d.machine;
      const spend = budget.spend.bind(budget);
      let spent = 0;
      budget.spend = (units) => {
        spent += units;
        spend(units);
      };
      d.gicd('GICD_CTLR', 0);
      for (let pe = 0; pe < pes; pe++) expect(d.machine.state.lpiPending[pe]!.size).toBe(0);
      return { scans, isWork: spent >= scans * PAGE_WORK };
    };
    expect(walked(8)).toEqual({ ...walked(1), isWork: true });
  });
});

it('an LPI that CLEAR has cleared is not overlooked when it becomes pending again', () => {
  const d = overlookedLpi();
  d.command('CLEAR', { DeviceID: 0, EventID: 0 });
  d.msi(0, 0);
  expect(presented(d)).toBe(8192);
});
