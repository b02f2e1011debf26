// The system registers of all architectures by encoding, for whoever reads records and does not know of which GIC they are:
// no encoding of GICv5 is one of GICv3.
import { GICV5_SYSREGS, type Gicv5SysregName, gicv5SysregName } from './gicv5/index.ts';
import { SYSREGS, type SysregName, type SysregSpec, sysregName } from './sysreg.ts';

export type AnySysregName = SysregName | Gicv5SysregName;

export const ALL_SYSREGS: Readonly<Record<AnySysregName, SysregSpec>> = { ...SYSREGS, ...GICV5_SYSREGS };

/** The register or instruction with this encoding (see `SysregSpec`), or undefined. */
export function anySysregName(encoding: number): AnySysregName | undefined {
  return sysregName(encoding) ?? gicv5SysregName(encoding);
}
