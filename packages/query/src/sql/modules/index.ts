// The library of SQL modules: views on views and tables, made with the database.
import { COST_MODULES } from './costs.ts';
import { FLEET_MODULES } from './fleet.ts';
import { ISOLATION_MODULES } from './isolation.ts';
import { LATENCY_MODULES } from './latency.ts';
import { LIFECYCLE_MODULES } from './lifecycle.ts';
import { MAPPING_MODULES } from './mapping-history.ts';
import type { Module } from './module.ts';
import { REGISTER_MODULES } from './registers.ts';
import { WAITING_MODULES } from './waiting.ts';

export type { Module } from './module.ts';

const all: readonly Module[] = [
  ...LATENCY_MODULES,
  ...LIFECYCLE_MODULES,
  ...WAITING_MODULES,
  ...MAPPING_MODULES,
  ...COST_MODULES,
  ...ISOLATION_MODULES,
  ...REGISTER_MODULES,
  ...FLEET_MODULES,
];
const isAcross = ({ name }: Module): boolean => /_by_(trace|label)$|_differences$|^unusual_/.test(name);

/** Modules about single traces come first, then modules that compare traces. */
export const MODULES: readonly Module[] = [...all.filter((one) => !isAcross(one)), ...all.filter(isAcross)];
