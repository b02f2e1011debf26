// Traces of random stimuli, with the answers that the simulator gives and times of which some are not told. Not part of
// the published package.
import type { GicConfig } from '@gictrace/core';
import { Machine, step } from '@gictrace/core/model';
import { configOf, type Hardware, PLAIN } from '@gictrace/core/profile';
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { Random, StimulusGenerator } from '@gictrace/core/testing';
import type { LoadSource } from '../index.ts';

export interface Generated {
  readonly config: GicConfig;
  readonly batch: RecordBatch;
  readonly source: LoadSource;
}

/** `steps` stimuli of a GIC of three PEs. */
export function generated(
  profile: string,
  hardware: Partial<Hardware>,
  seed: number,
  steps: number,
): Generated {
  const config = configOf(profile, { ...PLAIN, ...hardware }, 3);
  const generator = new StimulusGenerator(config, seed, { wild: 25, reconfigures: seed % 2 === 0 });
  const machine = new Machine(config);
  const batch = new RecordBatch(steps);
  const random = new Random(seed);
  for (let i = 0; i < steps; i++) {
    generator.next(batch);
    batch.timeNs[i] = random.once(20) ? Number.NaN : i * 1000 + random.below(500);
    step(machine, batch, i);
    answer(batch, i, machine);
  }
  const source: LoadSource = {
    name: `seed ${seed}`,
    header: { config, source: { kind: 'test', name: 'generated' } },
    contentDigest: null,
    semanticDigest: null,
    batches: [{ batch, first: 0 }],
  };
  return { config, batch, source };
}

/** A read returns what the simulator says. */
function answer(batch: RecordBatch, i: number, machine: Machine): void {
  const at = i * RECORD_WORDS;
  const value =
    batch.kind[i] === RECORDS['sysreg.read'].id ? 1 : batch.kind[i] === RECORDS['mmio.read'].id ? 4 : -1;
  if (value < 0) return;
  batch.words[at + value] = machine.low >>> 0;
  batch.words[at + value + 1] = machine.high >>> 0;
}
