// Faults with names in the simulator: each can be planted, a real QEMU tells two of them, and scenarios that were
// recorded on the simulator replay on QEMU. `npm run fuzz:planted` has it find them all.

import type { GicTraceError } from '@gictrace/core';
import { Machine } from '@gictrace/core/model';
import { MUTATIONS, plantMutation } from '@gictrace/core/testing';
import { foreseeTrace, QEMU_PACKAGE, QemuBackend, qemuVersion, replayTraceOn } from '@gictrace/replayer';
import { fuzzConfig, fuzzQemu } from '@gictrace/replayer/fuzz';
import { main } from 'gictrace';
import { afterAll, describe, expect, it } from 'vitest';
import { scratch } from './support.ts';

const version = (() => {
  try {
    return qemuVersion();
  } catch {
    return undefined;
  }
})();
const is72 = version?.startsWith('7.2.') ?? false;
if (!is72)
  process.stderr.write(
    `SKIPPED: planted faults and scenarios on QEMU 7.2 (here: ${version ?? `none, apt-get install ${QEMU_PACKAGE}`})\n`,
  );
const folder = scratch();
afterAll(() => folder.dispose());

it('a fault that there is not is refused, and those that there are can be planted', () => {
  for (const name of Object.keys(MUTATIONS)) plantMutation(new Machine(fuzzConfig(4, 3)), name);
  try {
    plantMutation(new Machine(fuzzConfig(4, 3)), 'toString');
    expect.unreachable();
  } catch (error) {
    expect((error as GicTraceError).code).toBe('usage');
  }
});

describe.skipIf(!is72)('on QEMU', () => {
  it.each(['irouter-aff0', 'vmapti-doorbell-lost'])(
    '%s is found, and shown in few stimuli',
    async (plant) => {
      const { difference } = await fuzzQemu({ seed: 1, steps: 1000, gic: 4, plant });
      expect(difference?.crash).toBeNull();
      expect(difference!.stimuli).toBeLessThanOrEqual(12);
    },
  );

  it('a fault of two Security states is found where there are two, and refused where there is one', async () => {
    const { difference } = await fuzzQemu({
      ...{ seed: 1, steps: 500, gic: 3, security: 2, plant: 'grpmod-ignored' },
    });
    expect(difference?.crash).toBeNull();
    expect(difference!.stimuli).toBeLessThanOrEqual(12);
    expect(await main(['fuzz', '--plant', 'grpmod-ignored'])).toBe(2);
  });

  it.each([
    ['burst', 'its'],
    ['proxy-clash', 'platform-msi'],
    ['lost-doorbell', 'vpe-proxy'],
    ['doorbell-move', 'vpe-naive'],
  ])('%s, recorded with %s, replays without a skip and without a difference', async (scenario, design) => {
    const trace = folder.path(`${scenario}.gictrace`);
    expect(await main(['record', scenario, '-o', trace, '--on', `${design}@qemu-virt`])).toBe(0);
    const backend = new QemuBackend({ foresight: foreseeTrace(trace) });
    try {
      const verdict = await replayTraceOn(trace, backend, { version: 'test' });
      expect(verdict.first).toBeNull();
      expect(verdict.diverged).toBe(0);
      expect(verdict.skipped).toEqual({});
      expect(Object.values(verdict.compared).reduce((a, b) => a + b, 0)).toBeGreaterThan(50);
    } finally {
      await backend.close();
    }
  });
});
