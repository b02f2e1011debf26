// The profiles of GICv5 by name. They are apart from those of GICv3: a name may exist in both, since an implementation such
// as QEMU 11.1 has models of both.
import { GicTraceError } from '../errors.ts';
import { GICV5_CHOICES, type Gicv5ChoiceName, type Gicv5Choices } from './choices.ts';

/** One choice in which an implementation differs from the architecture. */
export interface Gicv5Deviation {
  readonly choice: Gicv5ChoiceName;
  readonly value: unknown;
  readonly evidence: string;
}

export interface Gicv5Profile extends Gicv5Choices {
  readonly name: string;
  readonly doc: string;
  readonly deviations: readonly Gicv5Deviation[];
}

type Deviations = {
  readonly [K in Gicv5ChoiceName]?: { readonly value: Gicv5Choices[K]; readonly evidence: string };
};

function profile(name: string, doc: string, deviations: Deviations): Gicv5Profile {
  const choices: Record<string, unknown> = {};
  for (const [choice, { architecture }] of Object.entries(GICV5_CHOICES)) choices[choice] = architecture;
  const list: Gicv5Deviation[] = [];
  for (const [choice, { value, evidence }] of Object.entries(deviations)) {
    choices[choice] = value;
    list.push({ choice: choice as Gicv5ChoiceName, value, evidence });
  }
  return { ...(choices as unknown as Gicv5Choices), name, doc, deviations: list };
}

const architecture = profile('gicv5-architecture', 'GICv5 as its architecture is quoted in public', {});

const qemu111 = profile('qemu-11.1', 'the GICv5 of QEMU 11.1 (virt, gic-version=x-5)', {
  irsEnableActsAtRead: {
    value: true,
    evidence:
      'QEMU 11.1.3: after a write of IRS_CR0 the log has no recalculation; a read has one for each PE',
  },
  disabledIrsKeepsHppi: {
    value: true,
    evidence: 'QEMU 11.1.3: with IRSEN written to 0 a pending SPI stays signalled until IRS_CR0 is read',
  },
  ignoresSpiDisable: {
    value: true,
    evidence: 'QEMU 11.1.3: after CDDIS of an SPI, CDRCFG returns Enabled = 1, and the SPI is signalled',
  },
  ignoresSpiUnpend: {
    value: true,
    evidence: 'QEMU 11.1.3: after CDPEND of an SPI with PENDING = 0, CDRCFG returns Pending = 1',
  },
  keepsReservedBits: {
    value: true,
    evidence: 'QEMU 11.1.3: 0xffffffff written to IRS_PE_SELR, IRS_CR1 and IRS_IST_CFGR is read back',
  },
  deactivatesUpperPpis: {
    value: true,
    evidence:
      'QEMU 11.1.3: after all bits of ICC_PPI_SACTIVER0_EL1 were written, CDDI of PPI 27 leaves 0xf7ffffff; the mask has 32 bits where the register has 64',
  },
  resetKeepsHppi: {
    value: true,
    evidence: 'QEMU 11.1.3: what the IRS forwarded before a system reset is signalled after it',
  },
  resetPresentsPpi: {
    value: true,
    evidence:
      'QEMU 11.1.3: EN written to ICC_CR0_EL1 as the first access after a reset signals NMI, and ICC_HPPIR_EL1 reads 0x100000000; GICR CDIA then ends QEMU (gicr_cdia_read: code should not be reached)',
  },
  peResetForgetsLines: {
    value: true,
    evidence: 'QEMU 11.1.3: the pending bits of PPIs are part of the state that a reset of the PE clears',
  },
  equalPriorities: {
    value: 'hash table',
    evidence:
      'QEMU 11.1.3: of several pending LPIs of one priority, the first in its hash table (GLib) is forwarded',
  },
  writesBackPending: {
    value: false,
    evidence: 'QEMU 11.1.3: the ISTE in guest memory does not change while its LPI is pending',
  },
  showsAll: {
    value: true,
    evidence:
      'QEMU 11.1.3: its log has a line for each recalculation, and none for what a disabled IRS takes back',
  },
  devarch: {
    value: 0x8010_5a19,
    evidence: 'QEMU 11.1.3: a read of IRS_DEVARCH; the architect field is shifted by 31 instead of 21 bits',
  },
});

/** The profiles of GICv5 by name. */
export const GICV5_PROFILES: Readonly<Record<string, Gicv5Profile>> = Object.fromEntries(
  [architecture, qemu111].map((one) => [one.name, one]),
);

/** The profile of a name. @throws GicTraceError `trace` if this version of gictrace has none of that name. */
export function gicv5ProfileNamed(name: string): Gicv5Profile {
  if (Object.hasOwn(GICV5_PROFILES, name)) return GICV5_PROFILES[name]!;
  throw new GicTraceError(
    'trace',
    `no GICv5 profile '${name}'`,
    {},
    `this version has ${Object.keys(GICV5_PROFILES).join(', ')}`,
  );
}
