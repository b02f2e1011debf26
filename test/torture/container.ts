// A trace file taken apart into frames and put together again with correct checksums, digests and offsets, whatever its
// frames hold. For hostile traces only: packages/recorder/src/trace writes proper ones.
import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import { RecordBatch, recordName } from '@gictrace/core/record';
import { decodeChunk } from '../../packages/recorder/src/trace/columns.ts';
import {
  CHUNK_RECORDS_MAX,
  COMPRESSIONS,
  FORMAT_VERSION,
  FRAME_BYTES,
  FRAME_TYPES,
  PREFIX_BYTES,
  TRAILER_BYTES,
} from '../../packages/recorder/src/trace/constants.ts';
import { SemanticDigest } from '../../packages/recorder/src/trace/digest.ts';
import {
  encodeFrame,
  encodePrefix,
  encodeTrailer,
  type Frame,
  parseFrame,
} from '../../packages/recorder/src/trace/frame.ts';
import { type Packable, pack, unpack } from '../../packages/recorder/src/trace/msgpack.ts';

/** Most PEs of any GIC: a hostile record may name one that its header lacks. */
const PES_MAX = 512;

/** A frame of a trace, uncompressed. `over` replaces what its head would say. */
export interface Part {
  type: number;
  raw: Uint8Array;
  count: number;
  over?: Partial<Frame>;
}

export type Data = { [key: string]: unknown };

/** A trace: its header and footer as data, and the frames between them. */
export interface Parts {
  header: Data;
  footer: Data;
  parts: Part[];
}

export function takeApart(bytes: Buffer): Parts {
  const parts: Part[] = [];
  let header: Data = {};
  let footer: Data = {};
  for (let at = PREFIX_BYTES; at < bytes.length - TRAILER_BYTES; ) {
    const frame = parseFrame(bytes.subarray(at, at + FRAME_BYTES));
    if (frame === undefined) throw new Error(`no frame at byte ${at}`);
    const stored = bytes.subarray(at + FRAME_BYTES, at + FRAME_BYTES + frame.storedLength);
    const raw = frame.compression === COMPRESSIONS.none ? stored : brotliDecompressSync(stored);
    if (frame.type === FRAME_TYPES.header) header = unpack(raw) as Data;
    else if (frame.type === FRAME_TYPES.footer) footer = unpack(raw) as Data;
    else parts.push({ type: frame.type, raw, count: frame.count });
    at += FRAME_BYTES + frame.storedLength;
  }
  return { header, footer, parts };
}

/** Puts a trace together. `spoil` may change the footer at the end. */
export function putTogether(
  { header, footer, parts }: Parts,
  spoil: (footer: Data) => void = () => undefined,
): Buffer {
  const raw = pack(header as Packable);
  const traceId = crc32(raw);
  const pieces: Uint8Array[] = [encodePrefix(FORMAT_VERSION)];
  let offset = PREFIX_BYTES;
  const write = (part: Part, firstRecord: number) => {
    const packed = brotliCompressSync(part.raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
    const isSmaller = packed.length < part.raw.length;
    const stored = isSmaller ? packed : part.raw;
    const head = Buffer.alloc(FRAME_BYTES);
    encodeFrame(
      {
        type: part.type,
        compression: isSmaller ? COMPRESSIONS.brotli : COMPRESSIONS.none,
        version: FORMAT_VERSION,
        storedLength: stored.length,
        rawLength: part.raw.length,
        firstRecord,
        count: part.count,
        traceId,
        payloadCrc: crc32(stored),
        ...part.over,
      },
      head,
    );
    pieces.push(head, stored);
    const at = offset;
    offset += FRAME_BYTES + stored.length;
    return at;
  };
  write({ type: FRAME_TYPES.header, raw, count: 0 }, 0);
  const content = createHash('sha256').update(raw);
  const semantic = new SemanticDigest();
  const batch = new RecordBatch(CHUNK_RECORDS_MAX);
  const kinds: Record<string, number> = {};
  const chunks: unknown[] = [];
  const snapshots: unknown[] = [];
  const digests = ((footer.snapshots ?? []) as unknown[][]).map((entry) => entry[2]);
  let next = 0;
  for (const part of parts) {
    const at = write(part, next);
    if (part.type === FRAME_TYPES.records) {
      content.update(part.raw);
      try {
        decodeChunk(part.raw, part.count, batch, PES_MAX);
        semantic.add(batch);
        for (let i = 0; i < batch.count; i++) {
          const name = recordName(batch.kind[i]!) ?? `${batch.kind[i]}`;
          kinds[name] = (kinds[name] ?? 0) + 1;
        }
      } catch {
        // A chunk that cannot be decoded is what the reader shall find.
      }
      chunks.push([at, next, part.count, null, null, '0x1']);
      next += part.count;
    } else if (part.type === FRAME_TYPES.snapshot)
      snapshots.push([
        at,
        next,
        digests[snapshots.length] ?? createHash('sha256').update(part.raw).digest('hex'),
      ]);
  }
  const end: Data = {
    ...footer,
    ...{ records: next, chunks, snapshots, kinds },
    ...{ contentDigest: content.digest('hex'), semanticDigest: semantic.finish() },
  };
  spoil(end);
  const footerOffset = write({ type: FRAME_TYPES.footer, raw: pack(end as Packable), count: 0 }, next);
  pieces.push(encodeTrailer({ footerOffset, traceId }));
  return Buffer.concat(pieces);
}
