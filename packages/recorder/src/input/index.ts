// What a path that is to be read names. Only what `readText` reads may be a descriptor that is open already; otherwise nothing
// here waits for the writer of a FIFO or opens a device. What the system refuses has the same words for every verb. Does not
// know what the bytes mean.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { type FaultCode, GicTraceError } from '@gictrace/core';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file: what stands before a / is not a folder',
  ELOOP: 'is a symbolic link that leads to itself',
  ENAMETOOLONG: 'the name is too long',
  EISDIR: 'is a directory',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
};
/** Names of files that are open already. Reading one waits as reading standard input does, and for the same reason. */
const DESCRIPTOR = /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;

/** Whose fault it is if a path cannot be read, and what to do then. */
export interface UnreadableAs {
  readonly code: FaultCode;
  readonly hint?: string;
  /** The hint for a folder, a FIFO, a socket or a device, if it is another. */
  readonly kindHint?: string;
}

/** An error of the system about a path that is read, as one that says in words what is wrong. */
export function unreadable(path: string, error: unknown, { code, hint }: UnreadableAs): GicTraceError {
  if (error instanceof GicTraceError) return error;
  const { code: reason = '', message } = error as NodeJS.ErrnoException;
  return new GicTraceError(code, REASONS[reason] ?? `cannot be read: ${message}`, { path }, hint);
}

/** Whether a path names a folder. What is wrong with a path that cannot be examined is said by what opens it. */
export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

/** The status of what a path names; undefined if there is nothing, or if it cannot be examined. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Opens a regular file for reading.
 * @throws GicTraceError of the given code if there is none, or if it is a folder, a FIFO, a socket or a device.
 */
export function openRegular(
  path: string,
  as: UnreadableAs,
): { readonly fd: number; readonly sizeBytes: number } {
  try {
    // Opening a device may have an effect of its own.
    checkRegular(path, statSync(path), as);
    // It may be a FIFO by now, for whose writer opening would wait.
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = fstatSync(fd);
      checkRegular(path, stats, as);
      return { fd, sizeBytes: stats.size };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    throw unreadable(path, error, as);
  }
}

function checkRegular(path: string, stats: Stats, { code, hint, kindHint = hint }: UnreadableAs): void {
  if (stats.isFile()) return;
  const what = stats.isDirectory() ? 'is a directory' : 'is not a regular file';
  throw new GicTraceError(code, what, { path }, kindHint);
}

/**
 * The first bytes of a regular file, up to `lengthBytes`.
 * @throws GicTraceError as {@link openRegular}.
 */
export function headOfFile(path: string, lengthBytes: number, as: UnreadableAs): Buffer {
  const { fd } = openRegular(path, as);
  try {
    const head = Buffer.alloc(lengthBytes);
    return head.subarray(0, readSync(fd, head, 0, lengthBytes, 0));
  } catch (error) {
    throw unreadable(path, error, as);
  } finally {
    closeSync(fd);
  }
}

/**
 * The text of a regular file in UTF-8, or of an open descriptor (`/dev/fd/63`, which a shell writes for `<(command)`).
 * @throws GicTraceError as {@link openRegular}.
 */
export function readText(path: string, as: UnreadableAs): string {
  try {
    if (DESCRIPTOR.test(path)) return readFileSync(path, 'utf8');
    const { fd } = openRegular(path, as);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw unreadable(path, error, as);
  }
}

/** Whether a path names a database of SQLite. What is wrong with a path that cannot be read is said by what opens it. */
export function isDatabase(path: string): boolean {
  try {
    return headOfFile(path, 15, { code: 'input' }).toString('latin1') === 'SQLite format 3';
  } catch {
    return false;
  }
}
