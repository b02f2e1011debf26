// A source that can be read from the beginning again: a file is opened anew; standard input, which cannot be, is kept in
// a temporary file that has no name any more once it is open.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { openSource } from './source.ts';

const CHUNK_BYTES = 1 << 18;

export interface KeptSource {
  /** As it was named: `-` for standard input; and as people read it. */
  readonly path: string;
  readonly name: string;
  /** It is the file at `path` and nothing else. */
  readonly isFile?: true;
  /** Its bytes from the beginning, decompressed. */
  open(): AsyncIterable<Buffer>;
  /** Nothing more is read. */
  close(): void;
}

/** `-` is standard input. Nothing is opened before `open`. */
export function keptSource(path: string): KeptSource {
  if (path !== '-')
    return { path, name: path, isFile: true, open: () => openSource(path), close: () => undefined };
  return new KeptInput();
}

class KeptInput implements KeptSource {
  readonly path = '-';
  readonly name = 'standard input';
  private fd: number | undefined;
  private isWhole = false;

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
    for await (const bytes of openSource('-'))
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

/** A temporary file of our own, open and without a name. */
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
