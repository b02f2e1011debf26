// What Linux does for each operation, in the terms of doings.ts: its commands, and the registers that it accesses, in order. Written
// down from the sources that docs/designs.md names, and not from the drivers here; a view compares what a design did with it.
//
// Linux reads GITS_CREADR for each command that it posts to find out whether the queue is full, once more, writes GITS_CWRITER, and
// reads GITS_CREADR until the commands are done.

/** Each is an SQL pattern. `did` and `accessed` are empty where nothing is done. */
export interface Does {
  readonly design: string;
  readonly op: string;
  /** For `set_pending`: 1 set, 0 cleared. */
  readonly asked?: 0 | 1;
  readonly did: string;
  readonly accessed: string;
}

/** Accesses for posts of so many commands each. */
function posts(...commands: readonly number[]): string {
  const parts: string[] = [];
  commands.forEach((count, n) => {
    // The reads that end a post and those that begin the next are counted together.
    parts.push(`${count + 1 + (n > 0 ? 1 : 0)} × GITS_CREADR read`, 'GITS_CWRITER write');
  });
  return [...parts, 'GITS_CREADR read'].join(', ');
}

const row = (design: string, op: string, did: string, accessed: string, asked?: 0 | 1): Does => ({
  design,
  op,
  did,
  accessed,
  ...(asked === undefined ? {} : { asked }),
});

/** irq-gic-v3-its.c. */
const ITS: readonly string[] = [
  'its%',
  'pre-its%',
  'per-device-msi%',
  'platform-msi%',
  'virtual-its%',
  'vpe-%',
];
const ONLINE = 'MAPC pe pe V=1; SYNC pe; INVALL pe; SYNC pe';
/** its_cpu_init_lpis. */
const LPI_TABLES =
  'GICR_TYPER of pe read, 2 × GICR_CTLR of pe read, GICR_PROPBASER of pe write, GICR_PROPBASER of pe read, GICR_PENDBASER of pe write, GICR_PENDBASER of pe read, GICR_CTLR of pe read, GICR_CTLR of pe write';
/** its_cpu_init_collection. */
const OWN_TARGET = 'GITS_TYPER read, GICR_TYPER of pe read';
const INVALIDATED = 'GICR_INVLPIR of old pe write, GICR_SYNCR of old pe read';
const ofIts = (design: string): readonly Does[] => [
  row(design, 'pe.online', ONLINE, `${LPI_TABLES}, ${OWN_TARGET}, ${posts(2, 2)}`),
  // With vPEs, their tables are set up in between; with several ITSs, each is told.
  ...(design === 'vpe-%'
    ? [row(design, 'pe.online', ONLINE, `${LPI_TABLES}, %, ${OWN_TARGET}, ${posts(2, 2)}`)]
    : []),
  row(design, 'pe.online', `${ONLINE}; ${ONLINE}%`, `${LPI_TABLES}, %${posts(2, 2)}`),
  row(design, 'alloc', 'MAPD device least V=1', posts(1)),
  // A PCI device with DeviceID 0 gets 32 events at least, and so does each device of platform-MSI (its_pmsi_prepare).
  row(design, 'alloc', 'MAPD device Size=4 V=1', posts(1)),
  row(design, 'activate', 'MAPTI device vector pe; SYNC pe', posts(2)),
  row(design, 'mask', 'INV device vector; SYNC old pe', posts(2)),
  row(design, 'unmask', 'INV device vector; SYNC old pe', posts(2)),
  // If the Redistributors have GICR_INVLPIR beside an ITS (GICR_CTLR.IR), on a profile that has it.
  row(`${design}@%`, 'mask', '', INVALIDATED),
  row(`${design}@%`, 'unmask', '', INVALIDATED),
  row(design, 'set_affinity', 'MOVI device vector pe; SYNC old pe', posts(2)),
  row(design, 'set_pending', 'INT device vector; SYNC old pe', posts(2), 1),
  row(design, 'set_pending', 'CLEAR device vector; SYNC old pe', posts(2), 0),
  row(design, 'deactivate', 'DISCARD device vector; SYNC old pe', posts(2)),
  row(design, 'free', 'MAPD device Size=% V=0', posts(1)),
];

