// Whatever is done to the model, legal or not: it does not throw, its invariants hold, its events are its state, and
// a snapshot taken anywhere goes on as if nothing had happened.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pendingTableAddress } from '../model/apply.ts';
import { runningPriority } from '../model/arbitration.ts';
import { fold, GicState, Machine, step } from '../model/index.ts';
import { isPendingIn, residentTable } from '../model/vlpi.ts';
import { configOf, type Hardware, PLAIN, PROFILES } from '../profile/index.ts';
import { RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { Random, StimulusGenerator } from './index.ts';

const STEPS = 1200;
const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const V_ACKNOWLEDGED = RECORDS['virq.acknowledged'].id;

const MACHINES: readonly [string, string, Partial<Hardware>][] = [
  ...Object.entries(PROFILES).map(
    ([name, profile]) =>
      [name, name, { ...profile.hardware, twoSecurityStates: false }] as [string, string, Hardware],
  ),
  ['GICv4.0 by the architecture', 'architecture', { ...PLAIN, architecture: 4, virtualLpis: '4.0' }],
];

interface Run {
  readonly machine: Machine;
  readonly batch: RecordBatch;
  readonly seen: RecordBatch;
}

function machineOf(profile: string, hardware: Partial<Hardware>): Run {
  const machine = new Machine(configOf(profile, { ...PLAIN, ...hardware }, 3));
  const seen = new RecordBatch(65_536);
  machine.sink = {
    batch: seen,
    events: true,
    full: () => {
      throw new Error('more than 65,536 events of one stimulus');
    },
  };
  return { machine, batch: new RecordBatch(1), seen };
}

/** What holds between any two stimuli. */
function check(machine: Machine): void {
  const { state } = machine;
  for (let pe = 0; pe < state.peCount; pe++) {
    // A pending LPI is pending in the table in memory too, unless software has changed the table's place or bytes.
    for (const intid of state.lpiPending[pe]!) if (intid < 8192) expect.fail(`LPI ${intid}`);
    // Running priority is the highest active one.
    let highest = 0xff;
    for (let bit = 127; bit >= 0; bit--) {
      const word = 4 * pe + (bit >> 5);
      if (((state.ap0r[word]! | state.ap1r[word]!) >>> (bit & 31)) & 1) highest = (bit << 3) & 0xff;
    }
    if (runningPriority(state, pe) !== highest) expect(runningPriority(state, pe)).toBe(highest);
    // No vLPI of a vPE that is not resident.
    if (residentTable(machine, pe) < 0 && state.virtual.pending[pe]!.size > 0)
      expect.fail('a vLPI of no vPE');
  }
}

describe.each(MACHINES)('%s', (_name, profile, hardware) => {
  let virtual = 0;
  for (const seed of [1, 2, 3])
    it(`seed ${seed}: ${STEPS} stimuli, legal and illegal`, () => {
      const { machine, batch, seen } = machineOf(profile, hardware);
      const generator = new StimulusGenerator(machine.state.config, seed);
      const folded = new GicState(machine.state.config);
      const random = new Random(seed);
      let other: Run | undefined;
      let until = 0;
      let acknowledges = 0;
      for (let n = 0; n < STEPS; n++) {
        batch.clear();
        generator.next(batch);
        const before = [...machine.state.hppiIntid];
        const vbefore = machine.state.virtual.hppi.slice();
        step(machine, batch, 0);
        for (let i = 0; i < seen.count; i++) {
          const pe = seen.pe[i]!;
          const intid = seen.words[i * RECORD_WORDS]!;
          if (seen.kind[i] === ACKNOWLEDGED) {
            acknowledges++;
            expect(intid).toBe(before[pe]);
          }
          if (seen.kind[i] === V_ACKNOWLEDGED && seen.words[i * RECORD_WORDS + 3] === 0xffff_ffff) {
            virtual++;
            expect(intid).toBe(vbefore[6 * pe + 1]);
          }
        }
        fold(folded, seen);
        if (other !== undefined) {
          step(other.machine, batch, 0);
          expect(other.seen.count).toBe(seen.count);
          const bytes = (run: RecordBatch) => Buffer.from(run.words.buffer, 0, run.count * RECORD_WORDS * 4);
          expect(bytes(other.seen).equals(bytes(seen))).toBe(true);
          other.seen.clear();
          if (n === until) {
            expect(other.machine.state.digest()).toBe(machine.state.digest());
            other = undefined;
          }
        } else if (random.once(40)) {
          // A snapshot here, restored into another machine, which goes on beside this one for a while.
          other = machineOf(profile, hardware);
          other.machine.state.restore(machine.state.save());
          other.machine.invalidate();
          until = n + 1 + random.below(30);
        }
        seen.clear();
        check(machine);
      }
      expect(folded.digest()).toBe(machine.state.digest());
      expect(acknowledges).toBeGreaterThan(10);
    });

  it('virtual machines took vLPIs, where there are any', () => {
    expect(virtual > 0).toBe(hardware.virtualLpis !== 'none');
  });

  it('the same seed gives the same events', () => {
    const digests = [0, 1].map(() => {
      const { machine, batch, seen } = machineOf(profile, hardware);
      const generator = new StimulusGenerator(machine.state.config, 77);
      const hash = createHash('sha256');
      for (let n = 0; n < 400; n++) {
        batch.clear();
        generator.next(batch);
        step(machine, batch, 0);
        hash.update(new Uint8Array(seen.words.buffer, 0, seen.count * RECORD_WORDS * 4));
        seen.clear();
      }
      return hash.digest('hex');
    });
    expect(digests[0]).toBe(digests[1]);
  });
});

it('without illegal stimuli an LPI that is pending is so in its table too, and in one place', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const { machine, batch, seen } = machineOf('architecture', {
      ...PLAIN,
      architecture: 4,
      virtualLpis: '4.0',
    });
    const generator = new StimulusGenerator(machine.state.config, seed, { wild: 0 });
    const { state } = machine;
    const enabled = [0, 0, 0];
    for (let n = 0; n < 800; n++) {
      batch.clear();
      generator.next(batch);
      step(machine, batch, 0);
      seen.clear();
      for (let pe = 0; pe < 3; pe++) {
        enabled[pe]! |= state.gicrCtlr[pe]! & 1;
        if (!enabled[pe]) continue;
        const table = pendingTableAddress(state, pe);
        for (let intid = 8192; intid < 8208; intid++) {
          const inMemory = (state.memory.readByte(table + (intid >> 3)) >> (intid & 7)) & 1;
          if ((state.lpiPending[pe]!.has(intid) ? 1 : 0) !== inMemory) expect.fail(`LPI ${intid} of PE${pe}`);
        }
        const resident = residentTable(machine, pe);
        if (resident >= 0)
          for (const vintid of state.virtual.pending[pe]!)
            expect(isPendingIn(machine, resident, vintid)).toBe(true);
      }
      seen.clear();
    }
  }
});
