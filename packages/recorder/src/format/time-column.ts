// The column of times: nanoseconds as integers, in differences of a unit that the chunk's times share (sources
// seldom resolve nanoseconds). What is no integer is stored as it is; unknown (NaN) stays unknown.
import { damaged, putLeb128, takeLeb128 } from './columns.ts';

/** First byte of a time column. */
export const TIME_ENCODINGS = {
  /** No record has a time. */
  unknown: 0,
  /** Unit (LEB128), then for each record the zigzag LEB128 of (time − time before) / unit; 0 before the first. */
  delta: 1,
  /** As `delta`, after a bit for each record (bit i % 8 of byte i / 8): it has a time. The others are left out. */
  sparse: 2,
  /** Float 64 little-endian each. */
  float: 3,
} as const;

/** Largest magnitude of a time that is stored as an integer: differences of two stay safe integers, zigzag too. */
const INTEGER_MAX = 2 ** 50;

/** Most bytes that a column of `count` times can take. */
export function timeBytesMax(count: number): number {
  return 16 + 9 * count;
}

/** Writes `count` times at `at` and answers where they end. −0 is stored as 0. */
export function encodeTimes(times: Float64Array, count: number, out: Buffer, at: number): number {
  let known = 0;
  let unit = 0;
  let previous = 0;
  let integers = true;
  for (let i = 0; i < count && integers; i++) {
    const time = times[i]!;
    if (Number.isNaN(time)) continue;
    known++;
    integers = Number.isInteger(time) && Math.abs(time) <= INTEGER_MAX;
    if (unit !== 1) unit = divisor(unit, Math.abs(time - previous));
    previous = time;
  }
  let end = at;
  if (!integers) {
    out[end++] = TIME_ENCODINGS.float;
    for (let i = 0; i < count; i++) {
      // One bit pattern for every NaN, else equal traces could differ.
      end = out.writeDoubleLE(Number.isNaN(times[i]!) ? Number.NaN : times[i]! + 0, end);
    }
    return end;
  }
  if (known === 0) {
    out[end++] = TIME_ENCODINGS.unknown;
    return end;
  }
  out[end++] = known === count ? TIME_ENCODINGS.delta : TIME_ENCODINGS.sparse;
  if (known < count) end = putPresence(times, count, out, end);
  const divide = Math.max(unit, 1);
  end = putLeb128(out, end, divide);
  previous = 0;
  for (let i = 0; i < count; i++) {
    const time = times[i]!;
    if (Number.isNaN(time)) continue;
    const d = (time - previous) / divide;
    end = putLeb128(out, end, d < 0 ? -2 * d - 1 : 2 * d);
    previous = time;
  }
  return end;
}

function putPresence(times: Float64Array, count: number, out: Buffer, at: number): number {
  const end = at + Math.ceil(count / 8);
  out.fill(0, at, end);
  for (let i = 0; i < count; i++) if (!Number.isNaN(times[i]!)) out[at + (i >> 3)]! |= 1 << (i & 7);
  return end;
}

/** Greatest common divisor of two integers, 0 being no constraint. */
function divisor(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y !== 0) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return x;
}

/**
 * Reads `count` times.
 * @throws GicTraceError `trace` if the bytes are no such column, to the byte.
 */
export function decodeTimes(bytes: Buffer, times: Float64Array, count: number): void {
  if (bytes.length === 0) damaged();
  switch (bytes[0]) {
    case TIME_ENCODINGS.unknown:
      if (bytes.length !== 1) damaged();
      times.fill(Number.NaN, 0, count);
      return;
    case TIME_ENCODINGS.delta:
      decodeDeltas(bytes, 1, times, count, false);
      return;
    case TIME_ENCODINGS.sparse:
      decodeDeltas(bytes, 1 + Math.ceil(count / 8), times, count, true);
      return;
    case TIME_ENCODINGS.float:
      if (bytes.length !== 1 + 8 * count) damaged();
      for (let i = 0; i < count; i++) times[i] = bytes.readDoubleLE(1 + 8 * i);
      return;
    default:
      damaged();
  }
}

function decodeDeltas(bytes: Buffer, from: number, times: Float64Array, count: number, sparse: boolean): void {
  const { value: unit, end } = takeLeb128(bytes, from);
  let at = end;
  let time = 0;
  for (let i = 0; i < count; i++) {
    if (sparse && ((bytes[1 + (i >> 3)]! >> (i & 7)) & 1) === 0) {
      times[i] = Number.NaN;
      continue;
    }
    let zigzag = at < bytes.length ? bytes[at]! : 0x80;
    if (zigzag < 0x80) at++;
    else ({ value: zigzag, end: at } = takeLeb128(bytes, at));
    const d = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    time += d * unit;
    if (!Number.isSafeInteger(time)) damaged();
    times[i] = time;
  }
  if (at !== bytes.length) damaged();
}
