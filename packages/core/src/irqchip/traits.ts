// What a design needs around it, and what it tells Linux about itself. These are statements about code and firmware, each with
// its source; what can be measured is measured (see `compare`), and nothing of that is here.

export interface Traits {
  /**
   * `design`: as it is in Linux or in a review. `proposal`: as it was posted, and what the discussion is about. `as posted`: a
   * variant with a fault that was found in a review. `hypothesis`: a variant of ours, to find out more.
   */
  readonly status: 'design' | 'proposal' | 'as posted' | 'hypothesis';
  /** What must be there: hardware, a table of firmware, a service of the hypervisor. */
  readonly needs: readonly string[];
  /**
   * Whether its domain says that it isolates devices (IRQ_DOMAIN_FLAG_MSI_REMAP, later IRQ_DOMAIN_FLAG_ISOLATED_MSI). VFIO
   * refuses devices of a domain that does not, unless its user allows unsafe interrupts; if it does, VFIO trusts it.
   */
  readonly saysIsolated: boolean;
}

const IORT = 'IORT or DT msi-map';
const NO_TABLE = 'no firmware table describes it';
const linux = (needs: readonly string[], saysIsolated: boolean): Traits => ({
  status: 'design',
  needs,
  saysIsolated,
});
const DIRECT: Traits = linux(['GICR_SETLPIR (Direct LPI)', NO_TABLE], false);
const VIRTUAL_ITS: Traits = {
  status: 'proposal',
  needs: ['Direct LPI', 'IORT domain token 0', 'a host that makes the message'],
  saysIsolated: true,
};
const HYPERV: Traits = linux(['Hyper-V (VMBus)', 'GIC domain by acpi_irq_create_hierarchy'], false);
const HYPERV_AS_POSTED: Traits = { ...HYPERV, status: 'as posted' };
const PROXY: Traits = linux(['ITS (GICv4.0)', 'the highest DeviceID'], true);

const TRAITS: Readonly<Record<string, Traits>> = {
  its: linux(['ITS', IORT], true),
  'pre-its': linux(['ITS', 'DT socionext,synquacer-pre-its'], false),
  'platform-msi': linux(['ITS', IORT], true),
  'per-device-msi': linux(['ITS', IORT], true),
  'dev-msi': { status: 'proposal', needs: ['ITS', 'a default IRQ domain'], saysIsolated: true },
  'virtual-its': VIRTUAL_ITS,
  'virtual-its-unpatched': { ...VIRTUAL_ITS, status: 'as posted' },
  'virtual-its-hosted': { ...VIRTUAL_ITS, status: 'hypothesis' },
  'direct-lpi-rfc': {
    status: 'proposal',
    needs: ['GICR_SETLPIR (Direct LPI)', 'IORT domain token 0'],
    saysIsolated: true,
  },
  'direct-lpi-rfc-intid': {
    status: 'hypothesis',
    needs: ['GICR_SETLPIR (Direct LPI)', 'IORT domain token 0'],
    saysIsolated: true,
  },
  'direct-lpi': DIRECT,
  'direct-lpi-lossy': DIRECT,
  'direct-lpi-invall': {
    status: 'proposal',
    needs: ['GICR_INVALLR (Direct LPI)', 'Hyper-V root partition'],
    saysIsolated: false,
  },
  mbi: linux(['GICD_TYPER.MBIS', 'DT mbi-ranges (no ACPI)'], false),
  gicv2m: linux(['GICv2m frame', 'MADT MSI frame or DT'], false),
  'hyperv-spi': HYPERV,
  'gicv5-its': linux(['GICv5 ITS', IORT], true),
  'gicv5-setlpi': {
    status: 'hypothesis',
    needs: ['IRS_IDR0.SETLPI', 'DT setlpi frame; no driver uses it'],
    saysIsolated: false,
  },
  'gicv5-spi': { status: 'hypothesis', needs: ['GICv5', 'a frame that raises SPIs'], saysIsolated: false },
  'vpe-proxy': PROXY,
  'vpe-proxy-rfc': { ...PROXY, status: 'as posted' },
  'vpe-naive': { ...PROXY, status: 'hypothesis' },
  'vpe-direct': linux(['ITS (GICv4.0)', 'Direct LPI'], true),
  'vpe-v41': linux(['ITS (GICv4.1)'], true),
};

/** The traits of a design, given by its name: of the design itself, or of the one whose name its name begins with. */
export function traitsOf(name: string): Traits {
  const plain = name.split('@')[0]!;
  for (let of = plain; of !== ''; of = of.slice(0, Math.max(0, of.lastIndexOf('-')))) {
    if (!Object.hasOwn(TRAITS, of)) continue;
    return of === 'hyperv-spi' && of !== plain ? HYPERV_AS_POSTED : TRAITS[of]!;
  }
  throw new Error(`invariant: the design ${name} has no traits`);
}

/** Whether `compare` shows a design by default: a design or a proposal, without the variants of it. */
export const isShownByDefault = (name: string): boolean =>
  ['design', 'proposal'].includes(traitsOf(name).status);
