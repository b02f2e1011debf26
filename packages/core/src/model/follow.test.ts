// Following a trace: an observer hears of every record once, in order, and the simulator does what it does without one.
import { describe, expect, it } from 'vitest';
import { PENDBASE, PROPBASE } from '../conformance/guest.ts';
import { recordText } from '../disasm/index.ts';
import { RECORD_WORDS, RECORDS, RecordBatch, type RecordName } from '../record/index.ts';
import { GICR } from '../spec/index.ts';
import { Driver, testConfig } from './driver.test-support.ts';
import { Follow, FollowObserver } from './follow.ts';
import { Machine } from './machine.ts';
import { step } from './step.ts';

const PES = 2;

/** Stimuli of a guest that has MSIs delivered and ends the interrupts, as its tap shows them. */
function recorded(act: (guest: Driver) => void): RecordBatch {
  const guest = new Driver('architecture', PES);
  const batch = new RecordBatch(20_000);
  guest.tap = (stimulus) => batch.copy(stimulus, 0);
  guest.enable();
  act(guest);
  return batch;
}

function messages(guest: Driver): void {
  guest.its();
  guest.command('MAPD', { DeviceID: 7, Size: 4, ITT_addr: 0x4600_0000, V: 1 });
  guest.store(0x4100_0000, 0xa1);
  guest.command('MAPTI', { DeviceID: 7, EventID: 1, pINTID: 8192, ICID: 1 });
  for (let n = 0; n < 3; n++) {
    guest.msi(7, 1);
    guest.write(1, 'ICC_EOIR1_EL1', guest.read(1, 'ICC_IAR1_EL1'));
  }
}

/** 8,000 LPIs that become pending by one write: more than the follower hands on at once. */
function manyAtOnce(guest: Driver): void {
  guest.zero(PROPBASE, 0x1_0000);
  guest.zero(PENDBASE, 0x2_0000);
  for (let byte = 1024; byte < 2024; byte++) guest.store(PENDBASE + byte, 0xff);
  guest.wide('GICR', 0, GICR.GICR_PROPBASER.offset, PROPBASE | 0xf, 0);
  guest.wide('GICR', 0, GICR.GICR_PENDBASER.offset, PENDBASE, 0);
  guest.gicr(0, 'GICR_CTLR', 1);
}

const texts = (batch: RecordBatch) => Array.from({ length: batch.count }, (_, i) => recordText(batch, i));

/** What each stimulus emits, without a follower. */
function stepped(stimuli: RecordBatch): { readonly emitted: string[][]; readonly digest: string } {
  const machine = new Machine(testConfig('architecture', PES));
  const sink = { batch: new RecordBatch(50_000), events: true, full: () => expect.unreachable() };
  machine.sink = sink;
  const emitted: string[][] = [];
  for (let i = 0; i < stimuli.count; i++) {
    sink.batch.clear();
    step(machine, stimuli, i);
    emitted.push(texts(sink.batch));
  }
  return { emitted, digest: machine.state.digest() };
}

/** Keeps all that it hears. */
class Listener extends FollowObserver {
  readonly heard: string[] = [];
  readonly emissions: string[][] = [];
  private readonly machine: Machine;

  constructor(machine: Machine) {
    super();
    this.machine = machine;
  }
  private hear(what: string, record: number): void {
    this.heard.push(`${what} ${record}`);
  }
  override stimulus(_batch: RecordBatch, _i: number, record: number): void {
    this.hear('stimulus', record);
    this.emissions.push([]);
  }
  override answered(batch: RecordBatch, i: number, record: number): void {
    this.hear('answered', record);
    const at =
      batch.kind[i] === RECORDS['mmio.read'].id ? 4 : batch.kind[i] === RECORDS['sysreg.read'].id ? 1 : -1;
    if (at < 0) return;
    const { low, high } = this.machine;
    const value = batch.words.subarray(i * RECORD_WORDS + at, i * RECORD_WORDS + at + 2);
    expect([low, high]).toEqual([...value]);
  }
  override emitted(records: RecordBatch): void {
    this.heard.push('emitted');
    this.emissions.at(-1)!.push(...texts(records));
  }
  override settled(_batch: RecordBatch, _i: number, record: number): void {
    this.hear('settled', record);
  }
  override operation(_batch: RecordBatch, _i: number, record: number): void {
    this.hear('operation', record);
  }
  override observable(_batch: RecordBatch, _i: number, record: number): void {
    this.hear('observable', record);
  }
  override event(_batch: RecordBatch, _i: number, record: number): void {
    this.hear('event', record);
  }
  override end(): void {
    this.heard.push('end');
  }
}

