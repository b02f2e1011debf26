// The parts of MessagePack that the adapter protocol uses: unsigned integers, booleans, text, arrays, and maps with text as
// keys. Writing makes whole frames; reading returns value by value and allocates nothing on the hot path.

/** Bytes of a frame's length, little-endian, in front of each message. */
export const LENGTH_BYTES = 4;
/** The longest message, in both directions. */
export const MESSAGE_BYTES_MAX = 65_536;
const DEPTH_MAX = 8;

/** The bytes that were read are not a message. */
export class WireError extends Error {}

/** What a value of a `hello` or `reset` can be. */
export type WireValue =
  | number
  | bigint
  | boolean
  | string
  | readonly WireValue[]
  | { readonly [key: string]: WireValue };

export class WireWriter {
  private buffer = Buffer.allocUnsafe(4096);
  private at = LENGTH_BYTES;

  /** Bytes of the message so far. */
  get length(): number {
    return this.at - LENGTH_BYTES;
  }

  /** Writes an integer from 0 to 2^53 - 1, or a bigint below 2^64. */
  uint(value: number | bigint): void {
    this.room(9);
    const { buffer } = this;
    if (typeof value === 'bigint' || value > 0xffff_ffff) {
      buffer[this.at] = 0xcf;
      buffer.writeBigUInt64BE(BigInt(value), this.at + 1);
      this.at += 9;
    } else if (value <= 0x7f) buffer[this.at++] = value;
    else if (value <= 0xff) {
      buffer[this.at] = 0xcc;
      buffer[this.at + 1] = value;
      this.at += 2;
    } else if (value <= 0xffff) {
      buffer[this.at] = 0xcd;
      buffer.writeUInt16BE(value, this.at + 1);
      this.at += 3;
    } else {
      buffer[this.at] = 0xce;
      buffer.writeUInt32BE(value, this.at + 1);
      this.at += 5;
    }
  }

  bool(value: boolean): void {
    this.room(1);
    this.buffer[this.at++] = value ? 0xc3 : 0xc2;
  }

  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.head(bytes.length, 0xa0, 31, 0xd9);
    this.room(bytes.length);
    bytes.copy(this.buffer, this.at);
    this.at += bytes.length;
  }

  /** Begins an array of `count` values, which follow. */
  array(count: number): void {
    this.head(count, 0x90, 15, undefined, 0xdc);
  }

  /** Begins a map of `count` pairs, which follow: each a text and a value. */
  map(count: number): void {
    this.head(count, 0x80, 15, undefined, 0xde);
  }

  /** Appends the values in another writer, which is then empty. */
  append(other: WireWriter): void {
    this.room(other.length);
    other.buffer.copy(this.buffer, this.at, LENGTH_BYTES, other.at);
    this.at += other.length;
    other.at = LENGTH_BYTES;
  }

  value(value: WireValue): void {
    if (typeof value === 'number' || typeof value === 'bigint') this.uint(value);
    else if (typeof value === 'boolean') this.bool(value);
    else if (typeof value === 'string') this.text(value);
    else if (Array.isArray(value)) {
      this.array(value.length);
      for (const item of value as readonly WireValue[]) this.value(item);
    } else {
      const entries = Object.entries(value);
      this.map(entries.length);
      for (const [key, member] of entries) {
        this.text(key);
        this.value(member);
      }
    }
  }

  /** The message with its length in front, in a buffer of its own. The writer is empty again. */
  frame(): Buffer {
    this.buffer.writeUInt32LE(this.length, 0);
    const frame = Buffer.from(this.buffer.subarray(0, this.at));
    this.at = LENGTH_BYTES;
    return frame;
  }

  private head(count: number, fix: number, fixMax: number, one?: number, two = 0xda): void {
    this.room(3);
    if (count <= fixMax) this.buffer[this.at++] = fix | count;
    else if (one !== undefined && count <= 0xff) {
      this.buffer[this.at] = one;
      this.buffer[this.at + 1] = count;
      this.at += 2;
    } else {
      this.buffer[this.at] = two;
      this.buffer.writeUInt16BE(count, this.at + 1);
      this.at += 3;
    }
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const more = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(more, 0, 0, this.at);
    this.buffer = more;
  }
}

export class WireReader {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private end = 0;
  private start = 0;

  /** Reads the message in `bytes` from `from` to before `to`. */
  reset(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes;
    this.start = from;
    this.at = from;
    this.end = to;
  }

  /** Whether all of the message has been read. */
  get done(): boolean {
    return this.at === this.end;
  }

