// The rules by which an importer infers what a log of a GICv5 does not contain. QEMU prints no PE with an instruction of a
// CPU interface, with a PPI, or with what a PE is signalled, and nothing of a write to an ICC register but its effects.
import type { InferenceRule } from './rules.ts';

export const GICV5_RULES = {
  'only-pe': { id: 100, class: 'inferred', doc: 'There is one PE.' },
  'pe-from-iaffid': {
    id: 101,
    class: 'inferred',
    doc: 'The PE follows from the IAFFID for which the IRS recalculated in the same step: a PE acknowledges only SPIs and LPIs that are targeted at it.',
  },
  'pe-by-elimination': {
    id: 103,
    class: 'inferred',
    doc: 'Only one PE can have done it: with any other, what the source shows of PPIs, running priorities and signals would contradict itself, here or later. With `-d int` that includes the lines in which PEs take exceptions.',
  },
  'pe-undecided': {
    id: 104,
    class: 'unknown',
    doc: 'Several PEs can have done it, and nothing in the source decides. The record has the flag `peUndecided`.',
  },
  'ppi-from-hppi': {
    id: 105,
    class: 'inferred',
    doc: 'A PPI is, or is not, the highest-priority pending PPI of a PE. It is therefore enabled, or not, and has this priority, since the last write to a PPI register that the source shows by its effects.',
  },
  'interface-from-signal': {
    id: 106,
    class: 'inferred',
    doc: 'A PE is signalled an interrupt, or is not although one could preempt. ICC_CR0_EL1.EN is therefore 1 and ICC_PCR_EL1 lets its priority through, or one of the two does not. Which of the two, and the exact mask, is not shown: EN is taken to be what decides, and the mask to be the lowest priority.',
  },
} as const satisfies Record<string, InferenceRule>;
