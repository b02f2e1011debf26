// Planted: each thing that a module is to find, made by hand, and next to it the healthy case in which it finds nothing.
import { NO_PE } from '@gictrace/core/record';
import { afterAll, describe, expect, it } from 'vitest';
import { type Cell, loadTraces, QueryDatabase } from '../../index.ts';
import { Recording, scratch } from '../../testing/synthetic.ts';

const folder = scratch();
afterAll(() => folder.dispose());

function asked(recordings: Recording | Recording[], sql: string): Cell[][] {
  const path = folder.path('planted.db');
  loadTraces(
    path,
    [recordings].flat().map((one) => one.source()),
  );
  const db = new QueryDatabase(path);
  try {
    return [...db.ask(sql).rows].map((row) =>
      row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)),
    );
  } finally {
    db.close();
  }
}

/** PPIs 26 and 27 of a PE, level-sensitive, with these priorities. */
function timers(priority26: number, priority27: number): Recording {
  const r = new Recording().setUp(0);
  r.mmio('write', 0, 'GICR', 0x1_0100, (1 << 26) | (1 << 27));
  r.mmio('write', 0, 'GICR', 0x1_0418, (priority26 << 16) | (priority27 * 2 ** 24), 4);
  return r;
}
const ack = (r: Recording, intid: number, pe = 0) => r.sysreg('read', pe, 'ICC_IAR1_EL1', intid);
const eoi = (r: Recording, intid: number, pe = 0) => r.sysreg('write', pe, 'ICC_EOIR1_EL1', intid);
const INVERSIONS =
  'SELECT pe, INTID, priority, handled, handled_priority, from_record, to_record, lasted_ns, reason FROM priority_inversion ORDER BY from_record';
const SPURIOUS =
  'SELECT record, pe, INTID, why, signalled_INTID, signalled, gone, gone_by FROM spurious ORDER BY record';

describe('priority_inversion', () => {
  it('a PE that does not look, though its line is up', () => {
    const r = timers(0x40, 0x80);
    r.wire(0, 27, 1);
    ack(r, 27);
    const up = r.wire(0, 26, 1);
    r.mmio('read', 0, 'GICD', 4, 0);
    const end = eoi(r, 27);
    expect(asked(r, INVERSIONS)).toEqual([[0, 26, 0x40, 27, 0x80, up, end, 2000, 'not taken']]);
  });

  it('a binary point that makes them of one group', () => {
    const r = timers(0x40, 0x48);
    r.sysreg('write', 0, 'ICC_BPR1_EL1', 7);
    r.wire(0, 27, 1);
    ack(r, 27);
    const up = r.wire(0, 26, 1);
    const end = eoi(r, 27);
    expect(asked(r, INVERSIONS)).toEqual([[0, 26, 0x40, 27, 0x48, up, end, 1000, 'binary point']]);
  });

  it('a priority mask, for as long as it is so', () => {
    const r = timers(0x40, 0x80);
    r.wire(0, 27, 1);
    ack(r, 27);
    const masked = r.sysreg('write', 0, 'ICC_PMR_EL1', 0x40);
    const up = r.wire(0, 26, 1);
    expect(up).toBe(masked + 1);
    const open = r.sysreg('write', 0, 'ICC_PMR_EL1', 0xf0);
    const taken = ack(r, 26);
    expect(asked(r, INVERSIONS)).toEqual([
      [0, 26, 0x40, 27, 0x80, up, open, 1000, 'priority mask'],
      [0, 26, 0x40, 27, 0x80, open, taken, 1000, 'not taken'],
    ]);
  });

  it('not where the one that waits is as urgent or less, is disabled, or preempts at once', () => {
    for (const [first, second] of [
      [0x80, 0x80],
      [0xa0, 0x80],
    ] as const) {
      const r = timers(first, second);
      r.wire(0, 27, 1);
      ack(r, 27);
      r.wire(0, 26, 1);
      eoi(r, 27);
      expect(asked(r, INVERSIONS)).toEqual([]);
    }
    const disabled = timers(0x40, 0x80);
    disabled.mmio('write', 0, 'GICR', 0x1_0180, 1 << 26);
    disabled.wire(0, 27, 1);
    ack(disabled, 27);
    disabled.wire(0, 26, 1);
    eoi(disabled, 27);
    expect(asked(disabled, INVERSIONS)).toEqual([]);
    const idle = timers(0x40, 0x80);
    idle.wire(0, 26, 1);
    ack(idle, 26);
    idle.wire(0, 26, 0);
    eoi(idle, 26);
    expect(asked(idle, INVERSIONS)).toEqual([]);
    expect(asked(idle, 'SELECT * FROM waits')).toEqual([]);
  });
});

