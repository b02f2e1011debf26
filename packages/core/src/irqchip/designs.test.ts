// What the designs cost and lose, measured: each number here comes out of a run on the simulator.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bus } from './bus.ts';
import { DESIGNS } from './designs.ts';
import type { Design } from './driver.ts';
import type { Operation } from './operation.ts';
import { FATE_NAMES, type Run } from './outcome.ts';
import { Translation } from './run.ts';

const PES = 4;
const D = 8;
const online: readonly Operation[] = [0, 1, 2, 3].map((pe) => ({ op: 'pe.online', pe }));
const v = { device: D, vector: 0 };
const started: readonly Operation[] = [
  ...online,
  { op: 'alloc', device: D, count: 4 },
  { op: 'activate', ...v, pe: 0 },
  { op: 'unmask', ...v },
];

function run(design: Design | string, operations: readonly Operation[], pes = PES): Run {
  const translation = new Translation(typeof design === 'string' ? DESIGNS[design]! : design, pes);
  for (const operation of operations) translation.take(operation);
  return translation.finish();
}

/** Fates that are not zero. */
function fates({ deliveries: d }: Run): Record<string, number> {
  const { fired, steps_max, ...rest } = d;
  return Object.fromEntries(Object.entries(rest).filter(([, n]) => n > 0));
}

const ofDevices = Object.values(DESIGNS).filter((design) => design.serves === 'devices');

