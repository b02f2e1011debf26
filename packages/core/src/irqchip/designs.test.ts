// What the designs cost and lose, measured: each number here comes out of a run on the simulator.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_PE } from '../record/index.ts';
import { DESIGNS } from './designs.ts';
import { D, online, outcomes, PES, run, started, v } from './irqchip.test-support.ts';
import type { Operation } from './operation.ts';
import { OUTCOME_NAMES } from './testbed/outcome.ts';
import { Translation } from './testbed/run.ts';

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
    expect(outcomes(run(design, [...started, { op: 'fire', ...v }]))).toEqual(expected);
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
    expect(outcomes(run(design, operations))).toEqual(expected);
  });

  it.each([
    ['its', { delivered: 1 }],
    ['direct-lpi', { delivered: 1, spurious: 1 }],
    ['direct-lpi-lossy', { delivered: 1 }],
    ['direct-lpi-rfc-intid', { delivered: 1, misrouted: 1 }],
    ['mbi', { delivered: 1 }],
  ])('after a move, on %s: %o', (design, expected) => {
    const operations: Operation[] = [...started, { op: 'set_affinity', ...v, pe: 1 }, { op: 'fire', ...v }];
    expect(outcomes(run(design, operations))).toEqual(expected);
  });

  it.each([
    ['its', { delivered: 1 }],
    ['direct-lpi', { delivered: 1 }],
    // Success is answered, and nothing done.
    ['direct-lpi-rfc', { lost: 1 }],
    ['virtual-its-hosted', { lost: 1 }],
    ['mbi', { delivered: 1 }],
  ])('that software raises, on %s: %o', (design, expected) => {
    expect(outcomes(run(design, [...started, { op: 'set_pending', ...v, pending: true }]))).toEqual(expected);
  });

  it('that is pending on two PEs is handled twice', () => {
    const operations: Operation[] = [
      ...started,
      { op: 'mask', ...v },
      { op: 'fire', ...v },
      { op: 'set_affinity', ...v, pe: 1 },
      { op: 'unmask', ...v },
      { op: 'fire', ...v },
      { op: 'set_affinity', ...v, pe: 0 },
      { op: 'mask', ...v },
      { op: 'unmask', ...v },
    ];
    expect(outcomes(run('its', operations))).toEqual({ delivered: 2 });
    expect(outcomes(run('virtual-its-hosted', operations))).toEqual({ delivered: 2, duplicated: 1 });
  });

  it('waits where it is masked, and is taken back where software says so', () => {
    const masked: Operation[] = [...started, { op: 'mask', ...v }, { op: 'fire', ...v }];
    expect(outcomes(run('its', masked))).toEqual({ masked: 1 });
    const cleared: Operation[] = [
      ...masked,
      { op: 'set_pending', ...v, pending: false },
      { op: 'unmask', ...v },
    ];
    for (const name of ['its', 'direct-lpi', 'mbi'])
      expect(outcomes(run(name, cleared)), name).toEqual({ cleared: 1 });
    // The design that does not clear runs a handler that nobody asked for.
    expect(outcomes(run('virtual-its-hosted', cleared))).toEqual({ cleared: 1, spurious: 1 });
  });

  it('has one outcome, whatever is asked of whatever design', () => {
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
        expect(OUTCOME_NAMES.reduce((sum, name) => sum + d[name], 0)).toBe(d.fired);
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
    vmbus_messages: 'V',
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

  // alloc, activate, unmask, set_affinity, set pending, mask, clear pending, deactivate, free. An MSI-X vector is masked in
  // its device as well.
  it.each([
    // A post with SYNC reads GITS_CREADR four times; the first device needs a page of the device table.
    [
      'its',
      '1Q 1W 3R 8T, 2Q 1W 4R, 2Q 1W 4R 1T 1D, 2Q 1W 4R, 2Q 1W 4R, 2Q 1W 4R 1T 1D, 2Q 1W 4R, 2Q 1W 4R, 1Q 1W 3R',
    ],
    ['virtual-its', '-, -, 1W 1R 1T 1D, -, -, 1W 1R 1T 1D, -, -, -'],
    ['virtual-its-hosted', '-, 1H, 1W 1R 1T 1D, 1H, -, 1W 1R 1T 1D, -, -, -'],
    ['direct-lpi-rfc', '-, -, 1W 1R 1T 1D, -, -, 1W 1R 1T 1D, -, -, -'],
    ['direct-lpi-rfc-intid', '-, -, 1W 1R 1T 1D, -, -, 1W 1R 1T 1D, -, -, -'],
    ['direct-lpi', '-, -, 1W 1R 1T 1D, 4W 3R 2T 1M, 1W, 1W 1R 1T 1D, 1W 1R, -, -'],
    ['direct-lpi-lossy', '-, -, 1W 1R 1T 1D, 3W 3R 2T 1M, 1W, 1W 1R 1T 1D, 1W 1R, -, -'],
    // Each SPI is made edge-triggered when it is allocated; it is routed when it is unmasked for the first time.
    ['mbi', '4W 8R, -, 4W 2R 1D, 3W 2R, 1W, 1W 1R 1D, 1W, -, -'],
    ['gicv2m', '4W 8R, -, 4W 2R 1D, 3W 2R, 1W, 1W 1R 1D, 1W, -, -'],
    ['hyperv-spi', '4W 8R, 1V, 4W 2R 1D, 3W 2R, 1W, 1W 1R 1D, 1W, 1V, -'],
    ['hyperv-spi-5.17', '4W 8R, 1V, 4W 2R 1H 1D, 3W 2R, 1W, 1W 1R 1D, 1W, 1V, -'],
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

describe('a PE that the machine does not have', () => {
  it.each(Object.keys(DESIGNS).flatMap((name) => [NO_PE, PES, 65_535].map((pe) => [name, pe] as const)))(
    'comes and goes unheard, and is refused as a target, on %s: %i',
    (name, pe) => {
      const pes = ['pe.offline', 'pe.online', 'pe.busy'] as const;
      const targets: readonly Operation[] =
        DESIGNS[name]!.serves === 'devices'
          ? [
              { op: 'activate', ...v, pe },
              { op: 'set_affinity', ...v, pe },
            ]
          : (['vpe.map', 'vpe.move', 'vpe.schedule'] as const).map((op) => ({ op, vpe: 0, pe }));
      const plain = run(name, started);
      const other = run(name, [...started, ...pes.map((op) => ({ op, pe, steps: 2 })), ...targets]);
      expect(Object.fromEntries(other.unsupported)).toEqual({
        ...Object.fromEntries(plain.unsupported),
        ...Object.fromEntries(targets.map(({ op }) => [`${op}: the machine has no such PE`, 1])),
      });
      for (const op of pes) expect(other.operations.get(op)).toBe(plain.operations.get(op));
    },
  );
});
