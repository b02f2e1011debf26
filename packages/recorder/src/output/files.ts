// The seven calls of the file system that outputs use. Tests replace them by a layer that fails or is killed at the n-th call.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

export interface OutputFiles {
  /** Creates `path`, which must not exist (O_EXCL, so that no symbolic link is followed), and opens it for writing. */
  create(path: string): number;
  /** Opens an existing file or folder to make it durable. */
  openToSync(path: string): number;
  /** Writes from byte `at` of `bytes` on. Returns how many bytes were written, at least 1. */
  write(fd: number, bytes: Uint8Array, at: number): number;
  fsync(fd: number): void;
  close(fd: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

const NODE_FILES: OutputFiles = {
  create: (path) => openSync(path, 'wx'),
  openToSync: (path) => openSync(path, 'r'),
  write: (fd, bytes, at) => writeSync(fd, bytes, at),
  fsync: (fd) => fsyncSync(fd),
  close: (fd) => closeSync(fd),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => rmSync(path, { force: true }),
};

let files = NODE_FILES;

/** The layer in use. */
export function outputFiles(): OutputFiles {
  return files;
}

/** For tests: replaces the layer by one made from Node's. Returns a function that restores it. */
export function replaceOutputFiles(layer: (node: OutputFiles) => OutputFiles): () => void {
  files = layer(NODE_FILES);
  return () => {
    files = NODE_FILES;
  };
}