  /** An unsigned integer below 2^32. */
  uint(): number {
    const code = this.byte('an unsigned integer');
    if (code <= 0x7f) return code;
    switch (code) {
      case 0xcc:
        return this.bytes[this.take(1)]!;
      case 0xcd:
        return this.bytes.readUInt16BE(this.take(2));
      case 0xce:
        return this.bytes.readUInt32BE(this.take(4));
      case 0xcf: {
        const at = this.take(8);
        if (this.bytes.readUInt32BE(at) !== 0) this.fail('an integer of more than 32 bits', at - 1);
        return this.bytes.readUInt32BE(at + 4);
      }
      default:
        return this.fail(`byte 0x${hex(code)} where an unsigned integer should be`, this.at - 1);
    }
  }

  /** The length of an array, whose values follow. */
  array(): number {
    const code = this.byte('an array');
    let count: number;
    if (code >= 0x90 && code <= 0x9f) count = code & 0x0f;
    else if (code === 0xdc) count = this.bytes.readUInt16BE(this.take(2));
    else if (code === 0xdd) count = this.bytes.readUInt32BE(this.take(4));
    else return this.fail(`byte 0x${hex(code)} where an array should be`, this.at - 1);
    // Each value takes at least one byte.
    if (count > this.end - this.at) this.fail(`an array of ${count} values that are not there`, this.at - 1);
    return count;
  }

  text(): string {
    const code = this.byte('text');
    let length: number;
    if (code >= 0xa0 && code <= 0xbf) length = code & 0x1f;
    else if (code === 0xd9) length = this.bytes[this.take(1)]!;
    else if (code === 0xda) length = this.bytes.readUInt16BE(this.take(2));
    else return this.fail(`byte 0x${hex(code)} where text should be`, this.at - 1);
    const at = this.take(length);
    return this.bytes.toString('utf8', at, at + length);
  }

  /** Any value: a map becomes an object without a prototype, an integer above 2^53 a bigint. */
  value(depth = 0): WireValue {
    if (depth > DEPTH_MAX) this.fail('values nested too deep', this.at);
    const code = this.peek();
    if (code === 0xc2 || code === 0xc3) {
      this.at++;
      return code === 0xc3;
    }
    if ((code >= 0xa0 && code <= 0xbf) || code === 0xd9 || code === 0xda) return this.text();
    if ((code >= 0x90 && code <= 0x9f) || code === 0xdc || code === 0xdd)
      return Array.from({ length: this.array() }, () => this.value(depth + 1));
    if ((code >= 0x80 && code <= 0x8f) || code === 0xde) {
      this.at++;
      const count = code === 0xde ? this.bytes.readUInt16BE(this.take(2)) : code & 0x0f;
      const map: Record<string, WireValue> = Object.create(null) as Record<string, WireValue>;
      for (let k = 0; k < count; k++) {
        const key = this.text();
        map[key] = this.value(depth + 1);
      }
      return map;
    }
    if (code === 0xcf) {
      this.at++;
      const value = this.bytes.readBigUInt64BE(this.take(8));
      return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
    }
    return this.uint();
  }

  fail(what: string, at: number): never {
    throw new WireError(`${what} at byte ${at - this.start} of the message`);
  }

  private peek(): number {
    if (this.at >= this.end) this.fail('the end of the message where a value should be', this.at);
    return this.bytes[this.at]!;
  }

  private byte(what: string): number {
    if (this.at >= this.end) this.fail(`the end of the message where ${what} should be`, this.at);
    return this.bytes[this.at++]!;
  }

  private take(count: number): number {
    const at = this.at;
    if (at + count > this.end) this.fail('a value that is cut off', at);
    this.at += count;
    return at;
  }
}

function hex(code: number): string {
  return code.toString(16).padStart(2, '0');
}

/** Splits a stream of bytes into messages. It keeps at most one message. */
export class FrameSplitter {
  private held: Buffer = Buffer.alloc(0);
  private readonly message: (bytes: Buffer, from: number, to: number) => void;

  constructor(message: (bytes: Buffer, from: number, to: number) => void) {
    this.message = message;
  }

  /** Bytes of an incomplete message. */
  get rest(): number {
    return this.held.length;
  }

  /** Takes bytes as they come. @throws WireError for an impossible length. */
  take(chunk: Buffer): void {
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length === 0 || length > MESSAGE_BYTES_MAX) {
        const text = bytes.toString('latin1', at, Math.min(bytes.length, at + 40)).replace(/[^ -~]/g, '.');
        throw new WireError(`${length} as the length of a message (bytes '${text}')`);
      }
      if (bytes.length - at < LENGTH_BYTES + length) break;
      const from = at + LENGTH_BYTES;
      at = from + length;
      this.message(bytes, from, at);
    }
    this.held = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  }
}
