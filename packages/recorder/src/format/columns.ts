// Columns of unsigned 32-bit integers: a byte that names the encoding, then the values. The writer's choice is a
// function of the values alone, so equal values give equal bytes. Knows nothing of what the values mean.
import { GicTraceError } from '@gictrace/core';

/** First byte of an integer column. */
export const COLUMN_ENCODINGS = {
  /** One LEB128 value for all. */
  constant: 0,
  /** A byte each. */
  u8: 1,
  /** Two bytes each, little-endian. */
  u16: 2,
  /** Four bytes each, little-endian. */
  u32: 3,
  /** The 32-bit difference to the value before (0 before the first), zigzag, LEB128. */
  delta: 4,
  /** A byte: entries minus one; the entries as u32 little-endian; a byte each: which entry. */
  dictionary: 5,
} as const;

const DICTIONARY_MAX = 256;
const SLOTS = 1024;
const slotKey = new Uint32Array(SLOTS);
/** Entry number + 1; 0 where the slot is free. */
const slotEntry = new Uint16Array(SLOTS);
const entries = new Uint32Array(DICTIONARY_MAX);

/** Most bytes that a column of `count` values can take. */
export function columnBytesMax(count: number): number {
  return 16 + 4 * Math.max(count, DICTIONARY_MAX) + count;
}

/** Length of `value` (below 2^32) as LEB128. */
function leb128Bytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes `value` (an integer below 2^53) as LEB128 and answers where it ends. */
export function putLeb128(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    out[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[end++] = rest;
  return end;
}

/** Writes `count` values at `at` and answers where they end. */
export function encodeColumn(values: Uint32Array, count: number, out: Uint8Array, at: number): number {
  const first = values[0]!;
  let max = first;
  let same = true;
  let deltaBytes = 0;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value > max) max = value;
    if (value !== first) same = false;
    const d = (value - previous) | 0;
    deltaBytes += leb128Bytes(((d << 1) ^ (d >> 31)) >>> 0);
    previous = value;
  }
  if (same) {
    out[at] = COLUMN_ENCODINGS.constant;
    return putLeb128(out, at + 1, first);
  }
  let end = at + 1;
  if (max <= 0xff) {
    out[at] = COLUMN_ENCODINGS.u8;
    for (let i = 0; i < count; i++) out[end++] = values[i]!;
    return end;
  }
  const width = max <= 0xffff ? 2 : 4;
  const size = buildDictionary(values, count);
  const plainBytes = Math.min(deltaBytes, count * width);
  if (size > 0 && 1 + 4 * size + count < plainBytes) return putDictionary(values, count, size, out, at);
  if (deltaBytes < count * width) {
    out[at] = COLUMN_ENCODINGS.delta;
    previous = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      const d = (value - previous) | 0;
      let rest = ((d << 1) ^ (d >> 31)) >>> 0;
      while (rest >= 0x80) {
        out[end++] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      out[end++] = rest;
      previous = value;
    }
    return end;
  }
  out[at] = width === 2 ? COLUMN_ENCODINGS.u16 : COLUMN_ENCODINGS.u32;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    out[end++] = value;
    out[end++] = value >>> 8;
    if (width === 2) continue;
    out[end++] = value >>> 16;
    out[end++] = value >>> 24;
  }
  return end;
}

/** Collects the distinct values in order of appearance; 0 if there are more than a dictionary holds. */
function buildDictionary(values: Uint32Array, count: number): number {
  slotEntry.fill(0);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const slot = slotOf(value);
    if (slotEntry[slot] !== 0) continue;
    if (size === DICTIONARY_MAX) return 0;
    slotKey[slot] = value;
    entries[size++] = value;
    slotEntry[slot] = size;
  }
  return size;
}

/** The slot that holds `value`, or the free one where it belongs. Never full: 1,024 slots, 256 entries. */
function slotOf(value: number): number {
  let slot = Math.imul(value, 0x9e37_79b1) >>> 22;
  while (slotEntry[slot] !== 0 && slotKey[slot] !== value) slot = (slot + 1) & (SLOTS - 1);
  return slot;
}

