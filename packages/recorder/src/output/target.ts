// Decides which file an output may replace, before anything is written. It opens nothing for writing and knows no format.
//
// The rules, in this order: an output is never one of the inputs, under whatever name; it is a regular file or a new one,
// never a device, a FIFO or a folder; and a file that gictrace did not write is replaced only if the user allows it.
import { closeSync, fstatSync, lstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { statOf } from '../input/index.ts';

/** How many bytes of an existing file are passed to `Ownership.recognises`. */
const HEAD_BYTES = 4096;
const STANDARD_INPUT = '-';

/** What gictrace writes to an output, so that it can recognise its own files. */
export interface Ownership {
  /** What the output is, with its article: "a gictrace trace". */
  readonly what: string;
  /** Whether an existing file that begins with these bytes (at most 4,096) is one that gictrace wrote. */
  readonly recognises: (head: Buffer) => boolean;
}

export interface TargetOptions {
  /** Files that the output is made from, or that are read meanwhile. They are never written. `-` is standard input. */
  readonly inputs?: readonly string[];
  /** Whether the user allows a file to be replaced that gictrace did not write. */
  readonly force?: boolean;
  /** An output of the same name in whose place this one is, and which will be given up. */
  readonly instead?: object;
}

let named: readonly string[] = [];
let written: Set<string> | undefined;

/**
 * Begins a command: the files that its command line names, whether or not the code that writes knows that they are read, are
 * never written; and what it has written is not written again by another of its outputs. Returns what ends the command.
 */
export function beginCommand(files: readonly string[]): () => void {
  named = files;
  written = new Set();
  return () => {
    named = [];
    written = undefined;
  };
}

/** Notes that a target has been written. */
export function noteWritten(target: string): void {
  written?.add(realpathSync(target));
}

interface Identity {
  readonly dev: number;
  readonly ino: number;
}

/**
 * The path to which an output is written: `path`, or the target of the symbolic link `path`, so that the link stays.
 * @throws GicTraceError `usage` if the output may not be written.
 */
export function targetOf(path: string, ownership: Ownership, options: TargetOptions = {}): string {
  const refuse = (why: string, hint: string) => new GicTraceError('usage', why, { path }, hint);
  if (path === '') throw refuse('an output without a name', 'name a file with -o');
  const existing = statOf(path);
  if (existing === undefined) {
    if (isSymbolicLink(path))
      throw refuse('is a symbolic link to a file that does not exist', 'name that file itself with -o');
    return path;
  }
  if (existing.isDirectory()) throw refuse('cannot be written: is a directory', 'name a file with -o');
  if (!existing.isFile())
    throw refuse(`cannot be written: is ${kindOf(existing)}`, 'name a regular file with -o');
  for (const input of [...(options.inputs ?? []), ...named])
    if (isSame(existing, identityOf(input)))
      throw refuse(
        input === path ? 'is the input itself' : `is the input ${input} by another name`,
        'inputs are never written: name another file with -o',
      );
  const real = realpathSync(path);
  if (written?.has(real)) throw isAnotherOutput(path);
  if (!options.force && existing.size > 0 && !ownership.recognises(headOf(path)))
    throw refuse(
      `exists and is not ${ownership.what}`,
      'name another file with -o, or replace it with --force',
    );
  return real;
}

export function isAnotherOutput(path: string): GicTraceError {
  return new GicTraceError('usage', 'is another output of this command', { path }, 'name another file');
}

/** Whether two targets, which need not exist yet, are one file. */
export function isSameName(a: string, b: string): boolean {
  return basename(a) === basename(b) && isSame(statOf(dirname(a)), statOf(dirname(b)));
}

/** Names for the temporary file of a target, in the order in which they are tried. */
export function* temporaryNames(target: string): Generator<string> {
  const at = (suffix: string) => join(dirname(target), `${basename(target)}${suffix}`);
  yield at('.partial');
  for (let n = 2; ; n++) yield at(`.${n}.partial`);
}

function identityOf(input: string): Identity | undefined {
  if (input !== STANDARD_INPUT) return statOf(input);
  try {
    return fstatSync(0);
  } catch {
    return undefined;
  }
}

function isSymbolicLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    // What keeps it from being examined also keeps it from being made, and is reported then.
    return false;
  }
}

function isSame(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function headOf(path: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } catch (error) {
    throw new GicTraceError(
      'usage',
      `cannot be replaced: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
      { path },
    );
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
