// From an offset to a register: a table of one entry a byte-quad, made once from a frame's declaration.
import type { RegisterSpec, RegisterTable } from './shape.ts';

export interface FrameMap<Name extends string = string> {
  /** Register names in declared order. */
  readonly names: readonly Name[];
  readonly specs: readonly RegisterSpec[];
  /** Index into `names` of the register at a byte offset, or -1. */
  find(offset: number): number;
  /** Which element of a register array a byte offset is in. */
  element(index: number, offset: number): number;
}

/** Makes the map of a frame of `bytes` bytes (a multiple of 4). */
export function frameMap<T extends RegisterTable>(table: T, bytes: number): FrameMap<keyof T & string> {
  const names = Object.keys(table) as (keyof T & string)[];
  const specs = names.map((name) => table[name]!);
  const quads = new Int16Array(bytes / 4).fill(-1);
  specs.forEach((spec, index) => {
    const end = spec.offset + spec.bytes * (spec.count ?? 1);
    for (let offset = spec.offset & ~3; offset < end; offset += 4) quads[offset >> 2] = index;
  });
  return {
    names,
    specs,
    find: (offset) => (offset >= 0 && offset < bytes ? quads[offset >> 2]! : -1),
    element: (index, offset) => Math.floor((offset - specs[index]!.offset) / specs[index]!.bytes),
  };
}