describe('spurious', () => {
  it('nothing was signalled', () => {
    const r = new Recording().setUp(0);
    const read = ack(r, 1023);
    expect(asked(r, SPURIOUS)).toEqual([[read, 0, 1023, 'nothing signalled', null, null, null, null]]);
  });

  it('the wire went down before the PE looked', () => {
    const r = new Recording().setUp(0);
    const up = r.wire(0, 27, 1);
    const down = r.wire(0, 27, 0);
    const read = ack(r, 1023);
    const again = ack(r, 1023);
    expect(asked(r, SPURIOUS)).toEqual([
      [read, 0, 1023, 'deasserted', 27, up, down, 'wire'],
      [again, 0, 1023, 'nothing signalled', null, null, null, null],
    ]);
  });

  it('the interrupt was masked between, which is no end of it', () => {
    const r = new Recording().setUp(0);
    const up = r.wire(0, 27, 1);
    r.mmio('write', 0, 'GICR', 0x1_0180, 1 << 27);
    const read = ack(r, 1023);
    expect(asked(r, SPURIOUS)).toEqual([[read, 0, 1023, 'disabled', 27, up, null, null]]);
    expect(asked(r, 'SELECT INTID, state, gate FROM stranded')).toEqual([[27, 'pending', 'disabled']]);
  });

  it('software took it away', () => {
    const r = new Recording().setUp(0);
    const up = r.mmio('write', 0, 'GICR', 0x1_0200, 1 << 27);
    const gone = r.mmio('write', 0, 'GICR', 0x1_0280, 1 << 27);
    const read = ack(r, 1023);
    expect(asked(r, SPURIOUS)).toEqual([[read, 0, 1023, 'cleared', 27, up, gone, 'GICR_ICPENDR0']]);
    expect(
      asked(
        r,
        'SELECT record, class, INTID, raised_by, raised, outcome, lost_by, lost_by_pe, waited_ns FROM lost',
      ),
    ).toEqual([[gone, 'PPI', 27, 'software', up, 'cleared', 'GICR_ICPENDR0', 0, 1000]]);
  });

  it('another PE took the SPI: as 1 of N it was signalled to one, and is routed to the other', () => {
    const r = new Recording().setUp(0).setUp(1);
    r.mmio('write', 0, 'GICD', 0x84, 1 << 4);
    r.mmio('write', 0, 'GICD', 0x104, 1 << 4);
    const up = r.add('wire.set', NO_PE, { INTID: 36, level: 1 });
    r.mmio('write', 0, 'GICD', 0x6000 + 8 * 36, 1n, 8);
    const moved = ack(r, 1023);
    const taken = ack(r, 36, 1);
    const late = ack(r, 1023);
    expect(asked(r, SPURIOUS)).toEqual([
      [moved, 0, 1023, 'moved', 36, up, null, null],
      [late, 0, 1023, 'taken elsewhere', 36, up, taken, null],
    ]);
  });

  it('the register is that of another group', () => {
    const r = new Recording().setUp(0);
    const up = r.wire(0, 27, 1);
    const read = r.sysreg('read', 0, 'ICC_IAR0_EL1', 1023);
    expect(asked(r, SPURIOUS)).toEqual([[read, 0, 1023, 'other group', 27, up, null, null]]);
    ack(r, 27);
  });

  it('source and simulator disagree: unknown, and no gate is claimed from then on', () => {
    const r = new Recording().setUp(0);
    const up = r.wire(0, 27, 1);
    const read = ack(r, 1023);
    expect(asked(r, SPURIOUS)).toEqual([[read, 0, 1023, 'unknown', 27, up, null, null]]);
    expect(asked(r, 'SELECT gate FROM stranded')).toEqual([['unknown']]);
  });

  it('source and simulator disagree the other way: the source shows an interrupt that was not pending', () => {
    const r = new Recording().setUp(0);
    ack(r, 26);
    r.wire(0, 27, 1);
    expect(asked(r, "SELECT INTID, gate FROM stranded WHERE state = 'pending'")).toEqual([[27, 'unknown']]);
    expect(asked(r, INVERSIONS)).toEqual([]);
  });

  it('none where each acknowledge returns an interrupt', () => {
    const r = new Recording().setUp(0);
    r.wire(0, 27, 1);
    ack(r, 27);
    r.wire(0, 27, 0);
    eoi(r, 27);
    for (const name of ['spurious', 'lost', 'stranded', 'priority_inversion', 'isolation', 'coalesced'])
      expect(asked(r, `SELECT * FROM ${name}`), name).toEqual([]);
  });
});

