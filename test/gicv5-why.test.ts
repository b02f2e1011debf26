// What `why` answers about a GICv5, on small traces made by hand.
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch, type RecordName } from '@gictrace/core/record';
import {
  FRAMES,
  GICV5_SYSREGS,
  GICV5_TYPES,
  type Gicv5SysregName,
  gicv5Intid,
  IRS,
} from '@gictrace/core/spec';
import { type WhyQuestion, why } from '@gictrace/query';
import { qemuGicv5Config } from '@gictrace/replayer/fuzz';
import { describe, expect, it } from 'vitest';

const spi = (id: number) => gicv5Intid(GICV5_TYPES.SPI, id);
const TIMER = gicv5Intid(GICV5_TYPES.PPI, 27);
const MESSAGE = spi(4);
const OTHER = spi(5);

/** Two PEs that take SPIs 4 and 5, and PPI 27 once it is enabled. Each method answers the number of its record. */
class Trace {
  readonly batch = new RecordBatch(1024);

  /** `mask`: the lowest priority that the PEs admit; if it is 0, PE 0 does not say. */
  constructor(mask = 31) {
    this.add('mmio.write', 0, FRAMES.indexOf('IRS'), 1, IRS.IRS_CR0.offset, 4, 1);
    for (const pe of [0, 1]) {
      this.set('ICC_CR0_EL1', pe, 1);
      if (mask > 0 || pe > 0) this.set('ICC_PCR_EL1', pe, mask || 31);
    }
    for (const intid of [MESSAGE, OTHER]) {
      this.set('GIC_CDPRI', 0, intid, 8 << 3);
      this.set('GIC_CDEN', 0, intid);
    }
  }

  add(kind: RecordName, pe: number, ...words: number[]): number {
    const i = this.batch.push(RECORDS[kind].id, pe, 1000 * this.batch.count);
    this.batch.words.set(
      words.map((word) => word >>> 0),
      i * RECORD_WORDS,
    );
    return i;
  }
  set(name: Gicv5SysregName, pe: number, low: number, high = 0): number {
    return this.add('sysreg.write', pe, GICV5_SYSREGS[name].encoding, low, high);
  }
  /** Makes an SPI pending. */
  pend(intid: number): number {
    return this.set('GIC_CDPEND', 0, intid, 1);
  }
  wire(pe: number, intid: number, level: 0 | 1): number {
    return this.add('wire.set', pe, intid, level);
  }
  acknowledge(pe: number, intid: number): number {
    return this.add('sysreg.read', pe, GICV5_SYSREGS.GICR_CDIA.encoding, intid, 1);
  }
  end(pe: number, intid: number): number {
    this.set('GIC_CDDI', pe, intid);
    return this.set('GIC_CDEOI', pe, 0);
  }

  ask(question: WhyQuestion) {
    const { batch } = this;
    return why(
      {
        config: qemuGicv5Config(2, 'gicv5-architecture'),
        records: batch.count,
        batches: () => [{ batch, first: 0 }],
      },
      question,
    );
  }
}

describe('only for a PE', () => {
  it('that never had the interrupt, it was never pending', () => {
    const t = new Trace();
    t.pend(MESSAGE);
    t.acknowledge(0, MESSAGE);
    t.end(0, MESSAGE);
    expect(t.ask({ intid: MESSAGE, pe: 0 }).outcome).toBe('delivered');
    const answer = t.ask({ intid: MESSAGE, pe: 1 });
    expect([answer.outcome, answer.headline]).toEqual([
      'never pending',
      'never pending for PE1: its one lifetime is of PE0',
    ]);
    expect(answer.counts).toMatchObject({ lifetimes: 0, acknowledged: 0 });
  });
});

it('an access of a PE that the source does not name is no cause', () => {
  const t = new Trace(0);
  const undecided = t.set('ICC_PCR_EL1', 0, 0);
  t.batch.flags[undecided] = RECORD_FLAGS.peUndecided;
  t.pend(MESSAGE);
  const { finding, notes } = t.ask({ intid: MESSAGE });
  expect(finding).toMatchObject({ reason: 'priority mask', pe: 0, also: [] });
  expect(finding!.cause!.text).toContain('GIC_CDPRI');
  expect(notes).toEqual([expect.stringMatching(/^the source does not say of which PE 1 accesses/)]);
});

