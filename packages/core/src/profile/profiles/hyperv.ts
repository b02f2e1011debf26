import { PLAIN } from '../hardware.ts';
import { profile } from '../shape.ts';

export const hyperv = profile(
  'hyperv',
  'A virtual GICv3 as the Direct LPI patches for Hyper-V expect it: LPIs through Redistributor registers, without an ITS.',
  { ...PLAIN, its: 0, directLpi: true },
  {},
);
