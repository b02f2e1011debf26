// What happens to a machine while messages are on their way: PEs that are busy or go, migrations, refused allocations,
// devices that mask themselves, blocks.
import { describe, expect, it } from 'vitest';
import { DESIGNS } from './designs.ts';
import { D, online, outcomes, run, started, v } from './irqchip.test-support.ts';
import type { Operation } from './operation.ts';

const fire: Operation = { op: 'fire', ...v };
const rest = (n: number): Operation[] => new Array<Operation>(n).fill({ op: 'probe' });

describe('a PE that is busy', () => {
  it('takes what came when it is done, and messages of one vector together', () => {
    const operations: Operation[] = [...started, { op: 'pe.busy', pe: 0, steps: 3 }, fire, fire];
    expect(outcomes(run('its', operations))).toEqual({ waiting: 2 });
    const after = run('its', [...operations, ...rest(1)]);
    expect(outcomes(after)).toEqual({ delivered: 2 });
    expect(after.deliveries.steps_max).toBe(2);
  });
});

describe('a PE that goes offline', () => {
  const gone: Operation[] = [
    ...started,
    { op: 'pe.busy', pe: 0, steps: 100 },
    fire,
    { op: 'set_affinity', ...v, pe: 1 },
    { op: 'pe.offline', pe: 0 },
  ];
  it('takes with it what its vectors left behind', () => {
    expect(outcomes(run('its', gone))).toEqual({ delivered: 1 });
    expect(outcomes(run('mbi', gone))).toEqual({ delivered: 1 });
    expect(outcomes(run('direct-lpi', gone))).toEqual({ delivered: 1 });
    expect(outcomes(run('direct-lpi-rfc-intid', gone))).toEqual({ stranded: 1 });
  });
  it('keeps its LPI tables, and has its collection mapped again when it comes back', () => {
    const back = run('its', [...online, { op: 'pe.offline', pe: 3 }, { op: 'pe.online', pe: 3 }]);
    // The tables of 4 PEs, and two posts each time that a collection is mapped.
    expect(back.costs.mmio_writes).toBe(3 * 4 + 2 * 5);
    expect(back.costs.commands).toBe(4 * 5);
  });
});

describe('a migration', () => {
  const burst = (without: 'nothing' | 'memory' | 'ITS' | 'Distributor'): Operation[] => [
    ...started,
    { op: 'mask', ...v },
    fire,
    { op: 'migrate', without },
    { op: 'unmask', ...v },
  ];
  it.each(
    Object.values(DESIGNS)
      .filter((one) => one.serves === 'devices')
      .map((one) => one.name),
  )('on %s changes nothing, if all is carried', (name) => {
    const stays = burst('nothing').filter((one) => one.op !== 'migrate');
    expect(run(name, burst('nothing')).deliveries).toEqual({
      ...run(name, stays).deliveries,
      steps_max: run(name, burst('nothing')).deliveries.steps_max,
    });
  });
  it('loses what is left behind', () => {
    expect(outcomes(run('its', burst('memory')))).toEqual({ lost: 1 });
    expect(outcomes(run('mbi', burst('memory')))).toEqual({ delivered: 1 });
    expect(outcomes(run('mbi', burst('Distributor')))).toEqual({ lost: 1 });
  });
});

describe('an allocation that is refused', () => {
  const alloc: Operation = { op: 'alloc', device: D, count: 4 };
  const refused = (name: string, what: 'any' | 'column map' | 'IOMMU mapping', nth = 1) =>
    run(name, [...online, { op: 'fail', what, nth }, alloc]);

  it('is the one that was named, and only that one', () => {
    expect([...refused('its', 'column map').failed]).toEqual([['alloc: device', 1]]);
    expect([...run('its', [...online, { op: 'fail', what: 'column map', nth: 2 }, alloc]).failed]).toEqual(
      [],
    );
    const twice = run('its', [...online, { op: 'fail', what: 'column map', nth: 1 }, alloc, alloc]);
    expect([...twice.failed]).toEqual([['alloc: device', 1]]);
  });

  it.each([1, 2, 3, 4])('the %ith of an ITS device: only LPIs that were granted leak', (nth) => {
    const { leaked } = refused('its', 'any', nth);
    // device, ITT, LPI range, column map: the range leaks unless it is what was refused.
    expect([...leaked]).toEqual(nth === 3 ? [] : [['LPIs', 4]]);
  });

  it('of the domain: a driver that is not set up does nothing', () => {
    const none = run('virtual-its-unpatched', [{ op: 'fail', what: 'domain', nth: 1 }, ...started, fire]);
    expect([...none.leaked]).toEqual([['collections', 4]]);
    expect(none.costs.mmio_writes).toBe(0);
    expect([...none.unsupported.keys()][0]).toContain('failed to be set up');
    expect(outcomes(none)).toEqual({ unsent: 1 });
  });
});

describe('a device that masks itself', () => {
  const own: Operation[] = [
    ...online,
    { op: 'alloc', device: D, count: 4, msi: 'device-masked' },
    { op: 'activate', ...v, pe: 0 },
    { op: 'unmask', ...v },
  ];
  it('holds a message back, and sends one when it is unmasked', () => {
    const masked: Operation[] = [...own, { op: 'mask', ...v }, fire, fire];
    expect(outcomes(run('its', masked))).toEqual({ masked: 2 });
    const after = run('its', [...masked, { op: 'unmask', ...v }]);
    expect(outcomes(after)).toEqual({ delivered: 2 });
    // Unmasked in the controller when it was started, and never again.
    expect(after.costsBy.get('unmask')).toMatchObject({ table_bytes: 1, device_writes: 2 });
    expect(after.costsBy.get('mask')).toMatchObject({ table_bytes: 0, commands: 0, device_writes: 1 });
  });
});

describe('two blocks', () => {
  const there = { device: 16, vector: 0 };
  const both: Operation[] = [
    ...started,
    { op: 'alloc', device: 16, count: 1, block: 1 },
    { op: 'activate', ...there, pe: 1 },
    { op: 'unmask', ...there },
    fire,
    { op: 'fire', ...there },
  ];
  it('have an ITS each, and a device is known to its own', () => {
    expect(outcomes(run('its', both, 4, 2))).toEqual({ delivered: 2 });
    // dev-MSI asks the first ITS, and never unmasks.
    expect(outcomes(run('dev-msi', both, 4, 2))).toEqual({ stranded: 1, lost: 1 });
  });
  it('are set up each', () => {
    expect(run('its', online, 4, 2).costs.commands).toBe(2 * run('its', online, 4, 1).costs.commands);
  });
});
