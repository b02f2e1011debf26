// The simulator as a backend: responses before effects, states that are kept and gone back to.
import { describe, expect, it } from 'vitest';
import { configOf, PLAIN } from '../profile/index.ts';
import { NO_PE, RECORD_WORDS, RECORDS, RecordBatch, type RecordName } from '../record/index.ts';
import { GICD, GICR, SYSREGS } from '../spec/index.ts';
import { NOT_A_REGISTER, Simulator } from './simulator.ts';

const CONFIG = configOf('architecture', PLAIN, 2);

function stimuli(...list: readonly (readonly [RecordName, number, ...number[]])[]): RecordBatch {
  const batch = new RecordBatch(list.length);
  for (const [kind, pe, ...words] of list)
    batch.words.set(words, batch.push(RECORDS[kind].id, pe, Number.NaN) * RECORD_WORDS);
  return batch;
}

async function run(simulator: Simulator, batch: RecordBatch): Promise<string[]> {
  const lines: string[] = [];
  await simulator.run(batch, {
    answered: (low, high, reserved) => lines.push(`${low} ${high}${reserved ? ' reserved' : ''}`),
    skipped: (reason) => lines.push(reason),
    shown: (shown, i) => {
      if (shown.kind[i] === RECORDS.hppi.id)
        lines.push(
          `hppi ${shown.pe[i]} ${shown.words[i * RECORD_WORDS]} ${shown.words[i * RECORD_WORDS + 4]}`,
        );
    },
  });
  return lines;
}

/** SPI 40 enabled in Group 1 for PE 0, which is awake and lets it through. */
const READY = stimuli(
  ['mmio.write', 0, 0, 0, GICD.GICD_CTLR.offset, 4, 2],
  ['mmio.write', 0, 1, 0, GICR.GICR_WAKER.offset, 4, 0],
  ['mmio.write', 0, 0, 0, GICD.GICD_IGROUPR.offset + 4, 4, 0x100],
  ['mmio.write', 0, 0, 0, GICD.GICD_ISENABLER.offset + 4, 4, 0x100],
  ['sysreg.write', 0, SYSREGS.ICC_PMR_EL1.encoding, 0xf8],
  ['sysreg.write', 0, SYSREGS.ICC_IGRPEN1_EL1.encoding, 1],
);
const UP = stimuli(['wire.set', NO_PE, 40, 1]);
const ACKNOWLEDGE = stimuli(['sysreg.read', 0, SYSREGS.ICC_IAR1_EL1.encoding]);
const MASK = stimuli(['sysreg.write', 0, SYSREGS.ICC_PMR_EL1.encoding, 0xf0]);

describe('the simulator as a backend', () => {
  it('answers, and then shows what came of it', async () => {
    const simulator = new Simulator('test');
    await simulator.reset(CONFIG);
    await run(simulator, READY);
    expect(await run(simulator, UP)).toEqual(['0 0', 'hppi 0 40 1']);
    expect(await run(simulator, ACKNOWLEDGE)).toEqual(['40 0', 'hppi 0 1023 0']);
    expect(await run(simulator, stimuli(['mmio.read', 0, 0, 0, 0xc, 4]))).toEqual(['0 0 reserved']);
    expect(await run(simulator, stimuli(['sysreg.read', 9, SYSREGS.ICC_PMR_EL1.encoding]))).toEqual([
      NOT_A_REGISTER,
    ]);
  });

  it('goes back to a state, and forgets what came after', async () => {
    const simulator = new Simulator('test');
    await simulator.reset(CONFIG);
    await run(simulator, READY);
    await simulator.snapshot(0);
    expect(await run(simulator, UP)).toEqual(['0 0', 'hppi 0 40 1']);
    await simulator.snapshot(1);
    await simulator.restore(0);
    // What is best is found anew: the wire is low again.
    expect(await run(simulator, MASK)).toEqual(['0 0']);
    expect(await run(simulator, ACKNOWLEDGE)).toEqual(['1023 0']);
    await simulator.restore(1);
    expect(await run(simulator, ACKNOWLEDGE)).toEqual(['40 0', 'hppi 0 1023 0']);
  });

  it('keeps no state beyond a reset, and does nothing before one', async () => {
    const simulator = new Simulator('test');
    await expect(run(simulator, UP)).rejects.toThrow(/has not been reset/);
    await simulator.reset(CONFIG);
    await simulator.snapshot(0);
    await simulator.reset(CONFIG);
    await expect(simulator.restore(0)).rejects.toThrow(/no state is kept under 0/);
    await simulator.close();
    await expect(run(simulator, UP)).rejects.toThrow(/has not been reset/);
  });
});
