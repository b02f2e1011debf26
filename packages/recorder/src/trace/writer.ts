// Writes a trace as a stream, chunk by chunk, then footer and trailer. A trace without a footer was not finished; it
// never has the final name (output/output-file.ts).
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import {
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  crc32,
} from 'node:zlib';
import { GicTraceError, invariant, PES_MAX } from '@gictrace/core';
import { RECORDS, RecordBatch, RULES } from '@gictrace/core/record';
import { OutputFile, type Ownership, type TargetOptions } from '../output/index.ts';
import { encodeChunk } from './columns.ts';
import { CHUNK_RECORDS, COMPRESSIONS, FORMAT_VERSION, FRAME_BYTES, FRAME_TYPES, MAGIC } from './constants.ts';
import { SemanticDigest } from './digest.ts';
import { encodeFrame, encodePrefix, encodeTrailer, parseFrame } from './frame.ts';
import { type AnyTraceHeader, type ChunkEntry, decodeHeader, encodeMap, type TraceFooter } from './header.ts';

/** A trace as an output. */
export const TRACE_OUTPUT: Ownership = {
  what: 'a gictrace trace',
  recognises: (head) => Buffer.compare(head.subarray(0, MAGIC.length), MAGIC) === 0,
};

export interface WriterOptions extends TargetOptions {
  /** Records in a chunk: 1 to 65,536; 4,096 if absent. */
  readonly chunkRecords?: number;
  /**
   * Compresses in Node's thread pool while records come; the bytes are the same. This is for callers that return to the
   * event loop now and then and await `settled` there.
   */
  readonly isOverlapped?: boolean;
}

export interface TraceSummary {
  readonly records: number;
  readonly bytes: number;
  readonly contentDigest: string;
  readonly semanticDigest: string;
}

/** Limits for the bytes of frames that are being compressed: the one at which `settled` waits, and the maximum. */
const FLIGHT_BYTES = 1 << 20;
const FLIGHT_BYTES_MAX = 1 << 23;

/** A frame that is being compressed, or that waits for earlier frames. */
interface Flight {
  readonly type: number;
  readonly raw: Uint8Array;
  readonly count: number;
  readonly firstRecord: number;
  /** Called with the frame's byte offset when it is written. */
  readonly at: (offset: number) => void;
  packed?: Uint8Array;
  landed?: Promise<void>;
}

const kindNames = new Map<number, string>();
for (const [name, kind] of Object.entries(RECORDS)) kindNames.set(kind.id, name);
const ruleNames = new Map<number, string>();
for (const [name, rule] of Object.entries(RULES)) ruleNames.set(rule.id, name);

export class TraceWriter {
  readonly path: string;
  private readonly options: WriterOptions;
  private header: Uint8Array;
  private peCount: number;
  /** The highest PE that a record has named so far; -1 if none. */
  private highestPe = -1;
  private out: OutputFile;
  private traceId: number;
  private readonly batch: RecordBatch;
  private content = createHash('sha256');
  private readonly semantic = new SemanticDigest();
  private readonly chunks: ChunkEntry[] = [];
  private readonly snapshots: [number, number, string][] = [];
  private readonly kinds = new Float64Array(256);
  private readonly rules = new Float64Array(256);
  private written = 0;
  private readonly isOverlapped: boolean;
  /** Frames that have not been written yet, in order. */
  private readonly flights: Flight[] = [];
  private flightBytes = 0;
  private fault: unknown;

  /**
   * Begins a trace that will have the name `path`.
   * @throws GicTraceError `input` for a header that no reader would accept; otherwise as {@link OutputFile}.
   */
  constructor(path: string, header: AnyTraceHeader, options: WriterOptions = {}) {
    this.path = path;
    this.options = options;
    this.isOverlapped = options.isOverlapped === true;
    this.batch = new RecordBatch(options.chunkRecords ?? CHUNK_RECORDS);
    const raw = encodeMap(header);
    checked(raw, path);
    this.out = new OutputFile(path, TRACE_OUTPUT, options);
    this.traceId = crc32(raw);
    this.header = raw;
    this.peCount = header.config.pes.length;
    try {
      this.out.write(encodePrefix(FORMAT_VERSION));
      this.frame(FRAME_TYPES.header, raw, 0);
    } catch (error) {
      this.out.discard();
      throw error;
    }
    this.content.update(raw);
  }

  /** The number of records so far. */
  get records(): number {
    return this.written + this.batch.count;
  }

