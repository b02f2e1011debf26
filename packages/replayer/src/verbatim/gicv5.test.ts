// Verbatim replay of a GICv5, on recordings that the simulator itself makes.

import { NOT_A_REGISTER } from '@gictrace/core/backend';
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
import { FRAMES, GICV5_TYPES, gicv5Intid, ITS } from '@gictrace/core/spec';
import { describe, expect, it } from 'vitest';
import { qemuGicv5Config } from '../fuzz/gicv5.ts';
import { Gicv5Replay } from './gicv5.ts';
import { UNDECIDED_READ } from './outcome.ts';

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

it('a read that depends on a table entry which the source lacks is unknown, and one of no register is skipped', () => {
  const frames = [{ domain: 1, address: 0x803_0000, translate: 0x804_0000 }];
  const its = [{ idr: [0x14, 0x1d0, 0x10], iidr: 0x43b, aidr: 0x100, frames }];
  const replay = new Gicv5Replay({ ...qemuGicv5Config(1, 'gicv5-architecture'), its });
  const batch = new RecordBatch(3);
  const access = (kind: number, instance: number, offset: number, bytes: number, value = 0) => {
    const at = batch.push(kind, NO_PE, Number.NaN) * RECORD_WORDS;
    batch.words.set([FRAMES.indexOf('ITS'), instance, offset, bytes, value], at);
  };
  const { ITS_READ_EVENTR: select, ITS_READ_EVENT_DATAR: data } = ITS;
  access(KIND['mmio.write'], 1, select.offset, select.bytes, 0x8000_0000);
  access(KIND['mmio.read'], 1, data.offset, data.bytes, 5);
  access(KIND['mmio.read'], 5, data.offset, data.bytes, 5);
  replay.take(batch);
  const { diverged, unknown, skipped } = replay.finish();
  expect([diverged, unknown, skipped]).toEqual([0, { [UNDECIDED_READ]: 1 }, { [NOT_A_REGISTER]: 1 }]);
});
