// The bytes around payloads: file prefix, frame header, trailer. All integers little-endian. Parsing answers
// undefined for bytes that are not what they should be: the caller knows whether that is an error.
import { crc32 } from 'node:zlib';
import {
  CHUNK_RECORDS_MAX,
  COMPRESSIONS,
  END_MAGIC,
  FRAME_BYTES,
  FRAME_TYPES,
  MAGIC,
  PREFIX_BYTES,
  payloadBytesMax,
  RECORDS_MAX,
  SYNC,
  TRAILER_BYTES,
} from './constants.ts';

/** What a frame header says. Lengths in bytes; CRCs are those of zlib. */
export interface Frame {
  readonly type: number;
  readonly compression: number;
  /** Format version of the trace. */
  readonly version: number;
  readonly storedLength: number;
  readonly rawLength: number;
  /** Number of the first record in the payload; for other payloads, of the record that follows. */
  readonly firstRecord: number;
  /** Records in the payload; 0 for anything but records. */
  readonly count: number;
  /** CRC-32 of the header's raw payload: a frame of another trace has another one. */
  readonly traceId: number;
  readonly payloadCrc: number;
}

const startsWith = (bytes: Buffer, magic: Uint8Array): boolean =>
  bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);

/** The first {@link PREFIX_BYTES} of a trace. */
export function encodePrefix(version: number): Buffer {
  const out = Buffer.alloc(PREFIX_BYTES);
  out.set(MAGIC);
  out.writeUInt16LE(version, 8);
  out.writeUInt32LE(crc32(out.subarray(0, 12)), 12);
  return out;
}

/** `magic` tells a damaged trace from a file that is no trace at all. */
export function parsePrefix(bytes: Buffer): { magic: boolean; version: number | undefined } {
  const magic = startsWith(bytes, MAGIC);
  const whole =
    magic && bytes.length >= PREFIX_BYTES && bytes.readUInt32LE(12) === crc32(bytes.subarray(0, 12));
  return { magic, version: whole ? bytes.readUInt16LE(8) : undefined };
}

/** A frame header; `out` has {@link FRAME_BYTES}. */
export function encodeFrame(frame: Frame, out: Buffer): void {
  out.set(SYNC);
  out.writeUInt8(frame.type, 4);
  out.writeUInt8(frame.compression, 5);
  out.writeUInt16LE(frame.version, 6);
  out.writeUInt32LE(frame.storedLength, 8);
  out.writeUInt32LE(frame.rawLength, 12);
  out.writeBigUInt64LE(BigInt(frame.firstRecord), 16);
  out.writeUInt32LE(frame.count, 24);
  out.writeUInt32LE(frame.traceId, 28);
  out.writeUInt32LE(frame.payloadCrc, 32);
  out.writeUInt32LE(crc32(out.subarray(0, 36)), 36);
}

/** A whole and plausible frame header, or undefined. */
export function parseFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < FRAME_BYTES || !startsWith(bytes, SYNC)) return undefined;
  if (bytes.readUInt32LE(36) !== crc32(bytes.subarray(0, 36))) return undefined;
  const frame: Frame = {
    type: bytes.readUInt8(4),
    compression: bytes.readUInt8(5),
    version: bytes.readUInt16LE(6),
    storedLength: bytes.readUInt32LE(8),
    rawLength: bytes.readUInt32LE(12),
    firstRecord: Number(bytes.readBigUInt64LE(16)),
    count: bytes.readUInt32LE(24),
    traceId: bytes.readUInt32LE(28),
    payloadCrc: bytes.readUInt32LE(32),
  };
  return plausible(frame) ? frame : undefined;
}

/** Header and footer are small or compress little: more than this is a bomb. */
const MAP_BYTES = 1024 * 1024;
const MAP_RATIO = 64;

/** Whether lengths and counts stay under the caps. A right CRC proves nothing about that: anyone can write one. */
export function plausible(frame: Frame): boolean {
  const cap = payloadBytesMax(frame.type);
  const records = frame.type === FRAME_TYPES.records;
  return (
    frame.compression <= COMPRESSIONS.brotli &&
    frame.rawLength <= cap &&
    (records ||
      frame.type === FRAME_TYPES.snapshot ||
      frame.rawLength <= MAP_BYTES + MAP_RATIO * frame.storedLength) &&
    frame.storedLength <= frame.rawLength &&
    (frame.compression !== COMPRESSIONS.none || frame.storedLength === frame.rawLength) &&
    (records ? frame.count >= 1 && frame.count <= CHUNK_RECORDS_MAX : frame.count === 0) &&
    frame.firstRecord + frame.count <= RECORDS_MAX
  );
}

export interface Trailer {
  /** Byte offset of the footer's frame. */
  readonly footerOffset: number;
  readonly traceId: number;
}

/** The last {@link TRAILER_BYTES} of a trace. */
export function encodeTrailer(trailer: Trailer): Buffer {
  const out = Buffer.alloc(TRAILER_BYTES);
  out.writeBigUInt64LE(BigInt(trailer.footerOffset), 0);
  out.writeUInt32LE(trailer.traceId, 8);
  out.writeUInt32LE(crc32(out.subarray(0, 12)), 12);
  out.set(END_MAGIC, 16);
  return out;
}

/** A whole trailer, or undefined. */
export function parseTrailer(bytes: Buffer): Trailer | undefined {
  if (bytes.length !== TRAILER_BYTES || !startsWith(bytes.subarray(16), END_MAGIC)) return undefined;
  if (bytes.readUInt32LE(12) !== crc32(bytes.subarray(0, 12))) return undefined;
  const footerOffset = bytes.readBigUInt64LE(0);
  if (footerOffset > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { footerOffset: Number(footerOffset), traceId: bytes.readUInt32LE(8) };
}
