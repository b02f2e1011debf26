// What snapshots of all models have in common: their parts one behind the other, and guest memory as bytes.
import type { GuestMemory } from './memory.ts';

/** Bytes of a page of memory, and of the bits that say which of them are known. */
const PAGE_BYTES = 4096;
const KNOWN_BYTES = 512;

const bytesOf = (array: Uint32Array | Float64Array) => new Uint8Array(array.buffer);

/** Guest memory as parts of a snapshot. */
export function memoryParts(memory: GuestMemory): Uint8Array[] {
  const stretches = memory.stretches();
  const pages = [...memory.entries()];
  return [
    bytesOf(Uint32Array.of(stretches.length)),
    bytesOf(Float64Array.from(stretches)),
    bytesOf(Uint32Array.of(pages.length)),
    ...pages.flatMap(([number, data, known]) => [bytesOf(Float64Array.of(number)), data, known]),
  ];
}

/** The parts of a snapshot, one behind the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Reads a snapshot from a place on. */
export class SnapshotReader {
  at: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** An unsigned number of 32 bits. */
  word = (): number => {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  };

  private double = (): number => {
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  };

  private part(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Restores guest memory from what {@link memoryParts} made of it. */
  memory(memory: GuestMemory): void {
    memory.clear();
    memory.setStretches(Array.from({ length: this.word() }, this.double));
    for (let n = this.word(); n > 0; n--)
      memory.setPage(this.double(), this.part(PAGE_BYTES), this.part(KNOWN_BYTES));
  }
}
