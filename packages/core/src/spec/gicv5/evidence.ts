// Where the facts of this folder come from. The text of the specification (Arm 111701, earlier ARM-AES-0070) was not at hand.
// What two independent implementations agree on counts as a fact; what rests on one of them says so. The names and bits of
// fields were also held against Arm's machine-readable list of registers, which has no offsets. Pure data.
import type { FieldSpec } from '../shape.ts';

/** QEMU's hw/intc/arm_gicv5.c and target/arm/tcg/gicv5-cpuif.c, and Linux's irq-gic-v5 and sysreg descriptions, agree. */
export const BOTH = 'QEMU, Linux';
/** Linux's irq-gic-v5-its.c and irq-gic-v5-iwb.c, and FreeBSD's gicv5_its.c and gicv5_iwb.c, agree. QEMU has neither unit. */
export const DRIVERS = 'Linux, FreeBSD';
/** Only QEMU's model has it. */
export const QEMU = 'QEMU';
/** Only Linux has it. */
export const LINUX = 'Linux';
/** Only FreeBSD's drivers have the offset; the fields are those of Arm's list of registers. */
export const FREEBSD = 'FreeBSD';
/** The fields are those of Arm's list of registers. The offset is in no public source and is assumed to be 0. */
export const ASSUMED = "Arm's list of registers; offset assumed";

/** A field that only one implementation has, in a register that both have. */
export const by = <F extends FieldSpec>(source: typeof QEMU | typeof LINUX, field: F): F => ({
  ...field,
  source,
});
