// Tests the comparison on small handmade traces: what is left out, masked, followed, renamed and tolerated.
import { NO_PE, RECORD_FLAGS, type RecordBatch } from '@gictrace/core/record';
import { SYSREGS, type SysregName, type SysregSpec } from '@gictrace/core/spec';
import { TraceWriter } from '@gictrace/recorder';
import { afterAll, describe, expect, it } from 'vitest';
import { CONFIG, Recording, scratch } from '../testing/synthetic.ts';
import { type AlignRow, type Diff, type DiffOptions, diffTraces, parseRules } from './index.ts';

const temp = scratch();
afterAll(() => temp.dispose());

function write(name: string, batch: RecordBatch, config = CONFIG): string {
  const path = temp.path(name);
  const writer = new TraceWriter(path, {
    writer: { name: 'test', version: '0' },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: 'test', name: 'by hand', provenance: {} },
    losses: [],
    seed: null,
    options: {},
  });
  writer.append(batch);
  writer.close();
  return path;
}

function compare(
  a: (r: Recording) => void,
  b: (r: Recording) => void,
  options: DiffOptions = {},
): { diff: Diff; rows: AlignRow[] } {
  const [first, second] = [new Recording(), new Recording()];
  a(first);
  b(second);
  const rows: AlignRow[] = [];
  const row = (one: AlignRow) => {
    if (one.class !== 'same') rows.push(one);
  };
  const diff = diffTraces(write('a', first.batch), write('b', second.batch), { ...options, row });
  return { diff, rows };
}

const classes = ({ rows }: { rows: AlignRow[] }) => rows.map(({ a, b, class: name }) => [name, a, b]);
const GITS_CWRITER = 0x88;
const GITS_CREADR = 0x90;
const noTimes = { ignore: ['timing'] } as const;

/** Commands in slots from `slot` on: written, submitted, executed, and waited for. */
function commands(r: Recording, slot: number, devices: readonly number[], polls = 1): void {
  devices.forEach((DeviceID, k) => {
    r.add('queue.write', 0, { address: 0x1000_0000 + 32 * (slot + k), dw0: 0x0c + DeviceID * 2 ** 32 });
    r.mmio('write', 0, 'GITS', GITS_CWRITER, 32 * (slot + k + 1), 8);
    r.command('INV', { DeviceID }, { index: slot + k });
    for (let n = 0; n < polls; n++)
      r.mmio('read', 0, 'GITS', GITS_CREADR, 32 * (slot + k) + 32 * Number(n === polls - 1), 8);
  });
}

describe('the effects of one stimulus', () => {
  const lines = (r: Recording, order: readonly (readonly [pe: number, INTID: number])[]) => {
    r.mmio('write', 0, 'GICD', 0, 0x13);
    for (const [pe, INTID] of order) r.add('hppi', pe, { INTID, group: 1, priority: 0xa0, irq: 1 });
    r.sysreg('write', 0, 'ICC_PMR_EL1', 0xf0);
  };
  const inTurn = [0, 1, 2].flatMap((k) => [0, 1].map((pe) => [pe, 40 + k] as const));
  const oneByOne = [0, 1].flatMap((pe) => [0, 1, 2].map((k) => [pe, 40 + k] as const));

  it('may be interleaved in any way', () => {
    const found = compare(
      (r) => lines(r, inTurn),
      (r) => lines(r, oneByOne),
      { keepRepeats: true, ...noTimes },
    );
    expect(classes(found).filter(([name]) => name !== 'timing')).toEqual([]);
  });

  it('are not a difference beside one', () => {
    // The record of PE 1 that B lacks is as far on in its stream as the one that it has in its place.
    const other = oneByOne.map(([pe, INTID]) => [pe, pe === 1 && INTID === 41 ? 50 : INTID] as const);
    const found = compare(
      (r) => lines(r, inTurn),
      (r) => lines(r, other),
      { keepRepeats: true, ...noTimes },
    );
    expect(classes(found).filter(([name]) => name !== 'timing')).toEqual([['changed', 4, 5]]);
  });
});

