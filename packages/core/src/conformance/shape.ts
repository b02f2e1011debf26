// The shape of a behaviour: something that GICs do and models get wrong, as an experiment with a named outcome. The
// experiment sees only what software and devices can see. Its outcome is compared with the one expected under a profile.
import type { Hardware } from '../profile/index.ts';
import type { Guest } from './guest.ts';

/** The rows of the matrix. */
export const FEATURES = [
  'CPU interface',
  'Distributor',
  'Security',
  'Redistributor',
  'LPIs',
  'Direct LPI',
  'ITS commands',
  'ITS queue and tables',
  'Message-based SPIs',
  '1 of N',
  'Extended ranges',
  'NMI',
  'Virtual CPU interface',
  'vLPIs',
  'Doorbells',
  'GICv4.1',
  'Save and restore',
] as const;
export type Feature = (typeof FEATURES)[number];

/** What an experiment needs from the hardware. */
export const NEEDS = {
  its: (h: Hardware) => h.its > 0,
  'two ITSs': (h: Hardware) => h.its > 1,
  lpis: (h: Hardware) => h.its > 0 || h.directLpi,
  'direct LPI': (h: Hardware) => h.directLpi,
  'no direct LPI': (h: Hardware) => !h.directLpi && h.its > 0,
  'message-based SPIs': (h: Hardware) => h.mbis,
  'no message-based SPIs': (h: Hardware) => !h.mbis,
  '1 of N': (h: Hardware) => h.oneOfN,
  'extended SPIs': (h: Hardware) => h.extendedSpis > 0,
  'extended PPIs': (h: Hardware) => h.extendedPpis > 0,
  NMI: (h: Hardware) => h.nmi,
  'two Security states': (h: Hardware) => h.twoSecurityStates,
  vLPIs: (h: Hardware) => h.virtualLpis !== 'none',
  'no vLPIs': (h: Hardware) => h.virtualLpis === 'none' && h.its > 0,
  'GICv4.0': (h: Hardware) => h.virtualLpis === '4.0',
  'GICv4.1': (h: Hardware) => h.virtualLpis === '4.1',
} as const;
export type Need = keyof typeof NEEDS;

export interface Behaviour {
  /** Unique: `lpi.no-active-state`. */
  readonly id: string;
  readonly feature: Feature;
  /** What the experiment shows, in a sentence. */
  readonly title: string;
  /** Heading of IHI 0069. */
  readonly source: string;
  readonly needs: readonly Need[];
  /** The outcome with the architecture's choices, and under profiles that differ; `qemu` stands for all QEMU versions. */
  readonly expected: { readonly architecture: string; readonly [profile: string]: string };
  /** PEs of the machine; 2 if absent. */
  readonly pes?: number;
  /** Runs the experiment on a fresh machine and returns its outcome. */
  run(guest: Guest): string;
}

/** The outcome of an experiment if all its points hold; see {@link points}. */
export const CONFORMS = 'conforms';

/** Returns `conforms` if all points hold, otherwise the name of the first that does not. */
export function points(list: Readonly<Record<string, boolean>>): string {
  for (const [name, holds] of Object.entries(list)) if (!holds) return `not: ${name}`;
  return CONFORMS;
}
