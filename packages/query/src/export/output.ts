// The file that an export writes: NAME.partial until all of it is there. Knows no format.
import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';

const BUFFER_BYTES = 1 << 18;
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'no such directory',
  EACCES: 'no permission',
  EISDIR: 'is a directory',
};

export class OutputFile {
  private readonly path: string;
  private readonly partial: string;
  private readonly fd: number;
  private text: string[] = [];
  private waiting = 0;
  bytes = 0;

  /** @throws GicTraceError `usage` where `path` cannot be written. */
  constructor(path: string) {
    this.path = path;
    this.partial = `${path}.partial`;
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new GicTraceError('usage', 'cannot be written: is a directory', { path }, 'name a file with -o');
    try {
      this.fd = openSync(this.partial, 'w');
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw new GicTraceError('usage', `cannot be written: ${WHY[code] ?? message}`, { path });
    }
  }

  line(text: string): void {
    this.text.push(text);
    this.waiting += text.length + 1;
    if (this.waiting >= BUFFER_BYTES) this.flush();
  }

  write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    } catch (error) {
      throw new GicTraceError('backend', `cannot be written: ${(error as Error).message}`, {
        path: this.path,
      });
    }
  }

  /** All is written: the file takes its name. */
  finish(): void {
    this.flush();
    closeSync(this.fd);
    renameSync(this.partial, this.path);
  }

  /** Something failed: nothing stays. */
  abandon(): void {
    closeSync(this.fd);
    rmSync(this.partial, { force: true });
  }

  private flush(): void {
    if (this.text.length === 0) return;
    this.write(Buffer.from(`${this.text.join('\n')}\n`));
    this.text = [];
    this.waiting = 0;
  }
}

/** @throws GicTraceError `usage` where the file to write is the trace to read. */
export function refuseItself(trace: string, output: string): void {
  const real = (path: string) => {
    try {
      return realpathSync(path);
    } catch {
      return undefined;
    }
  };
  const of = real(trace);
  if (of !== undefined && of === real(output))
    throw new GicTraceError('usage', 'is the trace itself', { path: output }, 'name another file with -o');
}
