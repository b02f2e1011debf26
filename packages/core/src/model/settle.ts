// Every stimulus and every command ends with arbitration: first for the PEs, then for their virtual machines.
import { settle } from './arbitration.ts';
import type { Machine } from './machine.ts';
import { settleVirtual } from './virtual-arbitration.ts';

/** Arbitrates on both sides, for all PEs that events since the last call may concern. */
export function settleAll(m: Machine): void {
  settle(m);
  settleVirtual(m);
}
