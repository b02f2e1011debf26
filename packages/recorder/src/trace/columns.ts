// Converts a chunk of records to columns of bytes and back. A column is a constant, or the bytes of its values (or of the
// differences between them) plane by plane, low bytes first; planes of zeros cost nothing once compressed. The encoding
// depends only on the values, so equal records give equal bytes.
import { GicTraceError, invariant } from '@gictrace/core';
import {
  fieldWords,
  RECORD_WORDS,
  type RecordBatch,
  type RecordKind,
  recordKind,
  recordName,
  wordLimits,
} from '@gictrace/core/record';
import { CHUNK_RECORDS_MAX } from './constants.ts';
import { unpack } from './msgpack.ts';

/** Column encodings: the first byte of a column. 1–4: that many planes of values; 5–8: planes of zigzag differences. */
const CONSTANT = 0;
const DELTA = 4;

/** Time units in nanoseconds, coarsest first: the coarsest that divides all times of a chunk is used. */
const TIME_UNITS = [1_000_000, 1000, 1] as const;

const scratch = new Uint32Array(CHUNK_RECORDS_MAX);
/** Scratch: the positions of the records of one kind. */
const positions = new Uint32Array(CHUNK_RECORDS_MAX);
const differences = new Uint32Array(CHUNK_RECORDS_MAX);
/** Scratch: the high words of times, and which times are unknown. */
const highWords = new Uint32Array(CHUNK_RECORDS_MAX);
const untimed = new Uint32Array(CHUNK_RECORDS_MAX);

/** How many planes values take of which this is the union of all bits. */
const planesOf = (all: number): number => (all === 0 ? 1 : (39 - Math.clz32(all)) >> 3);

/** How many bytes the values have that are not zero on top of them. */
function bytesOf(values: Uint32Array, count: number): number {
  let bytes = 0;
  // By leading zeros: as a number without a sign it would not fit V8's small integers, which the loop runs on.
  for (let i = 0; i < count; i++) bytes += (39 - Math.clz32(values[i]!)) >> 3;
  return bytes;
}

/** A payload that grows: MessagePack, as `pack` writes it. Reused, so that columns need no arrays of their own. */
class Payload {
  private bytes = Buffer.alloc(1 << 18);
  private at = 0;

  begin(): void {
    this.at = 0;
  }

  /** The bytes so far, valid until the next `begin`. */
  end(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const grown = Buffer.alloc(2 * (this.at + bytes));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  /** An array of `length` values, which follow. */
  array(length: number): void {
    this.reserve(3);
    if (length < 16) this.bytes[this.at++] = 0x90 | length;
    else {
      this.bytes[this.at] = 0xdc;
      this.at = this.bytes.writeUInt16BE(length, this.at + 1);
    }
  }

  /** A number below 2^32. */
  uint(value: number): void {
    this.reserve(5);
    if (value < 0x80) this.bytes[this.at++] = value;
    else if (value < 0x100) {
      this.bytes[this.at++] = 0xcc;
      this.bytes[this.at++] = value;
    } else if (value < 0x1_0000) {
      this.bytes[this.at] = 0xcd;
      this.at = this.bytes.writeUInt16BE(value, this.at + 1);
    } else {
      this.bytes[this.at] = 0xce;
      this.at = this.bytes.writeUInt32BE(value, this.at + 1);
    }
  }

  private bin(length: number): void {
    this.reserve(5 + length);
    if (length < 0x100) {
      this.bytes[this.at++] = 0xc4;
      this.bytes[this.at++] = length;
    } else if (length < 0x1_0000) {
      this.bytes[this.at] = 0xc5;
      this.at = this.bytes.writeUInt16BE(length, this.at + 1);
    } else {
      this.bytes[this.at] = 0xc6;
      this.at = this.bytes.writeUInt32BE(length, this.at + 1);
    }
  }

  /** A column of the first `count` values. */
  column(values: Uint32Array, count: number): void {
    const first = count > 0 ? values[0]! : 0;
    let same = 1;
    while (same < count && values[same] === first) same++;
    if (same >= count) {
      this.bin(5);
      this.bytes[this.at++] = CONSTANT;
      this.at = this.bytes.writeUInt32LE(first, this.at);
      return;
    }
    let before = 0;
    let anyPlain = 0;
    let anyDelta = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i]! | 0;
      const delta = (value - before) | 0;
      const zigzag = (delta << 1) ^ (delta >> 31);
      differences[i] = zigzag;
      anyPlain |= value;
      anyDelta |= zigzag;
      before = value;
    }
    const plain = planesOf(anyPlain);
    const delta = planesOf(anyDelta);
    const useDelta =
      delta < plain || (delta === plain && bytesOf(differences, count) < bytesOf(values, count));
    const from = useDelta ? differences : values;
    const planes = useDelta ? delta : plain;
    this.bin(1 + planes * count);
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = planes + (useDelta ? DELTA : 0);
    for (let shift = 0; shift < 8 * planes; shift += 8)
      for (let i = 0; i < count; i++) bytes[at++] = from[i]! >>> shift;
    this.at = at;
  }

  /** A column of the first `count` values. */
  byteColumn(values: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) scratch[i] = values[i]!;
    this.column(scratch, count);
  }
}

