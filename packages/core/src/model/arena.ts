// The fixed part of a GIC's state as one buffer, so that a snapshot is a copy.

/** A typed array that exists once the arena is allocated. */
export interface Slot<T> {
  get(): T;
}

/** Lays out typed arrays in one buffer, in the order in which they are requested. */
export class Arena {
  private size = 0;
  buffer = new ArrayBuffer(0);

  words(length: number): Slot<Uint32Array> {
    const at = this.size;
    this.size += length * 4;
    return { get: () => new Uint32Array(this.buffer, at, length) };
  }

  bytes(length: number): Slot<Uint8Array> {
    const at = this.size;
    this.size += (length + 3) & ~3;
    return { get: () => new Uint8Array(this.buffer, at, length) };
  }

  allocate(): void {
    this.buffer = new ArrayBuffer(this.size);
  }
}
