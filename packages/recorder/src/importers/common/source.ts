// Opens what the user names as a source: a file or standard input, plain or compressed. Recognises compression by
// content, not by name. Does not know what the bytes mean.
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GicTraceError } from '@gictrace/core';
import { headOfFile, statOf, type UnreadableAs, unreadable } from '../../input/index.ts';

export type Compression = 'plain' | 'gzip' | 'xz' | 'zstd';

/** The compression that the first bytes of a file indicate. */
export function sniff(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0xfd && head[1] === 0x37 && head[2] === 0x7a && head[3] === 0x58 && head[4] === 0x5a)
    return 'xz';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  return 'plain';
}

const AS: UnreadableAs = { code: 'input', kindHint: 'name a file, or - for standard input' };
const HEAD_BYTES = 16;

/** How many times longer the text of a QEMU log is than what gzip makes of it. Other compressions make less. */
const COMPRESSED = 16;

/** About how many bytes of text a file contains, by its length; 0 if it cannot be read. */
export function textBytes(path: string): number {
  const size = statOf(path)?.size ?? 0;
  // Of a pipe, nothing may be read twice.
  if (size === 0) return 0;
  try {
    return sniff(headOfFile(path, HEAD_BYTES, AS)) === 'plain' ? size : size * COMPRESSED;
  } catch {
    return 0;
  }
}

/** Runs an installed decompressor between two streams. */
function throughTool(input: Readable, path: string, tool: string, packageName: string): Readable {
  const out = new PassThrough();
  const child = spawn(tool, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.on('error', (error) => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    out.destroy(
      new GicTraceError(
        'backend',
        missing ? `the tool ${tool} is not installed` : error.message,
        { path },
        missing ? `install ${packageName}` : undefined,
      ),
    );
  });
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString('latin1')).slice(0, 200);
  });
  child.stdin.on('error', () => undefined);
  input.on('error', (error) => out.destroy(unreadable(path, error, AS)));
  input.pipe(child.stdin);
  child.stdout.pipe(out, { end: false });
  // The reader may stop before the end. The tool would then wait for its reader forever, and this process for the tool.
  out.on('close', () => {
    input.destroy();
    child.stdin.destroy();
    child.stdout.destroy();
    child.kill();
  });
  child.on('close', (code) => {
    if (code === 0) out.end();
    else
      out.destroy(
        new GicTraceError(
          'input',
          `cannot be decompressed: ${said.trim() || `${tool} failed`}`,
          { path },
          'the file is damaged or cut',
        ),
      );
  });
  return out;
}

async function* gunzipped(input: Readable, path: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  input.on('error', (error) => gunzip.destroy(error));
  input.pipe(gunzip);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    throw new GicTraceError(
      'input',
      `cannot be decompressed: ${(error as Error).message}`,
      { path },
      'the file is damaged or cut',
    );
  }
}

async function* plain(input: Readable, path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of input) yield chunk as Buffer;
  } catch (error) {
    throw unreadable(path, error, AS);
  }
}

/** Standard input, and its first bytes. */
async function peeked(input: Readable): Promise<{ head: Uint8Array; stream: Readable }> {
  const through = new PassThrough({ highWaterMark: 1 << 20 });
  input.pipe(through);
  const head = await new Promise<Buffer>((resolve, reject) => {
    through.once('readable', () => {
      const chunk: Buffer | null = through.read();
      if (chunk !== null) through.unshift(chunk);
      resolve(chunk ?? Buffer.alloc(0));
    });
    through.once('error', reject);
    through.once('end', () => resolve(Buffer.alloc(0)));
  });
  return { head, stream: through };
}

/**
 * The bytes of a source, decompressed. `-` reads standard input.
 * @throws GicTraceError `input` if it cannot be read or decompressed, `backend` if the decompressor is missing.
 */
export async function* openSource(path: string): AsyncGenerator<Buffer> {
  let stream: Readable;
  let head: Uint8Array;
  if (path === '-') ({ head, stream } = await peeked(process.stdin));
  else {
    head = headOfFile(path, HEAD_BYTES, AS);
    stream = createReadStream(path, { highWaterMark: 1 << 20 });
  }
  switch (sniff(head)) {
    case 'gzip':
      yield* gunzipped(stream, path);
      return;
    case 'xz':
      yield* plain(throughTool(stream, path, 'xz', 'xz-utils'), path);
      return;
    case 'zstd':
      yield* plain(throughTool(stream, path, 'zstd', 'zstd'), path);
      return;
    default:
      yield* plain(stream, path);
  }
}
