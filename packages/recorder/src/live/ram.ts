// The RAM of a running guest by physical address: which file contains which part, according to QEMU's memory map. It knows
// nothing of GICs.
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import type { SharedBackend } from './command.ts';

/** A part of the guest's physical address space. */
export interface Range {
  readonly name: string;
  readonly from: number;
  /** Bytes. */
  readonly length: number;
  /** The offset in the region `name` at which it begins. */
  readonly offset: number;
}

/** The ranges of the address space `memory` in `info mtree -f`, which is the only one that a GIC reads. */
export function rangesOf(mtree: string): Range[] {
  const view = mtree.split(/^FlatView /m).find((text) => /^ AS "memory"/m.test(text)) ?? '';
  const ranges: Range[] = [];
  for (const [, from, to, name, offset] of view.matchAll(
    /^ +([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, [^)]*\): (\S+)(?: @([0-9a-f]+))?/gm,
  )) {
    const start = Number.parseInt(from!, 16);
    const length = Number.parseInt(to!, 16) - start + 1;
    ranges.push({ name: name!, from: start, length, offset: Number.parseInt(offset ?? '0', 16) });
  }
  return ranges;
}

const MEMFD = '/memfd:memory-backend-memfd';

/** Opens the only memfd, or the only one of this size, of the process of a thread. `undefined` if there is none. */
function openMemfd(thread: number, size: number | undefined): number | undefined {
  const folder = `/proc/${thread}/fd`;
  const found: number[] = [];
  try {
    for (const name of readdirSync(folder)) {
      const path = `${folder}/${name}`;
      if (!isMemfd(path)) continue;
      const fd = openSync(path, 'r');
      if (size === undefined || fstatSync(fd).size === size) found.push(fd);
      else closeSync(fd);
    }
  } catch {
    // Of another user, or gone.
  }
  if (found.length === 1) return found[0];
  for (const fd of found) closeSync(fd);
  return undefined;
}

function isMemfd(path: string): boolean {
  try {
    return readlinkSync(path).startsWith(MEMFD);
  } catch {
    // Closed meanwhile.
    return false;
  }
}

export class GuestRam {
  private readonly parts: readonly (Range & { readonly fd: number })[];
  private readonly files: readonly number[];

  private constructor(files: ReadonlyMap<string, number>, ranges: readonly Range[]) {
    this.files = [...files.values()];
    this.parts = ranges.flatMap((range) => {
      const fd = files.get(range.name);
      return fd === undefined ? [] : [{ ...range, fd }];
    });
  }

  /** Opens the backends that can be opened. `thread` is any thread of QEMU. `undefined` if no RAM can be read. */
  static open(
    backends: readonly SharedBackend[],
    ranges: readonly Range[],
    thread: number,
  ): GuestRam | undefined {
    const files = new Map<string, number>();
    for (const { id, path, size } of backends) {
      const fd = path === undefined ? openMemfd(thread, size) : openFile(path);
      if (fd !== undefined) files.set(id, fd);
    }
    const ram = new GuestRam(files, ranges);
    if (ram.parts.length > 0) return ram;
    ram.close();
    return undefined;
  }

  /** The current contents of memory; `undefined` if a byte of it is not readable RAM. */
  read(address: number, length: number): Buffer | undefined {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const part = this.parts.find(
        ({ from, length: size }) => from <= address + at && address + at < from + size,
      );
      if (part === undefined) return undefined;
      const within = address + at - part.from;
      const wanted = Math.min(length - at, part.length - within);
      const got = readSync(part.fd, bytes, at, wanted, part.offset + within);
      if (got === 0) return undefined;
      at += got;
    }
    return bytes;
  }

  close(): void {
    for (const fd of this.files) closeSync(fd);
  }
}

function openFile(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
