// The PEs that the lines of a log name. One damaged line must not make a machine with hundreds of PEs.
import { GicTraceError, PES_MAX } from '@gictrace/core';

/** A PE number that is at least this much, plus twice the number of PEs that are named at all, is taken for a stray one. */
const STRAY_PE_MIN = 16;

export class NamedPes {
  /** The highest number; -1 if no line names a PE. */
  highest = -1;
  private readonly isNamed = new Uint8Array(PES_MAX);
  private count = 0;

  /** Notes that a line names a PE. */
  add(pe: number): void {
    if (pe > this.highest) this.highest = pe;
    if (pe < PES_MAX && this.isNamed[pe] === 0) {
      this.isNamed[pe] = 1;
      this.count++;
    }
  }

  /**
   * Refuses numbers that only a damaged line can name: more than a GIC has here, or far beyond all the others. One such line
   * would make a machine with hundreds of PEs of which nothing else is known.
   */
  refuseStray(): void {
    const { highest, count } = this;
    if (highest < STRAY_PE_MIN + 2 * count && highest < PES_MAX) return;
    throw new GicTraceError(
      'input',
      `a line names PE ${highest}, and ${count === 1 ? 'one PE is' : `${count} PEs are`} named in all: is it damaged?`,
      {},
      highest < PES_MAX
        ? `give --pes ${highest + 1} if it is right`
        : `a GIC has at most ${PES_MAX} PEs here`,
    );
  }
}
