// Tests JSON lines: any record is read back as it was written; anything that is not a record is refused, with its line
// and the reason.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { configOf, PLAIN } from '@gictrace/core/profile';
import {
  fieldOffsets,
  fieldWords,
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordKind,
  RULES,
  wordLimits,
} from '@gictrace/core/record';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { importJsonlToTrace } from '../../import-trace.ts';
import { TraceReader } from '../../trace/index.ts';
import { LineFault, parseRecord } from './parse.ts';
import { recordJson } from './write.ts';

const folder = mkdtempSync(join(tmpdir(), 'gictrace-jsonl-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const CONFIG = configOf('architecture', PLAIN, 4);
const HEADER = JSON.stringify({ gictrace: 1, config: CONFIG });

async function imported(lines: readonly string[], config?: typeof CONFIG) {
  const [log, out] = [join(folder, 'log'), join(folder, 'out')];
  writeFileSync(log, lines.join('\n'));
  const options = { version: 'test', ...(config === undefined ? {} : { config }) };
  const report = await importJsonlToTrace(log, out, options);
  const reader = TraceReader.open(out);
  const batch = new RecordBatch(Math.max(1, reader.records));
  for (const { batch: part } of reader.batches()) for (let i = 0; i < part.count; i++) batch.copy(part, i);
  reader.close();
  return { report, batch, header: reader.header };
}

async function refused(lines: readonly string[]): Promise<string> {
  try {
    await imported(lines);
  } catch (error) {
    expect(error).toBeInstanceOf(GicTraceError);
    expect((error as GicTraceError).code).toBe('input');
    return (error as GicTraceError).line.replace(join(folder, 'log'), 'log');
  }
  throw new Error('it was taken');
}

const kinds = Object.values(RECORDS) as readonly RecordKind[];

/** A record of any kind, with any values that it can hold. */
const anyRecord = fc.constantFrom(...kinds).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    words: fc.tuple(
      ...wordLimits(kind).map((max) => fc.oneof(fc.integer({ min: 0, max }), fc.constant(max))),
    ),
    pe: fc.integer({ min: NO_PE, max: 3 }),
    flags: fc.subarray(Object.values(RECORD_FLAGS)).map((bits) => bits.reduce((a: number, b) => a | b, 0)),
    rule: fc.constantFrom(0, ...Object.values(RULES).map(({ id }) => id)),
    time: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -(2 ** 40), max: 2 ** 50 })),
    line: fc.integer({ min: 0, max: 0xffff_ffff }),
    cause: fc.integer({ min: 0, max: 0xffff_ffff }),
  }),
);

const whole = (batch: RecordBatch, i: number) => [
  batch.kind[i],
  batch.pe[i],
  batch.flags[i],
  batch.rule[i],
  batch.timeNs[i],
  batch.line[i],
  batch.cause[i],
  ...batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS),
];

describe('a record of any kind', () => {
  it('comes back as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 60 }), async (records) => {
        const batch = new RecordBatch(records.length);
        for (const { kind, words, pe, flags, rule, time, line, cause } of records) {
          const i = batch.push(kind.id, pe, time);
          batch.flags[i] = flags;
          batch.rule[i] = rule;
          batch.line[i] = line;
          batch.cause[i] = cause;
          // System register encodings have 17 bits, of which the highest marks an ICV register.
          batch.words.set(words, i * RECORD_WORDS);
        }
        const lines = records.map((_record, i) => recordJson(batch, i, i));
        const { batch: back } = await imported([HEADER, ...lines]);
        expect(back.count).toBe(batch.count);
        for (let i = 0; i < batch.count; i++) expect(whole(back, i)).toEqual(whole(batch, i));
      }),
      { numRuns: 40 },
    );
  });

  it('is refused with any field left out, or out of its range', () => {
    const wrong = (object: Record<string, unknown>): string => {
      const into = new RecordBatch(1);
      try {
        parseRecord(object, 4, 1, into);
      } catch (error) {
        expect(error).toBeInstanceOf(LineFault);
        expect(into.count).toBe(0);
        return (error as LineFault).message;
      }
      return 'nothing';
    };
    for (const [name, kind] of Object.entries(RECORDS) as [string, RecordKind][]) {
      const batch = new RecordBatch(1);
      batch.push(kind.id, 0, 0);
      const good = JSON.parse(recordJson(batch, 0, 0)) as Record<string, unknown>;
      expect(wrong(good), name).toBe('nothing');
      for (const field of kind.fields) {
        const { [field.name]: _gone, ...rest } = good;
        expect(wrong(rest)).toBe(`${field.name} is missing`);
        const max = wordLimits(kind)[fieldOffsets(kind)[kind.fields.indexOf(field)]!]!;
        const tooMuch = fieldWords(field.type) === 2 ? '0x10000000000000000' : max + 1;
        for (const bad of [tooMuch, -1 - 2 ** 31, 1.5, 'x', [], {}])
          expect(wrong({ ...good, [field.name]: bad }), name).toMatch(`${field.name} is `);
      }
    }
  });
});