describe('a message', () => {
  it.each([
    ['its', { delivered: 1 }],
    ['direct-lpi', { delivered: 1 }],
    ['direct-lpi-lossy', { delivered: 1 }],
    // The message says less than 8192, which is no LPI.
    ['direct-lpi-rfc', { lost: 1 }],
    ['direct-lpi-rfc-intid', { delivered: 1 }],
    ['virtual-its', { unsent: 1 }],
    ['virtual-its-hosted', { delivered: 1 }],
    ['mbi', { delivered: 1 }],
    ['hyperv-spi', { delivered: 1 }],
  ])('on %s: %o', (design, expected) => {
    expect(fates(run(design, [...started, { op: 'fire', ...v }]))).toEqual(expected);
  });

  it.each([
    ['its', { delivered: 1 }],
    ['direct-lpi', { delivered: 1 }],
    ['direct-lpi-lossy', { lost: 1 }],
    ['direct-lpi-rfc', { lost: 1 }],
    // Pending on the old PE; the new one is told that the configuration changed, and has nothing.
    ['direct-lpi-rfc-intid', { stranded: 1 }],
    ['virtual-its-hosted', { stranded: 1 }],
    ['mbi', { delivered: 1 }],
    ['hyperv-spi', { delivered: 1 }],
  ])('that is pending when its vector moves, on %s: %o', (design, expected) => {
    const operations: Operation[] = [
      ...started,
      { op: 'mask', ...v },
      { op: 'fire', ...v },
      { op: 'set_affinity', ...v, pe: 1 },
      { op: 'unmask', ...v },
    ];
    expect(fates(run(design, operations))).toEqual(expected);
  });

  it.each([
    ['its', { delivered: 1 }],
    ['direct-lpi', { delivered: 1, spurious: 1 }],
    ['direct-lpi-lossy', { delivered: 1 }],
    ['direct-lpi-rfc-intid', { delivered: 1, misrouted: 1 }],
    ['mbi', { delivered: 1 }],
  ])('after a move, on %s: %o', (design, expected) => {
    const operations: Operation[] = [...started, { op: 'set_affinity', ...v, pe: 1 }, { op: 'fire', ...v }];
    expect(fates(run(design, operations))).toEqual(expected);
  });

  it.each([
    ['its', { delivered: 1 }],
    ['direct-lpi', { delivered: 1 }],
    // Success is answered, and nothing done.
    ['direct-lpi-rfc', { lost: 1 }],
    ['virtual-its-hosted', { lost: 1 }],
    ['mbi', { delivered: 1 }],
  ])('that software raises, on %s: %o', (design, expected) => {
    expect(fates(run(design, [...started, { op: 'set_pending', ...v, pending: true }]))).toEqual(expected);
  });

  it('waits where it is masked, and is taken back where software says so', () => {
    const masked: Operation[] = [...started, { op: 'mask', ...v }, { op: 'fire', ...v }];
    expect(fates(run('its', masked))).toEqual({ masked: 1 });
    const cleared: Operation[] = [
      ...masked,
      { op: 'set_pending', ...v, pending: false },
      { op: 'unmask', ...v },
    ];
    for (const name of ['its', 'direct-lpi', 'mbi'])
      expect(fates(run(name, cleared)), name).toEqual({ cleared: 1 });
    // The design that does not clear runs a handler that nobody asked for.
    expect(fates(run('virtual-its-hosted', cleared))).toEqual({ cleared: 1, spurious: 1 });
  });

  it('has one fate, whatever is asked of whatever design', () => {
    const vector = { device: fc.constantFrom(8, 16), vector: fc.nat(5) };
    const operation = fc.oneof(
      fc.record({
        op: fc.constant('alloc' as const),
        device: vector.device,
        count: fc.integer({ min: 1, max: 5 }),
      }),
      fc.record({ op: fc.constant('free' as const), device: vector.device }),
      fc.record({
        op: fc.constantFrom('activate' as const, 'set_affinity' as const),
        ...vector,
        pe: fc.nat(3),
      }),
      fc.record({ op: fc.constant('set_pending' as const), ...vector, pending: fc.boolean() }),
      fc.record({
        op: fc.constantFrom(
          'mask' as const,
          'unmask' as const,
          'fire' as const,
          'fire' as const,
          'deactivate' as const,
        ),
        ...vector,
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...ofDevices), fc.array(operation, { maxLength: 60 }), (design, list) => {
        const { deliveries: d } = run(design, [...online, ...list]);
        expect(FATE_NAMES.reduce((sum, name) => sum + d[name], 0)).toBe(d.fired);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the cost of an operation', () => {
  const letters = {
    commands: 'Q',
    mmio_writes: 'W',
    mmio_reads: 'R',
    table_bytes: 'T',
    message_rewrites: 'M',
    hypercalls: 'H',
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

  // alloc, activate, unmask, set_affinity, set pending, mask, clear pending, deactivate, free
  it.each([
    ['its', '1Q, 2Q, 2Q 1T, 2Q, 2Q, 2Q 1T, 2Q, 2Q, 1Q'],
    ['virtual-its', '-, -, 1W 1R 1T, -, -, 1W 1R 1T, -, -, -'],
    ['virtual-its-hosted', '-, 1H, 1W 1R 1T, 1H, -, 1W 1R 1T, -, -, -'],
    ['direct-lpi-rfc', '-, -, 1W 1R 1T, -, -, 1W 1R 1T, -, -, -'],
    ['direct-lpi-rfc-intid', '-, -, 1W 1R 1T, -, -, 1W 1R 1T, -, -, -'],
    ['direct-lpi', '-, -, 1W 1R 1T, 4W 3R 2T 1M, 1W, 1W 1R 1T, 1W 1R, -, -'],
    ['direct-lpi-lossy', '-, -, 1W 1R 1T, 3W 3R 2T 1M, 1W, 1W 1R 1T, 1W 1R, -, -'],
    ['mbi', '-, 2W 5R, 1W, 3W 2R, 1W, 1W 1R, 1W, -, -'],
    ['hyperv-spi', '-, 2W 5R 1H, 1W 1H 1D, 3W 2R, 1W, 1W 1R 1D, 1W, -, -'],
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

describe('the vPE proxy', () => {
  const vpes = (n: number): Operation[] => [
    ...online,
    ...Array.from({ length: n }, (_, vpe): Operation => ({ op: 'vpe.map', vpe, pe: vpe % PES })),
  ];
  const invalidate = (vpe: number): Operation => ({ op: 'doorbell.invalidate', vpe });
  const spent = (design: string, before: Operation[], operation: Operation): number =>
    run(design, [...before, operation]).costs.commands - run(design, before).costs.commands;

  it('sends 2 commands where the event is mapped, 4 where a slot is free, 6 where it is not', () => {
    const five = vpes(5);
    expect(spent('vpe-proxy', five, invalidate(0))).toBe(4);
    expect(spent('vpe-proxy', [...five, invalidate(0)], invalidate(0))).toBe(2);
    const full = [...five, ...[0, 1, 2, 3].map(invalidate)];
    expect(spent('vpe-proxy', full, invalidate(4))).toBe(6);
  });

  it('gives a slot that was freed to the next vPE, before it evicts one', () => {
    const full = [...vpes(5), ...[0, 1, 2, 3].map(invalidate)];
    const freed: Operation[] = [...full, { op: 'doorbell.release', vpe: 2 }];
    expect(spent('vpe-proxy', freed, invalidate(4))).toBe(4);
    // None but the freed slot was touched.
    const after = [...freed, invalidate(4)];
    for (const vpe of [0, 1, 3, 4]) expect(spent('vpe-proxy', after, invalidate(vpe)), `vPE ${vpe}`).toBe(2);
  });

  it('sends 6 always where it keeps nothing', () => {
    expect(spent('vpe-naive', vpes(5), invalidate(0))).toBe(6);
    expect(spent('vpe-naive', [...vpes(5), invalidate(0)], invalidate(0))).toBe(6);
  });

  it.each([
    [1, 2],
    [2, 2],
    [3, 2],
    [4, 2],
    // One more than there are slots, and each operation finds its event evicted.
    [5, 6],
    [6, 6],
    [8, 6],
  ])('with %i vPEs in turn on 4 slots sends %i commands an operation in the long run', (n, expected) => {
    const turns = (rounds: number): Operation[] =>
      Array.from({ length: rounds * n }, (_, k) => invalidate(k % n));
    const warm = run('vpe-proxy', [...vpes(n), ...turns(3)]).costs.commands;
    const more = run('vpe-proxy', [...vpes(n), ...turns(13)]).costs.commands;
    expect((more - warm) / (10 * n)).toBe(expected);
  });

  it('of DeviceID 0xffff: a move is MOVI today and was DISCARD', () => {
    const moved = (design: string): string[] => {
      const names: string[] = [];
      const translation = new Translation(DESIGNS[design]!, PES, {
        command: (_n, { name, operands }) => {
          if (operands.DeviceID === 0xffff) names.push(name);
        },
      });
      for (const one of [...vpes(1), invalidate(0), { op: 'vpe.move', vpe: 0, pe: 1 } as const])
        translation.take(one);
      return names;
    };
    expect(moved('vpe-proxy')).toEqual(['MAPD', 'MAPTI', 'INV', 'MOVI']);
    expect(moved('vpe-proxy-rfc')).toEqual(['MAPD', 'MAPTI', 'INV', 'DISCARD']);
  });

  it('sends nothing with Direct LPI, and INVDB with GICv4.1', () => {
    expect(spent('vpe-direct', vpes(1), invalidate(0))).toBe(0);
    expect(spent('vpe-v41', vpes(1), invalidate(0))).toBe(2);
    const clear: Operation = { op: 'doorbell.clear', vpe: 0 };
    expect(spent('vpe-v41', vpes(1), clear)).toBe(0);
  });
});

describe('counts are of what is done', () => {
  const its = DESIGNS.its!;
  /** A design whose driver has a bus with something amiss. */
  const mutant = (amiss: (bus: Bus) => void): Design => ({
    ...its,
    make(bus, ledger) {
      amiss(bus);
      return its.make(bus, ledger);
    },
  });
  const operations: Operation[] = [
    ...started,
    { op: 'mask', ...v },
    { op: 'fire', ...v },
    { op: 'set_affinity', ...v, pe: 1 },
    { op: 'unmask', ...v },
  ];

  it('a driver that forgets SYNC is seen in the commands', () => {
    const forgetful = mutant((bus) => {
      const command = bus.command.bind(bus);
      bus.command = (name, operands) => {
        if (name !== 'SYNC') command(name, operands);
      };
    });
    const [right, wrong] = [run(its, operations), run(forgetful, operations)];
    expect(wrong.costs.syncs).toBe(0);
    expect(right.costs.commands - wrong.costs.commands).toBe(right.costs.syncs);
    expect(right.costs.syncs).toBeGreaterThan(0);
  });

  it('a driver that forgets MOVI is seen in the deliveries', () => {
    const forgetful = mutant((bus) => {
      const command = bus.command.bind(bus);
      bus.command = (name, operands) => {
        if (name !== 'MOVI') command(name, operands);
      };
    });
    expect(fates(run(its, operations))).toEqual({ delivered: 1 });
    expect(fates(run(forgetful, operations))).toEqual({ delivered: 1, misrouted: 1 });
  });

  it('a poll that the machine never answers is an error of ours', () => {
    const bus = new Bus('architecture', its.hardware, 1);
    expect(() => bus.poll('GICD', 0, 0, 4, () => false)).toThrow('never ready');
  });
});
