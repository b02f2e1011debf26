// Faults planted into real recordings: `why` must name the record that planted each in its first three lines, whether the
// recording contradicts the fault or was recorded again with it. A part of the faults is planted in each form.
import type { GicConfig } from '@gictrace/core';
import { KIND, type RecordBatch } from '@gictrace/core/record';
import { GICD, GICR, GITS, SYSREGS } from '@gictrace/core/spec';
import { answerLines, type WhyQuestion, why } from '@gictrace/query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import {
  does,
  message,
  mmioWrite,
  queued,
  Recording,
  Row,
  recordsOf,
  sysregRead,
  sysregWrite,
  written,
  wroteSysreg,
} from './planting.ts';
import { imported, recording, scratch } from './support.ts';
import { Random } from './torture/random.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** The recordings, and how many of their records are used. */
const RECORDINGS = {
  'linux-gicv3-mrops': 80_000,
  'small/linux-gicv3-spi-middle': 60_000,
  'linux-secure-direct-head': 60_000,
  'its-trigger': 60_000,
  'gicv3-active': 60_000,
} as const;
type Name = keyof typeof RECORDINGS;
const loaded = new Map<Name, { config: GicConfig; batches: readonly RecordBatch[] }>();

beforeAll(async () => {
  for (const [name, limit] of Object.entries(RECORDINGS) as [Name, number][]) {
    const path = temp.path(`${name.replace('/', '-')}.gictrace`);
    await imported(recording(`${name}.log.gz`), path);
    loaded.set(name, recordsOf(path, limit));
  }
});

const bit = (intid: number) => (1 << (intid & 31)) >>> 0;
const word = (register: { readonly offset: number }, intid: number) => register.offset + 4 * (intid >> 5);
const ack = (intid: number, pe = -1) => does('acknowledge', intid, pe);
const { ICC_PMR_EL1, ICC_IGRPEN1_EL1, ICC_CTLR_EL1, ICC_SGI1R_EL1 } = SYSREGS;
const sgi1 = (targets: number) => (row: { kind: number; word(k: number): number }) =>
  row.kind === KIND['sysreg.write'] &&
  row.word(0) === ICC_SGI1R_EL1.encoding &&
  row.word(1) >>> 24 === 1 &&
  (row.word(1) & 0xffff) === targets;

/** Leaves out the EOI of the n-th acknowledge: an answer names the acknowledge. */
function withoutEoi(intid: number, nth: number, pe = -1) {
  return (t: Recording) => {
    const taken = t.find(ack(intid, pe), nth);
    const end = t.find(does('end', intid, t.rows[taken]!.pe), 0, taken);
    t.remove(end, taken);
  };
}

