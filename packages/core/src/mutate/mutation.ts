// What a fault with a name is.
import type { EventFate, PlantedFault } from './plant.ts';

export interface Mutation {
  /** What is wrong. */
  readonly doc: string;
  /** The heading of IHI 0069 that says otherwise. */
  readonly heading: string;
  /**
   * How QEMU tells it: `soon` within 20,000 fuzzed stimuli of which 12 show it; `late` with more, since an ITS or a vPE
   * must be set up for it; `never`, since the `virt` machine does not have what it is about.
   */
  readonly onQemu: 'soon' | 'late' | 'never';
  readonly fault: PlantedFault;
}

export const lostIf = (lost: boolean): EventFate => (lost ? 'lost' : 'kept');