describe('following a trace', () => {
  it.each(Object.keys(RECORDS) as RecordName[])('%s is heard as its declaration says', (name) => {
    const batch = new RecordBatch(1);
    batch.push(RECORDS[name].id, 0, Number.NaN);
    // A read that returns 0, as from a location where there is no register.
    batch.words.set(name === 'mmio.read' ? [0, 0, 0xf000, 4] : []);
    const machine = new Machine(testConfig('architecture'));
    const listener = new Listener(machine);
    const follow = new Follow(machine, listener);
    follow.take(batch, 41);
    follow.end();
    const heard = listener.heard.filter((what) => what !== 'emitted');
    const { class: class_ } = RECORDS[name];
    expect(heard).toEqual(
      class_ === 'stimulus'
        ? ['stimulus 41', 'answered 41', 'settled 41', 'end']
        : // Nothing is concluded from context, so nobody hears of it.
          class_ === 'context'
          ? ['end']
          : [`${class_} 41`, 'end'],
    );
  });

  it.each([
    ['messages that are taken and ended', messages],
    ['more records than are handed on at once', manyAtOnce],
  ])('hands on what the simulator does, in order: %s', (_name, act) => {
    const stimuli = recorded(act);
    const machine = new Machine(testConfig('architecture', PES));
    const listener = new Listener(machine);
    const follow = new Follow(machine, listener);
    follow.take(stimuli, 0, 0, 5);
    follow.take(stimuli, 0, 5);
    const { emitted, digest } = stepped(stimuli);
    expect(listener.emissions).toEqual(emitted);
    expect(machine.state.digest()).toBe(digest);
    expect(listener.heard.join(' ')).toMatch(
      /^(stimulus (\d+) (emitted )*answered \2 (emitted )?settled \2 ?)+$/,
    );
  });

  it('keeps the response apart from what follows it, but for a stimulus that overflows', () => {
    const heardOf = (act: (guest: Driver) => void) => {
      const machine = new Machine(testConfig('architecture', PES));
      const listener = new Listener(machine);
      new Follow(machine, listener).take(recorded(act), 0);
      return listener.heard;
    };
    const early = (heard: readonly string[]) =>
      heard.filter((what, n) => what === 'emitted' && heard[n + 1]!.startsWith('answered')).length;
    expect(early(heardOf(messages))).toBe(0);
    expect(early(heardOf(manyAtOnce))).toBe(1);
  });

  it('stands at the state before the stimulus, and then behind it', () => {
    const all = recorded(messages);
    const stimuli = new RecordBatch(30);
    for (let i = all.count - 30; i < all.count; i++) stimuli.copy(all, i);
    const other = new Machine(testConfig('architecture', PES));
    const machine = new Machine(testConfig('architecture', PES));
    class States extends FollowObserver {
      compared = 0;
      override stimulus(): void {
        expect(machine.state.digest()).toBe(other.state.digest());
      }
      override settled(batch: RecordBatch, i: number): void {
        step(other, batch, i);
        expect(machine.state.digest()).toBe(other.state.digest());
        this.compared++;
      }
    }
    const states = new States();
    new Follow(machine, states).take(stimuli, 0);
    expect(states.compared).toBe(30);
  });

  it('leaves the sink alone where nobody hears what is emitted', () => {
    const machine = new Machine(testConfig('architecture', PES));
    new Follow(machine, new FollowObserver()).take(recorded(messages), 0);
    expect(machine.sink).toBeUndefined();
    expect(machine.state.digest()).toBe(stepped(recorded(messages)).digest);
  });
});
