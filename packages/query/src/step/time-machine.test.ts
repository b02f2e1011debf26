// Wherever the time machine goes, forward or back, the state is the one that a run from the beginning has.
import { Follow, FollowObserver, Machine } from '@gictrace/core/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { generated } from '../testing/generated.ts';
import { TimeMachine } from './time-machine.ts';

const { config, batch } = generated('qemu-virt', {}, 7, 9000);
const trace = {
  config,
  records: batch.count,
  *batches(from = 0) {
    if (from < batch.count) yield { batch, first: 0 };
  },
};

/** The state after a record, from scratch. */
function digestAt(record: number): string {
  const machine = new Machine(config);
  new Follow(machine, new FollowObserver()).take(batch, 0, 0, record + 1);
  return machine.state.digest();
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
      expect(time.machine.state.digest()).toBe(digestAt(time.now!.record));
    }),
    { numRuns: 12, seed: 1 },
  );
});
