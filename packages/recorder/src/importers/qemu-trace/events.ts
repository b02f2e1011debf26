// QEMU's trace events that concern the GIC, by name: which kind of line each one is and which numbers it prints. Names
// and formats are as declared in QEMU's hw/intc/trace-events and system/trace-events.

/** What the assembler does with a line. */
export type Sort =
  | 'hppi'
  | 'hppi-lines'
  | 'vhppi'
  | 'vhppi-lines'
  | 'maintenance'
  | 'sysreg-read'
  | 'sysreg-write'
  | 'iar'
  | 'sgi'
  | 'sgi-sent'
  | 'gicd-read'
  | 'gicd-write'
  | 'gicr-read'
  | 'gicr-write'
  | 'gits-read'
  | 'gits-write'
  | 'bad-read'
  | 'bad-write'
  | 'ppi-wire'
  | 'spi-wire'
  | 'translater'
  | 'command'
  | 'operands'
  | 'entry'
  | 'region-read'
  | 'region-write'
  | 'ram-store'
  | 'io-access'
  /** Lines from `live/tell` about what guest memory holds. */
  | 'ram-unknown'
  | 'ram-known'
  | 'ram-holds'
  | 'queue-holds'
  /** Read but deliberately not kept: says nothing that a kept line does not say. */
  | 'redundant';

export interface LineKind {
  readonly sort: Sort;
  /**
   * For `operands`: the command's operands in the order printed. For `entry`: the record kind. For bad accesses: the
   * frame.
   */
  readonly detail?: readonly string[];
  /** The number of numbers in a well-formed line. */
  readonly numbers: number;
}

const line = (sort: Sort, numbers: number, detail?: readonly string[]): LineKind =>
  detail === undefined ? { sort, numbers } : { sort, numbers, detail };
const read = line('sysreg-read', 2);
const write = line('sysreg-write', 2);

