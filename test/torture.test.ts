// A short campaign of hostile inputs for every verb (test/torture), from fixed seeds; `npm run torture` tries more.

import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { VERB_NAMES } from '../packages/cli/src/verbs.ts';
import { scratch } from './support.ts';
import { campaign } from './torture/campaign.ts';
import { mutate } from './torture/mutate.ts';
import { Random } from './torture/random.ts';
import { seeds } from './torture/seeds.ts';
import { ELSEWHERE, OF_TRACES } from './torture/verbs.ts';

// In CI golden files are not written, and the campaign makes some to break; golden.test.ts tries the refusal.
delete process.env.CI;

const folder = scratch();
afterAll(() => folder.dispose());

it('has a line for every verb, or says where the verb is tried', () => {
  const tried = new Set([...Object.keys(OF_TRACES), ...Object.keys(ELSEWHERE)]);
  expect(VERB_NAMES.filter((verb) => !tried.has(verb))).toEqual([]);
});

it('a seed makes the same input every time', () => {
  const good = readFileSync(seeds().traces[0]!);
  for (let seed = 1; seed < 20; seed++) {
    const [a, b] = [mutate(good, new Random(seed)), mutate(good, new Random(seed))];
    expect(a.what).toBe(b.what);
    expect(a.bytes.equals(b.bytes)).toBe(true);
  }
});

it('hostile inputs: one line and an exit code, in time, with nothing left behind', async () => {
  const { found, inputs, lines } = await campaign(seeds(), {
    folder: folder.path('campaign'),
    first: 1000,
    count: 1000,
    seconds: 15,
    // Other tests run meanwhile, and the machine may be a small one.
    slack: 10,
  });
  expect(found).toEqual([]);
  expect(inputs).toBeGreaterThan(1);
  expect(lines).toBeGreaterThan(5);
}, 300_000);
