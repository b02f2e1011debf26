// The shape of a named fault.
import type { EventOutcome, PlantedFault } from './plant.ts';

export interface Mutation {
  /** What is wrong. */
  readonly doc: string;
  /** The heading of IHI 0069 that the fault violates. */
  readonly heading: string;
  /**
   * When a comparison with QEMU reveals it. `soon`: within 20,000 fuzzed stimuli, which can be shrunk to 12. `late`: with
   * more stimuli, because an ITS or a vPE must be set up for it. `never`: the `virt` machine lacks the hardware that it
   * concerns.
   */
  readonly onQemu: 'soon' | 'late' | 'never';
  /** Absent: with one Security state, too. */
  readonly securityStates?: 2;
  readonly fault: PlantedFault;
}

export const lostIf = (lost: boolean): EventOutcome => (lost ? 'lost' : 'kept');
