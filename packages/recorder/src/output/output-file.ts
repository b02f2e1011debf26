// Every file that gictrace writes goes through here: a temporary file beside the target, which is created exclusively, made
// durable, and renamed when it is complete. Under the final name there is either the old file or the new one, never a part
// of it, however many processes write to it. After an error or a signal nothing is left, or a named part if the writer
// asks for it.
import { dirname } from 'node:path';
import { GicTraceError, invariant } from '@gictrace/core';
import { outputFiles } from './files.ts';
import {
  isAnotherOutput,
  isSameName,
  noteWritten,
  type Ownership,
  type TargetOptions,
  targetOf,
  temporaryNames,
} from './target.ts';

const BUFFER_BYTES = 1 << 18;
/** Temporary names that are tried before giving up. Names that exist are parts that earlier runs have left. */
const NAMES_TRIED = 100;
/** Errors that the user can fix; other errors are failures of the system. */
const USAGE: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'no such directory',
  ELOOP: 'no such directory',
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

/** Follows which temporary files there are, for a program that handles signals. */
export interface OutputWatch {
  /** Does work that makes a temporary file, or after which there is none any more; `opened` or `closed` is called in it. */
  change<T>(work: () => T): T;
  /** The output is about to make the temporary file `partial`, unless there is a file of that name. */
  opening(output: OutputFile, partial: string): void;
  /** It could not make it: a file of that name is another's. */
  notOpened(partial: string): void;
  /** The output has the temporary file `partial` from now on. */
  opened(output: OutputFile, partial: string): void;
  /** The output has no temporary file any more: it is complete, or given up, or the file is left to the user. */
  closed(output: OutputFile): void;
}
let watch: OutputWatch | undefined;

/** Has all outputs of this thread watched from now on. */
export function watchOutputs(by: OutputWatch | undefined): void {
  watch = by;
}

function change<T>(work: () => T): T {
  return watch === undefined ? work() : watch.change(work);
}

/** Removes the temporary files of all outputs, before the process ends. Returns the final names. */
export function discardOpenOutputs(): readonly string[] {
  const names = [...open].map((output) => output.path);
  for (const output of open) output.discard();
  return names;
}

export class OutputFile {
  /** The name that the user gave. */
  readonly path: string;
  /** The path of the temporary file, until `commit`. */
  readonly partial: string;
  /** Bytes written so far. */
  bytes = 0;
  private readonly target: string;
  private fd: number;
  private lines: string[] = [];
  private waiting = 0;

  /**
   * Creates the temporary file of an output.
   * @throws GicTraceError `usage` if `path` may not or cannot be written, `backend` if the system fails.
   */
  constructor(path: string, ownership: Ownership, options: TargetOptions = {}) {
    this.path = path;
    this.target = targetOf(path, ownership, options);
    for (const other of open)
      if (other !== options.instead && isSameName(other.target, this.target)) throw isAnotherOutput(path);
    const { fd, name } = change(() => {
      const made = this.create();
      open.add(this);
      watch?.opened(this, made.name);
      return made;
    });
    this.fd = fd;
    this.partial = name;
  }

  /** Writes bytes. @throws GicTraceError `backend` if the disk is full or fails. */
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
   * Ends writing: makes the file durable and gives it its final name.
   * @throws GicTraceError as `write`; in that case nothing is left beside the target, which is unchanged.
   */
  commit(): void {
    const files = outputFiles();
    try {
      this.flush();
      files.fsync(this.fd);
      this.close();
      this.rename();
    } catch (error) {
      this.discard();
      throw error instanceof GicTraceError ? error : cannotWrite(this.path, error);
    }
    syncFolder(dirname(this.target));
  }

  /**
   * Like `commit`, but a power failure may still lose the file: for many small files that the caller makes durable together.
   * @throws GicTraceError as `commit`.
   */
  commitUnsynced(): void {
    try {
      this.flush();
      this.close();
      this.rename();
    } catch (error) {
      this.discard();
      throw error instanceof GicTraceError ? error : cannotWrite(this.path, error);
    }
  }

  /**
   * Like `commit`, for a file that other code (SQLite) wrote at `partial`.
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

  /** Gives up: nothing is left, and the target is unchanged. Does nothing after `commit` or `leave`. */
  discard(): void {
    if (!open.has(this)) return;
    try {
      this.close();
    } catch {
      // It is removed in any case.
    }
    change(() => {
      try {
        outputFiles().remove(this.partial);
      } catch {
        // Nothing more can be done, and the error that led here is already being reported.
      }
      this.ended();
    });
  }

  /** Stops without completing the file: what was written stays at `partial`, whose path is returned. */
  leave(): string {
    this.flush();
    try {
      outputFiles().fsync(this.fd);
    } catch {
      // The file stays as it is; the caller is about to report what went wrong.
    }
    this.close();
    change(() => this.ended());
    return this.partial;
  }

  private rename(): void {
    change(() => {
      outputFiles().rename(this.partial, this.target);
      noteWritten(this.target);
      this.ended();
    });
  }

  /** There is no temporary file any more, or it is the user's. */
  private ended(): void {
    if (open.delete(this)) watch?.closed(this);
  }

  private create(): { fd: number; name: string } {
    let tried = 0;
    for (const name of temporaryNames(this.target)) {
      watch?.opening(this, name);
      try {
        return { fd: outputFiles().create(name), name };
      } catch (error) {
        watch?.notOpened(name);
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(this.path, error);
        if (++tried === NAMES_TRIED)
          throw new GicTraceError(
            'usage',
            `cannot be written: ${NAMES_TRIED} parts of earlier runs are beside it`,
            { path: this.path },
            `remove ${this.target}.*partial, or recover one with gictrace recover`,
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

/** Makes a rename durable. On systems that cannot open or sync a folder, there is nothing to do. */
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
    // The file is complete under its final name; only its durability after a power failure depends on the file system.
  }
}