/** Reads a column of `count` values into `out`. */
export function decodeColumn(column: unknown, count: number, out: Uint32Array): void {
  if (!(column instanceof Uint8Array)) damaged('a column is not bytes');
  const encoding = column[0]!;
  if (encoding === CONSTANT) {
    if (column.length !== 5) damaged('a constant column has the wrong length');
    out.fill(new DataView(column.buffer, column.byteOffset).getUint32(1, true), 0, count);
    return;
  }
  const planes = encoding > DELTA ? encoding - DELTA : encoding;
  if (encoding > 2 * DELTA || column.length !== 1 + planes * count) damaged('a column has the wrong length');
  for (let i = 0; i < count; i++) out[i] = column[1 + i]!;
  for (let plane = 1; plane < planes; plane++) {
    const at = 1 + plane * count;
    const shift = 8 * plane;
    for (let i = 0; i < count; i++) out[i] = out[i]! | (column[at + i]! << shift);
  }
  if (encoding > DELTA) {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const zigzag = out[i]!;
      value = (value + ((zigzag >>> 1) ^ -(zigzag & 1))) | 0;
      out[i] = value;
    }
  }
}

/** Reads a column whose values are bytes. */
function decodeBytes(column: unknown, count: number, out: Uint8Array, what: string): void {
  decodeColumn(column, count, scratch);
  for (let i = 0; i < count; i++) {
    if (scratch[i]! > 0xff) damaged(`${what} of a record is out of range`);
    out[i] = scratch[i]!;
  }
}

function damaged(what: string): never {
  throw new GicTraceError('trace', what);
}

/** Times as [unit, low words, high words, unknown]: zigzag differences from the last known time, in units. */
function putTimes(out: Payload, batch: RecordBatch): void {
  const { count, timeNs } = batch;
  let unit: number = TIME_UNITS[0];
  for (let i = 0; i < count; i++) {
    const time = timeNs[i]!;
    if (Number.isNaN(time)) continue;
    while (time % unit !== 0 && unit > 1) unit = TIME_UNITS[TIME_UNITS.indexOf(unit as 1) + 1] ?? 1;
  }
  const high = highWords.fill(0, 0, count);
  const unknown = untimed.fill(0, 0, count);
  let before = 0;
  for (let i = 0; i < count; i++) {
    const time = timeNs[i]!;
    if (Number.isNaN(time)) {
      unknown[i] = 1;
      scratch[i] = 0;
      continue;
    }
    const now = time / unit;
    const delta = now - before;
    before = now;
    // Zigzag in floating point: times reach 2^53.
    const zigzag = delta >= 0 ? delta * 2 : -delta * 2 - 1;
    scratch[i] = zigzag % 2 ** 32;
    high[i] = Math.floor(zigzag / 2 ** 32);
  }
  out.array(4);
  out.uint(unit);
  out.column(scratch, count);
  out.column(high, count);
  out.column(unknown, count);
}

