// Doorbells of vPEs: what they cost by each design, and whether they wake.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DESIGNS } from './designs.ts';
import { D, invalidate, online, outcomes, PES, run, vpes } from './irqchip.test-support.ts';
import type { Operation } from './operation.ts';
import { OUTCOME_NAMES } from './testbed/outcome.ts';
import { Translation } from './testbed/run.ts';

const ofVpes = Object.values(DESIGNS).filter((design) => design.serves === 'vpes');

describe('the vPE proxy', () => {
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

describe.each(ofVpes)('a vPE that is not mapped, by $name', (design) => {
  it('is not moved (its_vpe_set_affinity)', () => {
    const unmapped: Operation[] = [...vpes(1), { op: 'vpe.unmap', vpe: 0 }];
    const moved = run(design, [...unmapped, { op: 'vpe.move', vpe: 0, pe: 1 }]);
    expect(moved.costs).toEqual(run(design, unmapped).costs);
    expect([...moved.unsupported.keys()]).toEqual(['vpe.move: the vPE is not mapped']);
    const again: Operation[] = [...unmapped, { op: 'vpe.map', vpe: 0, pe: 0 }];
    const after = run(design, [...again, { op: 'vpe.move', vpe: 0, pe: 1 }]);
    expect(after.unsupported.size).toBe(0);
  });
});

describe('a vLPI', () => {
  const vector = { device: D, vector: 0 };
  const forwarded: Operation[] = [
    ...vpes(2),
    { op: 'alloc', device: D, count: 2 },
    { op: 'vlpi.map', ...vector, vpe: 0 },
    { op: 'vpe.schedule', vpe: 0, pe: 0 },
    { op: 'doorbell.clear', vpe: 0 },
  ];
  const block: Operation[] = [
    { op: 'doorbell.unmask', vpe: 0 },
    { op: 'vpe.deschedule', vpe: 0, pe: 0 },
  ];
  const fire: Operation = { op: 'fire', ...vector };
  const schedule: Operation = { op: 'vpe.schedule', vpe: 0, pe: 0 };
  const names = ofVpes.map((design) => design.name);

  it.each(names)('by %s: a resident vPE takes it at once', (name) => {
    const { deliveries } = run(name, [...forwarded, fire]);
    expect([deliveries.delivered, deliveries.doorbells, deliveries.steps_max]).toEqual([1, 0, 0]);
  });

  it.each(names)('by %s: a blocked vPE is woken by its doorbell, and takes it when it runs', (name) => {
    const woken = run(name, [...forwarded, ...block, fire]);
    expect(outcomes(woken)).toEqual({ waiting: 1 });
    expect(woken.deliveries.doorbells).toBe(1);
    const taken = run(name, [...forwarded, ...block, fire, schedule]);
    expect(outcomes(taken)).toEqual({ delivered: 1 });
  });

  it.each(names)('by %s: a vPE that is preempted, with its doorbell masked, is not rung for', (name) => {
    const masked: Operation[] = [
      { op: 'doorbell.mask', vpe: 0 },
      { op: 'vpe.deschedule', vpe: 0, pe: 0 },
    ];
    const { deliveries } = run(name, [...forwarded, ...masked, fire]);
    expect([deliveries.doorbells, deliveries.waiting, deliveries.stranded]).toEqual([0, 1, 0]);
  });

  it('reaches a vPE on another PE of its group, though no VMOVP was sent', () => {
    const moved: Operation[] = [
      ...forwarded,
      { op: 'vpe.deschedule', vpe: 0, pe: 0 },
      { op: 'vpe.move', vpe: 0, pe: 1 },
      { op: 'vpe.schedule', vpe: 0, pe: 1 },
      fire,
    ];
    const { deliveries, costsBy } = run('vpe-v41-skip', moved);
    expect(costsBy.get('vpe.move')!.commands).toBe(0);
    expect([deliveries.delivered, deliveries.doorbells, deliveries.steps_max]).toEqual([1, 0, 0]);
    expect(run('vpe-v41', moved).costsBy.get('vpe.move')!.commands).toBe(2);
  });

  it('costs GICv4.1 nothing at a trapped WFI: the doorbell stays enabled', () => {
    const cycle: Operation[] = [...block, fire, schedule, { op: 'doorbell.mask', vpe: 0 }];
    const [before, after] = [run('vpe-v41', forwarded), run('vpe-v41', [...forwarded, ...cycle, ...cycle])];
    expect(after.costs.commands).toBe(before.costs.commands);
    expect([after.deliveries.delivered, after.deliveries.doorbells]).toEqual([2, 2]);
  });

  it('that a doorbell should have told of is stranded where that is cleared before it is taken', () => {
    const busy: Operation = { op: 'pe.busy', pe: 0, steps: 3 };
    const clear: Operation = { op: 'doorbell.clear', vpe: 0 };
    const cleared = [...forwarded, ...block, busy, fire, clear, invalidate(1), invalidate(1)];
    for (const name of ['vpe-proxy', 'vpe-naive', 'vpe-direct']) {
      expect(outcomes(run(name, cleared)), name).toEqual({ stranded: 1 });
      expect(outcomes(run(name, [...cleared, schedule])), name).toEqual({ delivered: 1, unwoken: 1 });
    }
    // With GICv4.1 there is nothing to clear.
    expect(outcomes(run('vpe-v41', cleared))).toEqual({ waiting: 1 });
  });

  it('has one outcome, whatever is asked of whatever design', () => {
    const vpe = fc.nat(5);
    const pe = fc.nat(PES - 1);
    const of = { device: fc.constantFrom(8, 16), vector: fc.nat(3) };
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom('vpe.schedule' as const, 'vpe.deschedule' as const, 'vpe.move' as const),
        vpe,
        pe,
      }),
      fc.record({
        op: fc.constantFrom(
          'doorbell.mask' as const,
          'doorbell.unmask' as const,
          'doorbell.clear' as const,
          'doorbell.set' as const,
          'doorbell.invalidate' as const,
          'doorbell.release' as const,
        ),
        vpe,
      }),
      fc.record({ op: fc.constant('vlpi.map' as const), ...of, vpe }),
      fc.record({ op: fc.constantFrom('fire' as const, 'fire' as const), ...of }),
      fc.record({ op: fc.constant('pe.busy' as const), pe, steps: fc.nat(5) }),
      fc.record({ op: fc.constant('free' as const), device: of.device }),
      fc.record({ op: fc.constant('alloc' as const), device: of.device, count: fc.constant(4) }),
    );
    const before: Operation[] = [
      ...vpes(6),
      { op: 'alloc', device: 8, count: 4 },
      { op: 'alloc', device: 16, count: 4 },
    ];
    fc.assert(
      fc.property(fc.constantFrom(...ofVpes), fc.array(operation, { maxLength: 60 }), (design, list) => {
        const { deliveries: d } = run(design, [...before, ...(list as Operation[])]);
        expect(OUTCOME_NAMES.reduce((sum, name) => sum + d[name], 0)).toBe(d.fired);
      }),
      { numRuns: 80 },
    );
  });
});

describe('vPEs of a VM', () => {
  it('are freed where a later one fails, but for the last before it as first posted', () => {
    const operations: Operation[] = [
      ...online,
      { op: 'fail', what: 'vPE tables', nth: 4 },
      { op: 'vm.alloc', vpe: 0, count: 6 },
    ];
    expect([...run('vpe-proxy', operations).leaked]).toEqual([]);
    expect([...run('vpe-proxy-rfc', operations).leaked]).toEqual([['vPE tables', 1]]);
    expect([...run('vpe-proxy', operations).failed]).toEqual([['vm.alloc: vPE tables', 1]]);
  });
});
