// The bytes around payloads: file prefix, frame header, trailer. All integers are little-endian. Parsing returns undefined
// for invalid bytes, because only the caller knows whether that is an error.
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

/** The contents of a frame header. Lengths are in bytes; CRCs are computed as zlib does. */
export interface Frame {
  readonly type: number;
  readonly compression: number;
  /** Format version of the trace. */
  readonly version: number;
  readonly storedLength: number;
  readonly rawLength: number;
  /** Number of the first record in the payload; for other payloads, of the record that follows. */
  readonly firstRecord: number;
  /** The number of records in the payload; 0 for other frames. */
  readonly count: number;
  /** CRC-32 of the header's raw payload, which differs between traces. */
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

/** Parses the prefix. `magic` distinguishes a damaged trace from a file that is not a trace. */
export function parsePrefix(bytes: Buffer): { magic: boolean; version: number | undefined } {
  const magic = startsWith(bytes, MAGIC);
  const whole =
    magic && bytes.length >= PREFIX_BYTES && bytes.readUInt32LE(12) === crc32(bytes.subarray(0, 12));
  return { magic, version: whole ? bytes.readUInt16LE(8) : undefined };
}

/** Writes a frame header to `out`, which has {@link FRAME_BYTES}. */
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

/** A valid and plausible frame header, or undefined. */
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

/** Headers and footers are small or compress little; anything larger is a decompression bomb. */
const MAP_BYTES = 1024 * 1024;
const MAP_RATIO = 64;

/** Whether lengths and counts are below the limits. A correct CRC does not prove this, because anyone can compute one. */
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
  /** Byte offset of the footer frame. */
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

/** A valid trailer, or undefined. */
export function parseTrailer(bytes: Buffer): Trailer | undefined {
  if (bytes.length !== TRAILER_BYTES || !startsWith(bytes.subarray(16), END_MAGIC)) return undefined;
  if (bytes.readUInt32LE(12) !== crc32(bytes.subarray(0, 12))) return undefined;
  const footerOffset = bytes.readBigUInt64LE(0);
  if (footerOffset > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { footerOffset: Number(footerOffset), traceId: bytes.readUInt32LE(8) };
}
