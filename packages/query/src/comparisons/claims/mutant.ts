// A fault that is planted to see whether a claim notices it.
import type { Gicv5Machine } from '@gictrace/core/gicv5';
import type { Design } from '@gictrace/core/irqchip';
import type { Machine } from '@gictrace/core/model';

/** A fault: a design that is changed, or a machine into which a fault is planted. */
export interface Mutant {
  readonly design?: (design: Design) => Design;
  readonly machine?: (machine: Machine) => void;
  readonly gicv5Machine?: (machine: Gicv5Machine) => void;
}
