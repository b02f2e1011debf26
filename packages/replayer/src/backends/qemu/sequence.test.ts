// Which lines belong to which stimulus, on logs made up as QEMU writes them: any mixture of stimuli, any effects, and
// the log arriving in any pieces.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { fuzzConfig } from '../../fuzz/targets.ts';
import { QemuLog } from './log.ts';
import { machineFor } from './machine.ts';
import { END, Plan, REASONS } from './plan.ts';
import { type Part, Sequence } from './sequence.ts';
import { GuestStub, MARK } from './stub.ts';

const folder = mkdtempSync(join(tmpdir(), 'gictrace-sequence-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const machine = machineFor(fuzzConfig(3, 2), [8]);
const stub = new GuestStub(machine.stubBase, machine.gicd);
const HPPI = RECORDS.hppi.id;

type Stimulus =
  | { readonly is: 'read'; readonly offset: number; readonly value: number; readonly bad: boolean }
  | { readonly is: 'write'; readonly offset: number; readonly bad: boolean; readonly told: readonly number[] }
  | { readonly is: 'store' | 'unaligned' }
  | { readonly is: 'msi'; readonly told: readonly number[] }
  | {
      readonly is: 'sysreg';
      readonly value: number;
      readonly fault: boolean;
      readonly told: readonly number[];
    };

const told = fc.array(fc.integer({ min: 16, max: 1019 }), { maxLength: 3 });
const offset = fc.integer({ min: 0, max: 20 }).map((n) => 0x100 + 4 * n);
const stimulus: fc.Arbitrary<Stimulus> = fc.oneof(
  fc.record({ is: fc.constant('read' as const), offset, value: fc.nat(), bad: fc.boolean() }),
  fc.record({ is: fc.constant('write' as const), offset, bad: fc.boolean(), told }),
  fc.record({ is: fc.constantFrom('store' as const, 'unaligned' as const) }),
  fc.record({ is: fc.constant('msi' as const), told }),
  fc.record({ is: fc.constant('sysreg' as const), value: fc.nat(), fault: fc.boolean(), told }),
);

function batchOf(list: readonly Stimulus[]): RecordBatch {
  const batch = new RecordBatch(list.length);
  const add = (kind: keyof typeof RECORDS, pe: number, ...words: number[]) => {
    const i = batch.push(RECORDS[kind].id, pe, Number.NaN);
    batch.words.set(words, i * RECORD_WORDS);
  };
  for (const one of list)
    if (one.is === 'read') add('mmio.read', 0, 0, 0, one.offset, 4);
    else if (one.is === 'write') add('mmio.write', 0, 0, 0, one.offset, 4, 5);
    else if (one.is === 'store') add('mem.write', 0, 0x4100_0000, 0, 4, 1);
    else if (one.is === 'unaligned') add('mmio.read', 0, 0, 0, 0x102, 4);
    else if (one.is === 'msi') add('msi.write', -1, 0, 8, 3, 4);
    else add('sysreg.read', 1, 0xc230);
  return batch;
}

const mark = (offset: number, value: number) =>
  `gicv3_dist_badwrite GICv3 distributor write: offset 0x${offset.toString(16)} data 0x${value.toString(16)} size 8 secure 0: error\n`;
const updates = (intids: readonly number[]) =>
  intids
    .map(
      (intid) =>
        `gicv3_cpuif_update GICv3 CPU i/f 0x1 HPPI update: irq ${intid} group 2 prio 128\ngicv3_cpuif_set_irqs GICv3 CPU i/f 0x1 HPPI update: setting FIQ 0 IRQ 1\n`,
    )
    .join('');

/** What QEMU would write for a batch, and the values of its reads by qtest. */
function logOf(plan: Plan, list: readonly Stimulus[]): { text: string; values: number[]; fences: number } {
  let text = '';
  let fences = 0;
  const values: number[] = [];
  list.forEach((one, i) => {
    const byStub = plan.byStub[i] === 1;
    if (plan.ends[i] === END.skipped) return;
    switch (one.is) {
      case 'read':
        if (one.bad)
          text += `gicv3_dist_badread GICv3 distributor read: offset 0x${one.offset.toString(16)} size 4 secure 0: error\n`;
        if (byStub) text += mark(MARK.done, one.value);
        else values.push(one.value);
        break;
      case 'write':
        text += updates(one.told);
        text += one.bad
          ? `gicv3_dist_badwrite GICv3 distributor write: offset 0x${one.offset.toString(16)} data 0x5 size 4 secure 0: error\n`
          : `gicv3_dist_write GICv3 distributor write: offset 0x${one.offset.toString(16)} data 0x5 size 4 secure 0\n`;
        if (byStub) text += mark(MARK.done, 5);
        break;
      case 'store':
        if (byStub) text += mark(MARK.done, 1);
        break;
      case 'msi':
        text += `gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x3 size 4 requester_id 0x8\n`;
        text += updates(one.told) + mark(MARK.fence, ++fences);
        break;
      case 'sysreg':
        text += updates(one.told) + mark(one.fault ? MARK.fault : MARK.done, one.value);
        break;
    }
  });
  return { text, values, fences };
}

/** The same location reads bad or good all along: as the first access to it. */
function consistent(list: readonly Stimulus[]): Stimulus[] {
  const known = new Map<number, boolean>();
  return list.map((one) => {
    if (one.is !== 'read') return one;
    const bad = known.get(one.offset) ?? one.bad;
    known.set(one.offset, bad);
    return { ...one, bad, value: bad ? 0 : one.value };
  });
}

describe('a log', () => {
  it('is divided among the stimuli', () => {
    fc.assert(
      fc.property(
        fc.array(stimulus, { minLength: 1, maxLength: 40 }).map(consistent),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (list, cuts, ahead) => {
          const plan = new Plan(batchOf(list), machine, stub, '/gic', 0, new Map());
          const values: number[] = [];
          const path = join(folder, `${files++}`);
          writeFileSync(path, '');
          const sequence = new Sequence({ take: () => values.shift()!, takenHigh: 0 });
          const log = new QemuLog(path, machine.affinities, sequence);
          sequence.group = log.group;
          const out: { text: string; told: number[] }[] = [];
          const answers = {
            answered: (low: number, _high: number, reserved: boolean) =>
              out.push({ text: `${low} ${reserved}`, told: [] }),
            skipped: (reason: string) => out.push({ text: reason, told: [] }),
            shown: (batch: RecordBatch, i: number) => {
              expect(batch.kind[i]).toBe(HPPI);
              out.at(-1)!.told.push(batch.words[i * RECORD_WORDS]!);
            },
          };
          const parts: { part: Part; text: string; values: number[] }[] = [];
          for (let from = 0; from < list.length; ) {
            const to = plan.partEnd(from);
            const partList = list.map((one, i) =>
              i >= from && i < to ? one : ({ is: 'unaligned' } as const),
            );
            const made = logOf(plan, partList);
            const fence = plan.byStub[from] ? -1 : 1000 + parts.length;
            const text = made.text + (fence < 0 ? '' : mark(MARK.fence, fence));
            parts.push({ part: { plan, from, to, answers, fence }, text, values: made.values });
            from = to;
          }
          // QEMU may be ahead of us by some parts.
          if (ahead) for (const { text } of parts) appendFileSync(path, text);
          for (const one of parts) {
            values.push(...one.values);
            sequence.begin(one.part);
            if (ahead && !sequence.done) log.read(() => sequence.done);
            for (let at = 0, n = 0; !ahead && at < one.text.length; n++) {
              const end = Math.min(one.text.length, at + cuts[n % cuts.length]!);
              appendFileSync(path, one.text.slice(at, end));
              at = end;
              if (!sequence.done) log.read(() => sequence.done);
            }
            expect(sequence.done).toBe(true);
          }
          log.close();
          // Repetitions are not shown.
          let last = -1;
          const expected = list.map((one) => {
            const news = ('told' in one ? one.told : []).filter((intid) => {
              const changed = intid !== last;
              last = intid;
              return changed;
            });
            if (one.is === 'read') return { text: `${one.value} ${one.bad}`, told: [] };
            if (one.is === 'write') return { text: `0 ${one.bad}`, told: news };
            if (one.is === 'unaligned') return { text: REASONS.unaligned, told: [] };
            if (one.is === 'sysreg')
              return { text: one.fault ? REASONS.fault : `${one.value} false`, told: news };
            return { text: '0 false', told: news };
          });
          expect(out).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('that tells of something else is out of step', () => {
    const list: Stimulus[] = [{ is: 'write', offset: 0x100, bad: false, told: [] }];
    const plan = new Plan(batchOf(list), machine, stub, '/gic', 0, new Map());
    const path = join(folder, 'other');
    writeFileSync(path, 'gicv3_dist_write GICv3 distributor write: offset 0x104 data 0x5 size 4 secure 0\n');
    const sequence = new Sequence({ take: () => 0, takenHigh: 0 });
    const log = new QemuLog(path, machine.affinities, sequence);
    sequence.group = log.group;
    const nothing = { answered: () => undefined, skipped: () => undefined, shown: () => undefined };
    sequence.begin({ plan, from: 0, to: 1, answers: nothing, fence: 1 });
    expect(() => log.read(() => sequence.done)).toThrow(GicTraceError);
    expect(() => log.read(() => sequence.done)).not.toThrow(RangeError);
    log.close();
  });
});

describe('a plan', () => {
  it('has a PE do what is among its system registers, and nothing before or after', () => {
    const list: Stimulus[] = [
      { is: 'write', offset: 0x100, bad: false, told: [] },
      { is: 'sysreg', value: 0, fault: false, told: [] },
      { is: 'write', offset: 0x104, bad: false, told: [] },
      { is: 'store' },
      { is: 'sysreg', value: 0, fault: false, told: [] },
      { is: 'read', offset: 0x100, value: 0, bad: false },
      { is: 'msi', told: [] },
      { is: 'sysreg', value: 0, fault: false, told: [] },
    ];
    const plan = new Plan(batchOf(list), machine, stub, '/gic', 0, new Map());
    expect([...plan.byStub]).toEqual([0, 1, 1, 1, 1, 0, 0, 1]);
    expect([plan.partEnd(0), plan.partEnd(1), plan.partEnd(5), plan.partEnd(7)]).toEqual([1, 5, 7, 8]);
  });
});
