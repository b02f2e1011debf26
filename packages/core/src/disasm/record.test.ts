// Records as text: one line for every kind, whatever it holds; and what each form looks like.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FRAMES,
  fieldOffsets,
  fieldWords,
  GROUPS,
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordField,
  type RecordKind,
  RULES,
} from '../record/index.ts';
import { encodeCommand, ITS_ERRORS, SYSREGS } from '../spec/index.ts';
import { recordText, timeText } from './record.ts';

type Name = keyof typeof RECORDS;

function record(name: Name, words: readonly number[], pe = 0, timeNs = 1_500_000_000): RecordBatch {
  const batch = new RecordBatch(1);
  const i = batch.push(RECORDS[name].id, pe, timeNs);
  batch.words.set(words, i * RECORD_WORDS);
  return batch;
}
const text = (name: Name, words: readonly number[], pe = 0) => recordText(record(name, words, pe), 0);

const GICD = FRAMES.indexOf('GICD');
const GICR = FRAMES.indexOf('GICR');

describe('the forms', () => {
  test('an access names the PE, the register and what the value means', () => {
    expect(text('mmio.write', [GICD, 0, 0x104, 4, 0x10000, 0])).toBe(
      '+1.500000000s PE0 GICD_ISENABLER1 <- 0x10000 {INTID 48}',
    );
    expect(text('mmio.read', [GICR, 2, 0x14, 4, 6, 0], 1)).toBe(
      '+1.500000000s PE1 GICR[2] GICR_WAKER -> 0x6 {ProcessorSleep ChildrenAsleep}',
    );
    expect(text('mmio.read', [GICD, 0, 0x3100, 4, 0, 0], NO_PE)).toBe('+1.500000000s PE? GICD+0x3100 -> 0x0');
  });

  test('a value that the source does not tell is a question mark, not a number', () => {
    const batch = record('mmio.read', [GICD, 0, 0, 4, 0, 0]);
    batch.flags[0] = RECORD_FLAGS.valueUnknown | RECORD_FLAGS.reserved;
    expect(recordText(batch, 0)).toBe('+1.500000000s PE0 GICD_CTLR -> ? (reserved)');
  });

  test('a system register', () => {
    expect(text('sysreg.read', [SYSREGS.ICC_IAR1_EL1.encoding, 27, 0], 3)).toBe(
      '+1.500000000s PE3 ICC_IAR1_EL1 -> 0x1b {INTID=27}',
    );
    expect(text('sysreg.write', [SYSREGS.ICH_LR0_EL2.encoding, 27, 0x50a0_0000])).toBe(
      '+1.500000000s PE0 ICH_LR0_EL2 <- 0x50a000000000001b {vINTID=27 Priority=0xa0 Group State=pending}',
    );
    expect(text('sysreg.read', [0xc000, 5, 0])).toBe('+1.500000000s PE0 S3_0_C0_C0_0 -> 0x5');
  });

  const mapti = [...encodeCommand('MAPTI', { DeviceID: 8, EventID: 1, pINTID: 8193, ICID: 2 })];

  test('a command with its outcome; operands that were not shown are question marks', () => {
    expect(text('its.command', [0, 0x11, 0, 0b1111, ...mapti])).toBe(
      '+1.500000000s its.command ITS0 slot 17 MAPTI DeviceID 0x8 EventID 0x1 pINTID 8193 ICID 0x2 EXECUTED',
    );
    expect(text('its.command', [0, 0x11, ITS_ERRORS.MAPTI_ID_OOR, 0b0111, ...mapti])).toBe(
      '+1.500000000s its.command ITS0 slot 17 MAPTI DeviceID 0x8 EventID 0x1 pINTID 8193 ICID ? E_ITS_MAPTI_ID_OOR',
    );
    expect(text('its.command', [1, 2, 0, 0, 0x77])).toBe(
      '+1.500000000s its.command ITS1 slot 2 command 0x77 EXECUTED',
    );
  });

  test('a command in the queue', () => {
    expect(text('queue.write', [0, 0x4259_0220, 0, ...mapti])).toBe(
      '+1.500000000s PE0 queue.write ITS0 0x42590220 MAPTI DeviceID 0x8 EventID 0x1 pINTID 8193 ICID 0x2',
    );
  });

  test('the highest-priority pending interrupt', () => {
    const group = GROUPS.indexOf('1NS');
    expect(text('hppi', [8300, group, 0xa0, 0, 1], 1)).toBe(
      '+1.500000000s PE1 hppi INTID 8300 group 1NS priority 0xa0 -> IRQ',
    );
    expect(text('hppi', [1023, 0, 255, 0, 0], 1)).toBe('+1.500000000s PE1 hppi none');
  });

  test('number, rule and unknown time', () => {
    const batch = record('wire.set', [27, 1], 2, Number.NaN);
    batch.rule[0] = RULES['pe-from-thread'].id;
    expect(recordText(batch, 0, 1234)).toBe(
      '1234 +? PE2 wire.set INTID 27 level yes (inferred: pe-from-thread)',
    );
  });

  test('a kind of a newer version is still a line', () => {
    const batch = record('wire.set', [27, 1]);
    batch.kind[0] = 255;
    expect(recordText(batch, 0)).toBe('+1.500000000s kind 255');
  });
});

test('time: seconds and nine digits, carried, signed', () => {
  expect(timeText(0)).toBe('+0.000000000s');
  expect(timeText(12_345_678_901)).toBe('+12.345678901s');
  expect(timeText(1_999_999_999.7)).toBe('+2.000000000s');
  expect(timeText(-5)).toBe('-0.000000005s');
});

const kinds = Object.entries(RECORDS) as [Name, RecordKind][];
const anyRecord = fc.constantFrom(...kinds.map(([name]) => name)).chain((name) =>
  fc.record({
    name: fc.constant(name),
    words: fc.array(fc.nat(0xffff_ffff), { minLength: RECORD_WORDS, maxLength: RECORD_WORDS }),
    pe: fc.integer({ min: -1, max: 511 }),
    flags: fc.nat(255),
    rule: fc.nat(255),
  }),
);

test('any record of any kind is one non-empty line without undefined or NaN in it', () => {
  fc.assert(
    fc.property(anyRecord, ({ name, words, pe, flags, rule }) => {
      const batch = record(name, words, pe);
      batch.flags[0] = flags;
      batch.rule[0] = rule;
      const line = recordText(batch, 0, 7);
      expect(line).toMatch(/^7 \+1\.500000000s [^\n]+$/);
      expect(line).not.toMatch(/undefined|NaN|\[object/);
    }),
    { numRuns: 2000 },
  );
});

// What people cannot see in a dump they cannot debug: each field's value shows in the text.
test.each(kinds)('%s: every field shows', (name, kind) => {
  const offsets = fieldOffsets(kind);
  kind.fields.forEach((field: RecordField, k) => {
    // A command's words show as operands, which other tests pin; `shown` decides which of them do.
    if (/^(dw\d|shown)$/.test(field.name)) return;
    const words = new Array<number>(RECORD_WORDS).fill(0);
    // An access of 4 bytes to a Redistributor: to the Distributor, of which there is one, no instance shows.
    if (name.startsWith('mmio.')) [words[0], words[3]] = [GICR, 4];
    const before = text(name, words);
    const last = offsets[k]! + fieldWords(field.type) - 1;
    words[last] = words[last]! ^ 1;
    expect(text(name, words), field.name).not.toBe(before);
  });
});
