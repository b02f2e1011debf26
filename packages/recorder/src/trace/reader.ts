// Reads a trace: complete ones through their footer, in order or from any record; damaged ones by a scan that keeps every
// intact chunk and reports what is missing. Only one chunk at a time and the table of chunks are in memory.
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { brotliDecompressSync, crc32 } from 'node:zlib';
import { GicTraceError } from '@gictrace/core';
import { RecordBatch, recordName } from '@gictrace/core/record';
import { openRegular } from '../input/index.ts';
import { decodeChunk } from './columns.ts';
import {
  CHUNK_RECORDS_MAX,
  COMPRESSIONS,
  FRAME_BYTES,
  FRAME_TYPES,
  HINT,
  PREFIX_BYTES,
  SYNC,
  TRAILER_BYTES,
} from './constants.ts';
import { SemanticDigest } from './digest.ts';
import { type Frame, parseFrame, parsePrefix, parseTrailer } from './frame.ts';
import {
  type AnyTraceHeader,
  type ChunkEntry,
  decodeFooter,
  decodeHeader,
  type Gicv5TraceHeader,
  isGicv5Header,
  type TraceFooter,
  type TraceHeader,
} from './header.ts';
import { checkVersion, upcast } from './versions.ts';

const SCAN_BYTES = 1 << 20;

/** A part that is missing in a damaged trace. */
export interface Gap {
  readonly firstRecord: number;
  /** The number of missing records; undefined if nothing after them reveals it. */
  readonly count: number | undefined;
  /** Byte range in which they were. */
  readonly from: number;
  readonly to: number;
}

export interface Damage {
  /** Whether the trace has an intact footer and trailer. */
  readonly finished: boolean;
  readonly missing: readonly Gap[];
}

class TraceFile {
  readonly path: string;
  readonly fd: number;
  readonly size: number;

  constructor(path: string) {
    this.path = path;
    ({ fd: this.fd, sizeBytes: this.size } = openRegular(path, { code: 'trace', kindHint: 'name a trace' }));
  }

  /** Up to `length` bytes at an offset. */
  read(offset: number, length: number): Buffer {
    const out = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.size - offset)));
    let at = 0;
    while (at < out.length) {
      const n = readSync(this.fd, out, at, out.length - at, offset + at);
      if (n === 0) break;
      at += n;
    }
    return out.subarray(0, at);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Whether a trace has records of state that no stimulus has made (`state.known`): it was restored, or learnt. */
export function hasKnownState({ footer }: Pick<TraceReader<AnyTraceHeader>, 'footer'>): boolean {
  return (footer?.kinds['state.known'] ?? 0) > 0;
}

/** Whether an importer has learnt such state. What a source itself contains, as a host's restore, has no rule. */
export function hasLearntState(reader: Pick<TraceReader<AnyTraceHeader>, 'footer'>): boolean {
  return hasKnownState(reader) && Object.values(reader.footer!.rules).some((count) => count > 0);
}

/** A trace of any GIC: its header says of which. */
export type AnyTraceReader = TraceReader | TraceReader<Gicv5TraceHeader>;

/** The refusal of a trace of a GICv5, by a command or by an option of it. */
export function refuseGicv5(path: string, what = 'this command'): GicTraceError {
  return new GicTraceError(
    'usage',
    `is a trace of a GICv5, which ${what} does not support yet`,
    { path },
    'docs/gicv5.md lists what does',
  );
}

/** Whether a trace is one of a GICv5. */
export function isGicv5(reader: AnyTraceReader): reader is TraceReader<Gicv5TraceHeader> {
  return isGicv5Header(reader.header);
}

export class TraceReader<H extends AnyTraceHeader = TraceHeader> {
  readonly path: string;
  readonly header: H;
  /** Undefined for a trace that was salvaged without its footer. */
  readonly footer: TraceFooter | undefined;
  readonly damage: Damage;
  readonly version: number;
  readonly bytes: number;
  private readonly file: TraceFile;
  private readonly traceId: number;
  private readonly chunks: readonly ChunkEntry[];
  private readonly snapshots: readonly (readonly [number, number, string])[];

