// The sorts of stimuli that a source may lack. The header of a trace names them; each has the trace events that record it.

/** Sorts of stimuli that a source may lack. */
export const STIMULI_SORTS = {
  'GICD writes': "-trace 'gicv3_dist_*'",
  'GICR writes': "-trace 'gicv3_redist_*'",
  'GITS writes': "-trace 'gicv3_its_*'",
  'ICC_PMR writes': "-trace 'gicv3_icc_*'",
  'ICC_IGRPEN writes': "-trace 'gicv3_icc_*'",
  acknowledges: "-trace 'gicv3_icc_*'",
  'ICC_CTLR writes': "-trace 'gicv3_icc_*'",
  ends: "-trace 'gicv3_icc_*'",
  deactivations: "-trace 'gicv3_icc_*'",
  SGIs: "-trace 'gicv3_icc_*'",
  'PPI lines': "-trace 'gicv3_redist_*'",
  'SPI lines': "-trace 'gicv3_dist_*'",
  MSIs: "-trace 'gicv3_its_*'",
  commands: "-trace 'gicv3_its_*'",
  'ICH writes': "-trace 'gicv3_ich_*'",
} as const;
export type Missing = keyof typeof STIMULI_SORTS;

/** The events and probes of Linux that show a sort of stimuli of a KVM guest; none if only the hardware sees them. */
export const PROBES_OF: { readonly [Sort in Missing]?: readonly string[] } = {
  'GICD writes': ['kvm_mmio'],
  'GICR writes': ['kvm_mmio'],
  'GITS writes': ['kvm_mmio'],
  SGIs: ['vgic_sgi'],
  'PPI lines': ['vgic_update_irq_pending'],
  'SPI lines': ['vgic_update_irq_pending'],
  MSIs: ['vgic_msi', 'vgic_msi_cached'],
  commands: ['rdguest'],
};
