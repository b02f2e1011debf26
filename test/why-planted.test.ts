// A share of the blind trials of `why` (test/why-planted): faults of random kinds at random places. `npm run why:planted`
// makes as many as wanted on other recordings.
import { afterAll, expect, it } from 'vitest';
import { recordsOf } from './planting.ts';
import { imported, recording, scratch } from './support.ts';
import { Random } from './torture/random.ts';
import { ALL_KINDS, trials } from './why-planted/trials.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** Records of each recording, and trials. */
const LIMIT = 40_000;
const TRIALS = 8;

it.each(['linux-secure-direct-head', 'linux-gicv3-qemu-11'])(
  'names what was planted into %s',
  async (name) => {
    const path = temp.path(`${name}.gictrace`);
    await imported(recording(`${name}.log.gz`), path);
    const all = [...trials(recordsOf(path, LIMIT), Object.keys(ALL_KINDS), TRIALS, new Random(11))];
    expect(all.length).toBe(TRIALS);
    expect(all.filter(({ isNamed }) => !isNamed)).toEqual([]);
  },
);
