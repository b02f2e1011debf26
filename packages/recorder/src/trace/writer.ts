// Writes a trace as a stream: NAME.partial, chunk by chunk, then footer, trailer, fsync and rename. What has no
// footer was not finished, and says so by its name too.
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { brotliCompressSync, constants, crc32 } from 'node:zlib';
import { GicTraceError, invariant, RECORDS, RecordBatch, RULES } from '@gictrace/core';
import { encodeChunk } from './columns.ts';
import { CHUNK_RECORDS, COMPRESSIONS, FORMAT_VERSION, FRAME_BYTES, FRAME_TYPES } from './constants.ts';
import { SemanticDigest } from './digest.ts';
import { encodeFrame, encodePrefix, encodeTrailer } from './frame.ts';
import { type ChunkEntry, encodeMap, type TraceFooter, type TraceHeader } from './header.ts';

export interface WriterOptions {
  /** Records in a chunk: 1 to 65,536; 4,096 when absent. */
  readonly chunkRecords?: number;
}

export interface TraceSummary {
  readonly records: number;
  readonly bytes: number;
  readonly contentDigest: string;
  readonly semanticDigest: string;
}

const kindNames = new Map<number, string>();
for (const [name, kind] of Object.entries(RECORDS)) kindNames.set(kind.id, name);
const ruleNames = new Map<number, string>();
for (const [name, rule] of Object.entries(RULES)) ruleNames.set(rule.id, name);

export class TraceWriter {
  readonly path: string;
  private readonly partial: string;
  private fd: number;
  private offset = 0;
  private readonly traceId: number;
  private readonly batch: RecordBatch;
  private readonly content = createHash('sha256');
  private readonly semantic = new SemanticDigest();
  private readonly chunks: ChunkEntry[] = [];
  private readonly snapshots: [number, number, string][] = [];
  private readonly kinds = new Float64Array(256);
  private readonly rules = new Float64Array(256);
  private written = 0;

  /** Begins NAME.partial. Throws a GicTraceError (`usage`) if it cannot be written. */
  constructor(path: string, header: TraceHeader, options: WriterOptions = {}) {
    this.path = path;
    this.partial = `${path}.partial`;
    this.batch = new RecordBatch(options.chunkRecords ?? CHUNK_RECORDS);
    try {
      this.fd = openSync(this.partial, 'w');
    } catch (error) {
      throw cannotWrite(path, error);
    }
    const raw = encodeMap(header);
    this.traceId = crc32(raw);
    this.put(encodePrefix(FORMAT_VERSION));
    this.frame(FRAME_TYPES.header, raw, 0);
    this.content.update(raw);
  }

  /** Records so far. */
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

  /** Stores the state that holds before the next record. */
  snapshot(state: Uint8Array, digest: string): void {
    this.flush();
    this.snapshots.push([this.offset, this.written, digest]);
    this.frame(FRAME_TYPES.snapshot, state, 0);
  }

  /** Ends the trace: footer, trailer, fsync, rename. */
  close(
    end: { readonly losses?: TraceFooter['losses']; readonly meta?: Record<string, unknown> } = {},
  ): TraceSummary {
    this.flush();
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
    const footerOffset = this.offset;
    this.frame(FRAME_TYPES.footer, encodeMap(footer), 0);
    this.put(encodeTrailer({ footerOffset, traceId: this.traceId }));
    fsyncSync(this.fd);
    closeSync(this.fd);
    this.fd = -1;
    try {
      renameSync(this.partial, this.path);
    } catch (error) {
      unlinkSync(this.partial);
      throw cannotWrite(this.path, error);
    }
    syncDirectory(dirname(this.path));
    return { records: this.written, bytes: this.offset, contentDigest, semanticDigest };
  }

  /** Gives up: nothing is left, neither under the final name nor beside it. */
  abort(): void {
    if (this.fd < 0) return;
    closeSync(this.fd);
    this.fd = -1;
    unlinkSync(this.partial);
  }

  /**
   * Stops without an end: what was written stays, under the name that it answers, for `recover`. Undefined where there
   * is no record: then nothing is left.
   */
  leave(): string | undefined {
    if (this.records === 0) {
      this.abort();
      return undefined;
    }
    this.flush();
    fsyncSync(this.fd);
    closeSync(this.fd);
    this.fd = -1;
    return this.partial;
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
    const present = new Uint8Array(513);
    for (let i = 0; i < batch.count; i++) present[batch.pe[i]! + 1] = 1;
    for (let pe = 0; pe < 512; pe++) if (present[pe + 1]) pes |= 1n << BigInt(pe);
    const raw = encodeChunk(batch);
    this.chunks.push([
      this.offset,
      this.written,
      batch.count,
      nullable(from),
      nullable(to),
      `0x${pes.toString(16)}`,
    ]);
    this.content.update(raw);
    this.semantic.add(batch);
    this.frame(FRAME_TYPES.records, raw, batch.count);
    this.written += batch.count;
    batch.clear();
  }

  private frame(type: number, raw: Uint8Array, count: number): void {
    const packed = brotliCompressSync(raw, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 5,
        [constants.BROTLI_PARAM_LGWIN]: 20,
        [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
      },
    });
    const compressed = packed.length < raw.length;
    const stored = compressed ? packed : raw;
    const head = Buffer.alloc(FRAME_BYTES);
    encodeFrame(
      {
        type,
        compression: compressed ? COMPRESSIONS.brotli : COMPRESSIONS.none,
        version: FORMAT_VERSION,
        storedLength: stored.length,
        rawLength: raw.length,
        firstRecord: this.written,
        count,
        traceId: this.traceId,
        payloadCrc: crc32(stored),
      },
      head,
    );
    this.put(head);
    this.put(stored);
  }

  private put(bytes: Uint8Array): void {
    invariant(this.fd >= 0, 'the trace is closed');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    } catch (error) {
      throw cannotWrite(this.partial, error);
    }
    this.offset += bytes.length;
  }
}

function cannotWrite(path: string, error: unknown): GicTraceError {
  const code = (error as NodeJS.ErrnoException).code;
  const what =
    code === 'ENOENT'
      ? 'no such directory'
      : code === 'EISDIR'
        ? 'is a directory'
        : code === 'EACCES'
          ? 'no permission'
          : code === 'ENOSPC'
            ? 'no space is left'
            : (code ?? (error as Error).message);
  return new GicTraceError('usage', `cannot be written: ${what}`, { path });
}

function nullable(time: number): number | null {
  return Number.isNaN(time) ? null : time;
}

/** Makes a rename durable. Some systems cannot open a directory: then there is nothing to do. */
function syncDirectory(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(fd);
  } catch {
    // Not every file system can.
  } finally {
    closeSync(fd);
  }
}
