// Operations are records and back.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALLOCATIONS,
  DEVICE_KINDS,
  MIGRATED_PARTS,
  OPERATION_KINDS,
  type OperationKind,
  RecordBatch,
} from '../record/index.ts';
import {
  concernOf,
  isServed,
  OPERATION_NAMES,
  type Operation,
  operationAt,
  pushOperation,
} from './operation.ts';

const pe = fc.nat(511);
const u16 = fc.nat(0xffff);
const vector = { device: u16, vector: fc.nat(4095) };
const one = <const T extends Operation['op']>(...names: T[]) => fc.constantFrom(...names);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: one('pe.online', 'pe.offline'), pe }),
  fc.record({ op: one('pe.busy'), pe, steps: fc.nat(1000) }),
  fc.record({ op: one('probe') }),
  fc.record({ op: one('probe'), reset: fc.constant(true as const) }),
  fc.record({ op: one('alloc'), device: u16, count: fc.nat(4096) }),
  fc.record({
    op: one('alloc'),
    device: u16,
    count: fc.nat(4096),
    msi: fc.constantFrom(...DEVICE_KINDS.slice(1)),
    block: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ op: one('activate', 'set_affinity'), ...vector, pe }),
  fc.record({ op: one('mask', 'unmask', 'reconfigure', 'deactivate', 'fire'), ...vector }),
  fc.record({ op: one('set_pending'), ...vector, pending: fc.boolean() }),
  fc.record({ op: one('free'), device: u16 }),
  fc.record({ op: one('fire.multi'), ...vector, count: fc.constantFrom(2, 4, 32) }),
  fc.record({ op: one('forge'), ...vector, by: u16 }),
  fc.record({ op: one('fail'), what: fc.constantFrom(...ALLOCATIONS), nth: fc.integer({ min: 1, max: 99 }) }),
  fc.record({ op: one('migrate'), without: fc.constantFrom(...MIGRATED_PARTS) }),
  fc.record({ op: one('vm.alloc'), vpe: u16, count: fc.nat(512) }),
  fc.record({ op: one('vpe.map', 'vpe.schedule', 'vpe.deschedule', 'vpe.move'), vpe: u16, pe }),
  fc.record({
    op: one(
      'vpe.unmap',
      'vpe.invalidate',
      'doorbell.invalidate',
      'doorbell.mask',
      'doorbell.unmask',
      'doorbell.clear',
      'doorbell.set',
      'doorbell.release',
    ),
    vpe: u16,
  }),
  fc.record({ op: one('vlpi.map'), ...vector, vpe: u16 }),
) as fc.Arbitrary<Operation>;

describe('an operation as a record', () => {
  it('comes back', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 20 }), (operations) => {
        const batch = new RecordBatch(operations.length);
        for (const each of operations) pushOperation(batch, each);
        expect(operations.map((_, i) => operationAt(batch, i))).toEqual(operations);
      }),
    );
  });

  it('is of every kind that there is, and no other record is one', () => {
    const seen = new Set(fc.sample(operation, 5000).map((each) => each.op));
    expect([...seen].sort()).toEqual([...OPERATION_NAMES].sort());
    const ids = Object.values(OPERATION_KINDS).map((kind) => kind.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Math.min(...ids)).toBeGreaterThanOrEqual(32);
    expect(Math.max(...ids)).toBeLessThan(64);
    const batch = new RecordBatch(1);
    batch.push(1, 0, Number.NaN);
    expect(operationAt(batch, 0)).toBeUndefined();
  });

  it('is given to designs by whom it concerns', () => {
    const given = (serves: 'devices' | 'vpes') => OPERATION_NAMES.filter((name) => isServed(name, serves));
    // A driver for vPEs is a driver for devices, too.
    expect(given('vpes')).toEqual(OPERATION_NAMES);
    expect(OPERATION_NAMES.filter((name) => !isServed(name, 'devices'))).toEqual(
      OPERATION_NAMES.filter((name) => /^(vm|vpe|doorbell)\./.test(name)),
    );
    expect(OPERATION_NAMES.filter((name) => concernOf(name) === 'pes')).toEqual([
      'pe.online',
      'pe.offline',
      'pe.busy',
    ]);
    expect(concernOf('migrate')).toBe('machine');
  });

  it('of a kind that does not declare whom it concerns does not compile', () => {
    const { concerns, ...rest } = OPERATION_KINDS['op.probe'];
    // @ts-expect-error: `concerns` is missing.
    const kind: OperationKind = rest;
    expect(concerns).toBe('machine');
    expect(kind.class).toBe('operation');
  });
});
