// GICv5 as data. `evidence.ts` says where the facts come from.
export * from './intid.ts';
export { IRS, SETLPI } from './irs.ts';
export { ITS, ITS_TRANSLATE } from './its.ts';
export { IWB } from './iwb.ts';
export {
  GICV5_SYSREGS,
  type Gicv5SysregName,
  type Gicv5SysregSpec,
  gicv5SysregName,
} from './sysreg.ts';
export { GICV5_ENTRIES, type Gicv5Entry } from './tables.ts';
