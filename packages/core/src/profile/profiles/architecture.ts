import type { Hardware } from '../hardware.ts';
import { profile } from '../shape.ts';

/** Everything that the architecture has, GICv4.1 and GICv3.3's NMI included. */
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
  priorityBits: 5,
};

export const architecture = profile(
  'architecture',
  'IHI 0069 as written; where it leaves a choice, the one that a driver must be ready for.',
  EVERYTHING,
  {},
);
