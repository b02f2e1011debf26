// What holds of every run of the model, whatever software does: nothing throws, the state is the fold of the events,
// and a restored snapshot goes on as the straight run does. On GICs with every feature of this room.
import { describe, expect, it } from 'vitest';
import { FRAMES, NO_PE, RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { GICD, GICR, type RegisterTable, SYSREGS } from '../spec/index.ts';
import { featured, TYPER, variant } from './driver.test-support.ts';
import { Machine } from './machine.ts';
import { GicState } from './state.ts';
import { fold, step } from './step.ts';

const STEPS = 3000;
const PES = 3;
const FEATURES = TYPER.ESPI | TYPER.NMI | TYPER.MBIS;
/** DirectLPI, DPGS, PPInum = 2. */
const GICR_FEATURES = 0x1000_0028;
const INTIDS = [0, 5, 16, 31, 32, 40, 255, 256, 1019, 1023, 1056, 1119, 4096, 4127, 4128, 8192, 8200, 65535];
const VALUES = [0, 1, 3, 7, 0x30, 0x47, 0xa0, 0xff, 0x100, 0x8000_0000, 0xffff_ffff, ...INTIDS];

/** A generator of which a seed tells everything (xorshift). */
function numbers(seed: number): (below: number) => number {
  let x = seed | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Accesses at random to registers that exist, and wires. */
function stimuli(seed: number): RecordBatch {
  const next = numbers(seed);
  const pick = <T>(of: readonly T[]): T => of[next(of.length)]!;
  const registers = ([GICD, GICR] as readonly RegisterTable[]).map((table) => Object.values(table));
  const sysregs = Object.entries(SYSREGS).filter(([name]) => name.startsWith('ICC_'));
  const batch = new RecordBatch(STEPS);
  const push = (kind: keyof typeof RECORDS, pe: number, ...words: number[]) => {
    const i = batch.push(RECORDS[kind].id, pe, Number.NaN);
    batch.flags[i] = pick([
      0,
      0,
      RECORD_FLAGS.secure,
      RECORD_FLAGS.secure | RECORD_FLAGS.el3,
      RECORD_FLAGS.el3,
    ]);
    words.forEach((word, k) => {
      batch.words[RECORD_WORDS * i + k] = word;
    });
  };
  while (batch.count < STEPS) {
    const pe = next(PES);
    const what = next(10);
    if (what < 5) {
      const frame = next(2);
      const spec = pick(registers[frame]!);
      const offset = spec.offset + spec.bytes * next(Math.min(spec.count ?? 1, 260));
      const kind = next(4) === 0 ? 'mmio.read' : 'mmio.write';
      const width = pick(spec.accessBytes);
      // DS is left alone at first: it can not be undone.
      const value = batch.count < STEPS / 2 && spec.offset === 0 ? 0x37 : pick(VALUES);
      push(kind, pe, frame, frame === FRAMES.indexOf('GICR') ? pe : 0, offset, width, value, pick(VALUES));
    } else if (what < 9) {
      const [, spec] = pick(sysregs);
      if (spec.access === 'RO' || (spec.access === 'RW' && next(3) === 0))
        push('sysreg.read', pe, spec.encoding);
      else push('sysreg.write', pe, spec.encoding, pick(VALUES), pick(VALUES));
    } else {
      const rare = next(400);
      if (rare === 0) push('gic.reset', NO_PE, next(3));
      else if (rare < 20) push('pe.switch', pe, next(3), next(2));
      else push('wire.set', pick([pe, NO_PE]), pick(INTIDS), next(2));
    }
  }
  return batch;
}

const CONFIGS = {
  'one Security state': featured('architecture', { pes: PES, set: FEATURES, gicr: GICR_FEATURES }),
  'two Security states': featured(variant('architecture', { ctlrCes: true, lpiConfig: 'live' }), {
    pes: PES,
    set: FEATURES | TYPER.SecurityExtn,
    clear: TYPER.No1N,
    gicr: GICR_FEATURES,
  }),
} as const;

describe.each(Object.entries(CONFIGS))('any run, %s', (_name, { machine: { state } }) => {
  it.each([1, 2, 3, 4, 5])('seed %i', (seed) => {
    const stream = stimuli(seed * 0x9e37_79b1);
    const straight = new Machine(state.config);
    const folded = new GicState(state.config);
    const events = new RecordBatch(256);
    const drain = () => {
      fold(folded, events);
      events.clear();
    };
    straight.sink = { batch: events, events: true, full: drain };
    let snapshot: Uint8Array | undefined;
    for (let i = 0; i < stream.count; i++) {
      if (i === STEPS / 3) snapshot = straight.state.save();
      step(straight, stream, i);
    }
    drain();
    expect(folded.digest()).toBe(straight.state.digest());
    expect(folded.digest()).not.toBe(new GicState(state.config).digest());

    const resumed = new Machine(state.config);
    resumed.state.restore(snapshot!);
    resumed.invalidate();
    for (let i = STEPS / 3; i < stream.count; i++) step(resumed, stream, i);
    expect(resumed.state.digest()).toBe(straight.state.digest());
  });
});
