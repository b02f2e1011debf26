// How much work a run may be: accesses and other stimuli of the simulated machine, and what is saved in a migration. An operation
// of a trace is a few bytes, and can mean a migration of hundreds of PEs.
import { GicTraceError } from '../../errors.ts';

/** What a run may do beyond the shares of its operations: nearly two migrations of a machine with 512 PEs. */
export const WORK_BURST = 2 ** 20;
/** What an access costs: more with more PEs, because it may change what any of them is signalled. */
export const workOfAccess = (pes: number): number => 1 + (pes >>> 5);
/** What each operation adds: 64 accesses, and 4 for each PE, because every PE reads what it is signalled after it. */
export const workShare = (pes: number): number => (64 + 4 * pes) * workOfAccess(pes);

export class Work {
  private left = WORK_BURST;
  private operations = 0;
  private readonly share: number;
  private readonly access: number;

  constructor(pes: number) {
    this.share = workShare(pes);
    this.access = workOfAccess(pes);
  }

  /** An operation begins. */
  operation(): void {
    this.operations++;
    this.left = Math.min(WORK_BURST, this.left + this.share);
  }

  /** Makes `n` accesses. @throws GicTraceError `limit` if that is too much for the operations so far. */
  spend(n = 1): void {
    this.left -= n * this.access;
    if (this.left >= 0) return;
    const at = (work: number) => Math.floor(work / this.access);
    throw new GicTraceError(
      'limit',
      `makes a design do too much: its first ${this.operations} operations need more than ${at(this.share)} accesses each and ${at(WORK_BURST)} more, which is the limit for so many PEs`,
      {},
      'compare a part of the trace',
    );
  }
}
