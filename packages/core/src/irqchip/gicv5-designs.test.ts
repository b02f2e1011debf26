// The designs of a GICv5, measured: what they cost and what becomes of messages.
import { describe, expect, it } from 'vitest';
import { DESIGNS } from './designs.ts';
import type { Design } from './driver.ts';
import { D, online, outcomes, run, started, v } from './irqchip.test-support.ts';
import type { Operation } from './operation.ts';
import { Translation } from './testbed/run.ts';

const NAMES = ['gicv5-its', 'gicv5-setlpi', 'gicv5-spi'] as const;

describe.each(NAMES)('%s', (name) => {
  const move: readonly Operation[] = [
    ...started,
    { op: 'mask', ...v },
    { op: 'fire', ...v },
    { op: 'set_affinity', ...v, pe: 1 },
    { op: 'unmask', ...v },
  ];

  it('delivers a message, before and after a move, and one that is pending when its vector moves', () => {
    expect(outcomes(run(name, [...started, { op: 'fire', ...v }]))).toEqual({ delivered: 1 });
    const moved: Operation[] = [...started, { op: 'set_affinity', ...v, pe: 1 }, { op: 'fire', ...v }];
    expect(outcomes(run(name, moved))).toEqual({ delivered: 1 });
    expect(outcomes(run(name, move))).toEqual({ delivered: 1 });
  });

  it('sets and clears the pending state for software, and holds a masked message', () => {
    const raised: Operation[] = [...started, { op: 'set_pending', ...v, pending: true }];
    expect(outcomes(run(name, raised))).toEqual({ delivered: 1 });
    const masked: Operation[] = [...started, { op: 'mask', ...v }, { op: 'fire', ...v }];
    expect(outcomes(run(name, masked))).toEqual({ masked: 1 });
    const cleared: Operation[] = [
      ...masked,
      { op: 'set_pending', ...v, pending: false },
      { op: 'unmask', ...v },
    ];
    expect(outcomes(run(name, cleared))).toEqual({ cleared: 1 });
  });

  it('disconnects a vector that is deactivated, and serves another device afterwards', () => {
    const again: Operation[] = [
      ...started,
      { op: 'deactivate', ...v },
      { op: 'free', device: D },
      { op: 'alloc', device: 16, count: 2, msi: 'platform' },
      { op: 'activate', device: 16, vector: 1, pe: 2 },
      { op: 'unmask', device: 16, vector: 1 },
      { op: 'fire', device: 16, vector: 1 },
    ];
    expect(outcomes(run(name, again))).toEqual({ delivered: 1 });
  });

  it('starts again after a reset of the machine', () => {
    const reset: Operation[] = [...started, { op: 'probe', reset: true }, ...started, { op: 'fire', ...v }];
    expect(outcomes(run(name, reset))).toEqual({ delivered: 1 });
  });

  it('has no migration in the model, and says so', () => {
    const { unsupported, failures } = run(name, [...started, { op: 'migrate', without: 'nothing' }]);
    expect([...unsupported.keys()]).toEqual(['migrate: the model of this GIC has no migration']);
    // That is no fault of the design.
    expect(failures).toEqual([]);
  });
});

describe('what a device may do', () => {
  const other = { device: 16, vector: 0 };
  const forged: readonly Operation[] = [
    ...started,
    { op: 'alloc', device: 16, count: 1, msi: 'platform' },
    { op: 'activate', ...other, pe: 0 },
    { op: 'unmask', ...other },
    { op: 'forge', ...v, by: 16 },
  ];

  it.each([
    // The ITS sees the DeviceID, and the event is not mapped for it, or is its own.
    ['gicv5-its', {}],
    ['gicv5-setlpi', { unauthorised: 1 }],
    ['gicv5-spi', { unauthorised: 1 }],
  ])('on %s: %o', (name, expected) => {
    const { delivered: _, ...faults } = outcomes(run(name, forged)) as Record<string, number>;
    expect(faults).toEqual(expected);
  });
});