export const LINE_KINDS: Readonly<Record<string, LineKind>> = {
  gicv3_cpuif_update: line('hppi', 4),
  gicv3_cpuif_set_irqs: line('hppi-lines', 3),
  gicv3_cpuif_virt_update: line('vhppi', 5),
  gicv3_cpuif_virt_set_irqs: line('vhppi-lines', 3),
  gicv3_cpuif_virt_set_maint_irq: line('maintenance', 2),
  gicv3_icc_iar0_read: line('iar', 2),
  gicv3_icc_iar1_read: line('iar', 2),
  gicv3_icc_nmiar1_read: line('iar', 2),
  gicv3_icc_generate_sgi: line('sgi', 5),
  gicv3_redist_send_sgi: line('sgi-sent', 2),
  gicv3_dist_read: line('gicd-read', 4),
  gicv3_dist_write: line('gicd-write', 4),
  gicv3_dist_badread: line('bad-read', 3, ['GICD']),
  gicv3_dist_badwrite: line('bad-write', 4, ['GICD']),
  gicv3_redist_read: line('gicr-read', 5),
  gicv3_redist_write: line('gicr-write', 5),
  gicv3_redist_badread: line('bad-read', 4, ['GICR']),
  gicv3_redist_badwrite: line('bad-write', 5, ['GICR']),
  gicv3_its_read: line('gits-read', 3),
  gicv3_its_write: line('gits-write', 3),
  gicv3_its_badread: line('bad-read', 2, ['GITS']),
  gicv3_its_badwrite: line('bad-write', 3, ['GITS']),
  gicv3_redist_set_irq: line('ppi-wire', 3),
  gicv3_dist_set_irq: line('spi-wire', 2),
  gicv3_its_translation_write: line('translater', 4),
  gicv3_its_process_command: line('command', 2),
  gicv3_its_cmd_int: line('operands', 2, ['DeviceID', 'EventID']),
  gicv3_its_cmd_clear: line('operands', 2, ['DeviceID', 'EventID']),
  gicv3_its_cmd_discard: line('operands', 2, ['DeviceID', 'EventID']),
  gicv3_its_cmd_inv: line('operands', 2, ['DeviceID', 'EventID']),
  gicv3_its_cmd_sync: line('operands', 0, []),
  gicv3_its_cmd_vsync: line('operands', 0, []),
  gicv3_its_cmd_invall: line('operands', 0, []),
  // Size as in the command; ITT_addr without its low 8 bits.
  gicv3_its_cmd_mapd: line('operands', 4, ['DeviceID', 'Size', 'ITT_addr', 'V']),
  gicv3_its_cmd_mapc: line('operands', 3, ['ICID', 'RDbase', 'V']),
  gicv3_its_cmd_mapi: line('operands', 3, ['DeviceID', 'EventID', 'ICID']),
  gicv3_its_cmd_mapti: line('operands', 4, ['DeviceID', 'EventID', 'ICID', 'pINTID']),
  gicv3_its_cmd_movi: line('operands', 3, ['DeviceID', 'EventID', 'ICID']),
  gicv3_its_cmd_movall: line('operands', 2, ['RDbase1', 'RDbase2']),
  gicv3_its_cmd_vmapi: line('operands', 4, ['DeviceID', 'EventID', 'vPEID', 'Dbell_pINTID']),
  // Its text says "VMAPI"; the event's name is right.
  gicv3_its_cmd_vmapti: line('operands', 5, ['DeviceID', 'EventID', 'vPEID', 'vINTID', 'Dbell_pINTID']),
  // VPT_addr without its low 16 bits.
  gicv3_its_cmd_vmapp: line('operands', 5, ['vPEID', 'RDbase', 'V', 'VPT_addr', 'VPT_size']),
  gicv3_its_cmd_vmovp: line('operands', 2, ['vPEID', 'RDbase']),
  gicv3_its_cmd_vmovi: line('operands', 5, ['DeviceID', 'EventID', 'vPEID', 'D', 'Dbell_pINTID']),
  gicv3_its_cmd_vinvall: line('operands', 1, ['vPEID']),
  gicv3_its_cmd_unknown: line('redundant', 1),
  gicv3_its_dte_read: line('entry', 4, ['dte.read']),
  gicv3_its_dte_write: line('entry', 4, ['dte.write']),
  gicv3_its_cte_read: line('entry', 3, ['cte.read']),
  gicv3_its_cte_write: line('entry', 3, ['cte.write']),
  gicv3_its_ite_read: line('entry', 8, ['ite.read']),
  gicv3_its_ite_write: line('entry', 8, ['ite.write']),
  gicv3_its_vte_read: line('entry', 5, ['vte.read']),
  gicv3_its_vte_write: line('entry', 5, ['vte.write']),
  memory_region_ops_read: line('region-read', 5),
  memory_region_ops_write: line('region-write', 5),
  plugin_ram_store: line('ram-store', 5),
  plugin_io_load: line('io-access', 5),
  plugin_io_store: line('io-access', 5),
  gictrace_ram_unknown: line('ram-unknown', 2),
  gictrace_ram_known: line('ram-known', 3),
  gictrace_ram_store: line('ram-holds', 3),
  gictrace_queue: line('queue-holds', 5),
  gicv3_icc_pmr_read: read,
  gicv3_icc_pmr_write: write,
  gicv3_icc_bpr_read: read,
  gicv3_icc_bpr_write: write,
  gicv3_icc_ap_read: read,
  gicv3_icc_ap_write: write,
  gicv3_icc_igrpen_read: read,
  gicv3_icc_igrpen_write: write,
  gicv3_icc_igrpen1_el3_read: read,
  gicv3_icc_igrpen1_el3_write: write,
  gicv3_icc_ctlr_read: read,
  gicv3_icc_ctlr_write: write,
  gicv3_icc_ctlr_el3_read: read,
  gicv3_icc_ctlr_el3_write: write,
  gicv3_icc_eoir_write: write,
  gicv3_icc_hppir0_read: read,
  gicv3_icc_hppir1_read: read,
  gicv3_icc_dir_write: write,
  gicv3_icc_rpr_read: read,
  gicv3_ich_ap_read: read,
  gicv3_ich_ap_write: write,
  gicv3_ich_hcr_read: read,
  gicv3_ich_hcr_write: write,
  gicv3_ich_vmcr_read: read,
  gicv3_ich_vmcr_write: write,
  gicv3_ich_lr_read: read,
  gicv3_ich_lr_write: write,
  gicv3_ich_vtr_read: read,
  gicv3_ich_misr_read: read,
  gicv3_ich_eisr_read: read,
  gicv3_ich_elrsr_read: read,
  gicv3_icv_ap_read: read,
  gicv3_icv_ap_write: write,
  gicv3_icv_bpr_read: read,
  gicv3_icv_bpr_write: write,
  gicv3_icv_pmr_read: read,
  gicv3_icv_pmr_write: write,
  gicv3_icv_igrpen_read: read,
  gicv3_icv_igrpen_write: write,
  gicv3_icv_ctlr_read: read,
  gicv3_icv_ctlr_write: write,
  gicv3_icv_rpr_read: read,
  gicv3_icv_hppir_read: read,
  gicv3_icv_dir_write: write,
  gicv3_icv_iar_read: read,
  gicv3_icv_nmiar1_read: read,
  gicv3_icv_eoir_write: write,
};

/** The event name is the first word of lines that have this prefix, so the prefix identifies them. */
export const GIC_PREFIX = 'gicv3_';

/**
 * Which PEs a register write updates at once, and therefore how many `hppi` lines precede its own line in a log without
 * memory_region_ops: none, that of the Redistributor's PE, or those of all PEs.
 */
export type Reach = 'none' | 'target' | 'all';

export const WRITE_REACH: readonly {
  readonly frame: 'GICD' | 'GICR';
  readonly from: number;
  readonly to: number;
  readonly reach: Reach;
}[] = [
  { frame: 'GICD', from: 0x0, to: 0x3, reach: 'all' },
  { frame: 'GICD', from: 0x84, to: 0xff, reach: 'all' },
  ...[0x100, 0x180, 0x200, 0x280, 0x300, 0x380].map(
    (base) => ({ frame: 'GICD', from: base + 4, to: base + 0x7f, reach: 'all' }) as const,
  ),
  { frame: 'GICD', from: 0x420, to: 0x7ff, reach: 'all' },
  { frame: 'GICD', from: 0x6100, to: 0x7fff, reach: 'all' },
  { frame: 'GICR', from: 0x0, to: 0x3, reach: 'target' },
  { frame: 'GICR', from: 0x10080, to: 0x103ff, reach: 'target' },
  { frame: 'GICR', from: 0x10400, to: 0x1041f, reach: 'target' },
  { frame: 'GICR', from: 0x10c04, to: 0x10c07, reach: 'target' },
];