type Fault = readonly [what: string, name: Name, question: WhyQuestion, plant: (t: Recording) => void];
const MROPS = 'linux-gicv3-mrops';
/** It begins in mid-life. */
const SPI = 'small/linux-gicv3-spi-middle';
const SECURE = 'linux-secure-direct-head';
const FAULTS: readonly Fault[] = [
  [
    'a PPI is masked',
    MROPS,
    { intid: 27, pe: 1 },
    (t) => t.insert(t.at(0.7), mmioWrite('GICR', 1, GICR.GICR_ICENABLER.offset, 4, bit(27))),
  ],
  [
    'a PPI is masked, and the PE not named',
    MROPS,
    { intid: 27 },
    (t) => t.insert(t.at(0.8), mmioWrite('GICR', 2, GICR.GICR_ICENABLER.offset, 4, bit(27))),
  ],
  [
    'an SPI is masked',
    SPI,
    { intid: 36 },
    (t) => t.insert(t.find(ack(36), 3), mmioWrite('GICD', 0, word(GICD.GICD_ICENABLER, 36), 4, bit(36))),
  ],
  [
    'the priority mask of a PE is lowered',
    MROPS,
    { intid: 27, pe: 2 },
    (t) => t.insert(t.at(0.6), sysregWrite(ICC_PMR_EL1.encoding, 2, 0x80)),
  ],
  [
    'Group 1 is disabled at a PE',
    MROPS,
    { intid: 27, pe: 3 },
    (t) => t.insert(t.at(0.6), sysregWrite(ICC_IGRPEN1_EL1.encoding, 3, 0)),
  ],
  [
    'an SPI is put into Group 0',
    SPI,
    { intid: 36 },
    (t) => t.insert(t.find(ack(36), 3), mmioWrite('GICD', 0, word(GICD.GICD_IGROUPR, 36), 4, ~bit(36))),
  ],
  [
    'a PPI is put into Group 0',
    MROPS,
    { intid: 27, pe: 0 },
    (t) => t.insert(t.at(0.5), mmioWrite('GICR', 0, GICR.GICR_IGROUPR.offset, 4, ~bit(27))),
  ],
  [
    'an SPI is routed to another PE',
    SPI,
    { intid: 36 },
    (t) => t.insert(t.find(ack(36), 3), mmioWrite('GICD', 0, GICD.GICD_IROUTER.offset + 8 * 4, 8, 3)),
  ],
  [
    'an SPI is routed to no PE',
    SPI,
    { intid: 36 },
    (t) => t.insert(t.find(ack(36), 3), mmioWrite('GICD', 0, GICD.GICD_IROUTER.offset + 8 * 4, 8, 0x700)),
  ],
  [
    'an SPI has a priority that is masked',
    SPI,
    { intid: 36 },
    (t) => t.insert(t.find(ack(36), 3), mmioWrite('GICD', 0, GICD.GICD_IPRIORITYR.offset + 36, 1, 0xf8)),
  ],
  [
    'a PPI has a priority that is masked',
    MROPS,
    { intid: 27, pe: 3 },
    (t) => t.insert(t.at(0.5), mmioWrite('GICR', 3, GICR.GICR_IPRIORITYR.offset + 27, 1, 0xf8)),
  ],
  [
    'a PE sleeps',
    MROPS,
    { intid: 27, pe: 2 },
    (t) => {
      t.config = { ...t.config, profile: 'architecture' };
      t.insert(t.at(0.5), mmioWrite('GICR', 2, GICR.GICR_WAKER.offset, 4, 2));
    },
  ],
  [
    'an SPI is made active',
    SPI,
    { intid: 36 },
    (t) => t.insert(t.find(ack(36), 3), mmioWrite('GICD', 0, word(GICD.GICD_ISACTIVER, 36), 4, bit(36))),
  ],
  [
    'EOIs of a PE do not deactivate',
    SPI,
    { intid: 36 },
    (t) => {
      const at = t.find(ack(36), 3);
      t.insert(at, sysregWrite(ICC_CTLR_EL1.encoding, t.rows[at]!.pe, 2));
    },
  ],
  ['the EOI of a PPI is missing', MROPS, { intid: 27, pe: 1 }, withoutEoi(27, 300, 1)],
  ['the EOI of an SPI is missing', SPI, { intid: 36 }, withoutEoi(36, 4)],
  ['the EOI of an LPI is missing', MROPS, { intid: 8202 }, withoutEoi(8202, 20)],
  [
    'the EOI of a PPI is missing, with two Security states',
    SECURE,
    { intid: 27, pe: 1 },
    withoutEoi(27, 30, 1),
  ],
  [
    'a SYNC is in the place of a MAPTI',
    MROPS,
    { intid: 8202 },
    (t) => t.command(t.find(queued('MAPTI', { pINTID: 8202 })), 'SYNC'),
  ],
  [
    'the same, and the question is about the device',
    MROPS,
    { device: 0x18, event: 2 },
    (t) => t.command(t.find(queued('MAPTI', { pINTID: 8202 })), 'SYNC'),
  ],
  [
    'a MAPTI was never written',
    MROPS,
    { device: 0x18, event: 2 },
    (t) => {
      const at = t.find(queued('MAPTI', { pINTID: 8202 }));
      t.remove(at, t.find(written('GITS', GITS.GITS_CWRITER.offset), 0, at + 1) - 1);
    },
  ],
  [
    'a MAPTI has another INTID',
    MROPS,
    { device: 0x10, event: 3 },
    (t) => t.command(t.find(queued('MAPTI', { DeviceID: 0x10, EventID: 3 })), 'MAPTI', { pINTID: 20_000 }),
  ],
  [
    'the same, and the question is about the INTID',
    MROPS,
    { intid: 8207 },
    (t) => t.command(t.find(queued('MAPTI', { pINTID: 8207 })), 'MAPTI', { pINTID: 8300 }),
  ],
  [
    'a MAPTI has a collection that does not exist',
    MROPS,
    { intid: 8202 },
    (t) => t.command(t.find(queued('MAPTI', { pINTID: 8202 })), 'MAPTI', { ICID: 9 }),
  ],
  [
    'a MOVI has another collection',
    MROPS,
    { intid: 8201 },
    (t) => {
      const at = t.find(queued('MOVI', { DeviceID: 0x18, EventID: 1 }));
      t.command(at, 'MOVI', { ICID: (t.operands(at).ICID! + 1) % 4 });
    },
  ],
  [
    'a MAPC has another PE',
    MROPS,
    { intid: 8202 },
    (t) => t.command(t.find(queued('MAPC', { ICID: 0 })), 'MAPC', { RDbase: 2 }),
  ],
  [
    'a MAPC unmaps its collection',
    MROPS,
    { intid: 8202 },
    (t) => t.command(t.find(queued('MAPC', { ICID: 0 })), 'MAPC', { V: 0 }),
  ],
  [
    'a SYNC is in the place of a MAPD',
    MROPS,
    { intid: 8202 },
    (t) => t.command(t.find(queued('MAPD', { DeviceID: 0x18, V: 1 })), 'SYNC'),
  ],
  [
    'a SYNC is in the place of the second MAPD of a device',
    MROPS,
    { device: 0x10 },
    (t) => t.command(t.findLast(queued('MAPD', { DeviceID: 0x10, V: 1 }), t.rows.length - 1), 'SYNC'),
  ],
  [
    'a MAPD unmaps its device',
    MROPS,
    { device: 0x18, event: 1 },
    (t) => t.command(t.find(queued('MAPD', { DeviceID: 0x18, V: 1 })), 'MAPD', { V: 0 }),
  ],
  [
    'a DISCARD is in the place of a MOVI',
    MROPS,
    { intid: 8201 },
    (t) => t.command(t.find(queued('MOVI', { DeviceID: 0x18, EventID: 1 })), 'DISCARD'),
  ],
  [
    'an ITS is disabled',
    MROPS,
    { intid: 8202 },
    (t) => t.insert(t.find(message(0x18, 2), 20), mmioWrite('GITS', 0, GITS.GITS_CTLR.offset, 4, 0)),
  ],
  [
    'an ITS has no device table',
    MROPS,
    { intid: 8202 },
    (t) => {
      const at = t.findLast(written('GITS', GITS.GITS_BASER.offset), t.find(queued('MAPC')));
      t.rows[at]!.set(5, t.rows[at]!.word(5) & 0x7fff_ffff);
    },
  ],
  [
    'the LPIs of a PE have too few bits',
    MROPS,
    { intid: 8202 },
    (t) => {
      const at = t.find(written('GICR', GICR.GICR_PROPBASER.offset, 3));
      t.rows[at]!.set(4, (t.rows[at]!.word(4) & ~31) | 12);
    },
  ],
  [
    'the Distributor forwards nothing',
    MROPS,
    { intid: 27, pe: 0 },
    (t) => t.insert(t.at(0.5), mmioWrite('GICD', 0, GICD.GICD_CTLR.offset, 4, 0)),
  ],
  ['an SGI goes to no PE', MROPS, { intid: 1 }, (t) => t.rows[t.find(sgi1(2), 30)]!.set(1, 0x0100_8000)],
  [
    'an SGI has the affinity of no PE',
    MROPS,
    { intid: 1, pe: 1 },
    (t) => t.rows[t.find(sgi1(2), 40)]!.set(2, 5),
  ],
  [
    'a pending SGI is cleared',
    MROPS,
    { intid: 1, pe: 3 },
    (t) => t.insert(t.find(ack(1, 3), 30), mmioWrite('GICR', 3, GICR.GICR_ICPENDR.offset, 4, bit(1))),
  ],
  [
    'a PPI is masked, with two Security states',
    SECURE,
    { intid: 27, pe: 0 },
    (t) => t.insert(t.at(0.8), mmioWrite('GICR', 0, GICR.GICR_ICENABLER.offset, 4, bit(27))),
  ],
  [
    'a PPI is Secure',
    SECURE,
    { intid: 27, pe: 0 },
    (t) => t.insert(t.at(0.8), mmioWrite('GICR', 0, GICR.GICR_IGROUPR.offset, 4, ~bit(27))),
  ],
  [
    'a PE never enables Group 1',
    'gicv3-active',
    { intid: 1 },
    (t) => t.rows[t.find(wroteSysreg(ICC_IGRPEN1_EL1.encoding, 0))]!.set(1, 0),
  ],
  [
    'a PE masks an LPI',
    'its-trigger',
    { intid: 8196 },
    (t) => {
      const pe = t.rows[t.find(ack(8196))]!.pe;
      t.rows[t.find(wroteSysreg(ICC_PMR_EL1.encoding, pe))]!.set(1, 0x40);
    },
  ],
];

