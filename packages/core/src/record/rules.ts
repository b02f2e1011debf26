// The rules by which an importer fills what its source does not show. A record made by a rule names it in its
// rule column; replay and info count them. A rule never looks at the value that it is later compared with,
// except where its text says so.

export interface InferenceRule {
  /** Stored in traces: never reused. 0 is «shown by the source». */
  readonly id: number;
  /** `inferred`: follows from what the source shows. `assumed`: a default that nothing in the source contradicts. `unknown`: stays open. */
  readonly class: 'inferred' | 'assumed' | 'unknown';
  readonly doc: string;
}

export const RULES = {
  'command-from-decode': {
    id: 1,
    class: 'inferred',
    doc: 'A command slot is rebuilt from the decoded operands that the source prints when the ITS executes it; operands it does not print are zero and not compared.',
  },
  'lpi-config-from-hppi': {
    id: 2,
    class: 'inferred',
    doc: 'An LPI shows (or, being pending and best, does not show) as the highest-priority pending interrupt, so its configuration byte had this enable bit and priority when the Redistributor last read it.',
  },
  'lpi-config-after-inv': {
    id: 3,
    class: 'unknown',
    doc: 'Software invalidated the configuration of an LPI, so it may have rewritten the byte; the source does not show guest memory.',
  },
  'table-entry-from-read': {
    id: 4,
    class: 'inferred',
    doc: 'What an ITS table held is taken from the source line that shows the ITS reading it, where nothing shown wrote it.',
  },
  'table-placed': {
    id: 5,
    class: 'assumed',
    doc: 'The source does not show where a level-2 table is; it is placed at an address that no guest uses.',
  },
  'pe-from-thread': {
    id: 6,
    class: 'inferred',
    doc: 'The accessing PE follows from the host thread: system-register lines of that thread name one PE.',
  },
  'sgi-register': {
    id: 7,
    class: 'assumed',
    doc: 'The source does not say through which of ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1 an SGI was generated: it is one that sends it to the PEs that got it, first the one whose group is theirs.',
  },
  'config-default': {
    id: 8,
    class: 'assumed',
    doc: 'A configuration register that the source never shows being read has the value of the profile.',
  },
  'pending-table-zero': {
    id: 9,
    class: 'inferred',
    doc: 'Software set GICR_PENDBASER.PTZ, so it says that the pending table is zero.',
  },
  'pe-reset-from-read': {
    id: 10,
    class: 'inferred',
    doc: 'A PE whose Redistributor is woken again (GICR_WAKER) then reads ICC_PMR_EL1 or ICC_CTLR_EL1 at its reset value, where software had set another: the PE was reset in between.',
  },
  'vlpi-config-from-vhppi': {
    id: 11,
    class: 'inferred',
    doc: 'As lpi-config-from-hppi, for a vLPI that shows as the highest-priority pending one of a resident vPE.',
  },
  'virtual-pending-table-zero': {
    id: 12,
    class: 'assumed',
    doc: 'A vPE is mapped with a virtual pending table that nothing shown has written: software allocates it zeroed.',
  },
  'virtual-pending-table-freed': {
    id: 13,
    class: 'unknown',
    doc: 'A vPE was unmapped, so the memory of its virtual pending table may serve another purpose; the source does not show guest memory.',
  },
  'security-from-register': {
    id: 15,
    class: 'inferred',
    doc: 'With two Security states QEMU prints what a PE is signalled at each exception and return, and between two of them a PE executes in one Security state, or at EL3. There the PE accessed a register of one Exception level alone: ICC_*_EL3 of EL3, ICH_* of a hypervisor, ICV_* of its virtual machine.',
  },
  'security-from-mmio': {
    id: 17,
    class: 'inferred',
    doc: 'As security-from-register: MMIO accesses of the PE between the same two exceptions were Secure, or were not.',
  },
  'security-from-interrupt': {
    id: 18,
    class: 'inferred',
    doc: 'As security-from-register, by whose interrupt ICC_IAR<n> or ICC_HPPIR<n> returned, or did not return though it was signalled; 1020 and 1021 are for EL3 alone.',
  },
  'security-from-line': {
    id: 19,
    class: 'inferred',
    doc: 'As security-from-register: the PE was signalled an interrupt of Group 1 as an IRQ, so that it executed in the Security state of the interrupt, or as an FIQ, so that it did not.',
  },
  'security-from-value': {
    id: 20,
    class: 'inferred',
    doc: 'As security-from-register, where none of these says anything: a register of which there are two instances, or that shows priorities, was read to hold what one of the states would see. This value is compared all the same.',
  },
  'security-from-course': {
    id: 21,
    class: 'inferred',
    doc: 'The log says nothing of how the PE executed there: by how it did before and after, with as few changes as can be. A PE changes its Security state through EL3 only.',
  },
  'scr-fiq-from-priority': {
    id: 22,
    class: 'inferred',
    doc: 'Non-secure software read a priority (ICC_PMR_EL1, ICC_RPR_EL1) as it is, so that SCR_EL3.FIQ is 0, or shifted, so that it is 1; or it accessed a register of Group 0, which SCR_EL3.FIQ = 1 puts out of its reach. What has been seen once takes two values to be otherwise.',
  },
  'reset-group-1': {
    id: 16,
    class: 'inferred',
    doc: 'A configuration: the GIC has two Security states, no access is Secure, and no Group 0 interrupt is pending, so QEMU played firmware, as it does when it boots a kernel directly, and interrupts reset to Group 1.',
  },
  'memory-read': {
    id: 14,
    class: 'inferred',
    doc: 'Guest memory was read while QEMU waited, as it was when the GIC was about to look at it; who stored it, and when before that, is not known.',
  },
  'state-from-read': {
    id: 51,
    class: 'inferred',
    doc: 'A register was read whose value nothing in the source had shown: it held what was read.',
  },
  'state-from-hppi': {
    id: 52,
    class: 'inferred',
    doc: 'A PE was signalled, or was not signalled, an interrupt; that can only be if a part of the state that the source does not show was so: an interrupt enabled, pending or active, its group or priority, a group enable, a priority mask, an active priority.',
  },
  'state-from-acknowledge': {
    id: 53,
    class: 'inferred',
    doc: 'As state-from-hppi, from an acknowledge: what ICC_IAR returned was the highest-priority pending interrupt and was signalled. Where only acknowledges show priorities, only their order is known.',
  },
  'state-from-end': {
    id: 54,
    class: 'inferred',
    doc: 'A PE ended (ICC_EOIR, ICC_DIR) an interrupt that the source does not show acknowledged: it was active.',
  },
  'input-line-from-change': {
    id: 55,
    class: 'inferred',
    doc: 'An input line is printed when its level changes: it had the other level before.',
  },
  'its-from-command': {
    id: 56,
    class: 'inferred',
    doc: 'An ITS executed a command: it was enabled, with a queue, and its read pointer was at that slot.',
  },
  'lpi-tables-placed': {
    id: 57,
    class: 'assumed',
    doc: 'LPIs or an ITS are in use, and the source does not show where their tables or the command queue are: they are placed at addresses that no guest uses.',
  },
  'lpi-config-from-acknowledge': {
    id: 58,
    class: 'inferred',
    doc: 'An LPI was acknowledged, so it was enabled; its priority is one that gives the order in which interrupts were acknowledged.',
  },
  'lpi-disabled-from-silence': {
    id: 59,
    class: 'inferred',
    doc: 'An LPI became pending, or stayed so, and its PE was signalled nothing though nothing else was pending there: its configuration byte had the enable bit clear.',
  },
  'lpi-pending-from-hppi': {
    id: 60,
    class: 'inferred',
    doc: 'An LPI was signalled or acknowledged that nothing in the source had made pending: it was pending in the pending table that the Redistributor loaded, since before the source begins, or by a command or a message of which the source does not show enough. Or one was not signalled that is pending no more for such a reason.',
  },
  'command-run': {
    id: 61,
    class: 'inferred',
    doc: 'The source shows commands that an ITS executed, and not the write of GITS_CWRITER that made it: one is put before them.',
  },
  'command-from-tables': {
    id: 62,
    class: 'inferred',
    doc: 'The source does not print the operands of an ITS command: they are taken from the table entries that it read and wrote.',
  },
  'command-index': {
    id: 63,
    class: 'inferred',
    doc: 'The source does not print which slot of the queue a command came from: it is the next one.',
  },
  'sgi-from-sent': {
    id: 64,
    class: 'inferred',
    doc: 'The source does not show the write that generated an SGI: it is rebuilt from the PEs on which it became pending. Who wrote is not known.',
  },
  'seam-from-hppi': {
    id: 65,
    class: 'inferred',
    doc: 'A PE is signalled nothing, and INTID 0 is printed as the interrupt that it was signalled last, after another INTID had been: another QEMU prints here, which continues the state.',
  },
  'seam-from-threads': {
    id: 66,
    class: 'inferred',
    doc: 'From here on every host thread runs another PE than before, each the same one to the end: another QEMU prints here.',
  },
  'hppi-before-reset': {
    id: 67,
    class: 'inferred',
    doc: 'The first line about what a PE is signalled has INTID 0, Group 0 and priority 0: QEMU prints it before the GIC has been reset for the first time, when nothing is pending.',
  },
  'reset-from-registers': {
    id: 68,
    class: 'inferred',
    doc: 'The machine was reset: registers that software had set are read at their reset values, an input line rises that had not fallen, a command queue begins again, or a PE is signalled nothing where something was pending; and with a reset at this place the model agrees with more of the source than without.',
  },
  'load-from-state': {
    id: 70,
    class: 'inferred',
    doc: 'A saved state of the machine was loaded (loadvm): what the source shows from here on contradicts what it showed before in many places, as if the GIC had another state. The state is unknown from here on, as at the beginning of a source in mid-life.',
  },
  'memory-after-reset': {
    id: 69,
    class: 'unknown',
    doc: 'The machine was reset, or a saved state was loaded, so memory may hold something else; the source does not show guest memory.',
  },
  'configuration-after-unknown-command': {
    id: 71,
    class: 'unknown',
    doc: 'An ITS executed a command that the source does not show: software may have rewritten the configuration byte of any LPI for it.',
  },
  'tables-after-unknown-command': {
    id: 72,
    class: 'unknown',
    doc: 'An ITS executed a command that the source does not show, and then read the entry of a device: that command may have mapped the device, and written any entry of its interrupt translation table.',
  },
  'slot-not-shown': {
    id: 73,
    class: 'unknown',
    doc: 'An ITS executes a command of which the source has no line: what its slot of the queue held before has been overwritten.',
  },
  'pe-from-cpu': {
    id: 40,
    class: 'assumed',
    doc: "Linux's CPU n made the access: it is taken to be PE n, the one with the n-th Redistributor.",
  },
  'pe-from-vcpu-thread': {
    id: 41,
    class: 'inferred',
    doc: 'The accessing PE follows from the name of the thread of the virtual machine monitor, which numbers the vCPU.',
  },
} as const satisfies Record<string, InferenceRule>;

export type RuleName = keyof typeof RULES;
