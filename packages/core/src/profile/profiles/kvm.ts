import { PLAIN } from '../hardware.ts';
import { profile } from '../shape.ts';

const ITS = 'arch/arm64/kvm/vgic/vgic-its.c';
/** Read by Linux guests of KVM in Linux 6.1 and 6.12 alike. */
const MEASURED = 'kvm_mmio recordings of Linux 6.1.0-56 and 6.12.117';
const MMIO = 'arch/arm64/kvm/vgic/vgic-mmio-v3.c';

export const kvm = profile(
  'kvm',
  "KVM's vgic-v3 with its virtual ITS, as a guest sees it: one Security state, tables in kernel memory.",
  PLAIN,
  {
    ctlrCes: { value: true, evidence: `${MMIO}: GICR_CTLR reads CES and IR (implementation revision 3)` },
    ctlrIr: { value: true, evidence: `${MMIO}: GICR_CTLR reads CES and IR (implementation revision 3)` },
    invalidateHasV: {
      value: false,
      evidence: `${MMIO}: vgic_mmio_write_invlpi() and _invall() use the lower word; fuzzed stimuli on KVM of Linux 6.12.117`,
    },
    statusr: {
      value: false,
      evidence: `${MMIO}: GICR_STATUSR is RAZ/WI, and GICD_STATUSR cannot be written`,
    },
    cwriterKeepsOutOfRange: {
      value: false,
      evidence: `${ITS}: a write of GITS_CWRITER beyond the queue is dropped`,
    },
    retry: {
      value: false,
      evidence: `${ITS}: GITS_CWRITER keeps its offset bits only; the queue never stalls`,
    },
    quiescentWhenDone: {
      value: true,
      evidence: `${ITS}: vgic_mmio_read_its_ctlr() compares its->creadr with its->cwriter; fuzzed stimuli on KVM of Linux 6.12.117`,
    },
    itsErrors: { value: 'ignore', evidence: `${ITS}: the error code of a command is computed and dropped` },
    lpiConfigWhenMapped: {
      value: true,
      evidence: `${ITS}: vgic_add_lpi() calls update_lpi_config(), as INV and INVALL do; nothing else does`,
    },
    mapOverMapping: {
      value: 'ignored',
      evidence: `${ITS}: MAPTI of an event that is mapped returns at once`,
    },
    mapcMovesPending: {
      value: true,
      evidence: `${ITS}: MAPC retargets the LPIs of the collection, whose pending state is kept by LPI and not by PE`,
    },
    mapdDropsEvents: {
      value: true,
      evidence: `${ITS}: MAPD frees the device with its entries; the ITT in guest memory is only read at restore`,
    },
    wakerGates: { value: false, evidence: `${MMIO}: GICR_WAKER is RAZ/WI` },
    wakerReset: { value: 0, evidence: `${MMIO}: GICR_WAKER is RAZ/WI` },
    wakerWritable: { value: false, evidence: `${MEASURED}: GICR_WAKER reads 0 after 6 was written` },
    ctlrGroup1Only: {
      value: true,
      evidence: `${MEASURED}: GICD_CTLR reads 0x52 after Linux wrote 0x13; ${MMIO}: one flag, dist->enabled, is all that vgic_target_oracle() asks`,
    },
    overlooksPending: {
      value: true,
      evidence:
        'arch/arm64/kvm/vgic/vgic.c: vgic_queue_irq_unlock() takes an interrupt up if vgic_target_oracle() has a target then, and the write of GICD_CTLR calls vgic_kick_vcpus() only; 200,000 fuzzed stimuli on KVM of Linux 6.12.117',
    },
    latchEndsWithActive: {
      value: true,
      evidence:
        'arch/arm64/kvm/vgic/vgic-v3.c: vgic_v3_fold_lr_state() clears pending_latch of a level-sensitive interrupt once its list register is neither pending nor active; fuzzed stimuli on KVM of Linux 6.12.117',
    },
    resetsToGroup1: { value: true, evidence: `${MEASURED}: GICD_IGROUPR<n> reads 0xffffffff` },
    spisResetToEdge: { value: true, evidence: `${MEASURED}: GICD_ICFGR<n> reads 0xaaaaaaaa` },
    sgisResetEnabled: { value: true, evidence: `${MEASURED}: GICR_ISENABLER0 reads 0xffff` },
    prioritiesKept: {
      value: 0xf8,
      evidence:
        'arch/arm64/kvm/vgic/vgic-mmio.c: vgic_mmio_write_priority() keeps VGIC_PRI_BITS, which is 5; fuzzed stimuli on KVM of Linux 6.12.117',
    },
    ppisConfigurable: {
      value: false,
      evidence: 'arch/arm64/kvm/vgic/vgic-mmio.c: vgic_mmio_write_config() leaves out private interrupts',
    },
    irmWritable: {
      value: false,
      evidence: `${MMIO}: vgic_mmio_write_irouter() keeps Aff0 to Aff2; fuzzed stimuli on KVM of Linux 6.12.117`,
    },
    routesByAff3: { value: false, evidence: `${MEASURED}: the upper word of GICD_IROUTER<n> is RAZ/WI` },
    anyAttributes: {
      value: false,
      evidence: `${MEASURED}: GITS_BASER0 reads 0x1907000000000200 after 0 was written, GICR_PENDBASER 0x42000180; ${MMIO}: vgic_sanitise_*()`,
    },
    collectionsIndirect: {
      value: false,
      evidence: `${ITS}: vgic_mmio_write_its_baser() clears Indirect; a register probe on KVM of Linux 6.12.117`,
    },
    gicdStatusrOnes: {
      value: true,
      evidence: `${MMIO}: vgic_mmio_read_rao(); a register probe on KVM of Linux 6.12.117`,
    },
    cbaserResetsCwriter: { value: true, evidence: `${ITS}: vgic_mmio_write_its_cbaser()` },
    enableNeedsTables: { value: true, evidence: `${ITS}: vgic_mmio_write_its_ctlr()` },
    propbaserShared: { value: true, evidence: `${MMIO}: dist->propbaser` },
    mapcOrphans: {
      value: true,
      evidence: `${ITS}: vgic_its_free_collection() sets the collection of each of its events to NULL`,
    },
    discardKeepsPending: {
      value: true,
      evidence: `${ITS}: its_free_ite() drops a reference to the LPI, and an LPI that is queued for a vCPU has another, until vgic_prune_ap_list() finds that it has no target; fuzzed stimuli on KVM of Linux 6.12.117`,
    },
    unmapChecksSize: {
      value: false,
      evidence: `${ITS}: vgic_its_cmd_handle_mapd() looks at the size if V is 1; fuzzed stimuli on KVM of Linux 6.12.117`,
    },
    clearNeedsCollection: {
      value: false,
      evidence: `${ITS}: vgic_its_cmd_handle_clear() does not look at the collection; fuzzed stimuli on KVM of Linux 6.12.117`,
    },
    disableDropsPending: {
      value: true,
      evidence: `${MMIO}: vgic_flush_pending_lpis(); pending state is written to the pending table only when it is saved`,
    },
  },
);
