// Recordings for tests: stimuli from a seed, with everything that the simulator returned and emitted.
import type { GicConfig } from '@gictrace/core';
import { Machine, step } from '@gictrace/core/model';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { StimulusGenerator } from '@gictrace/core/testing';

/** A GICv3 with an ITS and `pes` PEs. */
export function plainConfig(pes: number): GicConfig {
  return configOf('architecture', PLAIN, pes);
}

const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;

/** A recording of `stimuli` stimuli, each with its response, followed by its observables and events. */
export function syntheticRecording(config: GicConfig, seed: number, stimuli: number): RecordBatch {
  const out = new RecordBatch(65_536);
  const machine = new Machine(config);
  const seen = new RecordBatch(32_768);
  machine.sink = { batch: seen, events: true, full: () => expectRoom() };
  const generator = new StimulusGenerator(config, seed);
  const one = new RecordBatch(1);
  for (let n = 0; n < stimuli; n++) {
    one.clear();
    generator.next(one);
    step(machine, one, 0);
    const kind = one.kind[0]!;
    if (!machine.unsupported) {
      if (machine.reserved) one.flags[0]! |= RECORD_FLAGS.reserved;
      if (kind === MMIO_READ || kind === SYSREG_READ) {
        one.words[kind === MMIO_READ ? 4 : 1] = machine.low;
        one.words[(kind === MMIO_READ ? 4 : 1) + 1] = machine.high;
      }
      if (out.capacity - out.count <= seen.count + 1) break;
      out.copy(one, 0);
      for (let i = 0; i < seen.count; i++) out.copy(seen, i);
    }
    seen.clear();
  }
  return out;
}

function expectRoom(): never {
  throw new Error('more records of one stimulus than the test has room for');
}

/** A copy of records `from` to `to` - 1. */
export function slice(batch: RecordBatch, from: number, to: number): RecordBatch {
  const out = new RecordBatch(Math.max(1, to - from));
  for (let i = from; i < to; i++) out.copy(batch, i);
  return out;
}

/** All of a record, to be compared. */
export function plain(batch: RecordBatch, i: number): readonly number[] {
  const at = i * RECORD_WORDS;
  return [batch.kind[i]!, batch.pe[i]!, batch.flags[i]!, ...batch.words.subarray(at, at + RECORD_WORDS)];
}
