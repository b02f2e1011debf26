// System registers of the CPU interface by what an access to them does, as the numbers that records hold.
import { SYSREGS } from '@gictrace/core/spec';

type Sysreg = keyof typeof SYSREGS;
const encodings = (...names: readonly Sysreg[]): readonly number[] =>
  names.map((name) => SYSREGS[name].encoding);

/** Reads acknowledge an interrupt. */
export const IARS = encodings('ICC_IAR0_EL1', 'ICC_IAR1_EL1', 'ICC_NMIAR1_EL1');
/** Reads return the interrupt that an acknowledge would return. */
export const HPPIRS = encodings('ICC_HPPIR0_EL1', 'ICC_HPPIR1_EL1');
/** Writes end an interrupt. */
export const EOIRS = encodings('ICC_EOIR0_EL1', 'ICC_EOIR1_EL1');
/** Writes deactivate an interrupt. */
export const DIR = SYSREGS.ICC_DIR_EL1.encoding;
/** Writes send SGIs: to Group 0, to the Group 1 of the writer's Security state, to that of the other state. */
export const SGIRS = encodings('ICC_SGI0R_EL1', 'ICC_SGI1R_EL1', 'ICC_ASGI1R_EL1');
/** Registers of Group 0 among these. */
export const OF_GROUP_0 = encodings('ICC_IAR0_EL1', 'ICC_HPPIR0_EL1', 'ICC_EOIR0_EL1');

export const AP0R = encodings('ICC_AP0R0_EL1', 'ICC_AP0R1_EL1', 'ICC_AP0R2_EL1', 'ICC_AP0R3_EL1');
export const AP1R = encodings('ICC_AP1R0_EL1', 'ICC_AP1R1_EL1', 'ICC_AP1R2_EL1', 'ICC_AP1R3_EL1');
