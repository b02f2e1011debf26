// How platform-MSI and dev-MSI number interrupts within a domain: 21 bits for a number that the device is given, and 11
// bits for the index of its vector (drivers/base/platform-msi.c, DEV_ID_SHIFT).

const DEVID_BITS = 21;
const INDEX_BITS = 32 - DEVID_BITS;
/** Vectors that a device can have. */
export const VECTORS_A_DEVICE = 2 ** INDEX_BITS;
/** The number of devices that can be distinguished. */
export const DEVICES = 2 ** DEVID_BITS;

/** hwirq, 32 bits. It is unique only if both numbers are below {@link DEVICES} and {@link VECTORS_A_DEVICE}. */
export function hwirqOf(devId: number, index: number): number {
  return ((devId << INDEX_BITS) | index) >>> 0;
}

/** Allocates numbers for devices, the lowest free number first (Linux's IDA). */
export class DevIds {
  private next = 0;
  private readonly free: number[] = [];

  /** Returns a free number, or -1 if there is none left. */
  take(): number {
    if (this.free.length > 0) return this.free.shift()!;
    return this.next < DEVICES ? this.next++ : -1;
  }

  give(devId: number): void {
    this.free.push(devId);
    this.free.sort((a, b) => a - b);
  }
}
