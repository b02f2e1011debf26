// What holds of every run of the GICv5 model, whatever software does: nothing throws, the state is the fold of the events, a
// restored snapshot goes on as the straight run does, and the same stimuli give the same records.
import { describe, expect, it } from 'vitest';
import { FRAMES, NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { GICV5_SYSREGS, IRS } from '../spec/gicv5/index.ts';
import { FRAME, gicv5Config, lpi, ppi, spi } from './driver.test-support.ts';
import { Gicv5Machine } from './machine.ts';
import { Gicv5State } from './state.ts';
import { gicv5Fold, gicv5Step } from './step.ts';

const STEPS = 4000;
const PES = 3;
const VALUES = [0, 1, 2, 7, 0x18, 0x1f, 0xff, 0x1_0018, 0x4000_0001, 0x4000_0000, 0x8000_0000, 0xffff_ffff];
const INTIDS = [
  ...[0, 1, 2, 8, 9, 100, 5000].map(lpi),
  ...[0, 1, 40, 63, 64].map(spi),
  ...[3, 27, 130].map(ppi),
];

function numbers(seed: number): (below: number) => number {
  let x = seed | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

function stimuli(seed: number): RecordBatch {
  const next = numbers(seed);
  const pick = <T>(of: readonly T[]): T => of[next(of.length)]!;
  const batch = new RecordBatch(STEPS);
  const push = (kind: keyof typeof RECORDS, pe: number, ...words: number[]) => {
    batch.words.set(words, batch.push(RECORDS[kind].id, pe, Number.NaN) * RECORD_WORDS);
  };
  const frame = FRAMES.indexOf('IRS');
  push('mem.known', NO_PE, 0x4000_0000, 0, 0x2_0000, 0);
  push('mem.write', NO_PE, 0x4000_0000, 0, 8, 0x4000_8000, 0);
  push('mmio.write', NO_PE, frame, FRAME, IRS.IRS_CR0.offset, 4, 1);
  for (let pe = 0; pe < PES; pe++) {
    push('sysreg.write', pe, GICV5_SYSREGS.ICC_CR0_EL1.encoding, 1);
    push('sysreg.write', pe, GICV5_SYSREGS.ICC_PCR_EL1.encoding, 0x1f);
  }
  const sysregs = Object.values(GICV5_SYSREGS);
  while (batch.count < STEPS) {
    const what = next(100);
    const pe = next(PES);
    if (what < 25) {
      const { offset, bytes } = pick(Object.values(IRS));
      const kind = next(3) === 0 ? 'mmio.read' : 'mmio.write';
      push(kind, NO_PE, frame, FRAME, offset, next(10) === 0 ? 12 - bytes : bytes, pick(VALUES), next(2));
    } else if (what < 75) {
      const high = pick([0, 1, 2, next(2 ** 9)]);
      push('sysreg.write', pe, pick(sysregs).encoding, pick([...INTIDS, ...VALUES]), high);
    } else if (what < 82) push('sysreg.read', pe, GICV5_SYSREGS.GICR_CDIA.encoding);
    else if (what < 86) push('sysreg.read', pe, pick(sysregs).encoding);
    else if (what < 95) {
      const intid = pick(INTIDS);
      push('wire.set', pe, intid, next(2));
    } else if (what < 97) push('mem.unknown', NO_PE, 0x4000_8000 + 64 * next(8), 0, 64);
    else if (what < 98) push('pe.reset', pe);
    else if (what < 99 && next(8) === 0) push('gic.reset', NO_PE, 0);
    else push('mmio.write', NO_PE, frame, FRAME, IRS.IRS_CR0.offset, 4, 1);
  }
  return batch;
}

/** Runs stimuli and returns what came of them. */
function run(machine: Gicv5Machine, batch: RecordBatch, from = 0, to = batch.count): RecordBatch {
  let out = new RecordBatch(4096);
  machine.sink = {
    events: true,
    get batch() {
      return out;
    },
    full: () => {
      const more = new RecordBatch(out.capacity * 2);
      for (let i = 0; i < out.count; i++) more.copy(out, i);
      out = more;
    },
  };
  for (let i = from; i < to; i++) gicv5Step(machine, batch, i);
  return out;
}

const bytesOf = (batch: RecordBatch) =>
  Buffer.concat([
    Buffer.from(batch.kind.slice(0, batch.count)),
    Buffer.from(batch.words.slice(0, batch.count * RECORD_WORDS).buffer),
  ]).toString('base64');

describe.each(['gicv5-architecture', 'qemu-11.1'])('every run under %s', (profile) => {
  it.each([1, 2, 3, 4])('seed %i: state is the fold, snapshots continue, runs repeat', (seed) => {
    const batch = stimuli(seed * 7919);
    const config = gicv5Config(profile, PES);
    const machine = new Gicv5Machine(config);
    const out = run(machine, batch);
    // Something has happened.
    const kinds = new Set(out.kind.slice(0, out.count));
    for (const name of ['irs.hppi', 'ppi.hppi', 'cpuif.signal', 'int.acknowledged', 'iste.changed'] as const)
      expect(kinds.has(RECORDS[name].id), name).toBe(true);

    const folded = new Gicv5State(config);
    gicv5Fold(folded, out);
    expect(folded.digest()).toBe(machine.state.digest());

    const middle = new Gicv5Machine(config);
    run(middle, batch, 0, STEPS / 2);
    const restored = new Gicv5Machine(config);
    restored.state.restore(middle.state.save());
    expect(restored.state.digest()).toBe(middle.state.digest());
    const [straight, again] = [run(middle, batch, STEPS / 2), run(restored, batch, STEPS / 2)];
    expect(bytesOf(again)).toBe(bytesOf(straight));
    expect(restored.state.digest()).toBe(machine.state.digest());

    expect(bytesOf(run(new Gicv5Machine(config), batch))).toBe(bytesOf(out));
  });
});
