// The checks, declared once: software errors that cause no immediate visible failure.

export type Severity = 'error' | 'warning' | 'note';

export interface CheckRule {
  /** `error`: an interrupt was or can be lost or misrouted. `warning`: breaks a rule of the architecture. `note`: unusual. */
  readonly severity: Severity;
  /** What is wrong, and what software has to do. */
  readonly doc: string;
  /** Heading of IHI 0069, or another source. */
  readonly source: string;
}

export const CHECKS = {
  'lost-doorbell': {
    severity: 'error',
    doc: 'A DISCARD cleared the pending doorbell of a vPE that was not resident, so nothing wakes the vPE for the interrupt that is pending for it. Before software discards the event of a doorbell, it must check whether the doorbell is pending, or move it.',
    source: 'DISCARD',
  },
  'stranded-lpi': {
    severity: 'error',
    doc: 'MAPC mapped a collection to another PE while one of its LPIs was pending on the old PE, and no MOVALL moved it. The LPI stays pending there, and CLEAR cannot reach it. Software must issue MOVALL after MAPC.',
    source: 'MAPC',
  },
  'itt-not-zeroed': {
    severity: 'error',
    doc: 'MAPD mapped a device with an interrupt translation table that contained valid entries, so events of an earlier mapping are still mapped. Software must zero the table.',
    source: 'MAPD',
  },
  'map-over-mapping': {
    severity: 'warning',
    doc: 'MAPTI, MAPI, VMAPTI or VMAPI mapped an event that is mapped already, which is UNPREDICTABLE. Software must DISCARD it first.',
    source: 'MAPTI',
  },
  'lpi-mapped-twice': {
    severity: 'warning',
    doc: 'Two events are mapped to one LPI. Their interrupts cannot be distinguished, and if they are in two collections, the LPI may be pending on two PEs.',
    source: 'MAPTI',
  },
  'lpi-out-of-range': {
    severity: 'error',
    doc: 'An event is mapped to an LPI that GICR_PROPBASER.IDbits does not cover, so its messages are dropped.',
    source: 'GICR_PROPBASER',
  },
  'command-error': {
    severity: 'error',
    doc: 'An ITS refused a command.',
    source: 'ITS command errors',
  },
  'msi-dropped': {
    severity: 'warning',
    doc: 'A message of a device had no effect.',
    source: 'GITS_TRANSLATER',
  },
  'not-quiescent': {
    severity: 'warning',
    doc: 'An ITS was disabled and its queue or tables were changed before GITS_CTLR.Quiescent was read as 1.',
    source: 'GITS_CTLR',
  },
  'its-register-while-enabled': {
    severity: 'warning',
    doc: 'GITS_CBASER or GITS_BASER<n> was written while the ITS was enabled, which is UNPREDICTABLE.',
    source: 'GITS_BASER<n>',
  },
  'cwriter-out-of-range': {
    severity: 'error',
    doc: 'GITS_CWRITER was set beyond the end of the queue, so the queue does not run.',
    source: 'GITS_CWRITER',
  },
  'configured-while-enabled': {
    severity: 'warning',
    doc: 'An interrupt was made edge-triggered or level-sensitive while it was enabled, which is UNPREDICTABLE.',
    source: 'GICD_ICFGR<n>',
  },
  'lpi-table-while-enabled': {
    severity: 'warning',
    doc: 'GICR_PROPBASER or GICR_PENDBASER was written while EnableLPIs was 1.',
    source: 'GICR_PENDBASER',
  },
  'rwp-not-polled': {
    severity: 'warning',
    doc: 'EnableLPIs was cleared, and GICR_PROPBASER or GICR_PENDBASER was written before GICR_CTLR.RWP was read as 0.',
    source: 'GICR_CTLR',
  },
  'pending-table-shared': {
    severity: 'error',
    doc: 'Two Redistributors have the same LPI pending table while both have LPIs enabled.',
    source: 'GICR_PENDBASER',
  },
  'invalidate-elsewhere': {
    severity: 'error',
    doc: 'GICR_INVLPIR or GICR_CLRLPIR was written at a Redistributor that does not have the LPI, while another one has it. The write has no effect.',
    source: 'GICR_INVLPIR',
  },
  'syncr-not-polled': {
    severity: 'warning',
    doc: 'After GICR_INVLPIR, GICR_INVALLR or GICR_CLRLPIR, a PE continued without reading GICR_SYNCR. The operation may not have happened yet.',
    source: 'GICR_SYNCR',
  },
  'invlpir-overlaps-move': {
    severity: 'note',
    doc: 'GICR_INVLPIR was written for an LPI that a command had moved, with no SYNC in between. Which Redistributor acts is CONSTRAINED UNPREDICTABLE.',
    source: 'GICR_INVLPIR',
  },
  'dirty-not-polled': {
    severity: 'warning',
    doc: 'A vPE was descheduled, and it or another vPE was scheduled, moved or unmapped before GICR_VPENDBASER.Dirty was read as 0.',
    source: 'GICR_VPENDBASER',
  },
  'vpendbaser-while-valid': {
    severity: 'warning',
    doc: 'GICR_VPENDBASER was written while a vPE was resident, which is UNPREDICTABLE unless the write clears Valid.',
    source: 'GICR_VPENDBASER',
  },
  'vpe-resident-twice': {
    severity: 'error',
    doc: 'A vPE became resident while it was resident on another PE.',
    source: 'GICR_VPENDBASER',
  },
  'vpe-resident-elsewhere': {
    severity: 'warning',
    doc: 'A vPE became resident on another PE than its VMAPP or VMOVP names, so interrupts for it do not reach it there.',
    source: 'VMOVP',
  },
  'vsgi-configures-and-clears': {
    severity: 'note',
    doc: 'A VSGI command had C = 1 and E = 1. It clears the pending state and does not configure the vSGI.',
    source: 'VSGI',
  },
  'move-to-disabled-lpis': {
    severity: 'error',
    doc: 'An LPI was moved to a PE whose LPIs are disabled, which is CONSTRAINED UNPREDICTABLE.',
    source: 'MOVI',
  },
} as const satisfies Record<string, CheckRule>;

export type CheckName = keyof typeof CHECKS;