describe('the same', () => {
  it('traces of the same records are', () => {
    const make = (r: Recording) => r.setUp(0);
    const { diff, rows } = compare(make, make);
    expect(rows).toEqual([]);
    expect(diff).toMatchObject({ same: true, counts: { same: 6 } });
  });

  it('empty traces are; and everything differs from one', () => {
    expect(
      compare(
        () => {},
        () => {},
      ).diff,
    ).toMatchObject({ same: true, coarse: 0, examples: [] });
    expect(
      compare(
        () => {},
        (r) => r.setUp(0),
      ).diff,
    ).toMatchObject({ same: false, counts: { inserted: 6 } });
    expect(
      compare(
        (r) => r.setUp(0),
        () => {},
      ).diff,
    ).toMatchObject({ same: false, counts: { deleted: 6 } });
  });

  it('what a PE is told again, and polls before the last, are left out and counted', () => {
    const told = (r: Recording, times: number) => {
      commands(r, 0, [1, 2], times);
      r.wire(0, 27, 1);
      for (let n = 0; n < times; n++) r.add('hppi', 0, { INTID: 27, group: 2, priority: 0xa0, IRQ: 1 });
    };
    const once = (r: Recording) => told(r, 1);
    const thrice = (r: Recording) => told(r, 3);
    const { diff } = compare(once, thrice, noTimes);
    expect(diff.same).toBe(true);
    expect(diff.b.left).toEqual({
      'reads of a polling loop but the last': 4,
      'repeats of what a PE was signalled last': 2,
    });
    expect(compare(once, thrice, { ...noTimes, keepRepeats: true }).diff.counts).toMatchObject({
      inserted: 6,
    });
  });

  it('UNKNOWN bits are not compared: GICR_VPENDBASER.PendingLast while Valid', () => {
    const read = (valid: number, pendingLast: number) => (r: Recording) =>
      r.mmio('read', 0, 'GICR', 0x2_0078, (BigInt(valid) << 63n) | (BigInt(pendingLast) << 61n), 8);
    expect(compare(read(1, 0), read(1, 1)).diff.same).toBe(true);
    expect(compare(read(0, 0), read(0, 1)).diff.counts.changed).toBe(1);
  });

  it('what one source does not show is unknown, not changed', () => {
    const read = (value: number, flags: number) => (r: Recording) =>
      r.sysreg('read', 0, 'ICC_IAR1_EL1', value, flags);
    const { valueUnknown } = RECORD_FLAGS;
    expect(compare(read(27, 0), read(0, valueUnknown)).diff).toMatchObject({
      same: true,
      counts: { unknown: 1 },
    });
    expect(compare(read(27, 0), read(30, 0)).diff).toMatchObject({ same: false, counts: { changed: 1 } });
    const command = (shown: number, DeviceID: number) => (r: Recording) =>
      r.command('INV', { DeviceID, EventID: 3 }, { shown });
    expect(compare(command(3, 8), command(2, 0)).diff).toMatchObject({ same: true, counts: { unknown: 1 } });
    expect(compare(command(3, 8), command(3, 9)).diff).toMatchObject({ same: false, counts: { changed: 1 } });
  });
});

describe('events', () => {
  const run = (cause: number) => (r: Recording) => {
    r.wire(0, 27, 1);
    r.add('irq.pended', 0, { INTID: 27, cause });
    r.sysreg('write', 1, 'ICC_PMR_EL1', 1);
  };
  it('are left out and counted, unless they are asked for', () => {
    expect(compare(run(0), run(1)).diff).toMatchObject({
      same: true,
      a: { left: { 'events: they follow from the rest': 1 } },
    });
    const { diff, rows } = compare(run(0), run(1), { events: true });
    expect(rows.map((row) => [row.class, row.subject.text])).toEqual([['changed', 'irq.pended INTID 27']]);
    expect(diff.examples[0]!.a.slice.map((one) => one.record)).toEqual([0]);
  });
});

describe('changed', () => {
  it('is the record about the same, where another beside it is gone', () => {
    const base = (r: Recording) => r.sysreg('write', 0, 'ICC_CTLR_EL1', 0);
    const a = (r: Recording) => {
      base(r);
      r.sysreg('write', 0, 'ICC_BPR1_EL1', 1);
      r.sysreg('write', 0, 'ICC_PMR_EL1', 1);
      r.sysreg('write', 0, 'ICC_IGRPEN1_EL1', 1);
    };
    const b = (r: Recording) => {
      base(r);
      r.sysreg('write', 0, 'ICC_PMR_EL1', 2);
      r.sysreg('write', 0, 'ICC_IGRPEN1_EL1', 1);
    };
    expect(classes(compare(a, b, noTimes)).filter(([name]) => name !== 'timing')).toEqual([
      ['deleted', 1, null],
      ['changed', 2, 1],
    ]);
  });
});

