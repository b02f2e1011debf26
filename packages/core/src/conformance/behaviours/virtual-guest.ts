// What experiments with virtual interrupts begin with.
import type { Guest } from '../guest.ts';

export const SPURIOUS = 1023;
export const VINTID = 8192;
export const DOORBELL = 8300;
/** A list register's high word: pending, Group 1, priority 0xa0. */
export const PENDING = 0x50a0_0000;
export const HW = 0x2000_0000;
export const EOI = 0x200;

/** vPE 0 with a device whose event 0 is a vLPI. */
export const virtual = (g: Guest, doorbell = SPURIOUS): Guest => {
  g.enable().its().virtual();
  g.configure(DOORBELL, 0xa1);
  g.enableVirtual(0);
  g.mapVirtual(1, 0, 0, VINTID, doorbell);
  return g;
};
export const maintenance = (g: Guest): boolean => g.machine.state.virtual.maintenance[0] === 1;
export const virq = (g: Guest): boolean => g.machine.state.virtual.hppi[5] === 1;
