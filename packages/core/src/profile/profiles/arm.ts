// Arm's own GICs. Their manuals describe their hardware but, for the choices, nothing that deviates from IHI 0069, so
// they have no deviations.
import { PLAIN } from '../hardware.ts';
import { profile } from '../shape.ts';

export const gic600 = profile(
  'gic-600',
  'Arm CoreLink GIC-600: GICv3 with two Security states, message-based and 1 of N SPIs, an ITS that stalls on command errors.',
  // Technical Reference Manual, "GICD_TYPER" (MBIS 1, No1N 0, IDbits 16), "GITS_TYPER" (Virtual 0, SEIS 0, PTA 0).
  { ...PLAIN, twoSecurityStates: true, lines: 31, mbis: true, oneOfN: true },
  {},
);

export const gic700 = profile(
  'gic-700',
  'Arm CoreLink GIC-700: GICv4.1 with extended SPIs and PPIs, virtual SGIs, message-based and 1 of N SPIs.',
  {
    ...PLAIN,
    architecture: 4,
    twoSecurityStates: true,
    lines: 31,
    mbis: true,
    oneOfN: true,
    extendedSpis: 32,
    extendedPpis: 64,
    virtualLpis: '4.1',
  },
  {},
);
