// Which version of its source each driver follows, what it was held against, and where it is known to differ. docs/designs.md
// prints this.

export interface Source {
  /** The version of Linux, or of the patches. */
  readonly version: string;
  /** Recordings of real kernels whose commands and accesses the driver repeats; empty if there is none. */
  readonly heldAgainst: string;
  readonly deviations: readonly string[];
}

const KERNELS = 'Debian’s 6.1, 6.12 and 7.3 on QEMU, with one PE and with four: all commands and accesses';
const QUEUE =
  'a full or stalled queue is read once, where Linux polls for a second and then reports a timeout';
const ITS_DEVIATIONS: readonly string[] = [
  'several DeviceIDs of one device (aliases, `shared`) are not modelled',
  'the operation names the PE, where its_select_cpu takes the least loaded PE of the affinity mask',
  'tables are cacheable and inner shareable, and stay so; shareability that does not stick, quirks and LPI tables that firmware has left enabled are not modelled',
  QUEUE,
  'LPIs have priority 0xa0; Linux since 6.11 gives them that of all interrupts, 0xc0 (lpi_prop_prio)',
  'bytes of an interrupt translation table are those of Linux 6.1, which allocates 255 more to align it; later versions take them from a pool (itt_alloc_pool)',
];
const PROXY_DEVIATIONS: readonly string[] = [
  ...ITS_DEVIATIONS,
  'all vPEs are taken to be of one VM, with one property table',
  'with several ITSs (GITS_TYPER.VMOVP = 0), the ITS list, VMOVP to each ITS and vPEs that are mapped on demand are not modelled',
  'its_wait_vpt_parse_complete reads nothing, since GICR_TYPER.Dirty is 0',
  'on a machine with one PE, Linux indexes its array of one vPE by two events; the second element exists here',
];
const RFC = 'as posted in 2021';
const DIRECT_DEVIATIONS: readonly string[] = [
  'the posted address of a message is a kernel virtual address; it is taken to reach the Redistributor',
  'error paths of domain_alloc are those of the ITS driver',
];
const SPI_DEVIATIONS: readonly string[] = [
  'one range of SPIs and one frame; level-sensitive MSIs (CLRSPI) are not modelled',
  'after it was shut down, an interrupt is started as it is unmasked and moved; GICD_ISACTIVER, which free_irq reads, is not read',
];
const SPI_KERNELS =
  'Debian’s 6.1, 6.12 and 7.3 on QEMU 11.1, with four PEs and managed and other interrupts: for each SPI all accesses to the Distributor, 256 of 256';
const HYPERV_DEVIATIONS: readonly string[] = [
  'the request for a message and its completion are one VMBus message; the configuration reads while Linux waits are not counted',
  'the host makes the message that the Distributor needs; what a host checks is not modelled',
];

const GICV5_DEVIATIONS: readonly string[] = [
  'pages of 4 KB, a coherent machine, one IRS; tables as large as the identification registers of QEMU 11.1 ask for',
  'the operation names the PE, where cpumask_any_and takes one of the affinity mask',
  'DSB and ISB are not counted; of the barriers, GSB SYS is, which the driver executes when it masks',
];

