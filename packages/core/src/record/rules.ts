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
    doc: 'The source does not say through which of ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1 an SGI was generated; the one whose group matches is taken.',
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
  'memory-read': {
    id: 14,
    class: 'inferred',
    doc: 'Guest memory was read while QEMU waited, as it was when the GIC was about to look at it; who stored it, and when before that, is not known.',
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
