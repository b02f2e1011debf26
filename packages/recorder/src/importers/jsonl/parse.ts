// Parses one JSON line into a record and checks it against core's declarations. Says what is wrong; the caller adds
// where.
import {
  fieldOffsets,
  fieldWords,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  type RecordField,
  type RecordKind,
  RULES,
  wordLimits,
} from '@gictrace/core/record';
import { ALL_SYSREGS } from '@gictrace/core/spec';

/** What is wrong with a line. */
export class LineFault extends Error {}

function fault(what: string): never {
  throw new LineFault(what);
}

interface Known {
  readonly kind: RecordKind;
  readonly offsets: readonly number[];
  readonly limits: readonly number[];
  /** Fields that may be null: those that the flag `valueUnknown` covers for this kind. */
  readonly nullable: ReadonlySet<string>;
}

/** Fields that a source may lack, by kind. */
const NULLABLE: { readonly [kind: string]: readonly string[] } = {
  'mmio.read': ['value'],
  'sysreg.read': ['value'],
  'its.command': ['outcome'],
  hppi: ['FIQ', 'IRQ'],
  vhppi: ['vFIQ', 'vIRQ'],
};

const KINDS = new Map<string, Known>(
  (Object.entries(RECORDS) as [string, RecordKind][]).map(([name, kind]) => [
    name,
    {
      kind,
      offsets: fieldOffsets(kind),
      limits: wordLimits(kind),
      nullable: new Set(NULLABLE[name] ?? []),
    },
  ]),
);
const COMMON = new Set(['record', 'kind', 'time_ns', 'pe', 'line', 'flags', 'rule', 'caused_by']);

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** A whole number from 0 to `max`; also as text of hex digits after 0x. */
function whole(name: string, value: unknown, max: number): number {
  const number = typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > max)
    fault(`${name} is ${shown(value)}, not a whole number from 0 to ${max}`);
  return number;
}

/** 64 bits: text of hex digits after 0x, or a number that is exact. */
function wide(name: string, value: unknown): bigint {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  return fault(`${name} is ${shown(value)}, not 64 bits as text such as "0x1f"`);
}

function sysreg(name: string, value: unknown): number {
  if (typeof value !== 'string') return whole(name, value, 0x1_ffff);
  if (Object.hasOwn(ALL_SYSREGS, value)) return ALL_SYSREGS[value as keyof typeof ALL_SYSREGS].encoding;
  const parts = /^S([0-3])_([0-7])_C(\d{1,2})_C(\d{1,2})_([0-7])$/.exec(value);
  if (parts === null) fault(`${name} is ${shown(value)}, no system register`);
  const [op0, op1, crn, crm, op2] = parts!.slice(1).map(Number);
  if (crn! > 15 || crm! > 15) fault(`${name} is ${shown(value)}, no system register`);
  return (op0! << 14) | (op1! << 11) | (crn! << 7) | (crm! << 3) | op2!;
}

function enumerated(field: RecordField, value: unknown): number {
  const values = field.values!;
  const index = typeof value === 'number' ? value : values.indexOf(value as string);
  if (!Number.isInteger(index) || index < 0 || index >= values.length)
    fault(`${field.name} is ${shown(value)}, none of ${values.join(', ')}`);
  return index;
}

/** Puts a field's value into the words at `at`; `max` has the largest value of each word. */
function put(
  field: RecordField,
  value: unknown,
  words: Uint32Array,
  at: number,
  max: readonly number[],
): void {
  const { name, type } = field;
  if (type === 'bool') {
    if (value !== true && value !== false && value !== 0 && value !== 1)
      fault(`${name} is ${shown(value)}, not true or false`);
    words[at] = value ? 1 : 0;
  } else if (type === 'enum') words[at] = enumerated(field, value);
  else if (type === 'sysreg') words[at] = sysreg(name, value);
  else if (type === 'i32') {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31)
      fault(`${name} is ${shown(value)}, not a whole number of 32 bits`);
    words[at] = value as number;
  } else if (fieldWords(type) === 2) {
    const bits = wide(name, value);
    words[at] = Number(bits & 0xffff_ffffn);
    const high = Number(bits >> 32n);
    if (high > max[1]!) fault(`${name} is ${shown(value)}, not a physical address below 2^52`);
    words[at + 1] = high;
  } else words[at] = whole(name, value, max[0]!);
}

function flagsOf(value: unknown): number {
  // A number may have bits that only a newer gictrace knows, as in a trace.
  if (!Array.isArray(value)) return whole('flags', value, 255);
  return value.reduce((bits: number, name: unknown) => {
    if (typeof name !== 'string' || !Object.hasOwn(RECORD_FLAGS, name))
      return fault(`flags has ${shown(name)}, none of ${Object.keys(RECORD_FLAGS).join(', ')}`);
    return bits | RECORD_FLAGS[name as keyof typeof RECORD_FLAGS];
  }, 0);
}

function ruleOf(value: unknown): number {
  if (typeof value === 'string' && Object.hasOwn(RULES, value)) return RULES[value as keyof typeof RULES].id;
  // A number may be that of a rule of a newer gictrace, as in a trace.
  return whole('rule', value, 255);
}

/**
 * Appends the record that `object` describes to a batch that has space. `line` is the line number in the text, which
 * the record gets unless the object names a line of another source.
 * @throws LineFault if the object is not a record.
 */
export function parseRecord(
  object: { readonly [key: string]: unknown },
  peCount: number,
  line: number,
  batch: RecordBatch,
): void {
  const known = typeof object.kind === 'string' ? KINDS.get(object.kind) : undefined;
  if (known === undefined) fault(`kind is ${shown(object.kind)}, which is no kind of record`);
  const { kind, offsets, limits, nullable } = known!;
  const { time_ns: time = null, pe = null, line: own, flags = 0, rule = 0, caused_by: cause = null } = object;
  if (time !== null && !Number.isSafeInteger(time))
    fault(`time_ns is ${shown(time)}, not whole nanoseconds, or null`);
  const i = batch.push(
    kind.id,
    pe === null ? -1 : whole('pe', pe, peCount - 1),
    time === null ? Number.NaN : (time as number),
  );
  try {
    batch.flags[i] = flagsOf(flags);
    batch.rule[i] = ruleOf(rule);
    batch.line[i] = own === undefined ? line : own === null ? 0 : whole('line', own, 0xffff_ffff);
    batch.cause[i] = cause === null ? 0 : whole('caused_by', cause, 0xffff_fffe) + 1;
    kind.fields.forEach((field, k) => {
      const value = object[field.name];
      if (value === undefined) fault(`${field.name} is missing`);
      const at = offsets[k]!;
      if (value === null && nullable.has(field.name)) {
        batch.flags[i]! |= RECORD_FLAGS.valueUnknown;
        return;
      }
      put(field, value, batch.words, i * RECORD_WORDS + at, limits.slice(at, at + 2));
    });
    for (const key in object)
      if (!COMMON.has(key) && !kind.fields.some(({ name }) => name === key))
        fault(`${object.kind as string} has no ${key}`);
  } catch (error) {
    batch.count--;
    throw error;
  }
}
