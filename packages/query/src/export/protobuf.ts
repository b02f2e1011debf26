// The parts of the protobuf wire format that exports need: varints, fixed integers, strings, nested messages.
// It knows no schema.
// https://protobuf.dev/programming-guides/encoding: a tag is (field << 3) | wire type, 0 varint, 1 of 64 bits,
// 2 length-delimited.
import { invariant } from '@gictrace/core';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
/** Bytes reserved for the length of a nested message: a padded varint of 28 bits, which every decoder accepts. */
const LENGTH_BYTES = 4;

/** Writes messages one after another into a growing buffer. */
export class ProtobufWriter {
  private bytes = Buffer.allocUnsafe(1 << 16);
  private at = 0;

  /** Bytes written since the last {@link take}. */
  get length(): number {
    return this.at;
  }

  /** Writes a field of type uint32, uint64, int64, bool or enum: an integer from 0 to 2^53 - 1. */
  uint(field: number, value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, `a varint of ${value}`);
    this.room(20);
    this.varint(field * 8 + VARINT);
    this.varint(value);
    return this;
  }

  /** Writes a field of type fixed64: an integer from 0 to 2^53 - 1. */
  fixed64(field: number, value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, `a fixed64 of ${value}`);
    this.room(20);
    this.varint(field * 8 + FIXED64);
    this.bytes.writeUInt32LE(value % 2 ** 32, this.at);
    this.bytes.writeUInt32LE(Math.floor(value / 2 ** 32), this.at + 4);
    this.at += 8;
    return this;
  }

  string(field: number, text: string): this {
    const length = Buffer.byteLength(text);
    this.room(length + 20);
    this.varint(field * 8 + LENGTH_DELIMITED);
    this.varint(length);
    this.at += this.bytes.write(text, this.at);
    return this;
  }

  /** Writes a nested message, whose fields `fill` writes. */
  message(field: number, fill: () => void): this {
    this.room(20);
    this.varint(field * 8 + LENGTH_DELIMITED);
    const start = this.at;
    this.at += LENGTH_BYTES;
    fill();
    const length = this.at - start - LENGTH_BYTES;
    invariant(length < 2 ** 28, `a message of ${length} bytes`);
    for (let k = 0; k < LENGTH_BYTES; k++)
      this.bytes[start + k] = ((length >>> (7 * k)) & 0x7f) | (k < LENGTH_BYTES - 1 ? 0x80 : 0);
    return this;
  }

  /** Returns what was written. The next write overwrites it. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.at);
    this.at = 0;
    return taken;
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.at++] = rest;
  }

  private room(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, this.at + more));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}
