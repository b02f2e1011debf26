// What every stimulus and every command ends with: the PEs are told anew, then their virtual machines.
import { settle } from './arbitration.ts';
import type { Machine } from './machine.ts';
import { settleVirtual } from './virtual-arbitration.ts';

/** Arbitrates on both sides wherever an event since the last call may matter. */
export function settleAll(m: Machine): void {
  settle(m);
  settleVirtual(m);
}