describe.each(FAULTS)('%s (%s)', (what, name, question, plant) => {
  const form = FAULTS.findIndex(([one]) => one === what) % 2 === 0 ? 'recorded again' : 'contradictory';
  it(`is named, ${form}`, () => {
    const { config, batches } = loaded.get(name)!;
    const changed = new Recording(config, batches);
    plant(changed);
    const { trace, planted } = changed.finish(form);
    expect(planted.length).toBeGreaterThan(0);
    const top = answerLines(why(trace, question)).slice(0, 3).join('\n');
    expect(
      planted.some((record) => new RegExp(`record ${record}\\b`).test(top)),
      `${planted}\n${top}`,
    ).toBe(true);
  });
});

/** Cases of public reports: the record that the answer names, and what a replay without it shows. */
const CASES = [
  ['vpe-without-doorbell', { vintid: 8192, vpe: 0 }, 'vPE not resident', 128, 'arrives'],
  ['list-register-overwritten', { vintid: 40 }, 'ICH_LR<n>_EL2', 80, 'arrives'],
  ['lpi-enabled-without-inv', { device: 1, event: 0 }, 'disabled', 103, 'arrives'],
] as const;

it.each(CASES)('%s', async (name, question, reason, record, outcome) => {
  const path = temp.path(`${name}.gictrace`);
  expect((await run('import', 'jsonl', recording(`small/${name}.jsonl.gz`), '-o', path)).code).toBe(0);
  const { config, batches } = recordsOf(path);
  const { trace } = new Recording(config, batches).finish('contradictory');
  const answer = why(trace, question);
  expect(answer.finding?.reason).toBe(reason);
  expect(answer.finding?.cause?.record).toBe(record);
  expect(answer.counterfactual?.outcome).toBe(outcome);
});