function decodeTimes(value: unknown, batch: RecordBatch, count: number): void {
  if (!Array.isArray(value) || value.length !== 4 || !TIME_UNITS.includes(value[0]))
    damaged('the times of a chunk are malformed');
  const [unit, lows, highs, unknowns] = value as [number, unknown, unknown, unknown];
  const high = new Uint32Array(count);
  const unknown = new Uint32Array(count);
  decodeColumn(lows, count, scratch);
  decodeColumn(highs, count, high);
  decodeColumn(unknowns, count, unknown);
  let now = 0;
  for (let i = 0; i < count; i++) {
    if (unknown[i] !== 0) {
      batch.timeNs[i] = Number.NaN;
      continue;
    }
    const zigzag = high[i]! * 2 ** 32 + scratch[i]!;
    now += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    if (!Number.isSafeInteger(now * unit)) damaged('a time is out of range');
    batch.timeNs[i] = now * unit;
  }
}

interface Layout {
  readonly kind: RecordKind;
  readonly words: number;
  /** The largest value of each word. */
  readonly limits: readonly number[];
  /** The words that every chunk has columns for. */
  readonly least: number;
}
const layouts: (Layout | undefined)[] = new Array(256).fill(undefined);
function layoutOf(id: number): Layout {
  const known = layouts[id];
  if (known !== undefined) return known;
  if (recordName(id) === undefined) damaged(`a record has the unknown kind ${id}`);
  const kind = recordKind(id);
  const wordsOf = (fields: typeof kind.fields) =>
    fields.reduce((sum, field) => sum + fieldWords(field.type), 0);
  const later = kind.fields.findIndex(({ isLater }) => isLater === true);
  const words = wordsOf(kind.fields);
  const least = later < 0 ? words : wordsOf(kind.fields.slice(0, later));
  const layout: Layout = { kind, words, least, limits: wordLimits(kind) };
  layouts[id] = layout;
  return layout;
}

const payload = new Payload();

/**
 * The raw payload of a chunk: a MessagePack array of kind, pe + 1, flags, rule, times, line, cause, and for each
 * kind that occurs, in ascending order, its id and its columns, one for each word of its fields. The result is a view on
 * a shared buffer: use it before the next call.
 */
export function encodeChunk(batch: RecordBatch): Buffer {
  const { count } = batch;
  payload.begin();
  payload.array(8);
  payload.byteColumn(batch.kind, count);
  for (let i = 0; i < count; i++) scratch[i] = batch.pe[i]! + 1;
  payload.column(scratch, count);
  payload.byteColumn(batch.flags, count);
  payload.byteColumn(batch.rule, count);
  putTimes(payload, batch);
  payload.column(batch.line, count);
  payload.column(batch.cause, count);
  putKinds(payload, batch);
  return payload.end();
}

/** For each kind that occurs, in ascending order: its id and its columns. */
function putKinds(out: Payload, batch: RecordBatch): void {
  const ends = sortByKind(batch);
  out.array(ends.reduce((n, end, id) => n + (end > (ends[id - 1] ?? 0) ? 1 : 0), 0));
  let from = 0;
  for (let id = 0; id < 256; id++) {
    const to = ends[id]!;
    if (to === from) continue;
    const { words, least, limits } = layoutOf(id);
    const needed = wordsNeeded(batch.words, least, words, from, to);
    out.array(2);
    out.uint(id);
    out.array(needed);
    for (let word = 0; word < words; word++) {
      gather(batch.words, word, from, to);
      checkLimit(id, limits[word]!, to - from);
      if (word < needed) out.column(scratch, to - from);
    }
    from = to;
  }
}

/** The number of columns up to the last of the `words` that is not zero, which are `least` at the least. */
function wordsNeeded(values: Uint32Array, least: number, words: number, from: number, to: number): number {
  for (let word = words; word > least; word--)
    for (let k = from; k < to; k++) if (values[positions[k]! + word - 1] !== 0) return word;
  return least;
}