  /** Appends record `i` of a batch. */
  record(batch: RecordBatch, i: number): void {
    if (this.batch.full) this.flush();
    const time = batch.timeNs[i]!;
    invariant(Number.isNaN(time) || Number.isSafeInteger(time), 'times in a trace are whole nanoseconds');
    this.batch.copy(batch, i);
  }

  /** Appends all records of a batch. */
  append(batch: RecordBatch): void {
    for (let i = 0; i < batch.count; i++) this.record(batch, i);
  }

  /** Stores the state before the next record. */
  snapshot(state: Uint8Array, digest: string): void {
    this.flush();
    const entry: [number, number, string] = [0, this.written, digest];
    this.snapshots.push(entry);
    this.frameLater(FRAME_TYPES.snapshot, state, 0, (offset) => {
      entry[0] = offset;
    });
  }

  /**
   * Waits while more is being compressed than should be kept in memory.
   * @throws GicTraceError as `record`.
   */
  async settled(): Promise<void> {
    this.check();
    while (this.flightBytes > FLIGHT_BYTES) {
      await this.flights[0]!.landed;
      this.check();
    }
  }

  /**
   * Gives the trace another header, in place of the one that it began with: it is written once more where they differ.
   * @throws GicTraceError as the constructor and `record`.
   */
  rehead(header: AnyTraceHeader): void {
    const raw = encodeMap(header);
    if (Buffer.compare(raw, this.header) === 0) return;
    checked(raw, this.path);
    this.peCount = header.config.pes.length;
    this.flush();
    this.land();
    const old = this.out;
    const frames = [...this.chunks, ...this.snapshots].sort((a, b) => a[0] - b[0]);
    const fd = openSync(old.partial, 'r');
    try {
      this.out = new OutputFile(this.path, TRACE_OUTPUT, { ...this.options, instead: old });
      this.header = raw;
      this.traceId = crc32(raw);
      this.content = createHash('sha256').update(raw);
      this.out.write(encodePrefix(FORMAT_VERSION));
      this.put({ type: FRAME_TYPES.header, raw, count: 0, firstRecord: 0, at: () => undefined });
      for (const entry of frames) {
        const head = read(fd, entry[0], FRAME_BYTES);
        const frame = parseFrame(head);
        invariant(frame !== undefined, 'a frame is where it was written');
        const stored = read(fd, entry[0] + FRAME_BYTES, frame.storedLength);
        if (frame.type === FRAME_TYPES.records)
          this.content.update(
            frame.compression === COMPRESSIONS.none ? stored : brotliDecompressSync(stored),
          );
        encodeFrame({ ...frame, traceId: this.traceId }, head);
        entry[0] = this.out.bytes;
        this.out.write(head);
        this.out.write(stored);
      }
    } finally {
      closeSync(fd);
      old.discard();
    }
  }

  /**
   * Ends the trace: footer, trailer, fsync, rename.
   * @throws GicTraceError `input` if a record names a PE that the header lacks, which no reader would accept.
   */
  close(
    end: { readonly losses?: TraceFooter['losses']; readonly meta?: Record<string, unknown> } = {},
  ): TraceSummary {
    this.flush();
    this.land();
    if (this.highestPe >= this.peCount) {
      this.abort();
      throw new GicTraceError(
        'input',
        `a record names PE ${this.highestPe}, but the configuration has ${this.peCount} PEs`,
        { path: this.path },
      );
    }
    const contentDigest = this.content.digest('hex');
    const semanticDigest = this.semantic.finish();
    const named = (counts: Float64Array, names: ReadonlyMap<number, string>) => {
      const out: Record<string, number> = {};
      counts.forEach((n, id) => {
        if (n > 0) out[names.get(id) ?? `${id}`] = n;
      });
      return out;
    };
    const footer: TraceFooter = {
      records: this.written,
      chunks: this.chunks,
      snapshots: this.snapshots,
      kinds: named(this.kinds, kindNames),
      rules: named(this.rules, ruleNames),
      contentDigest,
      semanticDigest,
      losses: end.losses ?? [],
      meta: end.meta ?? {},
    };
    const footerOffset = this.out.bytes;
    this.frame(FRAME_TYPES.footer, encodeMap(footer), 0);
    this.out.write(encodeTrailer({ footerOffset, traceId: this.traceId }));
    this.out.commit();
    return { records: this.written, bytes: this.out.bytes, contentDigest, semanticDigest };
  }

  /** Gives up. Nothing is left, neither under the final name nor beside it. */
  abort(): void {
    this.flights.length = 0;
    this.out.discard();
  }

  /**
   * Stops without completing the trace. What was written stays, under the name that is returned, for `recover`. If there is
   * no record, nothing is left, and undefined is returned.
   */
  leave(): string | undefined {
    if (this.records === 0) {
      this.abort();
      return undefined;
    }
    this.flush();
    this.land();
    return this.out.leave();
  }

