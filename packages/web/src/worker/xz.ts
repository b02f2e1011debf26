// Logs compressed with xz. A file may consist of several streams, one after another, of which the decompressor takes one.

import { GicTraceError } from '@gictrace/core';
import { XzReadableStream } from 'xz-decompress';
import { chunksOf } from './chunks.ts';

const HEADER_BYTES = 12;
const FOOTER_BYTES = 12;
/** A stream is filled up to a multiple of this, and zeros in this number may follow it. */
const UNIT_BYTES = 4;

async function bytesOf(file: Blob, from: number, to: number): Promise<DataView<ArrayBuffer>> {
  if (from < 0) throw new Error('it is not a whole xz stream');
  return new DataView(await file.slice(from, to).arrayBuffer());
}

/** Where the numbers of an index are read. */
class Index {
  private at = 1;
  private readonly view: DataView<ArrayBuffer>;

  constructor(view: DataView<ArrayBuffer>) {
    this.view = view;
  }

  /** The next number: seven bits a byte, the lowest first. */
  next(): number {
    let n = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      if (this.at >= this.view.byteLength) break;
      const byte = this.view.getUint8(this.at++);
      n += (byte & 0x7f) * scale;
      if (byte < 0x80) return n;
    }
    throw new Error('the index of an xz stream is wrong');
  }
}

/** Where the stream that ends at `end` begins: before its index and the blocks that the index counts. */
async function beginning(file: Blob, end: number): Promise<number> {
  const footer = await bytesOf(file, end - FOOTER_BYTES, end);
  if (footer.getUint8(10) !== 0x59 || footer.getUint8(11) !== 0x5a)
    throw new Error('it does not end with the end of an xz stream');
  const indexBytes = (footer.getUint32(4, true) + 1) * UNIT_BYTES;
  const indexAt = end - FOOTER_BYTES - indexBytes;
  const index = new Index(await bytesOf(file, indexAt, indexAt + indexBytes));
  let blocks = 0;
  for (let left = index.next(); left > 0; left--) {
    blocks += Math.ceil(index.next() / UNIT_BYTES) * UNIT_BYTES;
    // The length of what is compressed.
    index.next();
  }
  return indexAt - blocks - HEADER_BYTES;
}

/** The streams of an xz file in order. @throws Error if it is cut or damaged. */
export async function xzStreams(file: Blob): Promise<Blob[]> {
  const streams: Blob[] = [];
  for (let end = file.size; end > 0; ) {
    const last = await bytesOf(file, end - UNIT_BYTES, end);
    if (last.getUint32(0) === 0) {
      end -= UNIT_BYTES;
      continue;
    }
    const begin = await beginning(file, end);
    if (begin < 0) throw new Error('it is not a whole xz stream');
    streams.unshift(file.slice(begin, end));
    end = begin;
  }
  return streams;
}

/** What the decompressor cannot do, by its error code: checks, sizes of dictionary and filters that it does not know. */
const UNSUPPORTED = /error code [2346]$/;

/** The bytes of an xz file, decompressed. @throws Error if it is cut or damaged; GicTraceError if it cannot be unpacked here. */
export async function* unxz(file: File): AsyncGenerator<Uint8Array> {
  for (const stream of await xzStreams(file))
    try {
      yield* chunksOf(new XzReadableStream(stream.stream()));
    } catch (error) {
      if (!UNSUPPORTED.test((error as Error).message)) throw error;
      throw new GicTraceError(
        'input',
        'is compressed with options of xz that the page cannot unpack',
        { path: file.name },
        'unpack it first: xz -d',
      );
    }
}
