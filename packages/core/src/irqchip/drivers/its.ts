// Designs on Linux's ITS driver, also below platform-MSI and dev-MSI, and on the "virtual ITS".
import { PLAIN } from '../../profile/index.ts';
import type { Design } from '../driver.ts';
import { ItsDriver, PLAIN_ITS, type Variant } from './its-driver.ts';

const LINUX = 'drivers/irqchip/irq-gic-v3-its.c';

interface Init {
  /** Whether collections are freed if the domain cannot be made. */
  readonly freesCollections: boolean;
}
type Text = Pick<Design, 'name' | 'doc' | 'source'> & Partial<Design>;

/** Setting up the driver allocates collections and then the domain; either can be refused. */
const design = (text: Text, variant: Partial<Variant & Init> = {}): Design => ({
  serves: 'devices',
  masks: 'both',
  profile: 'architecture',
  hardware: PLAIN,
  ...text,
  make(bus, ledger) {
    const all = { freesCollections: false, ...PLAIN_ITS, ...variant };
    if (!ledger.allocate('collections', 'collections', bus.pes)) return undefined;
    if (!ledger.allocate('domain', 'domains')) {
      if (all.freesCollections) ledger.give('collections', bus.pes);
      return undefined;
    }
    return new ItsDriver(bus, ledger, all);
  },
});

export const its = design({ name: 'its', doc: "Linux's ITS driver.", source: LINUX });

export const preIts = design(
  {
    name: 'pre-its',
    doc: "Linux's ITS driver behind a pre-ITS: the address of a message contains the DeviceID.",
    source: `${LINUX} (Socionext SynQuacer)`,
  },
  { preIts: true },
);

const DEV_MSI = 'thread "irq/dev-msi: Add support for a new DEV_MSI irq domain"';
export const platformMsi = design(
  {
    name: 'platform-msi',
    doc: 'platform-MSI on an ITS: hwirq is devid << 11 | vector; masked by the parent.',
    source: `drivers/base/platform-msi.c; ${DEV_MSI}`,
    masks: 'controller',
  },
  { devIds: true, vectorsMin: 32 },
);
export const devMsi = design(
  {
    name: 'dev-msi',
    doc: 'dev-MSI as posted, on an ITS: one default parent for all devices; masked in the device only.',
    source: DEV_MSI,
    masks: 'device',
  },
  { devIds: true, parent: 'default' },
);
export const perDeviceMsi = design({
  name: 'per-device-msi',
  doc: 'Per-device MSI domains on an ITS, which came after dev-MSI: each device has its own parent, and hwirq is the vector.',
  source: 'drivers/irqchip/irq-gic-its-msi-parent.c',
});

const withoutIts = {
  serves: 'devices',
  profile: 'hyperv',
  hardware: { ...PLAIN, its: 0, directLpi: true },
} as const;
const THREAD = 'discussion "irqchip/gic-v3-its: Introduce virtual ITS", June 2021';

export const virtualIts = design(
  {
    ...withoutIts,
    name: 'virtual-its',
    doc: 'The "virtual ITS" as posted: no command is sent, and devices are given no message.',
    source: THREAD,
  },
  { below: 'nothing', freesCollections: true },
);
export const virtualItsUnpatched = design(
  {
    ...withoutIts,
    name: 'virtual-its-unpatched',
    doc: 'The "virtual ITS" without patch 1/2, which frees collections if the domain cannot be made.',
    source: THREAD,
  },
  { below: 'nothing' },
);
export const virtualItsHosted = design(
  {
    ...withoutIts,
    name: 'virtual-its-hosted',
    doc: 'The "virtual ITS" with a host that writes GICR_SETLPIR of the PE that the driver named in its last hypercall.',
    source: `${THREAD}; the host is an assumption, because the discussion does not describe it`,
    hosted: true,
  },
  { below: 'host', freesCollections: true },
);
