// Wherever the time machine goes, forward or back, the state is the one that a run from the beginning has.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { Gicv5Draw } from '@gictrace/core/gicv5';
import { FollowObserver } from '@gictrace/core/model';
import { RecordBatch } from '@gictrace/core/record';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generated } from '../testing/generated.ts';
import { simulatorOf } from './simulators.ts';
import { TimeMachine } from './time-machine.ts';

const STEPS = 9000;

function ofGicv5(): { config: Gicv5Config; batch: RecordBatch } {
  const draw = new Gicv5Draw(7, 3, 64);
  const batch = new RecordBatch(STEPS);
  while (batch.count < STEPS) draw.next(batch);
  const config: Gicv5Config = {
    profile: 'gicv5-architecture',
    architecture: 5,
    pes: [0, 1, 2].map((n) => ({ affinity: n, iaffid: n })),
    irs: [
      {
        idr: [0x1c, 0x4f_0003, 0x3fb8, 0, 0, 64, 64, 0],
        iidr: 0x43b,
        aidr: 0,
        frames: [{ domain: 1, address: 0x801_0000 }],
      },
    ],
    cpuif: { idr0: 0x41, hmr: ['0xfffffffffffffff7', '0xffffffffffffffff'] },
  };
  return { config, batch };
}

const TRACES: Readonly<Record<string, { config: GicConfig | Gicv5Config; batch: RecordBatch }>> = {
  GICv3: generated('qemu-virt', {}, 7, STEPS),
  GICv5: ofGicv5(),
};

describe.each(Object.entries(TRACES))('%s', (_name, { config, batch }) => {
  const trace = {
    config,
    records: batch.count,
    *batches(from = 0) {
      if (from < batch.count) yield { batch, first: 0 };
    },
  };

  /** The state after a record, from scratch. */
  function digestAt(record: number): string {
    const simulator = simulatorOf(config, new FollowObserver());
    for (let i = 0; i <= record; i++) simulator.run(batch, 0, i);
    return simulator.state.digest();
  }

  it('has the state of a run from the beginning after any walk', () => {
    const move = fc.oneof(
      fc.record({ seek: fc.integer({ min: 0, max: batch.count - 1 }) }),
      fc.record({ step: fc.integer({ min: -3, max: 3 }) }),
      fc.record({ kind: fc.integer({ min: 1, max: 10 }), back: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 6 }), (moves) => {
        const time = new TimeMachine(trace);
        time.seek(5000);
        for (const one of moves) {
          if ('seek' in one) expect(time.seek(one.seek)?.record).toBe(one.seek);
          else if ('step' in one)
            for (let n = 0; n < Math.abs(one.step); n++) one.step < 0 ? time.back() : time.forward();
          else {
            const before = time.now!.record;
            const fits = ({ stimulus }: { stimulus: { kind: Uint8Array } }) => stimulus.kind[0] === one.kind;
            const found = one.back ? time.back(fits) : time.forward(fits);
            const expected = one.back
              ? batch.kind.subarray(0, before).lastIndexOf(one.kind)
              : batch.kind.subarray(0, batch.count).indexOf(one.kind, before + 1);
            expect(found?.record ?? -1).toBe(expected);
          }
        }
        expect(time.simulator.state.digest()).toBe(digestAt(time.now!.record));
      }),
      { numRuns: 12, seed: 1 },
    );
  });
});