describe('stranded', () => {
  const HELD = 'SELECT INTID, pe, state, since, waited_ns, gate, PMR, running FROM stranded';
  const after = (act: (r: Recording) => void) => {
    const r = new Recording().setUp(0);
    act(r);
    return asked(r, HELD);
  };

  it('names the gate', () => {
    const gates: [string, (r: Recording) => void][] = [
      ['disabled', (r) => r.mmio('write', 0, 'GICR', 0x1_0180, 1 << 27)],
      ['group disabled in GICD_CTLR', (r) => r.mmio('write', 0, 'GICD', 0, 0x10)],
      ['group disabled at the PE', (r) => r.sysreg('write', 0, 'ICC_IGRPEN1_EL1', 0)],
      ['priority mask', (r) => r.sysreg('write', 0, 'ICC_PMR_EL1', 0)],
      ['PE offline', (r) => r.add('op.pe.offline', 0)],
    ];
    for (const [gate, close] of gates) {
      const rows = after((r) => {
        close(r);
        r.wire(0, 27, 1);
      });
      expect(rows.map((row) => [row[0], row[1], row[2], row[5]])).toEqual([[27, 0, 'pending', gate]]);
    }
  });

  it('an interrupt without EOI, and one behind it', () => {
    const r = timers(0x80, 0x80);
    r.wire(0, 27, 1);
    const taken = ack(r, 27);
    const up = r.wire(0, 26, 1);
    r.mmio('read', 0, 'GICD', 4, 0);
    expect(asked(r, `${HELD} ORDER BY state`)).toEqual([
      [27, 0, 'active', taken, 2000, 'no EOI', null, null],
      [26, 0, 'pending', up, 1000, 'running priority', 0xf0, 0x80],
    ]);
  });
});

describe('mapping_history', () => {
  const map = (r: Recording, EventID: number, pINTID: number, DeviceID = 8) =>
    r.command('MAPTI', { DeviceID, EventID, pINTID, ICID: 0 });
  const HISTORY =
    'SELECT EventID, INTID, pe, from_record, to_record, change, before_pe, before_INTID, ended_by, shared_with FROM mapping_history';

  it('tells moves, remaps and shared interrupts', () => {
    const r = new Recording();
    r.command('MAPC', { ICID: 0, RDbase: 0, V: 1 });
    r.command('MAPC', { ICID: 1, RDbase: 1, V: 1 });
    const first = map(r, 0, 8192);
    const moved = r.command('MOVI', { DeviceID: 8, EventID: 0, ICID: 1 });
    const again = map(r, 0, 8193);
    const other = map(r, 1, 8193, 16);
    const gone = r.command('DISCARD', { DeviceID: 8, EventID: 0 });
    const anew = map(r, 0, 8194);
    expect(asked(r, HISTORY)).toEqual([
      [0, 8192, 0, first, moved, 'mapped', null, null, 'MOVI', null],
      [0, 8192, 1, moved, again, 'moved', 0, 8192, 'MAPTI', null],
      [0, 8193, 0, again, gone, 'remapped', 1, 8192, 'DISCARD', '0 0x10 1'],
      [0, 8194, 0, anew, null, 'mapped', null, null, null, null],
      [1, 8193, 0, other, null, 'mapped', null, null, null, '0 0x8 0'],
    ]);
  });

  it('differences: by the last mapping of each event', () => {
    const [one, two] = [new Recording(), new Recording()];
    for (const r of [one, two]) {
      map(r, 0, 8192);
      map(r, 1, 8193);
      map(r, 2, 8194);
    }
    map(two, 1, 8200);
    two.command('DISCARD', { DeviceID: 8, EventID: 2 });
    map(two, 3, 8201);
    map(one, 4, 8202);
    expect(
      asked([one, two], 'SELECT trace, EventID, difference, INTID, first_INTID FROM mapping_differences'),
    ).toEqual([
      [2, 1, 'INTID', 8200, 8193],
      [2, 2, 'in force at the end', 8194, 8194],
      [2, 3, 'only here', 8201, null],
      [2, 4, 'only in the first', null, 8202],
    ]);
  });
});

