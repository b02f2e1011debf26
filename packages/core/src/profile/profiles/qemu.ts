// QEMU's arm-gicv3 and arm-gicv3-its on the virt machine, by version. What all versions have in common is declared once.
// The evidence names the version in which it was found; differential fuzzing showed that the other versions do the same.
import { PLAIN } from '../hardware.ts';
import { profile } from '../shape.ts';

const PROBE = 'observed with a bare-metal probe on QEMU 7.2.22';
const FUZZ = 'differential fuzzing against QEMU 7.2.22 (docs/findings.md)';
const SWEEP = 'every location of every frame read and written on QEMU 7.2.22';
const RECORDING = 'recordings of QEMU 7.2.22 booting Linux';

/** Deviations of every version from 7.2 to 11.1. */
const COMMON = {
  lpiConfig: {
    value: 'on-pend-and-rescan',
    evidence: `${PROBE}: a byte that is changed without INV takes effect at the next INT; ${RECORDING}`,
  },
  rescanOnClear: { value: true, evidence: RECORDING },
  invReloadsAll: {
    value: true,
    evidence: 'hw/intc/arm_gicv3_redist.c: INV recomputes the best LPI from the tables',
  },
  invallReachesAll: {
    value: true,
    evidence: 'hw/intc/arm_gicv3_its.c: INVALL goes to every Redistributor',
  },
  ctlrCes: { value: true, evidence: `${RECORDING}: GICR_CTLR reads 2 before EnableLPIs is set` },
  enableAgainRescans: { value: true, evidence: FUZZ },
  pendbaserWritableWhileEnabled: { value: true, evidence: PROBE },
  disableForgets: {
    value: false,
    evidence: 'hw/intc/arm_gicv3_redist.c: nothing is recomputed when EnableLPIs becomes 0',
  },
  ptzTrusted: {
    value: false,
    evidence: 'hw/intc/arm_gicv3_redist.c: the pending table is always read when EnableLPIs becomes 1',
  },
  baserKeepsReserved: { value: true, evidence: `${RECORDING}: both read back as written` },
  irouterKeepsReserved: { value: true, evidence: `${RECORDING}: GICD_IROUTER<n> reads back as written` },
  statusr: { value: false, evidence: 'hw/intc/arm_gicv3_dist.c: GICD_STATUSR is RAZ/WI' },
  ptzReadsBack: { value: true, evidence: PROBE },
  creadrWritable: { value: true, evidence: PROBE },
  retry: {
    value: false,
    evidence: 'hw/intc/arm_gicv3_its.c: Retry is masked; only a write of GITS_CBASER clears Stalled',
  },
  alwaysQuiescent: { value: true, evidence: PROBE },
  itsErrors: { value: 'ignore', evidence: `${PROBE}: invalid commands advance GITS_CREADR silently` },
  vsyncChecks: { value: false, evidence: 'hw/intc/arm_gicv3_its.c: VSYNC has no effect and no checks' },
  wakerGates: { value: false, evidence: RECORDING },
  wakerNonSecure: {
    value: true,
    evidence:
      'a recording of Linux booted directly with secure=on: a Non-secure GICR_WAKER reads 6 and takes writes',
  },
  resetKeepsLines: {
    value: false,
    evidence: 'hw/intc/arm_gicv3_common.c: the levels of all input lines are cleared',
  },
  ctlrEl3SecureBits: {
    value: false,
    evidence: 'hw/intc/arm_gicv3_cpuif.c: icc_ctlr_el3_read() tests the Non-secure instance for all four',
  },
  eoiReachesSecure: {
    value: true,
    evidence:
      'hw/intc/arm_gicv3_cpuif.c: icc_eoir_write() and icv_eoir_write() deactivate whatever INTID they are given (docs/findings.md)',
  },
  icfgrSettles: { value: false, evidence: RECORDING },
  reportedWrites: {
    value: ['GITS_TYPER:4', 'GICR_TYPER+4:4'],
    evidence: `kvm-unit-tests' its-introspection; a write of 8 bytes is not reported; ${SWEEP}`,
  },
  sgi1ReachesGroup0: { value: false, evidence: FUZZ },
  hcrWritable: {
    value: 0xf800_7cff,
    evidence: 'hw/intc/arm_gicv3_cpuif.c: neither vSGIEOICount nor DVIM',
  },
  pesKeepSecurity: {
    value: true,
    evidence:
      'ICC_CTLR_EL3.nDS is 1, and hw/intc/arm_gicv3_cpuif.c looks at GICD_CTLR.DS only for whom an interrupt belongs to, for SGIs, NMIs and ICC_CTLR_EL1.CBPR',
  },
  vgrp0dByGroup1: {
    value: true,
    evidence: 'hw/intc/arm_gicv3_cpuif.c: maintenance_interrupt_state() tests VENG1 for VGrp0D',
  },
} as const;

