// How platform-MSI and dev-MSI number interrupts within a domain: 21 bits of a number that the device is given, and 11
// of the index of its vector (drivers/base/platform-msi.c, DEV_ID_SHIFT).

const DEVID_BITS = 21;
const INDEX_BITS = 32 - DEVID_BITS;
/** Vectors that a device can have. */
export const VECTORS_A_DEVICE = 2 ** INDEX_BITS;
/** Devices that can be told apart. */
export const DEVICES = 2 ** DEVID_BITS;

/** hwirq, 32 bits. Only below {@link DEVICES} and {@link VECTORS_A_DEVICE} is it a different one for each. */
export function hwirqOf(devId: number, index: number): number {
  return ((devId << INDEX_BITS) | index) >>> 0;
}

/** Numbers of devices, the lowest that is free first (Linux's IDA). */
export class DevIds {
  private next = 0;
  private readonly free: number[] = [];

  /** A number; -1: there is none left. */
  take(): number {
    if (this.free.length > 0) return this.free.shift()!;
    return this.next < DEVICES ? this.next++ : -1;
  }

  give(devId: number): void {
    this.free.push(devId);
    this.free.sort((a, b) => a - b);
  }
}