describe('isolation', () => {
  const ISOLATION = 'SELECT record, path, writer, owner, INTID, verdict FROM isolation';
  const setSpi = (r: Recording, INTID: number, pe: number) => r.mmio('write', pe, 'GICD', 0x40, INTID);

  it('a register that something wrote from outside is unknown, one that a PE wrote is not', () => {
    const r = new Recording().setUp(0);
    setSpi(r, 40, 0);
    const outside = setSpi(r, 41, NO_PE);
    expect(asked(r, ISOLATION)).toEqual([[outside, 'GICD_SETSPI_NSR', null, null, 41, 'unknown']]);
  });

  it('two devices with one interrupt: the messages of the one that had it later', () => {
    const r = new Recording();
    const message = (DeviceID: number) => {
      const record = r.add('msi.write', NO_PE, { its: 0, DeviceID, EventID: 0, width: 4 });
      r.add('ite.read', NO_PE, { its: 0, EventID: 0, valid: 1, inttype: 1, INTID: 8192, ICID: 0 });
      return record;
    };
    for (const DeviceID of [8, 16]) r.command('MAPTI', { DeviceID, EventID: 0, pINTID: 8192, ICID: 0 });
    message(8);
    const late = message(16);
    r.command('DISCARD', { DeviceID: 8, EventID: 0 });
    message(16);
    expect(asked(r, ISOLATION)).toEqual([[late, 'message', 16, 8, 8192, 'shared']]);
  });
});

describe('across traces', () => {
  it('registers: the last value of each, and those that only one of them changed', () => {
    const [one, two] = [new Recording(), new Recording()];
    for (const [r, mask] of [
      [one, 0xf0],
      [two, 0xa0],
    ] as const) {
      r.sysreg('write', 0, 'ICC_PMR_EL1', 0x80);
      r.sysreg('write', 0, 'ICC_PMR_EL1', mask);
      r.sysreg('write', 1, 'ICC_PMR_EL1', 0x50);
    }
    two.mmio('write', 0, 'GICR', 0x1_0100, 1 << 27);
    expect(
      asked(
        [one, two],
        'SELECT trace, unit, instance, register, value, first_value FROM register_differences',
      ),
    ).toEqual([
      [2, 'GICR', 0, 'INTID 27 enable', 1, null],
      [2, 'ICC', 0, 'ICC_PMR_EL1', 0xa0, 0xf0],
    ]);
  });

  it('latencies: less those of the first trace', () => {
    const recordings = [3, 5].map((wait) => {
      const r = new Recording().setUp(0);
      r.wire(0, 27, 1);
      for (let k = 1; k < wait; k++) r.mmio('read', 0, 'GICD', 4, 0);
      ack(r, 27);
      return r;
    });
    expect(
      asked(
        recordings,
        "SELECT trace, INTID, n, p50_ns, first_p50_ns, delta_p50_ns, delta_p99_ns FROM latency_by_trace WHERE phase = 'queueing'",
      ),
    ).toEqual([
      [1, 27, 1, 3000, 3000, 0, 0],
      [2, 27, 1, 5000, 3000, 2000, 2000],
    ]);
  });
});