/** irq-gic-v3-its.c and irq-gic-v4.c; KVM's vgic-v4.c decides when. */
const DESCHEDULED = 'GICR_VPENDBASER of pe read, GICR_VPENDBASER of pe write, GICR_VPENDBASER of pe read';
const MAPPED = 'VMAPP vpe pe V=1 VPT_size=15 Alloc=0 PTZ=0 no-doorbell; VSYNC vpe; VINVALL vpe; VSYNC vpe';
const MOVED = 'VMOVP vpe pe SequenceNumber=0 ITSList=0 DB=0 no-doorbell; VSYNC vpe';
const ofVpes = (design: string): readonly Does[] => [
  row(design, 'vpe.map', MAPPED, posts(2, 2)),
  row(design, 'vpe.unmap', 'VMAPP vpe % V=0 %; VSYNC vpe', posts(2)),
  row(design, 'vpe.schedule', '', 'GICR_VPROPBASER of pe write, GICR_VPENDBASER of pe write'),
  row(design, 'vpe.deschedule', '', DESCHEDULED),
  row(design, 'vlpi.map', 'VMAPTI device vector vpe doorbell; VSYNC vpe', posts(2)),
  row(
    design,
    'vlpi.map',
    'DISCARD device vector; SYNC old pe; VMAPTI device vector vpe doorbell; VSYNC vpe',
    posts(2, 2),
  ),
];
/** A vLPI that the guest configures, or whose pending state the hypervisor changes, and one that moves to a vPE. */
const VLPI = 'device vector; VSYNC vPEID=_';
const ofVlpis = (design: string, moved: 'doorbell' | 'no-doorbell'): readonly Does[] => [
  row(design, 'set_pending', `INT ${VLPI}`, posts(2), 1),
  row(design, 'set_pending', `CLEAR ${VLPI}`, posts(2), 0),
  row(design, 'vlpi.map', `VMOVI device vector vpe D=1 ${moved}; VSYNC vpe`, posts(2)),
];
/** With GICv4.0, an event has no doorbell while the guest has disabled its vLPI (its_vlpi_set_doorbell). */
const configuresVlpi = (design: string): readonly Does[] =>
  (
    [
      ['mask', 'no-doorbell'],
      ['unmask', 'doorbell'],
    ] as const
  ).map(([op, doorbell]) =>
    row(design, op, `INV ${VLPI}; VMOVI device vector vPEID=_ D=1 ${doorbell}; VSYNC vPEID=_`, posts(2, 2)),
  );
const OF_VLPIS: readonly Does[] = [
  ...['vpe-proxy%', 'vpe-naive', 'vpe-direct'].flatMap((design) => [
    ...ofVlpis(design, 'doorbell'),
    ...configuresVlpi(design),
  ]),
  ...ofVlpis('vpe-v41', 'no-doorbell'),
  // With Direct LPI, an LPI is invalidated where it is; on GICv4.1, a vLPI where its vPE is.
  row('vpe-direct', 'mask', '', INVALIDATED),
  row('vpe-direct', 'unmask', '', INVALIDATED),
  row('vpe-v41', 'unmask', '', INVALIDATED),
  ...['mask', 'unmask'].map((op) =>
    row('vpe-v41', op, '', 'GICR_INVLPIR of PE % write, GICR_SYNCR of PE % read'),
  ),
];
/** The proxy maps an event before, if it has none, and evicts another one, if it must (its_vpe_db_proxy_map_locked). */
const PROXIES = ['vpe-proxy%', 'vpe-naive'];
const PROXY_EVENT = 'proxy event';
const FIRST: readonly (readonly [did: string, posts: readonly number[]])[] = [
  ['', []],
  [`MAPTI ${PROXY_EVENT} old pe; SYNC old pe; `, [2]],
  [`DISCARD proxy event-of-vPE-%; SYNC %; MAPTI ${PROXY_EVENT} old pe; SYNC old pe; `, [2, 2]],
];
const ofProxy = (design: string): readonly Does[] => [
  ...FIRST.map(([first, more]) =>
    row(design, 'vpe.move', `${MOVED}; ${first}MOVI ${PROXY_EVENT} pe; SYNC old pe`, posts(2, ...more, 2)),
  ),
  ...(
    [
      ['doorbell.invalidate', 'INV'],
      ['doorbell.mask', 'INV'],
      ['doorbell.unmask', 'INV'],
      ['doorbell.clear', 'CLEAR'],
      ['doorbell.set', 'INT'],
    ] as const
  ).flatMap(([op, name]) =>
    FIRST.map(([first, more]) =>
      row(design, op, `${first}${name} ${PROXY_EVENT}; SYNC old pe`, posts(...more, 2)),
    ),
  ),
];
const CLEARED = 'GICR_CLRLPIR of old pe write, GICR_SYNCR of old pe read';
const OF_DIRECT_DOORBELLS: readonly Does[] = [
  row('vpe-direct', 'vpe.move', MOVED, `${posts(2)}, ${CLEARED}`),
  ...['doorbell.invalidate', 'doorbell.mask', 'doorbell.unmask'].map((op) =>
    row('vpe-direct', op, '', INVALIDATED),
  ),
  row('vpe-direct', 'doorbell.clear', '', CLEARED),
  row('vpe-direct', 'doorbell.set', '', 'GICR_SETLPIR of old pe write'),
];
const OF_V41: readonly Does[] = [
  row(
    'vpe-v41',
    'vpe.map',
    'VMAPP vpe pe V=1 VPT_size=15 Alloc=1 PTZ=0 doorbell; VSYNC vpe; VINVALL vpe; VSYNC vpe; INVDB vpe; VSYNC vpe',
    `%${posts(2, 2, 2)}`,
  ),
  // With GICv4.1, an unmap needs no VSYNC. The last one of a vPE has Alloc.
  row('vpe-v41', 'vpe.unmap', 'VMAPP vpe % V=0 VPT_size=0 Alloc=_ PTZ=0 no-doorbell', posts(1)),
  row('vpe-v41', 'vpe.schedule', '', 'GICR_VPENDBASER of pe write'),
  row('vpe-v41', 'vpe.deschedule', '', DESCHEDULED),
  row('vpe-v41', 'vpe.move', 'VMOVP vpe pe SequenceNumber=0 ITSList=0 DB=1 doorbell; VSYNC vpe', posts(2)),
  row('vpe-v41', 'vlpi.map', 'VMAPTI device vector vpe no-doorbell; VSYNC vpe', posts(2)),
  row(
    'vpe-v41',
    'vlpi.map',
    'DISCARD device vector; SYNC old pe; VMAPTI device vector vpe no-doorbell; VSYNC vpe',
    posts(2, 2),
  ),
  row('vpe-v41', 'doorbell.invalidate', 'INVDB vpe; VSYNC vpe', posts(2)),
  // The doorbell is left enabled, and nobody clears it.
  ...['doorbell.mask', 'doorbell.unmask', 'doorbell.clear'].map((op) => row('vpe-v41', op, '', '')),
];