it('what the source acknowledges and the simulator does not was active by an acknowledge of the same PE', () => {
  const t = new Trace();
  for (const pe of [0, 1]) t.add('sysreg.write', pe, GICV5_SYSREGS.ICC_PPI_ENABLER0_EL1.encoding, 1 << 27);
  t.wire(0, TIMER, 1);
  const left = t.acknowledge(0, TIMER);
  t.wire(0, TIMER, 0);
  t.set('GIC_CDEOI', 0, 0);
  t.wire(1, TIMER, 1);
  t.acknowledge(1, TIMER);
  t.wire(1, TIMER, 0);
  t.end(1, TIMER);
  t.acknowledge(0, TIMER);
  const { finding } = t.ask({ intid: TIMER, pe: 0 });
  expect(finding).toMatchObject({ reason: 'active', contradicted: 1, cause: { record: left } });
});

describe('a replay', () => {
  it('puts GIC CDEOI in behind the acknowledge that it ends', () => {
    const t = new Trace();
    t.pend(MESSAGE);
    t.pend(OTHER);
    const taken = t.acknowledge(0, MESSAGE);
    for (let k = 0; k < 500; k++) t.set('ICC_PCR_EL1', 1, 30 + (k & 1));
    const { finding, counterfactual } = t.ask({ intid: OTHER });
    expect(finding).toMatchObject({ reason: 'running priority', from: taken });
    expect(counterfactual).toMatchObject({
      outcome: 'arrives',
      change: `with a GIC CDEOI of PE0 inserted before record ${taken + 1}`,
    });
  });

  it('of a PPI looks at its own PE', () => {
    const t = new Trace();
    const word = GICV5_SYSREGS.ICC_PPI_ENABLER0_EL1.encoding;
    for (const pe of [0, 1]) t.add('sysreg.write', pe, word, 1 << 27);
    const off = t.add('sysreg.write', 0, word, 0);
    t.wire(1, TIMER, 1);
    t.wire(0, TIMER, 1);
    t.acknowledge(1, TIMER);
    const { finding, counterfactual } = t.ask({ intid: TIMER, pe: 0, not: true });
    expect(finding).toMatchObject({ reason: 'disabled', pe: 0, cause: { record: off } });
    expect(counterfactual!.outcome).toBe('arrives');
  });
});

describe('about one lifetime', () => {
  it('that was not taken, it says so, whatever became of the others', () => {
    const t = new Trace();
    t.add('sysreg.write', 0, GICV5_SYSREGS.ICC_PPI_ENABLER0_EL1.encoding, 1 << 27);
    t.wire(0, TIMER, 1);
    t.acknowledge(0, TIMER);
    t.wire(0, TIMER, 0);
    t.end(0, TIMER);
    const from = t.wire(0, TIMER, 1);
    const to = t.wire(0, TIMER, 0);
    expect(t.ask({ intid: TIMER }).outcome).toBe('delivered');
    const { outcome, headline, way } = t.ask({ intid: TIMER, at: from });
    expect([outcome, headline]).toEqual([
      'unknown',
      `not taken: it was pending from record ${from} to record ${to} (its input line was deasserted)`,
    ]);
    expect(way.at(-1)).toMatchObject({ stage: 'withdrawn', at: { record: to } });
  });

  it('that the trace ends in, it was delivered', () => {
    const t = new Trace();
    for (let k = 0; k < 100; k++) t.set('ICC_PCR_EL1', 1, 30 + (k & 1));
    t.pend(MESSAGE);
    const at = t.acknowledge(0, MESSAGE);
    const { outcome, headline, finding } = t.ask({ intid: MESSAGE, at });
    expect([outcome, finding]).toEqual(['delivered', null]);
    expect(headline).toMatch(`delivered, at record ${at} by PE0; nothing blocked it`);
  });
});

it('the end of an incident that lasts to the end of the trace has no time', () => {
  const t = new Trace();
  t.set('GIC_CDDIS', 0, MESSAGE);
  t.pend(MESSAGE);
  t.set('ICC_PCR_EL1', 1, 30);
  expect(t.ask({ intid: MESSAGE }).finding).toMatchObject({ to: null, toNs: null, reason: 'disabled' });
});
