// The checks of GICv5, beside those of GICv3 and GICv4 (rules.ts). The text of the specification (Arm 111701) was not at hand:
// each rule rests on what Linux's drivers do and say, on their fix history, and on public reviews.
import type { CheckRule } from './rules.ts';

const GICV5 = 'Arm 111701, as quoted in public';

export const GICV5_CHECKS = {
  'irs-not-polled': {
    severity: 'warning',
    doc: 'A register of an IRS was written again, or one that depends on it, before IDLE of its *_STATUSR was read as 1. What an IRS does with a write while an earlier one is in flight is not defined.',
    hint: 'Poll IRS_SPI_STATUSR, IRS_PE_STATUSR, IRS_IST_STATUSR or IRS_SYNC_STATUSR after each write of a register that it stands for.',
    source: 'IRS_SPI_STATUSR',
    document: GICV5,
  },
  'irs-object-not-valid': {
    severity: 'error',
    doc: 'IRS_SPI_CFGR or IRS_PE_CR0 was written while no SPI or PE that the IRS has was selected. The configuration is lost without a fault.',
    hint: 'Read V of IRS_SPI_STATUSR or IRS_PE_STATUSR after the write of the selector, and find the IRS that has the SPI.',
    source: 'IRS_SPI_STATUSR',
    document: GICV5,
  },
  'configured-unreachable': {
    severity: 'error',
    doc: 'A GIC instruction configured an interrupt that cannot be reached: an LPI that the interrupt state table does not have, or an SPI of no IRS. The instruction does nothing, and raises no fault.',
    hint: 'Make the table valid, and its level-2 table by IRS_MAP_L2_ISTR, before the first instruction. GIC CDRCFG and ICC_ICSR_EL1.F say whether an interrupt can be reached.',
    source: 'ICC_ICSR_EL1',
    document: GICV5,
  },
  'affinity-to-no-pe': {
    severity: 'error',
    doc: 'GIC CDAFF routed an interrupt to an IAFFID that no PE has, so that it is presented to none.',
    hint: 'Take the IAFFID from ICC_IAFFIDR_EL1 of the PE, or from firmware; it is not the affinity in MPIDR_EL1.',
    source: 'ICC_IAFFIDR_EL1',
    document: GICV5,
  },
  'disable-not-completed': {
    severity: 'warning',
    doc: 'GIC CDDIS was not followed by GSB SYS before its PE used the GIC again. The interrupt may still be signalled after software took it to be masked; a DSB does not complete a GIC instruction.',
    hint: 'Execute GSB SYS after GIC CDDIS. GIC CDEN needs none, since its effect comes in finite time.',
    source: 'GSB SYS',
    document: GICV5,
  },
  'acknowledge-not-completed': {
    severity: 'warning',
    doc: 'GICR CDIA returned an interrupt, and its PE used the GIC again without GSB ACK in between, so that the interrupt may not be active yet.',
    hint: 'Execute GSB ACK and ISB after GICR CDIA, before GIC CDEOI and before the handler runs.',
    source: 'GSB ACK',
    document: GICV5,
  },
  'late-priority-drop': {
    severity: 'note',
    doc: 'A PE deactivated an interrupt before it dropped the priority of it. While the handler ran, no interrupt of the same or a lower priority could be signalled to the PE; Linux, whose driver did this at first, gives all interrupts one priority.',
    hint: 'Execute GIC CDEOI directly after the acknowledge. The interrupt is not signalled again until GIC CDDI.',
    source: 'GIC CDEOI',
    document: GICV5,
  },
  'drop-without-acknowledge': {
    severity: 'warning',
    doc: 'A PE executed GIC CDEOI while it had acknowledged no interrupt whose priority was still to be dropped.',
    hint: 'Execute one GIC CDEOI for each GICR CDIA that returned a valid INTID.',
    source: 'GIC CDEOI',
    document: GICV5,
  },
  'deactivate-not-active': {
    severity: 'warning',
    doc: 'GIC CDDI named an interrupt that was not active. The one that was to be deactivated stays active, and is not signalled again.',
    hint: 'Give GIC CDDI the type and the ID that GICR CDIA returned.',
    source: 'GIC CDDI',
    document: GICV5,
  },
  'ist-not-zero': {
    severity: 'error',
    doc: 'An interrupt state table became valid while an entry of it had PENDING or HWU set. The behaviour of the IRS is UNPREDICTABLE then.',
    hint: 'Zero the table before it becomes valid, and make interrupts pending by GIC CDPEND afterwards.',
    source: 'IRS_IST_BASER',
    document: GICV5,
  },
  'iste-valid-by-software': {
    severity: 'error',
    doc: 'IRS_MAP_L2_ISTR was written for a level-1 entry that was valid in memory already. The IRS sets VALID of an entry that is added to a valid table; an entry that software makes valid is UNPREDICTABLE, and the write does nothing.',
    hint: 'Write the address of the level-2 table with VALID = 0, and let IRS_MAP_L2_ISTR make it valid.',
    source: 'IRS_MAP_L2_ISTR',
    document: GICV5,
  },
  'ist-config-while-valid': {
    severity: 'warning',
    doc: 'IRS_IST_CFGR, or another address in IRS_IST_BASER, was written while the interrupt state table was valid. The write has no effect.',
    hint: 'Clear VALID of IRS_IST_BASER and wait for IRS_IST_STATUSR.IDLE first.',
    source: 'IRS_IST_BASER',
    document: GICV5,
  },
  'active-for-ever': {
    severity: 'warning',
    doc: 'An interrupt is pending again, while its PE acknowledged others, but it is still active, because no GIC CDDI followed its GIC CDEOI.',
    hint: 'Execute GIC CDDI with the INTID when the handler is done; no instruction does both steps.',
    source: 'GIC CDDI',
    document: GICV5,
  },
} as const satisfies Record<string, CheckRule>;

export type Gicv5CheckName = keyof typeof GICV5_CHECKS;
