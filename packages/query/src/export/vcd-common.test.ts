// What each PE runs in a waveform, where the source does not say of some interrupts on which PE they are.
import type { Gicv5State } from '@gictrace/core/gicv5';
import { GICV5_TYPES, gicv5Intid } from '@gictrace/core/spec';
import { expect, it } from 'vitest';
import { Gicv5Lifetimes } from '../timeline/gicv5/lifetimes.ts';
import { type LifetimeStep, lifetimeOf } from '../timeline/lifetimes.ts';
import { runs } from './vcd-common.ts';
import type { VcdWriter } from './vcd-writer.ts';

/** What two PEs run: `x` if that is not known, 0 if nothing. */
function twoPes() {
  const now: (number | 'x')[] = ['x', 'x'];
  const vcd = {
    change: (signal: number, value: number) => {
      now[signal] = value;
    },
    unknown: (signal: number) => {
      now[signal] = 'x';
    },
  } as unknown as VcdWriter;
  const step = runs(vcd, [{ running: 0 }, { running: 1 }], 0);
  const one = (intid: number, pe: number) => lifetimeOf(intid, pe, 'unknown');
  return { now, step, one };
}

it('what a PE runs is x while an interrupt is active on an unknown PE, but for what the PE acknowledges later', () => {
  const { now, step, one } = twoPes();
  const [first, second, lost, third] = [one(1, 0), one(2, 1), one(3, -1), one(4, 0)];
  step('acknowledged', first);
  step('acknowledged', second);
  expect(now).toEqual([1, 2]);
  step('acknowledged', lost);
  expect(now).toEqual(['x', 'x']);
  step('acknowledged', third);
  expect(now).toEqual([4, 'x']);
  step('eoi', third);
  expect(now).toEqual(['x', 'x']);
  step('ended', lost);
  expect(now).toEqual([1, 2]);
  step('eoi', second);
  expect(now).toEqual([1, 0]);
});

it('what a PE runs stays x if the end of an interrupt on an unknown PE is not in the source', () => {
  const { now, step, one } = twoPes();
  const [first, later] = [one(1, 0), one(2, 1)];
  step('acknowledged', first);
  step('lost', one(3, -1));
  step('acknowledged', later);
  expect(now).toEqual(['x', 2]);
  step('eoi', later);
  expect(now).toEqual(['x', 'x']);
});

it.each([
  ['PPI', ['lost']],
  ['LPI', ['acknowledged', 'ended']],
] as const)('an acknowledge by an unknown PE ends the one before it: %s', (type, wanted) => {
  const steps: [LifetimeStep, number][] = [];
  const lifetimes = new Gicv5Lifetimes(
    { peCount: 2 } as Gicv5State,
    () => undefined,
    (step, { pe }) => steps.push([step, pe]),
  );
  const intid = gicv5Intid(GICV5_TYPES[type], 7);
  lifetimes.begin(true, 'unknown', null);
  lifetimes.acknowledgedSomewhere(intid, { record: 1, timeNs: 1 });
  // The same again: the one before has ended.
  lifetimes.acknowledgedSomewhere(intid, { record: 2, timeNs: 2 });
  expect(steps).toEqual(
    type === 'PPI'
      ? [...wanted, ...wanted].map((step) => [step, -1])
      : [...wanted, wanted[0]].map((step) => [step, -1]),
  );
});
