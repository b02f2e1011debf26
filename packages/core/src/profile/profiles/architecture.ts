import type { Hardware } from '../hardware.ts';
import { profile } from '../shape.ts';

/** Everything that the architecture has, including GICv4.1 and the NMIs of GICv3.3. */
const EVERYTHING: Hardware = {
  architecture: 4,
  twoSecurityStates: true,
  lines: 32,
  its: 2,
  directLpi: true,
  mbis: true,
  oneOfN: true,
  extendedSpis: 32,
  extendedPpis: 64,
  nmi: true,
  virtualLpis: '4.1',
  commonLpiAff: 0,
  priorityBits: 5,
};

export const architecture = profile(
  'architecture',
  'IHI 0069 as written. Where it leaves a choice, this profile has the behaviour that a driver must be ready for.',
  EVERYTHING,
  {},
);