  private flush(): void {
    const { batch } = this;
    if (batch.count === 0) return;
    let from = Number.NaN;
    let to = Number.NaN;
    let pes = 0n;
    for (let i = 0; i < batch.count; i++) {
      this.kinds[batch.kind[i]!]!++;
      if (batch.rule[i] !== 0) this.rules[batch.rule[i]!]!++;
      const time = batch.timeNs[i]!;
      if (!Number.isNaN(time)) {
        if (!(from <= time)) from = time;
        if (!(to >= time)) to = time;
      }
    }
    const present = new Uint8Array(PES_MAX + 1);
    for (let i = 0; i < batch.count; i++) {
      const pe = batch.pe[i]!;
      present[pe + 1] = 1;
      if (pe > this.highestPe) this.highestPe = pe;
    }
    for (let pe = 0; pe < PES_MAX; pe++) if (present[pe + 1]) pes |= 1n << BigInt(pe);
    const raw = encodeChunk(batch);
    const entry: ChunkEntry = [
      0,
      this.written,
      batch.count,
      nullable(from),
      nullable(to),
      `0x${pes.toString(16)}`,
    ];
    this.chunks.push(entry);
    this.content.update(raw);
    this.semantic.add(batch);
    this.frameLater(FRAME_TYPES.records, raw, batch.count, (offset) => {
      entry[0] = offset;
    });
    this.written += batch.count;
    batch.clear();
  }

  /** Writes a frame. */
  private frame(type: number, raw: Uint8Array, count: number): void {
    this.put({ type, raw, count, firstRecord: this.written, at: () => undefined });
  }

  /** Writes a frame once it is compressed, after earlier frames. `at` is then called with its byte offset. */
  private frameLater(type: number, raw: Uint8Array, count: number, at: (offset: number) => void): void {
    this.check();
    const frame = { type, raw, count, firstRecord: this.written, at };
    if (!this.isOverlapped) this.put(frame);
    else {
      const flight = { ...frame, raw: new Uint8Array(raw) };
      this.flights.push(flight);
      // A caller that appends records without a pause waits here, because memory is limited.
      if (this.flightBytes > FLIGHT_BYTES_MAX) this.land();
      else this.start(flight);
    }
  }

  private start(flight: Flight): void {
    const { raw } = flight;
    this.flightBytes += raw.length;
    flight.landed = new Promise((resolve) => {
      brotliCompress(raw, compression(raw), (error, packed) => {
        this.flightBytes -= raw.length;
        try {
          flight.packed = error === null ? packed : brotliCompressSync(raw, compression(raw));
          while (this.flights[0]?.packed !== undefined) this.put(this.flights.shift()!);
        } catch (fault) {
          this.fault ??= fault;
        }
        resolve();
      });
    });
  }

  /** Writes all frames that are being compressed. */
  private land(): void {
    this.check();
    for (const flight of this.flights.splice(0)) this.put(flight);
  }

  private check(): void {
    if (this.fault !== undefined) throw this.fault;
  }

  private put({ type, raw, count, firstRecord, at, packed }: Flight): void {
    const smaller = packed ?? brotliCompressSync(raw, compression(raw));
    const compressed = smaller.length < raw.length;
    const stored = compressed ? smaller : raw;
    const head = Buffer.alloc(FRAME_BYTES);
    encodeFrame(
      {
        type,
        compression: compressed ? COMPRESSIONS.brotli : COMPRESSIONS.none,
        version: FORMAT_VERSION,
        storedLength: stored.length,
        rawLength: raw.length,
        firstRecord,
        count,
        traceId: this.traceId,
        payloadCrc: crc32(stored),
      },
      head,
    );
    at(this.out.bytes);
    this.out.write(head);
    this.out.write(stored);
  }
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  invariant(readSync(fd, bytes, 0, length, at) === length, 'a trace can be read while it is written');
  return bytes;
}

function compression(raw: Uint8Array): BrotliOptions {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 5,
      [constants.BROTLI_PARAM_LGWIN]: 20,
      [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  };
}

/** Checks that the header can be read again, so that an impossible header is refused before anything is written. */
function checked(header: Uint8Array, path: string): void {
  try {
    decodeHeader(header);
  } catch (error) {
    if (!(error instanceof GicTraceError)) throw error;
    throw new GicTraceError('input', `cannot be made into a trace: ${error.message}`, { path });
  }
}

function nullable(time: number): number | null {
  return Number.isNaN(time) ? null : time;
}
