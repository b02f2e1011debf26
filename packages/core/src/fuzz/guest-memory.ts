// The generated guest: the addresses of its tables, and how many devices, events and vPEs it has.

/** Addresses of the tables of the generated guest, all below 2^32. */
export const GUEST_MEMORY = {
  propbase: 0x4100_0000,
  pendbase: 0x4200_0000,
  devices: 0x4300_0000,
  collections: 0x4400_0000,
  queue: 0x4500_0000,
  itt: 0x4600_0000,
  vpes: 0x4700_0000,
  vpt: 0x4800_0000,
  vconf: 0x4900_0000,
} as const;
export const QUEUE_SLOTS = 128;
export const DEVICES = 4;
/** A DeviceID that no device has. */
export const UNMAPPED_DEVICE = 4;
export const EVENTS = 8;
export const LPIS = 16;
export const VPES = 3;
/** The number of SPIs whose input lines change. */
export const SPIS = 8;
/** The number of interrupts that are remembered, to be ended later. */
export const RECENT = 4;