  private constructor(file: TraceFile, salvage: boolean) {
    this.file = file;
    this.path = file.path;
    this.bytes = file.size;
    const prefix = parsePrefix(file.read(0, PREFIX_BYTES));
    if (!prefix.magic) {
      const what = file.size === 0 ? 'is empty' : 'is not a gictrace trace';
      throw new GicTraceError('trace', what, { path: file.path }, 'make one with gictrace import');
    }
    if (prefix.version === undefined) this.fail('its first bytes are damaged', 0);
    this.version = prefix.version!;
    checkVersion(this.version, file.path);
    const frame = this.frameAt(PREFIX_BYTES);
    if (frame === undefined || frame.type !== FRAME_TYPES.header)
      this.fail('its header is damaged', PREFIX_BYTES);
    const raw = this.payload(PREFIX_BYTES, frame!);
    this.traceId = crc32(raw);
    this.header = this.located(PREFIX_BYTES, () => decodeHeader(raw)) as H;
    const footer = salvage ? this.footerOrNone() : this.readFooter();
    this.footer = footer;
    if (footer !== undefined && !salvage) {
      this.chunks = footer.chunks;
      this.snapshots = footer.snapshots;
      this.damage = { finished: true, missing: [] };
      this.checkTable(footer);
    } else {
      const scan = this.scan();
      this.chunks = scan.chunks;
      this.snapshots = scan.snapshots;
      this.damage = { finished: footer !== undefined, missing: this.gaps(scan.chunks, footer) };
    }
  }

  /**
   * Opens a complete trace of a GICv3 or GICv4.
   * @throws GicTraceError `trace` if it is not a trace, of a newer version, unfinished or damaged; `usage` if it is one of
   * a GICv5.
   */
  static open(path: string): TraceReader {
    const reader = TraceReader.openAny(path);
    if (!isGicv5(reader)) return reader;
    reader.close();
    throw refuseGicv5(path);
  }

  /** Opens a complete trace of any GIC. @throws GicTraceError `trace` as {@link TraceReader.open} does. */
  static openAny(path: string): AnyTraceReader {
    return TraceReader.make(path, false);
  }

  /** Opens what is left of a damaged trace of any GIC; `damage` says what is missing. */
  static salvage(path: string): AnyTraceReader {
    return TraceReader.make(path, true);
  }

