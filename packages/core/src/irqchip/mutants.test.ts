// A driver that does something else is measured to do so: nothing that a run tells is what a design is said to do.
import { describe, expect, it } from 'vitest';
import { PLAIN } from '../profile/index.ts';
import type { Bus } from './bus.ts';
import { DESIGNS } from './designs.ts';
import type { Design, Driver } from './driver.ts';
import { invalidate, outcomes, run, started, v, vpes } from './irqchip.test-support.ts';
import type { Operation } from './operation.ts';
import { Gicv3Testbed } from './testbed/testbed.ts';

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
      const post = bus.post.bind(bus);
      bus.post = (commands, its) =>
        post(
          commands.filter(({ name }) => name !== 'SYNC'),
          its,
        );
    });
    const [right, wrong] = [run(its, operations), run(forgetful, operations)];
    expect(wrong.costs.syncs).toBe(0);
    expect(right.costs.commands - wrong.costs.commands).toBe(right.costs.syncs);
    expect(right.costs.syncs).toBeGreaterThan(0);
  });

  it('a driver that forgets MOVI is seen in the deliveries', () => {
    const forgetful = mutant((bus) => {
      const post = bus.post.bind(bus);
      bus.post = (commands, its) =>
        post(
          commands.filter(({ name }) => name !== 'MOVI'),
          its,
        );
    });
    expect(outcomes(run(its, operations))).toEqual({ delivered: 1 });
    expect(outcomes(run(forgetful, operations))).toEqual({ delivered: 1, misrouted: 1 });
  });

  /** A design whose driver is changed once it is set up. */
  const changed = (name: string, change: (driver: Driver, bus: Bus) => void): Design => ({
    ...DESIGNS[name]!,
    make(bus, ledger) {
      const driver = DESIGNS[name]!.make(bus, ledger)!;
      change(driver, bus);
      return driver;
    },
  });

  it('a driver that skips GICR_SYNCR is seen in the polls', () => {
    const hasty = changed('direct-lpi', (_driver, bus) => {
      bus.poll = () => 0 as never;
    });
    const [right, wrong] = [run('direct-lpi', operations), run(hasty, operations)];
    expect(right.costs.polls).toBeGreaterThan(0);
    expect(wrong.costs.polls).toBe(0);
    expect(right.costs.mmio_reads - wrong.costs.mmio_reads).toBe(right.costs.polls);
  });

  it('a driver that forgets to rewrite the message is seen in the deliveries', () => {
    const moved: Operation[] = [...started, { op: 'set_affinity', ...v, pe: 1 }, { op: 'fire', ...v }];
    const forgetful = changed('direct-lpi', (driver) => {
      const message = driver.message.bind(driver);
      let first: ReturnType<typeof message>;
      driver.message = (of) => {
        first ??= message(of);
        return first;
      };
      // The device is given its message when the vector is activated, and keeps it.
      const act = driver.run.bind(driver);
      driver.run = (o) => {
        const result = act(o);
        if (o.op === 'activate') driver.message(o);
        return result;
      };
    });
    expect(outcomes(run('direct-lpi', moved))).toEqual({ delivered: 1, spurious: 1 });
    expect(outcomes(run(forgetful, moved))).toEqual({ delivered: 1, misrouted: 1, spurious: 1 });
  });

  it('a proxy that evicts the wrong victim is seen in the commands', () => {
    const touched: Operation[] = [...vpes(6)];
    for (let round = 0; round < 4; round++)
      for (const vpe of [0, 1, 2, 4, 5]) touched.push(invalidate(vpe), invalidate(0));
    const unfair = changed('vpe-proxy', (driver) => {
      // Always slot 0, which is needed most.
      Object.defineProperty(driver, 'nextVictim', { get: () => 0, set: () => {} });
    });
    const [right, wrong] = [run('vpe-proxy', touched), run(unfair, touched)];
    expect(wrong.costs.commands).toBeGreaterThan(right.costs.commands);
  });

  it('a poll that the machine never answers is an error of ours', () => {
    const { bus } = new Gicv3Testbed('architecture', PLAIN, 1);
    expect(() => bus.poll('GICD_CTLR', 0, () => false)).toThrow('GICD_CTLR is never ready');
  });
});
