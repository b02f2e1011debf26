// All behaviours.
import type { Behaviour } from '../shape.ts';
import { cpuInterface } from './cpu-interface.ts';
import { distributor } from './distributor.ts';
import { doorbells } from './doorbells.ts';
import { features } from './features.ts';
import { gicv41 } from './gicv41.ts';
import { its } from './its.ts';
import { itsErrors } from './its-errors.ts';
import { lpis } from './lpis.ts';
import { saveRestore } from './save-restore.ts';
import { security } from './security.ts';
import { virtualInterface } from './virtual-interface.ts';
import { vlpis } from './vlpis.ts';

export const BEHAVIOURS: readonly Behaviour[] = [
  ...cpuInterface,
  ...distributor,
  ...security,
  ...features,
  ...lpis,
  ...its,
  ...itsErrors,
  ...virtualInterface,
  ...vlpis,
  ...doorbells,
  ...gicv41,
  ...saveRestore,
];
