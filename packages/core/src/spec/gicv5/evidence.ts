// Where the facts of this folder come from. The text of the specification (Arm 111701) was not at hand. What two
// independent implementations agree on counts as a fact; what rests on one of them says so. Pure data.
import type { FieldSpec } from '../shape.ts';

/** QEMU's hw/intc/arm_gicv5.c and target/arm/tcg/gicv5-cpuif.c, and Linux's irq-gic-v5 and sysreg descriptions, agree. */
export const BOTH = 'QEMU, Linux';
/** Only QEMU's model has it. */
export const QEMU = 'QEMU';
/** Only Linux has it. */
export const LINUX = 'Linux';

/** A field that only one implementation has, in a register that both have. */
export const by = <F extends FieldSpec>(source: typeof QEMU | typeof LINUX, field: F): F => ({
  ...field,
  source,
});
