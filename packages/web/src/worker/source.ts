// A log that the user has dropped, as a source of the importers: decompressed by what its first bytes say it is.

import { GicTraceError } from '@gictrace/core';
import { type KeptSource, sniff } from '@gictrace/recorder';
import { Buffer } from 'buffer';
import { Gunzip } from 'fflate';
import { Decompress } from 'fzstd';
import { chunksOf } from './chunks.ts';
import { unxz } from './xz.ts';

/** Decompressed bytes that are kept, so that a log that is read several times is decompressed once. */
const KEPT_BYTES_MAX = 256 * 2 ** 20;

/** First bytes that show the compression. */
const HEAD_BYTES = 6;

type Decoder = { push(chunk: Uint8Array, isLast?: boolean): unknown };

/** Decompresses a file by a decoder that is pushed to. */
async function* through(
  file: File,
  decoderOf: (give: (bytes: Uint8Array) => void) => Decoder,
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const decoder = decoderOf((bytes) => ready.push(bytes));
  const given = () => ready.splice(0);
  for await (const chunk of chunksOf(file.stream())) {
    decoder.push(chunk, false);
    yield* given();
  }
  decoder.push(new Uint8Array(0), true);
  yield* given();
}

/** A compressed file's content; undefined if it is plain. */
function unpacked(file: File, head: Uint8Array): AsyncGenerator<Uint8Array> | undefined {
  switch (sniff(head)) {
    case 'gzip':
      return through(file, (give) => new Gunzip(give));
    case 'zstd':
      return through(file, (give) => new Decompress(give));
    case 'xz':
      return unxz(file);
    default:
      return undefined;
  }
}

/** A log as a source that can be read again. */
export function droppedLog(file: File): KeptSource {
  let kept: Buffer[] | undefined;
  async function* open(): AsyncGenerator<Buffer> {
    if (kept !== undefined) {
      yield* kept;
      return;
    }
    const content = unpacked(file, new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
    if (content === undefined) {
      for await (const value of chunksOf(file.stream())) yield bufferOf(value);
      return;
    }
    const all: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const value of content) {
        const chunk = bufferOf(value);
        bytes += chunk.length;
        if (bytes <= KEPT_BYTES_MAX) all.push(chunk);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof GicTraceError) throw error;
      throw new GicTraceError(
        'input',
        `cannot be decompressed: ${(error as Error).message}`,
        { path: file.name },
        'the file is damaged or cut',
      );
    }
    if (bytes <= KEPT_BYTES_MAX) kept = all;
  }
  return { path: file.name, name: file.name, open, close: () => undefined };
}

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