/** irq-gic-v3.c and irq-gic-common.c, for SPIs that irq-gic-v3-mbi.c, irq-gic-v2m.c or pci-hyperv.c allocates. */
const SPIS = ['mbi', 'gicv2m', 'hyperv-spi%'];
const DISABLED = 'GICD_ICENABLER write, GICD_CTLR read';
const ROUTED = 'GICD_ISENABLER read, GICD_IROUTER write';
const MOVED_SPI = `GICD_ISENABLER read, ${DISABLED}, GICD_IROUTER write, GICD_ISENABLER write`;
const CONFIGURED = 'GICD_ICFGR read, GICD_ICFGR write';
const ofSpis = (design: string): readonly Does[] => [
  // Each SPI: read, written if it changes, and then read back.
  row(design, 'alloc', '', `${CONFIGURED}, GICD_ICFGR read`),
  row(design, 'alloc', '', `${CONFIGURED}, 2 × GICD_ICFGR read, %GICD_ICFGR read`),
  ...['', '% × '].map((times) => row(design, 'alloc', '', `${times}GICD_ICFGR read`)),
  ...['pe.online', 'activate', 'deactivate', 'free'].map((op) => row(design, op, '', '')),
  row(design, 'mask', '', DISABLED),
  row(design, 'unmask', '', 'GICD_ISENABLER write'),
  // irq_startup: a managed interrupt is routed before it is enabled, another one after.
  row(design, 'unmask', '', `GICD_ISENABLER write, ${MOVED_SPI}`),
  row(design, 'unmask', '', `${ROUTED}, GICD_ISENABLER write`),
  row(design, 'set_affinity', '', ROUTED),
  row(design, 'set_affinity', '', MOVED_SPI),
  row(design, 'set_pending', '', 'GICD_ISPENDR write', 1),
  row(design, 'set_pending', '', 'GICD_ICPENDR write', 0),
];

/** Direct LPI without an ITS: as posted, and, for what its review asks for, as the review implies. */
const DIRECT = ['direct-lpi-rfc%', 'direct-lpi', 'direct-lpi-lossy', 'direct-lpi-invall'];
const LEFT = `${INVALIDATED}, ${CLEARED}`;
const ENTERED = 'GICR_SETLPIR of pe write';
const ofDirect = (design: string): readonly Does[] => [
  row(design, 'pe.online', '', LPI_TABLES),
  row(design, 'mask', '', INVALIDATED),
  row(design, 'unmask', '', INVALIDATED),
  ...['alloc', 'activate', 'deactivate', 'free'].map((op) => row(design, op, '', '')),
];
const AS_REVIEWED: readonly Does[] = [
  ...['direct-lpi', 'direct-lpi-lossy'].flatMap((design) => [
    row(design, 'set_pending', '', 'GICR_SETLPIR of old pe write', 1),
    row(design, 'set_pending', '', CLEARED, 0),
  ]),
  row('direct-lpi', 'set_affinity', '', `${LEFT}, ${ENTERED}`),
  row(
    'direct-lpi',
    'set_affinity',
    '',
    `${LEFT}, ${ENTERED}, GICR_INVLPIR of pe write, GICR_SYNCR of pe read`,
  ),
  row('direct-lpi-lossy', 'set_affinity', '', LEFT),
  row('direct-lpi-lossy', 'set_affinity', '', `${LEFT}, GICR_INVLPIR of pe write, GICR_SYNCR of pe read`),
];

export const LINUX_DOES: readonly Does[] = [
  ...ITS.flatMap(ofIts),
  ...[...PROXIES, 'vpe-direct'].flatMap(ofVpes),
  ...PROXIES.flatMap(ofProxy),
  ...OF_DIRECT_DOORBELLS,
  ...OF_V41,
  ...OF_VLPIS,
  ...SPIS.flatMap(ofSpis),
  ...DIRECT.flatMap(ofDirect),
  ...AS_REVIEWED,
];