const HARDWARE = { ...PLAIN, architecture: 4, virtualLpis: '4.0', commonLpiAff: 1 } as const;
/** GICD_TYPER.ITLinesNumber covers all SPIs of the machine. */
const ALL_LINES = { ...HARDWARE, lines: 9 } as const;
const ROUTES = { frame: 'GICD', from: 0x6000, bytes: 0x100, widths: [4, 8] } as const;
const IGRPMODR = { frame: 'GICD', from: 0xd80, bytes: 0x80, widths: [4] } as const;
const LOCATIONS =
  'the routes of SGIs and PPIs, and GICD_IGRPMODR<n> up to 0xdff, give no line about a bad access';

export const qemu72 = profile(
  'qemu-7.2',
  "QEMU 7.2's arm-gicv3 and arm-gicv3-its on the virt machine, as of 7.2.22. qemu-virt is another name for it.",
  HARDWARE,
  {
    ...COMMON,
    alsoReserved: {
      value: ['GICD_INMIR', 'GICR_INMIR'],
      evidence: `${SWEEP}: gicv3_dist_badread, gicv3_redist_badread`,
    },
    alsoAccepted: { value: [ROUTES, IGRPMODR], evidence: `${SWEEP}: ${LOCATIONS}` },
    lrKeepsNmi: { value: true, evidence: FUZZ },
    pmrKeepsReserved: { value: true, evidence: `${FUZZ}: finding 3` },
    nonSecureAp1r: {
      value: 'none',
      evidence: 'hw/intc/arm_gicv3_cpuif.c: icc_ap_write() ignores them if the PE has EL3',
    },
  },
);

/** Deviations that concern NMIs, which 7.2 does not have. */
const NMIS = {
  groupZeroNmis: {
    value: true,
    evidence:
      'hw/intc/arm_gicv3.c of 10.0: gicv3_get_priority() does not look at the group with GICD_CTLR.DS = 1',
  },
  nmiIsNoIrq: {
    value: true,
    evidence:
      'hw/intc/arm_gicv3_cpuif.c of 10.0: gicv3_cpuif_update() raises parent_nmi, and prints FIQ 0 IRQ 0',
  },
  rprNmiNonSecure: {
    value: true,
    evidence:
      'hw/intc/arm_gicv3_cpuif.c of 10.0: icc_rpr_read() tests for EL3, which virt has with secure=on only',
  },
  lrNmiKeepsPriority: {
    value: true,
    evidence: 'hw/intc/arm_gicv3_cpuif.c of 10.0: hppvi_index() takes ich_lr_prio() for all list registers',
  },
} as const;

const AP1R_RANGE = {
  value: 'non-secure range',
  evidence: 'hw/intc/arm_gicv3_cpuif.c of 10.0: icc_ap_write() keeps the bits of Secure priorities',
} as const;

export const qemu100 = profile(
  'qemu-10.0',
  "QEMU 10.0's arm-gicv3 and arm-gicv3-its on the virt machine, as of 10.0.13. With -cpu max it has NMIs, the virtual ones included.",
  ALL_LINES,
  {
    ...COMMON,
    alsoAccepted: {
      value: [ROUTES, IGRPMODR],
      evidence: `every location of every frame read on QEMU 10.0.13: ${LOCATIONS}`,
    },
    nonSecureAp1r: AP1R_RANGE,
    ...NMIS,
  },
);

export const qemu111 = profile(
  'qemu-11.1',
  "QEMU 11.1's arm-gicv3 and arm-gicv3-its on the virt machine, as of 11.1.3. With -cpu max it has NMIs, the virtual ones included.",
  ALL_LINES,
  {
    ...COMMON,
    alsoAccepted: {
      value: [ROUTES, IGRPMODR, { frame: 'GICD', from: 0xc, bytes: 4, widths: [4] }],
      evidence: `every location of every frame read on QEMU 11.1.3: ${LOCATIONS}; GICD_TYPER2 reads as 0`,
    },
    reportedWrites: {
      value: [...COMMON.reportedWrites.value, 'GICD_TYPER2:4'],
      evidence: `${COMMON.reportedWrites.evidence}; of GICD_TYPER2 on QEMU 11.1.3`,
    },
    nonSecureAp1r: AP1R_RANGE,
    ...NMIS,
  },
);
