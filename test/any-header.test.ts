// Any header that validates × any records: nothing throws, in the model under each profile and in each verb, but for the
// limits that have names.
import { GicTraceError, gicConfigSchema, gicv5ConfigSchema } from '@gictrace/core';
import { GICV5_PROFILES, Gicv5Machine, gicv5Step } from '@gictrace/core/gicv5';
import { Machine, step } from '@gictrace/core/model';
import { PROFILES } from '@gictrace/core/profile';
import { isStimulus } from '@gictrace/core/record';
import { afterAll, describe, expect, it } from 'vitest';
import { scratch } from './support.ts';
import { anyConfig, anyGicv5Config, anyKinds, anyRecords, writeAny } from './torture/any.ts';
import { campaign } from './torture/campaign.ts';
import { Random } from './torture/random.ts';
import { seeds } from './torture/seeds.ts';

const folder = scratch();
afterAll(() => folder.dispose());

describe.each(Object.keys(PROFILES))('the model, profile %s', (profile) => {
  it('never throws', () => {
    let ran = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const random = new Random(seed);
      const config = anyConfig(random, profile);
      expect(gicConfigSchema.safeParse(config).success).toBe(true);
      const machine = new Machine(config);
      const batch = anyRecords(random, config, 400);
      for (let i = 0; i < batch.count; i++) {
        if (!isStimulus(batch.kind[i]!)) continue;
        try {
          step(machine, batch, i);
          ran++;
        } catch (error) {
          if (!(error instanceof GicTraceError) || error.code !== 'limit')
            throw new Error(`seed ${seed}, record ${i}`, { cause: error });
          break;
        }
      }
    }
    expect(ran).toBeGreaterThan(5000);
  });
});

describe.each(Object.keys(GICV5_PROFILES))('the model of GICv5, profile %s', (profile) => {
  it('never throws', () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = new Random(seed);
      const config = anyGicv5Config(random, profile);
      expect(gicv5ConfigSchema.safeParse(config).success).toBe(true);
      const machine = new Gicv5Machine(config);
      const batch = anyKinds(random, config.pes.length, 400);
      for (let i = 0; i < batch.count; i++) if (isStimulus(batch.kind[i]!)) gicv5Step(machine, batch, i);
    }
  });
});

it('no verb throws', async () => {
  const files: string[] = [];
  for (let seed = 1; seed <= 6; seed++) {
    const path = folder.path(`any-${seed}.gictrace`);
    writeAny(path, new Random(100 + seed));
    files.push(path);
  }
  const { found, lines } = await campaign(seeds(), {
    folder: folder.path('campaign'),
    files,
    first: 1,
    count: files.length,
    slack: 10,
  });
  expect(found).toEqual([]);
  expect(lines).toBeGreaterThan(20 * files.length);
}, 300_000);
