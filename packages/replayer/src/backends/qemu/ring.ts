// The ring in guest memory through which a guest stub is given operations, as lines for qtest.

export const RING_BITS = 13;
/** The number of operations in the ring. */
export const RING_SLOTS = 2 ** RING_BITS;
/** Bytes of an operation: routine (4), PE (4), value (8), address (8), third argument (8). */
export const SLOT_BYTES = 32;

/** What a guest stub is asked to do. */
export interface Operation {
  readonly routine: number;
  readonly pe: number;
  readonly low: number;
  readonly high: number;
  readonly address: number;
  readonly third: number;
}

/** Where a guest stub has its ring. */
export interface Ring {
  /** The address of the number of operations that it may run. */
  readonly limitAddress: number;
  /** The address of operation `n`. */
  slotAddress(n: number): number;
}

const hex = (value: number) => `0x${value.toString(16)}`;

/** Writes operations behind `done` earlier ones into the ring, and lets the stub run them. There is room for all of them. */
export function ringLines(ring: Ring, operations: readonly Operation[], done: number): string[] {
  const bytes = Buffer.alloc(operations.length * SLOT_BYTES);
  operations.forEach(({ routine, pe, low, high, address, third }, k) => {
    const at = k * SLOT_BYTES;
    bytes.writeUInt32LE(routine, at);
    bytes.writeUInt32LE(pe, at + 4);
    bytes.writeUInt32LE(low >>> 0, at + 8);
    bytes.writeUInt32LE(high >>> 0, at + 12);
    bytes.writeBigUInt64LE(BigInt(address), at + 16);
    bytes.writeBigUInt64LE(BigInt(third), at + 24);
  });
  const first = done % RING_SLOTS;
  const fits = Math.min(operations.length, RING_SLOTS - first) * SLOT_BYTES;
  const lines: string[] = [];
  for (const [n, part] of [
    [first, bytes.subarray(0, fits)],
    [0, bytes.subarray(fits)],
  ] as const)
    if (part.length > 0)
      lines.push(`b64write ${hex(ring.slotAddress(n))} ${hex(part.length)} ${part.toString('base64')}`);
  lines.push(`writel ${hex(ring.limitAddress)} ${hex((done + operations.length) % 2 ** 32)}`);
  return lines;
}
