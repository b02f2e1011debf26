// GICv5 as data. `evidence.ts` says where the facts come from.
export * from './intid.ts';
export { IRS } from './irs.ts';
export { ITS, IWB } from './its.ts';
export {
  GICV5_SYSREGS,
  type Gicv5SysregName,
  type Gicv5SysregSpec,
  gicv5SysregName,
} from './sysreg.ts';
export { GICV5_ENTRIES, type Gicv5Entry } from './tables.ts';
