// Converts payloads to bytes and back: MessagePack without extensions, with sorted keys. Reading first checks the whole
// structure against the bytes, so that a hostile length allocates nothing.
import { GicTraceError, invariant } from '@gictrace/core';
import { Packr } from 'msgpackr';

/** What a payload may contain. */
export type Packable =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Packable[]
  | { readonly [key: string]: Packable };

/** What a header's options and a footer's meta may contain. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const packr = new Packr({
  // msgpackr's records and structures would be silently corrupted across files; the other options would write extensions.
  useRecords: false,
  moreTypes: false,
  structuredClone: false,
  bundleStrings: false,
  encodeUndefinedAsNil: true,
  int64AsType: 'bigint',
});

/** Most levels of arrays and maps in a payload. */
const DEPTH_MAX = 32;

/**
 * Bytes of a value. The result may be a view on a shared buffer: use it before the next call.
 * Integers of 2^32 and above are written as float 64, exact below 2^53.
 */
export function pack(value: Packable): Buffer {
  return packr.pack(value);
}

/**
 * A copy with the keys of every map in code-unit order, so that equal values give equal bytes; members that
 * are undefined are left out.
 */
export function canonical(value: unknown, depth = 0): Packable {
  invariant(depth < DEPTH_MAX, 'a value for a trace is nested too deep');
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    invariant(Number.isFinite(value), 'a number for a trace is not finite');
    return value;
  }
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item) => canonical(item, depth + 1));
  invariant(typeof value === 'object', `a ${typeof value} cannot be stored in a trace`);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, canonical(member, depth + 1)]));
}

/** The value in `bytes`, all of them. Throws a GicTraceError (`trace`) for anything else. */
export function unpack(bytes: Uint8Array): unknown {
  const end = skipValue(bytes, 0, 0);
  if (end !== bytes.length) malformed();
  try {
    return packr.unpack(bytes);
  } catch {
    return malformed();
  }
}

function malformed(): never {
  throw new GicTraceError('trace', 'a payload is not well-formed MessagePack');
}

/** Returns the end of the value at `at`, after checking that all its bytes exist. */
function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  if (at >= bytes.length || depth > DEPTH_MAX) malformed();
  const code = bytes[at]!;
  if (code <= 0x7f || code >= 0xe0) return at + 1;
  if (code <= 0x8f) return skipItems(bytes, at + 1, code & 0x0f, true, depth);
  if (code <= 0x9f) return skipItems(bytes, at + 1, code & 0x0f, false, depth);
  if (code <= 0xbf) return within(bytes, at + 1 + (code & 0x1f));
  switch (code) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1;
    case 0xc4: // bin 8, 16, 32
    case 0xd9: // str 8, 16, 32
      return within(bytes, at + 2 + length(bytes, at + 1, 1));
    case 0xc5:
    case 0xda:
      return within(bytes, at + 3 + length(bytes, at + 1, 2));
    case 0xc6:
    case 0xdb:
      return within(bytes, at + 5 + length(bytes, at + 1, 4));
    case 0xcc: // uint 8, int 8
    case 0xd0:
      return within(bytes, at + 2);
    case 0xcd:
    case 0xd1:
      return within(bytes, at + 3);
    case 0xca: // float 32
    case 0xce:
    case 0xd2:
      return within(bytes, at + 5);
    case 0xcb: // float 64
    case 0xcf:
    case 0xd3:
      return within(bytes, at + 9);
    case 0xdc: // array 16, 32
      return skipItems(bytes, at + 3, length(bytes, at + 1, 2), false, depth);
    case 0xdd:
      return skipItems(bytes, at + 5, length(bytes, at + 1, 4), false, depth);
    case 0xde: // map 16, 32
      return skipItems(bytes, at + 3, length(bytes, at + 1, 2), true, depth);
    case 0xdf:
      return skipItems(bytes, at + 5, length(bytes, at + 1, 4), true, depth);
    default: // 0xc1 is never used; extensions are not part of the format
      return malformed();
  }
}

function skipItems(bytes: Uint8Array, from: number, items: number, map: boolean, depth: number): number {
  let at = within(bytes, from);
  // Each item takes a byte at least: a length that cannot be true is refused before anyone allocates for it.
  if (items * (map ? 2 : 1) > bytes.length - at) malformed();
  for (let i = 0; i < items; i++) {
    if (map) {
      const key = bytes[at]!;
      if (!((key >= 0xa0 && key <= 0xbf) || (key >= 0xd9 && key <= 0xdb))) malformed();
      at = skipValue(bytes, at, depth + 1);
    }
    at = skipValue(bytes, at, depth + 1);
  }
  return at;
}

function length(bytes: Uint8Array, at: number, width: number): number {
  within(bytes, at + width);
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function within(bytes: Uint8Array, end: number): number {
  if (end > bytes.length) malformed();
  return end;
}
