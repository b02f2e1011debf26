// What a behaviour is: one thing that GICs do and models get wrong, as an experiment with a named outcome. The
// experiment sees only what software and devices can see; the outcome is held against what is expected of a profile.
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

/** What hardware must have for an experiment to make sense. */
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
  /** What is tried and what a reader should know. */
  readonly title: string;
  /** Heading of IHI 0069. */
  readonly source: string;
  readonly needs: readonly Need[];
  /** Outcome by the architecture's choices, and by the profiles that differ; `qemu`: by all of QEMU's versions. */
  readonly expected: { readonly architecture: string; readonly [profile: string]: string };
  /** PEs of the machine; 2 when absent. */
  readonly pes?: number;
  /** The experiment on a fresh machine; answers its outcome. */
  run(guest: Guest): string;
}

/** The outcome of an experiment that either agrees in all points or names the first in which it does not. */
export const CONFORMS = 'conforms';

/** Answers `conforms` if all points hold, else the first that does not. */
export function points(list: Readonly<Record<string, boolean>>): string {
  for (const [name, holds] of Object.entries(list)) if (!holds) return `not: ${name}`;
  return CONFORMS;
}
