// All behaviours.
import type { Behaviour } from '../shape.ts';
import { cpuInterface } from './cpu-interface.ts';
import { distributor } from './distributor.ts';
import { its } from './its.ts';
import { itsErrors } from './its-errors.ts';
import { lpis } from './lpis.ts';
import { saveRestore } from './save-restore.ts';
import { virtualBehaviours } from './virtual.ts';

export const BEHAVIOURS: readonly Behaviour[] = [
  ...cpuInterface,
  ...distributor,
  ...lpis,
  ...its,
  ...itsErrors,
  ...virtualBehaviours,
  ...saveRestore,
];
