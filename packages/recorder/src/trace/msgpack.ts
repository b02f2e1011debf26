// Converts payloads to bytes and back: MessagePack without extensions. `canonical` puts the members of maps in one order, so
// that equal values give equal bytes. Reading checks each length against the bytes that are left, so that a hostile one
// allocates nothing.
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
 * A copy with the members of every map in one order (names that are array indices first, by number; then by code units), so
 * that equal values give equal bytes; members that are undefined are left out.
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
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) malformed();
  return value;
}

/**
 * The value in `bytes`, which `canonical` takes. Throws a GicTraceError (`trace`) for anything else, as for bytes, for integers
 * of 64 bits and for numbers that are not finite.
 */
export function unpackJson(bytes: Uint8Array): Json {
  const value = unpack(bytes);
  if (isJson(value)) return value;
  throw new GicTraceError('trace', 'a payload has a value that neither a header nor a footer can have');
}

function isJson(value: unknown): value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return typeof value === 'object' && !(value instanceof Uint8Array) && Object.values(value).every(isJson);
}

function malformed(): never {
  throw new GicTraceError('trace', 'a payload is not well-formed MessagePack');
}

/** Reads values one after the other. No byte is read and nothing is allocated before it is certain that the bytes exist. */
class Reader {
  at = 0;
  private readonly bytes: Buffer;
  private readonly source: Uint8Array;

  constructor(source: Uint8Array) {
    this.source = source;
    this.bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  }

  value(depth: number): unknown {
    if (depth >= DEPTH_MAX) malformed();
    const code = this.bytes[this.take(1)]!;
    if (code <= 0x7f) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code <= 0x8f) return this.map(code & 0x0f, depth);
    if (code <= 0x9f) return this.array(code & 0x0f, depth);
    if (code <= 0xbf) return this.text(code & 0x1f);
    const { bytes } = this;
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.binary(this.length(1));
      case 0xc5:
        return this.binary(this.length(2));
      case 0xc6:
        return this.binary(this.length(4));
      case 0xca:
        return bytes.readFloatBE(this.take(4));
      case 0xcb:
        return bytes.readDoubleBE(this.take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.length(1 << (code - 0xcc));
      case 0xcf:
        return bytes.readBigUInt64BE(this.take(8));
      case 0xd0:
        return bytes.readInt8(this.take(1));
      case 0xd1:
        return bytes.readInt16BE(this.take(2));
      case 0xd2:
        return bytes.readInt32BE(this.take(4));
      case 0xd3:
        return bytes.readBigInt64BE(this.take(8));
      case 0xd9:
        return this.text(this.length(1));
      case 0xda:
        return this.text(this.length(2));
      case 0xdb:
        return this.text(this.length(4));
      case 0xdc:
        return this.array(this.length(2), depth);
      case 0xdd:
        return this.array(this.length(4), depth);
      case 0xde:
        return this.map(this.length(2), depth);
      case 0xdf:
        return this.map(this.length(4), depth);
      default: // 0xc1 is never used; extensions are not part of the format
        return malformed();
    }
  }

  /** Passes over bytes, and returns where they begin. */
  private take(count: number): number {
    const from = this.at;
    if (count > this.bytes.length - from) malformed();
    this.at = from + count;
    return from;
  }

  /** An unsigned number of 1, 2 or 4 bytes. */
  private length(width: number): number {
    return this.bytes.readUIntBE(this.take(width), width);
  }

  private text(count: number): string {
    const from = this.take(count);
    return this.bytes.toString('utf8', from, from + count);
  }

  private binary(count: number): Uint8Array {
    const from = this.take(count);
    return this.source.subarray(from, from + count);
  }

  private array(count: number, depth: number): unknown[] {
    this.checkCount(count);
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    return items;
  }

  private map(count: number, depth: number): Record<string, unknown> {
    this.checkCount(2 * count);
    const members: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') malformed();
      // A member of this name would be the prototype.
      members[key === '__proto__' ? '__proto_' : (key as string)] = this.value(depth + 1);
    }
    return members;
  }

  /** Each item takes a byte at least: a length that cannot be true is refused before anything is read for it. */
  private checkCount(items: number): void {
    if (items > this.bytes.length - this.at) malformed();
  }
}
