// Lives of level-sensitive interrupts, which are pending by their wire, by software, or by both; and PEs that sleep.
import { afterAll, describe, expect, it } from 'vitest';
import { type Cell, type LoadSource, loadTraces, QueryDatabase } from '../index.ts';
import { CONFIG, Recording, scratch } from '../testing/synthetic.ts';

const folder = scratch();
afterAll(() => folder.dispose());

function asked(source: LoadSource, sql: string): Cell[][] {
  const path = folder.path('lives.db');
  loadTraces(path, [source]);
  const db = new QueryDatabase(path);
  try {
    return [...db.ask(sql).rows].map((row) =>
      row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)),
    );
  } finally {
    db.close();
  }
}
const LIVES =
  'SELECT pe, cause, pended, acknowledged, withdrawn, withdrawn_by, outcome FROM interrupts ORDER BY pended';
const bit = 1 << 27;

describe('a level-sensitive PPI', () => {
  it('that software made pending stays so when its wire goes down', () => {
    const r = new Recording().setUp(0);
    const set = r.mmio('write', 0, 'GICR', 0x1_0200, bit);
    r.wire(0, 27, 1);
    r.wire(0, 27, 0);
    const taken = r.sysreg('read', 0, 'ICC_IAR1_EL1', 27);
    expect(asked(r.source(), LIVES)).toEqual([[0, 'software', set, taken, null, null, 'active at end']]);
  });

  it('is pending until software clears it, if the wire is down by then', () => {
    const r = new Recording().setUp(0);
    const set = r.mmio('write', 0, 'GICR', 0x1_0200, bit);
    const gone = r.mmio('write', 0, 'GICR', 0x1_0280, bit);
    const up = r.wire(0, 27, 1);
    r.mmio('write', 0, 'GICR', 0x1_0200, bit);
    r.mmio('write', 0, 'GICR', 0x1_0280, bit);
    const down = r.wire(0, 27, 0);
    expect(asked(r.source(), LIVES)).toEqual([
      [0, 'software', set, null, gone, 'GICR_ICPENDR0', 'withdrawn'],
      [0, 'wire', up, null, down, 'wire', 'withdrawn'],
    ]);
  });

  it('that is made edge-triggered while only its wire is up is pending no more', () => {
    const r = new Recording().setUp(0);
    const up = r.wire(0, 27, 1);
    const made = r.mmio('write', 0, 'GICR', 0x1_0c04, 2 << (2 * 11));
    expect(asked(r.source(), LIVES)).toEqual([[0, 'wire', up, null, made, 'GICR_ICFGR1', 'withdrawn']]);
  });
});

describe('a PE that sleeps', () => {
  it('is the gate, where the profile has it so', () => {
    const r = new Recording().setUp(0);
    const up = r.wire(0, 27, 1);
    const asleep = { ...CONFIG, profile: 'architecture' };
    const source = { ...r.source(), header: { ...r.source().header, config: asleep } };
    expect(asked(source, 'SELECT INTID, pe, since, gate FROM stranded')).toEqual([[27, 0, up, 'signalled']]);
    const s = new Recording().setUp(0);
    s.mmio('write', 0, 'GICR', 0x14, 2);
    const later = s.wire(0, 27, 1);
    const sleeping = { ...s.source(), header: { ...s.source().header, config: asleep } };
    expect(asked(sleeping, 'SELECT INTID, pe, since, gate FROM stranded')).toEqual([
      [27, 0, later, 'PE asleep'],
    ]);
  });
});