it.each([
  ['ICH_LR0_EL2', undefined],
  ['ICH_LR1_EL2', 'ICH_LR<n>_EL2'],
] as const)(
  'a hypervisor that reads %s has saved what is in it, and nothing else',
  async (register, reason) => {
    const path = temp.path(`saved-${register}.gictrace`);
    const source = recording('small/list-register-overwritten.jsonl.gz');
    expect((await run('import', 'jsonl', source, '-o', path)).code).toBe(0);
    const { config, batches } = recordsOf(path);
    const changed = new Recording(config, batches);
    const overwrites = changed.find(wroteSysreg(SYSREGS.ICH_LR0_EL2.encoding), 1);
    changed.insert(overwrites, sysregRead(SYSREGS[register].encoding, 0));
    const { trace } = changed.finish('recorded again');
    expect(why(trace, { vintid: 40 }).finding?.reason).toBe(reason);
  },
);

it('names no write for a vPE that was resident nowhere', async () => {
  const path = temp.path('resident-nowhere.gictrace');
  const source = recording('small/vpe-without-doorbell.jsonl.gz');
  expect((await run('import', 'jsonl', source, '-o', path)).code).toBe(0);
  const { config, batches } = recordsOf(path);
  const changed = new Recording(config, batches);
  const { offset } = GICR.GICR_VPENDBASER;
  for (let writes = 0; writes < 4; writes++) changed.remove(changed.find(written('GICR', offset)));
  const sent = changed.find(message(1, 0));
  changed.rows.push(new Row(mmioWrite('GICR', 0, offset, 8, 0), 0));
  const { trace } = changed.finish('recorded again');
  const { finding } = why(trace, { vintid: 8192, vpe: 0 });
  expect(finding?.reason).toBe('vPE not resident');
  expect(finding?.also.filter(({ record }) => record > sent)).toEqual([]);
});

it('finds nothing wrong in a recording without a fault', () => {
  for (const [name, question] of [
    [MROPS, { intid: 8202 }],
    [MROPS, { device: 0x18, event: 1 }],
    [SPI, { intid: 37 }],
  ] as const) {
    const { config, batches } = loaded.get(name)!;
    const { trace } = new Recording(config, batches).finish('contradictory');
    const answer = why(trace, question);
    expect(answer.outcome).toMatch(/^(delivered|late)$/);
    expect(answer.counterfactual).toBeNull();
  }
});

it.each([
  ['linux-gicv3-mrops', 27],
  ['linux-gicv3-mrops', 1],
  ['linux-secure-direct-head', 27],
] as const)('%s, cut off anywhere: INTID %i of a healthy boot is delivered', (name, intid) => {
  const { config, batches } = loaded.get(name)!;
  const random = new Random(intid);
  const whole = new Recording(config, batches);
  for (let k = 0; k < 6; k++) {
    const part = new Recording(config, batches);
    part.rows.length =
      Math.floor(whole.rows.length * 0.4) + random.below(Math.floor(whole.rows.length * 0.6));
    const { trace } = part.finish('contradictory');
    const answer = why(trace, { intid });
    expect(['delivered', 'late'], answerLines(answer).slice(0, 3).join('\n')).toContain(answer.outcome);
  }
});
