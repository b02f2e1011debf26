// A source that can be read again from the beginning. A file is opened again; standard input cannot be, so it is kept
// in a temporary file, which is unlinked as soon as it is open.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { openSource } from './source.ts';

const CHUNK_BYTES = 1 << 18;

export interface KeptSource {
  /** The source as the user named it, where `-` is standard input, and as messages name it. */
  readonly path: string;
  readonly name: string;
  /** Whether the source is the file at `path` and nothing else. */
  readonly isFile?: true;
  /** The bytes from the beginning, decompressed. */
  open(): AsyncIterable<Buffer>;
  /** Ends the use of the source; nothing more is read. */
  close(): void;
}

/** Keeps the source at `path`, where `-` is standard input. Opens nothing before `open` is called. */
export function keptSource(path: string): KeptSource {
  if (path !== '-')
    return { path, name: path, isFile: true, open: () => openSource(path), close: () => undefined };
  return new KeptStream('-', 'standard input', () => openSource('-'));
}

/** Keeps a stream that can be read once, such as the log of a program that runs. Messages name it `path`. */
export function keptStream(path: string, stream: AsyncIterable<Buffer>): KeptSource {
  return new KeptStream(path, path, () => stream);
}

class KeptStream implements KeptSource {
  readonly path: string;
  readonly name: string;
  private readonly stream: () => AsyncIterable<Buffer>;
  private fd: number | undefined;
  private isWhole = false;

  constructor(path: string, name: string, stream: () => AsyncIterable<Buffer>) {
    this.path = path;
    this.name = name;
    this.stream = stream;
  }

  async *open(): AsyncGenerator<Buffer> {
    if (!this.isWhole) await this.keep();
    for (let at = 0; ; ) {
      const bytes = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(this.fd!, bytes, 0, CHUNK_BYTES, at);
      if (count === 0) return;
      at += count;
      yield bytes.subarray(0, count);
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private async keep(): Promise<void> {
    this.fd = temporary();
    for await (const bytes of this.stream())
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
      } catch (error) {
        throw new GicTraceError(
          'backend',
          `cannot be kept in ${tmpdir()}: ${(error as Error).message}`,
          { path: this.name },
          'write the log to a file, or set TMPDIR to a folder with room for it',
        );
      }
    this.isWhole = true;
  }
}

/** Opens a private temporary file that has no name. */
function temporary(): number {
  const path = join(tmpdir(), `gictrace-${randomBytes(8).toString('hex')}`);
  try {
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return fd;
  } catch (error) {
    throw new GicTraceError(
      'backend',
      `cannot be kept in ${tmpdir()}: ${(error as Error).message}`,
      { path: 'standard input' },
      'write the log to a file, or set TMPDIR to a folder that can be written',
    );
  }
}
