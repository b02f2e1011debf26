// Every file that gictrace writes goes through here: a temporary file of its own beside the target, created exclusively,
// made durable, and renamed when it is whole. The final name holds the old file or the new one, never a part, however
// many processes write to it. What a fault or a signal leaves is nothing, or a named part where the writer asks for it.
import { dirname } from 'node:path';
import { GicTraceError, invariant } from '@gictrace/core';
import { outputFiles } from './files.ts';
import { type Ownership, type TargetOptions, targetOf, temporaryNames } from './target.ts';

const BUFFER_BYTES = 1 << 18;
/** Temporary names that are tried before giving up: each of the others is a part that an earlier run has left. */
const NAMES_TRIED = 100;
/** What the user can do something about; other errors are faults of the system. */
const USAGE: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'no such directory',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  EISDIR: 'is a directory',
  ENAMETOOLONG: 'the name is too long',
};
const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EIO: 'an input/output error',
  EFBIG: 'the file is too large',
};

/** Outputs that have a temporary file now. */
const open = new Set<OutputFile>();

/** Removes the temporary files of all outputs: for whoever is about to end the process. Answers the final names. */
export function discardOpenOutputs(): readonly string[] {
  const names = [...open].map((output) => output.path);
  for (const output of open) output.discard();
  return names;
}

export class OutputFile {
  /** The name that the user gave. */
  readonly path: string;
  /** Where the bytes are until `commit`. */
  readonly partial: string;
  /** Bytes written so far. */
  bytes = 0;
  private readonly target: string;
  private fd: number;
  private lines: string[] = [];
  private waiting = 0;

  /**
   * Creates the temporary file of an output.
   * @throws GicTraceError `usage` where `path` may not or cannot be written, `backend` where the system fails.
   */
  constructor(path: string, ownership: Ownership, options: TargetOptions = {}) {
    this.path = path;
    this.target = targetOf(path, ownership, options);
    const { fd, name } = this.create();
    this.fd = fd;
    this.partial = name;
    open.add(this);
  }

  /** Writes bytes. @throws GicTraceError `backend` where the disk is full or fails. */
  write(bytes: Uint8Array): void {
    invariant(this.fd >= 0, 'the output is closed');
    const files = outputFiles();
    try {
      for (let at = 0; at < bytes.length; ) at += files.write(this.fd, bytes, at);
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
    this.bytes += bytes.length;
  }

  /** Adds a line of text, in UTF-8, which is written together with others. */
  line(text: string): void {
    this.lines.push(text);
    this.waiting += text.length + 1;
    if (this.waiting >= BUFFER_BYTES) this.flush();
  }

  /**
   * All is written: makes it durable and gives it its name.
   * @throws GicTraceError as `write`; then nothing is left beside the target, which is as it was.
   */
  commit(): void {
    const files = outputFiles();
    try {
      this.flush();
      files.fsync(this.fd);
      this.close();
      files.rename(this.partial, this.target);
    } catch (error) {
      this.discard();
      throw error instanceof GicTraceError ? error : cannotWrite(this.path, error);
    }
    open.delete(this);
    syncFolder(dirname(this.target));
  }

  /**
   * As `commit`, for a file that somebody else (SQLite) wrote at `partial`.
   * @throws GicTraceError as `commit`.
   */
  commitWritten(): void {
    const files = outputFiles();
    try {
      this.close();
      const fd = files.openToSync(this.partial);
      this.fd = fd;
    } catch (error) {
      this.discard();
      throw cannotWrite(this.path, error);
    }
    this.commit();
  }

  /** Gives up: nothing is left, and the target is as it was. Does nothing after `commit` or `leave`. */
  discard(): void {
    if (!open.delete(this)) return;
    try {
      this.close();
    } catch {
      // It is removed in any case.
    }
    try {
      outputFiles().remove(this.partial);
    } catch {
      // There is nothing more that can be done, and a fault that led here is already on its way.
    }
  }

  /** Stops without an end: what was written stays at `partial`, which is answered. */
  leave(): string {
    this.flush();
    try {
      outputFiles().fsync(this.fd);
    } catch {
      // What is there is there: the caller is about to report what went wrong.
    }
    this.close();
    open.delete(this);
    return this.partial;
  }

  private create(): { fd: number; name: string } {
    let tried = 0;
    for (const name of temporaryNames(this.target)) {
      try {
        return { fd: outputFiles().create(name), name };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(this.path, error);
        if (++tried === NAMES_TRIED)
          throw new GicTraceError(
            'usage',
            `cannot be written: ${NAMES_TRIED} parts of earlier runs are beside it`,
            { path: this.path },
            `remove ${this.target}.*partial, or mend one with gictrace recover`,
          );
      }
    }
    throw new Error('unreachable');
  }

  private flush(): void {
    if (this.lines.length === 0) return;
    const text = `${this.lines.join('\n')}\n`;
    this.lines = [];
    this.waiting = 0;
    this.write(Buffer.from(text));
  }

  private close(): void {
    if (this.fd < 0) return;
    const { fd } = this;
    this.fd = -1;
    outputFiles().close(fd);
  }
}

/** The error of an output that cannot be written. */
export function cannotWrite(path: string, error: unknown): GicTraceError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return code in USAGE
    ? new GicTraceError('usage', `cannot be written: ${USAGE[code]}`, { path })
    : new GicTraceError('backend', `cannot be written: ${SYSTEM[code] ?? (code || message)}`, { path });
}

/** Makes a rename durable. Some systems cannot open a folder, or not sync it: then there is nothing to do. */
function syncFolder(path: string): void {
  const files = outputFiles();
  try {
    const fd = files.openToSync(path);
    try {
      files.fsync(fd);
    } finally {
      files.close(fd);
    }
  } catch {
    // The file is whole under its name; only its durability across a power failure is up to the file system.
  }
}