describe('positions in the command queue', () => {
  const seven = [1, 2, 3, 4, 5, 6, 7];
  it('follow an inserted command: one insertion each, no cascade', () => {
    const { diff } = compare(
      (r) => commands(r, 0, seven),
      (r) => commands(r, 0, [1, 2, 9, 3, 4, 5, 6, 7]),
      noTimes,
    );
    expect(diff.counts).toMatchObject({ inserted: 4, deleted: 0, changed: 0, 'reordered-illegal': 0 });
  });
  it('do not matter as such: another place of the queue', () => {
    expect(
      compare(
        (r) => commands(r, 0, seven),
        (r) => commands(r, 64, seven),
        noTimes,
      ).diff.same,
    ).toBe(true);
  });
  it('that jump alone are changed', () => {
    const jump = (r: Recording) => {
      commands(r, 0, [1, 2, 3]);
      r.command('INV', { DeviceID: 4 }, { index: 40 });
      r.command('INV', { DeviceID: 5 }, { index: 4 });
    };
    const straight = (r: Recording) => {
      commands(r, 0, [1, 2, 3]);
      r.command('INV', { DeviceID: 4 }, { index: 3 });
      r.command('INV', { DeviceID: 5 }, { index: 4 });
    };
    const { rows } = compare(straight, jump, noTimes);
    expect(rows.map((row) => [row.class, row.reason])).toEqual([
      ['changed', 'another slot of the command queue'],
    ]);
  });
});

describe('times', () => {
  it('a delay is one difference, whatever follows', () => {
    const a = (r: Recording) => {
      for (let n = 0; n < 9; n++) r.sysreg('write', 0, 'ICC_PMR_EL1', n);
    };
    const b = (r: Recording) => {
      a(r);
      for (let i = 4; i < 9; i++) r.batch.timeNs[i]! += 700;
    };
    const { rows } = compare(a, b);
    expect(rows.map((row) => [row.class, row.a, row.reason])).toEqual([['timing', 4, '700 ns later']]);
  });
});

describe('names that permute', () => {
  const guest = (lpi: number, device: number, itt: number) => (r: Recording) => {
    r.command('MAPD', { DeviceID: device, Size: 3, ITT_addr: itt, V: 1 });
    r.command('MAPTI', { DeviceID: device, EventID: 0, pINTID: lpi, ICID: 0 });
    for (let n = 0; n < 4; n++) {
      r.add('msi.write', NO_PE, { its: 0, DeviceID: device, EventID: 0, width: 4 });
      r.add('dte.read', NO_PE, { its: 0, DeviceID: device, valid: 1, Size: 3, ITT_addr: itt });
      r.add('ite.read', NO_PE, { its: 0, ITT_addr: itt, EventID: 0, valid: 1, inttype: 1, INTID: lpi });
      r.add('hppi', 0, { INTID: lpi, group: 2, priority: 0xa0, IRQ: 1 });
      r.sysreg('read', 0, 'ICC_IAR1_EL1', lpi);
      r.add('hppi', 0, { INTID: 1023, priority: 0xff });
      r.sysreg('write', 0, 'ICC_EOIR1_EL1', lpi);
    }
  };
  const run = (a: (r: Recording) => void, b: (r: Recording) => void, rename: boolean) =>
    compare(a, b, { rename, ...noTimes });
  const both =
    (x: readonly [number, number, number], y: readonly [number, number, number]) => (r: Recording) => {
      guest(...x)(r);
      guest(...y)(r);
    };

  it('are the same with --rename, and are counted', () => {
    const a = both([8192, 8, 0x1000_0000], [8193, 16, 0x2000_0000]);
    const b = both([8193, 16, 0x3000_0000], [8192, 8, 0x1000_0000]);
    expect(run(a, b, false).diff.same).toBe(false);
    const { diff } = run(a, b, true);
    expect(diff).toMatchObject({ same: true, renamed: { address: 2, LPI: 2, vLPI: 0, DeviceID: 2 } });
  });

  it.each(
    (Object.entries(SYSREGS) as [SysregName, SysregSpec][]).filter(
      ([, { does }]) => does !== undefined && does !== 'generate',
    ),
  )('in %s too', (name, { access }) => {
    // Only the register names the LPIs.
    const a = (r: Recording) => {
      for (const lpi of [8192, 8192, 8193, 8193]) r.sysreg(access === 'RO' ? 'read' : 'write', 0, name, lpi);
    };
    const b = (r: Recording) => {
      for (const lpi of [8193, 8193, 8192, 8192]) r.sysreg(access === 'RO' ? 'read' : 'write', 0, name, lpi);
    };
    expect(run(a, b, false).diff.same).toBe(false);
    const { diff } = run(a, b, true);
    const space = name.startsWith('ICV_') ? 'vLPI' : 'LPI';
    expect(diff).toMatchObject({ same: true, renamed: { [space]: 2 } });
  });

  it('an LPI that stands for two stays a difference', () => {
    const a = both([8192, 8, 0x1000_0000], [8193, 16, 0x2000_0000]);
    const b = both([8192, 8, 0x1000_0000], [8192, 16, 0x2000_0000]);
    expect(run(a, b, true).diff.same).toBe(false);
    expect(run(b, a, true).diff.same).toBe(false);
  });
});

