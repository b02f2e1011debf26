// The rules by which an importer infers what its source does not contain. A record that was made by a rule names it in
// its rule column; replay and info count these records. A rule never uses a value that is later compared, unless its text
// says so.

import { GICV5_RULES } from './rules-gicv5.ts';

export interface InferenceRule {
  /** Stored in traces, so never reused. 0 means that the source contains the record. */
  readonly id: number;
  /**
   * `inferred`: follows from what the source contains. `assumed`: a default that nothing in the source contradicts.
   * `unknown`: stays unknown.
   */
  readonly class: 'inferred' | 'assumed' | 'unknown';
  readonly doc: string;
}

export const RULES = {
  'command-from-decode': {
    id: 1,
    class: 'inferred',
    doc: 'A command slot is rebuilt from the decoded operands that the source prints when the ITS executes it; operands that it does not print are zero and are not compared.',
  },
  'lpi-config-from-hppi': {
    id: 2,
    class: 'inferred',
    doc: 'An LPI is signalled as the highest-priority pending interrupt, or is not although it is pending and nothing of higher priority is. Its configuration byte therefore had this enable bit and priority when the Redistributor last read it.',
  },
  'lpi-config-after-inv': {
    id: 3,
    class: 'unknown',
    doc: 'Software invalidated the configuration of an LPI, so it may have rewritten the configuration byte. The source does not contain guest memory.',
  },
  'table-entry-from-read': {
    id: 4,
    class: 'inferred',
    doc: 'The contents of an entry of an ITS table are taken from the line in which the ITS reads it, if no earlier line wrote it.',
  },
  'table-placed': {
    id: 5,
    class: 'assumed',
    doc: 'The source does not contain the address of a level-2 table; it is placed at an address that no guest uses.',
  },
  'pe-from-thread': {
    id: 6,
    class: 'inferred',
    doc: 'The accessing PE follows from the host thread, because the system-register lines of that thread name one PE.',
  },
  'sgi-register': {
    id: 7,
    class: 'assumed',
    doc: 'The source does not say through which of ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1 an SGI was generated. It is taken to be one that sends the SGI to the PEs that received it; if there are several, the one of the group that the SGI has on those PEs.',
  },
  'config-default': {
    id: 8,
    class: 'assumed',
    doc: 'An identification register that is never read in the source has the value of the profile.',
  },
  'pending-table-zero': {
    id: 9,
    class: 'inferred',
    doc: 'Software set GICR_PENDBASER.PTZ, which states that the pending table is zero.',
  },
  'pe-reset-from-read': {
    id: 10,
    class: 'inferred',
    doc: 'A PE whose Redistributor is woken again (GICR_WAKER) then reads ICC_PMR_EL1 or ICC_CTLR_EL1 at its reset value, although software had set another value. The PE was reset in between.',
  },
  'vlpi-config-from-vhppi': {
    id: 11,
    class: 'inferred',
    doc: 'As lpi-config-from-hppi, for a vLPI that is the highest-priority pending one of a resident vPE.',
  },
  'virtual-pending-table-zero': {
    id: 12,
    class: 'assumed',
    doc: 'A vPE is mapped with a virtual pending table that nothing in the source has written. Software allocates such tables zeroed.',
  },
  'virtual-pending-table-freed': {
    id: 13,
    class: 'unknown',
    doc: 'A vPE was unmapped, so the memory of its virtual pending table may be used for something else. The source does not contain guest memory.',
  },
  'security-from-register': {
    id: 15,
    class: 'inferred',
    doc: 'With two Security states, QEMU prints what a PE is signalled at each exception and return, and between two of them a PE stays in one Security state, or at EL3. In this stretch the PE accessed a register that only one Exception level can access: ICC_*_EL3 at EL3, ICH_* in a hypervisor, ICV_* in its virtual machine.',
  },
  'security-from-mmio': {
    id: 17,
    class: 'inferred',
    doc: 'As security-from-register, from MMIO accesses of the PE in the same stretch, which were Secure or Non-secure.',
  },
  'security-from-interrupt': {
    id: 18,
    class: 'inferred',
    doc: 'As security-from-register, from the interrupt that ICC_IAR<n> or ICC_HPPIR<n> returned, or did not return although it was signalled. Only EL3 reads 1020 and 1021.',
  },
  'security-from-line': {
    id: 19,
    class: 'inferred',
    doc: 'As security-from-register, from an interrupt of Group 1 that the PE was signalled: as an IRQ, if the PE executed in the Security state of the interrupt; as an FIQ, if it did not.',
  },
  'security-from-value': {
    id: 20,
    class: 'inferred',
    doc: 'As security-from-register, if no other rule decides: a read of a register that has two instances, or that shows priorities, returned the value that only one of the states would see. This value is compared all the same.',
  },
  'security-from-course': {
    id: 21,
    class: 'inferred',
    doc: 'Nothing in the log says in which state the PE executed in a stretch. It is inferred from the states before and after, with as few changes as possible. A PE changes its Security state only through EL3.',
  },
  'scr-fiq-from-priority': {
    id: 22,
    class: 'inferred',
    doc: 'Non-secure software read a priority (ICC_PMR_EL1, ICC_RPR_EL1) unshifted, so SCR_EL3.FIQ is 0, or shifted, so it is 1; or it accessed a register of Group 0, which is possible only if SCR_EL3.FIQ is 0. Once a value is inferred, two observations are needed to change it.',
  },
  'reset-group-1': {
    id: 16,
    class: 'inferred',
    doc: 'The GIC has two Security states, but no access is Secure and no Group 0 interrupt is ever pending. QEMU therefore played the part of firmware, as it does when it boots a kernel directly, and interrupts reset to Group 1.',
  },
  'memory-read': {
    id: 14,
    class: 'inferred',
    doc: 'Guest memory was read while QEMU waited, just before the GIC read it. Who wrote it, and when, is unknown.',
  },
  'state-from-read': {
    id: 51,
    class: 'inferred',
    doc: 'A register was read whose value had not occurred in the source before. It had the value that was read.',
  },
  'state-from-hppi': {
    id: 52,
    class: 'inferred',
    doc: 'A PE was signalled an interrupt, or was not. This is possible only with a certain value of some state that the source does not contain: whether an interrupt is enabled, pending or active, its group or priority, a group enable, a priority mask, or an active priority.',
  },
  'state-from-acknowledge': {
    id: 53,
    class: 'inferred',
    doc: 'As state-from-hppi, from an acknowledge: the interrupt that ICC_IAR returned was the highest-priority pending interrupt and was signalled. If only acknowledges reveal priorities, only the order of the priorities is known.',
  },
  'state-from-end': {
    id: 54,
    class: 'inferred',
    doc: 'A PE ended an interrupt (ICC_EOIR, ICC_DIR) whose acknowledge is not in the source. The interrupt was active.',
  },
  'input-line-from-change': {
    id: 55,
    class: 'inferred',
    doc: 'The source has a line when an input line changes its level, so the input line had the other level before.',
  },
  'its-from-command': {
    id: 56,
    class: 'inferred',
    doc: 'An ITS executed a command. It was therefore enabled, had a queue, and its read pointer was at that slot.',
  },
  'lpi-tables-placed': {
    id: 57,
    class: 'assumed',
    doc: 'LPIs or an ITS are in use, but the source does not contain the addresses of their tables or of the command queue. They are placed at addresses that no guest uses.',
  },
  'lpi-config-from-acknowledge': {
    id: 58,
    class: 'inferred',
    doc: 'An LPI was acknowledged, so it was enabled. Its priority is chosen so that it gives the order in which interrupts were acknowledged.',
  },
  'lpi-disabled-from-silence': {
    id: 59,
    class: 'inferred',
    doc: 'An LPI became or stayed pending, and its PE was signalled nothing, although nothing else was pending there. The enable bit in its configuration byte was 0.',
  },
  'lpi-pending-from-hppi': {
    id: 60,
    class: 'inferred',
    doc: 'An LPI was signalled or acknowledged that nothing in the source had made pending. It was pending in the pending table that the Redistributor read, or since before the source begins, or because of a command or message that the source does not contain completely. The rule also covers an LPI that is not signalled because it is no longer pending for such a reason.',
  },
  'command-run': {
    id: 61,
    class: 'inferred',
    doc: 'The source contains commands that an ITS executed, but not the write of GITS_CWRITER that started them. Such a write is inserted before them.',
  },
  'command-from-tables': {
    id: 62,
    class: 'inferred',
    doc: 'The source does not contain the operands of an ITS command. They are taken from the table entries that the command read and wrote.',
  },
  'command-index': {
    id: 63,
    class: 'inferred',
    doc: 'The source does not say from which slot of the queue a command came. It is taken to be the next slot.',
  },
  'sgi-from-sent': {
    id: 64,
    class: 'inferred',
    doc: 'The source does not contain the write that generated an SGI. It is rebuilt from the PEs on which the SGI became pending. The PE that wrote is unknown.',
  },
  'seam-from-hppi': {
    id: 65,
    class: 'inferred',
    doc: 'A PE is signalled nothing, and the line has INTID 0 as the interrupt that was signalled last, although it was another INTID. From here on the lines are from another QEMU, which continues with the same state.',
  },
  'seam-from-threads': {
    id: 66,
    class: 'inferred',
    doc: 'From here on every host thread runs another PE than before, and the same one to the end. From here on the lines are from another QEMU.',
  },
  'hppi-before-reset': {
    id: 67,
    class: 'inferred',
    doc: 'The first line that says what a PE is signalled has INTID 0, Group 0 and priority 0. QEMU prints it before the GIC is reset for the first time, when nothing is pending.',
  },
  'state-from-vhppi': {
    id: 74,
    class: 'inferred',
    doc: 'As state-from-hppi, of the virtual CPU interface: a virtual interrupt was signalled or acknowledged, so the interface was enabled (ICH_HCR_EL2.En), and its group was, and its priority was not masked (ICH_VMCR_EL2).',
  },
  'reset-from-registers': {
    id: 68,
    class: 'inferred',
    doc: 'The machine was reset. Registers that software had set are read at their reset values, an input line rises that had not fallen, a command queue begins again, or a PE is signalled nothing although something was pending; and with a reset at this place the model agrees with more of the source than without.',
  },
  'load-from-state': {
    id: 70,
    class: 'inferred',
    doc: 'A saved state of the machine was loaded (loadvm). From here on the source contradicts in many places what it contained before, as if the GIC had another state. The state is unknown from here on, as at the beginning of a source that begins in mid-life.',
  },
  'memory-after-reset': {
    id: 69,
    class: 'unknown',
    doc: 'The machine was reset, or a saved state was loaded, so memory may have other contents. The source does not contain guest memory.',
  },
  'configuration-after-unknown-command': {
    id: 71,
    class: 'unknown',
    doc: 'An ITS executed a command that the source does not contain. Software may have rewritten the configuration byte of any LPI before it.',
  },
  'tables-after-unknown-command': {
    id: 72,
    class: 'unknown',
    doc: 'An ITS executed a command that the source does not contain, and then read the entry of a device. The command may have mapped the device, and may have written any entry of its interrupt translation table.',
  },
  'slot-not-shown': {
    id: 73,
    class: 'unknown',
    doc: 'An ITS executes a command for which the source has no line. The previous contents of its slot in the queue have been overwritten.',
  },
  'pe-from-cpu': {
    id: 40,
    class: 'assumed',
    doc: "Linux's CPU n made the access. It is taken to be PE n, the PE with the n-th Redistributor.",
  },
  'pe-from-vcpu-thread': {
    id: 41,
    class: 'inferred',
    doc: 'The accessing PE follows from the name of the host thread of the virtual machine monitor, which contains the number of the vCPU.',
  },
  'pe-from-vcpu-timer': {
    id: 42,
    class: 'inferred',
    doc: 'The accessing PE follows from the host thread: nearly all lines about timer interrupts that the thread printed are of one vCPU. KVM reports the timers of a vCPU on the thread that runs it.',
  },
  'frame-from-probe': {
    id: 43,
    class: 'inferred',
    doc: 'The address of a frame of the GIC follows from the reads with which software probes it: PIDR2 shows a GICv3 or GICv4, and the function that reads it, or the register of the frame that is accessed next (GICD_TYPER, GICR_TYPER, GITS_CTLR), shows which frame it is. Redistributors may also be found by GICR_TYPER, which software reads from one to the next.',
  },
  'frame-from-map': {
    id: 44,
    class: 'assumed',
    doc: "Software does not probe the frames of the GIC, but its accesses fit a known map of memory: that of QEMU's virt machine, or that of kvmtool, Firecracker and crosvm.",
  },
  'memory-read-by-kvm': {
    id: 45,
    class: 'inferred',
    doc: 'KVM read these bytes of guest memory while it handled an access of the guest. They are placed before that access. Who wrote them, and when, is unknown.',
  },
  'state-after-loss': {
    id: 46,
    class: 'unknown',
    doc: 'The source lost events here. What they would have shown is unknown, so the state is unknown from here on, as at the beginning of a source that begins in mid-life. Nothing was reset.',
  },
  'state-after-stop': {
    id: 76,
    class: 'unknown',
    doc: 'A monitor stopped the machine and let it go on, as loadvm and savevm do. A saved state may have been loaded meanwhile, which QEMU does not report. The state is unknown from here on, as at the beginning of a source that begins in mid-life.',
  },
  ...GICV5_RULES,
} as const satisfies Record<string, InferenceRule>;

export type RuleName = keyof typeof RULES;