describe('the cost of an operation', () => {
  const letters = {
    instructions: 'I',
    barriers: 'B',
    mmio_writes: 'W',
    mmio_reads: 'R',
    table_bytes: 'T',
    message_rewrites: 'M',
    commands: 'Q',
    device_writes: 'D',
  } as const;
  const operations: readonly Operation[] = [
    { op: 'pe.online', pe: 0 },
    { op: 'pe.online', pe: 1 },
    { op: 'alloc', device: D, count: 4 },
    { op: 'activate', ...v, pe: 0 },
    { op: 'unmask', ...v },
    { op: 'set_affinity', ...v, pe: 1 },
    { op: 'set_pending', ...v, pending: true },
    { op: 'mask', ...v },
    { op: 'set_pending', ...v, pending: false },
    { op: 'deactivate', ...v },
    { op: 'free', device: D },
  ];

  // alloc, activate, unmask (for the first time), set_affinity, set pending, mask, clear pending, deactivate, free.
  it.each([
    // The device is invalidated twice (2 × 2 W and 1 R); IDR1 and IDR2 are read; a level-2 device table and the entry are 8
    // bytes each; an LPI takes CDPRI, CDHM and CDPEND. Each of the 4 vectors is synchronised with ITS and IRS when it is freed.
    ['gicv5-its', '12I 4W 4R 16T, 3W 1R 8T, 2I 1D, 1I, 1I, 1I 1B 1D, 1I, 3W 1R 8T, 10W 9R 8T'],
    ['gicv5-setlpi', '12I, -, 2I 1D, 1I, 1I, 1I 1B 1D, 1I, -, 1W 1R'],
    ['gicv5-spi', '4I 8W 8R, -, 2I 1D, 1I, 1I, 1I 1B 1D, 1I, -, -'],
  ])('on %s: %s', (design, expected) => {
    const told: string[] = [];
    const translation = new Translation(DESIGNS[design]!, 2, {
      operation(_n, _operation, _result, costs) {
        const parts = Object.entries(letters).map(([cost, letter]) => [
          costs[cost as keyof typeof letters],
          letter,
        ]);
        const spent = parts.filter(([n]) => n !== 0).map((part) => part.join(''));
        told.push(spent.join(' ') || '-');
      },
    });
    for (const operation of operations) translation.take(operation);
    expect(told.slice(2).join(', ')).toBe(expected);
  });
});

describe("Linux's translation tables", () => {
  const device = (count: number): Operation[] => [
    ...online,
    { op: 'alloc', device: D, count, msi: 'platform' },
    ...[0, count - 1].flatMap((vector): Operation[] => [
      { op: 'activate', device: D, vector, pe: 0 },
      { op: 'unmask', device: D, vector },
      { op: 'fire', device: D, vector },
    ]),
  ];

  it.each([1, 2, 3, 32, 255, 256, 513, 1000, 1025, 4096])('hold %i vectors', (count) => {
    expect(outcomes(run('gicv5-its', device(count)))).toEqual({ delivered: 2 });
  });

  // gicv5_its_l2sz_two_level asks for two levels, and gicv5_its_create_itt_two_level refuses to make them.
  it.each([257, 512])('cannot be made for %i vectors', (count) => {
    const { failed } = run('gicv5-its', device(count));
    expect([...failed.keys()]).toEqual(['alloc: a translation table of 9 bits (EINVAL)']);
  });

  /** The design with a driver that leaves writes of a register out. */
  const without = (register: string): Design => ({
    ...DESIGNS['gicv5-its']!,
    make(bus, ledger) {
      const write = bus.write.bind(bus);
      bus.write = (name, ...rest) => {
        if (name !== register) write(name, ...rest);
      };
      return DESIGNS['gicv5-its']!.make(bus, ledger);
    },
  });
  const start = (vector: number): Operation[] => [
    { op: 'activate', device: D, vector, pe: 0 },
    { op: 'unmask', device: D, vector },
  ];

  it('need the invalidation of a device that has another table than before', () => {
    const operations: Operation[] = [
      ...started,
      { op: 'fire', ...v },
      { op: 'deactivate', ...v },
      { op: 'free', device: D },
      { op: 'alloc', device: D, count: 4, msi: 'platform' },
      ...start(0),
      { op: 'fire', ...v },
    ];
    expect(outcomes(run('gicv5-its', operations))).toEqual({ delivered: 2 });
    expect(outcomes(run(without('ITS_INV_DEVICER'), operations))).toEqual({ delivered: 1, lost: 1 });
  });
});
