// State that a source shows after the fact: the state has it, no access is made for it, and it is a fold of events.
import { describe, expect, it } from 'vitest';
import { configOf, PLAIN } from '../profile/index.ts';
import { KNOWN_STATE, NO_PE, RECORDS, RecordBatch, UNITS } from '../record/index.ts';
import { GICR, SYSREGS } from '../spec/index.ts';
import { Machine } from './machine.ts';
import { GicState } from './state.ts';
import { fold, step } from './step.ts';

const config = configOf('architecture', PLAIN, 2);

function setUp() {
  const machine = new Machine(config);
  const events = new RecordBatch(4096);
  machine.sink = { batch: events, events: true, full: () => expect.unreachable() };
  const know = (
    what: (typeof KNOWN_STATE)[number],
    pe: number,
    {
      unit = 'GICD',
      instance = 0,
      register = 0,
      intid = 0,
      low = 1,
      high = 0,
    }: {
      unit?: (typeof UNITS)[number];
      instance?: number;
      register?: number;
      intid?: number;
      low?: number;
      high?: number;
    },
  ) => {
    const batch = new RecordBatch(1);
    batch.push(RECORDS['state.known'].id, pe, Number.NaN);
    batch.words.set([
      KNOWN_STATE.indexOf(what),
      UNITS.indexOf(unit),
      instance,
      register,
      intid,
      low >>> 0,
      high >>> 0,
    ]);
    step(machine, batch, 0);
  };
  return { machine, state: machine.state, events, know };
}

describe('state that a source shows after the fact', () => {
  it('an SPI is signalled once all that is known of it lets it through', () => {
    const { state, know } = setUp();
    know('register', NO_PE, { register: 0, low: 0x52 });
    know('register', 1, { unit: 'ICC', instance: 1, register: SYSREGS.ICC_PMR_EL1.encoding, low: 0xf0 });
    know('register', 1, { unit: 'ICC', instance: 1, register: SYSREGS.ICC_IGRPEN1_EL1.encoding });
    know('register', 1, { unit: 'GICR', instance: 1, register: GICR.GICR_WAKER.offset, low: 0 });
    know('group', NO_PE, { intid: 40 });
    know('enable', NO_PE, { intid: 40 });
    know('priority', NO_PE, { intid: 40, low: 0xa0 });
    know('route', NO_PE, { intid: 40, low: 1 });
    expect(state.hppiIntid[1]).toBe(1023);
    know('level', NO_PE, { intid: 40 });
    expect([state.hppiIntid[1], state.hppiPriority[1], state.irq[1]]).toEqual([40, 0xa0, 1]);
    know('active', NO_PE, { intid: 40 });
    expect(state.hppiIntid[1]).toBe(1023);
    know('active', NO_PE, { intid: 40, low: 0 });
    expect(state.hppiIntid[1]).toBe(40);
  });

  it('has no side effects: LPIs that are known to be enabled load no pending table', () => {
    const { state, events, know } = setUp();
    know('register', 0, { unit: 'GICR', register: GICR.GICR_CTLR.offset });
    expect(state.gicrCtlr[0]).toBe(1);
    const kinds = [...events.kind.subarray(0, events.count)];
    expect(kinds).toEqual([RECORDS['reg.changed'].id]);
    know('LPI pending', 0, { intid: 8200 });
    expect([...state.lpiPending[0]!]).toEqual([8200]);
    know('LPI pending', 0, { intid: 8200, low: 0 });
    expect(state.lpiPending[0]!.size).toBe(0);
  });

  it('an LPI has the configuration that is known of it, whether it is pending already or not', () => {
    const { state, know } = setUp();
    const propbaser = { unit: 'GICR', register: GICR.GICR_PROPBASER.offset, low: 0x4000_000d } as const;
    know('register', 0, propbaser);
    know('register', 0, { unit: 'GICR', register: GICR.GICR_CTLR.offset });
    know('register', NO_PE, { register: 0, low: 0x52 });
    know('LPI pending', 0, { intid: 8200 });
    expect(state.hppiIntid[0]).toBe(1023);
    know('LPI configuration', 0, { intid: 8200, low: 0xa1 });
    expect([state.hppiIntid[0], state.hppiPriority[0]]).toEqual([8200, 0xa0]);
    know('LPI configuration', 0, { intid: 8201, low: 0x81 });
    know('LPI pending', 0, { intid: 8201 });
    expect([state.hppiIntid[0], state.hppiPriority[0]]).toEqual([8201, 0x80]);
  });

  it('is a fold of events', () => {
    const { machine, events, know } = setUp();
    for (const what of KNOWN_STATE)
      for (const intid of [3, 27, 45, 8193])
        know(what, intid < 32 || intid > 8000 ? 1 : NO_PE, { intid, low: 1 });
    const folded = new GicState(config);
    fold(folded, events);
    expect(folded.digest()).toBe(machine.state.digest());
  });

  it('of what the configuration does not have changes nothing', () => {
    const { machine, events, know } = setUp();
    const before = machine.state.digest();
    know('enable', NO_PE, { intid: 1020 });
    know('enable', 7, { intid: 27 });
    know('LPI pending', 5, { intid: 8200 });
    know('LPI pending', 0, { intid: 8000 });
    know('LPI pending', 0, { intid: 0xffff_ffff });
    know('LPI configuration', 0, { intid: 0x1_0000 });
    for (const unit of UNITS) {
      know('register', 0, { unit, register: 0xfff8 });
      know('register', 0, { unit, instance: 9, register: GICR.GICR_WAKER.offset });
    }
    expect(events.count).toBe(0);
    expect(machine.state.digest()).toBe(before);
  });
});