  private static make(path: string, salvage: boolean): AnyTraceReader {
    const file = new TraceFile(path);
    try {
      return new TraceReader<AnyTraceHeader>(file, salvage) as AnyTraceReader;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  close(): void {
    this.file.close();
  }

  /** Records that can be read. */
  get records(): number {
    return this.chunks.reduce((sum, [, , count]) => sum + count, 0);
  }

  /** The batches in order, from the chunk with record `from` on, each with the number of its first record. The batch is reused. */
  *batches(from = 0): Generator<{ batch: RecordBatch; first: number }> {
    let batch = new RecordBatch(4096);
    batch.source = this.path;
    for (const [offset, first, count] of this.chunks) {
      if (first + count <= from) continue;
      if (count > batch.capacity) {
        batch = new RecordBatch(CHUNK_RECORDS_MAX);
        batch.source = this.path;
      }
      this.chunk(offset, first, count, batch);
      yield { batch, first };
    }
  }

  /** Chunks that can be read. */
  get chunkCount(): number {
    return this.chunks.length;
  }

  /** The stored payload of chunk `k`. Chunks with the same bytes contain the same records. */
  storedChunk(k: number): Buffer {
    const [offset, first] = this.chunks[k]!;
    const frame = this.frameAt(offset) ?? this.fail('a chunk is damaged', offset, first);
    return this.file.read(offset + FRAME_BYTES, frame.storedLength);
  }

  /** The stored states of the trace: the record before which each was taken, its digest, and a function that reads it. */
  *states(): Generator<{ record: number; digest: string; read: () => Uint8Array }> {
    for (const [offset, record, digest] of this.snapshots) {
      yield {
        record,
        digest,
        read: () => {
          const frame = this.frameAt(offset);
          if (frame === undefined || frame.type !== FRAME_TYPES.snapshot)
            this.fail('a snapshot is damaged', offset);
          return this.payload(offset, frame!);
        },
      };
    }
  }

  /** Reads everything and checks both digests. @throws GicTraceError `trace` at the first error. */
  verify(): void {
    const content = createHash('sha256');
    const semantic = new SemanticDigest();
    const header = this.frameAt(PREFIX_BYTES)!;
    content.update(this.payload(PREFIX_BYTES, header));
    const batch = new RecordBatch(CHUNK_RECORDS_MAX);
    const kinds = new Uint32Array(256);
    for (const [offset, first, count] of this.chunks) {
      content.update(this.chunk(offset, first, count, batch));
      semantic.add(batch);
      countKinds(batch, kinds);
    }
    for (const state of this.states()) state.read();
    if (this.footer === undefined) return;
    kinds.forEach((count, kind) => {
      if ((this.footer!.kinds[recordName(kind) ?? `${kind}`] ?? 0) !== count)
        this.fail(`its footer miscounts the records of kind ${recordName(kind) ?? kind}`, 0);
    });
    if (content.digest('hex') !== this.footer.contentDigest)
      this.fail('its content digest does not fit its content', 0);
    if (semantic.finish() !== this.footer.semanticDigest)
      this.fail('its semantic digest does not fit its records', 0);
  }

  private chunk(offset: number, first: number, count: number, batch: RecordBatch): Uint8Array {
    const frame = this.frameAt(offset);
    if (
      frame === undefined ||
      frame.type !== FRAME_TYPES.records ||
      frame.firstRecord !== first ||
      frame.count !== count ||
      frame.traceId !== this.traceId
    )
      this.fail(`records ${first} to ${first + count - 1} are damaged`, offset, first);
    const raw = this.payload(offset, frame!);
    this.located(offset, () => decodeChunk(raw, count, batch, this.header.config.pes.length), first);
    return raw;
  }

  // ---- frames --------------------------------------------------------------------------------------------

  private frameAt(offset: number): Frame | undefined {
    const frame = parseFrame(this.file.read(offset, FRAME_BYTES));
    return frame?.version === this.version ? frame : undefined;
  }

  private payload(offset: number, frame: Frame): Uint8Array {
    const stored = this.file.read(offset + FRAME_BYTES, frame.storedLength);
    if (stored.length !== frame.storedLength || crc32(stored) !== frame.payloadCrc)
      this.fail('a payload is damaged', offset, frame.firstRecord);
    return upcast(
      this.version,
      frame.type,
      inflate(stored, frame) ?? this.fail('a payload cannot be decompressed', offset, frame.firstRecord),
    );
  }

  private readFooter(): TraceFooter {
    const trailer = parseTrailer(this.file.read(this.file.size - TRAILER_BYTES, TRAILER_BYTES));
    if (trailer === undefined) this.fail('has no end: its writer died, or it was cut', this.file.size);
    const frame = this.frameAt(trailer!.footerOffset);
    const end = trailer!.footerOffset + FRAME_BYTES + (frame?.storedLength ?? 0);
    if (
      frame === undefined ||
      frame.type !== FRAME_TYPES.footer ||
      trailer!.traceId !== this.traceId ||
      end !== this.file.size - TRAILER_BYTES
    )
      this.fail('its footer is damaged', trailer!.footerOffset);
    const raw = this.payload(trailer!.footerOffset, frame!);
    return this.located(trailer!.footerOffset, () => decodeFooter(raw));
  }

  private footerOrNone(): TraceFooter | undefined {
    try {
      return this.readFooter();
    } catch (error) {
      if (error instanceof GicTraceError) return undefined;
      throw error;
    }
  }

  /**
   * Checks the counts of the footer against each other, without reading the records; `verify` counts them.
   * @throws GicTraceError `trace` if they do not fit.
   */
  checkCounts(): void {
    const { footer } = this;
    if (footer === undefined) return;
    const counted = Object.values(footer.kinds).reduce((sum, count) => sum + count, 0);
    if (counted !== footer.records)
      this.fail(`its counts by kind are of ${counted} records, and it has ${footer.records}`, 0);
  }

  /** The chunks of a whole trace follow each other without a gap. */
  private checkTable(footer: TraceFooter): void {
    let next = 0;
    for (const [offset, first, count] of footer.chunks) {
      if (first !== next || count < 1 || count > CHUNK_RECORDS_MAX)
        this.fail('its table of chunks is damaged', offset);
      next += count;
    }
    if (next !== footer.records) this.fail('its table of chunks is damaged', 0);
  }

  /** Walks through all frames, and resynchronises at the next intact frame after damage. */
  private scan(): { chunks: ChunkEntry[]; snapshots: [number, number, string][] } {
    const chunks: ChunkEntry[] = [];
    const batch = new RecordBatch(CHUNK_RECORDS_MAX);
    let offset = PREFIX_BYTES;
    let next = 0;
    while (offset < this.file.size) {
      const frame = this.frameAt(offset);
      if (frame === undefined || frame.traceId !== this.traceId || !this.wholePayload(offset, frame)) {
        const found = this.findSync(offset + 1);
        if (found < 0) break;
        offset = found;
        continue;
      }
      // A chunk that is out of order is a copy from another place. Only the first one in order counts.
      if (
        frame.type === FRAME_TYPES.records &&
        frame.firstRecord >= next &&
        this.decodes(offset, frame, batch)
      ) {
        chunks.push([offset, frame.firstRecord, frame.count, null, null, '0x0']);
        next = frame.firstRecord + frame.count;
      }
      offset += FRAME_BYTES + frame.storedLength;
    }
    // A stored state is useful only if every record before it exists, so a salvaged trace has none.
    return { chunks, snapshots: [] };
  }

  private wholePayload(offset: number, frame: Frame): boolean {
    const stored = this.file.read(offset + FRAME_BYTES, frame.storedLength);
    return stored.length === frame.storedLength && crc32(stored) === frame.payloadCrc;
  }

  private decodes(offset: number, frame: Frame, batch: RecordBatch): boolean {
    try {
      decodeChunk(this.payload(offset, frame), frame.count, batch, this.header.config.pes.length);
      return true;
    } catch (error) {
      if (error instanceof GicTraceError) return false;
      throw error;
    }
  }

  private findSync(from: number): number {
    for (let at = from; at < this.file.size; at += SCAN_BYTES) {
      // The blocks overlap by the length of a sync, so that none is missed at a border.
      const bytes = this.file.read(at, SCAN_BYTES + SYNC.length - 1);
      const found = bytes.indexOf(SYNC);
      if (found >= 0) return at + found;
    }
    return -1;
  }

  private gaps(chunks: readonly ChunkEntry[], footer: TraceFooter | undefined): Gap[] {
    const missing: Gap[] = [];
    let next = 0;
    let from = PREFIX_BYTES;
    for (const [offset, first, count] of chunks) {
      if (first > next) missing.push({ firstRecord: next, count: first - next, from, to: offset });
      next = first + count;
      from = this.endOf(offset);
    }
    if (footer !== undefined && footer.records > next)
      missing.push({ firstRecord: next, count: footer.records - next, from, to: this.file.size });
    if (footer === undefined) missing.push({ firstRecord: next, count: undefined, from, to: this.file.size });
    return missing;
  }

  /** The end of the frame at an offset. */
  private endOf(offset: number): number {
    return offset + FRAME_BYTES + (this.frameAt(offset)?.storedLength ?? 0);
  }

  private located<T>(offset: number, work: () => T, record?: number): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof GicTraceError) this.fail(error.message, offset, record);
      throw error;
    }
  }

  private fail(what: string, offset: number, record?: number): never {
    throw new GicTraceError(
      'trace',
      what,
      { path: this.file.path, offset, ...(record === undefined ? {} : { record }) },
      HINT,
    );
  }
}

/** The raw payload, or undefined if it does not have the length that its frame says. */
function inflate(stored: Buffer, frame: Frame): Uint8Array | undefined {
  if (frame.compression === COMPRESSIONS.none) return stored;
  try {
    const raw = brotliDecompressSync(stored, { maxOutputLength: frame.rawLength });
    return raw.length === frame.rawLength ? raw : undefined;
  } catch {
    return undefined;
  }
}

/** Adds the records of a batch to their number by kind. */
function countKinds({ kind, count }: RecordBatch, kinds: Uint32Array): void {
  for (let i = 0; i < count; i++) kinds[kind[i]!]!++;
}
