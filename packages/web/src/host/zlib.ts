// The functions of node:zlib that gictrace uses. A browser has no encoder of brotli: chunks of a trace stay as they are, which
// the format allows and its digests do not depend on.

import { BrotliDecStream, BrotliStreamResultCode, brotli_dec, initSync } from 'brotli-dec-wasm/web';
import { Buffer } from 'buffer';
import { deflateSync, inflateSync } from 'fflate';

/** Must be called, with the module of brotli-dec-wasm, before a trace of the command line is read. */
export function readyBrotli(module: Uint8Array<ArrayBuffer>): void {
  initSync({ module });
}

export const constants = { BROTLI_PARAM_QUALITY: 1, BROTLI_PARAM_LGWIN: 2, BROTLI_PARAM_SIZE_HINT: 5 };

export function brotliCompressSync(raw: Uint8Array): Uint8Array {
  return raw;
}

export function brotliCompress(
  raw: Uint8Array,
  _options: unknown,
  done: (error: null, packed: Uint8Array) => void,
): void {
  queueMicrotask(() => done(null, raw));
}

export function brotliDecompressSync(
  stored: Uint8Array,
  { maxOutputLength }: { readonly maxOutputLength?: number } = {},
): Buffer {
  if (maxOutputLength === undefined) return Buffer.from(brotli_dec(stored));
  const stream = new BrotliDecStream();
  try {
    // One byte more than allowed shows that there is more.
    const { buf, code } = stream.dec(stored, maxOutputLength + 1);
    if (code !== BrotliStreamResultCode.ResultSuccess) throw new Error('is not the end of a brotli stream');
    return Buffer.from(buf.buffer, buf.byteOffset, buf.length);
  } finally {
    stream.free();
  }
}

export function deflateRawSync(raw: Uint8Array, { level = 6 }: { readonly level?: number } = {}): Buffer {
  return Buffer.from(deflateSync(raw, { level: level as 1 | 6 | 9 }));
}

export function inflateRawSync(stored: Uint8Array): Buffer {
  return Buffer.from(inflateSync(stored));
}

export function createGunzip(): never {
  throw new Error('sources are decompressed by worker/source.ts');
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb8_8320 : c >>> 1;
  return c;
});

/** CRC-32 as zlib computes it. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) c = TABLE[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return (c ^ 0xffff_ffff) >>> 0;
}
