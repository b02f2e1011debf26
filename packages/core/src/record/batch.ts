// A batch of records as a structure of typed arrays. Importers fill batches, the model consumes and emits them, and the
// trace codec packs them. Nothing is allocated per record.
import { RECORDS, type RecordName } from './kinds.ts';
import { fieldWords, RECORD_WORDS, type RecordField, type RecordKind } from './shape.ts';

/** No PE: the source does not contain it, or the record concerns none. */
export const NO_PE = -1;

export class RecordBatch {
  readonly capacity: number;
  count = 0;
  /** The trace file from which the records were read, for messages. */
  source: string | undefined;
  /** Record kind (`RECORDS[…].id`). */
  readonly kind: Uint8Array;
  /** Index of the PE, or {@link NO_PE}. */
  readonly pe: Int16Array;
  /** `RECORD_FLAGS`. */
  readonly flags: Uint8Array;
  /** Inference rule (`RULES[…].id`); 0 if the source contains the record. */
  readonly rule: Uint8Array;
  /** Nanoseconds since the trace's start; NaN if the source does not contain the time. */
  readonly timeNs: Float64Array;
  /** 1-based line of the source; 0 if there is none. */
  readonly line: Uint32Array;
  /** Record number + 1 of the operation that caused it; 0 if there is none. */
  readonly cause: Uint32Array;
  /** `RECORD_WORDS` words per record: the fields in declared order. */
  readonly words: Uint32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.kind = new Uint8Array(capacity);
    this.pe = new Int16Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.rule = new Uint8Array(capacity);
    this.timeNs = new Float64Array(capacity);
    this.line = new Uint32Array(capacity);
    this.cause = new Uint32Array(capacity);
    this.words = new Uint32Array(capacity * RECORD_WORDS);
  }

  get full(): boolean {
    return this.count === this.capacity;
  }

  /** Removes all records; the arrays are kept. */
  clear(): void {
    this.count = 0;
  }

  /** Appends a record with zeroed words and returns its index. The caller fills the words. */
  push(kind: number, pe: number, timeNs: number): number {
    const i = this.count++;
    this.kind[i] = kind;
    this.pe[i] = pe;
    this.flags[i] = 0;
    this.rule[i] = 0;
    this.timeNs[i] = timeNs;
    this.line[i] = 0;
    this.cause[i] = 0;
    const { words } = this;
    const base = i * RECORD_WORDS;
    // For so few words a loop is faster than fill().
    for (let k = 0; k < RECORD_WORDS; k++) words[base + k] = 0;
    return i;
  }

  /** Copies record `from` of `source` to the end of this batch and returns its index. */
  copy(source: RecordBatch, from: number): number {
    const i = this.count++;
    this.kind[i] = source.kind[from]!;
    this.pe[i] = source.pe[from]!;
    this.flags[i] = source.flags[from]!;
    this.rule[i] = source.rule[from]!;
    this.timeNs[i] = source.timeNs[from]!;
    this.line[i] = source.line[from]!;
    this.cause[i] = source.cause[from]!;
    const to = i * RECORD_WORDS;
    const at = from * RECORD_WORDS;
    for (let k = 0; k < RECORD_WORDS; k++) this.words[to + k] = source.words[at + k]!;
    return i;
  }
}

const kindNames: (RecordName | undefined)[] = new Array(256).fill(undefined);
for (const [name, kind] of Object.entries(RECORDS)) kindNames[kind.id] = name as RecordName;

/** The kind with this id, or undefined. */
export function recordName(id: number): RecordName | undefined {
  return kindNames[id];
}

/** The declaration of the kind with this id. @throws RangeError for an unknown id. */
export function recordKind(id: number): RecordKind {
  const name = kindNames[id];
  if (name === undefined) throw new RangeError(`no record kind has id ${id}`);
  return RECORDS[name];
}

/** Where each field of a kind starts in the record's words, in declared order. */
export function fieldOffsets(kind: RecordKind): number[] {
  let at = 0;
  return kind.fields.map((field) => {
    const here = at;
    at += fieldWords(field.type);
    return here;
  });
}

/** A field's value for the API: a `bigint` for `u64`, a number for all others. */
export function fieldValue(field: RecordField, words: Uint32Array, at: number): number | bigint {
  const low = words[at]!;
  switch (field.type) {
    case 'u64':
      return (BigInt(words[at + 1]!) << 32n) | BigInt(low);
    case 'pa':
      return words[at + 1]! * 0x1_0000_0000 + low;
    case 'i32':
      return low | 0;
    default:
      return low;
  }
}

/** The largest values that the words of a field can hold. */
function limitsOf(field: RecordField): number[] {
  switch (field.type) {
    case 'u8':
      return [0xff];
    case 'u16':
      return [0xffff];
    case 'bool':
      return [1];
    case 'enum':
      return [field.values!.length - 1];
    case 'sysreg':
      return [0x1_ffff];
    case 'pa':
      return [0xffff_ffff, 0xf_ffff];
    case 'u64':
      return [0xffff_ffff, 0xffff_ffff];
    default:
      return [0xffff_ffff];
  }
}

/** The largest value of each word of a kind's records. */
export function wordLimits(kind: RecordKind): number[] {
  return kind.fields.flatMap(limitsOf);
}
