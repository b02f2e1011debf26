// Tests which stimulus is the cause of an observable (the nearest that can be), and when an observable follows a
// different one.
import { NO_PE } from '@gictrace/core/record';
import { describe, expect, it } from 'vitest';
import { CONFIG, Recording } from '../testing/synthetic.ts';
import { Causes, NO_CAUSE } from './causes.ts';
import { CLASS_NAMES } from './classes.ts';
import { classify, reasonOf } from './classify.ts';
import { orderDigest } from './digest.ts';
import { Footprints } from './footprints.ts';
import { Normaliser } from './normaliser.ts';
import { Side } from './side.ts';
import { Names } from './subject.ts';

const msi = (r: Recording, DeviceID: number) =>
  r.add('msi.write', NO_PE, { its: 0, DeviceID, EventID: 0, width: 4 });
const told = (r: Recording, pe: number) => r.add('hppi', pe, { INTID: 27, IRQ: 1 });

/** The cause of the last record, and the device of it. */
function causeOf(make: (r: Recording) => void): [number, number] {
  const r = new Recording();
  make(r);
  const causes = new Causes();
  let cause = NO_CAUSE;
  for (let i = 0; i < r.batch.count; i++) cause = causes.of(r.batch, i, i);
  return [cause, causes.device];
}

describe('the cause', () => {
  it.each<[string, number, (r: Recording) => void]>([
    ['nothing before', NO_CAUSE, (r) => told(r, 0)],
    ['its own wire', 0, (r) => [r.wire(0, 27, 1), r.wire(1, 27, 1), told(r, 0)]],
    ['its own access', 1, (r) => [r.wire(0, 27, 1), r.sysreg('write', 0, 'ICC_PMR_EL1', 1), told(r, 0)]],
    [
      'not the access of another PE',
      0,
      (r) => [r.wire(0, 27, 1), r.sysreg('write', 1, 'ICC_PMR_EL1', 1), told(r, 0)],
    ],
    [
      'not a read that does nothing',
      0,
      (r) => [r.wire(0, 27, 1), r.sysreg('read', 0, 'ICC_PMR_EL1', 1), told(r, 0)],
    ],
    ['an acknowledge', 1, (r) => [r.wire(0, 27, 1), r.sysreg('read', 0, 'ICC_IAR1_EL1', 27), told(r, 0)]],
    [
      'an acknowledge of an NMI',
      1,
      (r) => [r.wire(0, 27, 1), r.sysreg('read', 0, 'ICC_NMIAR1_EL1', 27), told(r, 0)],
    ],
    [
      'an acknowledge of a virtual interrupt',
      1,
      (r) => [r.wire(0, 27, 1), r.sysreg('read', 0, 'ICV_IAR1_EL1', 27), r.add('vhppi', 0, { vLPI: 1023 })],
    ],
    [
      'not a read that only shows what is pending',
      0,
      (r) => [r.wire(0, 27, 1), r.sysreg('read', 0, 'ICC_HPPIR1_EL1', 27), told(r, 0)],
    ],
    ['an SPI, for anyone', 1, (r) => [r.wire(0, 27, 1), r.wire(NO_PE, 40, 1), told(r, 0)]],
    ['a message, for anyone', 1, (r) => [r.wire(0, 27, 1), msi(r, 8), told(r, 0)]],
    [
      'the Distributor, for anyone',
      1,
      (r) => [r.wire(0, 27, 1), r.mmio('write', 1, 'GICD', 0x104, 1), told(r, 0)],
    ],
    [
      'an SGI register of another PE',
      1,
      (r) => [r.wire(0, 27, 1), r.sysreg('write', 1, 'ICC_SGI1R_EL1', 1), told(r, 0)],
    ],
    [
      'not the Redistributor of another PE',
      0,
      (r) => [r.wire(0, 27, 1), r.mmio('write', 1, 'GICR', 0x14, 0), told(r, 0)],
    ],
    [
      'not a store',
      0,
      (r) => [r.wire(0, 27, 1), r.add('mem.write', 0, { address: 64, width: 8 }), told(r, 0)],
    ],
    [
      'an SGI sent: the last SGI register',
      0,
      (r) => [
        r.sysreg('write', 1, 'ICC_SGI1R_EL1', 1),
        r.wire(NO_PE, 40, 1),
        r.add('sgi.sent', 0, { INTID: 1 }),
      ],
    ],
    [
      'a command: the last write of the ITS',
      0,
      (r) => [r.mmio('write', 0, 'GITS', 0x88, 0x20, 8), msi(r, 8), r.command('INV', { DeviceID: 9 })],
    ],
  ])('of %s', (_name, expected, make) => {
    expect(causeOf(make)[0]).toBe(expected);
  });

  it('of a table access is its command or message, and the device is theirs', () => {
    const read = (r: Recording) => r.add('cte.read', NO_PE, { ICID: 1 });
    expect(causeOf((r) => [msi(r, 8), read(r)])).toEqual([0, 8]);
    expect(causeOf((r) => [msi(r, 8), r.command('INV', { DeviceID: 9 }), read(r)])).toEqual([1, 9]);
    expect(causeOf((r) => [msi(r, 8), r.command('INVALL', {}), read(r)])).toEqual([1, -1]);
    // The operand is not in the source, so no device is known.
    expect(causeOf((r) => [msi(r, 8), r.command('INV', { DeviceID: 9 }, { shown: 2 }), read(r)])).toEqual([
      1, -1,
    ]);
    expect(causeOf((r) => [msi(r, 8), r.mmio('write', 0, 'GITS', 0, 1), read(r)])).toEqual([1, -1]);
  });
});

describe('an observable that follows another stimulus', () => {
  const names = new Names();
  const shows = { told: true, commands: true };
  const sideOf = (make: (r: Recording) => void, footprints: Footprints) => {
    const r = new Recording();
    make(r);
    const side = new Side(r.batch.count);
    new Normaliser(side, names, footprints, { keepRepeats: true, events: false }).take(r.batch, 0);
    side.compact();
    return side;
  };
  // No two of these are dependent by what they touch.
  const wire = (r: Recording) => r.wire(0, 27, 1);
  const enable = (r: Recording) => r.mmio('write', 1, 'GICD', 0x104, 1);
  const tell = (r: Recording) => told(r, 0);
  const differs = (a: readonly ((r: Recording) => void)[], b: readonly ((r: Recording) => void)[]) => {
    const footprints = new Footprints(CONFIG, shows);
    const [p, q] = [a, b].map((list) =>
      sideOf((r) => {
        for (const one of list) one(r);
      }, footprints),
    ) as [Side, Side];
    const found = classify(p, q, names.streams.length, footprints);
    const moved = [...found.classA]
      .map((name, i) => [CLASS_NAMES[name]!, reasonOf(CLASS_NAMES[name]!, i, p, found, footprints)] as const)
      .filter(([name]) => name.startsWith('reordered'));
    return { moved, same: orderDigest(p, footprints) === orderDigest(q, footprints) };
  };

  it('moved illegally, and the digest changes', () => {
    const { moved, same } = differs([wire, enable, tell], [wire, tell, enable]);
    expect(moved).toEqual([['reordered-illegal', expect.stringContaining('follows another stimulus')]]);
    expect(same).toBe(false);
  });

  it('but not where it moved with its cause', () => {
    const { moved, same } = differs([wire, tell, enable], [enable, wire, tell]);
    expect(moved.map(([name]) => name)).toEqual(['reordered-legal']);
    expect(same).toBe(true);
  });
});