describe('what a logger need not say', () => {
  it('has a default: time, PE, flags and rule are not told; the line is that of the text', async () => {
    const { batch } = await imported([HEADER, '', '{"kind":"wire.set","INTID":40,"level":true}']);
    expect(whole(batch, 0).slice(0, 7)).toEqual([10, NO_PE, 0, 0, Number.NaN, 3, 0]);
  });

  it('is null where it is a value that is not known', async () => {
    const { batch } = await imported([
      HEADER,
      '{"kind":"sysreg.read","pe":1,"register":"ICC_IAR1_EL1","value":null}',
      '{"kind":"hppi","pe":0,"INTID":"0x21","group":"1NS","priority":160,"FIQ":null,"IRQ":null,"flags":["secure"]}',
    ]);
    expect([...batch.flags.subarray(0, 2)]).toEqual([2, 2 | 4]);
    expect([...batch.words.subarray(RECORD_WORDS, RECORD_WORDS + 5)]).toEqual([33, 2, 160, 0, 0]);
    expect(await refused([HEADER, '{"kind":"wire.set","INTID":null,"level":true}'])).toMatch(/INTID is null/);
  });

  it('may be written in several ways', async () => {
    const ways = [
      '{"kind":"mmio.read","frame":"GICR","instance":1,"offset":256,"width":4,"value":"0x5"}',
      '{"kind":"mmio.read","frame":1,"instance":"0x1","offset":"0x100","width":4,"value":5,"rule":0,"time_ns":null,"pe":null,"caused_by":null}',
    ];
    const { batch } = await imported([HEADER, ...ways]);
    expect(whole(batch, 0).slice(7)).toEqual(whole(batch, 1).slice(7));
  });
});

describe('a header', () => {
  it('is not needed with the configuration of another trace', async () => {
    const line = '{"kind":"wire.set","INTID":40,"level":true}';
    expect(await refused([line])).toMatch(/line 1: is a record, but no header/);
    const { header, report } = await imported([line], CONFIG);
    expect(header.config).toEqual(CONFIG);
    expect(report.provenance).toEqual({ configuration: 'option' });
  });
  it('tells clock and source', async () => {
    const clock = { name: 'cycles of the bus', unitNs: 10 };
    const { header } = await imported([
      JSON.stringify({ gictrace: 1, config: CONFIG, clock, source: 'rtl' }),
    ]);
    expect(header.clock).toEqual(clock);
    expect(header.source).toMatchObject({ kind: 'jsonl', name: 'rtl' });
  });
});

it.each([
  [[], /has no line/],
  [['', '  '], /has no line/],
  [[HEADER, '{'], /line 2: is not JSON/],
  [[HEADER, '[]'], /line 2: is no JSON object/],
  [[HEADER, '7'], /line 2: is no JSON object/],
  [[HEADER, HEADER], /line 2: is a header, but/],
  [['{"gictrace":2}'], /line 1: is a header of version 2; this gictrace reads 1/],
  [['{"gictrace":1}'], /line 1: is a header that is wrong at config/],
  [[HEADER, '{"kind":"toString"}'], /kind is "toString", which is no kind of record/],
  [[HEADER, '{}'], /kind is nothing/],
  [[HEADER, '{"kind":"pe.reset","pe":4}'], /pe is 4, not a whole number from 0 to 3/],
  [[HEADER, '{"kind":"pe.reset","pe":0,"time_ns":0.5}'], /time_ns is 0.5/],
  [[HEADER, '{"kind":"pe.reset","pe":0,"flags":256}'], /flags is 256/],
  [[HEADER, '{"kind":"pe.reset","pe":0,"flags":["none"]}'], /flags has "none"/],
  [[HEADER, '{"kind":"pe.reset","pe":0,"rule":"nope"}'], /rule is "nope"/],
  [[HEADER, '{"kind":"pe.reset","pe":0,"rule":256}'], /rule is 256/],
  [[HEADER, '{"kind":"pe.reset","pe":0,"intid":3}'], /pe.reset has no intid/],
  [[HEADER, '{"kind":"sysreg.write","register":"ICC_NOPE","value":0}'], /register is "ICC_NOPE", no system/],
  [[HEADER, '{"kind":"sysreg.write","register":"S3_0_C16_C1_0","value":0}'], /no system register/],
] as [string[], RegExp][])('%j is refused', async (lines, says) => {
  expect(await refused(lines)).toMatch(says);
});
