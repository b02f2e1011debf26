// Verbatim replay of a GICv5, on recordings that the simulator itself makes.
import { Gicv5Draw, Gicv5Machine, gicv5Step } from '@gictrace/core/gicv5';
import {
  CPUIF_PARTS,
  isObservable,
  KIND,
  KNOWN_STATE,
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RecordBatch,
  recordName,
  type Verdict,
} from '@gictrace/core/record';
import { GICV5_TYPES, gicv5Intid } from '@gictrace/core/spec';
import { describe, expect, it } from 'vitest';
import { qemuGicv5Config } from '../fuzz/gicv5.ts';
import { Gicv5Replay } from './gicv5.ts';

const PES = 3;
const STEPS = 1500;

/** What the simulator does with the stimuli of a seed, as a recording. */
function recording(profile: string): RecordBatch {
  const machine = new Gicv5Machine(qemuGicv5Config(PES, profile));
  const draw = new Gicv5Draw(77, PES, 256);
  const out = new RecordBatch(64 * STEPS);
  const one = new RecordBatch(1);
  const shown = new RecordBatch(4096);
  machine.sink = { batch: shown, events: false, full: () => shown.clear() };
  for (let n = 0; n < STEPS; n++) {
    one.clear();
    shown.clear();
    draw.next(one);
    gicv5Step(machine, one, 0);
    const at = out.copy(one, 0);
    const value = one.kind[0] === KIND['mmio.read'] ? 4 : one.kind[0] === KIND['sysreg.read'] ? 1 : -1;
    if (value >= 0) out.words.set([machine.low >>> 0, machine.high >>> 0], at * RECORD_WORDS + value);
    if (machine.reserved) out.flags[at]! |= RECORD_FLAGS.reserved;
    for (let i = 0; i < shown.count; i++) out.copy(shown, i);
  }
  return out;
}

function replayed(batch: RecordBatch, profile: string): Verdict {
  const replay = new Gicv5Replay(qemuGicv5Config(PES, profile));
  replay.take(batch);
  return replay.finish();
}

/** The batch without record `i`. */
function without(batch: RecordBatch, i: number): RecordBatch {
  const out = new RecordBatch(batch.capacity);
  for (let k = 0; k < batch.count; k++) if (k !== i) out.copy(batch, k);
  return out;
}

describe.each(['qemu-11.1', 'gicv5-architecture'])('replay under %s', (profile) => {
  const batch = recording(profile);
  const observables = Array.from({ length: batch.count }, (_, i) => i).filter((i) =>
    isObservable(batch.kind[i]!),
  );

  it('agrees with its own recording, and compares every observable', () => {
    const { diverged, compared, records } = replayed(batch, profile);
    expect([diverged, records]).toEqual([0, batch.count]);
    for (const name of ['irs.hppi', 'cpuif.signal', 'spi.state', 'irs.activated', 'ist.changed'] as const)
      expect(compared[name]).toBe(observables.filter((i) => recordName(batch.kind[i]!) === name).length);
  });

  it('diverges if any word or PE of an observable changes, or if one is missing', () => {
    for (let n = 0; n < observables.length; n += Math.ceil(observables.length / 40)) {
      const i = observables[n]!;
      const at = i * RECORD_WORDS + (n % 3);
      batch.words[at]! ^= 1;
      expect(replayed(batch, profile).diverged, `record ${i}`).toBeGreaterThan(0);
      batch.words[at]! ^= 1;
      if (n % 2 === 0)
        expect(replayed(without(batch, i), profile).diverged, `without ${i}`).toBeGreaterThan(0);
    }
    expect(replayed(batch, profile).diverged).toBe(0);
  });
});

describe('what a source shows only by its effects', () => {
  const config = qemuGicv5Config(1);
  const timer = gicv5Intid(GICV5_TYPES.PPI, 27);

  function learnt(priority: number): RecordBatch {
    const out = new RecordBatch(64);
    const put = (kind: number, pe: number, ...words: number[]) =>
      out.words.set(words, out.push(kind, pe, 0) * RECORD_WORDS);
    const shows = (intid: number, prio: number, irq: number) => {
      for (let domain = 0; domain < 4; domain++)
        put(KIND['ppi.hppi'], 0, domain, domain === 1 ? intid : 0, domain === 1 ? prio : 0xff);
      put(KIND['cpuif.signal'], 0, irq, 0, 0);
    };
    put(KIND['cpuif.unseen'], 0, CPUIF_PARTS.indexOf('an ICC_PPI register'));
    shows(0, 0xff, 0);
    const what = KNOWN_STATE.indexOf('enable');
    put(KIND['state.known'], 0, what, 0, 0, 0, timer, 1, 0);
    put(KIND['state.known'], 0, KNOWN_STATE.indexOf('priority'), 0, 0, 0, timer, priority, 0);
    put(KIND['wire.set'], 0, timer, 1);
    shows(timer, 31, 0);
    put(KIND['gic.reset'], NO_PE, 0);
    return out;
  }

  const verdict = (priority: number) => {
    const replay = new Gicv5Replay(config);
    replay.take(learnt(priority));
    return replay.finish();
  };

  it('is compared with what the source has revealed', () => {
    expect(verdict(31)).toMatchObject({ diverged: 0, compared: { 'ppi.hppi': 8, 'cpuif.signal': 2 } });
    expect(verdict(30).divergedBy).toEqual({ 'ppi.hppi': 1 });
  });
});
