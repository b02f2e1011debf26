// What holds of every run of the GICv5 model, whatever software does: nothing throws, the state is the fold of the events, a
// restored snapshot goes on as the straight run does, and the same stimuli give the same records.
import { describe, expect, it } from 'vitest';
import { FRAMES, NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { GICV5_SYSREGS, IRS, ITS, IWB } from '../spec/gicv5/index.ts';
import { FRAME, gicv5Config, gicv5WithIts, lpi, ppi, spi } from './driver.test-support.ts';
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

const [FRAME_ITS, FRAME_IWB, FRAME_SETLPI] = (['ITS', 'IWB', 'SETLPI'] as const).map((name) =>
  FRAMES.indexOf(name),
);
/** A device table of 9 bits of DeviceID, of which some are mapped, and their common translation table. */
const DEVICES = 0x5000_0000;
const ITT = 0x5000_8000;

function stimuli(seed: number, withIts: boolean): RecordBatch {
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
  const its = (register: keyof typeof ITS, value: number) =>
    push('mmio.write', NO_PE, FRAME_ITS!, FRAME, ITS[register].offset, 4, value);
  if (withIts) {
    push('mem.known', NO_PE, DEVICES, 0, 0x1_0000, 0);
    for (let device = 0; device < 6; device++)
      push('mem.write', NO_PE, DEVICES + 8 * device, 0, 8, ITT | 1, 4 << 27);
    for (let event = 0; event < 12; event++)
      push('mem.write', NO_PE, ITT + 8 * event, 0, 8, (event | 0x8000_0000) >>> 0, 0);
    its('ITS_DT_BASER', DEVICES);
    its('ITS_DT_CFGR', 9);
    its('ITS_CR0', 1);
    push('mmio.write', NO_PE, frame, FRAME, IRS.IRS_IST_CFGR.offset, 4, 0xe);
    push('mmio.write', NO_PE, frame, FRAME, IRS.IRS_IST_BASER.offset, 8, 0x4000_0001, 0);
  }
  const sysregs = Object.values(GICV5_SYSREGS);
  while (batch.count < STEPS - (withIts ? 6 : 0)) {
    const what = next(100);
    const pe = next(PES);
    if (withIts && next(8) === 0) {
      const which = next(6);
      if (which === 0) {
        const { offset, bytes } = pick(Object.values(ITS));
        const kind = next(2) === 0 ? 'mmio.read' : 'mmio.write';
        push(kind, NO_PE, FRAME_ITS!, FRAME, offset, bytes, pick(VALUES), 0);
        its('ITS_DIDR', next(8));
        its('ITS_EIDR', next(18));
        its(pick(['ITS_INV_EVENTR', 'ITS_INV_DEVICER', 'ITS_READ_EVENTR']), 0x8000_0000 + next(16));
        its('ITS_CR0', next(8) === 0 ? 0 : 1);
      } else if (which === 1) {
        const { offset } = pick(Object.values(IWB));
        const kind = next(2) === 0 ? 'mmio.read' : 'mmio.write';
        push(kind, NO_PE, FRAME_IWB!, FRAME, offset + 4 * next(3), 4, pick(VALUES));
      } else if (which === 2) push('iwb.wire', NO_PE, 0, next(70), next(2));
      else if (which === 3) push('mmio.write', NO_PE, FRAME_SETLPI!, FRAME, 0, 4, next(20));
      else push('msi.write', NO_PE, 0, next(8), next(18), 4);
    } else if (what < 25) {
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

describe.each([
  ['gicv5-architecture', gicv5Config],
  ['qemu-11.1', gicv5Config],
  ['gicv5-architecture', gicv5WithIts],
] as const)('every run under %s, %o', (profile, configOf) => {
  it('state is the fold, snapshots continue, runs repeat', () => {
    const withIts = configOf === gicv5WithIts;
    const kinds = new Set<number>();
    for (const seed of [1, 2, 3, 4]) {
      const batch = stimuli(seed * 7919, withIts);
      const config = configOf(profile, PES);
      const machine = new Gicv5Machine(config);
      const out = run(machine, batch);
      for (const kind of out.kind.subarray(0, out.count)) kinds.add(kind);

      const folded = new Gicv5State(config);
      gicv5Fold(folded, out);
      expect(folded.digest(), `seed ${seed}`).toBe(machine.state.digest());

      const middle = new Gicv5Machine(config);
      run(middle, batch, 0, STEPS / 2);
      const restored = new Gicv5Machine(config);
      restored.state.restore(middle.state.save());
      expect(restored.state.digest()).toBe(middle.state.digest());
      const [straight, again] = [run(middle, batch, STEPS / 2), run(restored, batch, STEPS / 2)];
      expect(bytesOf(again)).toBe(bytesOf(straight));
      expect(restored.state.digest()).toBe(machine.state.digest());

      expect(bytesOf(run(new Gicv5Machine(config), batch))).toBe(bytesOf(out));
    }
    // Something has happened.
    for (const name of ['irs.hppi', 'ppi.hppi', 'cpuif.signal', 'int.acknowledged', 'iste.changed'] as const)
      expect(kinds.has(RECORDS[name].id), name).toBe(true);
    for (const name of ['msi.translated', 'its.cached', 'its.forgotten', 'iwb.changed'] as const)
      expect(kinds.has(RECORDS[name].id), name).toBe(withIts);
  });
});