describe('tolerances', () => {
  const a = (r: Recording) => {
    r.setUp(0);
    r.wire(NO_PE, 40, 1);
  };
  const b = (r: Recording) => {
    r.setUp(0);
    r.mmio('write', 0, 'GICD', 0x104, 1);
    r.wire(NO_PE, 40, 1);
    r.wire(NO_PE, 41, 1);
  };
  const withRules = (text: string) => compare(a, b, { ...noTimes, rules: parseRules(text, 'rules.yaml') });

  it('rules let pass what they name, and count it', () => {
    const { diff, rows } = withRules(`
rules:
  - reason: the new driver enables it early
    class: inserted
    register: GICD_ISENABLER*
  - reason: another device
    INTID: [41, 50-60]
  - reason: never
    pe: 1
`);
    expect(diff.same).toBe(true);
    expect(diff.tolerated.filter((one) => !one.by.startsWith('--'))).toEqual([
      { by: 'the new driver enables it early', n: 1 },
      { by: 'another device', n: 1 },
      { by: 'never', n: 0 },
    ]);
    expect(rows.map((row) => row.tolerated)).toContain('another device');
  });
  it('a rule of another class, register or INTID lets nothing pass', () => {
    for (const rule of [
      'class: deleted',
      'register: GICD_CTLR',
      'INTID: 50-60',
      'command: INV',
      'kind: hppi',
      'pe: 1',
    ])
      expect(withRules(`rules: [{ reason: no, ${rule} }]`).diff).toMatchObject({
        same: false,
        counts: { inserted: 2 },
      });
  });
  it.each([
    ['rules: [{ class: inserted }]', /reason/],
    ['rules: [{ reason: all }]', /everything pass/],
    ['rules: [{ reason: x, INTID: seven }]', /INTID/],
    ['rules: [{ reason: x, klass: inserted }]', /klass/],
    ['rules: [{ reason: x, class: same }]', /class/],
    ['rules: {', /rules\.yaml/],
    ['- a', /rules\.yaml/],
  ])('%s is refused, with the place', (text, message) => {
    expect(() => parseRules(text, 'rules.yaml')).toThrow(
      expect.objectContaining({ code: 'usage', line: expect.stringMatching(message) }),
    );
  });

  it('configurations that differ are differences, which a rule can name', () => {
    const r = new Recording();
    r.setUp(0);
    const other = { ...CONFIG, gicd: { ...CONFIG.gicd, iidr: 1 } };
    const [p, q] = [write('p', r.batch), write('q', r.batch, other)];
    expect(diffTraces(p, q)).toMatchObject({
      same: false,
      config: [{ field: 'gicd.iidr', a: '1083', b: '1' }],
    });
    const rules = parseRules('rules: [{ reason: new revision, kind: config, register: gicd.iidr }]', 'r');
    expect(diffTraces(p, q, { rules }).same).toBe(true);
  });
});

describe('an example', () => {
  it('tells where it is on both sides, and what led to it', () => {
    const run = (told: number) => (r: Recording) => {
      r.setUp(0);
      r.wire(0, 27, 1);
      r.add('hppi', 0, { INTID: told, group: 2, priority: 0xa0, IRQ: 1 });
      r.sysreg('read', 0, 'ICC_IAR1_EL1', told);
    };
    const { diff, rows } = compare(run(27), run(30), { keep: 2 });
    expect(classes({ rows })).toEqual([
      ['changed', 7, 7],
      ['changed', 8, 8],
    ]);
    const [hppi, iar] = diff.examples;
    expect(hppi).toMatchObject({ class: 'changed', a: { record: { record: 7 }, slice: [{ record: 6 }] } });
    expect(hppi!.b.slice[0]!.text).toContain('wire.set INTID 27');
    expect(iar!.a.slice.map((one) => one.record)).toEqual([7, 6]);
    expect(iar!.a.around.map((one) => one.record)).toEqual([6, 7, 8]);
  });

  it('believes a record that names its cause', () => {
    const run = (told: number) => (r: Recording) => {
      r.setUp(0);
      const wire = r.wire(0, 27, 1);
      r.wire(0, 30, 1);
      r.batch.cause[r.add('hppi', 0, { INTID: told, group: 2, priority: 0xa0, IRQ: 1 })] = wire + 1;
    };
    const { diff } = compare(run(27), run(30));
    expect(diff.examples[0]!.a.slice.map((one) => one.text)).toEqual([
      expect.stringContaining('wire.set INTID 27'),
    ]);
  });
});