/** Ensures that what is written can be read. Importers deal with values that a field cannot hold before this. */
function checkLimit(id: number, limit: number, count: number): void {
  if (limit === 0xffff_ffff) return;
  let isWithin = true;
  for (let i = 0; i < count; i++) if (scratch[i]! > limit) isWithin = false;
  invariant(isWithin, `a field of a record of kind ${id} is out of its range`);
}

/** Stores the offsets of the words of all records in `positions`, sorted by kind. Returns the end of each kind in it. */
function sortByKind(batch: RecordBatch): Uint32Array {
  const { count, kind } = batch;
  const ends = new Uint32Array(256);
  for (let i = 0; i < count; i++) ends[kind[i]!]!++;
  let sum = 0;
  for (let id = 0; id < 256; id++) {
    const n = ends[id]!;
    ends[id] = sum;
    sum += n;
  }
  for (let i = 0; i < count; i++) positions[ends[kind[i]!]!++] = i * RECORD_WORDS;
  return ends;
}

/** Copies one word of the records at `positions[from, to)` to `scratch`. */
function gather(words: Uint32Array, word: number, from: number, to: number): void {
  for (let k = from; k < to; k++) scratch[k - from] = words[positions[k]! + word]!;
}

/**
 * Fills a batch from a raw payload of `count` records of a GIC with `peCount` PEs.
 * @throws GicTraceError `trace` if it is malformed, or a record names a PE that the GIC lacks.
 */
export function decodeChunk(raw: Uint8Array, count: number, batch: RecordBatch, peCount: number): void {
  const value = unpack(raw);
  if (!Array.isArray(value) || value.length !== 8) damaged('a chunk of records is malformed');
  const [kind, pe, flags, rule, times, line, cause, kinds] = value as unknown[];
  batch.clear();
  decodeColumn(kind, count, scratch);
  const byKind = new Uint32Array(256);
  for (let i = 0; i < count; i++) {
    if (scratch[i]! > 255) damaged('a record has an impossible kind');
    batch.kind[i] = scratch[i]!;
    byKind[scratch[i]!]!++;
  }
  decodeColumn(pe, count, scratch);
  for (let i = 0; i < count; i++) {
    if (scratch[i]! > peCount)
      damaged(`a record names PE ${scratch[i]! - 1}, but the header has ${peCount} PEs`);
    batch.pe[i] = scratch[i]! - 1;
  }
  decodeBytes(flags, count, batch.flags, 'flags');
  decodeBytes(rule, count, batch.rule, 'a rule');
  decodeTimes(times, batch, count);
  decodeColumn(line, count, batch.line);
  decodeColumn(cause, count, batch.cause);
  batch.words.fill(0, 0, count * RECORD_WORDS);
  if (!Array.isArray(kinds)) damaged('a chunk of records is malformed');
  let seen = 0;
  for (const entry of kinds as unknown[]) {
    if (
      !Array.isArray(entry) ||
      entry.length !== 2 ||
      !Number.isInteger(entry[0]) ||
      !Array.isArray(entry[1])
    )
      damaged('the columns of a kind are malformed');
    const [id, columns] = entry as [number, unknown[]];
    const { words, least, limits } = layoutOf(id);
    const n = byKind[id] ?? 0;
    if (columns.length < least || columns.length > words || n === 0)
      damaged('the columns of a kind do not fit its fields');
    byKind[id] = 0;
    seen += n;
    let k = 0;
    for (let i = 0; i < count; i++) if (batch.kind[i] === id) positions[k++] = i * RECORD_WORDS;
    for (let word = 0; word < columns.length; word++) {
      decodeColumn(columns[word], n, scratch);
      const limit = limits[word]!;
      for (k = 0; k < n; k++) {
        if (scratch[k]! > limit) damaged(`a record of kind ${id} has a field out of its range`);
        batch.words[positions[k]! + word] = scratch[k]!;
      }
    }
  }
  if (seen !== count) damaged('a chunk lacks the columns of a kind');
  batch.count = count;
}