const SOURCES: Readonly<Record<string, Source>> = {
  its: {
    version: 'Linux 6.1 to 7.3, which do not differ here',
    heldAgainst: `${KERNELS}; a guest of KVM`,
    deviations: ITS_DEVIATIONS,
  },
  'pre-its': {
    version: 'Linux 6.1 to 7.3',
    heldAgainst: '',
    deviations: ['as its', 'an address window of 4 bytes a DeviceID replaces the platform’s'],
  },
  'platform-msi': {
    version: 'Linux 6.1; drivers/base/platform-msi.c of 6.12 makes no such domain any more',
    heldAgainst: '',
    deviations: ['as its; 32 vectors at least, as its_pmsi_prepare asks for'],
  },
  'per-device-msi': {
    version: 'Linux 6.12 to 7.3; 6.1 has none',
    heldAgainst: `${KERNELS} (6.12, 7.3)`,
    deviations: ['as its; what a device may allocate after its domain was made is not modelled'],
  },
  'dev-msi': {
    version: `${RFC} (dev-MSI was not merged)`,
    heldAgainst: '',
    deviations: [
      'that its parent is an ITS is a hypothesis: irq_get_default_host() has no domain on a GICv3, so Linux would fail',
      'as its',
    ],
  },
  'virtual-its': {
    version: RFC,
    heldAgainst: '',
    deviations: ['an interrupt translation entry is taken to be 1 byte, since GITS_TYPER is 0', 'as its'],
  },
  'direct-lpi-rfc': { version: RFC, heldAgainst: '', deviations: DIRECT_DEVIATIONS },
  'direct-lpi': {
    version: 'no code exists; deduced from the review',
    heldAgainst: '',
    deviations: ['all of it is deduced'],
  },
  'direct-lpi-invall': {
    version: 'a proposal for the MSHV root partition; no patch was held against it',
    heldAgainst: '',
    deviations: ['hypercalls are counted and not modelled'],
  },
  mbi: {
    version: 'Linux 6.1 to 7.3, which do not differ here',
    heldAgainst: `${SPI_KERNELS} (with the device tree’s mbi-alias at the GICv2m frame of QEMU, which has no GICD_SETSPI, and with a kernel in which the test of GICD_TYPER.MBIS is changed)`,
    deviations: SPI_DEVIATIONS,
  },
  gicv2m: {
    version: 'Linux 6.1 to 7.3, which do not differ here',
    heldAgainst: `${SPI_KERNELS}; 6.1 with input lines alone, 48 of 48`,
    deviations: [
      ...SPI_DEVIATIONS,
      'the spacing and errata of AWS Graviton and other frames are not modelled',
    ],
  },
  'gicv5-its': {
    version: 'Linux 7.3 (irq-gic-v5-its.c is in Linux since 6.17)',
    heldAgainst:
      'Linux 7.3 on QEMU 11.1 without an ITS: all accesses and instructions of two boots that set up the IRS, the table of LPIs and the IPIs. No implementation with an ITS can be run',
    deviations: GICV5_DEVIATIONS,
  },
  'gicv5-setlpi': {
    version: 'no code exists; deduced from Linux 7.3',
    heldAgainst: 'as gicv5-its',
    deviations: ['all that concerns the SETLPI frame is deduced', ...GICV5_DEVIATIONS],
  },
  'gicv5-spi': {
    version: 'Linux 7.3 (IRS); the frame is a hypothesis',
    heldAgainst:
      'Linux 7.3 on QEMU 11.1: all accesses and instructions of two boots that set up the IRS, the table of LPIs and the IPIs, and those that set up one SPI',
    deviations: ['GICv5 has no register that makes an SPI pending', ...GICV5_DEVIATIONS],
  },
  'hyperv-spi': {
    version: 'Linux 6.1 to 7.3, which do not differ here',
    heldAgainst: '',
    deviations: HYPERV_DEVIATIONS,
  },
  'hyperv-spi-5.17': {
    version: 'Linux before d06957d7a692 (2022, Linux 5.18)',
    heldAgainst: '',
    deviations: HYPERV_DEVIATIONS,
  },
  'vpe-proxy': {
    version: 'Linux 6.1 to 7.3',
    heldAgainst:
      'Debian’s kernels with a KVM guest on QEMU’s GICv4: 6.1, 534 of 534 commands and 1,827 of 1,827 accesses; 6.12, 1,005 of 1,005 and 3,938 of 3,938; 7.3, 1,008 of 1,008 and 3,934 of 3,934; attributes of the tables of LPIs and vPEs in the latter two; 6.1, 6.12 and 7.3 without a guest',
    deviations: PROXY_DEVIATIONS,
  },
  'vpe-proxy-rfc': { version: 'as first posted, 2017', heldAgainst: '', deviations: PROXY_DEVIATIONS },
  'vpe-naive': {
    version: 'described in the commit message of the proxy',
    heldAgainst: '',
    deviations: PROXY_DEVIATIONS,
  },
  'vpe-direct': {
    version: 'Linux 6.1 to 7.3',
    heldAgainst: '',
    deviations: PROXY_DEVIATIONS.slice(0, -1),
  },
  'vpe-v41': {
    version: 'Linux 6.12 to 7.3, and 6.1 as of 6.1.176',
    heldAgainst: '',
    deviations: [
      ...PROXY_DEVIATIONS.slice(0, -2),
      'GICR_VPROPBASER.Entry_Size is written, because the simulator stores it; hardware has it read-only',
      'a vPE table that is allocated for a Redistributor alone (no SVPET) is not modelled; nor are vSGIs',
      'doorbell.invalidate is INVDB, as the chip’s irq_mask is; KVM never calls it',
    ],
  },
  'vpe-v41-skip': {
    version:
      'Linux before "irqchip/gic-v3-its: Fix GICv4.1 VPE affinity update" (February 2024, Linux 6.8 and updates of older ones)',
    heldAgainst: '',
    deviations: [
      'as vpe-v41',
      'its_vpe_set_affinity prefers a PE of the same group; the operation names the PE',
    ],
  },
};

/** The source of a design, given by its name: its own, or that of the design whose name its name begins with. */
export function sourceOf(name: string): Source {
  const plain = name.split('@')[0]!;
  for (let of = plain; of !== ''; of = of.slice(0, Math.max(0, of.lastIndexOf('-'))))
    if (Object.hasOwn(SOURCES, of)) return SOURCES[of]!;
  throw new Error(`invariant: the design ${name} has no source`);
}
