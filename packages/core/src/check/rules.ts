// The checks, declared once: software errors that cause no immediate visible failure.
import { GICV5_CHECKS } from './rules-gicv5.ts';

export type Severity = 'error' | 'warning' | 'note';

export interface CheckRule {
  /** `error`: an interrupt was or can be lost or misrouted. `warning`: breaks a rule of the architecture. `note`: unusual. */
  readonly severity: Severity;
  /** What is wrong, and what the architecture says about it. */
  readonly doc: string;
  /** What software has to do instead. */
  readonly hint: string;
  /** Heading of IHI 0069, or of `document`. */
  readonly source: string;
  /** The document in which that is, if it is not IHI 0069. */
  readonly document?: string;
  /** Public reports and fixes of errors of this kind, which the check would have found in a trace. */
  readonly caught?: readonly string[];
}

export const CHECKS = {
  'lost-doorbell': {
    severity: 'error',
    doc: 'A DISCARD cleared the pending doorbell of a vPE that was not resident, so nothing wakes the vPE for the interrupt that is pending for it.',
    hint: 'Before software discards the event of a doorbell, it must check whether the doorbell is pending, or move it.',
    source: 'DISCARD',
  },
  'stranded-lpi': {
    severity: 'error',
    doc: 'MAPC mapped a collection to another PE while one of its LPIs was pending on the old PE, and no MOVALL moved it. The LPI stays pending there, and CLEAR cannot reach it.',
    hint: 'Issue MOVALL after MAPC, before the next message.',
    source: 'MAPC',
  },
  'config-not-invalidated': {
    severity: 'error',
    doc: 'The configuration byte of an LPI changed in memory, and no INV, INVALL, GICR_INVLPIR or GICR_INVALLR followed. The Redistributor may keep the old priority and enable bit for ever.',
    hint: 'Issue INV for the event, and SYNC, after each store to the configuration table.',
    source: 'INV',
    caught: [
      'the commonest error of LPI drivers: an LPI that was unmasked never arrives, or one that was masked still does',
    ],
  },
  'pending-table-not-zero': {
    severity: 'error',
    doc: 'GICR_PENDBASER.PTZ, or PTZ of VMAPP, says that a pending table is zero, and it is not. This is UNPREDICTABLE; as a rule, what was pending in the table is lost.',
    hint: 'Set PTZ only for memory that was just zeroed. Clear it for a table that was in use.',
    source: 'GICR_PENDBASER',
    caught: ['Linux c21bc068cdbe (PTZ dropped from VMAPP)'],
  },
  'itt-not-zeroed': {
    severity: 'error',
    doc: 'MAPD mapped a device with an interrupt translation table that contained valid entries, so events of an earlier mapping are still mapped.',
    hint: 'Zero the table before MAPD.',
    source: 'MAPD',
    caught: ['Linux KVM 7602ffd1d5e8 (a table entry that was not cleared came back after a restore)'],
  },
  'tables-overlap': {
    severity: 'error',
    doc: 'Two areas of memory that belong to the GIC overlap: interrupt translation tables, tables of an ITS, command queues, LPI tables, virtual pending tables. The GIC overwrites the one through the other.',
    hint: 'Allocate each with the size that the registers declare: 2^(Size+1) entries of GITS_TYPER.ITT_entry_size for MAPD, Size+1 pages for GITS_BASER<n> and GITS_CBASER.',
    source: 'GITS_BASER<n>',
    caught: [
      'Zephyr 117277 (MAPD size for a count that is no power of two)',
      'Zephyr 115779 (GITS_CBASER.Size is pages minus 1)',
    ],
  },
  'virtual-pending-table-shared': {
    severity: 'error',
    doc: 'Two vPEs are mapped with one virtual pending table, so that interrupts of the one become pending for the other.',
    hint: 'Give each vPE a table of its own.',
    source: 'VMAPP',
  },
  'its-enabled-without-tables': {
    severity: 'error',
    doc: 'GITS_CTLR.Enabled was set while GITS_CBASER, or GITS_BASER<n> of the device or collection table, is not valid. Commands do not run, or all of them fail, and every message is dropped.',
    hint: 'Write GITS_BASER<n> and GITS_CBASER with Valid = 1 before GITS_CTLR.Enabled.',
    source: 'GITS_CTLR',
  },
  'lpis-enabled-without-tables': {
    severity: 'error',
    doc: 'GICR_CTLR.EnableLPIs was set before GICR_PROPBASER or GICR_PENDBASER was written, or with fewer than 14 bits in GICR_PROPBASER.IDbits, so that no LPI is in range.',
    hint: 'Write GICR_PROPBASER and GICR_PENDBASER of this Redistributor before EnableLPIs.',
    source: 'GICR_CTLR',
  },
  'map-over-mapping': {
    severity: 'warning',
    doc: 'MAPTI, MAPI, VMAPTI or VMAPI mapped an event that is mapped already, which is UNPREDICTABLE: KVM keeps the old mapping, QEMU takes the new one.',
    hint: 'DISCARD the event first.',
    source: 'MAPTI',
  },
  'lpi-mapped-twice': {
    severity: 'warning',
    doc: 'Two events are mapped to one LPI. Their interrupts cannot be distinguished, and if they are in two collections, the LPI may be pending on two PEs.',
    hint: 'Map each LPI to one event.',
    source: 'MAPTI',
  },
  'lpi-out-of-range': {
    severity: 'error',
    doc: 'An event is mapped to an LPI that GICR_PROPBASER.IDbits does not cover, so its messages are dropped.',
    hint: 'Allocate LPIs below 2^(GICR_PROPBASER.IDbits + 1).',
    source: 'GICR_PROPBASER',
    caught: [
      'Zephyr 119828 (the allocator goes beyond the LPIs that the tables cover)',
      'Linux 6479450f72c1 (unknown VPROPBASER.IDbits)',
    ],
  },
  'command-error': {
    severity: 'error',
    doc: 'An ITS refused a command.',
    hint: 'The error code says which operand is wrong. GITS_TYPER gives the ranges.',
    source: 'ITS command errors',
    caught: ['Zephyr 117277 (events beyond the size that MAPD declared)'],
  },
  'msi-dropped': {
    severity: 'warning',
    doc: 'A message of a device had no effect.',
    hint: 'Map the device, its event and its collection, and enable the ITS and the LPIs of the PE, before the device may send.',
    source: 'GITS_TRANSLATER',
    caught: ['cloud-hypervisor 3049, 4960 (restored without the state of the ITS)'],
  },
  'not-quiescent': {
    severity: 'warning',
    doc: 'An ITS was disabled, and its queue or tables were changed, or it was enabled again, before GITS_CTLR.Quiescent was read as 1.',
    hint: 'Poll GITS_CTLR.Quiescent until it is 1.',
    source: 'GITS_CTLR',
    caught: ['Zephyr 119809'],
  },
  'its-register-while-enabled': {
    severity: 'warning',
    doc: 'GITS_CBASER or GITS_BASER<n> was written while the ITS was enabled, which is UNPREDICTABLE.',
    hint: 'Disable the ITS and wait for Quiescent first.',
    source: 'GITS_BASER<n>',
  },
  'cwriter-out-of-range': {
    severity: 'error',
    doc: 'GITS_CWRITER was set beyond the end of the queue, so the queue does not run.',
    hint: 'Wrap the offset at (GITS_CBASER.Size + 1) pages of 4 KB.',
    source: 'GITS_CWRITER',
    caught: ['Zephyr 115779'],
  },
  'configured-while-enabled': {
    severity: 'warning',
    doc: 'An interrupt was made edge-triggered or level-sensitive while it was enabled, which is UNPREDICTABLE.',
    hint: 'Disable the interrupt, wait for RWP, configure it, enable it.',
    source: 'GICD_ICFGR<n>',
  },
  'disable-not-awaited': {
    severity: 'warning',
    doc: 'An interrupt was disabled (GICD_ICENABLER<n>, GICR_ICENABLER<n>) and its route, trigger or group was changed before RWP was read as 0. Until then it may still be forwarded.',
    hint: 'Poll GICD_CTLR.RWP for SPIs, GICR_CTLR.RWP for SGIs and PPIs.',
    source: 'GICD_ICENABLER<n>',
  },
  'lpi-table-while-enabled': {
    severity: 'warning',
    doc: 'GICR_PROPBASER or GICR_PENDBASER was written while EnableLPIs was 1.',
    hint: 'Clear EnableLPIs, wait for RWP, then write. Where EnableLPIs cannot be cleared, use the tables that are there.',
    source: 'GICR_PENDBASER',
    caught: ['FreeBSD 676 (LPIs that were left enabled by kexec)'],
  },
  'rwp-not-polled': {
    severity: 'warning',
    doc: 'EnableLPIs was cleared, and GICR_PROPBASER or GICR_PENDBASER was written, or EnableLPIs was set again, before GICR_CTLR.RWP was read as 0. This is UNPREDICTABLE.',
    hint: 'Poll GICR_CTLR.RWP until it is 0.',
    source: 'GICR_CTLR',
    caught: ['TF-A "fix(gicv3): wait rwp when gicr_ctrl.enablelpis from 1 to 0"'],
  },
  'pending-table-shared': {
    severity: 'error',
    doc: 'Two Redistributors have the same LPI pending table while both have LPIs enabled.',
    hint: 'Give each Redistributor a table of its own.',
    source: 'GICR_PENDBASER',
    caught: ['cloud-hypervisor 8638 (GICR_PENDBASER of vCPU 0 for all)'],
  },
  'invalidate-elsewhere': {
    severity: 'error',
    doc: 'GICR_INVLPIR or GICR_CLRLPIR was written at a Redistributor that does not have the LPI, while another one has it. The write has no effect.',
    hint: 'Write the register of the Redistributor to which the event is mapped.',
    source: 'GICR_INVLPIR',
  },
  'syncr-not-polled': {
    severity: 'warning',
    doc: 'After GICR_INVLPIR, GICR_INVALLR or GICR_CLRLPIR, a PE continued without reading GICR_SYNCR. The operation may not have happened yet.',
    hint: 'Poll GICR_SYNCR.Busy until it is 0.',
    source: 'GICR_SYNCR',
  },
  'invlpir-overlaps-move': {
    severity: 'note',
    doc: 'GICR_INVLPIR was written for an LPI that a command had moved, with no SYNC in between. Which Redistributor acts is CONSTRAINED UNPREDICTABLE.',
    hint: 'Issue SYNC after the move.',
    source: 'GICR_INVLPIR',
  },
  'dirty-not-polled': {
    severity: 'warning',
    doc: 'A vPE was descheduled, and it or another vPE was scheduled, moved or unmapped before GICR_VPENDBASER.Dirty was read as 0.',
    hint: 'Poll GICR_VPENDBASER.Dirty until it is 0.',
    source: 'GICR_VPENDBASER',
  },
  'vpendbaser-while-valid': {
    severity: 'warning',
    doc: 'GICR_VPENDBASER was written while a vPE was resident, which is UNPREDICTABLE unless the write clears Valid.',
    hint: 'Write Valid = 0 first, and wait for Dirty.',
    source: 'GICR_VPENDBASER',
  },
  'vpe-resident-twice': {
    severity: 'error',
    doc: 'A vPE became resident while it was resident on another PE.',
    hint: 'Make the vPE leave the other PE first.',
    source: 'GICR_VPENDBASER',
  },
  'vpe-resident-elsewhere': {
    severity: 'warning',
    doc: 'A vPE became resident on another PE than its VMAPP or VMOVP names, so interrupts for it do not reach it there.',
    hint: 'Issue VMOVP first. In GICv4.1 this is not needed between PEs that share a vPE table (CommonLPIAff).',
    source: 'VMOVP',
    caught: ['Linux dd3f050a216e (the converse: VMOVP that is not needed)'],
  },
  'vmapp-unmaps-resident': {
    severity: 'error',
    doc: 'VMAPP with V = 0 unmapped a vPE while it was resident on a PE. The Redistributor goes on using a table that software may free.',
    hint: 'Make the vPE leave its PE, and wait for Dirty, before VMAPP with V = 0.',
    source: 'VMAPP',
  },
  'doorbell-not-requested': {
    severity: 'warning',
    doc: 'A vPE left its PE without a request for its default doorbell, an interrupt became pending for it since, and it has not run again. If it waits for an interrupt, nothing wakes it.',
    hint: 'Write GICR_VPENDBASER with Doorbell = 1 when the vPE blocks, also if it was scheduled once more in between.',
    source: 'GICR_VPENDBASER',
    caught: ['Linux b321c31c9b7b (the doorbell request is lost by a preemption)'],
  },
  'doorbell-on-sleeping-pe': {
    severity: 'error',
    doc: 'The doorbell of a vPE is pending on a PE that sleeps or is offline, and that has not woken since. The vPE is not woken.',
    hint: 'Move the doorbells (VMOVP, or MOVI for those of a proxy device) before a PE goes offline.',
    source: 'GICR_WAKER',
    caught: ['Linux af9acbfc2c4b (VPE affinity update)'],
  },
  'pending-on-sleeping-pe': {
    severity: 'warning',
    doc: 'An enabled SPI or LPI is pending on a PE that software put to sleep, and that has not woken since.',
    hint: 'Move interrupts to another PE before this one sleeps for long: GICD_IROUTER<n>, MOVI, MOVALL.',
    source: 'GICR_WAKER',
  },
  'vsgi-configures-and-clears': {
    severity: 'note',
    doc: 'A VSGI command had C = 1 and E = 1. It clears the pending state and does not configure the vSGI.',
    hint: 'Use two commands.',
    source: 'VSGI',
  },
  'move-to-disabled-lpis': {
    severity: 'error',
    doc: 'An LPI was moved to a PE whose LPIs are disabled, which is CONSTRAINED UNPREDICTABLE.',
    hint: 'Enable LPIs on the PE first.',
    source: 'MOVI',
  },
  'sgi-to-no-pe': {
    severity: 'error',
    doc: 'A write to ICC_SGI0R_EL1, ICC_SGI1R_EL1 or ICC_ASGI1R_EL1 names an affinity that no PE has, or an empty target list. The SGI is not sent there.',
    hint: 'Take Aff3 to Aff1 and RS from the MPIDR of the target, and set bit (Aff0 mod 16) of TargetList.',
    source: 'ICC_SGI1R_EL1',
    caught: [
      'Zephyr 3d81d7f23fa3',
      'Zephyr 73889 (Aff fields masked to 4 bits)',
      'Zephyr 62121 (affinity of cores that are not booted)',
      'seL4 213 (Aff1 left out)',
    ],
  },
  'spi-to-absent-pe': {
    severity: 'error',
    doc: 'An enabled SPI became pending while GICD_IROUTER<n> names an affinity that no PE has. Nothing takes it.',
    hint: 'Write the affinity of a PE that is online to GICD_IROUTER<n> before the SPI is enabled.',
    source: 'GICD_IROUTER<n>',
    caught: ['NuttX 9810 (wrong affinity in IROUTER)'],
  },
  'route-in-halves': {
    severity: 'note',
    doc: 'GICD_IROUTER<n> of an enabled SPI was written as two words. Here the route in between was the old or the new one.',
    hint: 'Use one 64-bit access, or disable the SPI and wait for RWP.',
    source: 'GICD_IROUTER<n>',
    caught: ['bao 394'],
  },
  'route-through-another': {
    severity: 'warning',
    doc: 'GICD_IROUTER<n> of an enabled SPI was written as two words, and in between it named neither the old nor the new PE. An interrupt that came then went elsewhere.',
    hint: 'Use one 64-bit access, or disable the SPI and wait for RWP.',
    source: 'GICD_IROUTER<n>',
    caught: ['bao 394'],
  },
  'eoi-without-acknowledge': {
    severity: 'warning',
    doc: 'A PE wrote ICC_EOIR<n>_EL1 with an INTID that it had not acknowledged, or not as the last one. This drops the priority of another interrupt, and may raise an SError.',
    hint: 'Write to ICC_EOIR<n>_EL1 only what ICC_IAR<n>_EL1 returned, innermost first.',
    source: 'ICC_EOIR1_EL1',
    caught: ['EDK2 1920 (EOI of all interrupts at ExitBootServices)'],
  },
  'write-to-reserved': {
    severity: 'warning',
    doc: 'Software wrote to a location of the GIC that is reserved, or with a width that the register does not support. The write has no effect.',
    hint: 'Take offsets and widths from the register description. GICD_IROUTER<n> is at 0x6000 + 8n, and n begins at 32.',
    source: 'GIC memory-mapped register accesses',
    caught: ['seL4 1011, TF-A 410 (offset of GICD_IROUTER<n>)'],
  },
  'private-in-distributor': {
    severity: 'warning',
    doc: 'A register of the Distributor for SGIs and PPIs (INTIDs 0 to 31), or GICD_SGIR, was written before a PE enabled a group of interrupts, and the register of the same name of no Redistributor was. With affinity routing the Distributor ignores these: the setting is lost.',
    hint: 'Write the registers in the SGI_base frame of the Redistributor of each PE, and ICC_SGI1R_EL1.',
    source: 'GICD_IGROUPR<n>',
    caught: [
      'TF-A 273 (group of PPIs and SGIs set through GICD_IGROUPR0)',
      'OP-TEE 1532, 4475 (GICD_ISENABLER0 and GICD_SGIR with affinity routing)',
    ],
  },
  'group-never-enabled': {
    severity: 'warning',
    doc: 'An interrupt is enabled and has been pending until the end of the trace, while its PE looked for interrupts, because its group is disabled in GICD_CTLR or in ICC_IGRPEN<n>_EL1.',
    hint: 'Configure the group that the PE has enabled (IGROUPR<n>, IGRPMODR<n>), or enable its group.',
    source: 'GICD_IGROUPR<n>',
    caught: ['OP-TEE 2816 (interrupts of a Group that was not enabled)'],
  },
  'priority-never-passes': {
    severity: 'warning',
    doc: 'An interrupt is enabled and has been pending until the end of the trace, while its PE looked for interrupts, because its priority is not higher than any priority mask that the PE has had.',
    hint: 'Give it a priority value below ICC_PMR_EL1. The lowest priority that an implementation has is never signalled.',
    source: 'ICC_PMR_EL1',
    caught: ['TF-A issue 645 (lowest priority never signalled)'],
  },
  'never-deactivated': {
    severity: 'warning',
    doc: 'An SPI is pending again, while its PE looked for interrupts, but it is still active: with EOImode = 1 the EOI drops only its priority.',
    hint: 'Write ICC_DIR_EL1 after ICC_EOIR<n>_EL1, or clear ICC_CTLR_EL1.EOImode.',
    source: 'ICC_CTLR_EL1',
    caught: ['seL4 947 (wrong bit for EOImode)', 'bao 371 (active interrupts that nobody deactivates)'],
  },
  'config-tables-differ': {
    severity: 'warning',
    doc: 'Two Redistributors with the same CommonLPIAff have different LPI configuration tables (GICR_PROPBASER). This is UNPREDICTABLE, because one may use what the other has cached.',
    hint: 'Write the same address and IDbits to GICR_PROPBASER of all PEs of the group.',
    source: 'GICR_PROPBASER',
  },
  'list-registers-same-vintid': {
    severity: 'error',
    doc: 'Two list registers that are not invalid have the same vINTID, which is UNPREDICTABLE: the virtual machine takes the interrupt twice, or never ends it.',
    hint: 'Set the pending bit of the list register that has the vINTID already.',
    source: 'ICH_LR<n>_EL2',
    caught: ['bao 334', 'Xen bccfbe70a36f (an LPI that was mapped again is still in a list register)'],
  },
  'list-register-overwritten': {
    severity: 'error',
    doc: 'A list register was overwritten while its interrupt was pending, and it had not been read since it was written. The virtual machine does not get that interrupt.',
    hint: 'Choose list registers by ICH_ELRSR_EL2, or save what is pending before it is overwritten.',
    source: 'ICH_LR<n>_EL2',
    caught: ['bao 334'],
  },
  'list-register-end-unnoticed': {
    severity: 'warning',
    doc: 'A virtual interrupt ended in a list register without a maintenance interrupt (EOI = 0), and the register was overwritten before the hypervisor read it. A level-sensitive interrupt is not sampled again, and a pending one is not injected.',
    hint: 'Set EOI (bit 41) for level-sensitive interrupts, or read ICH_LR<n>_EL2 or ICH_ELRSR_EL2 at each exit.',
    source: 'ICH_LR<n>_EL2',
    caught: ['FreeBSD 2437 (EOI not set for level-triggered interrupts)'],
  },
  'maintenance-storm': {
    severity: 'warning',
    doc: 'Maintenance interrupts for underflow (U) or no pending interrupt (NP) were raised many times in a row, while neither the list registers changed nor the guest took or ended an interrupt. Both conditions are level-sensitive, so the guest makes no progress.',
    hint: 'Clear UIE and NPIE of ICH_HCR_EL2 if there is nothing to inject, or no list register is free.',
    source: 'ICH_HCR_EL2',
    caught: ['bao 398 (NP storm when all list registers are active)'],
  },
  ...GICV5_CHECKS,
} as const satisfies Record<string, CheckRule>;

export type CheckName = keyof typeof CHECKS;

/** Where a rule is written, as people cite it. */
export function sourceOfCheck(name: CheckName): string {
  const { source, document = 'IHI 0069' }: CheckRule = CHECKS[name];
  return `${document}, "${source}"`;
}
