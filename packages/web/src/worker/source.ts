// A log that the user has dropped, as a source of the importers: decompressed by what its first bytes say it is.

import { GicTraceError } from '@gictrace/core';
import type { KeptSource } from '@gictrace/recorder';
import { Buffer } from 'buffer';
import { Gunzip } from 'fflate';
import { Decompress } from 'fzstd';

/** Decompressed bytes that are kept, so that a log that is read several times is decompressed once. */
const KEPT_BYTES_MAX = 256 * 2 ** 20;

type Decoder = { push(chunk: Uint8Array, isLast?: boolean): unknown };

/** What decompresses a file that begins with these bytes; undefined if it is plain. */
function decoderOf(head: Uint8Array, name: string, give: (bytes: Uint8Array) => void): Decoder | undefined {
  const begins = (...bytes: number[]) => bytes.every((byte, k) => head[k] === byte);
  if (begins(0x1f, 0x8b)) return new Gunzip(give);
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return new Decompress(give);
  if (begins(0xfd, 0x37, 0x7a, 0x58))
    throw new GicTraceError(
      'input',
      'is compressed with xz, which a browser cannot unpack',
      { path: name },
      'unpack it first: xz -d',
    );
  return undefined;
}

/** A log as a source that can be read again. */
export function droppedLog(file: File): KeptSource {
  let kept: Buffer[] | undefined;
  async function* open(): AsyncGenerator<Buffer> {
    if (kept !== undefined) {
      yield* kept;
      return;
    }
    const head = new Uint8Array(await file.slice(0, 6).arrayBuffer());
    let ready: Uint8Array[] = [];
    const decoder = decoderOf(head, file.name, (bytes) => ready.push(bytes));
    const all: Buffer[] = [];
    let bytes = 0;
    const reader = file.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (decoder === undefined) {
        if (!done) yield Buffer.from(value.buffer, value.byteOffset, value.length);
      } else {
        try {
          decoder.push(value ?? new Uint8Array(0), done);
        } catch (error) {
          throw new GicTraceError(
            'input',
            `cannot be decompressed: ${(error as Error).message}`,
            { path: file.name },
            'the file is damaged or cut',
          );
        }
        for (const part of ready) {
          const chunk = Buffer.from(part.buffer, part.byteOffset, part.length);
          bytes += chunk.length;
          if (bytes <= KEPT_BYTES_MAX) all.push(chunk);
          yield chunk;
        }
        ready = [];
      }
      if (done) break;
    }
    if (decoder !== undefined && bytes <= KEPT_BYTES_MAX) kept = all;
  }
  return { path: file.name, name: file.name, open, close: () => undefined };
}
