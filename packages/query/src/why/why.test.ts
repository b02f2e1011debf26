// What an answer names, on small traces made by hand.
import { RECORD_FLAGS } from '@gictrace/core/record';
import { FRAMES, GITS } from '@gictrace/core/spec';
import { describe, expect, it } from 'vitest';
import { CONFIG, Recording } from '../testing/synthetic.ts';
import type { Question } from './question.ts';
import { why } from './why.ts';

const ask = ({ batch }: Recording, question: Question) =>
  why({ config: CONFIG, records: batch.count, batches: () => [{ batch, first: 0 }] }, question);

/** PPI 27 of a PE is asserted, acknowledged, deasserted and ended; the record of the acknowledge. */
function handle(r: Recording, pe: number): number {
  r.wire(pe, 27, 1);
  const taken = r.sysreg('read', pe, 'ICC_IAR1_EL1', 27);
  r.wire(pe, 27, 0);
  r.sysreg('write', pe, 'ICC_EOIR1_EL1', 27);
  return taken;
}

it('names each record once', () => {
  const r = new Recording();
  const GICR = FRAMES.indexOf('GICR');
  // A Non-secure access cannot enable an interrupt of Group 0.
  const write = { frame: GICR, instance: 0, offset: 0x1_0100, width: 4, value: 1 << 27 };
  r.add('mmio.write', 0, { frame: GICR, instance: 0, offset: 0x14, width: 4 }, RECORD_FLAGS.secure);
  const enables = r.add('mmio.write', 0, write);
  r.wire(0, 27, 1);
  const { batch } = r;
  const config = { ...CONFIG, gicd: { ...CONFIG.gicd, typer: CONFIG.gicd.typer | (1 << 10) } };
  const { finding } = why(
    { config, records: batch.count, batches: () => [{ batch, first: 0 }] },
    { intid: 27 },
  );
  expect(finding?.reason).toBe('disabled');
  expect([finding!.cause!, ...finding!.also].map(({ record }) => record)).toEqual([enables]);
});

describe('only for a PE', () => {
  it('that never had the interrupt, it was never pending', () => {
    const r = new Recording().setUp(0);
    handle(r, 0);
    handle(r, 0);
    const { outcome, headline, counts } = ask(r, { intid: 27, pe: 1 });
    expect([outcome, headline]).toEqual([
      'never pending',
      'never pending for PE1: its 2 lifetimes are of PE0',
    ]);
    expect(counts).toMatchObject({ lifetimes: 0, acknowledged: 0 });
    expect(ask(r, { intid: 27, pe: 0 })).toMatchObject({
      outcome: 'delivered',
      counts: { lifetimes: 2, acknowledged: 2 },
    });
  });
});

describe('about one lifetime', () => {
  it('that was not taken, it says so, whatever became of the others', () => {
    const r = new Recording().setUp(0);
    handle(r, 0);
    const from = r.wire(0, 27, 1);
    const to = r.wire(0, 27, 0);
    expect(ask(r, { intid: 27 })).toMatchObject({ outcome: 'delivered' });
    const { outcome, headline } = ask(r, { intid: 27, at: from });
    expect([outcome, headline]).toEqual([
      'unknown',
      `not taken: it was pending from record ${from} to record ${to} (its input line was deasserted)`,
    ]);
  });
});

it('what is pending when the trace ends was not taken, and nothing more is said of it', () => {
  const r = new Recording().setUp(0);
  for (let k = 0; k < 100; k++) r.mmio('read', 1, 'GICD', 0, 0x53);
  handle(r, 0);
  const at = r.wire(0, 27, 1);
  expect(ask(r, { intid: 27 }).outcome).toBe('delivered');
  expect(ask(r, { intid: 27, at })).toMatchObject({
    outcome: 'unknown',
    headline: `not taken: it was pending from record ${at} to the end of the trace`,
  });
});

it('a replay puts an EOI in behind the acknowledge that it ends', () => {
  const r = new Recording().setUp(0);
  r.mmio('write', 0, 'GICR', 0x1_0100, (1 << 27) | (1 << 26));
  r.wire(0, 27, 1);
  r.wire(0, 26, 1);
  const taken = r.sysreg('read', 0, 'ICC_IAR1_EL1', 26);
  r.wire(0, 26, 0);
  for (let k = 0; k < 600; k++) r.mmio('read', 1, 'GICD', 0, 0x53);
  const { finding, counterfactual } = ask(r, { intid: 27 });
  expect(finding).toMatchObject({ reason: 'running priority', from: taken, to: null, toNs: null });
  expect(counterfactual).toMatchObject({
    outcome: 'arrives',
    change: `with an EOI of INTID 26 by PE0 inserted before record ${taken + 1}`,
  });
});

describe('messages', () => {
  /** An ITS that is on, whose device table is memory of which the source contains nothing. */
  const withIts = (r: Recording) => {
    r.mmio('write', 0, 'GITS', GITS.GITS_BASER.offset, 0x8100_0000_4000_0000n, 8);
    r.mmio('write', 0, 'GITS', GITS.GITS_CTLR.offset, 1);
    return r;
  };
  const send = (r: Recording) => r.add('msi.write', -1, { its: 0, DeviceID: 8, EventID: 1 });

  it('of which the source does not say what became are not dropped', () => {
    const r = withIts(new Recording());
    send(r);
    const { outcome, headline, counts, way } = ask(r, { device: 8 });
    expect(headline).toMatch(/^what became of its messages is not in the source: /);
    expect([outcome, counts]).toEqual([
      'unknown',
      { lifetimes: 0, acknowledged: 0, messages: 1, dropped: 0 },
    ]);
    expect(way.filter(({ state }) => state === 'passed').map(({ stage }) => stage)).toEqual(['message']);
  });

  it('that were dropped have no lifetime', () => {
    const r = withIts(new Recording().setUp(0));
    r.mmio('write', 0, 'GITS', GITS.GITS_CTLR.offset, 0);
    const dropped = send(r);
    const { headline, way } = ask(r, { device: 8 });
    expect(headline).toMatch(/^its messages were dropped \(its-disabled\)/);
    expect(way.map(({ stage, state }) => [stage, state])).toEqual([
      ['message', 'passed'],
      ['ITS', 'blocked'],
    ]);
    expect(way[0]!.at!.record).toBe(dropped);
  });
});