function putDictionary(values: Uint32Array, count: number, size: number, out: Uint8Array, at: number): number {
  let end = at;
  out[end++] = COLUMN_ENCODINGS.dictionary;
  out[end++] = size - 1;
  for (let k = 0; k < size; k++) {
    const value = entries[k]!;
    out[end++] = value;
    out[end++] = value >>> 8;
    out[end++] = value >>> 16;
    out[end++] = value >>> 24;
  }
  for (let i = 0; i < count; i++) out[end++] = slotEntry[slotOf(values[i]!)]! - 1;
  return end;
}

/**
 * Reads a column of `count` values into `values` and answers the largest.
 * @throws GicTraceError `trace` if the bytes are not such a column, to the byte.
 */
export function decodeColumn(bytes: Uint8Array, values: Uint32Array, count: number): number {
  if (bytes.length < 2) damaged();
  let at = 1;
  let max = 0;
  switch (bytes[0]) {
    case COLUMN_ENCODINGS.constant: {
      const { value, end } = takeLeb128(bytes, 1);
      if (value > 0xffff_ffff || end !== bytes.length) damaged();
      values.fill(value, 0, count);
      return value;
    }
    case COLUMN_ENCODINGS.u8:
      if (bytes.length !== 1 + count) damaged();
      for (let i = 0; i < count; i++) {
        const value = bytes[at++]!;
        values[i] = value;
        if (value > max) max = value;
      }
      return max;
    case COLUMN_ENCODINGS.u16:
      if (bytes.length !== 1 + 2 * count) damaged();
      for (let i = 0; i < count; i++, at += 2) {
        const value = bytes[at]! | (bytes[at + 1]! << 8);
        values[i] = value;
        if (value > max) max = value;
      }
      return max;
    case COLUMN_ENCODINGS.u32:
      if (bytes.length !== 1 + 4 * count) damaged();
      for (let i = 0; i < count; i++, at += 4) {
        const value = word(bytes, at);
        values[i] = value;
        if (value > max) max = value;
      }
      return max;
    case COLUMN_ENCODINGS.delta:
      return decodeDelta(bytes, values, count);
    case COLUMN_ENCODINGS.dictionary: {
      const size = bytes[1]! + 1;
      at = 2 + 4 * size;
      if (bytes.length !== at + count) damaged();
      for (let k = 0; k < size; k++) {
        entries[k] = word(bytes, 2 + 4 * k);
        if (entries[k]! > max) max = entries[k]!;
      }
      for (let i = 0; i < count; i++) {
        const entry = bytes[at++]!;
        if (entry >= size) damaged();
        values[i] = entries[entry]!;
      }
      return max;
    }
    default:
      return damaged();
  }
}

function decodeDelta(bytes: Uint8Array, values: Uint32Array, count: number): number {
  const { length } = bytes;
  let at = 1;
  let value = 0;
  let max = 0;
  for (let i = 0; i < count; i++) {
    if (at >= length) damaged();
    let zigzag = bytes[at++]!;
    if (zigzag >= 0x80) {
      zigzag &= 0x7f;
      for (let shift = 7; ; shift += 7) {
        if (at >= length || shift > 28) damaged();
        const byte = bytes[at++]!;
        if (shift === 28 && byte > 0x0f) damaged();
        zigzag |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    value = (value + ((zigzag >>> 1) ^ -(zigzag & 1))) >>> 0;
    values[i] = value;
    if (value > max) max = value;
  }
  if (at !== length) damaged();
  return max;
}

/** The LEB128 value at `at` (below 2^53) and where it ends. */
export function takeLeb128(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let end = at; end < bytes.length && end < at + 8; end++) {
    const byte = bytes[end]!;
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte >= 0x80) continue;
    if (value > Number.MAX_SAFE_INTEGER) break;
    return { value, end: end + 1 };
  }
  return damaged();
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** For columns whose bytes say something impossible. */
export function damaged(what = 'a column does not hold what it should'): never {
  throw new GicTraceError('trace', what);
}
